"""Checks of the group ``authentication`` that are about wallets: how one signs in instead of a key, and beside one.
The codes that refuse a sign-in are in ``sign_in``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from venice_contract.judging.check import check
from venice_contract.judging.expect import equal, expect
from venice_contract.judging.facts import Facts
from venice_contract.judging.probe import Probe
from venice_contract.judging.signing_in import (
    PREFIX,
    ask,
    code_of,
    good,
    let_in,
    on_time,
    told,
    turned_away,
    without_member,
)
from venice_contract.wallets import ABSENT, SignIn, Wallet

_FOREIGN = "evil.example"


_OPTIONAL: tuple[dict[str, Any], ...] = (
    {},
    {"statement": None},
    {"statement": "Let me edit: 100% of it, please (once)."},
    {"expiration_time": None},
    {"request_id": "request-1"},
    {"resources": ["https://api.venice.ai/api/v1/image/edit", "ipfs://nothing"]},
)


def _optional_parts(_facts: Facts) -> st.SearchStrategy[dict[str, Any]]:
    """Any choice of the parts that a text may have or lack, in the characters that EIP-4361 allows."""
    word = st.text(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~!$&'()*+,;=:@", min_size=1
    )
    sentence = st.lists(word, min_size=1, max_size=8).map(" ".join)
    return st.fixed_dictionaries(
        {},
        optional={
            "statement": sentence | st.none(),
            "expiration_time": st.none(),
            "request_id": word,
            "resources": st.lists(word.map("https://api.venice.ai/".__add__), min_size=1, max_size=3),
        },
    )


@check("EDIT-AUTH-003", witnesses=_OPTIONAL, strategy=_optional_parts)
def a_signed_message_makes_a_wallet_known(probe: Probe, parts: dict[str, Any]) -> None:
    """A wallet that nobody ever saw is told of its balance or of its request, not refused."""
    wallet = probe.wallet().wallet
    let_in(probe, replace(good(probe, wallet), **parts).header(wallet))


@check("EDIT-AUTH-004", witnesses=("good", "a flipped bit", "an old one", "garbage"))
def the_older_header_name_works_alike(probe: Probe, kind: str) -> None:
    """Two wallets' sign-ins, alike but for the nonce, get one status and one code under the two names."""
    answers = []
    for name in probe.facts.edition.x402.sign_in_headers:
        wallet = probe.wallet().wallet
        signed = good(probe, wallet)
        if kind == "a flipped bit":
            signed = replace(signed, flipped_bit=7)
        elif kind == "an old one":
            signed = good(probe, wallet, now=probe.now() - 3600)
        header = "no base64 at all" if kind == "garbage" else signed.header(wallet)
        answers.append(probe.unmasked(ask(probe, header, name=name, whole=kind != "good")))
    usual, older = answers
    equal(older.status, usual.status, "the status under the older name")
    equal(code_of(older), code_of(usual), "the code under the older name")


_NEEDED = ("address", "signature", "message")
_NEEDED_STRUCTURED = ("domain", "address", "uri", "nonce", "issuedAt", "chainId", "signature")


@check("EDIT-AUTH-005", witnesses=(*_NEEDED, *(f"structured {name}" for name in _NEEDED_STRUCTURED)))
def an_incomplete_payload_is_refused(probe: Probe, lacks: str) -> None:
    """401 without any one of the members that are needed."""
    wallet = probe.wallet().wallet
    signed = good(probe, wallet, structured=lacks.startswith("structured"))
    probe.refused(ask(probe, without_member(signed, lacks.removeprefix("structured ")).header(wallet)), 401)


@check("EDIT-AUTH-005", witnesses=("no base64 at all", "bm90IEpTT04=", "W10=", "bnVsbA==", "ImEi", "e30="))
def an_undecodable_payload_is_refused(probe: Probe, header: str) -> None:
    """401 for what is no base64, no JSON or no object: a list, null, a text, an object of nothing."""
    probe.refused(ask(probe, header), 401)


@check(
    "EDIT-AUTH-005", witnesses=([], ["timestamp"], ["chainId"], ["type"], ["timestamp", "chainId", "type"])
)
def what_is_not_needed_may_be_left_out(probe: Probe, absent: list[str]) -> None:
    """The wallet is known with timestamp, chainId and type, and without any of them."""
    wallet = probe.wallet().wallet
    signed = good(probe, wallet)
    signed = replace(
        signed,
        timestamp=ABSENT if "timestamp" in absent else int(probe.now() * 1000),
        chain_id=ABSENT if "chainId" in absent else probe.facts.edition.x402.sign_in.evm_chain,
        type=ABSENT if "type" in absent else "eip191",
    )
    let_in(probe, signed.header(wallet))


@check("EDIT-AUTH-006", witnesses=("a flipped bit", "another key"))
def a_foreign_signature_is_refused(probe: Probe, kind: str) -> None:
    """401 INVALID_SIGNATURE."""
    wallet = probe.wallet().wallet
    signed = good(probe, wallet)
    if kind == "another key":
        header = signed.header(probe.wallet().wallet)
    else:
        header = replace(signed, flipped_bit=100).header(wallet)
    turned_away(probe, header, "INVALID_SIGNATURE")


_LIVES = ("Issued At, before", "Issued At, after", "Expiration Time, before", "Expiration Time, after",
          "a later Expiration Time, after")  # fmt: skip


@check("EDIT-AUTH-007", witnesses=_LIVES)
def a_sign_in_lives_until_the_earlier_of_two_limits(probe: Probe, value: str) -> None:
    """Just before either limit it is taken, just after it is 401 EXPIRED."""
    still, near = on_time(probe)
    wallet, now, life = still.wallet().wallet, still.now(), still.facts.edition.x402.sign_in.life_s
    after = value.endswith("after")
    if value.startswith("Expiration"):
        signed = good(still, wallet, now=now - 60, life_s=60 - near if after else 60 + near)
    else:
        later = 2 * life if value.startswith("a later") else None
        signed = good(still, wallet, now=now - life + (-near if after else near), life_s=later)
    if after:
        turned_away(still, signed.header(wallet), "EXPIRED")
    else:
        let_in(still, signed.header(wallet))


@check("EDIT-AUTH-008", witnesses=(_FOREIGN, f"api.venice.ai.{_FOREIGN}", "notvenice.ai"))
def a_foreign_domain_is_refused(probe: Probe, domain: str) -> None:
    """401 DOMAIN_MISMATCH for what is not on the list, however much it looks like it."""
    wallet = probe.wallet().wallet
    turned_away(probe, good(probe, wallet, domain=domain).header(wallet), "DOMAIN_MISMATCH")


@check("EDIT-AUTH-008", witnesses=("api.venice.ai", "venice.ai"))
def a_listed_domain_is_taken(probe: Probe, domain: str) -> None:
    """The vendor's own names, whatever the server is called."""
    wallet = probe.wallet().wallet
    let_in(probe, good(probe, wallet, domain=domain).header(wallet))


@check("EDIT-AUTH-009", witnesses=("the origin", "the whole address", "another path", "another site"))
def the_signed_uri_is_recorded(probe: Probe, kind: str) -> None:
    """Whether it is compared with the request."""
    uris = {
        "the origin": probe.origin,
        "the whole address": probe.edit_url,
        "another path": probe.base_url + "/models",
        "another site": f"https://{_FOREIGN}/",
    }
    wallet = probe.wallet().wallet
    reply = probe.unmasked(ask(probe, good(probe, wallet, uri=uris[kind]).header(wallet), whole=False))
    expect(400 <= reply.status < 500, f"answered {reply.status}")
    probe.note(f"{kind} as the signed uri is answered {told(reply)}")


@check("EDIT-AUTH-010", witnesses=("number", "text", "caip2"))
def a_chain_may_be_written_in_three_ways(probe: Probe, form: str) -> None:
    """As a number, as its digits in a text, and with its namespace."""
    wallet, chain = probe.wallet().wallet, probe.facts.edition.x402.sign_in.evm_chain
    digits = chain.partition(":")[2]
    written: dict[str, Any] = {"number": int(digits), "text": digits, "caip2": chain}
    let_in(probe, replace(good(probe, wallet), chain_id=written[form]).header(wallet))


@check("EDIT-AUTH-011", witnesses=("base58", "base64"))
def a_solana_wallet_signs_in(probe: Probe, encoding: str) -> None:
    """With a signature in either encoding."""
    wallet = probe.wallet("solana").wallet
    signed = replace(good(probe, wallet, chain=probe.facts.edition.x402.sign_in.solana_chain), type="ed25519")
    if encoding == "base64":
        signed = replace(signed, form="base64")
    let_in(probe, signed.header(wallet))


@check("EDIT-AUTH-011", witnesses=("message", "fields"))
def a_payload_without_a_type_is_an_evm_wallets(probe: Probe, kind: str) -> None:
    """It is taken without one."""
    wallet = probe.wallet().wallet
    let_in(probe, replace(good(probe, wallet, structured=kind == "fields"), type=ABSENT).header(wallet))


@check("EDIT-AUTH-013", witnesses=lambda facts: list(facts.edition.x402.sign_in_headers))
def beside_a_bad_key_a_good_wallet_is_let_in(probe: Probe, name: str) -> None:
    """The key is not looked at."""
    wallet = probe.wallet().wallet
    let_in(probe, good(probe, wallet).header(wallet), name=name, caller=probe.bad_key())


def _bad_wallet_pairs(facts: Facts) -> list[list[str]]:
    return [[name, key] for key in ("a good key", "a bad key") for name in facts.edition.x402.sign_in_headers]


@check("EDIT-AUTH-013", witnesses=_bad_wallet_pairs)
def beside_any_key_a_bad_wallet_is_refused(probe: Probe, value: tuple[str, str]) -> None:
    """401 with a code of sign-ins, also where the key is good."""
    name, kind = value
    caller = probe.bad_key() if kind == "a bad key" else probe.poor_key()
    wallet = probe.wallet().wallet
    header = replace(good(probe, wallet), flipped_bit=9).header(wallet)
    reply = probe.refused(ask(probe, header, name=name, caller=caller), 401)
    code = code_of(reply) or ""
    expect(code.startswith(PREFIX), f"the code is {code!r}: the 401 is not about the wallet")


def _twice(probe: Probe, wallet: Wallet, first: SignIn, again: SignIn) -> None:
    let_in(probe, first.header(wallet))
    turned_away(probe, again.header(wallet), "NONCE_REUSED")


@check("EDIT-AUTH-015", witnesses=("the same header", "another message"))
def a_nonce_serves_once(probe: Probe, kind: str) -> None:
    """401 NONCE_REUSED for the same header, and for another message with the same nonce."""
    wallet = probe.wallet().wallet
    signed = good(probe, wallet)
    again = replace(signed, statement="Once more") if kind == "another message" else signed
    _twice(probe, wallet, signed, again)


@check("EDIT-AUTH-015")
def another_wallet_may_use_the_same_nonce(probe: Probe, _value: None) -> None:
    """A nonce is used up for one wallet only."""
    one, other = probe.wallet().wallet, probe.wallet().wallet
    nonce = good(probe, one).nonce
    let_in(probe, good(probe, one, nonce=nonce).header(one))
    let_in(probe, good(probe, other, nonce=nonce).header(other))


@check("EDIT-AUTH-015", witnesses=(-1, 1))
def a_nonce_is_remembered_as_long_as_its_message_can_live(probe: Probe, beyond: int) -> None:
    """On a mock: known until its time is over, and free after it."""
    probe.steering.about()
    still, _ = on_time(probe)
    wallet, facts = still.wallet().wallet, still.facts.edition.x402.sign_in
    signed = good(still, wallet)
    let_in(still, signed.header(wallet))
    still.advance(facts.nonce_life_s + beyond)
    fresh = good(still, wallet, nonce=signed.nonce)
    if beyond < 0:
        turned_away(still, fresh.header(wallet), "NONCE_REUSED")
    else:
        let_in(still, fresh.header(wallet))


@check(
    "EDIT-AUTH-017",
    witnesses=("sign-in-with-x", "Sign-In-With-X", "x-sign-in-with-x", "X-SIGN-IN-WITH-X"),
)
def a_wallets_header_is_known_in_any_letter_case(probe: Probe, name: str) -> None:
    """The wallet is known."""
    wallet = probe.wallet().wallet
    let_in(probe, good(probe, wallet).header(wallet), name=name)


@check("EDIT-AUTH-020", witnesses=lambda facts: list(facts.edition.x402.sign_in_headers))
def an_empty_sign_in_beside_a_key_is_recorded(probe: Probe, name: str) -> None:
    """Whether the key then counts."""
    reply = probe.unmasked(ask(probe, "", name=name, caller=probe.poor_key(), whole=False))
    expect(400 <= reply.status < 500, f"answered {reply.status}")
    probe.note(f"an empty {name} beside a good key is answered {told(reply)}")
