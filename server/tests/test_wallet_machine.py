"""A state machine over wallets, money and time, beside an exact model of the ledger."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from asgi import Client, Reply
from rulekit import png, server_of, text_of
from venice_mock.app import create_app
from venice_mock.settings import Settings
from venice_mock.times import iso_time
from venice_mock.wallet.desk import wallet_account
from wallet_kit import NOW
from wallets import ALICE, SOLANGE, X402, Purse, advance, exact, freeze, hand_in, wallet_of, wallets_file

PEOPLE = (SOLANGE, ALICE, wallet_of("venice-mock test: and Serge on Solana", "solana"))
WHO = st.integers(0, len(PEOPLE) - 1)
PRICES = {
    "qwen-edit": Decimal("0.04"),
    "wan-2-7-pro-edit": Decimal("0.094"),
    "gpt-image-2-edit": Decimal("0.36"),
}
OPENINGS = (Decimal("0.18"), Decimal("0.34"), Decimal("0.05"))  # short of money soon
FLOOR = Decimal("0.1")
REFUSALS: list[tuple[dict[str, Any], int]] = [
    ({"prompt": ""}, 400),
    ({"colour": "red"}, 400),
    ({"model": "none-such"}, 404),
    ({"aspect_ratio": "1:1", "model": "wan-2-7-pro-edit"}, 400),
    ({"image": text_of(png(10, 10))}, 400),
]
BROKEN = text_of(png(broken=True))
Row = tuple[str, Decimal, Decimal, str, str | None]  # type, amount, balance after, time, model


class Money(RuleBasedStateMachine):
    """Everything that wallets may do to their money, and what the ledger must then say."""

    def __init__(self, store: str) -> None:
        super().__init__()
        self.store = store

    @initialize(observed=st.booleans())
    def open(self, observed: bool) -> None:
        """A fresh server; the model: rows newest last, headers that were used with their times."""
        self.clamps = observed
        behavior: Any = "observed" if observed else "documented"
        opened = {wallet.address: str(usd) for wallet, usd in zip(PEOPLE, OPENINGS, strict=True)}
        with TemporaryDirectory() as folder:
            file = wallets_file(Path(folder), balances_usd=opened)
            app = create_app(Settings(engine="fast", behavior=behavior, wallets=file, store=self.store))
        self.client = freeze(Client(app))
        self.now = NOW
        self.purses = [Purse(self.client, wallet) for wallet in PEOPLE]
        self.rows: list[list[Row]] = [[] for _ in PEOPLE]
        self.sign_ins: list[tuple[int, str, float]] = []
        self.payments: list[tuple[int, str, float]] = []

    def teardown(self) -> None:
        """Close the server."""
        if hasattr(self, "client"):
            self.client.runner.run(server_of(self.client).tenants.close())
            self.client.close()

    def credit(self, who: int) -> Decimal:
        return self.rows[who][-1][2] if self.rows[who] else OPENINGS[who]

    def book(self, who: int, kind: str, amount: Decimal, model: str | None = None) -> None:
        self.rows[who].append((kind, amount, self.credit(who) + amount, iso_time(self.now), model))

    def edit(self, who: int, **fields: Any) -> Reply:
        header = self.purses[who].sign_in()
        self.sign_ins.append((who, header, self.now))
        return self.purses[who].edit(header, **fields)

    def admits(self, who: int, price: Decimal) -> bool:
        return self.credit(who) >= (FLOOR if self.clamps else max(price, FLOOR))

    def is_told_to_pay(self, reply: Reply, who: int, price: Decimal) -> None:
        body = exact(reply)
        assert (reply.status, body["code"]) == (402, "PAYMENT_REQUIRED")
        assert body["currentBalanceUsd"] == self.credit(who)
        assert body["minimumBalanceUsd"] == (FLOOR if self.clamps else max(price, FLOOR))

    @rule(who=WHO, micro=st.sampled_from([5_000_000, 5_000_001, 12_345_678, 10_000_000_000]))
    def top_up(self, who: int, micro: int) -> None:
        header = self.purses[who].payment(micro)
        self.payments.append((who, header, self.now))
        reply = hand_in(self.client, header)
        assert reply.status == 200
        self.book(who, "TOP_UP", Decimal(micro).scaleb(-6))
        data = exact(reply)["data"]
        assert (data["amountCredited"], data["newBalance"]) == (Decimal(micro).scaleb(-6), self.credit(who))

    @rule(who=WHO, micro=st.sampled_from([0, 4_999_999, 10_000_000_001]))
    def top_up_out_of_bounds(self, who: int, micro: int) -> None:
        assert hand_in(self.client, self.purses[who].payment(micro)).status == 400

    @precondition(lambda self: self.payments)
    @rule(data=st.data(), name=st.sampled_from(X402.payment_headers))
    def pay_again(self, data: st.DataObject, name: str) -> None:
        who, header, made = data.draw(st.sampled_from(self.payments))
        over = PEOPLE[who].kind == "evm" and made + 300 < self.now + 6
        reply = hand_in(self.client, header, name)
        assert (reply.status, reply.json["error"]) == (
            (400, "PAYMENT_VERIFICATION_FAILED") if over else (409, "PAYMENT_ALREADY_PROCESSED")
        )

    @rule(who=WHO, model=st.sampled_from(sorted(PRICES)))
    def buy(self, who: int, model: str) -> None:
        price = PRICES[model]
        reply = self.edit(who, model=model)
        if not self.admits(who, price):
            self.is_told_to_pay(reply, who, price)
            return
        assert reply.status == 200
        self.book(who, "CHARGE", -min(price, self.credit(who)), model)
        remaining = None if self.clamps else f"{self.credit(who):.6f}"
        assert reply.headers.get("x-balance-remaining") == remaining

    @rule(who=WHO, refusal=st.sampled_from(REFUSALS))
    def ask_for_what_cannot_be(self, who: int, refusal: tuple[dict[str, Any], int]) -> None:
        fields, status = refusal
        assert self.edit(who, **fields).status == status

    @rule(who=WHO)
    def send_a_broken_picture(self, who: int) -> None:
        reply = self.edit(who, image=BROKEN)
        if self.admits(who, PRICES["qwen-edit"]):
            assert reply.status == 400
        else:
            self.is_told_to_pay(reply, who, PRICES["qwen-edit"])

    @precondition(lambda self: self.sign_ins)
    @rule(data=st.data())
    def sign_in_again(self, data: st.DataObject) -> None:
        who, header, made = data.draw(st.sampled_from(self.sign_ins))
        reply = self.purses[who].edit(header)
        code = "EXPIRED" if self.now > made + 300 else "NONCE_REUSED"
        assert (reply.status, reply.json["code"]) == (401, f"X402_SIGN_IN_{code}")

    @rule(who=WHO)
    def read_the_balance(self, who: int) -> None:
        assert self.purses[who].balance() == self.credit(who)

    @rule(who=WHO, limit=st.integers(1, 4), offset=st.integers(0, 6))
    def read_a_page(self, who: int, limit: int, offset: int) -> None:
        page = self.purses[who].transactions(f"?limit={limit}&offset={offset}")
        newest_first = self.rows[who][::-1]
        members = ("type", "amount", "balanceAfter", "createdAt", "modelId")
        seen = [tuple(row[name] for name in members) for row in page["transactions"]]
        assert seen == newest_first[offset : offset + limit]
        assert page["pagination"]["hasMore"] == (len(newest_first) > offset + limit)
        assert page["currentBalance"] == self.credit(who)

    @rule(seconds=st.sampled_from([0, 1, 29.5, 60, 290, 301, 331]))
    def let_time_pass(self, seconds: float) -> None:
        advance(self.client, seconds)
        self.now += seconds

    @invariant()
    def the_ledgers_laws_hold(self) -> None:
        """What is booked is the model's, adds up, never falls below zero, and nothing stays on hold."""
        store = server_of(self.client).session.store
        for who, purse in enumerate(self.purses):
            rows, more = self.client.runner.run(
                store.entries(wallet_account(purse.address), limit=1000, offset=0)
            )
            booked = [
                (row.type, row.amount, row.balance_after, iso_time(row.created_at), row.model_id)
                for row in reversed(rows)
            ]
            assert (booked, more) == (self.rows[who], False)
            balance = OPENINGS[who]
            for row in reversed(rows):
                assert (row.amount > 0) == (row.type == "TOP_UP")
                balance += row.amount
                assert row.balance_after == balance >= 0
            assert len({row.id for row in rows}) == len(rows)
            if rows:
                account = self.client.runner.run(store.account(wallet_account(purse.address)))
                assert (account.balance, account.held) == (balance, Decimal(0))


@pytest.mark.rules("X402-TXN-003", "X402-TOP-006", "EDIT-PAY-014", "EDIT-PAY-034", "X402-SIW-016")
def test_the_ledger_is_exact_whatever_wallets_do(fresh_store: Callable[[], str]) -> None:
    run_state_machine_as_test(
        cast(Any, lambda: Money(fresh_store())),  # a factory will do
        settings=settings(max_examples=25, stateful_step_count=25, deadline=None, database=None),
    )
