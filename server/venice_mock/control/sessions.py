"""The routes under /__mock/sessions: opening, listing, reading and ending sessions. No HTTP here.

The register is the server's, under whatever session's paths it is called.
"""

from __future__ import annotations

from typing import Any

import msgspec

from venice_mock.control.config import WHAT as CONFIG
from venice_mock.control.config import no_session, plan_of, show_config
from venice_mock.control.reading import bad, decode, judged
from venice_mock.errors import ApiError, plain
from venice_mock.tenancy import DEFAULT, NameTaken, NoSession, Tenants, TooManySessions, is_name
from venice_mock.tenant import Tenant

PREFIX = "/__s/"
_WHAT = "Session"


class SessionOrder(msgspec.Struct, forbid_unknown_fields=True):
    name: str | None = None
    config: dict[str, Any] = {}


def prefix_of(name: str) -> str:
    """What the paths of a session begin with; nothing for the default one."""
    return "" if name == DEFAULT else PREFIX + name


async def open_session(tenants: Tenants, body: bytes, base: str) -> dict[str, Any]:
    """A new session. ``base``: scheme, host and whatever precedes the server's own paths. Raises ApiError 400, 409."""
    wanted = decode(body or b"{}", SessionOrder, _WHAT)
    if wanted.name is not None and not is_name(wanted.name):
        raise bad(_WHAT, "a name is 1 to 40 of a-z, 0-9 and -, and does not begin with -")
    try:
        with judged(CONFIG):
            tenant = await tenants.open(wanted.name, plan_of(tenants, wanted.config))
    except NameTaken as error:
        raise _conflict(f"{wanted.name} is open already; choose another name, or none") from error
    except TooManySessions as error:
        raise _conflict(
            f"{tenants.most:,} sessions are open, more are not taken; end some of them"
        ) from error
    return describe_session(tenant, base)


async def list_sessions(tenants: Tenants, base: str) -> dict[str, Any]:
    """Name and addresses of every session, the default one first."""
    return {"sessions": [_addresses(tenant, base) for tenant in await tenants.all()]}


async def read_session(tenants: Tenants, name: str, base: str) -> dict[str, Any]:
    """One session with its config. Raises ApiError 404."""
    try:
        return describe_session(await tenants.find(name), base)
    except NoSession as error:
        raise no_session() from error


async def end_session(tenants: Tenants, name: str) -> dict[str, Any]:
    """Forget a session and all that belongs to it. Raises ApiError 404, 409 for the default one."""
    if name == DEFAULT:
        raise _conflict("the default session ends with the server; reset it instead")
    try:
        await tenants.end(name)
    except NoSession as error:
        raise no_session() from error
    return {"ended": name}


def describe_session(tenant: Tenant, base: str) -> dict[str, Any]:
    """Name, addresses and effective config."""
    return {**_addresses(tenant, base), "config": show_config(tenant)}


def _addresses(tenant: Tenant, base: str) -> dict[str, Any]:
    place = base + prefix_of(tenant.id)
    return {"id": tenant.id, "base_url": f"{place}/api/v1", "control_url": f"{place}/__mock"}


def _conflict(reason: str) -> ApiError:
    return plain(409, f"{_WHAT}: {reason}", name="CONTROL_CONFLICT")
