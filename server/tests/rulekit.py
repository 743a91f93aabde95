"""What the tests of the contract's rules share: small pictures, a good request, and a look at the money behind it."""

from __future__ import annotations

import asyncio
import base64
import json
import struct
import zlib
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import uvicorn

from asgi import Client, Reply
from venice_mock.accounts.keys import account_id
from venice_mock.app import Server
from venice_mock.state.store import Account, Entry
from venice_mock.tenancy import DEFAULT

EDIT = "/api/v1/image/edit"
TEST_EDITION = Path(__file__).parents[2] / "fixtures" / "editions" / "test-edition.json"
PATIENCE_S = 30.0


def png(width: int = 256, height: int = 256, shade: int = 128, *, broken: bool = False) -> bytes:
    """A flat grey PNG; ``broken`` keeps its header and spoils its pixels."""
    rows = zlib.compress((b"\0" + bytes([shade]) * width) * height, 1)
    if broken:
        rows = rows[:-5] + b"?????"

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def text_of(picture: bytes) -> str:
    """Base64, as JSON carries a picture."""
    return base64.b64encode(picture).decode("ascii")


SMALL = png()
SMALL_TEXT = text_of(SMALL)


def good(**changes: Any) -> dict[str, Any]:
    """The fields of a request that succeeds, with some of them replaced."""
    return {"image": SMALL_TEXT, "prompt": "make it warm", **changes}


def good_body(**changes: Any) -> bytes:
    """The same as a JSON body."""
    return json.dumps(good(**changes)).encode()


class Clock:
    """A wall clock that stands still until it is moved."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def server_of(client: Client) -> Server:
    """What is behind a client's application: its session, its workshop."""
    return cast(Server, cast(Any, client.app).user_middleware[0].kwargs["server"])


def account_of(client: Client, key: str) -> Account:
    """The account of ``key`` as the store has it; it exists once the key was used."""
    return client.runner.run(server_of(client).session.store.account(account_id(key)))


def ledger_of(client: Client, key: str) -> list[Entry]:
    """All rows of the account's ledger, newest first."""
    store = server_of(client).session.store
    rows, more = client.runner.run(store.entries(account_id(key), limit=10_000, offset=0))
    assert not more
    return rows


def balance_of(client: Client, key: str) -> Decimal:
    """The balance as the server tells it, read without binary fractions."""
    reply = client.send(method="GET", path="/api/v1/billing/balance", content_type=None, key=key)
    assert reply.status == 200
    told = json.loads(reply.body, parse_float=Decimal, parse_int=Decimal)["balances"]["usd"]
    assert isinstance(told, Decimal)
    return told


async def until_held(client: Client, account: str, edit: asyncio.Task[Any], session: str = DEFAULT) -> None:
    """Wait until the price of an edit in work is held in its account."""
    store = server_of(client).tenants.get(session).session.store
    while True:
        with suppress(KeyError):  # it is not open yet
            if (await store.account(account)).held:
                return
        assert not edit.done()
        await asyncio.sleep(0)


def accounts_in(client: Client, session: str = DEFAULT) -> set[str]:
    """The names of the accounts that a session has."""
    state = client.runner.run(server_of(client).tenants.get(session).session.store.snapshot())
    return {kept.account.id for kept in state.accounts or ()}


def fields_at_fault(reply: Reply) -> set[str]:
    """The fields that a validation error names; the root is ``_errors``."""
    details = reply.json["details"]
    return {name for name, value in details.items() if (value if name == "_errors" else value["_errors"])}


def wire(client: Client, request: bytes, until: Callable[[bytes], bool] | None = None) -> bytes:
    """Send bytes to the application behind a real uvicorn on a real socket; everything that comes back.

    Reads to the end of the connection, or until ``until`` is satisfied.
    """

    async def exchange() -> bytes:
        config = uvicorn.Config(
            cast(Any, client.app), host="127.0.0.1", port=0, log_config=None, lifespan="off"
        )
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve())
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not server.started:  # noqa: ASYNC110 - uvicorn tells it in no other way
                    await asyncio.sleep(0.001)
                port = server.servers[0].sockets[0].getsockname()[1]
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(request)
                answer = b""
                while chunk := await reader.read(1 << 16):
                    answer += chunk
                    if until is not None and until(answer):
                        break
                writer.close()
                await writer.wait_closed()
        finally:
            server.should_exit = True
            await serving
        return answer

    return client.runner.run(exchange())
