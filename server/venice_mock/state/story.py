"""The story of one request: what the layers tell of it while it passes, for the journal. Nothing is decided here.

What could be a secret is redacted before it gets in: a key is its account's name and at most four characters.
Whoever tells a part of the story sets it; whatever was not reached stays None.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Literal

import msgspec

Data = bytes | bytearray | memoryview
Way = Literal["upload", "base64", "data_url", "url"]
_LONGEST_TEXT = 40_000  # ours: more characters than the longest prompt that is taken
_SHORT_TEXT = 1000  # ours: characters of a value that no client sends in earnest
_SECRET = re.compile(
    "key|token|secret|auth|passw|sign", re.IGNORECASE
)  # no field of the contract is called so
HIDDEN = "[hidden]"
_STORY_BYTES = 6_000  # what a story weighs without texts and pictures, as measured


class Sender(msgspec.Struct):
    """Who called, so far as it may be told. ``magic``: the key itself where it is one of the mock's own."""

    kind: Literal["key", "wallet", "nobody"] = "nobody"
    account: str | None = None
    last4: str | None = None
    magic: str | None = None
    address: str | None = None


class Input(msgspec.Struct):
    """The picture that was sent: how it came, its bytes, and what its header says.

    ``text``: base64 or a data URL that nobody has decoded yet. ``size``: bytes of the file.
    ``looked_at``: nothing is left to find out about it.
    """

    way: Way
    data: Data | None = None
    size: int = 0
    text: Data | None = None
    url: str | None = None
    sha256: str | None = None
    format: str | None = None
    width: int | None = None
    height: int | None = None
    mode: str | None = None
    orientation: int | None = None
    exif: bool = False
    gps: bool = False
    icc: bool = False
    adult: bool = False
    thumbnail: bytes | None = None
    looked_at: bool = False


class Output(msgspec.Struct):
    """What was sent back: the pieces of the body as they were sent, unless they were too many to keep."""

    pieces: list[bytes] | None = msgspec.field(default_factory=list)
    size: int = 0
    sent_whole: bool = False
    thumbnail: bytes | None = None

    @property
    def data(self) -> bytes | None:
        """The body, while it is kept."""
        return None if self.pieces is None else b"".join(self.pieces)


class Story(msgspec.Struct):
    """One request. Times in seconds: ``started_at`` by the session's clock, ``wall_at`` by the wall's, ``marks`` since
    the beginning.

    ``fields`` are those of the body without the picture, as they came; ``text`` is a short body that has none because
    nobody could read it. ``understood`` is what became of them.
    ``error`` is the refusal's name, ``rule`` the id of the rule that was broken, ``cause`` who steered the mock,
    ``fault`` what of the answer was spoilt to order. ``cost`` is what was charged, whatever the client got.
    """

    id: str
    session: str
    method: str
    path: str
    started_at: float
    wall_at: float = 0.0
    request_id: str | None = None  # the client's own, or what the answer told it
    query: str = ""
    prefix: str = ""  # what addresses the session, when it was chosen by path or by key
    sender: Sender = msgspec.field(default_factory=Sender)
    request_headers: dict[str, str] = msgspec.field(default_factory=dict)
    body_bytes: int = 0
    body_kind: str | None = None
    fields: dict[str, Any] | None = None
    text: str | None = None
    input: Input | None = None
    model: str | None = None
    prompt: str | None = None
    understood: dict[str, Any] = msgspec.field(default_factory=dict)
    error: str | None = None
    rule: str | None = None
    hint: str | None = None
    cause: str | None = None
    fault: str | None = None
    charge: str | None = None  # the id of the request in the ledger
    cost: Decimal | None = None
    status: int | None = None
    sent_headers: bytes = b""  # of the answer, packed: a story that is kept shall be few objects
    output: Output = msgspec.field(default_factory=Output)
    marks: dict[str, float] = msgspec.field(default_factory=dict)
    fingerprint: str | None = None  # the same for every attempt at one logical request
    arrival: int = 0
    number: int = 0  # in the order of finishing, once it is in the journal
    elsewhere: bool = False  # another process answered, and has what is not here

    def refused(self, name: str, rule: str | None, hint: str | None, cause: str | None) -> None:
        """A refusal or failure became the answer."""
        self.error, self.rule, self.hint = name, rule or None, hint
        self.cause = cause or self.cause

    def read(self, kind: str, fields: Mapping[str, Any]) -> None:
        """The body's fields; those that are not JSON values (pictures) are left out."""
        self.body_kind, self.fields, self.prompt = kind, told_fields(fields), told_prompt(fields)

    def could_not_read(self, text: str) -> None:
        """The whole body, of which nothing is known. Kept where it is plain text that names no secret."""
        if text.replace("\n", "").replace("\t", "").isprintable() and not _SECRET.search(text):
            self.text = text

    def charged(self, request_id: str, amount: Decimal) -> None:
        """Money was taken."""
        self.charge, self.cost = request_id, amount

    @property
    def response_headers(self) -> list[tuple[str, str]]:
        """The answer's headers as text."""
        lines = self.sent_headers.decode("latin-1").split("\n") if self.sent_headers else []
        return [(name, value) for name, _, value in (line.partition(":") for line in lines)]

    @property
    def picture_bytes(self) -> int:
        """What the pictures weigh in memory."""
        pieces = self.output.pieces or ()
        held = sum(sys.getsizeof(piece) for piece in pieces)
        return held + (0 if self.input is None else _weight(self.input.data))

    @property
    def thumbnail_bytes(self) -> int:
        """What the thumbnails weigh in memory."""
        sent = None if self.input is None else self.input.thumbnail
        return len(sent or b"") + len(self.output.thumbnail or b"")

    @property
    def record_bytes(self) -> int:
        """What the rest weighs in memory, roughly and rather too much than too little."""
        texts: list[str | bytes] = [
            self.path,
            self.prompt or "",
            self.hint or "",
            self.text or "",
            self.sent_headers,
        ]
        texts += self.request_headers.values()
        texts += [value for value in self.understood.values() if isinstance(value, str)]
        if self.input is not None and self.input.url is not None:
            texts.append(self.input.url)
        for name, value in (self.fields or {}).items():
            texts += [name, value if isinstance(value, str) else repr(value)]
        return _STORY_BYTES + sum(map(sys.getsizeof, texts))


def packed_headers(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Headers as a story keeps them. No name has a colon, and nothing in a header has a line's end."""
    return b"\n".join([name + b":" + value for name, value in headers])


def told_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a body as a story tells them."""
    return {
        name[:_SHORT_TEXT]: HIDDEN if _SECRET.search(name[:_SHORT_TEXT]) else kept(value)
        for name, value in fields.items()
        if _is_json(value)
    }


def told_prompt(fields: Mapping[str, Any]) -> str | None:
    """The prompt of a body as a story tells it."""
    prompt = fields.get("prompt")
    return prompt[:_LONGEST_TEXT] if isinstance(prompt, str) else None


def kept(value: Any) -> Any:
    """A value of the body as the journal keeps it: no text is longer than the longest prompt."""
    return str(value[:_LONGEST_TEXT]) if isinstance(value, str) else value


def _is_json(value: Any) -> bool:
    return value is None or isinstance(value, str | bool | int | float | list | dict)


def _weight(data: Data | None) -> int:
    if data is None:
        return 0
    return sys.getsizeof(data.obj if isinstance(data, memoryview) else data)
