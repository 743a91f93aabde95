"""Checks of the group ``payment``: of several faults, which one is told. Only EDIT-PAY-022 lives here."""

from __future__ import annotations

from itertools import combinations
from typing import Any

from hypothesis import strategies as st

from venice_contract.judging.callers import Caller
from venice_contract.judging.check import check
from venice_contract.judging.expect import equal, error_text, expect
from venice_contract.judging.facts import Facts
from venice_contract.judging.probe import NOBODY, Probe
from venice_contract.pictures.recipe import Picture
from venice_contract.rules.transport import UNKNOWN_MODEL
from venice_contract.wire.message import Reply, Request, json_request

# In the order in which the mock answers.
FAULTS = (
    "media type", "no credentials", "payment header", "bad credentials", "limits", "body size", "syntax",
    "schema", "model", "model's rules", "image", "policy", "balance",
)  # fmt: skip
_EXCLUSIVE = (
    {"no credentials", "bad credentials", "balance"},  # each is another caller
    {"limits", "policy"},  # each is ordered with the same header
    {"body size", "syntax", "schema"},  # each is another body
    {"body size", "model"}, {"body size", "model's rules"}, {"body size", "image"},
    {"syntax", "model"}, {"syntax", "model's rules"}, {"syntax", "image"},
)  # fmt: skip
_ORDERED = {"limits": "rate_limited", "policy": "content_policy_violation"}  # made to order, at their stage
_SEEN_ELSEWHERE = frozenset(
    {"media type", "no credentials", "payment header", "bad credentials", "syntax", "schema"}
)


def _pairs() -> list[list[str]]:
    found = [list(pair) for pair in combinations(FAULTS, 2)]
    return [pair for pair in found if not any(set(pair) <= some for some in _EXCLUSIVE)]


def _neighbours(_facts: Facts) -> list[list[str]]:
    """Each fault with the nearest that it can stand beside; those that anybody may send come first."""
    found: dict[str, list[str]] = {}
    for first, second in _pairs():
        found.setdefault(first, [first, second])
    some = list(found.values())
    return [*(p for p in some if _may_go_anywhere(p)), *(p for p in some if not _may_go_anywhere(p))]


def _may_go_anywhere(pair: list[str]) -> bool:
    """Whether the pair cannot succeed on any server, and needs no key."""
    return set(pair) <= _SEEN_ELSEWHERE and bool({"no credentials", "bad credentials"} & set(pair))


@check(
    "EDIT-PAY-022",
    witnesses=_neighbours,
    strategy=lambda _facts: st.sampled_from([p for p in _pairs() if "body size" not in p]),
)
def of_two_faults_the_first_is_told(probe: Probe, pair: tuple[str, str]) -> None:
    """On a mock the answer to both is the answer to the first alone; another server's is noted."""
    if not (probe.steerable or _may_go_anywhere(list(pair))):
        probe.steering  # noqa: B018 - raises: only a mock is sent this
    both = _faulty(probe, *pair)
    expect(both.status < 500, f"answered {both.status}")
    probe.note(f"{pair[0]} with {pair[1]} is answered {both.status}")
    if probe.steerable:
        alone = _faulty(probe, pair[0])
        what = f"{pair[0]} with {pair[1]}"
        equal(both.status, alone.status, f"the status of {what}")
        equal(error_text(both), error_text(alone), f"the error of {what}")


def _faulty(probe: Probe, *faults: str) -> Reply:
    """The answer to an edit with these faults and no other."""
    caller: Caller
    if "no credentials" in faults:
        caller = NOBODY
    elif "bad credentials" in faults:
        caller = probe.bad_key()
    else:
        caller = probe.poor_key() if "balance" in faults else probe.key()
    request = _request(probe, faults)
    headers = []
    if "payment header" in faults:
        headers.append((probe.facts.edition.x402.payment_headers[0], "eyJ4NDAyVmVyc2lvbiI6Mn0="))
    headers += [("X-Mock", f"error={name}") for fault, name in _ORDERED.items() if fault in faults]
    return probe.send(request, caller=caller, headers=tuple(headers))


def _request(probe: Probe, faults: tuple[str, ...]) -> Request:
    fields: dict[str, Any] = probe.good()
    if "schema" in faults:
        fields["no_such_field"] = 1
    if "model" in faults:
        fields["model"] = UNKNOWN_MODEL
    if "model's rules" in faults:
        fields["prompt"] = "x" * _too_long(probe.facts)
    if "image" in faults:
        fields["image"] = probe.image_text(Picture(8, 8))
    request = json_request(fields)
    if "body size" in faults:
        request = json_request(b" " * (probe.facts.edition.limits.max_json_body_bytes + 1))
    if "syntax" in faults:
        request = json_request(b'{"prompt"')
    if "media type" in faults:
        request = Request("POST", request.path, (("Content-Type", "text/plain"),), request.body)
    return request


def _too_long(facts: Facts) -> int:
    limits = facts.cheapest().constraints
    return 1 + (limits.prompt_character_limit if limits else facts.edition.limits.prompt_max)
