"""The words of a failed verification, for whoever reads the test's output. No request is made here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from venice_mock.testing.records import Request, Verdict

_LONGEST = 200


class VerificationError(AssertionError):
    """What should have happened to the mock did not."""

    __module__ = "venice_mock"  # a short name leaves room for the sentence in a summary of one line


class UnusedFailureWarning(UserWarning):
    """A test ended before its ``fail_next`` was met by an edit: it may have tested nothing."""

    __module__ = "venice_mock.testing"


def not_verified(
    answer: Mapping[str, Any],
    match: Mapping[str, Any],
    times: Mapping[str, int],
    found: Sequence[Request],
    closest: Sequence[tuple[Request, Sequence[Mapping[str, Any]]]],
    total: int,
) -> str:
    """What was expected, how many there were, and those that matched or came closest."""
    wanted = " and ".join(f"{name.replace('_', ' ')} {number}" for name, number in times.items())
    count, what = answer["count"], ", ".join(f"{name}={_shown(value)}" for name, value in match.items())
    there = "was 1" if count == 1 else f"were {count}" if count else "were none"
    requests = "requests" if any(number != 1 for number in times.values()) else "request"
    requests += f" with {what}" if what else ""
    lines = [f"Expected {wanted or 'at least 1'} {requests}; there {there}."]
    if found:
        lines.append("Matching:" if count == len(found) else f"Matching, the newest {len(found)}:")
        lines += [f"  {request}" for request in found]
    if closest:
        lines.append(f"Closest of {total}:")
        for request, differences in closest:
            lines.append(f"  {request}")
            lines += [f"      {_difference(row)}" for row in differences]
    elif not total:
        lines.append("The mock has had no request at all: does the client use its base_url?")
    if answer["dropped"]:
        lines.append(f"{answer['dropped']} older requests are not in the journal any more (journal_bytes).")
    return "\n".join(lines)


def paid_twice(verdict: Verdict) -> str:
    """Which logical requests were charged more than once, attempt by attempt."""
    times = verdict.charged_more_than_once
    lines = [
        f"{times} logical request{'s were' if times > 1 else ' was'} charged more than once: "
        f"${verdict.overcharged_usd} too much."
    ]
    for each in verdict.logical_requests:
        if each["verdict"] != "charged_more_than_once":
            continue
        lines.append(f"  {each['model']} {_shown(each['prompt'])}: {each['charges']} charges")
        for attempt in each["attempts"]:
            paid = "not charged" if attempt["charged_usd"] is None else f"charged ${attempt['charged_usd']}"
            lost = f", fault={attempt['fault']}" if attempt["fault"] else ""
            lines.append(f"      {attempt['id']} at {attempt['at']}: {attempt['status']}, {paid}{lost}")
    return "\n".join(lines)


def _difference(row: Mapping[str, Any]) -> str:
    text = f"{row['field']}: expected {_shown(row['expected'])}, got {_shown(row['actual'])}"
    place = row.get("differs_at")
    return text if place is None else f"{text} (they part at character {place})"


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
