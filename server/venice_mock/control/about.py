"""GET /__mock and /__mock/contract.json: what runs here, and by which rules. No HTTP here."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import msgspec

from venice_mock import __version__
from venice_mock.contract import Contract
from venice_mock.edit.deflate import FASTEST
from venice_mock.tenant import Tenant

_NAME = "venice-mock"


def about(tenant: Tenant, uptime_s: float, links: Mapping[str, str]) -> dict[str, Any]:
    """Version, session, contract, seed (null: none was given), what is the process's, and where to go from here.

    The process's are its id, the results it keeps, and what packs its PNGs.
    """
    results = tenant.edit.workshop.results
    return {
        "mock": _NAME,
        "name": _NAME,
        "version": __version__,
        "session": tenant.id,
        "edition": tenant.contract.edition.edition,
        "behavior": tenant.contract.behavior,
        "seed": tenant.settings.seed,
        "uptime_s": round(uptime_s, 3),
        "pid": os.getpid(),
        "cache": {
            "hits": results.hits,
            "misses": results.misses,
            "entries": len(results),
            "bytes": results.bytes,
            "limit_bytes": results.limit,
            "evictions": results.evictions,
        },
        "png_writer": FASTEST.name,
        "links": dict(links),
    }


def contract_rules(contract: Contract) -> dict[str, Any]:
    """The rules that hold in this edition; a rule with a ``difference`` depends on the behaviour."""
    edition = contract.edition
    return {
        "edition": edition.edition,
        "behavior": contract.behavior,
        "rules": [msgspec.to_builtins(rule) for rule in edition.active_rules],
    }
