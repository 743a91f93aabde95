"""What one edition says otherwise than another: two records in, a list of changes out. No wording for people here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from venice_mock.contract.types import Edition

Kind = Literal["new", "gone", "changed"]
Table = Mapping[str, Any]

_KEYED = ("models", "differences", "rules")  # lists whose rows have ids
_NAMES = ("edition", "title", "stamp")  # what an edition is called is not what it says
_REMARKS: Mapping[str, frozenset[str]] = {  # members that speak of the data and not of the API
    "models": frozenset({"note", "confidence"}),
    "rules": frozenset({"since", "until"}),
}


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is new, gone or different.

    ``item`` is a row's id or a key within ``section``; ``member`` is a dotted path within the item, empty when
    the whole item is meant. ``before`` and ``after`` are JSON values, money as decimal strings, None where absent.
    """

    section: str
    item: str
    member: str
    kind: Kind
    before: Any = None
    after: Any = None


def compare(old: Edition, new: Edition) -> list[Change]:
    """All changes, in the order of the file. Of the rules those count that hold in their own edition."""
    left, right = _sections(old), _sections(new)
    return [
        change
        for section in right
        for item in _keys(left[section], right[section])
        for change in _changes(section, item, (), left[section].get(item), right[section].get(item))
    ]


def _sections(edition: Edition) -> dict[str, Table]:
    """Section -> item -> value. What is a single value at the top of the file is an item of ``general``."""
    found: dict[str, Table] = {"general": {}}
    general: dict[str, Any] = {}
    told = {name: getattr(edition, name) for name in edition.__struct_fields__ if name not in _NAMES}
    told["rules"] = edition.active_rules
    for name, value in msgspec.json.decode(msgspec.json.encode(told)).items():
        if name in _KEYED:
            silent = _REMARKS.get(name, frozenset())
            found[name] = {
                row["id"]: {key: entry for key, entry in row.items() if key not in silent} for row in value
            }
        elif isinstance(value, dict):
            found[name] = value
        elif value is None:
            found[name] = {}
        else:
            general[name] = value
    found["general"] = general
    return found


def _changes(section: str, item: str, path: tuple[str, ...], before: Any, after: Any) -> Iterator[Change]:
    """Changes below one place. An object that appears inside an item is told member by member."""
    if before == after:
        return
    inside = isinstance(before, dict) and isinstance(after, dict)
    appears = bool(path) and isinstance(before, dict | None) and isinstance(after, dict | None)
    if inside or appears:
        left, right = before or {}, after or {}
        for key in _keys(left, right):
            yield from _changes(section, item, (*path, key), left.get(key), right.get(key))
        return
    kind: Kind = "new" if before is None else "gone" if after is None else "changed"
    yield Change(section, item, ".".join(path), kind, before, after)


def _keys(left: Table, right: Table) -> tuple[str, ...]:
    """The keys of both: first those that went, then the newer side's in its order."""
    return (*(key for key in left if key not in right), *right)
