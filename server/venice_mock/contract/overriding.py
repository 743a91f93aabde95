"""An edition with some members of its models replaced, as a session may ask. Nothing is read from files here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from venice_mock.contract.checking import ContractError, check_model
from venice_mock.contract.types import Edition, ModelSpec

_OWN = "id"  # what a row is found by


def with_models(edition: Edition, changes: Mapping[str, Any]) -> Edition:
    """``edition`` with ``changes``, members by model id, merged over the rows of its catalogue.

    Objects are merged member by member, everything else replaces what was there; null says that there is none.
    Raises ContractError that names model and member for what the rows' own types or the edition refuse.
    """
    if not changes:
        return edition
    known = {model.id for model in edition.models}
    for model_id in changes:
        if model_id not in known:
            raise ContractError(
                f"{model_id[:60]!r} is no model of edition {edition.edition}. Known: {', '.join(sorted(known))}."
            )
    models = tuple(
        _changed(model, changes[model.id]) if model.id in changes else model for model in edition.models
    )
    made = msgspec.structs.replace(edition, models=models)
    for model in models:
        if model.id in changes:
            check_model(made, model)
    return made


def merged(under: Any, over: Any) -> Any:
    """JSON values, ``over`` going first: objects member by member, all else whole."""
    if not (isinstance(under, dict) and isinstance(over, dict)):
        return over
    return {**under, **{name: merged(under.get(name), value) for name, value in over.items()}}


def _changed(model: ModelSpec, change: Any) -> ModelSpec:
    if not isinstance(change, dict):
        raise ContractError(f"{model.id}: expected an object of the model's members")
    if _OWN in change:
        raise ContractError(f"{model.id}: the member {_OWN} cannot be changed")
    row = merged(msgspec.to_builtins(model), change)
    try:
        return msgspec.json.decode(msgspec.json.encode(row), type=ModelSpec)
    except (msgspec.MsgspecError, OverflowError, RecursionError) as error:
        raise ContractError(f"{model.id}: {error}") from error
