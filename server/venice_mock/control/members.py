"""What can be matched in ``POST /__mock/verify``: the members, and which values each can have at all. Pure.

A value of a kind that a member never has would never match, and a question for none at all would always be answered
with yes: so it is refused.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

Kind = Literal["text", "words", "number", "flag", "money", "status", "fields"]
UNDERSTOOD: Mapping[str, Kind] = {
    "aspect_ratio": "text",
    "resolution": "text",
    "width": "number",
    "height": "number",
    "output_format": "text",
    "quality": "text",
    "safe_mode": "flag",
    "seed": "number",
    "enhanced_prompt": "text",
    "price_usd": "money",
    "adult": "flag",
    "violation": "flag",
    "blurred": "flag",
}
_PICTURE: Mapping[str, Kind] = {
    "sha256": "text",
    "format": "text",
    "width": "number",
    "height": "number",
    "bytes": "number",
    "sent_as": "text",
    "exif": "flag",
    "gps": "flag",
    "icc": "flag",
}
MEMBERS: Mapping[str, Kind] = {
    "id": "text",
    "request_id": "text",
    "method": "text",
    "path": "text",
    "status": "status",
    "model": "text",
    "prompt": "text",
    "prompt_contains": "words",
    "rule": "text",
    "error": "text",
    "cause": "text",
    "fault": "text",
    "cost_usd": "money",
    "charged": "flag",
    "complete": "flag",
    "account": "text",
    "key": "text",
    "body": "text",
    "sent": "fields",
    **UNDERSTOOD,
    **{f"image_{name}": kind for name, kind in _PICTURE.items()},
}
_WANTED: Mapping[Kind, str] = {
    "text": "a text, or null",
    "words": "a text",
    "number": "a number, or null",
    "flag": "true or false, or null",
    "money": 'US dollars in a string, such as "0.04", or null',
    "status": 'a number such as 404, a class such as "4xx", or null',
    "fields": "an object of fields as they were sent",
}


def check_member(name: str, value: Any) -> None:
    """Raise ValueError, with a sentence, for a member that there is not and a value that it never has."""
    if name not in MEMBERS:
        near = difflib.get_close_matches(name, MEMBERS, n=1)
        meant = f" Did you mean {near[0]}?" if near else ""
        raise ValueError(f"there is no {name[:40]!r} to match.{meant} Known: {', '.join(MEMBERS)}.")
    kind = MEMBERS[name]
    if kind != "fields" and isinstance(value, list):
        if not value:
            raise ValueError(f"{name}: an empty list fits no request")
        values = value
    else:
        values = [value]
    for each in values:
        if not _can_be(kind, each):
            more = "" if kind == "fields" else "; a list means any of its values"
            raise ValueError(f"{name} is {_WANTED[kind]}, got {_shown(each)}{more}")


def _can_be(kind: Kind, value: Any) -> bool:
    if value is None:
        return kind not in ("words", "fields")
    if kind in ("text", "words"):
        return isinstance(value, str)
    if kind == "flag":
        return isinstance(value, bool)
    if kind == "fields":
        return isinstance(value, dict)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if kind == "status" and isinstance(value, str):
        return re.fullmatch("[1-5]xx", value, re.IGNORECASE) is not None
    return is_number or (kind == "money" and _is_money(value))


def _is_money(value: Any) -> bool:
    try:
        return isinstance(value, str) and Decimal(value).is_finite()
    except InvalidOperation:
        return False


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."
