"""GET /__mock and /__mock/contract.json: what runs here, and by which rules. No HTTP here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from venice_mock import __version__
from venice_mock.contract import Contract
from venice_mock.settings import Settings


def about(
    contract: Contract, settings: Settings, uptime_s: float, links: Mapping[str, str]
) -> dict[str, Any]:
    """Version, contract, seed (null: none was given) and where to go from here."""
    return {
        "name": "venice-mock",
        "version": __version__,
        "edition": contract.edition.edition,
        "behavior": contract.behavior,
        "seed": settings.seed,
        "uptime_s": round(uptime_s, 3),
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
