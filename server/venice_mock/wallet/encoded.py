"""The envelope that every x402 header shares: standard base64 of JSON. Only the envelope lives here."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)", re.ASCII)


def decode_header(header: str, max_bytes: int) -> Any:
    """The JSON value inside a header of at most ``max_bytes``. Raises ValueError for anything else.

    Missing padding is accepted, as JavaScript's ``atob`` and the x402 reference packages accept it.
    """
    if len(header) > max_bytes:
        raise ValueError("the header is too long")
    if not _BASE64.fullmatch(header):
        raise ValueError("the header is not base64")
    bare = header.rstrip("=")
    try:
        return msgspec.json.decode(base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True))
    except RecursionError as error:
        raise ValueError("the JSON is nested too deeply") from error


def encode_header(value: Mapping[str, Any]) -> str:
    """Standard base64 of the JSON, as x402 headers carry it."""
    return base64.b64encode(msgspec.json.encode(value)).decode("ascii")


def parse_instant(text: str) -> float:
    """Unix seconds of an RFC 3339 date-time with zone. Raises ValueError."""
    if not _INSTANT.fullmatch(text):
        raise ValueError("not an RFC 3339 date-time")
    return datetime.fromisoformat(text).timestamp()
