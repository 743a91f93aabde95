"""What the routes under /__mock/rules do: make, tell and take away a session's rules. No HTTP here.

A key is a secret: a rule keeps its account's name, and tells that instead.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from venice_mock.accounts.ordering import read_order
from venice_mock.accounts.steering import Steering
from venice_mock.contract import Contract
from venice_mock.control.accounts import holder_of
from venice_mock.control.reading import bad, decode
from venice_mock.errors import ApiError, plain
from venice_mock.state.rules import MOST_RULES, Rule, RuleExists, TooManyRules
from venice_mock.tenant import Tenant

_WHAT = "Rule"
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_ACCOUNT = re.compile(r"[\x21-\x7e]{1,200}")
_LAST4 = re.compile(r"[\x21-\x7e]{4}")
_LONGEST = 16 << 10  # ours: bytes of a rule
_LONGEST_WORDS = 1000  # ours: characters of prompt_contains
_MOST_TIMES = 1_000_000
_ENDING = "RATE_LIMIT_EXCEEDED"


class RuleMatch(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    model: str | None = None
    prompt_contains: str | None = None
    key: str | None = None
    account: str | None = None  # instead of key: as rules are told, so that they can be sent back


class RuleThen(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    error: str | None = None
    retry_after: int | None = None
    fault: str | None = None
    latency: str | None = None
    latency_ms: int | float | None = None
    seed: int | None = None
    adult: bool | None = None


class RuleOrder(msgspec.Struct, forbid_unknown_fields=True):
    then: RuleThen
    match: RuleMatch = msgspec.field(default_factory=RuleMatch)
    times: int | None = None
    id: str | None = None
    fired: int = 0  # these two are told, and taken back without effect
    last4: str | None = None


async def list_rules(tenant: Tenant) -> dict[str, Any]:
    """Every rule with how often it fired, in the order in which they are tried."""
    return {"rules": [describe_rule(rule) for rule in await tenant.rules.all()], "most": MOST_RULES}


async def read_rule(tenant: Tenant, name: str) -> dict[str, Any]:
    """One rule. Raises ApiError 404."""
    rule = await tenant.rules.get(name)
    if rule is None:
        raise _none_such()
    return describe_rule(rule)


async def make_rule(tenant: Tenant, body: bytes) -> dict[str, Any]:
    """A new rule behind the others. Raises ApiError 400, and 409 for an id that is taken or too many rules."""
    rule = await rule_of(tenant, body)
    try:
        await tenant.rules.add(rule)
    except RuleExists as error:
        raise _conflict(f"{rule.id} is there already; choose another id, or none") from error
    except TooManyRules as error:
        raise _conflict(f"{MOST_RULES} rules are in force, more are not taken; delete some") from error
    return describe_rule(rule)


async def rule_of(tenant: Tenant, body: bytes, *, fired: bool = False) -> Rule:
    """The rule that ``body`` describes, not yet in force. ``fired``: it goes on counting where it was.

    Raises ApiError 400.
    """
    if len(body) > _LONGEST:
        raise bad(_WHAT, f"at most {_LONGEST:,} bytes of JSON")
    wanted = decode(body, RuleOrder, _WHAT)
    if wanted.id is not None and not _ID.fullmatch(wanted.id):
        raise bad(_WHAT, "an id is 1 to 40 letters, digits, dots, dashes and underscores")
    if wanted.times is not None and not 1 <= wanted.times <= _MOST_TIMES:
        raise bad(_WHAT, f"times is a whole number from 1 to {_MOST_TIMES:,}")
    if wanted.fired < 0:
        raise bad(_WHAT, "fired is a whole number from 0 up")
    match = wanted.match
    _check_match(tenant.contract, match, wanted.last4)
    account, last4 = match.account, wanted.last4
    if match.key is not None:
        holder = holder_of(tenant.session, tenant.world, match.key)
        account, last4 = holder.account, holder.shown.get("last4")
    order = _order(tenant.contract, wanted.then)
    name = wanted.id or await tenant.rules.free_id()
    ends = order.error == _ENDING and wanted.times is None  # else nobody could wait for its end
    return Rule(
        id=name,
        model=match.model,
        prompt_contains=match.prompt_contains,
        account=account,
        last4=last4,
        then=msgspec.to_builtins(wanted.then),
        steering=replace(order, ends=ends, cause=f"rule:{name}"),
        times=wanted.times,
        fired=wanted.fired if fired else 0,
    )


async def delete_rule(tenant: Tenant, name: str) -> dict[str, Any]:
    """Take one away. Raises ApiError 404."""
    if not await tenant.rules.remove(name):
        raise _none_such()
    return {"deleted": [name]}


async def delete_rules(tenant: Tenant) -> dict[str, Any]:
    """Take all away."""
    names = [rule.id for rule in await tenant.rules.all()]
    await tenant.rules.clear()
    return {"deleted": names}


def describe_rule(rule: Rule) -> dict[str, Any]:
    """A rule as it can be sent again, how often it fired, and the last characters of its key."""
    match: Mapping[str, str | None] = {
        "model": rule.model,
        "prompt_contains": rule.prompt_contains,
        "account": rule.account,
    }
    return {
        "id": rule.id,
        "match": {name: value for name, value in match.items() if value is not None},
        "then": dict(rule.then),
        "times": rule.times,
        "fired": rule.fired,
        "last4": rule.last4,
    }


def _check_match(contract: Contract, match: RuleMatch, last4: str | None) -> None:
    known = [model.id for model in contract.inpaint_models]
    if match.model is not None and match.model not in known:
        near = difflib.get_close_matches(match.model[:100], known, n=1, cutoff=0.4)
        meant = f" Did you mean {near[0]}?" if near else ""
        raise bad(_WHAT, f"there is no edit model {match.model[:40]!r}.{meant}")
    words = match.prompt_contains
    if words is not None and not 1 <= len(words) <= _LONGEST_WORDS:
        raise bad(_WHAT, f"prompt_contains has 1 to {_LONGEST_WORDS:,} characters")
    if match.key is not None and match.account is not None:
        raise bad(_WHAT, "give either key or account")
    if last4 is not None and (match.account is None or not _LAST4.fullmatch(last4)):
        raise bad(_WHAT, "last4 goes with account, and is four characters")
    if match.account is not None and not _ACCOUNT.fullmatch(match.account):
        raise bad(_WHAT, "account is the name that /__mock/accounts/KEY tells; give key instead")


def _order(contract: Contract, then: RuleThen) -> Steering:
    """What ``then`` orders. Raises ApiError 400."""
    if then.latency is not None and then.latency_ms is not None:
        raise bad(_WHAT, "give either latency or latency_ms")
    items = [
        (name, ("yes" if value else "no") if isinstance(value, bool) else str(value))
        for name, value in msgspec.to_builtins(then).items()
        if name != "latency_ms"
    ]
    if then.latency_ms is not None:
        items.append(("latency", f"{then.latency_ms:f}ms" if then.latency_ms >= 0 else "less than nothing"))
    if not items:
        raise bad(_WHAT, "then is empty; give error, fault, latency, seed or adult")
    if then.retry_after is not None and then.error is None:
        raise bad(_WHAT, "retry_after goes with an error")
    try:
        return read_order(contract, items)
    except ValueError as error:
        raise bad(_WHAT, str(error)) from error


def _none_such() -> ApiError:
    return plain(404, "There is no such rule.", name="CONTROL_NOT_FOUND")


def _conflict(reason: str) -> ApiError:
    return plain(409, f"{_WHAT}: {reason}", name="CONTROL_CONFLICT")
