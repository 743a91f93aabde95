"""Mutants of topping up a wallet: what is asked for, and what becomes of a payment."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import json
from collections.abc import Callable
from decimal import Decimal
from itertools import count
from typing import Any

from msgspec.structs import replace

from mutants.kit import Answer, Mutant, answering, asking, with_data, wrapping
from venice_mock.wallet.payments import Payment, PaymentFault
from venice_mock.wallet.topup import TopUpService

TOP_UP = "/x402/top-up"
_SERVICE = "venice_mock.wallet.topup.TopUpService"
VERIFY = "venice_mock.wallet.topup.verify_payment"

# --- answers ------------------------------------------------------------------------------------------------


def _answer(status: int, change: Callable[[dict[str, Any]], None], new_status: int | None = None) -> Any:
    def altered(_scope: Any, _body: bytes, answer: Answer) -> Answer:
        said = answer.json()
        if answer.status != status or not isinstance(said, dict):
            return answer
        change(said)
        return answer.with_body(said, new_status)

    return altered


def told(
    rule: str, text: str, status: int, change: Callable[[dict[str, Any]], None], *follows: str
) -> Mutant:
    return answering(rule, text, _answer(status, change), where=TOP_UP, follows=follows)


def without(name: str) -> Callable[[dict[str, Any]], None]:
    return lambda body: body.pop(name, None)


def _unauthorized(_scope: Any, _body: bytes, answer: Answer) -> Answer:
    return answer.with_body({"error": "Authentication failed"}, 401) if answer.status == 402 else answer


def _ten_dollars(body: dict[str, Any]) -> None:
    for offer in body.get("accepts", []):
        offer["amount"] = "10000000"


def _short_names(body: dict[str, Any]) -> None:
    for offer in body.get("accepts", []):
        offer["network"] = offer["network"].partition(":")[0].replace("eip155", "base")


def _only_the_credit(body: dict[str, Any]) -> None:
    body["data"]["newBalance"] = body["data"]["amountCredited"]


def _header(name: str, change: Callable[[dict[str, Any]], None] | None) -> Any:
    """Alters what a header holds; None drops it."""

    def altered(_scope: Any, _body: bytes, answer: Answer) -> Answer:
        said = answer.header(name)
        if said is None or change is None:
            return answer.with_header(name, None)
        held = json.loads(base64.b64decode(said))
        change(held)
        return answer.with_header(name, base64.b64encode(json.dumps(held).encode()).decode())

    return altered


def _short_network(held: dict[str, Any]) -> None:
    held["network"] = held["network"].partition(":")[0].replace("eip155", "base")


async def _body_as_payment(scope: Any, body: bytes) -> tuple[Any, bytes]:
    """A body with members is taken for a payment."""
    header = [(b"payment-signature", base64.b64encode(body))] if len(body) > 2 else []
    return {**scope, "headers": [*scope["headers"], *header]}, body


async def _forgetting(scope: Any, body: bytes) -> tuple[Any, bytes]:
    kept = [(name, value) for name, value in scope["headers"] if name.lower() != b"x-payment"]
    return {**scope, "headers": kept}, body


# --- one payment, one credit --------------------------------------------------------------------------------


def _verified(change: Callable[[Payment, str], Payment]) -> Callable[[Any], Any]:
    """Alters what a verified payment is taken for; ``change`` sees the header too."""

    def wrap(original: Any) -> Any:
        return lambda header, **more: change(original(header, **more), header)

    return wrap


_numbers = count()


def _never_the_same(payment: Payment, _header: str) -> Payment:
    return replace(payment, payment_id=f"x402-{next(_numbers):032x}")


def _known_by_header(payment: Payment, header: str) -> Payment:
    return replace(payment, payment_id=f"x402-{abs(hash(header)):032x}"[:37])


def _known_by_amount(payment: Payment, _header: str) -> Payment:
    return replace(payment, payment_id=f"{payment.payment_id}-{payment.micro_usdc}")


def _what_was_asked(payment: Payment, _header: str) -> Payment:
    return replace(payment, micro_usdc=5_000_000)


def _whole_dollars(payment: Payment, _header: str) -> Payment:
    return replace(payment, micro_usdc=payment.micro_usdc // 1_000_000 * 1_000_000)


def _late_duplicates(original: Any) -> Any:
    """Whether a payment was credited is looked up first and noted after, with a pause between."""

    async def credit(self: Any, account: str, payment: str, amount: Decimal, **more: Any) -> Any:
        known = payment in self._payments
        await asyncio.sleep(0)
        if not known:
            self._payments.discard(payment)
        return await original(self, account, payment, amount, **more)

    return credit


# --- shapes and settlements -----------------------------------------------------------------------------------


def decoded(header: str) -> dict[str, Any]:
    held = json.loads(base64.b64decode(header + "=" * (-len(header) % 4)))
    return held if isinstance(held, dict) else {}


def _hybrid_refused(original: Any) -> Any:
    def verify(header: str, **more: Any) -> Any:
        payment = original(header, **more)
        held = decoded(header)
        if held["x402Version"] == 2 and "accepted" not in held:
            raise PaymentFault("INVALID_PAYMENT_FORMAT", "A payment of version 2 names what it accepted.")
        return payment

    return verify


def _settlement(code: str, status: int) -> Callable[[dict[str, Any]], None]:
    def change(edition: dict[str, Any]) -> None:
        edition["x402"]["top_up"]["settlements"][code]["status"] = status

    return change


def _requests(most: int) -> Callable[[dict[str, Any]], None]:
    def change(edition: dict[str, Any]) -> None:
        edition["x402"]["top_up"]["requests_per_minute"] = most

    return change


def _credited_first(original: Any) -> Any:
    """Credit is given before the chain has said anything."""

    async def top_up(self: TopUpService, headers: Any) -> Any:
        failing, good = self.world, dataclasses.replace(self.world, settlements={})
        names = self.session.contract.edition.x402.payment_headers
        if failing.settlements and any(headers.get(name.lower()) for name in names):
            await original(dataclasses.replace(self, world=good), headers)
        return await original(self, headers)

    return top_up


def _asking_always_works(original: Any) -> Any:
    """Only payments learn that payments are not set up."""

    async def top_up(self: TopUpService, headers: Any) -> Any:
        names = self.session.contract.edition.x402.payment_headers
        if not any(headers.get(name.lower()) for name in names):
            good = dataclasses.replace(self.world, settlements={})
            return await original(dataclasses.replace(self, world=good), headers)
        return await original(self, headers)

    return top_up


MUTANTS: tuple[Mutant, ...] = (
    answering(
        "X402-TOP-001",
        "asking what to pay needs credentials",
        _unauthorized,
        where=TOP_UP,
        follows=("X402-TXN-003",),
    ),
    told("X402-TOP-001", "there is no x402Version", 402, without("x402Version"), "X402-TOP-008"),
    told("X402-TOP-002", "ten dollars are asked for", 402, _ten_dollars, "X402-TOP-008"),
    asking("X402-TOP-004", "X-PAYMENT is not read", _forgetting, where=TOP_UP, follows=("X402-TOP-003",)),
    told("X402-TOP-005", "newBalance forgets what was there", 200, _only_the_credit),
    told("X402-TOP-005", "there is no paymentId", 200, lambda body: body["data"].pop("paymentId")),
    wrapping(
        "X402-TOP-006",
        "a payment is credited each time it is sent",
        VERIFY,
        _verified(_never_the_same),
    ),
    wrapping(
        "X402-TOP-006",
        "a payment is known by its header's text",
        VERIFY,
        _verified(_known_by_header),
    ),
    wrapping("X402-TOP-006", "a nonce may pay another amount", VERIFY, _verified(_known_by_amount)),
    wrapping(
        "X402-TOP-006",
        "payments sent at once are all credited",
        "venice_mock.state.memory.MemoryStore.credit",
        _late_duplicates,
        follows=("MOCK-SRV-002",),
    ),
    wrapping("X402-TOP-007", "the flat shape labelled 2 is refused", VERIFY, _hybrid_refused),
    answering(
        "X402-TOP-008",
        "there is no PAYMENT-REQUIRED header",
        _header("payment-required", None),
        where=TOP_UP,
    ),
    told("X402-TOP-008", "networks have short names", 402, _short_names),
    wrapping(
        "X402-TOP-009",
        "what was asked for is credited, not what was signed",
        VERIFY,
        _verified(_what_was_asked),
    ),
    wrapping("X402-TOP-009", "cents are lost", VERIFY, _verified(_whole_dollars)),
    with_data("X402-TOP-021", "a failed settlement is a 400", _settlement("SETTLEMENT_FAILED", 400)),
    wrapping(
        "X402-TOP-021",
        "credit is given before the payment settles",
        f"{_SERVICE}.top_up",
        _credited_first,
        follows=("X402-TOP-022", "X402-TOP-024"),
    ),
    with_data("X402-TOP-022", "a payment in progress is a 202", _settlement("PAYMENT_IN_PROGRESS", 202)),
    with_data(
        "X402-TOP-023",
        "a server without payment answers 501",
        _settlement("X402_NOT_CONFIGURED", 501),
    ),
    wrapping(
        "X402-TOP-023",
        "a server without payment still tells what to pay",
        f"{_SERVICE}.top_up",
        _asking_always_works,
    ),
    with_data(
        "X402-TOP-024",
        "a settlement that hangs is a 500",
        _settlement("SETTLEMENT_TIMEOUT", 500),
    ),
    with_data("X402-TOP-025", "eleven top-ups a minute", _requests(11)),
    with_data("X402-TOP-025", "nine top-ups a minute", _requests(9)),
    asking("X402-TOP-028", "a payment may stand in the body", _body_as_payment, where=TOP_UP),
    answering(
        "X402-TOP-029",
        "the receipt has the network's short name",
        _header("payment-response", _short_network),
        where=TOP_UP,
    ),
    answering(
        "X402-TOP-029",
        "the receipt names no transaction",
        _header("payment-response", without("transaction")),
        where=TOP_UP,
    ),
)
