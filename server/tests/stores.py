"""Stores to test: each kind there is, made fresh, on whatever event loop the test runs."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from redis_server import RedisServer
from venice_mock.state.memory import MemoryStore
from venice_mock.state.redis_link import RedisLink
from venice_mock.state.redis_store import RedisStore
from venice_mock.state.store import Store

MakeStore = Callable[[], AbstractAsyncContextManager[Store]]


@asynccontextmanager
async def in_memory() -> AsyncIterator[Store]:
    """The embedded one."""
    yield MemoryStore()


def in_redis(server: RedisServer, **options: Any) -> MakeStore:
    """Makes a session of its own on the server each time."""

    @asynccontextmanager
    async def made() -> AsyncIterator[Store]:
        async with linked(server) as link:
            yield RedisStore(link, f"venice-mock:{{test:{secrets.token_hex(8)}}}:", **options)

    return made


@asynccontextmanager
async def linked(server: RedisServer, namespace: str = "test", **options: Any) -> AsyncIterator[RedisLink]:
    """A way to the server, closed at the end."""
    link = RedisLink(server.url(namespace), **options)
    try:
        yield link
    finally:
        await link.close()
