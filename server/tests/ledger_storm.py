"""A process that does with accounts on a Redis whatever may be done, for tests with several at once.

``ledger_storm.py URL PREFIX SEED TURNS``. Each line it prints is a row that was booked for it, as JSON, told as soon
as it knows of it; the last one says that it is done.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from decimal import Decimal

from venice_mock.accounts.keys import Opening
from venice_mock.state.redis_link import RedisLink
from venice_mock.state.redis_store import RedisStore
from venice_mock.state.store import Entry, Hold, NoCredit

OPENINGS = {
    "a": Opening(Decimal("1.0001")),
    "b": Opening(Decimal("0.5"), Decimal("2.25")),  # with a spend limit
    "c": Opening(Decimal(0)),
}
PAYMENTS = [f"p{number}" for number in range(40)]  # few, so that all go for the same
FUNDS = Decimal(20)  # of every payer
PAID = Decimal("0.75")
LEASE_S = 2.0
AT_ONCE = 5
DONE = "done"


class Storm:
    """Random verbs; ``holds`` are those that wait for their end."""

    def __init__(self, store: RedisStore, drawn: random.Random) -> None:
        self.store, self.drawn = store, drawn
        self.holds: list[Hold] = []

    async def turn(self) -> None:
        """One verb, or two that belong together."""
        verb = self.drawn.choice(
            (self.hold, self.hold, self.settle, self.settle_twice, self.release, self.credit)
        )
        await verb(self.drawn.choice(sorted(OPENINGS)))

    async def hold(self, account: str) -> None:
        amount, clamp = Decimal(self.drawn.randrange(1, 4000)).scaleb(-4), self.drawn.random() < 0.3
        floor = Decimal("0.1") if clamp else Decimal(0)
        held = await self.store.hold(account, amount, floor=floor, clamp=clamp)
        if isinstance(held, Hold):
            assert held.amount <= amount
            self.holds.append(held)

    async def settle(self, _: str) -> None:
        if self.holds:
            await self.booked(self.taken())

    async def settle_twice(self, _: str) -> None:
        if self.holds:
            hold = self.taken()
            done = await asyncio.gather(self.booked(hold), self.booked(hold), return_exceptions=True)
            assert sum(isinstance(each, KeyError) for each in done) == 1, done

    async def release(self, _: str) -> None:
        if self.holds:
            await self.store.release(self.taken())

    async def credit(self, account: str) -> None:
        payer, payment = self.drawn.choice("xy"), self.drawn.choice(PAYMENTS)
        said = {"payer": payer, "funds": FUNDS, "now": 1.0}
        entry = await self.store.credit(account, payment, PAID, **said)  # type: ignore[arg-type]
        if not isinstance(entry, NoCredit):
            tell(account, entry, payment)

    async def booked(self, hold: Hold) -> None:
        entry = await self.store.settle(hold, now=1.0, request_id=hold.id, model_id="m")
        if entry is not None:
            tell(hold.account, entry, hold.id)

    def taken(self) -> Hold:
        return self.holds.pop(self.drawn.randrange(len(self.holds)))


def tell(account: str, entry: Entry, of: str) -> None:
    """What was booked, for what."""
    row = (entry.id, account, entry.type, str(entry.amount), str(entry.balance_after), of)
    print(json.dumps(row), flush=True)


async def storm(url: str, prefix: str, seed: int, turns: int) -> None:
    """So many turns, some at once; the last holds are left to end by themselves."""
    link = RedisLink(url, patience_s=20.0)
    here = Storm(RedisStore(link, prefix, lease_s=LEASE_S), random.Random(seed))
    for account, opening in OPENINGS.items():
        await here.store.open_account(account, opening)
    for begun in range(0, turns, AT_ONCE):
        await asyncio.gather(*(here.turn() for _ in range(begun, min(turns, begun + AT_ONCE))))
    await link.close()
    print(json.dumps(DONE), flush=True)


if __name__ == "__main__":
    asyncio.run(storm(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
