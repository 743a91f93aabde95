"""Edits of wallets that are in work: places in flight, and clients that leave."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from asgi import Reply, request
from rulekit import EDIT, PATIENCE_S, good_body, server_of
from venice_mock.edit import endpoint, making
from venice_mock.wallet.desk import wallet_account
from wallets import ALICE, NOTHING, SOLANGE, MakeClient, Purse, held_by, purse_of, wallets_file

TOO_MANY = {"error": "Too many concurrent requests", "code": "X402_CONCURRENCY_LIMIT"}
making_picture = making.make_picture


class Studio:
    """Pictures that are made only once they may be."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.finish = threading.Event()

    def make(self, *args: Any) -> bytes:
        self.begun.release()
        assert self.finish.wait(PATIENCE_S)
        return making_picture(*args)

    async def working(self, pictures: int = 1) -> None:
        """Wait until so many more pictures were begun."""
        for _ in range(pictures):
            assert await asyncio.to_thread(self.begun.acquire, timeout=PATIENCE_S)


@pytest.fixture
def studio(monkeypatch: pytest.MonkeyPatch) -> Iterator[Studio]:
    made = Studio()
    monkeypatch.setattr(endpoint, "make_picture", made.make)
    yield made
    made.finish.set()


@pytest.mark.rules("EDIT-PAY-014", "EDIT-RATE-008")
def test_an_edit_whose_client_leaves_costs_a_wallet_nothing(
    make_client: MakeClient, tmp_path: Path, studio: Studio
) -> None:
    purse = purse_of(make_client, tmp_path, "0.1", limits="real")
    sent = [("content-type", "application/json"), ("sign-in-with-x", purse.sign_in())]

    async def leave_halfway() -> Reply:
        leave = asyncio.Event()
        asking = asyncio.create_task(
            request(purse.client.app, "POST", EDIT, sent, [good_body()], leave=leave)
        )
        await studio.working()
        account = await server_of(purse.client).session.store.account(wallet_account(purse.address))
        assert account.held == Decimal("0.04")  # or the test would show nothing
        leave.set()
        return await asking

    assert purse.client.runner.run(leave_halfway()).status == 499
    studio.finish.set()
    assert (purse.balance(), held_by(purse), purse.transactions()["transactions"]) == (
        Decimal("0.1"),
        NOTHING,
        [],
    )
    assert purse.edit().status == 200


@pytest.mark.rules("EDIT-RATE-007", "EDIT-RATE-008")
@pytest.mark.parametrize("limits", ["real", "off"])
def test_a_wallet_has_five_edits_in_flight_and_the_sixth_is_too_many_where_limits_are_real(
    make_client: MakeClient, tmp_path: Path, studio: Studio, limits: str
) -> None:
    balances = {ALICE.address: 5, SOLANGE.address: 5}
    file = wallets_file(tmp_path, balances_usd=balances)
    client = make_client(wallets=file, engine="fast", limits=limits)
    solange, alice = Purse(client, SOLANGE), Purse(client, ALICE)
    assert (solange.balance(), alice.balance()) == (Decimal(5), Decimal(5))
    first, sixth, others = [solange.sign_in() for _ in range(5)], solange.sign_in(), alice.sign_in()

    def send(header: str) -> asyncio.Task[Reply]:
        return asyncio.create_task(client.sending(good_body(), headers={"SIGN-IN-WITH-X": header}, key=None))

    async def crowd() -> tuple[list[Reply], Reply, Reply]:
        sent = [send(header) for header in first]
        account, store = wallet_account(SOLANGE.address), server_of(client).session.store
        async with asyncio.timeout(PATIENCE_S):  # all five hold their price, though not all are being painted
            while (await store.account(account)).held < Decimal("0.20"):  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0)
        over, other = send(sixth), send(others)
        if limits == "real":
            await over  # while the five are still there
        studio.finish.set()
        return await asyncio.gather(*sent), await over, await other

    replies, over, other = client.runner.run(crowd())
    assert [reply.status for reply in (*replies, other)] == [200] * 6
    if limits == "real":
        assert (over.status, over.json, over.headers["x-mock-rule"]) == (429, TOO_MANY, "EDIT-RATE-007")
    else:
        assert over.status == 200
    assert [solange.edit().status for _ in range(6)] == [200] * 6  # every place came back
    spent = Decimal("0.04") * (11 if limits == "real" else 12)
    assert (solange.balance(), held_by(solange)) == (5 - spent, NOTHING)
    assert solange.edit(sixth).json["code"] == "X402_SIGN_IN_NONCE_REUSED"
