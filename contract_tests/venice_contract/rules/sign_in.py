"""Checks of the rules X402-SIW: what a sign-in header may say, and the code that refuses each fault. How headers
that are no sign-ins at all are survived is in ``sign_in_garbage``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from venice_contract.judging.check import check
from venice_contract.judging.expect import NotApplicable, equal, expect, json_of, text_at
from venice_contract.judging.facts import Facts
from venice_contract.judging.probe import Probe
from venice_contract.judging.sign_in_faults import FAULTS, FOREIGN_DOMAIN, NEIGHBOURS, faulty, pairs
from venice_contract.judging.signing_in import (
    PREFIX,
    ask,
    code_of,
    good,
    let_in,
    on_time,
    told,
    turned_away,
    with_members,
)
from venice_contract.wallets import ABSENT, SignIn, Wallet, iso
from venice_contract.wire.message import Reply, Request

_KINDS = ("evm", "solana")


def _fresh(probe: Probe, kind: str = "evm", **given: Any) -> tuple[Wallet, SignIn]:
    """A wallet that nobody knows and a good sign-in of its."""
    wallet = probe.wallet(kind).wallet
    return wallet, good(probe, wallet, **given)


def _refused_for(probe: Probe, why: str) -> None:
    wallet, signed = _fresh(probe)
    turned_away(probe, faulty(probe, signed, why).header(wallet), why)


# --- the payload --------------------------------------------------------------------------------------------


_LACKS = [[name, how] for how in ("absent", "null", "empty") for name in ("address", "signature")]


@check("X402-SIW-002", witnesses=_LACKS)
def address_and_signature_are_needed(probe: Probe, value: tuple[str, str]) -> None:
    """401 INVALID_PAYLOAD without either."""
    name, how = value
    wallet, signed = _fresh(probe)
    missing: dict[str, Any] = {"absent": ABSENT, "null": None, "empty": ""}
    turned_away(probe, with_members(signed, **{name: missing[how]}).header(wallet), "INVALID_PAYLOAD")


@check("X402-SIW-003", witnesses=("free text", "no first line", "no URI", "no Issued At"))
def a_text_of_another_format_is_refused(probe: Probe, kind: str) -> None:
    """401 INVALID_MESSAGE, though it is signed."""
    wallet, signed = _fresh(probe)
    lines = signed.text().split("\n")
    words = {
        "free text": "Please let me in.",
        "no first line": "\n".join(lines[1:]),
        "no URI": "\n".join(line for line in lines if not line.startswith("URI: ")),
        "no Issued At": "\n".join(line for line in lines if not line.startswith("Issued At: ")),
    }
    turned_away(probe, replace(signed, words=words[kind]).header(wallet), "INVALID_MESSAGE")


@check("X402-SIW-004", witnesses=_KINDS)
def another_address_beside_the_message_is_refused(probe: Probe, kind: str) -> None:
    """401 ADDRESS_MISMATCH for that of another wallet of the same kind."""
    wallet, signed = _fresh(probe, kind)
    stranger = probe.wallet(kind).wallet.address
    turned_away(probe, with_members(signed, address=stranger).header(wallet), "ADDRESS_MISMATCH")


@check("X402-SIW-018", witnesses=[[kind, parts] for parts in ("all", "few") for kind in _KINDS])
def fields_may_stand_for_a_message(probe: Probe, value: tuple[str, str]) -> None:
    """The text that the server builds of them is the one that real clients sign: the wallet is known."""
    kind, parts = value
    wallet, signed = _fresh(probe, kind, structured=True)
    if parts == "few":
        signed = replace(signed, statement=None, expiration_time=None)
    else:
        signed = replace(
            signed,
            not_before=iso(probe.now() - 60),
            request_id="request-1",
            resources=["https://api.venice.ai/api/v1/image/edit", "https://venice.ai"],
        )
    let_in(probe, signed.header(wallet))


@check("X402-SIW-022")
def an_evm_signature_needs_its_prefix(probe: Probe, _value: None) -> None:
    """401 without 0x."""
    wallet, signed = _fresh(probe)
    probe.refused(ask(probe, replace(signed, form="bare").header(wallet)), 401)


# --- the chain ----------------------------------------------------------------------------------------------


@check("X402-SIW-005", witnesses=("base", "0x2105", [8453]))
def a_chain_in_no_known_form_is_refused(probe: Probe, chain: Any) -> None:
    """401 INVALID_CHAIN_ID."""
    wallet, signed = _fresh(probe)
    turned_away(probe, replace(signed, chain_id=chain).header(wallet), "INVALID_CHAIN_ID")


@check("X402-SIW-006", witnesses=(["1", 8453], ["8453", 1], ["8453", "eip155:1"]))
def a_chain_that_is_not_the_messages_is_refused(probe: Probe, value: tuple[str, Any]) -> None:
    """401 CHAIN_MISMATCH."""
    line, chain = value
    wallet, signed = _fresh(probe)
    turned_away(probe, replace(signed, chain=line, chain_id=chain).header(wallet), "CHAIN_MISMATCH")


@check("X402-SIW-007", witnesses=(["137", 137], ["137", None], ["1", 1], [None, None], [None, 1]))
def a_chain_that_is_not_offered_is_refused(probe: Probe, value: tuple[str | None, int | None]) -> None:
    """401 UNSUPPORTED_CHAIN; a message that names none is one for chain 1."""
    line, chain = value
    wallet, signed = _fresh(probe)
    spoilt = replace(signed, chain=line, chain_id=ABSENT if chain is None else chain)
    turned_away(probe, spoilt.header(wallet), "UNSUPPORTED_CHAIN")


# --- nonce and domain ---------------------------------------------------------------------------------------


@check("X402-SIW-008")
def a_message_without_a_nonce_is_refused(probe: Probe, _value: None) -> None:
    """401 MISSING_NONCE."""
    _refused_for(probe, "MISSING_NONCE")


@check("X402-SIW-009", witnesses=(FOREIGN_DOMAIN, f"https://{FOREIGN_DOMAIN}/api.venice.ai"))
def a_domain_that_is_not_listed_is_refused(probe: Probe, domain: str) -> None:
    """401 DOMAIN_MISMATCH."""
    wallet, signed = _fresh(probe, domain=domain)
    turned_away(probe, signed.header(wallet), "DOMAIN_MISMATCH")


@check(
    "X402-SIW-020", witnesses=("api.venice.ai:8443", "https://api.venice.ai", "https://api.venice.ai/api/v1")
)
def of_a_domain_only_the_host_counts(probe: Probe, domain: str) -> None:
    """It is taken with a port, with a scheme and with a path."""
    wallet, signed = _fresh(probe, domain=domain)
    let_in(probe, signed.header(wallet))


@check("X402-SIW-020", witnesses=([True, True], [True, False], [False, True]))
def a_mock_also_takes_the_host_that_it_is_called_by(probe: Probe, value: tuple[bool, bool]) -> None:
    """And no other: neither another host in a request to this one, nor the name of another request."""
    called, signed_for = value
    probe.steering.about()
    host = "my-mock.example:8402"
    name = host if signed_for else "other-mock.example"
    wallet, signed = _fresh(probe, domain=name)
    if called and signed_for:
        let_in(probe, signed.header(wallet), host=host)
    else:
        turned_away(probe, signed.header(wallet), "DOMAIN_MISMATCH", host=host if called else None)


@check("X402-SIW-016", witnesses=_KINDS)
def a_used_nonce_is_refused(probe: Probe, kind: str) -> None:
    """401 NONCE_REUSED on the edit path for a header that asked for the wallet's balance before."""
    wallet, signed = _fresh(probe, kind)
    header = signed.header(wallet)
    statement = Request("GET", f"/x402/balance/{wallet.address}")
    probe.status(probe.send(statement, headers=(("SIGN-IN-WITH-X", header),)), 200)
    turned_away(probe, header, "NONCE_REUSED")


@check("X402-SIW-017", witnesses=("no money", "no prompt"))
def a_nonce_is_used_up_though_its_request_fails(probe: Probe, kind: str) -> None:
    """401 NONCE_REUSED after an answer that refused the edit for another reason."""
    wallet, signed = _fresh(probe)
    header = signed.header(wallet)
    probe.status(ask(probe, header, whole=kind == "no money"), 400, 402)
    turned_away(probe, header, "NONCE_REUSED")


# --- times --------------------------------------------------------------------------------------------------


def _stamp(seconds: float, form: str) -> int | str:
    return iso(seconds) if form == "ISO 8601" else round(seconds * 1000)


@check("X402-SIW-019", witnesses=("absent", "milliseconds", "ISO 8601"))
def a_timestamp_may_have_two_forms_or_none(probe: Probe, form: str) -> None:
    """The wallet is known."""
    now = probe.now()
    wallet, signed = _fresh(probe, now=now)
    stamp = ABSENT if form == "absent" else _stamp(now, form)
    let_in(probe, replace(signed, timestamp=stamp).header(wallet))


_SIDES = [[side, form] for form in ("milliseconds", "ISO 8601") for side in (-1, 1)]


@check("X402-SIW-010", witnesses=_SIDES)
def a_timestamp_that_is_near_is_taken(probe: Probe, value: tuple[int, str]) -> None:
    """A moment less than the limit before or after Issued At."""
    let_in(probe, _stamped(probe, value, inside=True))


@check("X402-SIW-010", witnesses=_SIDES)
def a_timestamp_that_is_far_is_refused(probe: Probe, value: tuple[int, str]) -> None:
    """401 TIMESTAMP_MISMATCH for a moment more than the limit before or after Issued At."""
    turned_away(probe, _stamped(probe, value, inside=False), "TIMESTAMP_MISMATCH")


def _stamped(probe: Probe, value: tuple[int, str], *, inside: bool) -> str:
    side, form = value
    now, skew = probe.now(), probe.facts.edition.x402.sign_in.skew_s
    wallet, signed = _fresh(probe, now=now)
    stamp = _stamp(now + side * (skew - 1 if inside else skew + 1), form)
    return replace(signed, timestamp=stamp).header(wallet)


@check("X402-SIW-011", witnesses=("Issued At", "Expiration Time"))
def a_message_whose_life_is_over_is_refused(probe: Probe, kind: str) -> None:
    """401 EXPIRED."""
    still, near = on_time(probe)
    now, life = still.now(), still.facts.edition.x402.sign_in.life_s
    if kind == "Issued At":
        wallet, signed = _fresh(still, now=now - life - near, life_s=None)
    else:
        wallet, signed = _fresh(still, now=now - 60, life_s=60 - near)
    turned_away(still, signed.header(wallet), "EXPIRED")


@check("X402-SIW-012", witnesses=("within the limit", "beyond it"))
def a_message_from_the_future_is_refused(probe: Probe, kind: str) -> None:
    """Clocks may disagree up to a limit; beyond it 401 FUTURE_TIMESTAMP."""
    still, near = on_time(probe)
    skew = still.facts.edition.x402.sign_in.skew_s
    ahead = skew - near if kind == "within the limit" else skew + near
    wallet, signed = _fresh(still, now=still.now() + ahead)
    if kind == "within the limit":
        let_in(still, signed.header(wallet))
    else:
        turned_away(still, signed.header(wallet), "FUTURE_TIMESTAMP")


@check("X402-SIW-013", witnesses=(60, -60))
def a_message_is_refused_before_its_time(probe: Probe, ahead: int) -> None:
    """401 NOT_BEFORE until that time has come."""
    now = probe.now()
    wallet, signed = _fresh(probe, now=now)
    header = replace(signed, not_before=iso(now + ahead)).header(wallet)
    if ahead > 0:
        turned_away(probe, header, "NOT_BEFORE")
    else:
        let_in(probe, header)


# --- who signed ---------------------------------------------------------------------------------------------


def _bits(_facts: Facts) -> st.SearchStrategy[list[Any]]:
    """Any bit of the two numbers that a signature consists of: EVM's last byte says little and has aliases."""
    return st.tuples(st.sampled_from(_KINDS), st.integers(0, 511)).map(list)


@check("X402-SIW-014", witnesses=(["evm", 3], ["solana", 3], ["evm", 511], ["solana", 300]), strategy=_bits)
def a_flipped_bit_is_refused(probe: Probe, value: tuple[str, int]) -> None:
    """401 INVALID_SIGNATURE."""
    kind, bit = value
    wallet, signed = _fresh(probe, kind)
    turned_away(probe, replace(signed, flipped_bit=bit).header(wallet), "INVALID_SIGNATURE")


@check("X402-SIW-014", witnesses=_KINDS)
def another_keys_signature_is_refused(probe: Probe, kind: str) -> None:
    """401 INVALID_SIGNATURE."""
    _, signed = _fresh(probe, kind)
    turned_away(probe, signed.header(probe.wallet(kind).wallet), "INVALID_SIGNATURE")


@check("X402-SIW-015", witnesses=("nobody-at-all", "0x1234"))
def an_address_of_no_known_kind_is_refused(probe: Probe, address: str) -> None:
    """401 INVALID_WALLET, where message and payload agree on it."""
    wallet, signed = _fresh(probe)
    turned_away(probe, replace(signed, address=address).header(wallet), "INVALID_WALLET")


@check("X402-SIW-021")
def an_evm_address_is_one_in_any_letter_case(probe: Probe, _value: None) -> None:
    """In lower case beside a checksummed message it is taken, and it is the same wallet: its nonce is used up."""
    wallet, signed = _fresh(probe)
    let_in(probe, with_members(signed, address=wallet.address.lower()).header(wallet))
    turned_away(probe, signed.header(wallet), "NONCE_REUSED")


@check("X402-SIW-021")
def a_solana_address_is_taken_as_written(probe: Probe, _value: None) -> None:
    """401 when one letter has the other case."""
    wallet, signed = _fresh(probe, "solana")
    at = next(at for at, c in enumerate(wallet.address) if c.isalpha() and c not in "LlIiOo")
    changed = wallet.address[:at] + wallet.address[at].swapcase() + wallet.address[at + 1 :]
    probe.refused(ask(probe, with_members(signed, address=changed).header(wallet)), 401)


@check("X402-SIW-029", witnesses=("checksummed", "lower", "upper"))
def a_signed_evm_address_may_have_any_letter_case(probe: Probe, case: str) -> None:
    """On a mock: checksummed or not."""
    probe.steering.about()
    wallet, signed = _fresh(probe)
    digits = wallet.address.removeprefix("0x")
    written = {"checksummed": digits, "lower": digits.lower(), "upper": digits.upper()}
    let_in(probe, replace(signed, address="0x" + written[case]).header(wallet))


@check("X402-SIW-023", witnesses=("its owner", "somebody else", "an owner that nobody named"))
def a_smart_wallet_is_signed_for_by_its_named_owner(probe: Probe, signer: str) -> None:
    """On a mock whose configuration names the owner, and by nobody else."""
    probe.steering.about()
    owner, contract = probe.wallet().wallet, probe.wallet().wallet.address
    named = {} if signer == "an owner that nobody named" else {contract: owner.address}
    changed = probe.session(wallets={"smart_wallets": named})
    by = probe.wallet().wallet if signer == "somebody else" else owner
    header = replace(good(changed, owner), address=contract).header(by)
    if signer == "its owner":
        let_in(changed, header)
    else:
        turned_away(changed, header, "INVALID_SIGNATURE")


@check("X402-SIW-024")
def a_signature_of_a_contract_that_is_not_deployed_is_refused(probe: Probe, _value: None) -> None:
    """401 INVALID_SIGNATURE for one that is wrapped as EIP-6492 says."""
    wallet, signed = _fresh(probe)
    turned_away(probe, replace(signed, form="erc6492").header(wallet), "INVALID_SIGNATURE")


# --- how refusals are told ----------------------------------------------------------------------------------


@check("X402-SIW-026", witnesses=("balance", "transactions"))
def statements_tell_no_code(probe: Probe, path: str) -> None:
    """On a mock: 401 with one sentence under ``error`` and nothing else."""
    probe.steering.about()
    wallet, signed = _fresh(probe)
    header = replace(signed, flipped_bit=17).header(wallet)
    request = Request("GET", f"/x402/{path}/{wallet.address}")
    reply = probe.status(probe.send(request, headers=(("SIGN-IN-WITH-X", header),)), 401)
    equal(json_of(reply), {"error": probe.facts.edition.x402.texts.bad_sign_in}, "the body")


@check("X402-SIW-027", witnesses=(*FAULTS, "PARSE_ERROR", "NONCE_REUSED"))
def a_refusal_has_a_text_and_a_code(probe: Probe, why: str) -> None:
    """Both are there, and the code is one of sign-ins; which one is another rule's matter."""
    wallet, signed = _fresh(probe)
    if why in FAULTS:
        header = faulty(probe, signed, why).header(wallet)
    else:
        header = signed.header(wallet) if why == "NONCE_REUSED" else "no base64 at all"
    if why == "NONCE_REUSED":
        ask(probe, header)
    reply = probe.unmasked(ask(probe, header))
    if reply.status != 401:
        raise NotApplicable(f"{why} is not refused with 401, which is another rule's matter")
    body = json_of(reply)
    text_at(body, "error")
    code = text_at(body, "code")
    expect(code.startswith(PREFIX), f"code is {code!r}, expected one that starts with {PREFIX}")


@check("X402-SIW-028", witnesses=NEIGHBOURS, strategy=lambda _facts: st.sampled_from(pairs()))
def of_two_faults_the_first_is_told(probe: Probe, value: tuple[str, str]) -> None:
    """On a mock that tells either alone by its code; another server's order is noted."""
    one, other = value
    wallet = probe.wallet().wallet
    if probe.steerable:
        for why in value:
            if code_of(_told_of(probe, wallet, why)) != PREFIX + why:
                raise NotApplicable(f"{why} alone is not told by its code, which is another rule's matter")
    reply = _told_of(probe, wallet, one, other)
    expect(400 <= reply.status < 500, f"answered {reply.status}")
    probe.note(f"{one} and {other} together are answered {told(reply)}")
    if probe.steerable:
        equal(code_of(reply), PREFIX + one, "the code")


def _told_of(probe: Probe, wallet: Wallet, *names: str) -> Reply:
    return probe.unmasked(ask(probe, faulty(probe, good(probe, wallet), *names).header(wallet)))
