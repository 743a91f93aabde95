"""The contract as data: frozen types and the edition files. Imports nothing else of this package."""

from venice_mock.contract.checking import ContractError
from venice_mock.contract.loading import Editions, available_editions, load_contract, load_edition
from venice_mock.contract.overriding import with_models
from venice_mock.contract.types import (
    Behavior,
    Constraints,
    Contract,
    Deprecation,
    Difference,
    Edition,
    Enhancement,
    ErrorSpec,
    Limits,
    ModelSpec,
    Pricing,
    Rule,
)

__all__ = [
    "Behavior",
    "Constraints",
    "Contract",
    "ContractError",
    "Deprecation",
    "Difference",
    "Edition",
    "Editions",
    "Enhancement",
    "ErrorSpec",
    "Limits",
    "ModelSpec",
    "Pricing",
    "Rule",
    "available_editions",
    "load_contract",
    "load_edition",
    "with_models",
]
