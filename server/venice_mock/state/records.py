"""A story as text, for other processes: all of it but pictures that are not small. Pure."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from msgspec.structs import fields

from venice_mock.state.story import Data, Input, Output, Sender, Story, packed_headers

_SMALL = 8_000  # ours: bytes of a file or an answer that goes along; a refusal does
_TOLD_APART = ("sender", "input", "output", "cost", "sent_headers")
_OWN = tuple(field.name for field in fields(Story) if field.name not in _TOLD_APART)


def record_of(story: Story) -> str:
    """The story, in ASCII."""
    told: dict[str, Any] = {name: getattr(story, name) for name in _OWN}
    sender, picture, answer = story.sender, story.input, story.output
    told["response_headers"] = story.response_headers
    told["sender"] = {field.name: getattr(sender, field.name) for field in fields(Sender)}
    told["cost"] = None if story.cost is None else f"{story.cost:f}"
    told["input"] = None
    if picture is not None:
        told["input"] = {field.name: getattr(picture, field.name) for field in fields(Input)} | {
            "data": _short(picture.data),
            "text": None,
            "thumbnail": _short(picture.thumbnail),
        }
    told["output"] = {
        "body": _short(answer.data) if answer.size <= _SMALL else None,
        "size": answer.size,
        "sent_whole": answer.sent_whole,
        "thumbnail": _short(answer.thumbnail),
    }
    return json.dumps(told, separators=(",", ":"))


def story_of(record: str, *, number: int, arrival: int) -> Story:
    """The story that another process told."""
    told = json.loads(record)
    picture, answer = told.pop("input"), told.pop("output")
    cost, sender = told.pop("cost"), told.pop("sender")
    headers = packed_headers(
        (name.encode("latin-1"), value.encode("latin-1")) for name, value in told.pop("response_headers")
    )
    story = Story(
        **told,
        sent_headers=headers,
        sender=Sender(**sender),
        cost=None if cost is None else Decimal(cost),
        input=None if picture is None else Input(**{**picture, **_bytes(picture, "data", "thumbnail")}),
        output=_output(answer),
    )
    story.elsewhere = True
    return numbered(story, number, arrival)


def numbered(story: Story, number: int, arrival: int) -> Story:
    """The same story with its place among those of all processes, from which it has its id."""
    story.number, story.arrival, story.id = number, arrival, f"req-{number:06d}"
    return story


def _output(told: Mapping[str, Any]) -> Output:
    read = _bytes(told, "body", "thumbnail")
    body = read["body"]
    pieces = None if body is None else [body]
    return Output(pieces, told["size"], told["sent_whole"], read["thumbnail"])


def _short(data: Data | None) -> str | None:
    return None if data is None or len(data) > _SMALL else b64encode(data).decode("ascii")


def _bytes(told: Mapping[str, Any], *names: str) -> dict[str, bytes | None]:
    return {name: None if told[name] is None else b64decode(told[name]) for name in names}
