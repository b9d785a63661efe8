"""MongoDB's protocol on 127.0.0.1, spoken by the emulator mongoeco with everything in memory.

The emulator is made for another driver. What the official one expects besides is added here: a
server that has transactions, 64-bit numbers in the options of commands, an answer to each error that
has a code, and transactions that end as MongoDB's do when they meet others.
"""

import argparse
import asyncio

from mongoeco.core.bson_scalars import BsonDouble, BsonInt64
from mongoeco.engines.memory import MemoryEngine
from mongoeco.errors import OperationFailure
from mongoeco.wire._session_identity import wire_session_key
from mongoeco.wire.executor import WireCommandExecutor
from mongoeco.wire.proxy import AsyncMongoEcoProxyServer
from mongoeco.wire.sessions import WireSessionStore

TRANSIENT = ["TransientTransactionError"]
WRITE_CONFLICT = {"code": 112, "codeName": "WriteConflict", "errorLabels": TRANSIENT}
NO_SUCH_TRANSACTION = {"code": 251, "codeName": "NoSuchTransaction", "errorLabels": TRANSIENT}
OPERATION_FAILED = {"code": 96, "codeName": "OperationFailed"}


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
        if "txnNumber" not in body or "autocommit" in body:
            return await super().execute_prepared(context)
        # A write that the driver sends again is not done again.
        key, number = wire_session_key(body["lsid"]), body["txnNumber"]
        if self._written.get(key, (None,))[0] != number:
            self._written[key] = (number, await super().execute_prepared(context))
        return self._written[key][1]

    @staticmethod
    def error_document(error):
        return {**OPERATION_FAILED, **WireCommandExecutor.error_document(error)}


class Server(AsyncMongoEcoProxyServer):
    def __init__(self, **known):
        super().__init__(**known)
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
    port = parser.parse_args().port
    engine = MemoryEngine()
    server = Server(engine=engine, host="127.0.0.1", port=port, mongodb_dialect="8.0")
    await server.start()
    await asyncio.Event().wait()


asyncio.run(main())
