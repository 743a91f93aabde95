"""From body bytes to named raw values: JSON and multipart/form-data. Syntax only; what values mean is not judged."""

from __future__ import annotations

import binascii
import re
from collections.abc import AsyncIterable
from typing import Any

import msgspec
import pybase64
from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError, MultipartParseError
from python_multipart.multipart import parse_options_header

_MAX_PARTS = 100  # ours, of a form or an object: ten times what any client sends


class BadSyntax(Exception):
    """The body is not what its media type says."""


class FileTooLarge(Exception):
    """A file part reached the limit while it was still arriving."""


class Upload(msgspec.Struct, frozen=True):
    """A file part: its bytes. Name and declared type are not kept, because the content decides."""

    data: bytes | bytearray


class Text(msgspec.Struct, frozen=True):
    """A string value that may be tens of megabytes long, as UTF-8 bytes that are not copied or decoded.

    ``file``: what its base64 stands for, where that was found out on the way; ``data`` is then the beginning alone.
    """

    data: bytes | bytearray | memoryview
    file: bytes | None = None


RawFields = dict[str, Any]  # image: Upload, Text or a wrong JSON value; the others: JSON values

_IMAGE = "image"
_MAX_QUOTES = (
    1 << 17
)  # ours: more than the longest prompt, all of it quotes, and every key; a flood of keys is not read
_MAX_CONTENT_TYPE = 1000  # ours: a boundary has 70 characters at most
_LONG = 1 << 16  # ours: characters of a string that is worth a way of its own
_STAND_IN = b"~the picture~"  # nothing in it is special in JSON, and it is no base64
BEGINNING = 256  # ours: characters that still show what kind of text it was
_PLAIN_DATA_URL = re.compile(
    rb"data:[ !#-+\--\[\]-~]{0,193};base64,", re.IGNORECASE
)  # no quote, comma, backslash


def fields_of_json(body: bytes | bytearray) -> RawFields:
    """The members of a JSON object; the last of equal keys counts. Raises BadSyntax.

    ``image`` is taken out of the body without decoding it, so that 33 MB of base64 are not copied twice.
    """
    start, end = _longest_gap(body)
    try:
        if end - start >= _LONG:
            fields = _with_long_image(body, start, end)
            if fields is not None:
                return fields
        is_plain = b"\\" not in body  # as base64 is: then nobody need look at the picture for escapes
        return {key: _json_value(key, raw, is_plain=is_plain) for key, raw in _members(body).items()}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadSyntax from error


def _longest_gap(body: bytes | bytearray) -> tuple[int, int]:
    """Where most bytes lie between a quote and the next. Raises BadSyntax for a flood of quotes."""
    # bytes.count would take seven times as long where quotes are rare, bytes.find is memchr.
    longest, last = (0, 0), body.find(b'"')
    for _ in range(_MAX_QUOTES):
        quote = body.find(b'"', last + 1) if last >= 0 else -1
        if quote < 0:
            return longest
        if quote - last > longest[1] - longest[0]:
            longest = (last + 1, quote)
        last = quote
    raise BadSyntax


def _with_long_image(body: bytes | bytearray, start: int, end: int) -> RawFields | None:
    """The members of a body whose ``image`` is the text from ``start`` to ``end`` and strict base64; None for others.

    To read tens of megabytes as base64 is to know that they are a JSON string: a parser need not see them. It is
    given the body with a word in their place, which changes nothing else of what it finds.
    """
    head, tail = body[:start], body[end:]
    if len(head) + len(tail) > _LONG or _STAND_IN in head or _STAND_IN in tail:
        return None
    text = memoryview(body)[start:end]
    url = _PLAIN_DATA_URL.match(text)
    try:
        file = pybase64.b64decode(text if url is None else text[url.end() :], validate=True)
    except (binascii.Error, ValueError):
        return None
    members = _members(b"".join((head, _STAND_IN, tail)))
    if bytes(members.get(_IMAGE, b"")) != b'"' + _STAND_IN + b'"':
        return None
    image = Text(bytes(text[:BEGINNING]), file)
    return {
        key: image if key == _IMAGE else _json_value(key, raw, is_plain=True) for key, raw in members.items()
    }


def _members(body: bytes | bytearray) -> dict[str, msgspec.Raw]:
    members = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    if len(members) > _MAX_PARTS:
        raise BadSyntax
    return members


def _json_value(key: str, raw: msgspec.Raw, *, is_plain: bool) -> Any:
    if key == _IMAGE and bytes(memoryview(raw)[:1]) == b'"':
        inner = memoryview(raw)[1:-1]
        if is_plain or not _has_backslash(inner):
            return Text(inner)
        return Text(str(msgspec.json.decode(raw)).encode("utf-8"))
    # No field takes a container: that it is one is all that is ever told, and building millions takes seconds.
    first = bytes(memoryview(raw)[:1])
    if first in (b"[", b"{"):
        return [] if first == b"[" else {}
    return msgspec.json.decode(raw)


def _has_backslash(view: memoryview) -> bool:
    # memoryview has no find; pieces keep the copy small and stop at the first hit ("\/" comes early if at all).
    step = 1 << 16
    return any(b"\\" in bytes(view[start : start + step]) for start in range(0, len(view), step))


async def fields_of_form(
    chunks: AsyncIterable[bytes], content_type: str, *, max_file_bytes_exclusive: int
) -> RawFields:
    """The parts of a multipart/form-data body, in memory; the last of equal names counts.

    Raises BadSyntax for a broken body and FileTooLarge while an over-size file part arrives.
    """
    if len(content_type) > _MAX_CONTENT_TYPE:
        raise BadSyntax
    _, options = parse_options_header(content_type)
    boundary = options.get(b"boundary", b"")
    if not boundary:
        raise BadSyntax
    form = _Form(max_file_bytes_exclusive)
    try:
        parser = MultipartParser(boundary, form.callbacks())  # type: ignore[arg-type]
        async for chunk in chunks:
            parser.write(chunk)
    except (MultipartParseError, FormParserError) as error:
        raise BadSyntax from error
    if not form.ended:
        raise BadSyntax
    return form.fields


class _Form:
    """Collects the parser's events of one body."""

    def __init__(self, max_file_bytes_exclusive: int) -> None:
        self.fields: RawFields = {}
        self.ended = False
        self._max_file = max_file_bytes_exclusive
        self._parts = 0
        self._header_name = bytearray()
        self._header_value = bytearray()
        self._disposition = b""
        self._data = bytearray()
        self._is_file = False
        self._name = ""

    def callbacks(self) -> dict[str, Any]:
        return {
            "on_part_begin": self._begin,
            "on_header_field": lambda data, start, end: self._header_name.extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._header_value.extend(data[start:end]),
            "on_header_end": self._header,
            "on_headers_finished": self._headers,
            "on_part_data": self._part_data,
            "on_part_end": self._end,
            "on_end": self._finish,
        }

    def _begin(self) -> None:
        self._parts += 1
        if self._parts > _MAX_PARTS:
            raise FormParserError("too many parts")
        self._data = bytearray()
        self._disposition = b""

    def _header(self) -> None:
        if bytes(self._header_name).lower() == b"content-disposition":
            self._disposition = bytes(self._header_value)
        self._header_name.clear()
        self._header_value.clear()

    def _headers(self) -> None:
        kind, options = parse_options_header(self._disposition)
        if kind != b"form-data" or b"name" not in options:
            raise FormParserError("a part without a name")
        self._name = options[b"name"].decode("utf-8", "replace")
        self._is_file = b"filename" in options

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        self._data += data[start:end]
        if self._is_file and len(self._data) >= self._max_file:
            raise FileTooLarge

    def _end(self) -> None:
        data, self._data = self._data, bytearray()
        if self._is_file:
            self.fields[self._name] = Upload(data)
        elif self._name == _IMAGE:
            self.fields[self._name] = Text(data)
        else:
            self.fields[self._name] = _form_value(self._name, data)

    def _finish(self) -> None:
        self.ended = True


def _form_value(name: str, data: bytearray) -> FormText:
    # A form has only text. Which fields are booleans is the schema's affair, but "true" as a prompt must stay text.
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FormParserError(f"{name} is not UTF-8") from error
    return FormText(text)


class FormText(str):
    """Text of a form part: a boolean field reads ``true`` and ``false`` from it, which JSON text never allows."""

    __slots__ = ()

    def as_boolean(self) -> bool | None:
        """The boolean spelt, or None."""
        return {"true": True, "false": False}.get(self)
