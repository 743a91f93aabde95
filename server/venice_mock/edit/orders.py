"""What was ordered of one edit, by whom, and when it takes effect: the endpoint asks at each of its stages.

Headers are known from the beginning; rules, prompt directives and the key once the body was read. Of those the
header goes first, then a rule, a directive, the key; the server's own options come last.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from msgspec.structs import replace

from venice_mock.accounts.callers import Caller
from venice_mock.accounts.faults import Fault
from venice_mock.accounts.forced import forced_error
from venice_mock.accounts.ordering import directive_of
from venice_mock.accounts.steering import AS_USUAL, Stage, Steering, stage_of
from venice_mock.edit.body import Receive
from venice_mock.edit.fields import RawFields
from venice_mock.edit.waiting import while_connected
from venice_mock.errors import ApiError, plain, refuse
from venice_mock.settings import Latency, Settings
from venice_mock.state.rules import Rule
from venice_mock.state.session import Session
from venice_mock.state.story import Story

_BEFORE_THE_BODY: tuple[Stage, ...] = ("media_type", "payment_header", "credentials")
Spoil = Callable[[Fault], None]


class Call(Protocol):
    """What a request must tell of itself."""

    @property
    def receive(self) -> Receive:
        """The way to its body, and to its departure."""
        ...

    @property
    def steering(self) -> Steering:
        """What its headers order."""
        ...

    @property
    def story(self) -> Story | None:
        """Where it is written down."""
        ...

    @property
    def spoil(self) -> Spoil:
        """Whom to tell how the answer is to be spoilt on its way."""
        ...


class Orders:
    """The orders of one request. ``steering``: what is known of them so far."""

    def __init__(self, session: Session, settings: Settings, call: Call) -> None:
        self.steering = call.steering
        self._session = session
        self._settings = settings
        self._call = call
        self._rule: Rule | None = None
        self._spoil()

    async def learn(self, caller: Caller, raw: RawFields, model_id: str) -> None:
        """The body was read. Raises ApiError 400 for an order that cannot be carried out."""
        session, words = self._session, raw.get("prompt")
        prompt = words if isinstance(words, str) else ""
        directive = AS_USUAL
        if self._settings.prompt_magic:
            directive = directive_of(session.contract, prompt)
        errors = session.contract.edition.errors
        self._rule = await session.rules.match(model_id, prompt, caller.account, errors)
        rule = AS_USUAL if self._rule is None else self._rule.steering
        together = self.steering.over(rule).over(directive).over(caller.steering)
        if together.retry_after is not None and together.error is None:
            raise _no_error(self.steering.over(directive).cause)  # no rule or key has it without an error
        self.steering = together
        await self._keep_rule(self.steering.cause)
        self._spoil()

    async def reach(self, stage: Stage, caller: Caller | None = None, model_id: str = "") -> None:
        """Raise the ApiError that was ordered for this stage, after the pause that was ordered with it."""
        order, contract = self.steering, self._session.contract
        if stage == "work" and order.fault is not None and order.fault.kind == "reset_before_charge":
            await self.pause(order.latency or self._settings.latency)
            raise self._lost(order.fault)
        if order.error is None:
            return
        due = stage_of(contract, order.error)
        # What a rule, a prompt or a key orders for an earlier stage comes as soon as it is known.
        if due != stage and not (stage == "rate" and due in _BEFORE_THE_BODY):
            return
        error = await forced_error(self._session, order, caller, model_id)
        if error is not None:
            await self.pause(order.latency or (self._settings.latency if stage == "work" else None))
            raise error

    def charged(self) -> None:
        """The edit was paid for. Raises ApiError 504 where its answer is to be lost in that way."""
        fault = self.steering.fault
        if fault is None:
            return
        if fault.kind == "charge_then_reset":
            self._call.spoil(replace(fault, kind="reset"))
        if fault.kind == "charge_then_504":
            if self._call.story is not None:
                self._call.story.fault = fault.text
            error = refuse(self._session.contract, "REQUEST_TIMEOUT")
            error.cause = self.steering.cause
            raise error

    async def pause(self, latency: Latency | None) -> None:
        """Let the time pass, unless the client leaves: then ClientLeft is raised."""
        if latency is not None and latency.high > 0:
            seconds = self._session.uniform(latency.low, latency.high)
            await while_connected(self._call.receive, asyncio.sleep(seconds))

    async def refused(self, error: ApiError) -> None:
        """The request ends with this error: who spoils it is a cause too, and a rule that had no part did not fire."""
        fault, steering = self.steering.fault, self.steering
        if fault is not None and fault.spoils_every_answer and steering.cause is not None:
            causes = [*filter(None, (error.cause,)), *steering.cause.split(", ")]
            error.cause = ", ".join(dict.fromkeys(causes))
        await self._keep_rule(error.cause)

    async def _keep_rule(self, causes: str | None) -> None:
        if self._rule is not None and self._rule.steering.cause not in (causes or "").split(", "):
            await self._session.rules.give_back(self._rule)
            self._rule = None

    def _spoil(self) -> None:
        fault = self.steering.fault
        if fault is not None and fault.spoils_every_answer:
            self._call.spoil(fault)

    def _lost(self, fault: Fault) -> ApiError:
        self._call.spoil(replace(fault, kind="reset"))
        error = plain(
            502, "The connection is reset", name="RESET_BEFORE_CHARGE"
        )  # which is what is sent of it
        error.cause = self.steering.cause
        return error


def _no_error(cause: str | None) -> ApiError:
    text = "retry_after goes with an error, and none was ordered, as in: error=rate_limited; retry_after=2"
    error = plain(400, text, name="MOCK_ORDER")
    error.cause = cause
    return error
