"""Bodies of control requests: from bytes to a checked struct, or a 400 that says what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import msgspec

from venice_mock.errors import ApiError, plain

T = TypeVar("T")


def decode(body: bytes, kind: type[T], what: str) -> T:
    """The body as ``kind``; ``what`` begins the sentence of a refusal. Raises ApiError 400."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise bad(what, str(error)) from error


def bad(what: str, reason: str) -> ApiError:
    """The 400 of a control request."""
    return plain(400, f"{what}: {reason}", name="CONTROL_BAD_REQUEST")


@contextmanager
def judged(what: str) -> Iterator[None]:
    """Turn the ValueError of whoever judges a body's values into the 400. Raises ApiError."""
    try:
        yield
    except RecursionError as error:
        raise bad(what, "that is nested too deeply") from error
    except ValueError as error:
        raise bad(what, str(error)) from error
