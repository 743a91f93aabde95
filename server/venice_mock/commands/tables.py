"""Plain text for terminals: tables whose last column wraps, and wrapped paragraphs. No colours."""

from __future__ import annotations

import shutil
import textwrap
import unicodedata
from collections.abc import Sequence

_GAP = "  "
_WIDEST = 120  # longer lines are hard to read, however wide the terminal
_NARROWEST_COLUMN = 12


def terminal_width() -> int:
    """Columns to write into: the terminal's (or ``COLUMNS``), 80 when there is none."""
    return min(shutil.get_terminal_size().columns, _WIDEST)


def table(head: Sequence[str], rows: Sequence[Sequence[str]], width: int, right: Sequence[int] = ()) -> str:
    """``rows`` under ``head``, at most ``width`` wide; the last column wraps, ``right`` ones end flush."""
    sizes = [max(_cells(row[i]) for row in (head, *rows)) for i in range(len(head))]
    sizes[-1] = max(_NARROWEST_COLUMN, min(sizes[-1], width - sum(sizes[:-1]) - len(_GAP) * (len(head) - 1)))
    lines = [*_lines(head, sizes, right), _GAP.join("-" * size for size in sizes)]
    for row in rows:
        lines += _lines(row, sizes, right)
    return "\n".join(lines)


def paragraph(text: str, width: int, indent: str = "", first: str | None = None) -> str:
    """``text`` wrapped to ``width`` columns behind ``indent``, its first line behind ``first``."""
    return textwrap.fill(
        text,
        max(width, len(indent) + _NARROWEST_COLUMN),
        initial_indent=indent if first is None else first,
        subsequent_indent=indent,
        break_on_hyphens=False,
    )


def _lines(row: Sequence[str], sizes: Sequence[int], right: Sequence[int]) -> list[str]:
    tail = textwrap.wrap(row[-1], sizes[-1], break_on_hyphens=False) or [""]
    start = _GAP.join(
        _pad(cell, size, i in right) for i, (cell, size) in enumerate(zip(row[:-1], sizes, strict=False))
    )
    blank = " " * len(_GAP.join(" " * size for size in sizes[:-1]))
    return [f"{start if n == 0 else blank}{_GAP}{part}".rstrip() for n, part in enumerate(tail)]


def _pad(cell: str, size: int, right: bool) -> str:
    space = " " * (size - _cells(cell))
    return space + cell if right else cell + space


def _cells(text: str) -> int:
    """Columns that ``text`` takes: wide characters two, combining ones none."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text
    )
