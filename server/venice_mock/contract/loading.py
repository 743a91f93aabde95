"""Reading edition files, and the checks that one record alone cannot make. No contract facts live here."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import msgspec

from venice_mock.contract.types import Behavior, Contract, Edition

_SUFFIX = ".json"


class ContractError(ValueError):
    """An edition that does not exist, cannot be read, or contradicts itself."""


def available_editions() -> tuple[str, ...]:
    """Names of the editions in this package, oldest first."""
    folder = resources.files("venice_mock.contract") / "editions"
    return tuple(sorted(f.name.removesuffix(_SUFFIX) for f in folder.iterdir() if f.name.endswith(_SUFFIX)))


def load_edition(name: str) -> Edition:
    """Read an edition by name (``2026-06-19``) or by the path of a file (anything ending in ``.json``).

    Raises ContractError with the offending key when the file has one that is not known, lacks one, or
    refers to a model, error or difference that is not there.
    """
    if name.endswith(_SUFFIX):
        source = Path(name)
        if not source.is_file():
            raise ContractError(f"There is no edition file at {name}.")
        raw = source.read_bytes()
    elif name in available_editions():
        raw = (resources.files("venice_mock.contract") / "editions" / (name + _SUFFIX)).read_bytes()
    else:
        raise ContractError(f"Unknown edition {name!r}. Known: {', '.join(available_editions())}.")
    try:
        edition = msgspec.json.decode(raw, type=Edition)
    except msgspec.DecodeError as error:
        raise ContractError(f"Edition {name}: {error}") from error
    _check(edition)
    return edition


def load_contract(name: str, behavior: Behavior = "documented") -> Contract:
    """An edition with one behaviour chosen. Raises ContractError."""
    return Contract(load_edition(name), behavior)


def _check(edition: Edition) -> None:
    def demand(condition: bool, sentence: str) -> None:
        if not condition:
            raise ContractError(f"Edition {edition.edition}: {sentence}")

    def unique(kind: str, ids: list[str]) -> None:
        twice = sorted({i for i in ids if ids.count(i) > 1})
        demand(not twice, f"{kind} given twice: {', '.join(twice)}")

    unique("model", [m.id for m in edition.models])
    unique("rule", [r.id for r in edition.rules])
    unique("difference", [d.id for d in edition.differences])
    ids = {m.id for m in edition.models}
    differences = {d.id for d in edition.differences}
    for row in edition.models:
        demand(row.type in edition.model_types, f"model {row.id} has unknown type {row.type}")
        if row.type == "inpaint":
            demand(
                row.pricing is not None and row.constraints is not None, f"model {row.id} cannot be priced"
            )
        if row.pricing and row.pricing.quality and row.constraints:
            demand(bool(row.constraints.qualities), f"model {row.id} prices qualities that it does not list")
    for model_id in edition.fields.model_ids:
        demand(model_id in ids, f"modelId {model_id} is not a model")
    for rule in edition.rules:
        demand(
            rule.difference is None or rule.difference in differences,
            f"rule {rule.id} names the difference {rule.difference}, which is not there",
        )
    for field in edition.fields.required:
        demand(field in edition.fields.known, f"required field {field} is not known")
    rewrites = [
        edition.enhancement is not None,
        "enhance_prompt" in edition.fields.known,
        "enhanced_prompt" in edition.headers,
    ]
    demand(all(rewrites) or not any(rewrites), "enhancement, its field and its header go together")
