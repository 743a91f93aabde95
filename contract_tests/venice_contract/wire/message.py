"""What is sent and what comes back. Only shapes and look-ups live here: no transport, no judgement."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Headers = tuple[tuple[str, str], ...]
FaultKind = Literal["unreachable", "tls", "timeout", "closed", "protocol", "failed"]


class TransportFault(Exception):
    """No answer came. ``kind`` says why, the text is one sentence without any secret."""

    def __init__(self, kind: FaultKind, sentence: str) -> None:
        super().__init__(sentence)
        self.kind: FaultKind = kind


class BadReply(Exception):
    """The answer is not of the kind that was read from it: no JSON, say. The text is one sentence."""


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, to the byte.

    ``path`` has the query and is relative to the API's base (``/image/edit``), or to the server's origin when
    ``absolute``. ``framing`` tells how the body's length is told. ``sends`` cuts the body after so many bytes,
    and the client then waits for an answer or leaves, as ``then`` says.
    """

    method: str
    path: str
    headers: Headers = ()
    body: bytes = b""
    framing: Literal["length", "chunked"] = "length"
    sends: int | None = None
    then: Literal["wait", "leave"] = "wait"
    absolute: bool = False

    def header(self, name: str) -> str | None:
        """The first value of a header, whatever its letter case."""
        return first(self.headers, name)


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP answer. Header names are in lower case, in the order of arrival."""

    status: int
    headers: Headers
    body: bytes
    seconds: float = 0.0

    def header(self, name: str) -> str | None:
        """The first value of a header, whatever its letter case."""
        return first(self.headers, name)

    @property
    def media_type(self) -> str:
        """Content-Type without its parameters, lower case; empty when there is none."""
        return (self.header("content-type") or "").partition(";")[0].strip().lower()

    def json(self) -> Any:
        """The body as JSON. Raises BadReply for anything else, whatever its media type says."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            raise BadReply(f"the body is not JSON: {shown(self.body)}") from None


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request with its reply, or with the sentence that says why there is none. ``label``: what it is for."""

    request: Request
    reply: Reply | None
    fault: str | None = None
    label: str = ""


def first(headers: Iterable[tuple[str, str]], name: str) -> str | None:
    """The first value under ``name`` in any letter case."""
    wanted = name.lower()
    return next((value for key, value in headers if key.lower() == wanted), None)


def shown(body: bytes, most: int = 120) -> str:
    """The beginning of a body, fit for a sentence."""
    if not body:
        return "it is empty"
    if body[:1] in b"\x89\xff" or body[:4] == b"RIFF":
        return f"{len(body)} bytes of a picture"
    text = body[: most + 1].decode("utf-8", "backslashreplace")
    text = "".join(c if c.isprintable() else " " for c in text)
    return repr(text if len(body) <= most else text[:most] + "...")


def json_request(
    fields: Mapping[str, Any] | list[Any] | bytes, *, path: str = "/image/edit", headers: Headers = ()
) -> Request:
    """A POST of JSON; bytes go as they are."""
    body = fields if isinstance(fields, bytes) else json.dumps(fields).encode()
    return Request("POST", path, (("Content-Type", "application/json"), *headers), body)


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a form. ``filename`` None makes it a text part."""

    name: str
    data: bytes
    filename: str | None = None
    content_type: str | None = None


def form_body(parts: Iterable[Part], boundary: str) -> bytes:
    """A multipart/form-data body."""
    out = bytearray()
    for part in parts:
        out += f'--{boundary}\r\nContent-Disposition: form-data; name="{part.name}"'.encode()
        if part.filename is not None:
            out += f'; filename="{part.filename}"'.encode()
        if part.content_type is not None:
            out += f"\r\nContent-Type: {part.content_type}".encode()
        out += b"\r\n\r\n" + part.data + b"\r\n"
    return bytes(out + f"--{boundary}--\r\n".encode())


def form_request(
    parts: Iterable[Part],
    *,
    path: str = "/image/edit",
    headers: Headers = (),
    boundary: str = "venice-contract-form",
) -> Request:
    """A POST of a form."""
    content_type = ("Content-Type", f"multipart/form-data; boundary={boundary}")
    return Request("POST", path, (content_type, *headers), form_body(parts, boundary))
