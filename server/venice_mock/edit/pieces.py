"""A file for Pillow without what makes no pixels, and without a copy: ranges of the bytes that are there anyway."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

_PAGE = 1 << 16  # as much as Pillow's own readers ask for at a time


class _Pieces(io.RawIOBase):
    """The ranges ``pieces`` of ``view``, one behind the other."""

    def __init__(self, view: memoryview, pieces: Sequence[tuple[int, int]]) -> None:
        self._parts = [view[start:end] for start, end in pieces]
        self._starts: list[int] = []
        length = 0
        for part in self._parts:
            self._starts.append(length)
            length += len(part)
        self._length = length
        self._number = 0  # of the part that was read last
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._length}[whence]
        self._at = max(0, base + offset)
        self._number = 0
        return self._at

    def readinto(self, buffer: Any) -> int:  # a memoryview, as BufferedReader gives it
        while self._number < len(self._parts):
            part, inside = self._parts[self._number], self._at - self._starts[self._number]
            if inside < len(part):
                count = min(len(buffer), len(part) - inside)
                buffer[:count] = part[inside : inside + count]
                self._at += count
                return count
            self._number += 1
        return 0


def stream_of(data: bytes | bytearray | memoryview, pieces: Sequence[tuple[int, int]]) -> io.BufferedReader:
    """The bytes of these ranges, ascending, as a file to read; all of them where there are no ranges."""
    view = memoryview(data)
    return io.BufferedReader(_Pieces(view, pieces or ((0, len(view)),)), _PAGE)


def occurrences(data: bytes | bytearray | memoryview, pieces: Sequence[tuple[int, int]], mark: bytes) -> int:
    """How often ``mark`` stands within the ranges, or in all of the bytes."""
    whole = bytes(data) if isinstance(data, memoryview) else data
    return sum(whole.count(mark, start, end) for start, end in pieces or ((0, len(whole)),))
