"""GET /__mock/choices: what rules and edits can name, for pages that offer it to choose from. No HTTP here."""

from __future__ import annotations

from typing import Any

from venice_mock.accounts.faults import FAULTS
from venice_mock.accounts.keys import magic_keys
from venice_mock.accounts.ordering import aliases
from venice_mock.tenant import Tenant


def choices(tenant: Tenant) -> dict[str, Any]:
    """Models, errors, faults and magic keys, each with its name as it is written and a few words."""
    contract, default = tenant.contract, tenant.edit.default_model
    short = {name: alias for alias, name in aliases().items()}
    return {
        "models": [
            {
                "name": model.id,
                "text": model.name,
                "default": model.id == default,
                "aspect_ratios": [] if model.constraints is None else model.constraints.aspect_ratios,
                "resolutions": [] if model.constraints is None else model.constraints.resolutions,
            }
            for model in contract.inpaint_models
        ],
        "errors": [
            {"name": short.get(name, name.lower()), "text": spec.text, "status": spec.status}
            for name, spec in contract.edition.errors.items()
        ],
        "faults": [{"name": name, "text": row.alone} for name, row in FAULTS.items()],
        "keys": [{"name": name, "text": text} for name, text in magic_keys().items()],
    }
