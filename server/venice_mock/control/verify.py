"""POST /__mock/verify: were there as many such requests as there should be, and if not, what came closest? No HTTP.

``{"match": {"model": ..., "prompt_contains": ...}, "times": {"exactly": 1}}``. A member of ``match`` is compared with
what was understood, or where a request did not get so far with what was sent; a list means any of its values.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from venice_mock.accounts.keys import account_id
from venice_mock.control.members import UNDERSTOOD, check_member
from venice_mock.control.reading import bad, decode, judged
from venice_mock.state.journal import Journal
from venice_mock.state.story import Story

_WHAT = "Verify"
_CLOSEST = 3
_LOOKED_AT = 200  # ours: the newest misses, of which the closest are told
_COMPARED = 500  # ours: characters of two texts whose likeness is measured


class VerifyTimes(msgspec.Struct, forbid_unknown_fields=True):
    exactly: int | None = None
    at_least: int | None = None
    at_most: int | None = None


class VerifyQuestion(msgspec.Struct, forbid_unknown_fields=True):
    match: dict[str, Any] = {}
    times: VerifyTimes = msgspec.field(default_factory=VerifyTimes)


def verify(journal: Journal, body: bytes) -> tuple[bool, dict[str, Any]]:
    """Whether it is so, and the answer. Without ``times``: at least once. Raises ApiError 400."""
    question = decode(body or b"{}", VerifyQuestion, _WHAT)
    least, most = _bounds(question.times)
    wanted = _wanted(question.match)
    matching: list[str] = []
    misses: list[tuple[Story, list[dict[str, Any]]]] = []
    for story in reversed(list(journal)):
        differences = difference(story, wanted)
        if not differences:
            matching.append(story.id)
        elif len(misses) < _LOOKED_AT:
            misses.append((story, differences))
    count = len(matching)
    ok = count >= least and (most is None or count <= most)
    answer: dict[str, Any] = {"ok": ok, "count": count, "requests": matching, "dropped": journal.dropped}
    if not ok:
        answer["expected"] = {
            name: value for name, value in (("at_least", least), ("at_most", most)) if value is not None
        }
        answer["closest"] = _closest(misses) if count < least else []
    return ok, answer


def difference(story: Story, wanted: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every member that is not as wanted: ``field``, ``expected``, ``actual``; for texts where they part."""
    found = []
    for name, expected in wanted.items():
        if name == "sent":
            sent = story.fields or {}
            pairs = [(f"sent.{key}", value, sent.get(key)) for key, value in expected.items()]
        else:
            pairs = [(name, expected, actual_of(story, name))]
        for field, value, actual in pairs:
            if not _agrees(name, value, actual):
                row = {"field": field, "expected": value, "actual": actual}
                if isinstance(value, str) and isinstance(actual, str) and name != "prompt_contains":
                    row["differs_at"] = _parting(value, actual)
                found.append(row)
    return found


def actual_of(story: Story, name: str) -> Any:
    """What the story says under a member's name; None where it says nothing."""
    if name in UNDERSTOOD:
        return (story.understood or story.fields or {}).get(name)
    if name.startswith("image_"):
        picture, name = story.input, name.removeprefix("image_")
        if picture is None:
            return None
        return getattr(picture, {"bytes": "size", "sent_as": "way"}.get(name, name))
    if name in ("account", "key"):
        return story.sender.account
    special = {
        "prompt_contains": story.prompt,
        "cost_usd": None if story.cost is None else f"{story.cost:.6f}",
        "charged": story.cost is not None,
        "complete": story.output.sent_whole,
        "body": story.body_kind,
    }
    return special[name] if name in special else getattr(story, name)


def _agrees(name: str, expected: Any, actual: Any) -> bool:
    if isinstance(expected, list) and not isinstance(actual, list):
        return any(_agrees(name, each, actual) for each in expected)
    if name == "prompt_contains":
        return isinstance(actual, str) and expected in actual
    if name == "status" and isinstance(expected, str):
        return actual is not None and expected.lower() == f"{actual // 100}xx"
    if name == "path":
        return expected in (actual, str(actual).removeprefix("/api/v1"))
    if name in ("cost_usd", "price_usd") and actual is not None and expected is not None:
        return Decimal(str(expected)) == Decimal(actual)
    if isinstance(actual, bool) or isinstance(expected, bool):  # 1 is not true here
        return actual is expected
    return bool(actual == expected)


def _wanted(match: Mapping[str, Any]) -> dict[str, Any]:
    """The members to compare, a key as its account's name. Raises ApiError 400."""
    wanted = dict(match)
    for name, value in match.items():
        with judged(_WHAT):
            check_member(name, value)
        if name == "key":
            wanted[name] = [
                key and account_id(key) for key in (value if isinstance(value, list) else [value])
            ]
    return wanted


def _bounds(times: VerifyTimes) -> tuple[int, int | None]:
    given = (times.exactly, times.at_least, times.at_most)
    if any(number is not None and number < 0 for number in given):
        raise bad(_WHAT, "times are whole numbers from 0")
    if times.exactly is not None:
        if times.at_least is not None or times.at_most is not None:
            raise bad(_WHAT, "exactly goes without at_least and at_most")
        return times.exactly, times.exactly
    least = times.at_least if times.at_least is not None else int(times.at_most is None)
    if times.at_most is not None and times.at_most < least:
        raise bad(_WHAT, "at_most is less than at_least")
    return least, times.at_most


def _closest(misses: list[tuple[Story, list[dict[str, Any]]]]) -> list[dict[str, Any]]:
    ranked = sorted(misses, key=lambda miss: sum(_distance(row) for row in miss[1]))
    return [{"id": story.id, "diff": rows} for story, rows in ranked[:_CLOSEST]]


def _distance(row: Mapping[str, Any]) -> float:
    """1 for a member that is quite another, less for a text that is like the wanted one."""
    expected, actual = row["expected"], row["actual"]
    if not isinstance(expected, str) or not isinstance(actual, str):
        return 1.0
    likeness = difflib.SequenceMatcher(None, expected[:_COMPARED], actual[:_COMPARED]).quick_ratio()
    return 1.0 - likeness / 2


def _parting(one: str, other: str) -> int:
    """The first place at which two texts differ."""
    return next(
        (place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b),
        min(len(one), len(other)),
    )
