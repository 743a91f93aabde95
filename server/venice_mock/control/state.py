"""GET and PUT /__mock/state: a session's state as one versioned JSON value, out and in again. No HTTP here.

Secrets are never in it. An account goes by its name in the store, which for a key is a hash: whoever brings the
key finds the account again, and nobody finds the key. A part that is not given is left as it is; a part that is
given replaces what was there, all of them or none.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal

import msgspec

from venice_mock import __version__
from venice_mock.accounts.keys import Opening, Status, is_account_id
from venice_mock.control.accounts import usd
from venice_mock.control.config import LONGEST_IMPORTED, config_of, no_session, plan_of
from venice_mock.control.config import WHAT as CONFIG
from venice_mock.control.reading import bad, decode, judged
from venice_mock.control.rules import describe_rule, rule_of
from venice_mock.errors import ApiError
from venice_mock.state.rules import RuleExists, TooManyRules
from venice_mock.state.store import Account, ClockState, Entry, EntryType, KeptAccount, Snapshot
from venice_mock.tenancy import Tenants
from venice_mock.tenant import Tenant
from venice_mock.times import iso_time
from venice_mock.wallet.desk import wallet_account
from venice_mock.wallet.world import normal

FORMAT = "venice-mock-state"
VERSION = 1
LONGEST = 64 << 20  # ours: bytes of a file
_WHAT = "State"
_AMOUNT = re.compile(r"-?[0-9]{1,13}(\.[0-9]{1,18})?")
_ENTRY_ID = re.compile(r"txn-[0-9]{12,15}")
_PAYMENT_ID = re.compile(r"[\x21-\x7e]{1,100}")
_LONGEST_TEXT = 500  # ours: characters of a nonce, a request's id, a model's
_LATEST_S = 5e9  # ours: within what ISO 8601 with four digits can say
_MOST_STRIKES = 2**31


class LedgerEntry(msgspec.Struct, forbid_unknown_fields=True):
    """One row of a ledger, as /ledger tells it."""

    id: str
    type: EntryType
    amount_usd: str
    balance_after_usd: str
    created_at: str
    request_id: str | None = None
    model_id: str | None = None


class OpeningState(msgspec.Struct, forbid_unknown_fields=True):
    """How an account was opened, which is what a reset leads back to."""

    balance_usd: str
    spend_limit_usd: str | None = None
    status: Status = "active"


class AccountState(msgspec.Struct, forbid_unknown_fields=True):
    """An account; without ``opened_with`` it was opened with its balance less what the ledger says."""

    balance_usd: str
    spent_usd: str = "0"
    spend_limit_usd: str | None = None
    status: Status = "active"
    opened_with: OpeningState | None = None
    strikes: int = 0
    ledger: list[LedgerEntry] = []


class PaymentState(msgspec.Struct, forbid_unknown_fields=True):
    """Top-ups: the ids of those that were booked, and the USD that each payer spent on the simulated chain."""

    booked: list[str] = []
    paid_on_chain_usd: dict[str, str] = {}


class NonceState(msgspec.Struct, forbid_unknown_fields=True):
    """A nonce that is used up for a while."""

    owner: str
    nonce: str
    until: str


class ClockPart(msgspec.Struct, forbid_unknown_fields=True):
    """How the session's clock differs from the wall's."""

    frozen_at: str | None = None
    offset_s: float = 0.0


class StateFile(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """The whole file. ``mock``, ``session`` and ``exported_at`` are told, and taken back without effect."""

    format: Literal["venice-mock-state"]
    version: int
    mock: str | msgspec.UnsetType = msgspec.UNSET
    session: str | msgspec.UnsetType = msgspec.UNSET
    exported_at: str | msgspec.UnsetType = msgspec.UNSET
    config: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET
    clock: ClockPart | msgspec.UnsetType = msgspec.UNSET
    accounts: dict[str, AccountState] | msgspec.UnsetType = msgspec.UNSET
    payments: PaymentState | msgspec.UnsetType = msgspec.UNSET
    nonces: list[NonceState] | msgspec.UnsetType = msgspec.UNSET
    rules: list[dict[str, Any]] | msgspec.UnsetType = msgspec.UNSET


async def export_state(tenant: Tenant) -> dict[str, Any]:
    """The session's state. What edits in work hold is not taken from anybody in it."""
    session = tenant.session
    kept = await session.store.snapshot()
    clock = kept.clock or ClockState()
    frozen = None if clock.frozen_at is None else iso_time(clock.frozen_at)
    return {
        "format": FORMAT,
        "version": VERSION,
        "mock": __version__,
        "session": tenant.id,
        "exported_at": iso_time(await session.now()),
        "config": config_of(tenant),
        "clock": {"frozen_at": frozen, "offset_s": clock.offset_s},
        "accounts": {each.account.id: _account(each) for each in kept.accounts or ()},
        "payments": {
            "booked": sorted(kept.payments or ()),
            "paid_on_chain_usd": {who: usd(paid) for who, paid in (kept.paid_on_chain or {}).items()},
        },
        "nonces": [
            {"owner": owner, "nonce": nonce, "until": iso_time(until)}
            for owner, nonce, until in kept.nonces or ()
        ],
        "rules": [describe_rule(rule) for rule in await tenant.rules.all()],
    }


async def import_state(tenants: Tenants, tenant: Tenant, body: bytes) -> dict[str, Any]:
    """Make the session what ``body`` says, once all of it was judged. Raises ApiError 400, and 404 when it ended.

    What is drawn at random begins again, and nothing is counted against a rate limit.
    """
    wanted = decode(body, StateFile, _WHAT)
    if wanted.version != VERSION:
        raise _bad(f"this is version {wanted.version} of the format; version {VERSION} is understood")
    if tenant.id not in tenants:
        raise no_session()
    draft = tenant
    if not isinstance(wanted.config, msgspec.UnsetType):
        with judged(CONFIG):
            draft = tenants.draft(tenant.id, plan_of(tenants, wanted.config, longest=LONGEST_IMPORTED))
    state = _snapshot(draft, wanted)
    rules = None
    if not isinstance(wanted.rules, msgspec.UnsetType):
        rules = [await rule_of(draft, msgspec.json.encode(said), fired=True) for said in wanted.rules]

    try:  # from here on everything is done, and in one step of the event loop where the store is in process
        if rules is not None:
            await tenant.rules.replace(rules)
    except (RuleExists, TooManyRules) as error:
        raise _bad("two rules have one id, or there are too many rules") from error
    if draft is not tenant:
        await tenants.keep(draft)
    await tenant.session.store.restore(state)
    if state.accounts is not None:  # the verdict on charges is about what follows
        await tenant.journal.charge_from_here()
    return {"imported": _counts(wanted, state)}


def _account(kept: KeptAccount) -> dict[str, Any]:
    account, opening = kept.account, kept.opening
    return {
        "balance_usd": usd(account.balance),
        "spent_usd": usd(account.spent),
        "spend_limit_usd": _limit(account.spend_limit),
        "status": account.status,
        "opened_with": {
            "balance_usd": usd(opening.balance),
            "spend_limit_usd": _limit(opening.spend_limit),
            "status": opening.status,
        },
        "strikes": kept.strikes,
        "ledger": [
            {
                "id": entry.id,
                "type": entry.type,
                "amount_usd": usd(entry.amount),
                "balance_after_usd": usd(entry.balance_after),
                "created_at": iso_time(entry.created_at),
                "request_id": entry.request_id,
                "model_id": entry.model_id,
            }
            for entry in kept.entries
        ],
    }


def _limit(amount: Decimal | None) -> str | None:
    return None if amount is None else usd(amount)


def _snapshot(tenant: Tenant, wanted: StateFile) -> Snapshot:
    """What the store is to hold. Raises ApiError 400 for whatever could not have come about."""
    accounts = payments = on_chain = nonces = clock = None
    pattern = tenant.contract.edition.x402.statements.address_pattern
    if not isinstance(wanted.accounts, msgspec.UnsetType):
        seen: set[str] = set()
        accounts = tuple(_kept(name, said, pattern, seen) for name, said in wanted.accounts.items())
    if not isinstance(wanted.payments, msgspec.UnsetType):
        said = wanted.payments
        if wrong := [name for name in said.booked if not _PAYMENT_ID.fullmatch(name)]:
            raise _bad(f"payments: {wrong[0][:40]!r} is no id of a payment")
        payments = frozenset(said.booked)
        on_chain = {
            _payer(who, pattern): _usd(f"payments: {who[:60]}", paid)
            for who, paid in said.paid_on_chain_usd.items()
        }
    if not isinstance(wanted.nonces, msgspec.UnsetType):
        nonces = tuple(_nonce(said) for said in wanted.nonces)
        if len({(owner, nonce) for owner, nonce, _ in nonces}) < len(nonces):
            raise _bad("nonces: one stands there twice")
    if not isinstance(wanted.clock, msgspec.UnsetType):
        clock = _clock(wanted.clock)
    return Snapshot(accounts, payments, on_chain, nonces, clock)


def _kept(name: str, said: AccountState, pattern: str, seen: set[str]) -> KeptAccount:
    where = f"account {name[:60]}"
    address = name.removeprefix("wallet-")
    is_wallet = address != name and re.fullmatch(pattern, address) and wallet_account(normal(address)) == name
    if not is_account_id(name) and not is_wallet:
        raise _bad(
            f"{where}: an account is named as /__mock/accounts/KEY-OR-ADDRESS tells it, never by its key"
        )
    if not 0 <= said.strikes <= _MOST_STRIKES:
        raise _bad(f"{where}: strikes is a whole number from 0 up")
    entries = tuple(_entry(where, row, seen) for row in said.ledger)
    balance, moved = _usd(where, said.balance_usd), sum((entry.amount for entry in entries), Decimal(0))
    opening = Opening(balance - moved, _limit_of(where, said.spend_limit_usd), said.status)
    if said.opened_with is not None:
        first = said.opened_with
        opening = Opening(
            _usd(where, first.balance_usd), _limit_of(where, first.spend_limit_usd), first.status
        )
    running = opening.balance
    for entry in entries:
        running += entry.amount
        if entry.balance_after != running:
            raise _bad(f"{where}: the ledger does not add up at {entry.id}")
    if running != balance or opening.balance < 0:
        raise _bad(f"{where}: the ledger does not lead from the opening balance to {usd(balance)}")
    account = Account(
        id=name,
        balance=balance,
        held=Decimal(0),
        spent=_usd(where, said.spent_usd),
        spend_limit=_limit_of(where, said.spend_limit_usd),
        status=said.status,
    )
    return KeptAccount(account, opening, entries, said.strikes)


def _entry(where: str, row: LedgerEntry, seen: set[str]) -> Entry:
    if not _ENTRY_ID.fullmatch(row.id) or row.id in seen:
        raise _bad(f"{where}: {row.id[:40]!r} is no id of an entry, or stands there twice")
    seen.add(row.id)
    for text in (row.request_id, row.model_id):
        if text is not None and len(text) > _LONGEST_TEXT:
            raise _bad(f"{where}: {row.id}: texts have at most {_LONGEST_TEXT} characters")
    return Entry(
        id=row.id,
        type=row.type,
        amount=_usd(where, row.amount_usd, signed=True),
        balance_after=_usd(where, row.balance_after_usd),
        created_at=_time(where, row.created_at),
        request_id=row.request_id,
        model_id=row.model_id,
    )


def _nonce(said: NonceState) -> tuple[str, str, float]:
    if len(said.owner) > _LONGEST_TEXT or len(said.nonce) > _LONGEST_TEXT:
        raise _bad(f"nonces: texts have at most {_LONGEST_TEXT} characters")
    return said.owner, said.nonce, _time("nonces", said.until)


def _clock(said: ClockPart) -> ClockState:
    if said.frozen_at is not None:
        return ClockState(frozen_at=_time("clock", said.frozen_at))
    if not abs(said.offset_s) < _LATEST_S:
        raise _bad("clock: offset_s is too large")
    return ClockState(offset_s=said.offset_s)


def _payer(address: str, pattern: str) -> str:
    if not re.fullmatch(pattern, address):
        raise _bad(f"payments: {address[:60]!r} is no address of a wallet")
    return normal(address)


def _usd(where: str, text: str, *, signed: bool = False) -> Decimal:
    if not _AMOUNT.fullmatch(text) or (text.startswith("-") and not signed):
        raise _bad(f"{where}: {text[:40]!r} is no amount of US dollars")
    return Decimal(text)


def _limit_of(where: str, text: str | None) -> Decimal | None:
    return None if text is None else _usd(where, text)


def _time(where: str, text: str) -> float:
    try:
        moment = datetime.fromisoformat(text)
        seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError) as error:
        raise _bad(f"{where}: {text[:40]!r} is no ISO 8601 time") from error
    if not 0 <= seconds <= _LATEST_S:
        raise _bad(f"{where}: the time must lie between 1970 and 2127")
    return seconds


def _counts(wanted: StateFile, state: Snapshot) -> dict[str, int]:
    counts: dict[str, int] = {}
    if not isinstance(wanted.config, msgspec.UnsetType):
        counts["config"] = len(wanted.config)
    if state.clock is not None:
        counts["clock"] = 1
    if state.accounts is not None:
        counts["accounts"] = len(state.accounts)
        counts["entries"] = sum(len(kept.entries) for kept in state.accounts)
    if state.payments is not None:
        counts["payments"] = len(state.payments)
    if state.nonces is not None:
        counts["nonces"] = len(state.nonces)
    if not isinstance(wanted.rules, msgspec.UnsetType):
        counts["rules"] = len(wanted.rules)
    return counts


def _bad(reason: str) -> ApiError:
    return bad(_WHAT, reason)
