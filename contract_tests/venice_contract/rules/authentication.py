"""Checks of the group ``authentication``: keys, those who send nothing, and secrets. Wallets are in ``wallets``."""

from __future__ import annotations

import json
from dataclasses import replace

from venice_contract.judging.callers import Key
from venice_contract.judging.check import check, invariant
from venice_contract.judging.expect import equal, expect, json_of, text_at
from venice_contract.judging.facts import Facts
from venice_contract.judging.probe import Probe
from venice_contract.judging.signing_in import ask, good, is_discovery, is_let_in, told
from venice_contract.wallets import base64_json, good_payment, good_solana_payment
from venice_contract.wire.message import Exchange, Reply, Request, json_request
from venice_contract.wire.secrets import Redactor

_MAGIC = "mock_"  # words that choose a mock's answer, no secrets: a mock may say by which it was steered


# --- keys ---------------------------------------------------------------------------------------------------


@check("EDIT-AUTH-001", witnesses=("no prompt", "an empty object"))
def a_valid_key_is_known(probe: Probe, kind: str) -> None:
    """Its invalid request is refused for what is wrong with it, or for want of money, and not for the key."""
    fields = {} if kind == "an empty object" else probe.good(prompt=...)
    is_let_in(probe, probe.edit(fields, caller=probe.poor_key()))


@check(
    "EDIT-AUTH-002",
    witnesses=("Bearer mock_invalid_key", "Bearer", "Bearer two words"),
)
def a_wrong_key_is_refused(probe: Probe, authorization: str) -> None:
    """401 with a body."""
    _refused_with_a_body(probe, _authorized(probe, authorization))


@check("EDIT-AUTH-002")
def a_revoked_key_is_refused(probe: Probe, _value: None) -> None:
    """401 with a body, on a mock whose configuration says so of the key."""
    token = f"revoked-{probe.random.getrandbits(64):016x}"
    changed = probe.session(keys={token: {"status": "invalid"}})
    _refused_with_a_body(probe, changed.edit(caller=Key(token, funded=False)))


def _refused_with_a_body(probe: Probe, reply: Reply) -> None:
    probe.refused(reply, 401)
    expect(reply.body != b"", "the 401 has no body")


def _authorized(probe: Probe, *values: str) -> Reply:
    """The answer to a whole edit under these Authorization headers, none of which is any good."""
    return probe.send(json_request(probe.good()), headers=tuple(("Authorization", value) for value in values))


@check("EDIT-AUTH-022")
def a_bad_key_is_told_so_and_nothing_else(probe: Probe, _value: None) -> None:
    """The whole body is one sentence under ``error``."""
    reply = probe.refused(probe.edit(caller=probe.bad_key()), 401)
    equal(json_of(reply), {"error": probe.facts.edition.errors["AUTHENTICATION_FAILED"].text}, "the body")


@check("EDIT-AUTH-014", witnesses=("bearer mock_invalid_key", "Basic bm9ib2R5OmF0LWFsbA==", "twice"))
def unusual_authorization_is_recorded(probe: Probe, value: str) -> None:
    """A scheme in lower case, another scheme, and the header sent twice are refused in one way or another."""
    values = ("Bearer mock_invalid_key",) * 2 if value == "twice" else (value,)
    reply = probe.unmasked(_authorized(probe, *values))
    expect(400 <= reply.status < 500, f"answered {reply.status}")
    probe.note(f"Authorization {value.partition(' ')[0]} is answered {told(reply)}")


@check("EDIT-AUTH-017", witnesses=("authorization", "AUTHORIZATION"))
def a_keys_header_is_known_in_any_letter_case(probe: Probe, name: str) -> None:
    """The key is known."""
    headers = ((name, f"Bearer {probe.poor_key().token}"),)
    is_let_in(probe, probe.send(json_request(probe.good(prompt=...)), headers=headers))


_STATES = {
    "inactive": ("AUTHENTICATION_FAILED_INACTIVE_KEY", "mock_inactive"),
    "disabled": ("API_ACCESS_DISABLED", "mock_disabled"),
}


def _in_state(probe: Probe, state: str, way: str) -> Reply:
    """The answer to a whole edit by a key whose account is in that state."""
    error, magic = _STATES[state]
    control = probe.steering
    key = Key(magic, funded=False) if way == "a magic key" else probe.poor_key()
    if key.token != magic:
        control.set_account(key.token, {"balance_usd": "1", "status": state})
    return probe.status(probe.edit(caller=key), probe.facts.edition.errors[error].status)


_WAYS = ("a magic key", "the state of its account")


@check("EDIT-AUTH-018", witnesses=tuple(_STATES))
def an_accounts_state_refuses_a_good_key(probe: Probe, state: str) -> None:
    """On a mock: 401 when the subscription is inactive, 403 when access is disabled."""
    _in_state(probe, state, "the state of its account")


@check("EDIT-AUTH-023", witnesses=_WAYS)
def an_inactive_subscription_is_told(probe: Probe, way: str) -> None:
    """401 and the sentence of the error table."""
    _state_is_told(probe, "inactive", way)


@check("EDIT-AUTH-024", witnesses=_WAYS)
def a_disabled_account_is_told(probe: Probe, way: str) -> None:
    """403 and the sentence of the error table."""
    _state_is_told(probe, "disabled", way)


def _state_is_told(probe: Probe, state: str, way: str) -> None:
    reply = _in_state(probe, state, way)
    equal(text_at(json_of(reply), "error"), probe.facts.edition.errors[_STATES[state][0]].text, "error")


# --- nobody -------------------------------------------------------------------------------------------------


@check("EDIT-AUTH-012", witnesses=("a whole request", "no body"))
def without_credentials_the_answer_asks_for_them(probe: Probe, kind: str) -> None:
    """402 with the discovery body, and not 401."""
    _discovers(probe, probe.send(json_request(b"" if kind == "no body" else probe.good())))


def _discovers(probe: Probe, reply: Reply) -> None:
    probe.refused(reply, 402)
    expect(is_discovery(reply), "the 402 is not the one that offers ways to pay: it names no x402Version")


@check(
    "EDIT-AUTH-016",
    witnesses=lambda facts: [
        [name, what] for what in ("evm", "solana", "x") for name in facts.edition.x402.payment_headers
    ],
)
def a_payment_header_is_no_credential(probe: Probe, value: tuple[str, str]) -> None:
    """Alone, it changes nothing: the answer still asks who is there."""
    name, what = value
    header = what if what == "x" else _payment(probe, what)
    _discovers(probe, probe.send(json_request(probe.good()), headers=((name, header),)))


def _payment(probe: Probe, kind: str) -> str:
    """A signed payment of what the edition's server asks for, from a wallet that holds nothing."""
    x402, wallet, nonce = probe.facts.edition.x402, probe.wallet(kind).wallet, probe.random.randbytes(32)
    networks = {network.caip2: network.rail for network in x402.payments.networks}
    rail = next(rail for rail in x402.rails if networks[rail.caip2] == kind)
    offer = {
        "scheme": x402.scheme, "network": rail.caip2, "asset": rail.asset, "amount": x402.minimum_amount,
        "payTo": rail.pay_to, "maxTimeoutSeconds": x402.max_timeout_s, "extra": dict(rail.extra),
    }  # fmt: skip
    if kind == "solana":
        return good_solana_payment(wallet, offer, nonce=nonce).header(wallet)
    return good_payment(wallet, offer, now=probe.now(), nonce=nonce).header(wallet)


@check("EDIT-AUTH-021", witnesses=("broken JSON", "a body that is too large", "an invalid field"))
def who_is_not_known_is_asked_before_anything_is_read(probe: Probe, kind: str) -> None:
    """On a mock: 402 whatever the body is."""
    probe.steering.about()
    bodies = {
        "broken JSON": b'{"prompt": ',
        "a body that is too large": b" " * (probe.facts.edition.limits.max_json_body_bytes + 1),
        "an invalid field": json.dumps(probe.good(prompt=1)).encode(),
    }
    request = json_request(bodies[kind])
    if kind == "a body that is too large":
        request = replace(request, sends=1000)
    probe.refused(probe.send(request), 402)


@check("EDIT-AUTH-021")
def a_wrong_media_type_is_refused_earlier(probe: Probe, _value: None) -> None:
    """On a mock: the refusal of the media type, also to those whom nobody knows."""
    probe.steering.about()
    errors = probe.facts.edition.errors
    ways = {errors[str(name)].status for name in probe.facts.ways("wrong-content-type").values()}
    request = Request("POST", "/image/edit", (("Content-Type", "text/plain"),), b"make it warm")
    probe.refused(probe.send(request), *ways)


# --- secrets ------------------------------------------------------------------------------------------------


@invariant("EDIT-AUTH-019")
def no_answer_repeats_a_credential(exchange: Exchange, _facts: Facts) -> bool:
    """What was sent to authenticate or to pay stands in no body and no header that comes back."""
    if exchange.reply is None:
        return False
    kept = tuple(
        (name, value)
        for name, value in exchange.request.headers
        if not value.partition(" ")[2].startswith(_MAGIC)
    )
    where = Redactor().found_in(exchange.reply, replace(exchange.request, headers=kept))
    expect(where is None, f"{where} repeats a credential of the request")
    return True


_SECRETS = (
    ("Authorization", "Bearer no-such-key-%s with a word too many"),
    ("Authorization", "Basic %s"),
    ("SIGN-IN-WITH-X", "no-base64-%s"),
    ("X-Sign-In-With-X", "no-base64-%s"),
    ("PAYMENT-SIGNATURE", "no-base64-%s"),
    ("X-402-Payment", "no-base64-%s"),
    ("X-PAYMENT", "no-base64-%s"),
)  # fmt: skip
_PLACES = ("/image/edit", "/billing/balance", "/x402/top-up", "/x402/balance/0x%s", "/models")


@check("EDIT-AUTH-019", witnesses=[[place, *secret] for place in _PLACES for secret in _SECRETS])
def a_refused_credential_does_not_come_back(probe: Probe, value: tuple[str, str, str]) -> None:
    """Neither in the body nor in a header, wherever it was sent."""
    place, name, form = value
    secret = f"{probe.random.getrandbits(128):032x}"
    posted = place in ("/image/edit", "/x402/top-up")
    path = place.replace("%s", "ab" * 20)
    request = json_request(probe.good(), path=path) if posted else Request("GET", path)
    reply = probe.send(request, headers=((name, form.replace("%s", secret)),))
    found = [header for header, text in reply.headers if secret in text]
    expect(not found, f"the header {' and '.join(found)} repeats what was sent in {name}")
    expect(secret.encode() not in reply.body, f"the body repeats what was sent in {name}")


@check("EDIT-AUTH-019", witnesses=("message", "signature", "nonce"))
def a_refused_sign_in_is_not_told_in_parts(probe: Probe, part: str) -> None:
    """Nothing of it that only its sender knows comes back with the 401."""
    wallet = probe.wallet().wallet
    signed = replace(good(probe, wallet), flipped_bit=11)
    payload = signed.payload(wallet)
    secret = str(signed.nonce if part == "nonce" else payload[part])
    reply = probe.unmasked(ask(probe, base64_json(payload)))
    expect(secret.encode() not in reply.body, f"the body repeats the {part} of the sign-in")
