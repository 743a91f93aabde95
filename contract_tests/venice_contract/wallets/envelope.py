"""The envelope of every x402 header, base64 of JSON, and how a finished one is altered member by member."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Final


class _Absent(Enum):
    ABSENT = "absent"

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = _Absent.ABSENT
"""Stands where a member is left out: JSON's null is a value of its own."""


def base64_json(value: Any) -> str:
    """Standard base64 of the JSON in UTF-8, as JavaScript's clients write it. Raises ValueError for NaN."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return base64.b64encode(text.encode()).decode("ascii")


def read_base64_json(header: str) -> Any:
    """The value in such a header. Raises ValueError when there is none."""
    return json.loads(base64.b64decode(header, validate=True))


def altered(members: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The members with those of ``changes`` replaced or added, and without those that are ABSENT."""
    return {name: value for name, value in {**members, **changes}.items() if value is not ABSENT}


def iso(now: float) -> str:
    """Unix seconds as JavaScript's ``toISOString`` writes them: UTC, milliseconds, Z."""
    moment = datetime.fromtimestamp(round(now * 1000) / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
