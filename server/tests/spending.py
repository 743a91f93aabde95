"""A process that spends from an account on a Redis, for tests with several: ``spending.py URL PREFIX TURNS``."""

from __future__ import annotations

import asyncio
import sys
from decimal import Decimal

from venice_mock.state.redis_link import RedisLink
from venice_mock.state.redis_store import RedisStore
from venice_mock.state.store import Hold


async def spend(url: str, prefix: str, turns: int) -> None:
    """Edits at five cents each, ten at once; every third gives its money back."""
    link = RedisLink(url)
    store = RedisStore(link, prefix)

    async def one(turn: int) -> None:
        hold = await store.hold("a", Decimal("0.05"))
        if isinstance(hold, Hold) and turn % 3:
            await store.settle(hold, now=1.0, request_id=f"{turn}", model_id="m")
        elif isinstance(hold, Hold):
            await store.release(hold)

    for begun in range(0, turns, 10):
        await asyncio.gather(*map(one, range(begun, begun + 10)))
    await link.close()


if __name__ == "__main__":
    asyncio.run(spend(sys.argv[1], sys.argv[2], int(sys.argv[3])))
