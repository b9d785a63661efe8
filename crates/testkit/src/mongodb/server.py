"""MongoDB's protocol on 127.0.0.1, spoken by the emulator mongoeco with everything in memory.

The emulator is made for another driver. What the official one expects besides is added here: a
server that has transactions, 64-bit numbers in the options of commands, an answer to each error that
has a code, and transactions that end as MongoDB's do when they meet others.

The emulator refuses a transaction when anything at all was written since it began. So that it cannot be
defeated for ever, the first one that begins after a refusal has the server's writes for itself.
"""

import argparse
import asyncio

from mongoeco.core.bson_scalars import BsonDouble, BsonInt64
from mongoeco.engines.memory import MemoryEngine
from mongoeco.errors import OperationFailure
from mongoeco.wire._session_identity import wire_session_key
from mongoeco.wire.auth import WireAuthenticationService, WireAuthUser
from mongoeco.wire.executor import WireCommandExecutor
from mongoeco.wire.proxy import AsyncMongoEcoProxyServer
from mongoeco.wire.sessions import WireSessionStore

TRANSIENT = ["TransientTransactionError"]
WRITE_CONFLICT = {"code": 112, "codeName": "WriteConflict", "errorLabels": TRANSIENT}
NO_SUCH_TRANSACTION = {"code": 251, "codeName": "NoSuchTransaction", "errorLabels": TRANSIENT}
OPERATION_FAILED = {"code": 96, "codeName": "OperationFailed"}


# A client that has the turn and is gone loses it after so many seconds.
TURN_S = 3


class Turn:
    """Who has the server's writes for itself."""

    def __init__(self):
        self.wanted = False
        self._holder = None
        self._free = asyncio.Condition()

    async def others(self, key):
        """Waits until nobody else has it."""
        async with self._free:
            await self._free.wait_for(lambda: self._holder in (None, key))

    async def take(self, key):
        async with self._free:
            await self._free.wait_for(lambda: self._holder in (None, key))
            self._holder, self.wanted = key, False
        asyncio.get_running_loop().call_later(TURN_S, lambda: asyncio.ensure_future(self.give(key)))

    async def give(self, key):
        async with self._free:
            if self._holder == key:
                self._holder = None
                self._free.notify_all()


def failure(details):
    return OperationFailure(details["codeName"], code=details["code"], details=details)


def plain(value):
    """A whole number as Python has it."""
    return int(value.value) if isinstance(value, (BsonInt64, BsonDouble)) else value


class Sessions(WireSessionStore):
    def __init__(self):
        super().__init__()
        # The last transaction that each session has committed.
        self._committed = {}

    def resolve_for_command(self, client, body, *, capability):
        known = self._sessions.get(wire_session_key(body["lsid"])) if "lsid" in body else None
        begins = body.get("startTransaction") or body.get("autocommit") is not False
        if known and begins and known.session.active and known.session.transaction_active:
            # The client has given it up without saying so.
            known.session.abort_transaction()
        return super().resolve_for_command(client, body, capability=capability)

    def commit_transaction(self, body):
        session, key = self._require_session(body), wire_session_key(body["lsid"])
        if not session.transaction_active:
            # Committing twice is as once; what was aborted stays so.
            if self._committed.get(key) == body["txnNumber"]:
                return {"ok": 1.0}
            raise failure(NO_SUCH_TRANSACTION)
        try:
            answer = super().commit_transaction(body)
        except OperationFailure as error:
            if "conflict" not in str(error).lower():
                raise
            if session.transaction_active:
                session.abort_transaction()
            raise failure(WRITE_CONFLICT) from error
        self._committed[key] = body["txnNumber"]
        return answer


class Executor(WireCommandExecutor):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        handshake = self._handlers._handshake
        hello = handshake.build_hello_response
        # The last write outside of transactions of each session, and its answer.
        self._written = {}
        self._turn = Turn()
        # Only a router of a sharded cluster has transactions without being in a replica set.
        handshake.build_hello_response = lambda **known: {**hello(**known), "msg": "isdbgrid"}

    def _build_request_context(self, body, **known):
        for name in [name for name in body if not name.startswith("$")]:
            body[name] = plain(body[name])
        if isinstance(body.get("cursors"), list):
            body["cursors"] = [plain(cursor) for cursor in body["cursors"]]
        if "find" in body and body.get("limit", 0) < 0:
            body.update(limit=-body["limit"], singleBatch=True)
        return super()._build_request_context(body, **known)

    async def execute_prepared(self, context):
        body = context.raw_body
        if "txnNumber" not in body:
            return await super().execute_prepared(context)
        key, number = wire_session_key(body["lsid"]), body["txnNumber"]
        if "autocommit" in body:
            return await self._in_transaction(context, key)
        await self._turn.others(key)
        # A write that the driver sends again is not done again.
        if self._written.get(key, (None,))[0] != number:
            self._written[key] = (number, await super().execute_prepared(context))
        return self._written[key][1]

    async def _in_transaction(self, context, key):
        ends = context.command_name in ("commitTransaction", "abortTransaction")
        if context.raw_body.get("startTransaction") and self._turn.wanted:
            await self._turn.take(key)
            # It sees what was written while it waited.
            context.session.abort_transaction()
            context.session.start_transaction()
        elif ends:
            await self._turn.others(key)
        try:
            return await super().execute_prepared(context)
        except OperationFailure as error:
            self._turn.wanted |= error.code == WRITE_CONFLICT["code"]
            raise
        finally:
            if ends:
                await self._turn.give(key)

    @staticmethod
    def error_document(error):
        return {**OPERATION_FAILED, **WireCommandExecutor.error_document(error)}


class Users(WireAuthenticationService):
    """The one user whose name and password stand in a file, which may change."""

    def __init__(self, file):
        self._file = file

    @property
    def _users(self):
        name, password = open(self._file).read().split(":", 1)
        return (WireAuthUser(username=name, password=password),)


class Server(AsyncMongoEcoProxyServer):
    def __init__(self, users, **known):
        super().__init__(**known)
        if users:
            self._auth = Users(users)
        self._session_store = Sessions()
        parts = {"surface": self._surface, "auth": self._auth}
        self._executor = Executor(self._client, self._cursor_store, self._session_store, **parts)

    def _render_wire_result(self, header, request_id, state):
        cursor = state.result.get("cursor") if isinstance(state.result, dict) else None
        if isinstance(cursor, dict) and isinstance(cursor.get("id"), int):
            cursor["id"] = BsonInt64(cursor["id"])
        return super()._render_wire_result(header, request_id, state)


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--users")
    asked = parser.parse_args()
    engine = MemoryEngine()
    known = {"engine": engine, "host": "127.0.0.1", "port": asked.port, "mongodb_dialect": "8.0"}
    server = Server(users=asked.users, **known)
    await server.start()
    await asyncio.Event().wait()


asyncio.run(main())
