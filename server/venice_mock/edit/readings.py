"""Bodies that came before, and what is known of them: a client that tests sends the same edit again and again.

Only what is a function of the body's bytes is kept, or of these and the terms it was judged under; so whoever gets
it gets what he would have found out himself. A body is kept when it comes for the second time, and known again by
all of its bytes. Bounded by bytes, a part of what finished pictures may take; what did not come for longest goes
first.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from venice_mock.contract import Contract
from venice_mock.edit.fields import BEGINNING, RawFields, Text, fields_of_json
from venice_mock.edit.results import Results
from venice_mock.edit.source import decode_text, is_url
from venice_mock.edit.telling import known_fields

if TYPE_CHECKING:  # to read a body takes no Pillow
    from venice_mock.edit.judging import Judged, Terms
    from venice_mock.errors import ApiError

_SHARE = 4  # ours: of what may be kept of pictures a fourth goes to bodies
_LONGEST = 4 << 20  # ours: a longer body is seldom sent again, and would cost the memory of many short ones
_MOST_SEEN = 2000  # ours: bodies that came once
_SAMPLE = 512  # ours: bytes of beginning, middle and end that a body is looked for by
_ENTRY_BYTES = 4000  # ours: what an entry weighs beside body and file, rather too much than too little


class Reading:
    """One body that came before. ``known``: what the journal tells of it."""

    __slots__ = ("_contract", "_judged", "_terms", "body", "fields", "known")

    def __init__(self, body: bytes, fields: Mapping[str, Any]) -> None:
        self.body = body
        self.fields = fields
        self.known = known_fields(fields)
        self._judged: Judged | ApiError | None = None
        self._contract: weakref.ref[Contract] | None = None
        self._terms: Terms | None = None

    def judged(self, contract: Contract, terms: Terms) -> Judged | ApiError | None:
        """What the body was found to order when it came last, or the schema's refusal, if the terms are the same."""
        if self._contract is None or self._contract() is not contract or self._terms != terms:
            return None
        return self._judged

    def judge(self, contract: Contract, terms: Terms, judged: Judged | ApiError) -> None:
        """Keep what the body orders. Never of a picture that was fetched: the next one may be another."""
        self._contract, self._terms, self._judged = weakref.ref(contract), terms, judged

    @property
    def bytes(self) -> int:
        """What it weighs in memory."""
        file = None if self.known.picture is None else self.known.picture.data
        texts = sum(
            map(sys.getsizeof, (*self.fields, *self.fields.values()))
        )  # of an emoji among letters: fourfold
        return _ENTRY_BYTES + len(self.body) + texts + (0 if file is None else len(file))


class Readings:
    """The bodies of one process. ``results``: what they share their memory with."""

    def __init__(self, results: Results) -> None:
        self.limit = results.limit // _SHARE
        self.bytes = 0
        self.hits = 0
        self._results = results
        self._kept: dict[int, Reading] = {}  # what came last stands last
        self._by_start: dict[int, bytes] = {}
        self._seen: dict[int, None] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def guess(self, announced: int | None, start: bytes) -> bytes | None:
        """A kept body of that length and beginning: what comes may turn out to be another."""
        return None if announced is None else self._by_start.get(_beginning(announced, start))

    def read(self, body: bytes | bytearray) -> tuple[RawFields, Reading | None]:
        """The fields of a JSON body, the caller's to change, and what else is known of it. Raises BadSyntax."""
        if len(body) > min(_LONGEST, self.limit // 4):
            return fields_of_json(body), None
        place = _place(body)
        reading = self._kept.get(place)
        if reading is not None and reading.body == body:
            self.hits += 1
            self._kept[place] = self._kept.pop(place)
            return dict(reading.fields), reading
        if place not in self._seen:
            self._seen[place] = None
            if len(self._seen) > _MOST_SEEN:
                del self._seen[next(iter(self._seen))]
            return fields_of_json(body), None
        reading = _read_thoroughly(bytes(body))
        self._keep(place, reading)
        return dict(reading.fields), reading

    def _keep(self, place: int, reading: Reading) -> None:
        if place in self._kept:
            self._drop(place)
        self._kept[place] = reading
        self._by_start[_beginning(len(reading.body), reading.body)] = reading.body
        self.bytes += reading.bytes
        while self.bytes > self.limit:
            self._drop(next(iter(self._kept)))
        self._results.lend(self.bytes)

    def _drop(self, place: int) -> None:
        reading = self._kept.pop(place)
        self.bytes -= reading.bytes
        start = _beginning(len(reading.body), reading.body)
        if self._by_start.get(start) is reading.body:  # not that of another that begins so
            del self._by_start[start]


def _read_thoroughly(body: bytes) -> Reading:
    fields = fields_of_json(body)
    image = fields.get("image")
    if isinstance(image, Text) and image.file is None and not is_url(image):
        file = decode_text(image.data)
        if file:
            fields["image"] = Text(bytes(image.data[:BEGINNING]), file)
    return Reading(body, fields)


def _beginning(length: int, start: bytes) -> int:
    return hash((length, bytes(start[:_SAMPLE])))


def _place(body: bytes | bytearray) -> int:
    """Where a body is looked for. Python's own hash has a secret of its process: nobody can aim at a place."""
    middle = len(body) // 2
    parts = (body[:_SAMPLE], body[middle : middle + _SAMPLE], body[-_SAMPLE:])
    return hash((len(body), *map(bytes, parts)))
