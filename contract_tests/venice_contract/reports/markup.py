"""HTML put together from escaped pieces. The only module that knows how text becomes markup."""

from __future__ import annotations

import html
from dataclasses import dataclass

from venice_contract.reports.wording import visible


class Markup(str):
    """Text that is HTML already. Everything else is escaped."""

    __slots__ = ()


def text(words: str, keep: str = "\n\t") -> Markup:
    """Foreign text, escaped for elements and for quoted attributes."""
    return Markup(html.escape(visible(words, keep)))


def tag(name: str, /, *inside: str, **attributes: str | int | bool | None) -> Markup:
    """An element. ``cls`` is its class, ``data_verdict`` becomes ``data-verdict``; None and False leave one out."""
    return Markup(f"{_open(name, attributes)}{join(*inside)}</{name}>")


def void(name: str, /, **attributes: str | int | bool | None) -> Markup:
    """An element that has no end, such as ``img``."""
    return Markup(_open(name, attributes))


def join(*pieces: str) -> Markup:
    """Pieces one after the other; those that are no Markup are escaped."""
    return Markup("".join(piece if isinstance(piece, Markup) else text(piece) for piece in pieces))


def _open(name: str, attributes: dict[str, str | int | bool | None]) -> str:
    out = [name]
    for key, value in attributes.items():
        attribute = "class" if key == "cls" else key.replace("_", "-")
        if value is True:
            out.append(attribute)
        elif value is not None and value is not False:
            out.append(f'{attribute}="{text(str(value), "")}"')
    return f"<{' '.join(out)}>"


@dataclass
class Room:
    """How many bytes of a page are left for so many rules. ``left_out`` counts those that found no room at all."""

    left: int
    rules: int
    left_out: int = 0

    def share(self) -> int:
        """What the next rule may take, in bytes, so that those after it have as much."""
        share = self.left // max(self.rules, 1)
        self.rules -= 1
        return share

    def take(self, piece: Markup, most: int | None = None) -> bool:
        """Whether a piece still fits, and into ``most`` bytes where that is given; it is then paid for."""
        length = len(piece.encode("utf-8"))
        if length > self.left or (most is not None and length > most):
            return False
        self.left -= length
        return True
