"""GET /x402/balance and /x402/transactions: what a wallet may read of itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from venice_mock.accounts.callers import signs_in
from venice_mock.accounts.keys import Opening
from venice_mock.errors import Issue, invalid, plain
from venice_mock.state.session import Session
from venice_mock.state.store import Account, Entry
from venice_mock.times import iso_time
from venice_mock.wallet.desk import WalletDesk, dollars, wallet_account
from venice_mock.wallet.discovery import payment_discovery
from venice_mock.wallet.signin import SignInFault
from venice_mock.wallet.world import normal

_MICRO = Decimal(1_000_000)
_MINUTE = 60.0
_DIGITS = 15
_NUMBER = re.compile(rf"-?[0-9]{{1,{_DIGITS}}}")
LARGEST_OFFSET = 10**_DIGITS - 1


@dataclass(frozen=True, slots=True)
class StatementService:
    """Statements of one session. ``limited``: whether the limits a minute are enforced."""

    session: Session
    desk: WalletDesk
    limited: bool

    async def balance(
        self, wallet: str, headers: Mapping[str, str], origin: str, prefix: str = ""
    ) -> dict[str, Any]:
        """The wallet's credit; the server's paths begin with ``prefix``. Raises ApiError 400, 401, 402, 403 or 429."""
        x402 = self.session.contract.edition.x402
        facts = x402.statements
        path = f"{prefix}{facts.balance_path}/{wallet}"
        own = (x402.texts.not_own_balance, "X402-BAL-002")
        address = await self._owner(wallet, headers, origin, path, own)
        await self._limit("balance", address, facts.balance_per_minute, "X402-BAL-005")
        account = await self._account(address)
        return {
            "success": True,
            "data": {
                "walletAddress": address,
                "balanceUsd": dollars(account.balance),
                "canConsume": account.available >= x402.floor_usd,
                "minimumTopUpUsd": dollars(Decimal(x402.minimum_amount) / _MICRO),
                "suggestedTopUpUsd": dollars(Decimal(x402.suggested_amount) / _MICRO),
            },
        }

    async def transactions(
        self,
        wallet: str,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        origin: str,
        prefix: str = "",
    ) -> dict[str, Any]:
        """A page of the wallet's ledger, newest first. Raises ApiError 400, 401, 402, 403 or 429."""
        x402 = self.session.contract.edition.x402
        facts = x402.statements
        path = f"{prefix}{facts.transactions_path}/{wallet}"
        limit, offset = self._page(query)
        own = (x402.texts.not_own_transactions, "X402-TXN-006")
        address = await self._owner(wallet, headers, origin, path, own)
        await self._limit("transactions", address, facts.transactions_per_minute, "X402-TXN-005")
        account = await self._account(address)
        rows, more = await self.session.store.entries(account.id, limit=limit, offset=offset)
        return {
            "success": True,
            "data": {
                "walletAddress": address,
                "currentBalance": dollars(account.balance),
                "transactions": [_row(entry) for entry in rows],
                "pagination": {"limit": limit, "offset": offset, "hasMore": more},
            },
        }

    async def _account(self, address: str) -> Account:
        opening = Opening(self.desk.world.opening_balance(address))
        return await self.session.store.open_account(wallet_account(address), opening)

    async def _owner(
        self, wallet: str, headers: Mapping[str, str], origin: str, path: str, own: tuple[str, str]
    ) -> str:
        """The signed-in owner of ``wallet``. ``own``: what a stranger is told, and the rule that keeps others out."""
        not_own, rule = own
        contract = self.session.contract
        x402 = contract.edition.x402
        if not re.fullmatch(x402.statements.address_pattern, wallet):
            raise invalid(
                contract, [Issue("custom", "walletAddress", x402.texts.bad_address, "X402-BAL-002")]
            )
        if not signs_in(contract, headers):
            error = await payment_discovery(self.session, self.desk.world, origin, path, amount="")
            error.rule, error.hint = rule, "Sign in with the SIGN-IN-WITH-X header."
            raise error
        try:
            signed = await self.desk.verified(headers, origin)
        except SignInFault as fault:
            raise plain(401, x402.texts.bad_sign_in, name=fault.code, rule="X402-SIW-026") from fault
        if signed.address != normal(wallet):
            raise plain(403, not_own, name="X402_WALLET_MISMATCH", rule=rule)
        return signed.address

    async def _limit(self, what: str, address: str, limit: int, rule: str) -> None:
        await limit_requests(self.session, f"{what}:{address}", limit, rule, enforced=self.limited)

    def _page(self, query: Mapping[str, str]) -> tuple[int, int]:
        facts = self.session.contract.edition.x402.statements
        words = self.session.contract.edition.messages
        issues: list[Issue] = []
        values = {"limit": facts.page_default, "offset": 0}
        for name, least, most in (("limit", 1, facts.page_max), ("offset", 0, None)):
            text = query.get(name)
            if text is None:
                continue
            bounds = {"type": "number", "inclusive": True, "exact": False}
            if not _NUMBER.fullmatch(text):
                message = words.number_type.format(received="nan")
                extra: dict[str, Any] = {"expected": "number", "received": "nan"}
                issues.append(Issue("invalid_type", name, message, "X402-TXN-001", extra))
            elif int(text) < least:
                message = words.number_small.format(minimum=least)
                issues.append(Issue("too_small", name, message, "X402-TXN-001", {"minimum": least, **bounds}))
            elif most is not None and int(text) > most:
                message = words.number_big.format(maximum=most)
                issues.append(Issue("too_big", name, message, "X402-TXN-001", {"maximum": most, **bounds}))
            else:
                values[name] = int(text)
        if issues:
            raise invalid(self.session.contract, issues)
        return values["limit"], values["offset"]


async def limit_requests(session: Session, bucket: str, limit: int, rule: str, *, enforced: bool) -> None:
    """Count one request of ``bucket`` in this minute. Raises ApiError 429 over ``limit``, where enforced."""
    now = await session.now()
    window = await session.store.count(bucket, window_s=_MINUTE, now=now, limit=limit if enforced else None)
    if enforced and window.count > limit:
        error = plain(429, session.contract.edition.x402.texts.rate_limited, name="RATE_LIMIT", rule=rule)
        wait = max(1, -int(-(window.resets_at - now) // 1))
        error.headers[session.contract.edition.headers["retry_after"]] = str(wait)
        raise error


def _row(entry: Entry) -> dict[str, Any]:
    kind = entry.type
    if kind == "ADJUSTMENT":  # unknown to the vendor: told as what it amounts to, so that rows add up
        kind = "TOP_UP" if entry.amount > 0 else "CHARGE"
    return {
        "id": entry.id,
        "amount": dollars(entry.amount),
        "balanceAfter": dollars(entry.balance_after),
        "type": kind,
        "createdAt": iso_time(entry.created_at),
        "requestId": entry.request_id,
        "modelId": entry.model_id,
    }
