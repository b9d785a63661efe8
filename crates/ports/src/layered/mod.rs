//! Decorators of the ports: the same traits, with something more.
