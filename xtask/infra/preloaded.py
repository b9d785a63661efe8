"""The emulator with all its services read in: while it reads one in, it answers nobody, and the provider
would send a request again and find that what it makes is there already."""

import importlib
import pkgutil

import ministack.services
from ministack.app import app

__all__ = ["app"]

for module in pkgutil.iter_modules(ministack.services.__path__):
    importlib.import_module(f"ministack.services.{module.name}")
