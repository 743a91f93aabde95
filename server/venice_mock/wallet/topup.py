"""POST /x402/top-up: what must be paid, and the one credit for each payment that verifies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from venice_mock.accounts.keys import Opening
from venice_mock.errors import ApiError
from venice_mock.state.session import Session
from venice_mock.state.store import NoCredit
from venice_mock.wallet.desk import dollars, wallet_account
from venice_mock.wallet.discovery import payment_offers
from venice_mock.wallet.encoded import encode_header
from venice_mock.wallet.payments import Payment, PaymentFault, verify_payment
from venice_mock.wallet.world import World

_RULES = {
    "INVALID_PAYMENT_FORMAT": "X402-TOP-010",
    "INVALID_PAYMENT": "X402-TOP-011",
    "UNSUPPORTED_NETWORK": "X402-TOP-012",
    "INVALID_PAYMENT_RECIPIENT": "X402-TOP-013",
    "UNSUPPORTED_TOKEN": "X402-TOP-014",
    "UNSUPPORTED_SCHEME": "X402-TOP-015",
    "INVALID_AMOUNT": "X402-TOP-016",
    "INVALID_PAYMENT_PAYER": "X402-TOP-017",
    "AMOUNT_TOO_LOW": "X402-TOP-018",
    "AMOUNT_TOO_HIGH": "X402-TOP-019",
    "PAYMENT_VERIFICATION_FAILED": "X402-TOP-020",
    "SETTLEMENT_FAILED": "X402-TOP-021",
    "PAYMENT_IN_PROGRESS": "X402-TOP-022",
    "X402_NOT_CONFIGURED": "X402-TOP-023",
    "SETTLEMENT_TIMEOUT": "X402-TOP-024",
}
_NOT_CONFIGURED = "X402_NOT_CONFIGURED"


@dataclass(frozen=True, slots=True)
class TopUpAnswer:
    """200: the body, and the PAYMENT-RESPONSE header."""

    body: dict[str, Any]
    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class TopUpService:
    """Takes payments for one session."""

    session: Session
    world: World

    async def top_up(self, headers: Mapping[str, str]) -> TopUpAnswer:
        """Answer one request; its body does not matter. Raises ApiError."""
        if self.world.settlement_of("*") == _NOT_CONFIGURED:
            raise self._settlement_error(_NOT_CONFIGURED)
        names = self.session.contract.edition.x402.payment_headers
        value = next((value for name in names if (value := headers.get(name.lower()))), None)
        if value is None:
            raise self._requirements()
        payment = await self._verified(value)
        failure = self.world.settlement_of(payment.payer)
        if failure is not None:
            raise self._settlement_error(failure)
        return await self._settled(payment)

    def _requirements(self) -> ApiError:
        contract = self.session.contract
        x402 = contract.edition.x402
        offers = payment_offers(contract, self.world, x402.minimum_amount, caip2=True)
        body = {"x402Version": x402.version, "accepts": offers}
        header = contract.edition.headers["payment_required"]
        return ApiError(
            402,
            body,
            name="TOP_UP_REQUIREMENTS",
            rule="X402-TOP-001",
            headers={header: encode_header(body)},
        )

    async def _verified(self, value: str) -> Payment:
        facts = self.session.contract.edition.x402.payments
        now = await self.session.now()
        try:
            return verify_payment(value, facts=facts, receivers=self.world.receivers, now=now)
        except PaymentFault as fault:
            body: dict[str, Any] = {"error": fault.code, "message": fault.message}
            if fault.details:
                body["details"] = dict(fault.details)
            raise ApiError(400, body, name=fault.code, rule=_RULES[fault.code]) from fault

    async def _settled(self, payment: Payment) -> TopUpAnswer:
        contract, store = self.session.contract, self.session.store
        account = wallet_account(payment.payer)
        await store.open_account(account, Opening(self.world.opening_balance(payment.payer)))
        amount = Decimal(payment.micro_usdc).scaleb(-6)
        entry = await store.credit(
            account,
            payment.payment_id,
            amount,
            payer=payment.payer,
            funds=self.world.funds_of(payment.payer),
            now=await self.session.now(),
        )
        if isinstance(entry, NoCredit):
            if entry.reason == "duplicate":
                raise self._settlement_error(contract.edition.x402.top_up.duplicate_code)
            code = "PAYMENT_VERIFICATION_FAILED"
            message = contract.edition.x402.payments.refusals[code]
            body = {"error": code, "message": message, "details": {"reason": "insufficient_funds"}}
            raise ApiError(400, body, name=code, rule=_RULES[code])
        receipt = {
            "success": True,
            "network": payment.network,
            "payer": payment.payer,
            "transaction": payment.transaction,
        }
        return TopUpAnswer(
            {
                "success": True,
                "data": {
                    "walletAddress": payment.payer,
                    "amountCredited": dollars(amount),
                    "newBalance": dollars(entry.balance_after),
                    "paymentId": payment.payment_id,
                },
            },
            {contract.edition.headers["payment_response"]: encode_header(receipt)},
        )

    def _settlement_error(self, code: str) -> ApiError:
        contract = self.session.contract
        top_up = contract.edition.x402.top_up
        spec = top_up.settlements[code]
        status, rule = spec.status, _RULES.get(code)
        if code == top_up.duplicate_code:
            status, rule = int(contract.way("topup-resubmitted")), "X402-TOP-026"
        return ApiError(status, {"error": code, "message": spec.message}, name=code, rule=rule)
