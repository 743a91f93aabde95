"""Two hundred sessions at once, in one server process, never see one another.

All do the same with the same key, the same wallet and the same names, each with numbers of its own. Nobody goes on
before everybody has come as far.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import httpx
import pytest

from live import running
from pictures import png
from venice_mock.testing import VeniceMock, connect
from wallet_kit import NOW
from wallets import ALICE, BALANCE, signed, text_of

MANY = 200
KEY = "a-key-that-all-share"
_PATIENCE_S = 120.0
PRICE = Decimal("0.04")
ERRORS = {"model_offline": 503, "model_overloaded": 429, "image_edit_error": 500, "request_timeout": 504}


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    """A server as users start it."""
    with running("--engine", "fast") as place:
        yield place


class Visit:
    """What one of the many does, step by step. ``number`` tells it from the others."""

    def __init__(
        self, number: int, mock: VeniceMock, client: httpx.Client, picture: bytes, sign_in: str
    ) -> None:
        self.number = number
        self.mock = mock
        self.client = client
        self.picture = picture
        self.sign_in = sign_in
        self.error = list(ERRORS)[number % len(ERRORS)]
        self.edits = 1 + number % 2
        self.time = datetime.fromtimestamp(NOW, UTC) + timedelta(seconds=number / 2)

    def prepare(self) -> None:
        """Its balance, its rule, its time."""
        self.mock.account(KEY).set(balance_usd=Decimal(1000 + self.number))
        self.mock.rule(error=self.error, times=1, id="the-same-name")
        self.mock.clock.freeze(self.time)

    def edit(self) -> None:
        """One failure by its own rule, then as many edits as are its own."""
        statuses = [self._edit(times) for times in range(1 + self.edits)]
        assert statuses == [ERRORS[self.error], *[200] * self.edits]

    def enter(self) -> None:
        """The wallet's one sign-in is good once in every session."""
        headers = {"SIGN-IN-WITH-X": self.sign_in}
        url = self.mock.base_url.removesuffix("/api/v1") + BALANCE + ALICE.address
        assert [self.client.get(url, headers=headers).status_code for _ in range(2)] == [200, 401]

    def look(self) -> None:
        """Nothing is there but its own."""
        account, spent = self.mock.account(KEY), PRICE * self.edits
        assert account.balance_usd == 1000 + self.number - spent
        assert [row.amount_usd for row in account.ledger if row.type == "CHARGE"] == [-PRICE] * self.edits
        assert self.mock.config["seed"] == self.number
        assert self.mock.clock.now == self.time
        assert [rule.fired for rule in self.mock.rules] == [1]
        requests = self.mock.requests
        edits = [request for request in requests if request.method == "POST"]
        assert {request.prompt for request in edits} == {
            self._prompt(times) for times in range(1 + self.edits)
        }
        assert len(requests) == len(edits) + 2
        assert {request.id for request in requests} == {f"req-{n + 1:06d}" for n in range(len(requests))}
        self.mock.verify(charged=True, exactly=self.edits)
        self.mock.verify_nobody_paid_twice()

    def _edit(self, times: int) -> int:
        by_key = times % 2  # the session is chosen by the path, or by the key
        base = self.mock.origin + "/api/v1" if by_key else self.mock.base_url
        key = f"{KEY}__{self.mock.base_url.split('/')[-3]}" if by_key else KEY
        answer = self.client.post(
            base + "/image/edit",
            headers={"Authorization": f"Bearer {key}"},
            data={"prompt": self._prompt(times)},
            files={"image": self.picture},
        )
        return answer.status_code

    def _prompt(self, times: int) -> str:
        return f"number {self.number}, time {times}"


def test_two_hundred_sessions_at_once_never_see_one_another(origin: str) -> None:
    server = connect(origin)
    picture, sign_in = png((256, 256)), signed(text_of())
    together = threading.Barrier(MANY)

    def visit(number: int) -> str:
        try:
            # A client each: a pool that two hundred threads share closes connections under their hands.
            with httpx.Client(timeout=_PATIENCE_S) as client, server.session(seed=number) as mock:
                this = Visit(number, mock, client, picture, sign_in)
                for step in (this.prepare, this.edit, this.enter, this.look):
                    together.wait(_PATIENCE_S)
                    step()
                together.wait(_PATIENCE_S)
                return mock.base_url
        except BaseException:
            together.abort()  # the others need not wait for this one
            raise

    with ThreadPoolExecutor(MANY) as threads:
        visits = [threads.submit(visit, number) for number in range(MANY)]
    failures = [each.exception() for each in visits if each.exception() is not None]
    told = [error for error in failures if not isinstance(error, threading.BrokenBarrierError)]
    assert told == []
    assert len({each.result() for each in visits}) == MANY
    assert server.requests == []
    assert server.account(KEY).balance_usd == 100
    assert len(httpx.get(origin + "/__mock/sessions").json()["sessions"]) == 1
