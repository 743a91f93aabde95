"""Balance and transactions of a wallet over HTTP: who may read them, and what they say."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from asgi import Client, Reply
from venice_mock.times import iso_time
from venice_mock.wallet.signing import Wallet
from wallet_kit import NOW, decode
from wallets import (
    ALICE,
    BAD_SIGN_IN,
    BALANCE,
    BOB,
    RATE_LIMITED,
    SOLANGE,
    TRANSACTIONS,
    X402,
    MakeClient,
    Purse,
    address_of,
    advance,
    freeze,
    wallets_file,
)

WALLETS = pytest.mark.parametrize("wallet", [ALICE, SOLANGE], ids=["evm", "solana"])
PATHS = pytest.mark.parametrize("path", [BALANCE, TRANSACTIONS], ids=["balance", "transactions"])
RULES = {BALANCE: "X402-BAL-002", TRANSACTIONS: "X402-TXN-006"}


def bare(client: Client, path: str, key: str | None = None) -> Reply:
    return client.send(method="GET", path=path, key=key, content_type=None)


@pytest.mark.rules("X402-BAL-001")
@WALLETS
def test_a_fresh_wallet_reads_that_it_has_nothing(client: Client, wallet: Wallet) -> None:
    reply = Purse(client, wallet).get(BALANCE + wallet.address)
    assert reply.status == 200
    assert reply.json == {
        "success": True,
        "data": {
            "walletAddress": address_of(wallet),
            "balanceUsd": 0,
            "canConsume": False,
            "minimumTopUpUsd": 5,
            "suggestedTopUpUsd": 10,
        },
    }


@pytest.mark.rules("X402-BAL-004")
@pytest.mark.parametrize(
    ("usd", "can"), [("0.099999", False), ("0.1", True), ("0.100001", True), ("7", True)]
)
def test_ten_cents_are_enough_to_consume(
    make_client: MakeClient, tmp_path: Path, usd: str, can: bool
) -> None:
    client = make_client(wallets=wallets_file(tmp_path, balances_usd={ALICE.address: usd}))
    data = json.loads(Purse(client, ALICE).get(BALANCE + ALICE.address).body, parse_float=Decimal)["data"]
    assert (data["balanceUsd"], data["canConsume"]) == (Decimal(usd), can)


@pytest.mark.rules("X402-BAL-003")
@PATHS
def test_letter_case_of_an_evm_address_in_the_path_does_not_matter(client: Client, path: str) -> None:
    purse = Purse(client, ALICE)
    for written in (ALICE.address, ALICE.address.lower(), "0x" + ALICE.address[2:].upper()):
        reply = purse.get(path + written)
        assert (reply.status, reply.json["data"]["walletAddress"]) == (200, ALICE.address.lower())
    swapped = Purse(client, SOLANGE).get(path + SOLANGE.address.swapcase())
    assert swapped.status in (400, 403)  # another address, or none at all


# --- who may read --------------------------------------------------------------------------------------------


@pytest.mark.rules("X402-BAL-002", "X402-BAL-006", "X402-TXN-006")
@PATHS
@WALLETS
@pytest.mark.parametrize("key", [None, "mock_ok"])
def test_without_a_sign_in_there_is_a_challenge_and_nothing_to_buy(
    client: Client, path: str, wallet: Wallet, key: str | None
) -> None:
    reply = bare(freeze(client), path + wallet.address, key)
    assert (reply.status, reply.headers["x-mock-rule"]) == (402, RULES[path])
    told, header = reply.json, decode(reply.headers["payment-required"])
    assert {**header, "authOptions": X402.auth_options} == told
    assert (told["x402Version"], told["error"], told["accepts"]) == (2, "Authentication required", [])
    challenge = told["extensions"]["sign-in-with-x"]
    url = f"http://127.0.0.1:8402{path}{wallet.address}"
    assert told["resource"]["url"] == challenge["info"]["uri"] == url
    assert challenge["info"]["issuedAt"] == iso_time(NOW)
    assert [chain["type"] for chain in challenge["supportedChains"]] == ["eip191", "eip1271", "ed25519"]
    info = challenge["info"]
    signed = Purse(client, wallet).sign_in(
        domain=info["domain"], uri=info["uri"], nonce=info["nonce"], statement=info["statement"]
    )
    assert Purse(client, wallet).get(path + wallet.address, signed).status == 200


@pytest.mark.rules("X402-BAL-002", "X402-TXN-006")
@PATHS
def test_another_wallets_statement_is_closed(client: Client, path: str) -> None:
    texts = {
        BALANCE: "You can only access balance for your own wallet",
        TRANSACTIONS: "You can only access transaction history for your own wallet",
    }
    alice, solange = Purse(client, ALICE), Purse(client, SOLANGE)
    for owner, other in ((alice, BOB), (alice, SOLANGE), (solange, ALICE)):
        reply = owner.get(path + other.address)
        assert (reply.status, reply.json) == (403, {"error": texts[path]})
        assert reply.headers["x-mock-rule"] == RULES[path]


@pytest.mark.rules("X402-BAL-002", "X402-SIW-026")
@PATHS
def test_a_bad_sign_in_is_401_and_a_malformed_address_400(client: Client, path: str) -> None:
    purse = Purse(client, ALICE)
    reply = purse.get(path + ALICE.address, "%")
    assert (reply.status, reply.json) == (401, BAD_SIGN_IN)
    for address in ("nobody", ALICE.address[:-1], ALICE.address + "0", ALICE.address[2:], "0" * 40, "I" * 40):
        for wrong in (purse.get(path + address), bare(client, path + address)):
            assert wrong.status == 400, address
            assert wrong.json["error"] == "Invalid request parameters"
            assert [issue["path"] for issue in wrong.json["issues"]] == [["walletAddress"]]


# --- transactions --------------------------------------------------------------------------------------------


@pytest.fixture
def busy(make_client: MakeClient) -> Purse:
    """A wallet with one top-up and six edits, each a second after the last."""
    purse = Purse(freeze(make_client(engine="fast")), SOLANGE)
    assert purse.top_up().status == 200
    for _ in range(6):
        advance(purse.client, 1)
        assert purse.edit().status == 200
    return purse


@pytest.mark.rules("X402-TXN-002", "X402-TXN-004", "X402-TXN-003")
def test_rows_come_newest_first_and_add_up(busy: Purse) -> None:
    page = busy.transactions()
    assert list(page) == ["walletAddress", "currentBalance", "transactions", "pagination"]
    assert (page["walletAddress"], page["currentBalance"]) == (SOLANGE.address, Decimal("4.76"))
    assert page["pagination"] == {"limit": 50, "offset": 0, "hasMore": False}
    rows = page["transactions"]
    members = ["id", "amount", "balanceAfter", "type", "createdAt", "requestId", "modelId"]
    assert all(list(row) == members for row in rows)
    assert len({row["id"] for row in rows}) == 7
    assert [row["createdAt"] for row in rows] == [iso_time(NOW + second) for second in range(6, -1, -1)]
    balance = Decimal(0)
    for row in reversed(rows):
        balance += row["amount"]
        assert row["balanceAfter"] == balance
    assert balance == page["currentBalance"]
    *charges, top_up = rows
    assert (top_up["type"], top_up["amount"], top_up["requestId"], top_up["modelId"]) == (
        "TOP_UP",
        5,
        None,
        None,
    )
    assert {(row["type"], row["amount"], row["modelId"]) for row in charges} == {
        ("CHARGE", Decimal("-0.04"), "qwen-edit")
    }
    assert len({row["requestId"] for row in charges}) == 6


@pytest.mark.rules("X402-TXN-001", "X402-TXN-002", "X402-TXN-003")
def test_pages_join_without_gap_or_repeat(busy: Purse) -> None:
    whole = busy.transactions()["transactions"]
    for limit in (1, 3, 7, 100):
        joined: list[Any] = []
        more = True
        while more:
            page = busy.transactions(f"?limit={limit}&offset={len(joined)}")
            assert page["pagination"] == {
                "limit": limit,
                "offset": len(joined),
                "hasMore": len(joined) + limit < len(whole),
            }
            joined += page["transactions"]
            more = page["pagination"]["hasMore"]
        assert joined == whole
    assert busy.transactions("?offset=7")["transactions"] == []
    assert busy.transactions("?offset=999999999999999")["pagination"]["hasMore"] is False


@pytest.mark.rules("X402-TXN-001")
@pytest.mark.parametrize(
    ("query", "name", "code", "message"),
    [
        ("limit=0", "limit", "too_small", "Number must be greater than or equal to 1"),
        ("limit=101", "limit", "too_big", "Number must be less than or equal to 100"),
        ("offset=-1", "offset", "too_small", "Number must be greater than or equal to 0"),
        ("limit=abc", "limit", "invalid_type", "Expected number, received nan"),
        ("limit=", "limit", "invalid_type", "Expected number, received nan"),
        ("limit=1.5", "limit", "invalid_type", "Expected number, received nan"),
        ("offset=%D9%A5", "offset", "invalid_type", "Expected number, received nan"),
        ("offset=" + "9" * 5000, "offset", "invalid_type", "Expected number, received nan"),
    ],
)
def test_a_page_that_cannot_be_is_refused(
    client: Client, query: str, name: str, code: str, message: str
) -> None:
    reply = Purse(client, SOLANGE).get(f"{TRANSACTIONS}{SOLANGE.address}?{query}")
    assert reply.status == 400
    (issue,) = reply.json["issues"]
    assert (issue["code"], issue["path"], issue["message"]) == (code, [name], message)
    assert reply.json["details"] == {"_errors": [], name: {"_errors": [message]}}


@pytest.mark.rules("X402-TXN-001")
def test_both_faults_of_a_page_are_told_together(client: Client) -> None:
    reply = bare(client, f"{TRANSACTIONS}{SOLANGE.address}?limit=0&offset=-1")
    assert (reply.status, len(reply.json["issues"])) == (400, 2)


# --- limits --------------------------------------------------------------------------------------------------


@pytest.mark.rules("X402-BAL-005", "X402-TXN-005")
@pytest.mark.parametrize(
    ("path", "limit", "rule"), [(BALANCE, 30, "X402-BAL-005"), (TRANSACTIONS, 20, "X402-TXN-005")]
)
def test_a_wallet_reads_so_often_a_minute_where_limits_are_real(
    make_client: MakeClient, path: str, limit: int, rule: str
) -> None:
    purse = Purse(freeze(make_client(limits="real")), SOLANGE)
    other = Purse(purse.client, ALICE)
    assert {purse.get(path + SOLANGE.address).status for _ in range(limit)} == {200}
    assert bare(purse.client, path + SOLANGE.address).status == 402  # strangers use nothing up
    reply = purse.get(path + SOLANGE.address)
    assert (reply.status, reply.json, reply.headers["retry-after"]) == (429, RATE_LIMITED, "60")
    assert reply.headers["x-mock-rule"] == rule
    assert other.get(path + ALICE.address).status == 200
    advance(purse.client, 60)
    assert purse.get(path + SOLANGE.address).status == 200
    relaxed = Purse(make_client(), SOLANGE)
    assert {relaxed.get(path + SOLANGE.address).status for _ in range(limit + 5)} == {200}
