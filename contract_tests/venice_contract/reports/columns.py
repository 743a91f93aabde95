"""Plain text in columns: how wide text is on a terminal, wrapped, cut, and in tables. Knows no verdicts."""

from __future__ import annotations

import shutil
import sys
import unicodedata
from collections.abc import Sequence

_GAP = "  "
NARROWEST, WIDEST = 60, 120  # below, lines break oddly; above, they are hard to read


def fitting(columns: int) -> int:
    """The width to write in, on a terminal of so many columns."""
    return max(NARROWEST, min(columns, WIDEST))


def cells(text: str) -> int:
    """Columns that a text takes: wide characters two, combining ones none."""
    return sum(_cells(char) for char in text)


def clipped(text: str, width: int) -> str:
    """The text in at most ``width`` columns, its end replaced by ``…`` where it is longer."""
    if cells(text) <= width:
        return text
    return _taken(text, width - 1) + "…"


def terminal_line(text: str) -> str:
    """The text as one line of standard output: cut at the edge of a terminal, in full for a file or a pipe."""
    return clipped(text, shutil.get_terminal_size().columns) if sys.stdout.isatty() else text


def padded(text: str, width: int, *, right: bool = False) -> str:
    """The text in ``width`` columns, or more if it is wider; ``right``: flush with the right edge."""
    space = " " * (width - cells(text))
    return space + text if right else text + space


def wrapped(text: str, width: int, indent: str = "", first: str | None = None) -> str:
    """Text in lines of at most ``width`` columns behind ``indent``, the first behind ``first``.

    Words longer than a line are broken; the text's own line breaks stay.
    """
    lead = indent if first is None else first
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line, has_words = lead, False
        for word in paragraph.split():
            if has_words and cells(line) + 1 + cells(word) > width:
                lines.append(line)
                line, has_words = indent, False
            line = f"{line} {word}" if has_words else line + word
            has_words = True
            while cells(line) > width:
                head = _taken(line, width)
                lines.append(head)
                line = indent + line[len(head) :]
        lines.append(line)
        lead = indent
    return "\n".join(line.rstrip() for line in lines)


def table(head: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> list[str]:
    """Lines of a table of at most ``width`` columns: the first column flush left and cut, all others flush right."""
    sizes = [max(cells(row[i]) for row in (head, *rows)) for i in range(len(head))]
    others = sum(sizes[1:]) + len(_GAP) * (len(sizes) - 1)
    sizes[0] = min(sizes[0], max(width - others, 8))
    return [
        _GAP.join(
            padded(clipped(cell, size), size, right=i > 0)
            for i, (cell, size) in enumerate(zip(row, sizes, strict=True))
        ).rstrip()
        for row in (head, *rows)
    ]


def _taken(text: str, width: int) -> str:
    """The longest beginning that fits, at least one character."""
    used = 0
    for at, char in enumerate(text):
        used += _cells(char)
        if used > width and at:
            return text[:at]
    return text


def _cells(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
