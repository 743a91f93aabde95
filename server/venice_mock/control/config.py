"""GET and PATCH /__mock/config: a session's config between JSON and a ``Plan``. No HTTP here.

Settings are written as in a settings file; instead of files, ``keys`` and ``wallets`` are given inline, and
``models`` overrides members of the edition's catalogue. What belongs to the process is refused.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from venice_mock.accounts.keys import Opening, account_id, is_account_id, last_characters, read_opening
from venice_mock.contract.overriding import merged
from venice_mock.control.reading import bad, decode, judged
from venice_mock.errors import ApiError, plain
from venice_mock.settings import OPTIONS, Latency, value_of
from venice_mock.tenancy import NoSession, Tenants
from venice_mock.tenant import Plan, Tenant
from venice_mock.wallet.world import WalletTables

SETTINGS = (
    "edition",
    "behavior",
    "default_model",
    "pure",
    "prompt_magic",
    "limits",
    "balance",
    "engine",
    "caption",
    "seed",
    "fetch",
    "latency",
    "journal_bytes",
    "body_timeout",
    "trust_proxy",
    "pay_to_base",
    "pay_to_solana",
    "fee_payer",
)
INLINE = {"keys": 1, "wallets": 2, "models": 1}  # and how many levels deep null takes an entry away
_NULLABLE = frozenset({"default_model", "seed", "pay_to_base", "pay_to_solana", "fee_payer"})
_OF_THE_SERVER = frozenset({"trust_proxy", "journal_bytes"})
WHAT = "Config"
_LONGEST = 64 << 10  # ours: bytes of one session's config, of which there may be ten thousand
LONGEST_IMPORTED = 1 << 20  # ours: keys by their hashes are longer than keys


def show_config(tenant: Tenant) -> dict[str, Any]:
    """The effective config, its settings as they may be sent back; keys as their accounts' names."""
    settings, plan = tenant.settings, tenant.plan
    latency = settings.latency
    return {
        "edition": tenant.contract.edition.edition,
        "behavior": settings.behavior,
        "default_model": settings.default_model,
        "pure": settings.pure,
        "prompt_magic": settings.prompt_magic,
        "limits": settings.limits,
        "balance": f"{settings.balance:f}",
        "engine": settings.engine,
        "caption": settings.caption,
        "seed": settings.seed,
        "fetch": list(settings.fetch),
        "latency": _duration(latency.low) if latency.low == latency.high else _range(latency),
        "journal_bytes": settings.journal_bytes,
        "body_timeout": _duration(settings.body_timeout),
        "trust_proxy": settings.trust_proxy,
        "pay_to_base": settings.pay_to_base,
        "pay_to_solana": settings.pay_to_solana,
        "fee_payer": settings.fee_payer,
        "keys": None if plan.keys is None else [_key(token, entry) for token, entry in plan.keys.items()],
        "wallets": msgspec.to_builtins(plan.wallets),
        "models": dict(plan.models),
    }


async def change_config(tenants: Tenants, name: str, body: bytes) -> dict[str, Any]:
    """Merge ``body`` over the session's config, all of it or nothing; the effective config.

    Objects are merged entry by entry and null takes an entry away. Raises ApiError 400, 404.
    """
    change = decode(body, dict[str, Any], WHAT)

    def changed(tenant: Tenant) -> Plan:
        return plan_of(tenants, change, tenant.plan.said)

    try:
        with judged(WHAT):
            return show_config(await tenants.change(name, changed))
    except NoSession as error:
        raise no_session() from error


def config_of(tenant: Tenant) -> dict[str, Any]:
    """The effective config as it may be sent to another server: keys stand as their accounts' names, in the place
    of the key. Whom to trust and how much memory to use is the server's own affair.
    """
    shown = {name: value for name, value in show_config(tenant).items() if name not in _OF_THE_SERVER}
    if shown["keys"] is not None:
        amounts = ("balance_usd", "spend_limit_usd", "status")
        shown["keys"] = {row["account"]: {name: row[name] for name in amounts} for row in shown["keys"]}
    return shown


def plan_of(
    tenants: Tenants,
    change: Mapping[str, Any],
    said: Mapping[str, Any] | None = None,
    *,
    longest: int = _LONGEST,
) -> Plan:
    """The server's plan with ``change`` over what the session said for itself before.

    Raises ApiError 400, ValueError with a sentence, or RecursionError.
    """
    base, said = tenants.plan, _with(said or {}, change)
    if len(msgspec.json.encode(said)) > longest:
        raise bad(WHAT, f"a session's config has at most {longest:,} bytes of JSON")
    changes: dict[str, Any] = {}
    for member, value in said.items():
        if member in SETTINGS:
            changes[member] = _setting(tenants, member, value)
        elif member not in INLINE:
            raise _unknown(member)
    if changes.get("trust_proxy") and not base.settings.trust_proxy and base.settings.control_token is None:
        raise bad(
            WHAT, "trust_proxy wants a server with --control-token, which guards the control plane then"
        )
    plan = dataclasses.replace(base, said=said)
    if "keys" in said:
        plan, changes["keys"] = dataclasses.replace(plan, keys=_keys(said["keys"])), None
    if "wallets" in said:
        plan, changes["wallets"] = dataclasses.replace(plan, wallets=_wallets(said["wallets"])), None
    if "models" in said:
        plan = dataclasses.replace(plan, models=_objects("models", said["models"]))
    return dataclasses.replace(plan, settings=dataclasses.replace(base.settings, **changes))


def storable(said: Mapping[str, Any]) -> dict[str, Any]:
    """What a session was told, as it may be kept outside the process: keys by their accounts' names."""
    keys = said.get("keys")
    if not isinstance(keys, dict):
        return dict(said)
    return {**said, "keys": {_account_of(token): entry for token, entry in keys.items()}}


def no_session() -> ApiError:
    """404: a session that is not there."""
    return plain(404, "There is no session of that name.", name="NO_SESSION")


def _setting(tenants: Tenants, member: str, value: Any) -> Any:
    if value is None and member in _NULLABLE:
        return None
    option = next(option for option in OPTIONS if option.key == member)
    found = value_of(option, value, member)
    if member == "edition":
        own = tenants.plan.settings.edition
        if found in (own, tenants.edition):
            return own
        if found.endswith(".json"):
            raise ValueError("edition: a session takes an edition by its name; a file is for --edition.")
    return found


def _unknown(member: str) -> ApiError:
    known = (*SETTINGS, *INLINE)
    if member in {option.key for option in OPTIONS} | {"config"}:
        flag = "--" + member.replace("_", "-")
        return bad(WHAT, f"{member} belongs to the server process: give it {flag} when it starts")
    near = difflib.get_close_matches(member, known, n=1)
    meant = f" Did you mean {near[0]}?" if near else ""
    return bad(WHAT, f"there is no {member[:40]!r}.{meant} Known: {', '.join(known)}.")


def _keys(said: Any) -> Mapping[str, Opening] | None:
    if said is None:
        return None
    listed = _objects("keys", said)
    for number, token in enumerate(listed, 1):
        if not token or any(c.isspace() for c in token):
            raise ValueError(f"keys, entry {number}: a key is one word.")
    return {
        token: read_opening("keys", number, entry) for number, (token, entry) in enumerate(listed.items(), 1)
    }


def _wallets(said: Any) -> WalletTables:
    try:
        return msgspec.json.decode(
            msgspec.json.encode({} if said is None else said), type=WalletTables, strict=False
        )
    except msgspec.DecodeError as error:
        raise ValueError(f"wallets: {error}") from error


def _objects(member: str, said: Any) -> dict[str, Any]:
    if not isinstance(said, dict | None):
        raise ValueError(f"{member}: expected an object or null.")  # noqa: TRY004 - a user's JSON
    return said or {}


def _with(said: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """What a session says once ``change`` is merged in. Inside a model's row null is a value as any other."""
    result = {**said, **change}
    keys = change.get("keys")
    hashed = {account_id(token) for token in keys} if isinstance(keys, dict) else set()
    for member, levels in INLINE.items():
        if isinstance(change.get(member), dict):
            before = said.get(member)
            if member == "keys" and isinstance(before, dict):  # a key that was listed by its account's name
                before = {name: entry for name, entry in before.items() if name not in hashed}
            result[member] = _without_nulls(merged(before, change[member]), levels)
    return result


def _without_nulls(entries: Any, levels: int) -> Any:
    if levels == 0 or not isinstance(entries, dict):
        return entries
    return {name: _without_nulls(entry, levels - 1) for name, entry in entries.items() if entry is not None}


def _key(token: str, entry: Opening) -> dict[str, Any]:
    limit = entry.spend_limit
    return {
        "account": _account_of(token),
        "last4": None if is_account_id(token) else last_characters(token),
        "balance_usd": f"{entry.balance:f}",
        "spend_limit_usd": None if limit is None else f"{limit:f}",
        "status": entry.status,
    }


def _account_of(token: str) -> str:
    return token if token == "*" or is_account_id(token) else account_id(token)


def _range(latency: Latency) -> str:
    return f"{_duration(latency.low)}..{_duration(latency.high)}"


def _duration(seconds: float) -> str:
    whole = Decimal(repr(seconds))
    return f"{whole.normalize():f}s" if whole else "0s"
