"""GET /__mock/ledger/verdict: was anybody charged twice for one logical request? From the journal. No HTTP here.

Requests are attempts at one logical request when caller, path, fields and picture are the same and each begins
within 30 seconds of the one before it, by the session's clock or by the wall's: a test that moves its clock on, so
that its client need not wait, has not made another request of the retry.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from venice_mock.control.reading import bad
from venice_mock.state.journal import Journal
from venice_mock.state.story import Story
from venice_mock.times import iso_time

WINDOW_S = 30.0
LONGEST_WINDOW_S = 31_536_000  # ours: a year
_WHAT = "Verdict"
_SECONDS = re.compile(r"[0-9]{1,9}(\.[0-9]{1,6})?")
_WORDS = {0: "not_charged", 1: "charged_once"}


def verdict(journal: Journal, window_s: float = WINDOW_S) -> dict[str, Any]:
    """Every logical request that was tried more than once or charged, the newest first, and the answer to the question.

    ``window_s``: seconds between two attempts at one logical request. ``complete`` is false when stories were
    dropped: what they told is then unknown.
    """
    stories = [story for story in journal if story.number > journal.charges_from]
    groups = [group for group in _groups(stories, window_s) if len(group) > 1 or group[0].cost is not None]
    told = [_told(group) for group in reversed(groups)]
    twice = [each for each in told if each["verdict"] == "charged_more_than_once"]
    return {
        "ok": not twice,
        "charged_more_than_once": len(twice),
        "overcharged_usd": _usd(sum((Decimal(each["overcharged_usd"]) for each in twice), Decimal(0))),
        "window_s": window_s,
        "complete": journal.dropped == 0,
        "logical_requests": told,
    }


def window_of(query: Mapping[str, str]) -> float:
    """The window that a query asks for, by default half a minute. Raises ApiError 400, also for other parameters."""
    unknown = [name for name in query if name != "window_s"]
    if unknown:
        raise bad(_WHAT, f"there is no parameter {unknown[0][:40]!r}; known: window_s")
    text = query.get("window_s")
    if text is None:
        return WINDOW_S
    if not _SECONDS.fullmatch(text) or float(text) > LONGEST_WINDOW_S:
        raise bad(_WHAT, f"window_s is seconds from 0 to {LONGEST_WINDOW_S:,}")
    return float(text)


def _groups(stories: Iterable[Story], window_s: float) -> list[list[Story]]:
    open_groups: dict[str, list[Story]] = {}
    groups: list[list[Story]] = []
    for story in sorted(stories, key=lambda each: each.arrival):
        if story.fingerprint is None:
            continue
        group = open_groups.get(story.fingerprint)
        if group is None or _apart(group[-1], story) > window_s:
            group = open_groups[story.fingerprint] = []
            groups.append(group)
        group.append(story)
    return groups


def _apart(one: Story, other: Story) -> float:
    """Seconds between two beginnings, by the clock that shows fewer."""
    return min(abs(other.started_at - one.started_at), abs(other.wall_at - one.wall_at))


def _told(group: list[Story]) -> dict[str, Any]:
    charges = [(story, story.cost) for story in group if story.cost is not None]
    amounts = [amount for _, amount in charges]
    first = group[0]
    return {
        "verdict": _WORDS.get(len(charges), "charged_more_than_once"),
        "fingerprint": first.fingerprint,
        "account": first.sender.account,
        "model": first.model,
        "prompt": first.prompt,
        "attempts": [
            {
                "id": story.id,
                "at": iso_time(story.started_at),
                "status": story.status,
                "complete": story.output.sent_whole,
                "fault": story.fault,
                "charged_usd": None if story.cost is None else _usd(story.cost),
                "charge": story.charge,
            }
            for story in group
        ],
        "charges": len(charges),
        "charged_usd": _usd(sum(amounts, Decimal(0))),
        "overcharged_usd": _usd(sum(amounts[1:], Decimal(0))),
    }


def _usd(amount: Decimal) -> str:
    return f"{amount:.6f}"
