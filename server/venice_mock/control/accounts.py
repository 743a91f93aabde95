"""What the routes under /__mock/accounts do: list accounts, read and set one, read its ledger. No HTTP here.

An account is named by its API key or by a wallet's address. Keys are secrets: no answer repeats one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

import msgspec

from venice_mock.accounts.keys import Opening, account_id, last_characters, magic_keys
from venice_mock.control.reading import bad, decode
from venice_mock.errors import plain
from venice_mock.state.session import Session
from venice_mock.state.store import Account, AccountChange, Entry
from venice_mock.times import iso_time
from venice_mock.wallet.desk import wallet_account
from venice_mock.wallet.world import World, normal

_WHAT = "Account"
_MONEY = re.compile(r"[0-9]{1,12}(\.[0-9]{1,6})?")
_PAGE, _MOST = 100, 1000
_WALLET = wallet_account("")  # what the names of wallets' accounts begin with


class AccountSetting(msgspec.Struct, forbid_unknown_fields=True):
    balance_usd: str | msgspec.UnsetType = msgspec.UNSET
    spend_limit_usd: str | msgspec.UnsetType | None = msgspec.UNSET
    status: Literal["active", "inactive", "disabled"] | msgspec.UnsetType = msgspec.UNSET


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose account it is: its name in the store, how it would be opened, and what may be told of its holder."""

    account: str
    opening: Opening
    shown: Mapping[str, Any]
    is_wallet: bool


def holder_of(session: Session, world: World, name: str, kind: str | None = None) -> Holder:
    """The holder that ``name``, a key or an address, means. ``kind`` (``key``) is for keys that look like addresses.

    Raises ApiError 400 for another kind, 404 for a key that opens nothing.
    """
    if kind not in (None, "key", "wallet"):
        raise bad(_WHAT, "kind is key or wallet")
    is_address = re.fullmatch(session.contract.edition.x402.statements.address_pattern, name) is not None
    if kind == "wallet" and not is_address:
        raise bad(_WHAT, "that is no address of a wallet")
    if is_address and kind != "key":
        address = normal(name)
        account = wallet_account(address)
        known = {"kind": "wallet", "account": account, "address": address}
        return Holder(account, Opening(world.opening_balance(address)), known, is_wallet=True)
    answer = session.keys.answer(name)
    if answer.opens_nothing:
        raise plain(404, f"There is no such account. {answer.hint}", name="CONTROL_NOT_FOUND")
    shown: dict[str, Any] = {"kind": "key", "account": answer.account, "last4": last_characters(name)}
    return Holder(answer.account, answer.opening, shown, is_wallet=False)


async def list_accounts(session: Session, query: Mapping[str, str]) -> dict[str, Any]:
    """A page of the accounts that were opened, by name. ``limit`` and ``offset`` as usual; ApiError 400.

    A name is a hash of its key, or names its wallet; only a magic key, which is no secret, is told itself.
    """
    unknown = [name for name in query if name not in ("limit", "offset")]
    if unknown:
        raise bad(_WHAT, f"there is no parameter {unknown[0][:40]!r}; known: limit, offset")
    limit, offset = _number(query, "limit", _PAGE, 1, _MOST), _number(query, "offset", 0, 0, 10**9)
    names = sorted(kept.account.id for kept in (await session.store.snapshot()).accounts or ())
    magic = {account_id(key): key for key in magic_keys()}
    found = [
        {**_known(name, magic), **_sums(await session.store.account(name))}
        for name in names[offset : offset + limit]
    ]
    return {
        "accounts": found,
        "count": len(names),
        "limit": limit,
        "offset": offset,
        "has_more": offset + limit < len(names),
    }


async def read_account(session: Session, holder: Holder) -> dict[str, Any]:
    """The account as it stands; one that was not used yet is opened."""
    return _told(holder, await session.store.open_account(holder.account, holder.opening))


async def change_account(session: Session, holder: Holder, body: bytes) -> dict[str, Any]:
    """Set what ``body`` names, in one step, and keep the rest: nobody is given money by a change of his status.

    Another balance is booked as one row ADJUSTMENT. Raises ApiError 400, and 409 for a balance below what is
    held by edits in work.
    """
    wanted = decode(body, AccountSetting, _WHAT)
    if holder.is_wallet and (
        wanted.status is not msgspec.UNSET or wanted.spend_limit_usd is not msgspec.UNSET
    ):
        raise bad(_WHAT, "a wallet has a balance only; status and spend limit are a key's")
    balance = None
    if not isinstance(wanted.balance_usd, msgspec.UnsetType):
        balance = _money("balance_usd", wanted.balance_usd)
    limit: Decimal | Literal["keep"] | None = "keep"
    if not isinstance(wanted.spend_limit_usd, msgspec.UnsetType):
        said = wanted.spend_limit_usd
        limit = None if said is None else _money("spend_limit_usd", said)
    status = None if isinstance(wanted.status, msgspec.UnsetType) else wanted.status
    change = AccountChange(balance, limit, status)
    if not await session.store.change_account(
        holder.account, holder.opening, change, now=await session.now()
    ):
        raise plain(409, f"{_WHAT}: edits in work hold more than that", name="CONTROL_CONFLICT")
    return _told(holder, await session.store.account(holder.account))


async def read_ledger(session: Session, holder: Holder, query: Mapping[str, str]) -> dict[str, Any]:
    """A page of the ledger, newest first, and what is held. ``limit`` and ``offset`` as usual; ApiError 400."""
    limit, offset = _number(query, "limit", _PAGE, 1, _MOST), _number(query, "offset", 0, 0, 10**9)
    account = await session.store.open_account(holder.account, holder.opening)
    rows, more = await session.store.entries(holder.account, limit=limit, offset=offset)
    return {
        **holder.shown,
        "balance_usd": usd(account.balance),
        "held_usd": usd(account.held),
        "entries": [_row(entry) for entry in rows],
        "limit": limit,
        "offset": offset,
        "has_more": more,
    }


def _known(name: str, magic: Mapping[str, str]) -> dict[str, Any]:
    """What the name of an account tells of its holder."""
    if name.startswith(_WALLET):
        return {"kind": "wallet", "account": name, "address": name.removeprefix(_WALLET)}
    shown = {"kind": "key", "account": name}
    return {**shown, "magic_key": magic[name]} if name in magic else shown


def _told(holder: Holder, account: Account) -> dict[str, Any]:
    return {**holder.shown, **_sums(account)}


def _sums(account: Account) -> dict[str, Any]:
    limit = account.spend_limit
    return {
        "balance_usd": usd(account.balance),
        "held_usd": usd(account.held),
        "available_usd": usd(account.available),
        "spent_usd": usd(account.spent),
        "spend_limit_usd": None if limit is None else usd(limit),
        "status": account.status,
    }


def _row(entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "type": entry.type,
        "amount_usd": usd(entry.amount),
        "balance_after_usd": usd(entry.balance_after),
        "created_at": iso_time(entry.created_at),
        "request_id": entry.request_id,
        "model_id": entry.model_id,
    }


def usd(amount: Decimal) -> str:
    """Six decimals, and more only where the amount has them: nothing is rounded."""
    exact = f"{amount.normalize():f}"
    whole, _, decimals = exact.partition(".")
    return f"{whole}.{decimals:0<6}"


def _money(field: str, text: str) -> Decimal:
    if not _MONEY.fullmatch(text):
        raise bad(_WHAT, f'{field} is US dollars with at most six decimals in a string, such as "4.23"')
    return Decimal(text)


def _number(query: Mapping[str, str], name: str, usual: int, least: int, most: int) -> int:
    text = query.get(name)
    if text is None:
        return usual
    if not re.fullmatch("[0-9]{1,10}", text) or not least <= int(text) <= most:
        raise bad(_WHAT, f"{name} is a whole number from {least} to {most}")
    return int(text)
