"""Mutants of topping up a wallet."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from itertools import count
from typing import Any

from mutants.kit import Answer, Mutant, answering, asking, with_data, wrapping
from venice_mock.wallet.payments import Payment, PaymentFault
from venice_mock.wallet.topup import TopUpService

_TOP_UP = "/x402/top-up"
_JUDGE = "venice_mock.wallet.payments._Judge"
_SERVICE = "venice_mock.wallet.topup.TopUpService"
_VERIFY = "venice_mock.wallet.topup.verify_payment"
_READING = "venice_mock.wallet.transactions"

# --- answers ------------------------------------------------------------------------------------------------


def _answer(status: int, change: Callable[[dict[str, Any]], None], new_status: int | None = None) -> Any:
    def altered(_scope: Any, _body: bytes, answer: Answer) -> Answer:
        said = answer.json()
        if answer.status != status or not isinstance(said, dict):
            return answer
        change(said)
        return answer.with_body(said, new_status)

    return altered


def _told(
    rule: str, text: str, status: int, change: Callable[[dict[str, Any]], None], *follows: str
) -> Mutant:
    return answering(rule, text, _answer(status, change), where=_TOP_UP, follows=follows)


def _without(name: str) -> Callable[[dict[str, Any]], None]:
    return lambda body: body.pop(name, None)


def _as(rule: str, status: int, code: str, other: str, *follows: str) -> Mutant:
    """One refusal is told under another code."""

    def change(body: dict[str, Any]) -> None:
        if body.get("error") == code:
            body["error"] = other

    return _told(rule, f"{code} is told as {other}", status, change, *follows)


def _unauthorized(_scope: Any, _body: bytes, answer: Answer) -> Answer:
    return answer.with_body({"error": "Authentication failed"}, 401) if answer.status == 402 else answer


def _ten_dollars(body: dict[str, Any]) -> None:
    for offer in body.get("accepts", []):
        offer["amount"] = "10000000"


def _short_names(body: dict[str, Any]) -> None:
    for offer in body.get("accepts", []):
        offer["network"] = offer["network"].partition(":")[0].replace("eip155", "base")


def _with_details_only(body: dict[str, Any]) -> None:
    body["details"] = {"message": body.pop("message", "")}


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


# --- what is looked at --------------------------------------------------------------------------------------


def _decoded(header: str) -> dict[str, Any]:
    held = json.loads(base64.b64decode(header + "=" * (-len(header) % 4)))
    return held if isinstance(held, dict) else {}


def _hybrid_refused(original: Any) -> Any:
    def verify(header: str, **more: Any) -> Any:
        payment = original(header, **more)
        held = _decoded(header)
        if held["x402Version"] == 2 and "accepted" not in held:
            raise PaymentFault("INVALID_PAYMENT_FORMAT", "A payment of version 2 names what it accepted.")
        return payment

    return verify


def _flat_tokens_named(original: Any) -> Any:
    def verify(header: str, **more: Any) -> Any:
        try:
            return original(header, **more)
        except PaymentFault as fault:
            if fault.code == "PAYMENT_VERIFICATION_FAILED" and "accepted" not in _decoded(header):
                raise PaymentFault("UNSUPPORTED_TOKEN", "Payments are accepted in USDC only.") from fault
            raise

    return verify


def _anybody_receives(original: Any) -> Any:
    """Whoever an EVM payment names as its receiver will do."""

    def evm(self: Any, payload: Any, network: Any, receiver: Any) -> Any:
        said = payload.get("authorization")
        payee = said.get("to") if isinstance(said, dict) else None
        return original(
            self, payload, network, replace(receiver, pay_to=payee) if isinstance(payee, str) else receiver
        )

    return evm


def _any_token(original: Any) -> Any:
    """The token that a requirement names is not looked at."""

    def payment(self: Any, header: str) -> Any:
        held = _decoded(header)
        if isinstance(held.get("accepted"), dict):
            held["accepted"].pop("asset", None)
            header = base64.b64encode(json.dumps(held).encode()).decode()
        return original(self, header)

    return payment


def _any_scheme(original: Any) -> Any:
    def payment(self: Any, header: str) -> Any:
        try:
            held = _decoded(header)
        except ValueError:
            return original(self, header)
        for place in (held, held.get("accepted")):
            if isinstance(place, dict) and "scheme" in place:
                place["scheme"] = "exact"
        return original(self, base64.b64encode(json.dumps(held).encode()).decode())

    return payment


def _any_sepolia(edition: dict[str, Any]) -> None:
    edition["x402"]["payments"]["networks"][0]["names"].append("eip155:84532")


def _payments(name: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(edition: dict[str, Any]) -> None:
        edition["x402"]["payments"][name] = value

    return change


def _settlement(code: str, status: int) -> Callable[[dict[str, Any]], None]:
    def change(edition: dict[str, Any]) -> None:
        edition["x402"]["top_up"]["settlements"][code]["status"] = status

    return change


def _requests(most: int) -> Callable[[dict[str, Any]], None]:
    def change(edition: dict[str, Any]) -> None:
        edition["x402"]["top_up"]["requests_per_minute"] = most

    return change


def _endless_funds(_original: Any) -> Any:
    return lambda _self, _wallet: None


def _any_signature(_original: Any) -> Any:
    return lambda _self, _transaction, _receiver: None


def _any_fee_payer(original: Any) -> Any:
    from venice_mock.wallet import solana

    def check(self: Any, transaction: Any, receiver: Any) -> None:
        payer = solana.encode_base58(transaction.message.accounts[0])
        original(self, transaction, replace(receiver, fee_payer=payer))

    return check


def _not_to_the_end(original: Any) -> Any:
    """Nothing behind the transfer is looked at."""

    def read(message: Any) -> Any:
        return original(replace(message, instructions=message.instructions[:3]))

    return read


def _credited_first(original: Any) -> Any:
    """Credit is given before the chain has said anything."""

    async def top_up(self: TopUpService, headers: Any) -> Any:
        failing, good = self.world, replace(self.world, settlements={})
        names = self.session.contract.edition.x402.payment_headers
        if failing.settlements and any(headers.get(name.lower()) for name in names):
            await original(replace(self, world=good), headers)
        return await original(self, headers)

    return top_up


def _asking_always_works(original: Any) -> Any:
    """Only payments learn that payments are not set up."""

    async def top_up(self: TopUpService, headers: Any) -> Any:
        names = self.session.contract.edition.x402.payment_headers
        if not any(headers.get(name.lower()) for name in names):
            return await original(replace(self, world=replace(self.world, settlements={})), headers)
        return await original(self, headers)

    return top_up


MUTANTS: tuple[Mutant, ...] = (
    answering("X402-TOP-001", "asking what to pay needs credentials", _unauthorized, where=_TOP_UP),
    _told(
        "X402-TOP-001",
        "accepts is empty",
        402,
        lambda body: body.update(accepts=[]) if "accepts" in body else None,
    ),
    _told("X402-TOP-002", "ten dollars are asked for", 402, _ten_dollars, "X402-TOP-008"),
    _told("X402-TOP-003", "a refusal has no sentence", 400, _without("message")),
    _told("X402-TOP-003", "the sentence stands under details", 400, _with_details_only),
    asking("X402-TOP-004", "X-PAYMENT is not read", _forgetting, where=_TOP_UP, follows=("X402-TOP-003",)),
    _told("X402-TOP-005", "newBalance forgets what was there", 200, _only_the_credit),
    _told("X402-TOP-005", "there is no paymentId", 200, lambda body: body["data"].pop("paymentId")),
    wrapping(
        "X402-TOP-006",
        "a payment is credited each time it is sent",
        _VERIFY,
        _verified(_never_the_same),
    ),
    wrapping(
        "X402-TOP-006",
        "a payment is known by its header's text",
        _VERIFY,
        _verified(_known_by_header),
    ),
    wrapping("X402-TOP-006", "a nonce may pay another amount", _VERIFY, _verified(_known_by_amount)),
    wrapping(
        "X402-TOP-006",
        "payments sent at once are all credited",
        "venice_mock.state.memory.MemoryStore.credit",
        _late_duplicates,
    ),
    wrapping("X402-TOP-007", "the flat shape labelled 2 is refused", _VERIFY, _hybrid_refused),
    answering(
        "X402-TOP-008",
        "there is no PAYMENT-REQUIRED header",
        _header("payment-required", None),
        where=_TOP_UP,
    ),
    _told("X402-TOP-008", "networks have short names", 402, _short_names),
    wrapping(
        "X402-TOP-009",
        "what was asked for is credited, not what was signed",
        _VERIFY,
        _verified(_what_was_asked),
    ),
    wrapping("X402-TOP-009", "cents are lost", _VERIFY, _verified(_whole_dollars)),
    _as("X402-TOP-010", 400, "INVALID_PAYMENT_FORMAT", "X402_INVALID_PAYMENT"),
    _as("X402-TOP-011", 400, "INVALID_PAYMENT", "PAYMENT_VERIFICATION_FAILED"),
    with_data("X402-TOP-012", "a test network is taken for Base", _any_sepolia),
    _as("X402-TOP-012", 400, "UNSUPPORTED_NETWORK", "INVALID_PAYMENT"),
    wrapping(
        "X402-TOP-013",
        "an EVM payment may be made out to anybody",
        f"{_JUDGE}._evm",
        _anybody_receives,
    ),
    _as("X402-TOP-013", 400, "INVALID_PAYMENT_RECIPIENT", "PAYMENT_VERIFICATION_FAILED"),
    wrapping(
        "X402-TOP-014",
        "the token that is named is not looked at",
        f"{_JUDGE}.payment",
        _any_token,
    ),
    wrapping("X402-TOP-015", "the scheme is not looked at", f"{_JUDGE}.payment", _any_scheme),
    _as("X402-TOP-016", 400, "INVALID_AMOUNT", "AMOUNT_TOO_LOW"),
    _as("X402-TOP-017", 400, "INVALID_PAYMENT_PAYER", "INVALID_PAYMENT"),
    with_data(
        "X402-TOP-018",
        "a millionth less than five dollars will do",
        _payments("min_micro_usdc", 4_999_999),
    ),
    with_data(
        "X402-TOP-019",
        "a millionth more than ten thousand dollars will do",
        _payments("max_micro_usdc", 10_000_000_001),
    ),
    with_data("X402-TOP-020", "payments never expire", _payments("margin_s", -(10**9))),
    wrapping(
        "X402-TOP-020",
        "nobody asks whether the payer has the funds",
        "venice_mock.wallet.world.World.funds_of",
        _endless_funds,
    ),
    wrapping(
        "X402-TOP-020",
        "Solana signatures are not verified",
        f"{_JUDGE}._check_signatures",
        _any_signature,
        follows=("X402-TOP-027",),
    ),
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
    wrapping(
        "X402-TOP-027",
        "what follows the transfer is not looked at",
        f"{_READING}.read_transfer",
        _not_to_the_end,
    ),
    wrapping("X402-TOP-027", "anybody may pay the fees", f"{_JUDGE}._check_signatures", _any_fee_payer),
    asking("X402-TOP-028", "a payment may stand in the body", _body_as_payment, where=_TOP_UP),
    answering(
        "X402-TOP-029",
        "the receipt has the network's short name",
        _header("payment-response", _short_network),
        where=_TOP_UP,
    ),
    answering(
        "X402-TOP-029",
        "the receipt names no transaction",
        _header("payment-response", _without("transaction")),
        where=_TOP_UP,
    ),
    wrapping("X402-TOP-030", "another token is told by name", _VERIFY, _flat_tokens_named),
)
