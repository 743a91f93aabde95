"""Rate limits, counted and reported always, enforced only when asked: a suite at 20 requests a minute is useless."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from venice_mock.accounts.callers import Caller
from venice_mock.contract import Contract
from venice_mock.errors import ApiError, refuse
from venice_mock.state.session import Session

MINUTE = 60.0  # seconds


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a caller stands with one model: the limit, how many it has used this minute, when that resets."""

    limit: int
    used: int
    resets_at: float

    def headers(self, contract: Contract) -> dict[str, str]:
        """The three ``-requests`` headers; the reset in seconds or milliseconds as the behaviour says."""
        names = contract.edition.headers
        factor = 1000 if contract.way("ratelimit-reset") == "ms" else 1
        return {
            names["limit_requests"]: str(self.limit),
            names["remaining_requests"]: str(max(0, self.limit - self.used)),
            names["reset_requests"]: str(-int(-self.resets_at * factor // 1)),
        }


async def count_request(
    session: Session, caller: Caller, model_id: str, now: float, *, enforced: bool, add: int = 1
) -> Standing:
    """Count one image request of this account with this model; one that is to be refused is not kept.

    With ``add=0`` nothing is counted.
    """
    limit = session.contract.edition.limits.image_requests_per_minute
    if session.contract.model(model_id) is None:
        model_id = hashlib.sha256(
            model_id.encode("utf-8", "surrogatepass")
        ).hexdigest()  # it may be 30 MB long
    window = await session.store.count(
        f"requests:{caller.account}:{model_id}",
        window_s=MINUTE,
        now=now,
        add=add,
        limit=limit if enforced else None,
    )
    return Standing(limit, window.count, window.resets_at)


def enforce(session: Session, standing: Standing, now: float) -> None:
    """Raise ApiError 429 when the minute's requests are used up."""
    if standing.used > standing.limit:
        wait = max(1, -int(-(standing.resets_at - now) // 1))
        header = session.contract.edition.headers["retry_after"]
        raise refuse(
            session.contract, "RATE_LIMIT_EXCEEDED", rule="EDIT-RATE-001", headers={header: str(wait)}
        )


async def enforce_error_budget(session: Session, caller: Caller, now: float) -> None:
    """Raise ApiError 429 while the caller is blocked for too many failures."""
    contract = session.contract
    budget = contract.way("error-budget")
    block = await session.store.count(f"blocked:{caller.account}", window_s=budget["block_s"], now=now, add=0)
    if block.count:
        error = budget_refusal(contract, block.resets_at, now)
        error.rule = "EDIT-RATE-003"
        raise error


def budget_refusal(contract: Contract, resets_at: float, now: float) -> ApiError:
    """The 429 for too many failures, until ``resets_at``."""
    budget, names = contract.way("error-budget"), contract.edition.headers
    headers = {names["retry_after"]: str(max(1, -int(-(resets_at - now) // 1)))}
    if budget["headers"]:
        headers[names["budget_remaining"]] = "0"
        headers[names["budget_resets"]] = str(int(resets_at * 1000))
    error = refuse(contract, "ERROR_BUDGET", headers=headers)
    error.body["error"] = error.body["error"].format(**budget)
    return error


async def note_failure(session: Session, caller: Caller, now: float) -> None:
    """Count one failed request; the one that passes the budget starts the block."""
    budget = session.contract.way("error-budget")
    failures = await session.store.count(f"failures:{caller.account}", window_s=budget["window_s"], now=now)
    if failures.count > budget["failures"]:
        await session.store.count(f"blocked:{caller.account}", window_s=budget["block_s"], now=now)
