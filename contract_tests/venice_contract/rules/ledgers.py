"""The check that a wallet's ledger adds up, whatever the wallet does: a list of steps beside a plain model.

What an edit costs and what a top-up credits are other rules: the model takes amounts as the rows tell them, and
asks that rows never change, follow from one another, and end at the balance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from venice_contract.judging.callers import WalletCaller
from venice_contract.judging.check import check
from venice_contract.judging.expect import at, equal, expect, json_of, list_at, text_at
from venice_contract.judging.facts import Facts
from venice_contract.judging.probe import Probe
from venice_contract.rules.statements import dollars_at, read_page
from venice_contract.wire.message import Request, json_request
from venice_contract.wire.target import API

Step = Sequence[Any]  # a word and perhaps a number: ["top_up", 5], ["edit"], ["refused edit"], ["page", 3]
_START = "0.18"  # enough for some edits and not for many
_WHOLE = 100  # rows that one page can hold; no list of steps books as many


@dataclass(frozen=True, slots=True)
class Row:
    """One row as the model remembers it."""

    id: str
    amount: Decimal
    balance_after: Decimal
    kind: str


@dataclass
class Ledger:
    """What was read of a ledger so far, oldest row first."""

    probe: Probe
    who: WalletCaller
    rows: list[Row] = field(default_factory=list)

    @property
    def balance(self) -> Decimal:
        """Where the rows end."""
        return self.rows[-1].balance_after if self.rows else Decimal(0)

    def take(self) -> list[Row]:
        """Read the whole ledger and compare it with the last reading; the rows that are new."""
        data = at(read_page(self.probe, self.who, limit=_WHOLE), "data")
        found = [_row(row) for row in list_at(data, "transactions")]
        if not _follow(found[::-1]) and _follow(found):  # in which order rows come is another rule
            found.reverse()
        oldest_first = found[::-1]
        expect(_follow(oldest_first), f"a balanceAfter does not follow from the row before: {_told(found)}")
        known = len(self.rows)
        expect(oldest_first[:known] == self.rows, "rows that were read before have changed")
        self.rows = oldest_first
        expect(len({row.id for row in found}) == len(found), "two rows have one id")
        total = sum((row.amount for row in found), Decimal(0))
        equal(total, self.balance, "the sum of all amounts")
        equal(dollars_at(data, "currentBalance"), self.balance, "currentBalance")
        equal(self.probe.balance_of(self.who), self.balance, "the balance of the account")
        return oldest_first[known:]

    def page_through(self, size: int) -> None:
        """Read page after page and compare the whole with what is known."""
        ids: list[str] = []
        more = True
        while more:
            data = at(read_page(self.probe, self.who, limit=size, offset=len(ids)), "data")
            page = [text_at(row, "id") for row in list_at(data, "transactions")]
            expect(0 < len(page) <= size or not self.rows, f"a page of {size} has {len(page)} rows")
            ids += page
            more = bool(at(data, "pagination", "hasMore"))
            equal(more, len(ids) < len(self.rows), f"hasMore after {len(ids)} of {len(self.rows)} rows")
        expect(
            sorted(ids) == sorted(row.id for row in self.rows), f"pages of {size} rows have gaps or repeats"
        )


def _row(row: Any) -> Row:
    return Row(
        text_at(row, "id"), dollars_at(row, "amount"), dollars_at(row, "balanceAfter"), text_at(row, "type")
    )


def _follow(oldest_first: Sequence[Row]) -> bool:
    balance = Decimal(0)
    for row in oldest_first:
        balance += row.amount
        if balance != row.balance_after:
            return False
    return True


def _told(rows: Sequence[Row]) -> str:
    return ", ".join(f"{row.amount} -> {row.balance_after}" for row in rows[:6])


def _steps(_facts: Facts) -> st.SearchStrategy[list[list[Any]]]:
    step = st.one_of(
        st.just(["edit"]),
        st.just(["refused edit"]),
        st.tuples(st.just("edits at once"), st.integers(2, 3)).map(list),
        st.tuples(st.just("top_up"), st.sampled_from((5, 12.5, 7.000001))).map(list),
        st.tuples(st.just("page"), st.integers(1, 4)).map(list),
    )
    return st.lists(step, min_size=1, max_size=6)


@check(
    "X402-TXN-003",
    witnesses=(
        [["edit"], ["refused edit"], ["top_up", 5], ["edit"], ["page", 1], ["page", 3]],
        [["edits at once", 4], ["edit"], ["edit"], ["page", 2], ["top_up", 7.000001], ["edits at once", 3]],
    ),
    strategy=_steps,
    spends=lambda facts, value: _most_edits(value) * facts.price({"model": facts.cheapest().id}),
)
def a_ledger_adds_up(probe: Probe, steps: Sequence[Step]) -> None:
    """After every step the rows are those of before and one for each success, and end at the balance."""
    ledger = Ledger(probe, probe.funded_wallet(_START, "solana"))
    ledger.take()
    for word, *numbers in steps:
        if word == "page":
            ledger.page_through(int(numbers[0]))
        elif word == "top_up":
            served = _top_up(ledger, Decimal(str(numbers[0])))
            _booked(ledger, word, served, positive=True)
        else:
            count = int(numbers[0]) if numbers else 1
            _booked(ledger, word, _edits(ledger, count, refused=word == "refused edit"), positive=False)


def _most_edits(steps: Sequence[Step]) -> int:
    return sum(int(step[1]) if step[0] == "edits at once" else step[0] == "edit" for step in steps)


def _booked(ledger: Ledger, word: str, successes: int, *, positive: bool) -> None:
    new = ledger.take()
    equal(len(new), successes, f"the number of new rows after {word} with {successes} successes")
    for row in new:
        expect((row.amount > 0) == positive and row.amount != 0, f"{word} books an amount of {row.amount}")
        equal(row.kind, "TOP_UP" if positive else "CHARGE", f"the type of the row of {word}")
        expect(row.balance_after >= 0, f"{word} leaves a balance of {row.balance_after}")


def _edits(ledger: Ledger, count: int, *, refused: bool) -> int:
    """So many edits at once; how many succeeded."""
    probe = ledger.probe
    fields = probe.good(prompt="") if refused else probe.good()
    asked = [(json_request(fields), ledger.who)] * count
    replies = probe.send_all(asked, price=probe.facts.price(fields))
    return sum(reply.status == 200 for reply in replies)


def _top_up(ledger: Ledger, usd: Decimal) -> int:
    """One payment of so many dollars; whether it was credited."""
    return int(ledger.probe.send(top_up_request(ledger.probe, ledger.who, usd)).status == 200)


def top_up_request(probe: Probe, who: WalletCaller, usd: Decimal) -> Request:
    """A payment of so many dollars from a Solana wallet, as the server asks for it."""
    from venice_contract.wallets import choose_offer, good_solana_payment

    x402 = probe.facts.edition.x402
    path = x402.top_up.path.removeprefix(API)
    offers = list_at(json_of(probe.status(probe.send(Request("POST", path)), 402)), "accepts")
    payment = good_solana_payment(
        who.wallet,
        choose_offer(offers, "solana"),
        nonce=probe.random.randbytes(32),
        amount=int(usd * 1_000_000),
    )
    return Request("POST", path, ((x402.payment_headers[0], payment.header(who.wallet)),))
