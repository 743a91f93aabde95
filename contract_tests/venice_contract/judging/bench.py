"""What the cases of one run share: the connection, the facts, the limits, and who watches each exchange."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from typing import Any

from venice_contract.judging.callers import Purse
from venice_contract.judging.control import Control
from venice_contract.judging.facts import Facts
from venice_contract.pictures.build import PictureCache
from venice_contract.running.limits import Meter, Pacer, Stopped
from venice_contract.wire.message import Exchange, Reply, Request, TransportFault
from venice_contract.wire.secrets import Redactor
from venice_contract.wire.target import Target, Transport

_MOST_SILENT = 3  # requests in a row without an answer: nobody is there any more
EDIT = "/image/edit"
_SOMEBODYS = ("/x402/balance/", "/x402/transactions/")  # answered with 403 when it is somebody else's
TOP_UP = "/x402/top-up"


@dataclass
class Bench:
    """One run's workplace. ``control`` is None for every server that cannot be steered.

    ``memory``: what a server told once and need not be asked again, where asking is limited.
    """

    target: Target
    transport: Transport
    facts: Facts
    purse: Purse
    meter: Meter
    pacer: Pacer
    redactor: Redactor
    random: Random
    wall_clock: Callable[[], float]
    control: Control | None = None
    prefix: str = "/api/v1"
    pictures: PictureCache = field(default_factory=PictureCache)
    watchers: tuple[Callable[[Exchange], None], ...] = ()
    requests: int = 0
    memory: dict[str, Any] = field(default_factory=dict)
    _silent: int = 0

    @property
    def steerable(self) -> bool:
        """Whether the server is a mock that can be steered."""
        return self.control is not None

    def exchange(self, request: Request, price: Decimal | None, label: str, prefix: str) -> Exchange:
        """Send one request, within all limits. ``price``: USD that it could cost; None when it cannot succeed.

        Raises TransportFault, UntestedCost, Stopped.
        """
        return self.exchange_all([request], [price], label, prefix)[0]

    def exchange_all(
        self, requests: list[Request], prices: list[Decimal | None], label: str, prefix: str
    ) -> list[Exchange]:
        """Send all at once. A single request's TransportFault is raised, those of several stand in the result."""
        whole = Decimal(sum((price for price in prices if price is not None), Decimal(0)))
        self.meter.reserve(whole)
        unsettled = whole
        try:
            is_edit = any(request.path.startswith(EDIT) for request in requests)
            is_top_up = any(request.path.startswith(TOP_UP) for request in requests)
            self.pacer.before(is_edit=is_edit, requests=len(requests), is_top_up=is_top_up)
            sent = [self._placed(request, prefix) for request in requests]
            self.requests += len(sent)
            answers = self._send(sent)
            done = []
            for request, price, answer in zip(requests, prices, answers, strict=True):
                if price is not None:
                    self.meter.settle(price, _charged(price, answer))
                    unsettled -= price
                done.append(self._told(request, answer, label))
        finally:
            self.meter.settle(unsettled, Decimal(0))
        for request, answer in zip(requests, answers, strict=True):
            if isinstance(answer, Reply):
                self._own_key_is_known(request, answer)
                self.pacer.after(answer, may_be_forbidden=request.path.startswith(_SOMEBODYS))
        if len(answers) == 1 and isinstance(answers[0], TransportFault):
            raise answers[0]
        return done

    def _send(self, sent: list[Request]) -> list[Reply | TransportFault | None]:
        answers: list[Reply | TransportFault | None]
        if len(sent) == 1:
            try:
                answers = [self.transport.send(sent[0])]
            except TransportFault as fault:
                answers = [fault]
        else:
            answers = self.transport.send_all(sent)
        # An application that fails in process ("failed") is still there.
        silent = [a for a in answers if isinstance(a, TransportFault) and a.kind != "failed"]
        if len(silent) == len(answers):
            self.no_answer(silent[0])
        else:
            self._silent = 0
        return answers

    def _own_key_is_known(self, request: Request, answer: Reply) -> None:
        """Raises Stopped when a careful run's key from the environment is refused: no rule is broken by that."""
        if not self.purse.remote or answer.status != 401 or not request.path.startswith(EDIT):
            return
        variable = self.purse.variable_of(request.headers)
        if variable is not None:
            raise Stopped(f"the server answered 401 to the key in {variable}: is it right, and still valid?")

    def no_answer(self, fault: TransportFault) -> None:
        """Take note of a request without an answer. Raises Stopped when there were too many in a row."""
        self._silent += 1
        if self._silent >= _MOST_SILENT:
            raise Stopped(f"the server no longer answers. {fault}")

    def _told(self, request: Request, answer: Reply | TransportFault | None, label: str) -> Exchange:
        reply = answer if isinstance(answer, Reply) else None
        fault = str(answer) if isinstance(answer, TransportFault) else None
        exchange = Exchange(request, reply, fault, label)
        for watch in self.watchers:
            watch(exchange)
        return exchange

    def _placed(self, request: Request, prefix: str) -> Request:
        if request.absolute:
            return request
        return Request(
            request.method, prefix + request.path, request.headers, request.body,
            request.framing, request.sends, request.then, absolute=True,
        )  # fmt: skip


def _charged(price: Decimal, answer: Reply | TransportFault | None) -> Decimal:
    """What to book: the price when it succeeded, and also when nobody knows."""
    if isinstance(answer, Reply) and 300 <= answer.status < 500:
        return Decimal(0)
    return price
