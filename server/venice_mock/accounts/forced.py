"""Errors made to order: from a ``Steering`` to the vendor's answer, with headers that are true."""

from __future__ import annotations

from venice_mock.accounts.callers import Caller
from venice_mock.accounts.limits import MINUTE, Standing, budget_refusal, count_request
from venice_mock.accounts.steering import Steering
from venice_mock.errors import ApiError, Issue, invalid, refuse
from venice_mock.state.session import Session

_GRACE_S = 10.0  # ours: so long after the moment told a rate-limited caller is served, before it begins again
_WITHOUT_STANDING = ("ERROR_BUDGET", "X402_CONCURRENCY_LIMIT")  # they go before the count of requests


async def forced_error(
    session: Session, steering: Steering, caller: Caller | None, model_id: str
) -> ApiError | None:
    """The error that was ordered; None when the order asks for none, or for none any more.

    ``caller`` is None before credentials were looked at. Raises KeyError for a name that the table lacks.
    """
    name, contract, now = steering.error, session.contract, await session.now()
    if name is None:
        return None
    if caller is not None and steering.times is not None:
        failing = await session.store.strike(caller.account, steering.times)
        if not failing:
            return None
    wait = steering.retry_after
    if name == "INVALID_REQUEST":
        error = invalid(contract, [Issue("custom", None, "Asked for by the request's X-Mock or Prefer", "")])
        error.rule = None  # none was broken
    elif name == "ERROR_BUDGET":
        block = contract.way("error-budget")["block_s"] if wait is None else wait
        error = budget_refusal(contract, now + block, now)
    elif name == "RATE_LIMIT_EXCEEDED" and caller is not None:
        resets_at = await _window_end(session, steering, caller, model_id, now)
        if resets_at is None:
            return None
        error = refuse(contract, name)
        limit = contract.edition.limits.image_requests_per_minute
        error.headers |= Standing(limit, limit, resets_at).headers(contract)
        if wait is None or steering.ends:
            wait = max(0 if wait == 0 else 1, -int(-(resets_at - now) // 1))
    else:
        error = refuse(contract, name)
        if error.status == 429 and caller is not None and name not in _WITHOUT_STANDING:
            standing = await count_request(session, caller, model_id, now, enforced=False, add=0)
            error.headers |= standing.headers(contract)
    if wait is not None:
        error.headers[contract.edition.headers["retry_after"]] = str(wait)
    error.cause = steering.cause
    return error


async def _window_end(
    session: Session, steering: Steering, caller: Caller, model_id: str, now: float
) -> float | None:
    """When the caller's minute, which is said to be used up, will be over; None when it was waited for."""
    wait = steering.retry_after
    if steering.ends:
        minute = MINUTE if wait is None else wait
        used_up = await session.store.count(
            f"used-up:{minute:g}:{caller.account}", window_s=minute + _GRACE_S, now=now, limit=1
        )
        end = used_up.resets_at - _GRACE_S
        return None if used_up.count > 1 and now >= end else end
    if wait is not None:
        return now + wait
    standing = await count_request(session, caller, model_id, now, enforced=False, add=0)
    return standing.resets_at if standing.used else now + MINUTE
