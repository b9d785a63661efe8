"""The FastAPI reference: the six requests of the benchmark as a competent team writes them.

Async SQLAlchemy 2 on asyncpg, redis-py with hiredis, uvloop and httptools under uvicorn. Records go
from the cache to the socket as bytes. Settings: DATABASE_URL, REDIS_URL, RSA_KEY_FILE.
"""

import asyncio
import hashlib
import os
import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import jwt
import orjson
import redis.asyncio as redis
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from fastapi import Depends, FastAPI, HTTPException, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict
from sqlalchemy import BigInteger, LargeBinary, Text, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

PREFIX = "fa:"
TTL_S = 60
TOKEN_LIFE_S = 900
SESSION_LIFE_US = 30 * 86_400 * 1_000_000

KEY = load_pem_private_key(Path(os.environ["RSA_KEY_FILE"]).read_bytes(), password=None)
PUBLIC_KEY = KEY.public_key()
HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
# One hash at a time in each of the two workers: the machine has two cores.
HASHING = ThreadPoolExecutor(max_workers=1)

engine = create_async_engine(os.environ["DATABASE_URL"], pool_size=20, max_overflow=0)
sessions = async_sessionmaker(engine, expire_on_commit=False)
cache = redis.from_url(os.environ["REDIS_URL"], max_connections=64)


class Base(DeclarativeBase):
    pass


class Item(Base):
    __tablename__ = "items"
    id: Mapped[str] = mapped_column(Text, primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[int] = mapped_column(BigInteger)
    updated_at: Mapped[int] = mapped_column(BigInteger)
    created_by: Mapped[str | None] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text)
    data: Mapped[str] = mapped_column(Text)


class User(Base):
    __tablename__ = "users"
    id: Mapped[str] = mapped_column(Text, primary_key=True)
    email: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(Text)
    password_hash: Mapped[str] = mapped_column(Text)


class Session(Base):
    __tablename__ = "sessions"
    id: Mapped[str] = mapped_column(Text, primary_key=True)
    user_id: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(Text)
    refresh_hash: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[int] = mapped_column(BigInteger)


class Data(BaseModel):
    model_config = ConfigDict(extra="allow")
    status: str


class Task(BaseModel):
    kind: str
    payload: dict[str, Any]


class Credentials(BaseModel):
    email: str
    password: str


@asynccontextmanager
async def lifespan(_: FastAPI):
    yield
    await cache.aclose()
    await engine.dispose()


app = FastAPI(title="reference", lifespan=lifespan)
bearer = HTTPBearer()


async def database():
    async with sessions() as session:
        yield session


Database = Annotated[AsyncSession, Depends(database)]


def now_us() -> int:
    return time.time_ns() // 1_000


def rfc3339(us: int) -> str:
    return datetime.fromtimestamp(us / 1_000_000, UTC).isoformat().replace("+00:00", "Z")


def as_json(content: bytes, status: int = 200) -> Response:
    return Response(content, status_code=status, media_type="application/json")


def render(item: Item) -> bytes:
    return orjson.dumps(
        {
            "id": item.id,
            "collection": "items",
            "version": item.version,
            "created_at": rfc3339(item.created_at),
            "updated_at": rfc3339(item.updated_at),
            "created_by": item.created_by,
            "data": orjson.Fragment(item.data),
        }
    )


async def load(item_id: str) -> bytes:
    async with sessions() as session:
        item = await session.get(Item, item_id)
    if item is None:
        raise HTTPException(404)
    return render(item)


async def fill(item_id: str) -> bytes:
    text = await load(item_id)
    await cache.setex(f"{PREFIX}i:{item_id}", TTL_S, text)
    return text


@app.get("/health")
async def health() -> dict[str, str]:
    return {"status": "ok"}


@app.get("/items/{item_id}")
async def cached(item_id: str) -> Response:
    found = await cache.get(f"{PREFIX}i:{item_id}")
    return as_json(found if found is not None else await fill(item_id))


@app.get("/rows/{item_id}")
async def uncached(item_id: str) -> Response:
    return as_json(await load(item_id))


def claims_of(credentials: Annotated[HTTPAuthorizationCredentials, Depends(bearer)]) -> dict[str, Any]:
    try:
        return jwt.decode(credentials.credentials, PUBLIC_KEY, algorithms=["RS256"])
    except jwt.InvalidTokenError as error:
        raise HTTPException(401) from error


Claims = Annotated[dict[str, Any], Depends(claims_of)]


@app.get("/me/items/{item_id}")
async def authenticated(item_id: str, claims: Claims) -> Response:
    session_key = f"{PREFIX}s:{claims['sid']}"
    live, found = await cache.mget(session_key, f"{PREFIX}i:{item_id}")
    if live is None:
        async with sessions() as session:
            row = await session.get(Session, claims["sid"])
        if row is None:
            raise HTTPException(401)
        text = orjson.dumps({"user": row.user_id, "role": row.role})
        await cache.setex(session_key, TTL_S, text)
    return as_json(found if found is not None else await fill(item_id))


@app.post("/tasks", status_code=202)
async def enqueue(task: Task, claims: Claims) -> Response:
    if await cache.get(f"{PREFIX}s:{claims['sid']}") is None:
        raise HTTPException(401)
    task_id = f"tsk_{now_us():013x}{secrets.token_hex(6)}"
    await cache.xadd(f"{PREFIX}tasks", {"id": task_id, "task": orjson.dumps(task.payload)})
    return as_json(orjson.dumps({"id": task_id, "kind": task.kind, "status": "queued"}), 202)


@app.post("/items", status_code=201)
async def create(data: Data, session: Database) -> Response:
    now = now_us()
    item = Item(
        id=f"rec_{now:013x}{secrets.token_hex(6)}",
        version=1,
        created_at=now,
        updated_at=now,
        created_by=None,
        status=data.status,
        data=orjson.dumps(data.model_dump()).decode(),
    )
    session.add(item)
    await session.commit()
    return as_json(render(item), 201)


def is_right(phc: str, password: str) -> bool:
    try:
        return HASHER.verify(phc, password)
    except VerifyMismatchError:
        return False


@app.post("/login")
async def login(credentials: Credentials) -> dict[str, Any]:
    email = credentials.email.strip().lower()
    async with sessions() as session:
        user = (await session.execute(select(User).where(User.email == email))).scalar_one_or_none()
    # No connection is held while the password is hashed.
    if user is None:
        raise HTTPException(401)
    loop = asyncio.get_running_loop()
    if not await loop.run_in_executor(HASHING, is_right, user.password_hash, credentials.password):
        raise HTTPException(401)
    now = now_us()
    secret = secrets.token_urlsafe(32)
    row = Session(
        id=f"ses_{now:013x}{secrets.token_hex(6)}",
        user_id=user.id,
        role=user.role,
        refresh_hash=hashlib.sha256(secret.encode()).digest(),
        created_at=now,
        expires_at=now + SESSION_LIFE_US,
    )
    async with sessions() as session:
        session.add(row)
        await session.commit()
    text = orjson.dumps({"user": user.id, "role": user.role})
    await cache.setex(f"{PREFIX}s:{row.id}", TTL_S, text)
    issued = now // 1_000_000
    claims = {"sub": user.id, "sid": row.id, "role": user.role, "iat": issued, "exp": issued + TOKEN_LIFE_S}
    return {
        "access_token": jwt.encode(claims, KEY, algorithm="RS256"),
        "token_type": "Bearer",
        "expires_in": TOKEN_LIFE_S,
        "refresh_token": f"{row.id}.{secret}",
        "session_id": row.id,
        "user": {"id": user.id, "email": user.email, "role": user.role},
    }
