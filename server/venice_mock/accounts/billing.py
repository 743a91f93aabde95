"""GET /billing/balance for API keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from venice_mock.accounts.callers import authenticate_key
from venice_mock.state.session import Session


async def billing_balance(session: Session, headers: Mapping[str, str]) -> dict[str, Any]:
    """The key's balance in USD; nothing is staked, so DIEM is null. Raises ApiError 401 or 403."""
    caller = await authenticate_key(session, headers)
    account = await session.store.account(caller.account)
    return {
        "canConsume": account.available > 0,
        "consumptionCurrency": "USD",
        "balances": {"diem": None, "usd": float(account.balance)},
        "diemEpochAllocation": 0,
    }
