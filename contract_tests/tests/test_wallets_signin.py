"""Sign-ins: the same bytes as real clients sign, accepted by the mock when good, refused by one fault at a time."""

from __future__ import annotations

import json
from base64 import b64decode
from dataclasses import replace
from typing import Any

import pytest

from venice_contract.wallets import (
    ABSENT,
    Kind,
    SignIn,
    base64_json,
    challenge_sign_in,
    good_sign_in,
    iso,
    read_base64_json,
)
from wallet_tools import KINDS, NOW, SIGN_INS, STRANGERS, WALLETS, sign_in_verdict

NONCE = "0123456789abcdef"
ONE_MINUTE = iso(NOW + 60)
BASE, SOLANA = "eip155:8453", "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp"
CHALLENGE: dict[str, Any] = {
    "info": {
        "domain": "127.0.0.1:8402",
        "uri": "http://127.0.0.1:8402/api/v1/image/edit",
        "version": "1",
        "nonce": "f" * 32,
        "issuedAt": iso(NOW - 1),
        "expirationTime": iso(NOW + 299),
        "statement": "Sign in to Venice AI",
    },
    "supportedChains": [
        {"chainId": BASE, "type": "eip1271"},
        {"chainId": BASE, "type": "eip191"},
        {"chainId": SOLANA, "type": "ed25519"},
    ],
}


def good(kind: Kind = "evm", **given: Any) -> SignIn:
    said: dict[str, Any] = {
        "domain": "api.venice.ai",
        "uri": "https://api.venice.ai",
        "now": NOW,
        "nonce": NONCE,
    }
    return good_sign_in(WALLETS[kind], **{**said, **given})


def verdict(signed: SignIn, now: float = NOW) -> str:
    return sign_in_verdict(signed.header(WALLETS[signed.kind]), now)


def owner(kind: Kind) -> str:
    address = WALLETS[kind].address
    return address.lower() if kind == "evm" else address


def read(message: str) -> SignIn:
    """A real client's message taken apart, in the plainest way."""
    statement: str | None
    first, address, blank, *rest = message.split("\n")
    domain, account = first.removesuffix(" account:").split(" wants you to sign in with your ")
    assert blank == ""
    kind: Kind = "evm" if account == "Ethereum" else "solana"
    statement = rest.pop(0) if rest[0] and not rest[0].startswith("URI: ") else None
    said = dict(line.split(": ", 1) for line in rest if line)
    return (
        SignIn(
            kind=kind,
            domain=domain,
            address=address,
            uri=said.pop("URI"),
            version=said.pop("Version"),
            chain=said.pop("Chain ID"),
            nonce=said.pop("Nonce"),
            issued_at=said.pop("Issued At"),
            expiration_time=said.pop("Expiration Time", None),
            statement=statement,
        )
        if len(said) in (5, 6)
        else pytest.fail(f"parts of {said} are unknown to this test")
    )


REAL = [case for case in SIGN_INS["cases"] if " wants you to " in case.get("decoded", {}).get("message", "")]


@pytest.mark.parametrize("case", REAL, ids=lambda case: case["name"])
def test_the_text_is_byte_for_byte_what_real_clients_sign(case: dict[str, Any]) -> None:
    message = case["decoded"]["message"]
    assert read(message).text() == message


def test_there_are_real_messages_of_both_kinds_with_and_without_a_statement() -> None:
    read_ones = [read(case["decoded"]["message"]) for case in REAL]
    assert len(read_ones) >= 20
    assert {signed.kind for signed in read_ones} == {"evm", "solana"}
    assert any(signed.statement is None for signed in read_ones)


def test_a_structured_payload_has_the_members_and_the_text_of_the_reference_client() -> None:
    real = next(case for case in SIGN_INS["cases"] if case["name"] == "evm-x402-extensions-structured")[
        "decoded"
    ]
    signed = good(uri=real["uri"], nonce=real["nonce"], structured=True, statement=real["statement"])
    sent = signed.payload(WALLETS["evm"])
    ours = {name: value for name, value in sent.items() if name not in ("address", "signature")}
    assert ours == {name: value for name, value in real.items() if name not in ("address", "signature")}
    assert set(sent) == set(real)
    # and their signature is over the text that we would sign for them
    theirs = replace(signed, address=real["address"], members={"signature": real["signature"]})
    assert sign_in_verdict(theirs.header(WALLETS["evm"])) == real["address"].lower()


def test_a_text_with_every_part_has_them_in_the_order_of_the_standard() -> None:
    full = replace(good(), not_before=iso(NOW), request_id="r-1", resources=("https://a.example", "ipfs://b"))
    assert full.text() == (
        "api.venice.ai wants you to sign in with your Ethereum account:\n"
        f"{WALLETS['evm'].address}\n\nSign in to Venice AI\n\nURI: https://api.venice.ai\nVersion: 1\n"
        "Chain ID: 8453\nNonce: 0123456789abcdef\nIssued At: 2026-09-01T12:00:00.000Z\n"
        "Expiration Time: 2026-09-01T12:05:00.000Z\nNot Before: 2026-09-01T12:00:00.000Z\nRequest ID: r-1\n"
        "Resources:\n- https://a.example\n- ipfs://b"
    )
    assert verdict(full) == owner("evm")
    assert verdict(replace(full, structured=True)) == owner("evm")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("structured", [False, True])
@pytest.mark.parametrize("statement", ["Sign in to Venice AI", None, "Grüße, 世界"])
def test_a_good_sign_in_is_accepted(kind: Kind, structured: bool, statement: str | None) -> None:
    assert verdict(good(kind, structured=structured, statement=statement)) == owner(kind)


@pytest.mark.parametrize("kind", KINDS)
def test_what_servers_must_put_up_with_is_accepted(kind: Kind) -> None:
    signed = good(kind)
    number = 8453 if kind == "evm" else SOLANA.partition(":")[2]
    tolerated = [
        replace(signed, timestamp=NOW * 1000),
        replace(signed, timestamp=int(NOW * 1000) + 29_000),
        replace(signed, timestamp=iso(NOW)),
        replace(signed, chain_id=ABSENT, type=ABSENT),
        replace(signed, chain_id=str(number)),
        replace(signed, chain_id=number),
        replace(signed, domain="api.venice.ai:443"),
        replace(signed, domain="localhost:8402"),
        replace(signed, expiration_time=None),
        replace(signed, issued_at=iso(NOW - 299)),
        replace(signed, issued_at=iso(NOW + 29)),
        replace(signed, not_before=iso(NOW)),
        replace(signed, members={"unknown": [1]}),
    ]
    assert [verdict(each) for each in tolerated] == [owner(kind)] * len(tolerated)


def test_an_evm_address_counts_in_any_case_and_a_solana_chain_line_may_be_caip2() -> None:
    address = WALLETS["evm"].address
    spellings = [address.lower(), "0x" + address[2:].upper(), address]
    assert {verdict(replace(good(), address=each)) for each in spellings} == {owner("evm")}
    assert verdict(replace(good(), members={"address": address.lower()})) == owner("evm")
    assert verdict(replace(good("solana"), chain=SOLANA)) == owner("solana")
    assert verdict(replace(good("solana"), form="base64")) == owner("solana")


FAULTS: list[tuple[str, dict[str, Any]]] = [
    ("INVALID_PAYLOAD", {"members": {"address": ABSENT}}),
    ("INVALID_PAYLOAD", {"members": {"signature": ABSENT}}),
    ("INVALID_PAYLOAD", {"members": {"signature": 7}}),
    ("INVALID_MESSAGE", {"words": "hello"}),
    ("INVALID_MESSAGE", {"version": "2"}),
    ("INVALID_MESSAGE", {"version": None}),
    ("INVALID_MESSAGE", {"issued_at": None}),
    ("INVALID_MESSAGE", {"issued_at": "yesterday"}),
    ("INVALID_CHAIN_ID", {"chain_id": "base"}),
    ("INVALID_CHAIN_ID", {"chain_id": "0x2105"}),
    ("INVALID_CHAIN_ID", {"chain_id": [8453]}),
    ("CHAIN_MISMATCH", {"chain_id": 1}),
    ("MISSING_NONCE", {"nonce": None}),
    ("MISSING_NONCE", {"nonce": ""}),
    ("DOMAIN_MISMATCH", {"domain": "evil.example"}),
    ("TIMESTAMP_MISMATCH", {"timestamp": NOW * 1000 + 31_000}),
    ("TIMESTAMP_MISMATCH", {"timestamp": iso(NOW - 31)}),
    ("EXPIRED", {"issued_at": iso(NOW - 301)}),
    ("EXPIRED", {"expiration_time": iso(NOW - 1)}),
    ("FUTURE_TIMESTAMP", {"issued_at": iso(NOW + 31)}),
    ("NOT_BEFORE", {"not_before": ONE_MINUTE}),
    ("INVALID_SIGNATURE", {"flipped_bit": 0}),
    ("INVALID_SIGNATURE", {"flipped_bit": 300}),
    ("INVALID_SIGNATURE", {"flipped_bit": 511}),
    ("INVALID_SIGNATURE", {"members": {"statement": "x", "message": None}, "structured": True}),
    ("INVALID_WALLET", {"address": "nobody"}),
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("code", "fault"), FAULTS, ids=[f"{code}-{fault}" for code, fault in FAULTS])
def test_one_fault_is_refused_by_its_own_code(kind: Kind, code: str, fault: dict[str, Any]) -> None:
    assert verdict(replace(good(kind), **fault)) == code


@pytest.mark.parametrize("kind", KINDS)
def test_a_stranger_is_told_by_address_or_by_signature(kind: Kind) -> None:
    signed, stranger = good(kind), STRANGERS[kind]
    beside = replace(signed, members={"address": stranger.address})
    assert verdict(beside) == "ADDRESS_MISMATCH"
    assert sign_in_verdict(signed.header(stranger)) == "INVALID_SIGNATURE"
    assert verdict(replace(signed, members={"message": signed.text().replace(NONCE, NONCE[::-1])})) == (
        "INVALID_SIGNATURE"
    )


@pytest.mark.parametrize("kind", KINDS)
def test_another_chain_is_unsupported_when_text_and_payload_agree(kind: Kind) -> None:
    other = "eip155:137" if kind == "evm" else "solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1"
    assert verdict(good(kind).on_chain(other)) == "UNSUPPORTED_CHAIN"
    assert verdict(good(kind).on_chain(None)) == "UNSUPPORTED_CHAIN"
    assert verdict(good(kind, chain=other)) == "UNSUPPORTED_CHAIN"


@pytest.mark.parametrize("form", ["bare", "mirrored", "erc6492", "base64"])
def test_other_forms_of_an_evm_signature_do_not_count(form: Any) -> None:
    assert verdict(replace(good(), form=form)) == "INVALID_SIGNATURE"


def test_a_header_is_compact_base64_of_utf8_json() -> None:
    signed = good(statement="Grüße")
    raw = b64decode(signed.header(WALLETS["evm"]), validate=True)
    assert "Grüße".encode() in raw
    assert json.loads(raw) == signed.payload(WALLETS["evm"]) == read_base64_json(base64_json(json.loads(raw)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("structured", [False, True])
def test_a_servers_challenge_is_echoed_and_accepted(kind: Kind, structured: bool) -> None:
    signed = challenge_sign_in(CHALLENGE, WALLETS[kind], NOW, structured=structured)
    info = CHALLENGE["info"]
    assert (signed.domain, signed.uri, signed.nonce, signed.statement) == (
        info["domain"], info["uri"], info["nonce"], info["statement"],
    )  # fmt: skip
    assert (signed.issued_at, signed.expiration_time) == (info["issuedAt"], info["expirationTime"])
    assert signed.type == {"evm": "eip191", "solana": "ed25519"}[kind]
    assert verdict(signed) == owner(kind)


def test_an_older_challenge_lists_bare_chains_and_may_lack_the_time_of_issue() -> None:
    info = {name: value for name, value in CHALLENGE["info"].items() if name != "issuedAt"}
    signed = challenge_sign_in({"info": info, "supportedChains": [SOLANA, BASE]}, WALLETS["evm"], NOW)
    assert (signed.chain_id, signed.issued_at) == (BASE, iso(NOW))
    assert verdict(signed) == owner("evm")


@pytest.mark.parametrize(
    ("challenge", "complaint"),
    [
        ({}, "no domain and no uri and no nonce"),
        ({"info": {"domain": "a", "nonce": "b"}}, "no uri"),
        ({**CHALLENGE, "supportedChains": None}, "no chain for eip191"),
        ({**CHALLENGE, "supportedChains": [{"chainId": BASE, "type": "eip1271"}, 7]}, "no chain for eip191"),
    ],
)
def test_a_challenge_that_cannot_be_answered_is_told_in_a_sentence(challenge: Any, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        challenge_sign_in(challenge, WALLETS["evm"], NOW)


@pytest.mark.parametrize(
    ("moment", "written"),
    [
        (0.0, "1970-01-01T00:00:00.000Z"),
        (1788264000.0004, "2026-09-01T12:00:00.000Z"),
        (1.9996, "1970-01-01T00:00:02.000Z"),
    ],
)
def test_times_are_written_to_the_millisecond(moment: float, written: str) -> None:
    assert iso(moment) == written
