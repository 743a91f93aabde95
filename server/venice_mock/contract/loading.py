"""Reading edition files by name or path, also once for many readers. No contract facts live here."""

from __future__ import annotations

from pathlib import Path

import msgspec

from venice_mock.contract.checking import ContractError, check
from venice_mock.contract.types import Behavior, Contract, Edition

_SUFFIX = ".json"
_FOLDER = Path(__file__).parent / "editions"


def available_editions() -> tuple[str, ...]:
    """Names of the editions in this package, oldest first."""
    return tuple(sorted(file.stem for file in _FOLDER.glob("*" + _SUFFIX)))


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
        raw = (_FOLDER / (name + _SUFFIX)).read_bytes()
    else:
        raise ContractError(f"Unknown edition {name!r}. Known: {', '.join(available_editions())}.")
    try:
        edition = msgspec.json.decode(raw, type=Edition)
    except msgspec.DecodeError as error:
        raise ContractError(f"Edition {name}: {error}") from error
    check(edition)
    return edition


def load_contract(name: str, behavior: Behavior = "documented") -> Contract:
    """An edition with one behaviour chosen. Raises ContractError."""
    return Contract(load_edition(name), behavior)


class Editions:
    """Editions by name or path, each read once and then shared: sessions are many, contracts few."""

    def __init__(self) -> None:
        self._editions: dict[str, Edition] = {}
        self._contracts: dict[tuple[str, Behavior], Contract] = {}

    def edition(self, name: str) -> Edition:
        """See ``load_edition``."""
        if name not in self._editions:
            self._editions[name] = load_edition(name)
        return self._editions[name]

    def contract(self, name: str, behavior: Behavior) -> Contract:
        """See ``load_contract``."""
        if (name, behavior) not in self._contracts:
            self._contracts[name, behavior] = Contract(self.edition(name), behavior)
        return self._contracts[name, behavior]
