"""The shape in which rules, cases and exchanges stand in report.json and in case files, and the way back.

An exchange is ``{"label", "fault", "request", "reply"}``. A request has ``method``, ``path``, ``headers`` (a list of
[name, value]), ``body``, ``framing``, ``sends``, ``then``, ``absolute``; a reply, or null, has ``status``,
``headers``, ``body``, ``seconds``. A body is ``{"text": ...}`` where it is UTF-8 and ``{"base64": ...}`` where it is
not; one that was cut says so: ``{"base64": its beginning, "cut": true, "bytes": its full length, "sha256": of all}``.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from venice_contract.reports.requests import safe
from venice_contract.reports.wording import plain
from venice_contract.wire.message import Exchange, Headers, Reply, Request

FORMAT = 1
_KEPT = 512  # bytes: enough to see what kind of file it was
Kind = TypeVar("Kind")


class ReportError(ValueError):
    """A file that is no report, or no case, of this format. The text is one sentence."""


def exchange_to_json(exchange: Exchange, most_body: int | None = None) -> dict[str, Any]:
    """An exchange with its credentials blanked. Bodies longer than ``most_body`` bytes are cut."""
    exchange = safe(exchange)
    sent, got = exchange.request, exchange.reply
    return {
        "label": exchange.label,
        "fault": exchange.fault,
        "request": {
            "method": sent.method,
            "path": sent.path,
            "headers": [list(header) for header in sent.headers],
            "body": body_to_json(sent.body, most_body),
            "framing": sent.framing,
            "sends": sent.sends,
            "then": sent.then,
            "absolute": sent.absolute,
        },
        "reply": None
        if got is None
        else {
            "status": got.status,
            "headers": [list(header) for header in got.headers],
            "body": body_to_json(got.body, most_body),
            "seconds": round(got.seconds, 6),
        },
    }


def exchange_from_json(shape: Mapping[str, Any]) -> Exchange:
    """The way back. Raises KeyError, TypeError and ValueError for what is no exchange: see ``reading``."""
    sent, got = shape["request"], shape["reply"]
    request = Request(
        sent["method"], sent["path"], _headers(sent["headers"]), body_from_json(sent["body"]),
        sent["framing"], sent["sends"], sent["then"], sent["absolute"],
    )  # fmt: skip
    reply = None
    if got is not None:
        reply = Reply(
            got["status"], _headers(got["headers"]), body_from_json(got["body"]), float(got["seconds"])
        )
    return Exchange(request, reply, shape["fault"], shape["label"])


def body_to_json(body: bytes, most: int | None = None) -> dict[str, Any]:
    """A body as text where it is text."""
    if most is not None and len(body) > most:
        beginning = base64.b64encode(body[:_KEPT]).decode()
        digest = hashlib.sha256(body).hexdigest()
        return {"base64": beginning, "cut": True, "bytes": len(body), "sha256": digest}
    try:
        return {"text": body.decode("utf-8")}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(body).decode()}


def body_from_json(shape: Mapping[str, Any]) -> bytes:
    """The bytes of a body, or its beginning if it was cut. Raises KeyError, TypeError, ValueError."""
    if "text" in shape:
        return str(shape["text"]).encode("utf-8")
    try:
        return base64.b64decode(shape["base64"], validate=True)
    except binascii.Error as error:
        raise ValueError(f"a body is not base64: {error}") from error


def dumped(shape: Mapping[str, Any]) -> str:
    """The text of a JSON file. Pure ASCII, so that a lone surrogate that a server sent can be written too."""
    return json.dumps(plain(dict(shape)), indent=1, ensure_ascii=True, allow_nan=False) + "\n"


def reading(path: Path, what: str, read: Callable[[dict[str, Any]], Kind]) -> Kind:
    """Read a file of this format by ``read``. Raises ReportError for every file that is none."""
    try:
        shape = json.loads(path.read_bytes())
    except OSError as error:
        raise ReportError(f"{path}: {error.strerror or error}.") from error
    except (ValueError, RecursionError) as error:
        raise ReportError(f"{path} is no JSON file.") from error
    if not isinstance(shape, dict) or "format" not in shape:
        raise ReportError(f"{path} is no {what} of venice-contract.")
    if shape["format"] != FORMAT:
        raise ReportError(f"{path} has format {shape['format']!r}; this version reads format {FORMAT}.")
    try:
        return read(shape)
    except KeyError as error:
        raise ReportError(f"{path} is no complete {what}: {error} is missing.") from error
    except (TypeError, AttributeError, ValueError, ArithmeticError) as error:
        raise ReportError(f"{path} is no {what}: {error}.") from error


def _headers(shape: Any) -> Headers:
    return tuple((str(name), str(value)) for name, value in shape)
