"""Mutants of the group ``response`` limits."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from mutants.kit import Answer, Mutant, answering, replaced, with_data, wrapping
from venice_mock.errors import ApiError

_ENDPOINT = "venice_mock.edit.endpoint"
_STORE = "venice_mock.state.memory.MemoryStore"


def _limit(name: str, value: int) -> Callable[[dict[str, Any]], None]:
    def change(edition: dict[str, Any]) -> None:
        edition["limits"][name] = value

    return change


def _budget(**values: Any) -> Callable[[dict[str, Any]], None]:
    """The error budget of both behaviours is another one."""

    def change(edition: dict[str, Any]) -> None:
        for row in edition["differences"]:
            if row["id"] == "error-budget":
                for side in ("documented", "observed"):
                    row[side]["value"] |= values

    return change


def _other_text(name: str, text: str) -> Callable[[dict[str, Any]], None]:
    def change(edition: dict[str, Any]) -> None:
        edition["errors"][name]["text"] = text

    return change


def _with_code(_scope: Any, _body: bytes, answer: Answer) -> Answer:
    """Every 429 without a code gets one."""
    said = answer.json() if answer.status == 429 else None
    if not isinstance(said, dict) or "code" in said:
        return answer
    return answer.with_body({**said, "code": "RATE_LIMIT_EXCEEDED"})


def _without(name: str) -> Callable[[Any, bytes, Answer], Answer]:
    return lambda _scope, _body, answer: answer.with_header(name, None)


def _with(name: str, change: Callable[[str], str]) -> Callable[[Any, bytes, Answer], Answer]:
    """A header, where it is sent, has another value."""

    def altered(_scope: Any, _body: bytes, answer: Answer) -> Answer:
        value = answer.header(name)
        return answer if value is None else answer.with_header(name, change(value))

    return altered


def _one_bucket(count: Any) -> Any:
    """The limit is of the account, whatever the model."""

    async def counted(session: Any, caller: Any, _model: str, now: float, **more: Any) -> Any:
        return await count(session, caller, session.contract.inpaint_models[0].id, now, **more)

    return counted


def _of_all_accounts(count: Any) -> Any:
    """The limit is of the model, whoever calls."""

    async def counted(session: Any, caller: Any, model: str, now: float, **more: Any) -> Any:
        from msgspec.structs import replace

        return await count(session, replace(caller, account="everybody"), model, now, **more)

    return counted


def _always_enforced(count: Any) -> Any:
    async def counted(session: Any, caller: Any, model: str, now: float, **more: Any) -> Any:
        from venice_mock.accounts.limits import enforce

        standing = await count(session, caller, model, now, **(more | {"enforced": True}))
        enforce(session, standing, now)
        return standing

    return counted


def _never_counted(count: Any) -> Any:
    """Without limits nothing is counted either."""

    async def counted(session: Any, caller: Any, model: str, now: float, **more: Any) -> Any:
        return await count(session, caller, model, now, **({"add": 1 if more["enforced"] else 0} | more))

    return counted


async def _forgetting(*_args: Any) -> None:
    """No failure is ever counted."""


def _longer_while_knocking(enforce: Any) -> Any:
    """Who knocks while blocked is blocked anew."""

    async def enforced(session: Any, caller: Any, now: float) -> None:
        try:
            await enforce(session, caller, now)
        except ApiError:
            block = session.contract.way("error-budget")["block_s"]
            await session.store.count(f"blocked:{caller.account}", window_s=block, now=now)
            raise

    return enforced


@asynccontextmanager
async def _kept_on_failure(service: Any, caller: Any) -> AsyncIterator[None]:
    """A place in flight is given back by a success only."""
    limited = caller.kind == "wallet" and service.settings.limits == "real"
    place, contract = f"flight:{caller.account}", service.session.contract
    if limited and not await service.session.store.take_slot(place, contract.edition.limits.wallet_in_flight):
        from venice_mock.errors import refuse

        raise refuse(contract, "X402_CONCURRENCY_LIMIT")
    yield
    if limited:
        await service.session.store.give_slot(place)


@asynccontextmanager
async def _kept_on_departure(service: Any, caller: Any) -> AsyncIterator[None]:
    """A place in flight is given back unless the client left."""
    from venice_mock.edit.body import ClientLeft

    limited = caller.kind == "wallet" and service.settings.limits == "real"
    place, contract = f"flight:{caller.account}", service.session.contract
    if limited and not await service.session.store.take_slot(place, contract.edition.limits.wallet_in_flight):
        from venice_mock.errors import refuse

        raise refuse(contract, "X402_CONCURRENCY_LIMIT")
    try:
        yield
    except ClientLeft:
        raise
    except BaseException:
        await service.session.store.give_slot(place) if limited else None
        raise
    if limited:
        await service.session.store.give_slot(place)


async def _leaking_run(workshop: Any, pixels: int, work: Callable[[], Any]) -> Any:
    """Pixels are given back when the work succeeds, and kept when it fails."""
    import asyncio

    await workshop.budget.acquire(pixels)
    done = await asyncio.wrap_future(workshop._threads.submit(work))
    workshop.budget.release(pixels)
    return done


MUTANTS: tuple[Mutant, ...] = (
    answering("EDIT-RATE-001", "a 429 has a code beside its text", _with_code),
    replaced(
        "EDIT-RATE-001",
        "the limit is never enforced",
        f"{_ENDPOINT}.enforce",
        lambda *_: None,
        follows=("EDIT-RATE-005",),
    ),
    answering(
        "EDIT-RATE-002",
        "no header tells what remains",
        _without("x-ratelimit-remaining-requests"),
        follows=("EDIT-RATE-006",),
    ),
    answering(
        "EDIT-RATE-002",
        "what remains never falls",
        _with("x-ratelimit-remaining-requests", lambda _: "19"),
        follows=("EDIT-RATE-006",),
    ),
    answering(
        "EDIT-RATE-002",
        "the reset is a number of seconds",
        _with("x-ratelimit-reset-requests", lambda _: "60"),
    ),
    answering(
        "EDIT-RATE-002",
        "the reset is in seconds",
        _with("x-ratelimit-reset-requests", lambda value: value[:-3]),
        behavior="observed",
    ),
    with_data("EDIT-RATE-003", "21 failures are tolerated", _budget(failures=21)),
    with_data("EDIT-RATE-003", "a block of ten seconds", _budget(block_s=10)),
    with_data("EDIT-RATE-003", "49 failures are tolerated", _budget(failures=49), behavior="observed"),
    replaced("EDIT-RATE-003", "failures are not counted", f"{_ENDPOINT}.note_failure", _forgetting),
    with_data("EDIT-RATE-003", "failures are remembered for an hour", _budget(window_s=3600)),
    wrapping(
        "EDIT-RATE-003",
        "knocking while blocked prolongs the block",
        f"{_ENDPOINT}.enforce_error_budget",
        _longer_while_knocking,
    ),
    with_data("EDIT-RATE-005", "21 requests a minute", _limit("image_requests_per_minute", 21)),
    with_data("EDIT-RATE-005", "19 requests a minute", _limit("image_requests_per_minute", 19)),
    wrapping(
        "EDIT-RATE-005",
        "one limit for all models",
        f"{_ENDPOINT}.count_request",
        _one_bucket,
        follows=("EDIT-RATE-003",),
    ),
    wrapping("EDIT-RATE-005", "one limit for all accounts", f"{_ENDPOINT}.count_request", _of_all_accounts),
    wrapping("EDIT-RATE-006", "limits are always enforced", f"{_ENDPOINT}.count_request", _always_enforced),
    wrapping(
        "EDIT-RATE-006",
        "requests are counted only when limits are enforced",
        f"{_ENDPOINT}.count_request",
        _never_counted,
        follows=("EDIT-RATE-002",),
    ),
    with_data("EDIT-RATE-007", "six places in flight", _limit("wallet_in_flight", 6)),
    with_data("EDIT-RATE-007", "four places in flight", _limit("wallet_in_flight", 4)),
    replaced(
        "EDIT-RATE-008",
        "a refused request keeps its place in flight",
        f"{_ENDPOINT}.EditService._flight",
        _kept_on_failure,
        follows=("EDIT-HTTP-024",),
    ),
    replaced(
        "EDIT-RATE-008",
        "who leaves keeps the place in flight",
        f"{_ENDPOINT}.EditService._flight",
        _kept_on_departure,
    ),
    replaced(
        "EDIT-RATE-008",
        "pictures that cannot be read keep their pixels",
        "venice_mock.edit.workshop.Workshop.run",
        _leaking_run,
    ),
)
