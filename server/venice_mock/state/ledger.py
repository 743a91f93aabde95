"""The rows of one account's ledger, the newest at hand and the older ones packed: a mock that runs for days keeps all.

A row weighs half a kilobyte as an object and some forty bytes in a packed block, so that the ledger of a long run is
no leak that anybody notices. Nothing is ever forgotten but by a reset.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

import msgspec

from venice_mock.state.store import Entry

BLOCK = 256  # ours: rows that are packed together
_FAST = 1  # zlib's level: names and amounts repeat, ids do not, and no level helps there


class Ledger:
    """Rows, oldest first. ``recent``: those that are not packed, at least ``BLOCK`` where there are so many."""

    __slots__ = ("_blocks", "recent")

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self._blocks: list[bytes | list[Entry]] = []
        self.recent: list[Entry] = []
        for entry in entries:
            self.append(entry)

    def append(self, entry: Entry) -> None:
        """The next row."""
        self.recent.append(entry)
        if len(self.recent) >= 2 * BLOCK:
            self._blocks.append(_packed(self.recent[:BLOCK]))
            del self.recent[:BLOCK]

    def newest(self, limit: int, offset: int) -> list[Entry]:
        """``limit`` rows behind the first ``offset``, the newest first. Only what holds them is unpacked."""
        end = max(0, len(self) - offset)
        start = max(0, end - limit)
        first, packed = min(start // BLOCK, len(self._blocks)), BLOCK * len(self._blocks)
        rows = [row for block in self._blocks[first : -(-end // BLOCK)] for row in _unpacked(block)]
        if end > packed:
            rows += self.recent[: end - packed]
        return rows[start - first * BLOCK : end - first * BLOCK][::-1]

    def __len__(self) -> int:
        return BLOCK * len(self._blocks) + len(self.recent)

    def __iter__(self) -> Iterator[Entry]:
        for block in self._blocks:
            yield from _unpacked(block)
        yield from self.recent


def _packed(rows: list[Entry]) -> bytes | list[Entry]:
    try:
        return zlib.compress(msgspec.msgpack.encode(rows), _FAST)
    except UnicodeEncodeError:  # a restored row may hold half a character
        return rows


def _unpacked(block: bytes | list[Entry]) -> list[Entry]:
    return (
        msgspec.msgpack.decode(zlib.decompress(block), type=list[Entry])
        if isinstance(block, bytes)
        else block
    )
