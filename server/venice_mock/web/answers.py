"""How answers are written: JSON, and text that goes into headers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.responses import Response


def json_response(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer, UTF-8."""
    return Response(
        msgspec.json.encode(body),
        status,
        dict(headers) if headers else None,
        media_type="application/json",
    )


def header_text(text: str) -> str:
    """Text fit for a header: one line of printable ASCII, at most 500 characters."""
    short = text[:500]
    if short.isascii() and short.isprintable():
        return short
    return "".join(c if " " <= c <= "~" else "?" for c in short)
