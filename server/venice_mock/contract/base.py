"""The base of every record of an edition file, apart from them so that each family can have a module."""

from __future__ import annotations

import msgspec


class Data(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Frozen, and a key that no field names is an error."""
