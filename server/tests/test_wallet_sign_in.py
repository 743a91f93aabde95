"""Signing in with a wallet over HTTP: who gets in, every code of those who do not, and nonces."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import base58
import pytest

from asgi import Client, Reply
from rulekit import good, good_body
from venice_mock.times import iso_time
from venice_mock.wallet.signing import Wallet, sign_text
from wallet_kit import NOW, SIWX, decode, encode
from wallets import (
    ALICE,
    BAD_SIGN_IN,
    BALANCE,
    BOB,
    BOTH_NAMES,
    SOLANGE,
    TRANSACTIONS,
    X402,
    MakeClient,
    Purse,
    address_of,
    advance,
    called,
    chain_of,
    edited,
    freeze,
    signed,
    text_of,
    wallets_file,
)

PREFIX = "X402_SIGN_IN_"
CASES = SIWX["cases"]
ACCEPTED = [case for case in CASES if "expect" not in case]


def knock(client: Client, header: str, name: str = BOTH_NAMES[0], key: str | None = None) -> Reply:
    """A good edit under a sign-in header: a wallet without credit that gets in is asked to pay."""
    return client.edit(key=key, headers={name: header}, **good())


def read(client: Client, path: str, header: str, name: str = BOTH_NAMES[0]) -> Reply:
    return client.send(method="GET", path=path, headers={name: header}, key=None, content_type=None)


def code_of(reply: Reply) -> str | None:
    """The code of a refused sign-in, after a look at the whole answer; None for a wallet that got in."""
    if reply.status == 402:
        assert reply.json["code"] == "PAYMENT_REQUIRED"
        return None
    assert reply.status == 401
    code = reply.json["code"]
    assert reply.json == {"error": X402.sign_in.codes[code], "code": code}
    number = [*X402.sign_in.codes].index(code) + 1
    assert reply.headers["x-mock-rule"] == f"X402-SIW-{number:03d}"
    assert "payment-required" not in reply.headers
    return str(code).removeprefix(PREFIX)


# --- the headers of real clients -----------------------------------------------------------------------------


@pytest.mark.rules("EDIT-AUTH-003", "EDIT-AUTH-004", "X402-SIW-016", "X402-SIW-017", "X402-SIW-018")
@pytest.mark.parametrize("case", ACCEPTED, ids=[case["name"] for case in ACCEPTED])
@pytest.mark.parametrize("name", BOTH_NAMES)
def test_a_real_header_gets_in_once_and_not_when_its_time_is_over(
    make_client: MakeClient, case: dict[str, Any], name: str
) -> None:
    assert case["header_name"] in BOTH_NAMES
    client, header = freeze(make_client(engine="fast")), case["header"]
    assert code_of(knock(client, header, name)) is None
    assert code_of(knock(client, header, name)) == "NONCE_REUSED"
    advance(client, 301)
    assert code_of(knock(client, header, name)) == "EXPIRED"
    kind = "solana" if case["name"].startswith("sol") else "evm"
    address = SIWX[kind]["address"]
    reply = read(freeze(make_client()), BALANCE + address, header, name)
    assert reply.status == 200
    assert reply.json["data"]["walletAddress"] == (address.lower() if kind == "evm" else address)


@pytest.mark.rules("X402-SIW-027", "X402-SIW-026", "EDIT-AUTH-006", "EDIT-AUTH-008")
@pytest.mark.parametrize(
    "case",
    [case for case in CASES if "expect" in case],
    ids=[case["name"] for case in CASES if "expect" in case],
)
@pytest.mark.parametrize("name", BOTH_NAMES)
def test_a_spoilt_real_header_is_refused_everywhere(
    make_client: MakeClient, case: dict[str, Any], name: str
) -> None:
    client = freeze(make_client())
    reply = knock(client, case["header"], name)
    assert PREFIX + str(code_of(reply)) == case["expect"]
    for path in (BALANCE, TRANSACTIONS):
        for address in (SIWX["evm"]["address"], SIWX["solana"]["address"]):
            answer = read(client, path + address, case["header"], name)
            assert (answer.status, answer.json) == (401, BAD_SIGN_IN)


# --- the sixteen codes ---------------------------------------------------------------------------------------


def faulty(code: str, wallet: Wallet) -> str:
    """A header with this one fault, by a wallet of either kind."""
    mine, later = text_of(wallet), iso_time(NOW + 60)
    stranger = {"evm": BOB, "solana": SOLANGE}[wallet.kind]
    chain = "eip155:137" if wallet.kind == "evm" else "solana:testnet"
    headers: dict[str, Any] = {
        "PARSE_ERROR": lambda: encode("x").replace("=", "") + "%",
        "INVALID_PAYLOAD": lambda: signed(mine, wallet, signature=...),
        "INVALID_MESSAGE": lambda: signed("Let me in", wallet),
        "ADDRESS_MISMATCH": lambda: signed(text_of(wallet, address=stranger.address + "1"), wallet),
        "INVALID_CHAIN_ID": lambda: signed(mine, wallet, chainId="base"),
        "CHAIN_MISMATCH": lambda: signed(mine, wallet, chainId=1),
        "UNSUPPORTED_CHAIN": lambda: signed(text_of(wallet, chain=chain), wallet),
        "MISSING_NONCE": lambda: signed(text_of(wallet, nonce=None), wallet),
        "DOMAIN_MISMATCH": lambda: signed(text_of(wallet, domain="evil.example"), wallet),
        "TIMESTAMP_MISMATCH": lambda: signed(mine, wallet, timestamp=NOW * 1000 + 31_000),
        "EXPIRED": lambda: signed(text_of(wallet, issued_at=iso_time(NOW - 301)), wallet),
        "FUTURE_TIMESTAMP": lambda: signed(text_of(wallet, issued_at=iso_time(NOW + 31)), wallet),
        "NOT_BEFORE": lambda: signed(text_of(wallet, not_before=later), wallet),
        "INVALID_SIGNATURE": lambda: signed(mine, wallet, signature=sign_text(wallet, mine + " ")),
        "INVALID_WALLET": lambda: signed(text_of(wallet, address="alice.eth"), wallet, address="alice.eth"),
        "NONCE_REUSED": lambda: signed(mine, wallet),
    }
    assert [*headers] == [name.removeprefix(PREFIX) for name in X402.sign_in.codes]
    return str(headers[code]())


@pytest.mark.rules(
    *("X402-SIW-001", "X402-SIW-002", "X402-SIW-003", "X402-SIW-004", "X402-SIW-005", "X402-SIW-006"),
    *("X402-SIW-007", "X402-SIW-008", "X402-SIW-009", "X402-SIW-010", "X402-SIW-011", "X402-SIW-012"),
    *("X402-SIW-013", "X402-SIW-014", "X402-SIW-015", "X402-SIW-016", "X402-SIW-026", "X402-SIW-027"),
)
@pytest.mark.parametrize("code", [name.removeprefix(PREFIX) for name in X402.sign_in.codes])
@pytest.mark.parametrize("wallet", [ALICE, SOLANGE], ids=["evm", "solana"])
@pytest.mark.parametrize("name", BOTH_NAMES)
def test_each_fault_has_its_code_on_the_edit_path_and_none_on_the_statements(
    make_client: MakeClient, code: str, wallet: Wallet, name: str
) -> None:
    client, header = freeze(make_client()), faulty(code, wallet)
    if code == "NONCE_REUSED":
        assert code_of(knock(client, header, name)) is None
    assert code_of(knock(client, header, name)) == code
    for path in (BALANCE, TRANSACTIONS):
        answer = read(client, path + wallet.address, header, name)
        assert (answer.status, answer.json) == (401, BAD_SIGN_IN)


@pytest.mark.rules("EDIT-AUTH-005", "X402-SIW-002", "X402-SIW-019")
def test_a_payload_needs_address_message_and_signature_and_nothing_else(client: Client) -> None:
    freeze(client)
    text = text_of()
    for name, code in (("address", "PAYLOAD"), ("signature", "PAYLOAD"), ("message", "MESSAGE")):
        assert code_of(knock(client, edited(signed(text), name, value=...))) == f"INVALID_{code}"
    for wrong, code in (("!", "PARSE_ERROR"), ("AAAA", "PARSE_ERROR"), (encode([text]), "INVALID_PAYLOAD")):
        assert code_of(knock(client, wrong)) == code
    optional: list[dict[str, Any]] = [
        *({}, {"chainId": 8453}, {"type": "eip191"}),
        *({"timestamp": NOW * 1000}, {"timestamp": iso_time(NOW)}),
    ]
    for number, more in enumerate(optional):
        assert code_of(knock(client, signed(text_of(nonce=f"optional-{number}"), **more))) is None


@pytest.mark.rules("EDIT-AUTH-007", "X402-SIW-011")
def test_a_sign_in_lives_five_minutes_or_until_its_own_earlier_end(make_client: MakeClient) -> None:
    whole = signed(text_of())
    short = signed(text_of(expiration_time=iso_time(NOW + 60)))
    long = signed(text_of(expiration_time=iso_time(NOW + 3600)))
    for header, life in ((whole, 300), (short, 60), (long, 300)):
        for seconds, code in ((life - 1, None), (life + 1, "EXPIRED")):
            assert code_of(knock(freeze(make_client(), NOW + seconds), header)) == code


@pytest.mark.rules("EDIT-AUTH-009")
@pytest.mark.parametrize(
    "uri", ["https://api.venice.ai", "https://api.venice.ai/api/v1/image/edit", "urn:other"]
)
def test_the_signed_uri_is_not_compared(client: Client, uri: str) -> None:
    assert code_of(knock(freeze(client), signed(text_of(uri=uri)))) is None


@pytest.mark.rules("EDIT-AUTH-010")
def test_an_evm_chain_has_three_spellings(client: Client) -> None:
    freeze(client)
    for number, chain in enumerate((8453, "8453", "eip155:8453")):
        assert code_of(knock(client, signed(text_of(nonce=f"chain-{number}"), chainId=chain))) is None


@pytest.mark.rules("EDIT-AUTH-011")
def test_a_solana_wallet_signs_in_base58_or_base64_and_no_type_means_evm(client: Client) -> None:
    freeze(client)
    said = {"type": "ed25519", "chainId": chain_of(SOLANGE)}
    for number, encoding in enumerate(("base58", "base64")):
        text = text_of(SOLANGE, nonce=f"solana-{number}")
        signature = sign_text(SOLANGE, text)
        if encoding == "base64":
            signature = base64.b64encode(base58.b58decode(signature)).decode()
        assert code_of(knock(client, signed(text, SOLANGE, signature=signature, **said))) is None
    assert code_of(knock(client, signed(text_of()))) is None
    assert (
        code_of(knock(client, signed(text_of(SOLANGE), SOLANGE, chainId="eip155:8453"))) == "CHAIN_MISMATCH"
    )


@pytest.mark.rules("EDIT-AUTH-008", "X402-SIW-020")
def test_a_domain_is_on_the_list_or_the_servers_own_whatever_its_port(client: Client) -> None:
    freeze(client)
    far = called(client, "mock.internal:9000")
    for number, (asked, domain, code) in enumerate(
        (
            (client, "venice.ai", None),
            (client, "https://api.venice.ai:443/path", None),
            (client, "127.0.0.1:1", None),
            (client, "mock.internal:9000", "DOMAIN_MISMATCH"),
            (far, "mock.internal", None),
            (far, "api.venice.ai", None),
            (far, "evil.example", "DOMAIN_MISMATCH"),
            (client, "api.venice.ai.evil.example", "DOMAIN_MISMATCH"),
            (client, "evil.example@api.venice.ai", "DOMAIN_MISMATCH"),
        )
    ):
        header = signed(text_of(domain=domain, nonce=f"domain-{number}"))
        assert code_of(knock(asked, header)) == code, domain


# --- nonces --------------------------------------------------------------------------------------------------


@pytest.mark.rules("EDIT-AUTH-015", "X402-SIW-016")
@pytest.mark.parametrize("wallet", [ALICE, SOLANGE], ids=["evm", "solana"])
def test_a_nonce_serves_a_wallet_once_in_330_seconds(client: Client, wallet: Wallet) -> None:
    freeze(client)

    def again(seconds: float) -> str | None:
        issued = iso_time(NOW + seconds)
        return code_of(
            knock(freeze(client, NOW + seconds), signed(text_of(wallet, issued_at=issued), wallet))
        )

    assert [again(seconds) for seconds in (0, 1, 329, 331, 332)] == [
        None,
        *["NONCE_REUSED"] * 2,
        None,
        "NONCE_REUSED",
    ]
    other = signed(text_of(BOB, issued_at=iso_time(NOW + 332)), BOB)
    assert code_of(knock(client, other)) is None  # another wallet's nonce is another nonce


@pytest.mark.rules("EDIT-AUTH-015")
def test_no_header_outlives_the_memory_of_its_nonce(client: Client) -> None:
    header = signed(text_of(issued_at=iso_time(NOW + 30)))  # as far ahead as may be
    assert code_of(knock(freeze(client), header)) is None
    for seconds in (299.999, 330, 330.001):
        assert code_of(knock(freeze(client, NOW + seconds), header)) in ("NONCE_REUSED", "EXPIRED")


@pytest.mark.rules("X402-SIW-017")
def test_a_nonce_is_burnt_by_a_request_that_fails(client: Client) -> None:
    purse = Purse(freeze(client), ALICE)
    stranger = BALANCE + BOB.address
    ways: list[tuple[Callable[[str], Reply], int]] = [
        (lambda header: knock(client, header), 402),
        (lambda header: purse.edit(header, prompt=""), 400),
        (lambda header: purse.edit(header, model="none-such"), 404),
        (lambda header: read(client, stranger, header), 403),
        (lambda header: read(client, BALANCE + ALICE.address, header), 200),
    ]
    for spend, status in ways:
        header = purse.sign_in()
        assert spend(header).status == status
        assert code_of(knock(client, header)) == "NONCE_REUSED"
        assert read(client, TRANSACTIONS + ALICE.address, header).status == 401


@pytest.mark.rules("X402-SIW-017")
def test_a_nonce_survives_what_is_refused_before_its_signature_is_looked_at(client: Client) -> None:
    purse = Purse(freeze(client), ALICE)
    header = purse.sign_in()
    spoilt = encode({**decode(header), "signature": "0x" + "11" * 65})
    assert code_of(knock(client, spoilt)) == "INVALID_SIGNATURE"
    assert purse.edit(header, headers={"X-PAYMENT": "e30="}).json["code"] == "PAYMENT_HEADER_NOT_ACCEPTED"
    assert (
        client.send(good_body(), content_type="text/plain", headers={BOTH_NAMES[0]: header}, key=None).status
        == 415
    )
    assert read(client, BALANCE + "nobody", header).status == 400
    assert read(client, f"{TRANSACTIONS}{ALICE.address}?limit=0", header).status == 400
    assert code_of(knock(client, header)) is None


# --- wallets beside keys -------------------------------------------------------------------------------------


@pytest.mark.rules("EDIT-AUTH-013")
@pytest.mark.parametrize("name", BOTH_NAMES)
def test_a_wallet_goes_before_a_key(make_client: MakeClient, name: str) -> None:
    client = freeze(make_client(engine="fast"))
    for number, key in enumerate(("a-good-key", "mock_invalid_key")):
        assert code_of(knock(client, signed(text_of(nonce=f"before-{number}")), name, key)) is None
        assert code_of(knock(client, faulty("INVALID_SIGNATURE", ALICE), name, key)) == "INVALID_SIGNATURE"
    assert (
        knock(client, signed(text_of(nonce="both")), name, "mock_ok").headers.get("x-venice-balance-usd")
        is None
    )


@pytest.mark.rules("EDIT-AUTH-004")
def test_of_the_two_header_names_the_newer_goes_first_and_an_empty_one_counts_for_nothing(
    client: Client,
) -> None:
    freeze(client)
    new, old = BOTH_NAMES
    good_one, bad_one = signed(text_of()), faulty("MISSING_NONCE", ALICE)
    assert code_of(client.edit(key=None, headers={old: good_one, new: bad_one}, **good())) == "MISSING_NONCE"
    assert code_of(client.edit(key=None, headers={new: "", old: good_one}, **good())) is None


@pytest.mark.rules("EDIT-AUTH-020")
def test_an_empty_sign_in_beside_a_key_is_the_keys_request(make_client: MakeClient) -> None:
    client = make_client(engine="fast")
    for name in BOTH_NAMES:
        reply = knock(client, "", name, "mock_ok")
        assert (reply.status, "x-venice-balance-usd" in reply.headers) == (200, True)
    assert knock(client, "").json["error"] == "Authentication required"


@pytest.mark.rules("BILL-004")
def test_a_route_for_keys_ignores_a_sign_in(client: Client) -> None:
    freeze(client)
    path, header = "/api/v1/billing/balance", signed(text_of())
    bare = client.send(method="GET", path=path, key=None, content_type=None)
    for name in BOTH_NAMES:
        with_wallet = read(client, path, header, name)
        assert (with_wallet.status, with_wallet.body) == (bare.status, bare.body) == (401, bare.body)
        beside = client.send(method="GET", path=path, headers={name: "%"}, key="mock_ok", content_type=None)
        assert beside.status == 200
    assert code_of(knock(client, header)) is None  # its nonce is as good as new


# --- smart wallets -------------------------------------------------------------------------------------------

CONTRACT = "0x" + "C0" * 20


@pytest.mark.rules("X402-SIW-023", "X402-SIW-024")
def test_a_smart_wallet_needs_a_line_in_the_wallets_file_and_its_owners_signature(
    make_client: MakeClient, tmp_path: Path
) -> None:
    file = wallets_file(tmp_path, smart_wallets={CONTRACT: ALICE.address})
    configured, plain = freeze(make_client(wallets=file)), freeze(make_client())
    text = text_of(address=CONTRACT)
    owners, strangers = signed(text, address=CONTRACT), signed(text, BOB, address=CONTRACT)
    wrapped = signed(
        text, address=CONTRACT, signature="0x" + "00" * 64 + sign_text(ALICE, text)[2:] + "6492" * 16
    )
    assert code_of(knock(plain, owners)) == "INVALID_SIGNATURE"
    for refused in (strangers, wrapped):
        assert code_of(knock(configured, refused)) == "INVALID_SIGNATURE"
    reply = read(configured, BALANCE + CONTRACT, owners)
    assert (reply.status, reply.json["data"]["walletAddress"]) == (200, CONTRACT.lower())
    assert code_of(knock(configured, owners)) == "NONCE_REUSED"
    mine = read(configured, BALANCE + ALICE.address, signed(text_of(nonce="mine")))
    assert mine.json["data"]["walletAddress"] == address_of(ALICE)  # the owner's own wallet stays another one
