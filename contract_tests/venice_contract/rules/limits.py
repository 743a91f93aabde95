"""Checks of the group ``response`` that are about limits: requests a minute, the budget of errors, places in flight."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from venice_contract.judging.callers import Caller, Key
from venice_contract.judging.check import check
from venice_contract.judging.expect import equal, error_text, expect, fail, header_of, json_of
from venice_contract.judging.facts import Facts
from venice_contract.judging.probe import Probe
from venice_contract.pictures.recipe import Picture
from venice_contract.rules.statements import balance_path
from venice_contract.wire.message import Reply, json_request

_MANY = 100  # requests, far above any limit a minute
_MINUTE = 61.0  # seconds after which a minute's requests no longer count


def _limited(probe: Probe, **config: Any) -> Probe:
    """A session that enforces limits, whose clock stands still."""
    limited = probe.session(limits="real", **config)
    limited.freeze(float(int(limited.now())))
    return limited


def _by_limit(facts: Facts, _value: None) -> Decimal:
    """What the requests of one minute cost."""
    return facts.edition.limits.image_requests_per_minute * facts.price({"model": facts.cheapest().id})


# --- requests a minute --------------------------------------------------------------------------------------


@check("EDIT-RATE-001", spends=_by_limit)
def a_caller_over_the_limit_is_told_so_in_one_sentence(probe: Probe, _value: None) -> None:
    """The first 429 has the text of the error table under ``error`` and nothing else."""
    limited = _limited(probe)
    fields = limited.good()
    for _ in range(_MANY):
        reply = limited.edit(fields)
        if reply.status == 429:
            text = probe.facts.edition.errors["RATE_LIMIT_EXCEEDED"].text
            equal(json_of(reply), {"error": text}, "the body of the 429")
            return
    fail(f"{_MANY} requests within a minute met no 429 although limits are enforced")


def _two_models(facts: Facts) -> list[str]:
    """The two cheapest models that take a plain request."""
    fit = [model for model in facts.models if facts.takes_default_tier(model)]
    return [model.id for model in sorted(fit, key=lambda model: facts.price({"model": model.id}))[:2]]


@check(
    "EDIT-RATE-005",
    spends=lambda facts, _value: (
        (facts.edition.limits.image_requests_per_minute + 2) * facts.price({"model": _two_models(facts)[0]})
        + facts.price({"model": _two_models(facts)[1]})
    ),
)
def an_account_has_its_requests_a_minute_on_each_model(probe: Probe, _value: None) -> None:
    """The last one within the limit is served and the next refused; on another model, by another account and a
    minute later they are served."""
    limited, limit = _limited(probe), probe.facts.edition.limits.image_requests_per_minute
    one, other = _two_models(probe.facts)
    for number in range(1, limit + 1):
        equal(limited.edit(limited.good(model=one)).status, 200, f"the status of request {number}")
    equal(limited.edit(limited.good(model=one)).status, 429, f"the status of request {limit + 1}")
    equal(limited.edit(limited.good(model=other)).status, 200, "the status of the first on another model")
    reply = limited.edit(limited.good(model=one), caller=limited.key(balance="5"))
    equal(reply.status, 200, "the status of another account's first request on the first model")
    limited.advance(_MINUTE)
    equal(limited.edit(limited.good(model=one)).status, 200, "the status of a request a minute later")


@check("EDIT-RATE-006", witnesses=("edits",), spends=_MANY)
def without_limits_no_edit_is_refused(probe: Probe, _value: str) -> None:
    """A hundred edits in a row succeed, and what is left of the minute is told all the same."""
    free = probe.session(limits="off")
    fields, name = free.good(), probe.facts.edition.headers["remaining_requests"]
    for number in range(1, _MANY + 1):
        reply = free.edit(fields)
        equal(reply.status, 200, f"the status of edit {number}")
    equal(header_of(reply, name), "0", f"{name} of the last of {_MANY} edits")


@check("EDIT-RATE-006", witnesses=("refused edits", "balances"))
def without_limits_nothing_else_is_refused(probe: Probe, kind: str) -> None:
    """Neither many failures in a row nor more readings of one wallet's balance than a minute has lead to a 429."""
    free = probe.session(limits="off")
    who, many = free.wallet("solana"), probe.facts.edition.x402.statements.balance_per_minute + 10
    for number in range(1, (many if kind == "balances" else _MANY) + 1):
        if kind == "balances":
            reply = free.get(balance_path(probe.facts, who.wallet.address), caller=who)
        else:
            reply = free.edit({"prompt": ""})
        equal(reply.status, 200 if kind == "balances" else 400, f"the status of request {number}")


# --- what is told of them -----------------------------------------------------------------------------------


@check("EDIT-RATE-002")
def an_answer_tells_what_is_left(probe: Probe, _value: None) -> None:
    """Limit, what remains and when it begins anew: of two requests in a row, which nobody can pay."""
    names, who = probe.facts.edition.headers, probe.poor_key()
    first, second = (_standing(probe, probe.edit(probe.good(), caller=who)) for _ in range(2))
    limit, remaining, reset = first
    expect(0 <= remaining < limit, f"{names['remaining_requests']} is {remaining} of {limit}")
    if second[2] == reset:  # else a new window began in between
        equal(second[1], remaining - 1, f"{names['remaining_requests']} of the second answer")
    now = probe.now()
    ways = {side: str(way) for side, way in probe.facts.ways("ratelimit-reset").items()}
    fits = {side: _is_soon(reset / (1000 if way == "ms" else 1), now) for side, way in ways.items()}
    probe.agrees("ratelimit-reset", f"{names['reset_requests']} is {reset} at the time {now:.0f}", **fits)


def _standing(probe: Probe, reply: Reply) -> tuple[int, int, int]:
    """Limit, remaining and reset of an answer."""
    names = probe.facts.edition.headers
    found = []
    for name in ("limit_requests", "remaining_requests", "reset_requests"):
        text = header_of(reply, names[name])
        expect(text.isascii() and text.isdecimal(), f"{names[name]} is {text!r}, expected a whole number")
        found.append(int(text))
    return found[0], found[1], found[2]


def _is_soon(moment: float, now: float) -> bool:
    return now - 60 <= moment <= now + 3600


@check("EDIT-RATE-004", witnesses=("MODEL_OVERLOADED", "RATE_LIMIT_EXCEEDED"))
def a_429_says_when_to_come_again(probe: Probe, error: str) -> None:
    """Whole seconds in Retry-After, where it is sent: as many as the table has for an overloaded model."""
    magic = {"MODEL_OVERLOADED": "mock_overloaded", "RATE_LIMIT_EXCEEDED": "mock_rate_limited"}[error]
    fresh = probe.session()
    reply = fresh.status(fresh.edit(fresh.good(), caller=Key(magic)), 429)
    told = reply.header("Retry-After")
    wanted = probe.facts.edition.errors[error].retry_after_s
    if told is None:
        probe.note("a 429 comes without Retry-After")
    elif wanted is not None:
        equal(told, str(wanted), f"Retry-After of {error}")
    else:
        expect(told.isascii() and told.isdecimal(), f"Retry-After is {told!r}, expected whole seconds")


# --- the budget of errors -----------------------------------------------------------------------------------


@check("EDIT-RATE-003")
def too_many_failures_block_a_caller(probe: Probe, _value: None) -> None:
    """As many failures as may be are answered as themselves and one more, then all is 429 until the block ends."""
    limited = _limited(probe)
    ways = probe.facts.ways("error-budget")
    most = max(way["failures"] for way in ways.values()) + 2
    tolerated = 0
    for number in range(most):
        reply = _failing(limited, number)
        if reply.status == 429:
            break
        tolerated += 1
    text = (error_text(reply) or "") if reply.status == 429 else ""
    fits = {
        side: tolerated == way["failures"] + 1
        and str(way["failures"]) in text
        and str(way["block_s"]) in text
        for side, way in ways.items()
    }
    probe.agrees("error-budget", f"after {tolerated} failures the block says {text!r}", **fits)
    block = max(way["block_s"] for side, way in ways.items() if fits[side])
    other = limited.key(balance="5")
    equal(_failing(limited, most, other).status, 404, "the status of another caller meanwhile")
    limited.advance(block - 1)
    equal(_failing(limited, most + 1).status, 429, f"the status {block - 1} s after the block began")
    limited.advance(2)
    equal(_failing(limited, most + 2).status, 404, f"the status {block + 1} s after the block began")


def _failing(probe: Probe, number: int, caller: Caller | None = None) -> Reply:
    """A 404 for a model of its own, so that no limit of a model is met."""
    return probe.edit(probe.good(model=f"no-such-model-{number}"), caller=caller)


@check("EDIT-RATE-003")
def failures_are_forgotten_in_time(probe: Probe, _value: None) -> None:
    """As many as may be, and as many again when the first ones are out of the window: nobody is blocked."""
    limited = _limited(probe)
    ways = probe.facts.ways("error-budget").values()
    failures, window = min(way["failures"] for way in ways), max(way["window_s"] for way in ways)
    for number in range(2 * failures):
        if number == failures:
            limited.advance(window + 1)
        equal(_failing(limited, number).status, 404, f"the status of failure {number + 1}")


# --- places in flight ---------------------------------------------------------------------------------------


@check(
    "EDIT-RATE-007", spends=lambda facts, _value: _load(facts) * facts.price({"model": facts.cheapest().id})
)
def a_wallet_has_so_many_places_in_flight(probe: Probe, _value: None) -> None:
    """Of one slow request too many all but one succeed, and that one is 429 with the code of the table."""
    limited = _limited(probe, latency="400ms")
    who = limited.funded_wallet("5", "solana")
    request = json_request(limited.good())
    places = _load(probe.facts)
    replies = limited.send_all([(request, who)] * (places + 1), price=probe.facts.price(limited.good()))
    statuses = sorted(reply.status for reply in replies)
    equal(statuses, [200] * places + [429], f"the list of statuses of {places + 1} requests at once")
    refused = next(reply for reply in replies if reply.status == 429)
    equal(json_of(refused).get("code"), "X402_CONCURRENCY_LIMIT", "code")


def _load(facts: Facts) -> int:
    return facts.edition.limits.wallet_in_flight


_LARGE = Picture(5760, 5760, pattern="flat", defect="broken-pixels")  # the largest that is taken
_FAILURES: dict[str, dict[str, Any]] = {
    "a faulty request": {"prompt": ""},
    "an unknown model": {"model": "no-such-model"},
    "a small picture": {"image": Picture(8, 8)},
    "a large picture that is broken": {"image": _LARGE},
}


@check(
    "EDIT-RATE-008",
    witnesses=(
        ["a faulty request", "an unknown model", "a small picture"],
        ["departure"],
        ["a large picture that is broken"],
    ),
    spends=lambda facts, _value: 20 * _load(facts) * facts.price({"model": facts.cheapest().id}),
    heavy=True,
)
def whatever_becomes_of_a_request_its_place_is_free_again(probe: Probe, kinds: Sequence[str]) -> None:
    """After failures and departures of one wallet, twice as many as it has places, a full load of it passes."""
    limited = _limited(probe, latency="50ms")
    who, places = limited.funded_wallet("50", "solana"), _load(probe.facts)
    for kind in kinds:
        for _ in range(2 * places if len(kinds) == 1 else places):
            if kind == "departure":
                limited.leave(json_request(limited.good()), caller=who)
            else:
                reply = limited.edit(limited.good(**_FAILURES[kind]), caller=who)
                expect(400 <= reply.status < 429, f"{kind} is answered {reply.status}")
    request, price = json_request(limited.good()), probe.facts.price(limited.good())
    statuses: list[int] = []
    for _ in range(10):  # a server may learn of a departure a little later than we left
        limited.advance(_MINUTE)
        replies = limited.send_all([(request, who)] * places, price=price)
        statuses = [reply.status for reply in replies]
        if statuses == [200] * places:
            return
    fail(f"{places} requests at once are answered {sorted(statuses)} after {' and '.join(kinds)}")
