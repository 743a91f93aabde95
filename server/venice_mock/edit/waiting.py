"""Waiting for work on behalf of a client who may leave."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from venice_mock.edit.body import ClientLeft, Receive

T = TypeVar("T")


async def while_connected(receive: Receive, work: Awaitable[T]) -> T:
    """The result of ``work``, unless the client leaves first: then work is dropped and ClientLeft raised."""
    job = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(departure(receive))
    try:
        await asyncio.wait({job, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if leaving.done():
            raise ClientLeft
        return job.result()
    finally:
        for task in (job, leaving):
            task.cancel()
        await asyncio.gather(job, leaving, return_exceptions=True)


async def departure(receive: Receive) -> None:
    """Until the client has left."""
    while (await receive())["type"] != "http.disconnect":
        pass
