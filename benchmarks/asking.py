"""The load of ``benchmarks.load`` where there is no wrk: a client in a process of its own.

``python -m benchmarks.asking PORT PATH BODYFILE MEDIA-TYPE AUTHORIZATION CONNECTIONS SECONDS [MARK FIRST [REQUESTS]]``
sends one POST again and again on each connection and prints what ``post.lua`` prints. With MARK each request has
another number in its place; with REQUESTS it ends after so many, however long they take.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path

ENDLESS = 1 << 62


async def _one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, parts: tuple[bytes, ...]) -> int:
    """Send one request and read the whole answer; its status."""
    writer.writelines(parts)
    await writer.drain()
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(head.partition(b"\r\ncontent-length:")[2].split(b"\r\n", 1)[0])
    await reader.readexactly(length)
    return int(head.split(b" ", 2)[1])


async def _load(body: bytes, arguments: list[str]) -> dict[str, float]:
    port, path, media_type, authorization, connections, seconds, *rest = arguments
    mark, first, most = (*rest, *("", "0", str(ENDLESS))[len(rest) :])
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: {media_type}\r\n"
        f"Authorization: {authorization}\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode()
    before, found, after = body.partition(mark.encode()) if mark else (body, b"", b"")
    numbers: Iterator[int] = iter(range(int(first) + 1, int(first) + 1 + int(most)))
    if most == str(ENDLESS):
        numbers = itertools.count(int(first) + 1)
    took: list[float] = []
    statuses: list[int] = []
    begun = time.perf_counter()
    end = begun + float(seconds)

    async def connection() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(port), limit=1 << 20)
        for number in numbers:
            text = f"{number:0{len(found)}}".encode() if found else b""
            start = time.perf_counter()
            if start > end:
                break
            statuses.append(await _one(reader, writer, (head, before, text, after)))
            took.append(time.perf_counter() - start)
        writer.close()

    done = await asyncio.gather(*(connection() for _ in range(int(connections))), return_exceptions=True)
    return {
        "requests": len(took),
        "seconds": time.perf_counter() - begun,
        "refused": sum(status >= 400 for status in statuses),
        "lost": sum(isinstance(outcome, BaseException) for outcome in done),
        "p50": statistics.median(took) if took else 0.0,
    }


if __name__ == "__main__":
    at, place, file, *others = sys.argv[1:]
    print(json.dumps(asyncio.run(_load(Path(file).read_bytes(), [at, place, *others]))))
