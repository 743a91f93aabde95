"""What a prompt asks for, as steps: the reading of ``verbs.json``. No pixels here.

A prompt is read word by word; at each place the longest known phrase wins. ``add X`` and ``remove X`` take
the words after them, up to a stop word, for what and where.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal

import msgspec

MAX_STEPS = 6  # bounds the work that one prompt can ask for
MAX_STAMPS = 8
_REACH = 9  # words that belong to one "add" or "remove"
_TOKEN = re.compile(r"[^\W_]+|[,.;!]")

Colour = tuple[int, int, int]
Place = tuple[int | None, int | None]  # percent from the left and from the top


@dataclass(frozen=True, slots=True)
class Step:
    """One operation: its name in the table of ``painting`` and its parameters."""

    op: str
    params: dict[str, Any]


class Look(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    phrases: tuple[str, ...]
    steps: tuple[tuple[str, dict[str, Any]], ...]


class Adding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    triggers: tuple[str, ...]
    otherwise: str
    shapes: dict[str, tuple[str, ...]]
    plain_colours: dict[str, str]


class Removing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    triggers: tuple[str, ...]


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``verbs.json`` as it stands."""

    stop_words: tuple[str, ...]
    looks: tuple[Look, ...]
    add: Adding
    remove: Removing
    counts: dict[str, int]
    places: dict[str, Place]
    colours: dict[str, Colour]


class Verbs:
    """The table, indexed by phrase."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._nouns = {noun: shape for shape, nouns in table.add.shapes.items() for noun in nouns}
        self._stops = frozenset(table.stop_words)
        self._phrases: dict[tuple[str, ...], tuple[Literal["look", "add", "remove", "colour"], Any]] = {}
        for colour, value in table.colours.items():
            self._phrases[(colour,)] = ("colour", value)
        for trigger in table.add.triggers:
            self._phrases[_words(trigger)] = ("add", None)
        for trigger in table.remove.triggers:
            self._phrases[_words(trigger)] = ("remove", None)
        for look in table.looks:
            for phrase in look.phrases:
                self._phrases[_words(phrase)] = ("look", look.steps)
        self._longest = max(map(len, self._phrases))

    def read(self, prompt: str) -> list[Step]:
        """The steps that ``prompt`` asks for, in its order, at most MAX_STEPS; empty when it names none."""
        words = _words(prompt)
        steps: list[Step] = []
        at = 0
        while at < len(words) and len(steps) < MAX_STEPS:
            length, kind, value = self._match(words, at)
            if kind == "look":
                steps.extend(Step(op, dict(params)) for op, params in value)
            elif kind == "colour":
                steps.append(Step("tint", {"colour": value}))
            elif kind == "add":
                step, taken = self._read_add(words, at + length)
                length += taken
                steps.extend(step)
            elif kind == "remove":
                across, down, taken = self._read_where(words, at + length)
                length += taken
                steps.append(Step("remove", {"across": across, "down": down}))
            at += length
        return steps[:MAX_STEPS]

    def _match(self, words: tuple[str, ...], at: int) -> tuple[int, str | None, Any]:
        for length in range(min(self._longest, len(words) - at), 0, -1):
            found = self._phrases.get(words[at : at + length])
            if found is not None:
                return length, *found
        return 1, None, None

    def _read_add(self, words: tuple[str, ...], at: int) -> tuple[list[Step], int]:
        """What to stamp. Nothing, and no words taken, when a look follows ("add fog")."""
        shape: str | None = None
        colour: Colour | None = None
        count: int | None = None
        taken = 0
        for word in words[at : at + _REACH]:
            if word in self._stops:
                break
            if shape is None:
                if self._match(words, at + taken)[1] == "look" and word not in self._nouns:
                    return [], 0
                colour = self._table.colours.get(word, colour)
                count = self._table.counts.get(word, count)
                shape = self._nouns.get(word)
                if shape is not None and count is None:
                    count = 3 if word.endswith("s") or word == "forest" else 1
            taken += 1
        across, down, _ = self._read_where(words, at)
        shape = shape or self._table.add.otherwise
        colour = colour or self._table.colours[self._table.add.plain_colours[shape]]
        params = {"shape": shape, "colour": colour, "across": across, "down": down}
        return [Step("stamp", {**params, "count": min(count or 1, MAX_STAMPS)})], taken

    def _read_where(self, words: tuple[str, ...], at: int) -> tuple[int | None, int | None, int]:
        across: int | None = None
        down: int | None = None
        taken = 0
        for word in words[at : at + _REACH]:
            if word in self._stops:
                break
            place = self._table.places.get(word, (None, None))
            across = place[0] if place[0] is not None else across
            down = place[1] if place[1] is not None else down
            taken += 1
        return across, down, taken


@cache
def load_verbs() -> Verbs:
    """The table that comes with the package, read once: nothing ever changes it."""
    text = resources.files("venice_mock.edit").joinpath("verbs.json").read_bytes()
    return Verbs(msgspec.json.decode(text, type=Table))


def _words(text: str) -> tuple[str, ...]:
    return tuple(_TOKEN.findall(unicodedata.normalize("NFKC", text).casefold()))
