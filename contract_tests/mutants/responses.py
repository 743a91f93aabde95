"""Mutants of the group ``response``: what a success carries."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from typing import Any
from unittest import mock

from starlette.types import ASGIApp

from mutants.kit import Answer, Mutant, answering, replaced, with_data, wrapping
from venice_mock.edit.draws import Draws

_MARK = b"\xff\xd8"  # a JPEG's first two bytes
_DRAWS = "venice_mock.edit.painting.Brief.draws"


def _fields(body: bytes) -> dict[str, Any]:
    """The members of a JSON request; none of anything else."""
    try:
        said = json.loads(body)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _cut(_scope: Any, body: bytes, answer: Answer) -> Answer:
    wide = answer.status == 200 and _fields(body).get("aspect_ratio") == "16:9"
    return answer.with_body(answer.body[: len(answer.body) // 2]) if wide else answer


def _too_long(_scope: Any, _body: bytes, answer: Answer) -> Answer:
    return answer.with_header("content-length", str(len(answer.body) + 1)) if answer.status == 200 else answer


def _with_the_inputs_exif(_scope: Any, body: bytes, answer: Answer) -> Answer:
    try:
        given = base64.b64decode(str(_fields(body).get("image")), validate=True)
    except ValueError:
        return answer
    start = given.find(b"\xff\xe1")
    if start < 0 or not (given.startswith(_MARK) and answer.body.startswith(_MARK)):
        return answer
    end = start + 2 + int.from_bytes(given[start + 2 : start + 4], "big")
    return answer.with_body(_MARK + given[start:end] + answer.body[2:])


def _drawing(**fixed: Any) -> Callable[[Any], Any]:
    """What does not go into the choices of a picture: these fields of the brief are always the same."""
    return lambda draws: lambda brief: draws(replace(brief, **fixed))


def _trimmed(draws: Any) -> Any:
    return lambda brief: draws(replace(brief, prompt=brief.prompt.strip()))


def _by_session() -> Callable[[Any], Any]:
    """Choices that go on from one picture to the next, as a generator's that is never seeded anew."""
    made: list[bytes] = []

    def draws(_brief: Any) -> Draws:
        made.append(b"")
        return Draws(len(made).to_bytes(32, "big"))

    return draws


def _busy(make: Any) -> Any:
    """A picture depends on how many are made at the time."""
    working: list[Any] = []

    def made(contract: Any, order: Any) -> Any:
        working.append(order)
        try:
            return make(contract, replace(order, seed=order.seed + len(working) - 1))
        finally:
            working.pop()

    return made


def _uncached(mutant: Mutant) -> Mutant:
    """The same without kept pictures: a server that gives the first one again would hide what is broken."""

    @contextmanager
    def breaks() -> Iterator[Callable[[ASGIApp], ASGIApp]]:
        with mock.patch.dict(os.environ, {"VENICE_MOCK_CACHE_BYTES": "0"}), mutant.breaks() as wrap:
            yield wrap

    return replace(mutant, breaks=breaks)


def _data_urls_as_they_came(image_bytes: Any) -> Any:
    async def read(contract: Any, image: Any, fetch: Any) -> Any:
        data = await image_bytes(contract, image, fetch)
        return bytes(data) + b"\n" if bytes(image.data[:5]) == b"data:" else data

    return read


def _without(name: str) -> Callable[[Any, bytes, Answer], Answer]:
    return lambda _scope, _body, answer: answer.with_header(name, None)


def _only_on_success(name: str) -> Callable[[Any, bytes, Answer], Answer]:
    return lambda _scope, _body, answer: answer if answer.status == 200 else answer.with_header(name, None)


def _told(name: str, change: Callable[[str], str]) -> Callable[[Any, bytes, Answer], Answer]:
    """Answers in which the value of a header is another one."""

    def changed(_scope: Any, _body: bytes, answer: Answer) -> Answer:
        value = answer.header(name)
        return answer if value is None else answer.with_header(name, change(value))

    return changed


def _a_day_late(iso: str) -> str:
    return f"{int(iso[:4]) + 1}{iso[4:]}"


def _understanding(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[Any], Any]:
    return lambda of: lambda **said: of(**change(said))


def _other_stamp(data: dict[str, Any]) -> None:
    data["stamp"] = "20260101.000000"


def _short_webp(data: dict[str, Any]) -> None:
    data["formats"]["webp"]["max_side"] = 1500


def _price_not_yet_taken(_scope: Any, _body: bytes, answer: Answer) -> Answer:
    usd = answer.header("x-venice-balance-usd")
    if answer.status != 200 or usd is None:
        return answer
    return answer.with_header("x-venice-balance-usd", str(Decimal(usd) + Decimal("0.04")))


MUTANTS: tuple[Mutant, ...] = (
    answering("EDIT-RSP-001", "a wide picture is cut in half", _cut),
    answering("EDIT-RSP-001", "Content-Length is one too many", _too_long),
    answering("EDIT-RSP-002", "a JPEG's EXIF goes into the answer's", _with_the_inputs_exif),
    _uncached(
        replaced(
            "EDIT-RSP-003",
            "a picture depends on those before it",
            _DRAWS,
            _by_session(),
            follows=(
                *("EDIT-FMT-002", "EDIT-PRM-006", "EDIT-RSP-007"),
                *("EDIT-SAFE-001", "EDIT-SAFE-004", "EDIT-SAFE-008", "MOCK-SRV-003"),
            ),
        )
    ),
    wrapping("EDIT-RSP-003", "the model plays no part in the picture", _DRAWS, _drawing(model="")),
    wrapping("EDIT-RSP-003", "the input plays no part in the picture", _DRAWS, _drawing(input_sha256="")),
    wrapping("EDIT-RSP-003", "the seed plays no part in the picture", _DRAWS, _drawing(seed=0)),
    wrapping("EDIT-RSP-003", "the prompt is trimmed", _DRAWS, _trimmed),
    answering("EDIT-RSP-004", "refusals have no stamp", _only_on_success("x-venice-version")),
    answering("EDIT-RSP-004", "edits have no time", _without("x-venice-timestamp")),
    answering("EDIT-RSP-004", "the listing has no stamp", _without("x-venice-version"), where="/models"),
    answering(
        "EDIT-RSP-004",
        "the time is another year's",
        _told("x-venice-timestamp", _a_day_late),
        where="/models",
    ),
    answering(
        "EDIT-RSP-004", "the time has no zone", _told("x-venice-timestamp", lambda iso: iso.removesuffix("Z"))
    ),
    with_data("EDIT-RSP-004", "the stamp is another edition's", _other_stamp),
    answering("EDIT-RSP-005", "no balance in Diem is told", _without("x-venice-balance-diem")),
    answering(
        "EDIT-RSP-005", "balances are told with successes alone", _only_on_success("x-venice-balance-usd")
    ),
    answering(
        "EDIT-RSP-005",
        "the balance is told in cents",
        _told("x-venice-balance-usd", lambda usd: f"{float(usd):.2f}"),
    ),
    answering(
        "EDIT-RSP-005",
        "a balance has an exponent",
        _told("x-venice-balance-usd", lambda usd: f"{float(usd):e}"),
    ),
    answering("EDIT-RSP-005", "an edit tells the balance from before it", _price_not_yet_taken),
    wrapping(
        "EDIT-RSP-006",
        "a picture tells of safe mode what is usual",
        "venice_mock.edit.making.Understood.of",
        _understanding(lambda said: said | {"safe_mode": True}),
    ),
    wrapping(
        "EDIT-RSP-006",
        "a picture tells its prompt in ASCII",
        "venice_mock.edit.making.Understood.of",
        _understanding(lambda said: said | {"prompt": said["prompt"].encode("ascii", "replace").decode()}),
    ),
    wrapping(
        "EDIT-RSP-006",
        "a picture tells its sides the other way round",
        "venice_mock.edit.making.Understood.of",
        _understanding(lambda said: said | {"width": said["height"], "height": said["width"]}),
    ),
    _uncached(
        wrapping(
            "EDIT-RSP-007",
            "a picture depends on how many are made at once",
            "venice_mock.edit.endpoint.make_picture",
            _busy,
        )
    ),
    wrapping(
        "EDIT-RSP-007",
        "a data URL's bytes are taken with a line end",
        "venice_mock.edit.endpoint.image_bytes",
        _data_urls_as_they_came,
    ),
    with_data("EDIT-RSP-008", "WebP holds no side over 1,500 pixels", _short_webp, follows=("EDIT-FMT-010",)),
)
