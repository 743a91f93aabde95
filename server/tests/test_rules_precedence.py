"""Which refusal wins: every pair of faults in one request, in the one order that the mock promises."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from asgi import Client, Reply
from conftest import MakeClient
from rulekit import SMALL_TEXT, Clock, account_of, balance_of, ledger_of, png, text_of
from venice_mock.contract import Contract

KEY = "a-test-key"


@dataclass
class Draft:
    """A good request, before faults are put into it."""

    content_type: str = "application/json"
    key: str | None = KEY
    headers: dict[str, str] = field(default_factory=dict)
    fields: dict[str, Any] = field(default_factory=lambda: {"prompt": "make it warm"})
    small: bool = False
    broken: bool = False
    cut: bool = False

    def send(self, client: Client) -> Reply:
        side = 10 if self.small else 256
        body = json.dumps({"image": text_of(png(side, side, broken=self.broken)), **self.fields}).encode()
        return client.send(
            body[:-1] if self.cut else body,
            content_type=self.content_type,
            headers=self.headers,
            key=self.key,
        )


@dataclass(frozen=True)
class Fault:
    """One thing wrong with a request: how to put it there, and the answer that it deserves."""

    name: str
    put: Callable[[Draft], None]
    told: Callable[[Reply], bool]


def plain(status: int, text: str) -> Callable[[Reply], bool]:
    return lambda reply: reply.status == status and reply.json == {"error": text}


def custom(where: str) -> Callable[[Reply], bool]:
    return lambda reply: (
        reply.status == 400
        and [(i["code"], i["path"]) for i in reply.json.get("issues", ())] == [("custom", [where])]
    )


def by_rule(rule: str, told: Callable[[Reply], bool]) -> Callable[[Reply], bool]:
    return lambda reply: told(reply) and reply.headers.get("x-mock-rule") == rule


CORRUPTED = "The image file is corrupted or unreadable"
POLICY = "Your prompt violates the content policy of Venice.ai or the model provider"
NO_MONEY = "Insufficient USD or Diem balance to complete request. Visit https://venice.ai/settings/api to add credits."

RATE = Fault("rate limit", lambda _: None, plain(429, "Rate limit exceeded"))
FAULTS = (  # in the order of precedence
    Fault(
        "media type",
        lambda d: setattr(d, "content_type", "text/plain"),
        plain(415, "Invalid request content-type"),
    ),
    Fault(
        "no credentials",
        lambda d: setattr(d, "key", None),
        lambda r: r.status == 402 and r.json.get("x402Version") == 2,
    ),
    Fault(
        "payment header",
        lambda d: d.headers.update({"X-PAYMENT": "e30="}),
        lambda r: r.status == 400 and r.json.get("code") == "PAYMENT_HEADER_NOT_ACCEPTED",
    ),
    Fault(
        "bad credentials",
        lambda d: setattr(d, "key", "mock_invalid_key"),
        plain(401, "Authentication failed"),
    ),
    RATE,
    Fault(
        "body size",
        lambda d: d.headers.update({"Content-Length": "36700161"}),
        lambda r: r.status == 413 and r.json.get("code") == "PAYLOAD_TOO_LARGE",
    ),
    Fault("body syntax", lambda d: setattr(d, "cut", True), plain(400, "Invalid JSON request")),
    Fault(
        "schema",
        lambda d: d.fields.update(n=1),
        lambda r: r.status == 400 and [i["code"] for i in r.json.get("issues", ())] == ["unrecognized_keys"],
    ),
    Fault("model", lambda d: d.fields.update(model="nope"), plain(404, "Specified model not found")),
    Fault("the model's own rule", lambda d: d.fields.update(resolution="4K"), custom("resolution")),
    Fault("image", lambda d: setattr(d, "small", True), plain(400, "Image dimensions are too small")),
    Fault("content policy", lambda d: d.fields.update(prompt="plain gore"), plain(422, POLICY)),
    Fault("balance", lambda d: setattr(d, "key", "mock_insufficient_balance"), plain(402, NO_MONEY)),
    Fault("decoding", lambda d: setattr(d, "broken", True), by_rule("EDIT-IMG-010", plain(400, CORRUPTED))),
)


def draft_with(*faults: Fault) -> Draft:
    """A request with these faults; where two want the same place, the earlier stage's has it."""
    draft = Draft()
    for fault in sorted(faults, key=FAULTS.index, reverse=True):
        fault.put(draft)
    return draft


def test_the_policy_word_is_one_of_the_editions(contract: Contract) -> None:
    assert "gore" in contract.edition.words.policy  # or the stage above would show nothing


@pytest.mark.rules("EDIT-PAY-022")
@pytest.mark.parametrize(
    "fault", [fault for fault in FAULTS if fault is not RATE], ids=lambda fault: fault.name
)
def test_each_fault_alone_has_its_own_answer(client: Client, fault: Fault) -> None:
    reply = draft_with(fault).send(client)
    assert fault.told(reply), (reply.status, reply.body)
    assert sum(other.told(reply) for other in FAULTS) == 1


@pytest.mark.rules("EDIT-PAY-022", "EDIT-AUTH-021")
@pytest.mark.parametrize(
    ("first", "second"),
    list(itertools.combinations(FAULTS, 2)),
    ids=lambda fault: fault.name.replace(" ", "-"),
)
def test_of_two_faults_the_one_of_the_earlier_stage_is_told(
    make_client: MakeClient, first: Fault, second: Fault
) -> None:
    client = make_client(engine="fast", limits="real", wall_clock=Clock())
    draft = draft_with(first, second)
    if first is RATE:
        for _ in range(20):
            assert second.told(draft.send(client))
    elif second is RATE:
        for _ in range(20):
            assert Draft(cut=True).send(client).status == 400
        assert RATE.told(Draft().send(client))
    reply = draft.send(client)
    assert first.told(reply), (reply.status, reply.body)


@pytest.mark.rules("EDIT-PAY-022", "EDIT-RATE-003")
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name.replace(" ", "-"))
def test_the_error_budget_stands_where_the_rate_limit_stands(make_client: MakeClient, fault: Fault) -> None:
    client = make_client(engine="fast", limits="real", wall_clock=Clock())
    draft = draft_with(fault)
    known = draft.key if FAULTS.index(fault) > FAULTS.index(RATE) and draft.key else KEY
    for number in range(21):  # on a model each, so that the rate limit keeps out of it
        Draft(key=known, fields={"model": f"nope-{number}", "prompt": "x"}).send(client)
    reply = draft.send(client)
    if FAULTS.index(fault) < FAULTS.index(RATE):
        assert fault.told(reply)
    else:
        assert reply.status == 429
        assert reply.json["error"].startswith("Too many failed attempts")


@pytest.mark.rules("EDIT-PAY-022", "EDIT-IMG-016", "EDIT-SAFE-007")
def test_a_file_that_is_too_large_or_has_too_many_pixels_stands_with_the_image(client: Client) -> None:
    huge = png(10, 10).replace((10).to_bytes(4, "big") * 2, (50_000).to_bytes(4, "big") * 2)
    for image, status in ((text_of(bytes(26_214_400)), 413), (text_of(huge), 422)):
        fields: dict[str, Any] = {"image": image, "prompt": "plain gore"}
        assert client.edit(**fields, key="mock_insufficient_balance").status == status
        assert client.edit(**fields, resolution="4K").status == 400
        assert client.edit(**fields, model="nope").status == 404


@pytest.mark.rules("EDIT-PAY-014")
@pytest.mark.parametrize("behavior", ["documented", "observed"])
def test_no_refusal_costs_anything(make_client: MakeClient, behavior: str) -> None:
    client = make_client(engine="fast", behavior=behavior, default_model="qwen-edit")
    assert client.edit(image=SMALL_TEXT, prompt="x").status == 200
    before, rows = balance_of(client, KEY), ledger_of(client, KEY)
    assert len(rows) == 1
    for fault in FAULTS:
        if fault is not RATE:
            assert draft_with(fault).send(client).status >= 400
    assert balance_of(client, KEY) == before
    assert ledger_of(client, KEY) == rows
    assert account_of(client, KEY).held == 0
