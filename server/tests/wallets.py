"""What the tests of wallets over HTTP share: wallets with public keys, their headers, a clock to set. No tests."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

from asgi import Client, Reply
from rulekit import EDIT, good, server_of
from venice_mock.contract import load_contract
from venice_mock.times import iso_time
from venice_mock.wallet.desk import wallet_account
from venice_mock.wallet.encoded import parse_instant
from venice_mock.wallet.messages import build_message
from venice_mock.wallet.signing import Wallet, new_wallet, payment_header, sign_in_header, sign_text
from wallet_kit import NOW, decode, encode

MakeClient = Callable[..., Client]  # the fixture make_client

X402 = load_contract("2026-06-19").edition.x402
TOP_UP = "/api/v1/x402/top-up"
BALANCE = "/api/v1/x402/balance/"
TRANSACTIONS = "/api/v1/x402/transactions/"
CLOCK = "/__mock/clock"
BOTH_NAMES = ("SIGN-IN-WITH-X", "X-Sign-In-With-X")
BAD_SIGN_IN = {"error": "Invalid Sign-in-with-x signature"}
NOTHING = Decimal(0)
RATE_LIMITED = {"error": "Rate limit exceeded. Please try again later."}


def wallet_of(sentence: str, kind: Any = "evm") -> Wallet:
    """A wallet whose key anybody can derive: it must never hold anything."""
    return new_wallet(kind, entropy=hashlib.sha256(sentence.encode()).digest())


TOKEN = "the token of the tests"
ALICE = wallet_of("venice-mock test: Alice has no secrets")
BOB = wallet_of("venice-mock test: Bob has none either")
SOLANGE = wallet_of("venice-mock test: nor has Solange", "solana")


def address_of(wallet: Wallet) -> str:
    """The address as the server stores it."""
    return wallet.address.lower() if wallet.kind == "evm" else wallet.address


def chain_of(wallet: Wallet) -> str:
    """The chain that the wallet signs in on."""
    return X402.sign_in.evm_chain if wallet.kind == "evm" else X402.sign_in.solana_chain


def control(client: Client, method: str, path: str, **body: Any) -> Reply:
    """A change through the control plane."""
    headers = {"X-Mock-Token": TOKEN}  # looked at only by a server that wants one
    return client.send(json.dumps(body).encode(), method=method, path=path, headers=headers, key=None)


def freeze(client: Client, at: float = NOW) -> Client:
    """Stop the session's clock at a moment; the client, for chaining."""
    assert control(client, "PUT", CLOCK, frozen_at=iso_time(at)).status == 200
    return client


def advance(client: Client, seconds: float) -> None:
    """Move the session's clock on."""
    assert control(client, "POST", CLOCK + "/advance", seconds=seconds).status == 200


def now_of(client: Client) -> float:
    """The session's time, to the millisecond."""
    return parse_instant(client.get(CLOCK, **{"x-mock-token": TOKEN}).json["now"])


def wallets_file(folder: Path, **tables: Any) -> Path:
    """A wallets file of these tables."""
    file = folder / "wallets.json"
    file.write_text(json.dumps(tables), "utf-8")
    return file


def called(client: Client, host: str) -> Client:
    """The same server, called by another name."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"host", host.encode()), *((n, v) for n, v in scope["headers"] if n != b"host")]
        await client.app({**scope, "headers": headers}, receive, send)

    return Client(app, client.key, client.runner)


def exact(reply: Reply) -> Any:
    """The body with its numbers as they were written."""
    return json.loads(reply.body, parse_float=Decimal, parse_int=Decimal)


def text_of(wallet: Wallet = ALICE, **changes: Any) -> str:
    """A good sign-in text issued at NOW, with some of its parts replaced."""
    said: dict[str, Any] = {
        "kind": wallet.kind,
        "domain": "api.venice.ai",
        "address": wallet.address,
        "uri": "https://api.venice.ai",
        "chain": chain_of(wallet),
        "nonce": "a-nonce-for-once",
        "issued_at": iso_time(NOW),
        "statement": "Sign in to Venice AI",
    }
    return build_message(**{**said, **changes})


def signed(text: str, wallet: Wallet = ALICE, **changes: Any) -> str:
    """A header that carries the text, signed; other members of its payload replaced or, by ``...``, removed."""
    payload = {"address": wallet.address, "message": text, "signature": sign_text(wallet, text), **changes}
    return encode({name: value for name, value in payload.items() if value is not ...})


@dataclass
class Purse:
    """One wallet that talks to one server. Each of its sign-ins and payments has a nonce of its own."""

    client: Client
    wallet: Wallet
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    @property
    def address(self) -> str:
        """The address as the server stores it."""
        return address_of(self.wallet)

    def sign_in(self, **given: Any) -> str:
        """A fresh header value that is good now."""
        said: dict[str, Any] = {
            "domain": "127.0.0.1:8402",
            "uri": "http://127.0.0.1:8402" + EDIT,
            "chain": chain_of(self.wallet),
            "now": now_of(self.client),
            "nonce": f"fresh-{next(self.numbers):08d}",
            "statement": "Sign in to Venice AI",
        }
        return sign_in_header(self.wallet, **{**said, **given})

    def edit(
        self, header: str | None = None, headers: Mapping[str, str] | None = None, **fields: Any
    ) -> Reply:
        """A good edit with some fields replaced, under this sign-in or a fresh one."""
        said = {"SIGN-IN-WITH-X": header or self.sign_in(), **(headers or {})}
        return self.client.edit(key=None, headers=said, **good(**fields))

    def get(self, path: str, header: str | None = None) -> Reply:
        """A GET under this sign-in or a fresh one."""
        said = {"SIGN-IN-WITH-X": header or self.sign_in()}
        return self.client.send(method="GET", path=path, headers=said, key=None, content_type=None)

    def balance(self) -> Decimal:
        """What the balance endpoint says, exactly."""
        reply = self.get(BALANCE + self.wallet.address)
        assert reply.status == 200, reply.body
        told = exact(reply)["data"]["balanceUsd"]
        assert isinstance(told, Decimal)
        return told

    def transactions(self, query: str = "") -> Any:
        """``data`` of a page of transactions, numbers exact."""
        reply = self.get(TRANSACTIONS + self.wallet.address + query)
        assert reply.status == 200, reply.body
        return exact(reply)["data"]

    def offer(self) -> dict[str, Any]:
        """What the server asks of a wallet of this kind, as it tells it."""
        accepts = offers_of(self.client)
        return next(
            each for each in accepts if each["network"].startswith("solana") == (self.wallet.kind != "evm")
        )

    def payment(self, micro_usdc: int = 5_000_000, **given: Any) -> str:
        """A fresh payment header that is good now."""
        said: dict[str, Any] = {
            "offer": self.offer(),
            "facts": X402.payments,
            "now": now_of(self.client),
            "nonce": hashlib.sha256(f"payment {next(self.numbers)}".encode()).digest(),
        }
        return payment_header(self.wallet, micro_usdc=micro_usdc, **{**said, **given})

    def top_up(self, micro_usdc: int = 5_000_000) -> Reply:
        """A fresh payment, handed in."""
        return hand_in(self.client, self.payment(micro_usdc))


def purse_of(make: MakeClient, folder: Path, usd: str, wallet: Wallet = SOLANGE, **settings: Any) -> Purse:
    """A wallet that starts with so many dollars, on a server of its own."""
    file = wallets_file(folder, balances_usd={wallet.address: usd})
    return Purse(make(wallets=file, **{"engine": "fast", **settings}), wallet)


def held_by(purse: Purse) -> Decimal:
    """What of the wallet's balance is promised to edits in work."""
    store = server_of(purse.client).session.store
    return purse.client.runner.run(store.account(wallet_account(purse.address))).held


def offers_of(client: Client) -> list[dict[str, Any]]:
    """``accepts`` of the top-up's 402."""
    reply = client.send(path=TOP_UP, key=None)
    assert reply.status == 402
    accepts = reply.json["accepts"]
    assert isinstance(accepts, list)
    return accepts


def hand_in(client: Client, header: str, name: str = "PAYMENT-SIGNATURE", body: bytes = b"") -> Reply:
    """A top-up with this payment header."""
    return client.send(body, path=TOP_UP, headers={name: header}, key=None)


def edited(header: str, *path: str, value: object) -> str:
    """The header with the value at ``path`` replaced, or removed by ``...``, after it was signed."""
    whole = decode(header)
    holder = whole
    for key in path[:-1]:
        holder = holder[key]
    if value is ...:
        del holder[path[-1]]
    else:
        holder[path[-1]] = value
    return encode(whole)
