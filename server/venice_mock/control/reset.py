"""POST /__mock/reset: a session, or parts of it, back to its beginning. No HTTP here."""

from __future__ import annotations

from typing import Any, get_args

import msgspec

from venice_mock.control.reading import bad, decode
from venice_mock.state.store import Part
from venice_mock.tenancy import Tenants
from venice_mock.tenant import Tenant

JOURNAL, RULES, CONFIG = "journal", "rules", "config"
STATE: tuple[Part, ...] = get_args(Part)
PARTS: tuple[str, ...] = (*STATE, JOURNAL, RULES, CONFIG)


class ResetOrder(msgspec.Struct, forbid_unknown_fields=True):
    only: list[str] | None = None


async def reset_session(tenants: Tenants, tenant: Tenant, body: bytes) -> dict[str, Any]:
    """Reset the parts that ``{"only": [...]}`` names, all of them without a body. Raises ApiError 400.

    An edit that is in work meanwhile is answered and charged nothing: what it held went with the account.
    """
    only = decode(body or b"{}", ResetOrder, "Reset").only
    wanted = set(PARTS if only is None else only)
    unknown = wanted - set(PARTS)
    if unknown:
        raise bad("Reset", f"there is no part {min(unknown)[:40]!r}; known: {', '.join(PARTS)}")
    if CONFIG in wanted and tenant.id in tenants:
        await tenants.change(tenant.id, lambda now: now.beginning, anew=True)
    await tenant.session.store.reset(frozenset(part for part in STATE if part in wanted))
    if "accounts" in wanted:  # what was charged is given back: the verdict is about what follows
        await tenant.journal.charge_from_here()
    if JOURNAL in wanted:
        await tenant.journal.wipe()
    if RULES in wanted:
        await tenant.rules.clear()
    return {"reset": [part for part in PARTS if part in wanted]}
