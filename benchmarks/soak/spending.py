"""Visits that pay with a wallet: top-ups, the same payment again, edits under a sign-in, and looks at the balance."""

from __future__ import annotations

import hashlib
import json
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from benchmarks.soak.asking import Caller, LostError, Reply
from benchmarks.soak.books import Claim
from benchmarks.soak.edits import EDIT, Maker
from benchmarks.soak.notes import Notes
from venice_mock.contract import load_contract
from venice_mock.wallet.signing import Wallet, new_wallet, payment_header, sign_in_header

_X402 = load_contract("2026-06-19").edition.x402
_TOP_UP = "/api/v1/x402/top-up"
_SIGN_IN, _PAYMENT = _X402.sign_in_headers[0], _X402.payment_headers[0]
_MOST_PRICE = Decimal(5)  # no edit costs more


def wallet_of(number: int) -> Wallet:
    """A client's wallet, of both kinds in turn. Anybody can derive its key: it must never hold anything."""
    entropy = hashlib.sha256(f"venice-mock soak wallet {number}: no money here".encode()).digest()
    return new_wallet("solana" if number % 2 else "evm", entropy=entropy)


def account_of(wallet: Wallet) -> str:
    """How the control plane is asked for the wallet's account."""
    return wallet.address.lower() if wallet.kind == "evm" else wallet.address


@dataclass
class Spender:
    """One client's wallet. ``least`` is what it surely has: paid in and not certainly spent."""

    caller: Caller
    notes: Notes
    maker: Maker
    chance: random.Random
    origin: str
    wallet: Wallet
    least: Decimal = Decimal(0)
    _count: int = 0
    _offer: Mapping[str, Any] = field(default_factory=dict)

    def top_up(self) -> None:
        """Pay something in; sometimes hand the same payment in again, which must not count."""
        offer = self._what_is_asked()
        if offer is None:
            return
        dollars = self.chance.randrange(5, 20)
        payment = payment_header(
            self.wallet,
            offer=offer,
            facts=_X402.payments,
            micro_usdc=dollars * 1_000_000,
            now=time.time(),
            nonce=self._nonce(),
        )
        reply = self._ask("top-up", "POST", _TOP_UP, {_PAYMENT: payment})
        amount = Decimal(dollars)
        if reply is None or not self.notes.expected("top-up", reply, self.caller, {200}):
            self._claim(amount, None, sure=False)
            return
        told = json.loads(reply.body, parse_float=Decimal, parse_int=Decimal)["data"]["newBalance"]
        self._claim(amount, None, balance=None if self.caller.met_outage else told)
        self.least += amount
        if self.chance.random() < 0.3:
            again = self._ask("payment sent twice", "POST", _TOP_UP, {_PAYMENT: payment})
            if again is not None:
                self.notes.expected("payment sent twice", again, self.caller, {409})

    def edit(self) -> None:
        """An edit on the wallet's credit."""
        if self.least < _MOST_PRICE:
            self.top_up()
        if self.least < _MOST_PRICE:
            return  # the store is away
        edit = self.maker.draw(self.chance, small=True)
        headers = {"Content-Type": edit.media_type, _SIGN_IN: self._signed(EDIT)}
        reply = self._ask("wallet edit", "POST", EDIT, headers, edit.body)
        done = reply is not None and self.notes.expected("wallet edit", reply, self.caller, {200})
        self._claim(-edit.price, edit.model, sure=done)
        self.least -= edit.price

    def sign_in_twice(self) -> None:
        """A sign-in is good for one request of an edit: the second is refused before anything is paid."""
        if self.least < _MOST_PRICE:
            return
        edit = self.maker.draw(self.chance, small=True)
        headers = {"Content-Type": edit.media_type, _SIGN_IN: self._signed(EDIT)}
        wrong = {**headers, "X-Mock": "error=edit_error"}
        kind = "sign-in with an error to order"  # the 500 uses the sign-in up and costs nothing
        first = self._ask(kind, "POST", EDIT, wrong, edit.body)
        if first is None or not self.notes.expected(kind, first, self.caller, {500}):
            return
        second = self._ask("sign-in sent twice", "POST", EDIT, headers, edit.body)
        if second is not None:
            self.notes.expected("sign-in sent twice", second, self.caller, {401})

    def look(self) -> None:
        """What the wallet has, and what it did."""
        page = self.chance.choice(["balance", "transactions"])
        path = f"/api/v1/x402/{page}/{self.wallet.address}"
        reply = self._ask("wallet page", "GET", path, {_SIGN_IN: self._signed(path)})
        if reply is not None:
            self.notes.expected("wallet page", reply, self.caller, {200})

    def _what_is_asked(self) -> Mapping[str, Any] | None:
        if not self._offer:
            reply = self._ask("top-up offer", "POST", _TOP_UP, {})
            if reply is None or not self.notes.expected("top-up offer", reply, self.caller, {402}):
                return None
            is_evm = self.wallet.kind == "evm"
            accepts = json.loads(reply.body)["accepts"]
            self._offer = next(each for each in accepts if each["network"].startswith("eip155") == is_evm)
        return self._offer

    def _signed(self, path: str) -> str:
        facts = _X402.sign_in
        return sign_in_header(
            self.wallet,
            domain=self.origin.partition("://")[2],
            uri=self.origin + path,
            chain=facts.evm_chain if self.wallet.kind == "evm" else facts.solana_chain,
            now=time.time(),
            nonce=self._nonce().hex(),
            statement=_X402.statement,
        )

    def _nonce(self) -> bytes:
        self._count += 1
        return hashlib.sha256(f"{self.wallet.address} {self._count}".encode()).digest()

    def _claim(
        self, amount: Decimal, model: str | None, *, sure: bool = True, balance: Decimal | None = None
    ) -> None:
        lost = not sure and self.caller.met_outage
        self.notes.claims.append(Claim(account_of(self.wallet), amount, model, sure, balance, lost))

    def _ask(
        self, kind: str, method: str, path: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> Reply | None:
        try:
            return self.caller.ask(method, path, body, headers)
        except LostError as error:
            self.notes.came(kind, "lost!")
            self.notes.found(f"{kind}: the connection was lost: {error}")
            return None
