"""The check that a mock's two behaviours differ in the rows of the edition's differences and in nothing else.

For each row there is a way to see its value from outside. A row without one fails: whoever adds it adds the way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from venice_contract.judging.callers import Key
from venice_contract.judging.check import check
from venice_contract.judging.expect import equal, error_text, expect, fail, header_of
from venice_contract.judging.facts import Facts
from venice_contract.judging.probe import Probe
from venice_contract.pictures.look import probe_image, same_pixels
from venice_contract.pictures.recipe import Picture
from venice_contract.rules.ledgers import top_up_request
from venice_contract.wire.message import Reply, Request

_TINY = 64  # pixels of a side: no picture of an edit is as small, a placeholder is
_AT_LEAST_MS = 10**11  # such a Unix time can only be meant in milliseconds


# --- how each row is seen -----------------------------------------------------------------------------------


def _default_model(probe: Probe) -> Any:
    reply = probe.status(probe.edit(probe.good(model=...)), 200)
    return header_of(reply, probe.facts.edition.headers["model_id"])


def _quality_on_edit(probe: Probe) -> Any:
    model = next(m for m in probe.facts.models if m.constraints and m.constraints.qualities)
    assert model.constraints is not None
    asked = probe.good(model=model.id, quality=model.constraints.qualities[0])
    refused = probe.edit(asked, caller=probe.poor_key()).status == 400
    return "unrecognized" if refused else "accepted"


def _wrong_content_type(probe: Probe) -> Any:
    reply = probe.send(
        Request("POST", "/image/edit", (("Content-Type", "text/plain"),), b"{}"), caller=probe.key()
    )
    found = (reply.status, error_text(reply))
    rows = probe.facts.edition.errors.items()
    return next((name for name, row in rows if (row.status, row.text) == found), str(found))


def _balance_header(probe: Probe) -> Any:
    reply = probe.status(probe.edit(caller=probe.funded_wallet("5", "solana")), 200)
    return reply.header(probe.facts.edition.headers["balance_remaining"]) is not None


def _ratelimit_reset(probe: Probe) -> Any:
    reset = header_of(probe.edit(caller=probe.poor_key()), probe.facts.edition.headers["reset_requests"])
    return "ms" if int(reset) >= _AT_LEAST_MS else "s"


def _error_budget(probe: Probe) -> Any:
    """How many failures are tolerated, and whether the block has headers of its own; its length is another rule."""
    limited = probe.session(limits="real")
    limited.freeze(float(int(limited.now())))
    for failures in range(200):
        reply = limited.edit(limited.good(model=f"no-such-model-{failures}"))
        if reply.status == 429:
            break
    told = reply.header(probe.facts.edition.headers["budget_remaining"]) is not None
    return {"failures": failures - 1, "headers": told}


def _violation_body(probe: Probe) -> Any:
    """An answer to a policy word by a model that does not refuse it."""
    word = probe.facts.edition.words.policy[0]
    model = probe.facts.cheapest([m for m in probe.facts.models if not m.blocks_policy])
    reply = probe.status(probe.edit(probe.good(model=model.id, prompt=f"make it {word}")), 200)
    return "placeholder" if max(probe_image(reply.body).size) <= _TINY else "blurred"


def _wallet_admission(probe: Probe) -> Any:
    """A wallet that holds the floor and not the price."""
    floor = probe.facts.edition.x402.floor_usd
    dearer = [m for m in probe.facts.models if probe.facts.price({"model": m.id}) > floor]
    model = probe.facts.cheapest(dearer)
    reply = probe.edit(probe.good(model=model.id), caller=probe.funded_wallet(floor, "solana"))
    return {200: "floor", 402: "price"}.get(reply.status, str(reply.status))


def _topup_resubmitted(probe: Probe) -> Any:
    payment = top_up_request(probe, probe.wallet("solana"), Decimal(5))
    probe.status(probe.send(payment), 200)
    return probe.send(payment).status


_SIGHTS: Mapping[str, Callable[[Probe], Any]] = {
    "default-model": _default_model,
    "quality-on-edit": _quality_on_edit,
    "wrong-content-type": _wrong_content_type,
    "balance-header": _balance_header,
    "ratelimit-reset": _ratelimit_reset,
    "error-budget": _error_budget,
    "violation-body": _violation_body,
    "wallet-admission": _wallet_admission,
    "topup-resubmitted": _topup_resubmitted,
}


def _spent(facts: Facts, difference: str) -> Decimal:
    """The dearest edit that a way takes, in both behaviours."""
    floor = facts.edition.x402.floor_usd
    prices = [facts.price({"model": model.id}) for model in facts.models]
    dearest = {"default-model": facts.price({}), "wallet-admission": min(p for p in prices if p > floor)}
    return 2 * dearest.get(difference, min(prices) * 2)


@check(
    "MOCK-SRV-003",
    witnesses=lambda facts: [row.id for row in facts.edition.differences],
    spends=_spent,
)
def a_difference_has_its_two_values(probe: Probe, difference: str) -> None:
    """In a session of each behaviour the row's value is the edition's."""
    row = next(row for row in probe.facts.edition.differences if row.id == difference)
    sight = _SIGHTS.get(difference)
    if sight is None:
        fail(f"there is no way to see {difference} from outside")
    for behavior, side in (("documented", row.documented), ("observed", row.observed)):
        seen = sight(probe.session(behavior=behavior))
        wanted = side.value
        if isinstance(seen, dict) and isinstance(wanted, dict):
            wanted = {name: wanted.get(name) for name in seen}
        equal(seen, wanted, f"{difference} of the {behavior} behaviour")


# --- and nothing else ---------------------------------------------------------------------------------------

_ALIKE: Mapping[str, Callable[[Probe], Reply]] = {
    "an edit": lambda probe: probe.edit(),
    "an edit as a form": lambda probe: probe.edit(form=True),
    "a jpeg": lambda probe: probe.edit(probe.good(output_format="jpeg")),
    "an adult word": lambda probe: probe.edit(
        probe.good(prompt=f"make it {probe.facts.edition.words.adult[0]}")
    ),
    "no prompt": lambda probe: probe.edit(probe.good(prompt=...)),
    "an unknown key": lambda probe: probe.edit(probe.good(mask="x")),
    "an unknown model": lambda probe: probe.edit(probe.good(model="no-such-model")),
    "an unlisted ratio": lambda probe: probe.edit(probe.good(aspect_ratio="107:60")),
    "a small picture": lambda probe: probe.edit(probe.good(image=Picture(8, 8))),
    "a broken body": lambda probe: probe.send(
        Request("POST", "/image/edit", (("Content-Type", "application/json"),), b"{"), caller=probe.key()
    ),
    "a bad key": lambda probe: probe.edit(caller=probe.bad_key()),
    "an empty key": lambda probe: probe.edit(caller=Key("mock_insufficient_balance", funded=False)),
    "models": lambda probe: probe.get("/models?type=all"),
    "an unknown path": lambda probe: probe.get("/nothing"),
    "a key's balance": lambda probe: probe.get("/billing/balance", caller=Key("mock_balance_3")),
}


@check("MOCK-SRV-003", witnesses=tuple(_ALIKE), spends=2)
def all_else_is_the_same_in_both_behaviours(probe: Probe, kind: str) -> None:
    """Status, headers but times, lengths and the ids of requests, and JSON to the letter, pictures to the pixel: a
    mock's pictures carry the name of the behaviour."""
    names = probe.facts.edition.headers
    changing = {names[name].lower() for name in ("timestamp", "reset_requests")} | {"date", "content-length"}
    answers = [
        _ALIKE[kind](probe.session(behavior=behavior, seed=1)) for behavior in ("documented", "observed")
    ]
    one, other = answers
    equal(other.status, one.status, f"the observed behaviour's status for {kind}")
    headers, other_headers = (
        sorted(
            (name, value)
            for name, value in reply.headers
            if name not in changing and not name.endswith("request-id")
        )
        for reply in answers
    )
    equal(other_headers, headers, f"the observed behaviour's list of headers for {kind}")
    is_picture = one.media_type.startswith("image/")
    same = same_pixels(one.body, other.body) if is_picture else one.body == other.body
    expect(same, f"the observed behaviour's body for {kind} is another one")
