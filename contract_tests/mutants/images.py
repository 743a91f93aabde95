"""Mutants of the group ``image``: how a picture may be sent, and which pictures are taken."""

from __future__ import annotations

from typing import Any

from mutants.kit import Mutant, asking, wrapping
from venice_mock.edit.fields import FileTooLarge, Text, Upload
from venice_mock.edit.headers import BrokenHeader
from venice_mock.errors import Issue


def _blob_is_text(scope: Any, body: bytes) -> tuple[Any, bytes]:
    return scope, body.replace(b'; filename="blob"', b"")


def _jpeg_called_png(scope: Any, body: bytes) -> tuple[Any, bytes]:
    return scope, body.replace(b"image/png\r\n\r\n\xff\xd8\xff", b"image/png\r\n\r\nnot")


def _up_to_a_mebibyte(fields_of_json: Any) -> Any:
    def read(body: bytes) -> Any:
        if len(body) > 1 << 20:
            raise FileTooLarge
        return fields_of_json(body)

    return read


def _raising(decode: Any) -> Any:
    def decoded(text: Any) -> Any:
        data = decode(text)
        if data is None:
            raise RuntimeError("not base64")
        return data

    return decoded


def _named_images(missing: Any) -> Any:
    def told(contract: Any, name: str) -> Issue:
        issue = missing(contract, name)
        return (
            Issue(issue.code, "images", issue.message, issue.rule, issue.extra) if name == "image" else issue
        )

    return told


def _measured(image: Any) -> Any:
    def checked(contract: Any, name: str, value: Any) -> Any:
        if not isinstance(value, Upload | Text):
            raise TypeError("object has no len()")
        return image(contract, name, value)

    return checked


def _only_known(avif: Any) -> Any:
    def walked(data: Any) -> Any:
        if bytes(data[4:8]) != b"ftyp":
            raise RuntimeError("no format")
        return avif(data)

    return walked


def _without_checksums(check_png: Any) -> Any:
    def checked(view: Any) -> Any:
        try:
            return check_png(view)
        except BrokenHeader as fault:
            if "CRC" in str(fault):
                return ((0, len(view)),), None
            raise

    return checked


def _baseline_only(jpeg: Any) -> Any:
    def walked(view: Any) -> Any:
        header = jpeg(view)
        if header.progressive:
            raise BrokenHeader("not baseline")
        return header

    return walked


def _no_inks(flatten: Any) -> Any:
    def flat(image: Any) -> Any:
        if image.mode == "CMYK":
            raise KeyError("CMYK")
        return flatten(image)

    return flat


MUTANTS: tuple[Mutant, ...] = (
    asking(
        "EDIT-IMG-001",
        "a part whose file name is blob, as browsers send it, is read as text",
        _blob_is_text,
    ),
    wrapping(
        "EDIT-IMG-002",
        "JSON is read up to a mebibyte, as frameworks do unless told otherwise",
        "venice_mock.edit.readings.fields_of_json",
        _up_to_a_mebibyte,
    ),
    wrapping(
        "EDIT-IMG-006",
        "a missing picture is reported at images",
        "venice_mock.edit.validation._missing",
        _named_images,
    ),
    wrapping(
        "EDIT-IMG-007",
        "the length of an image is taken before it is known to be a text",
        "venice_mock.edit.validation._CHECKS",
        lambda checks: {**checks, "image": _measured(checks["image"])},
    ),
    wrapping(
        "EDIT-IMG-008",
        "the error of decoding base64 is not caught",
        "venice_mock.edit.source.decode_base64",
        _raising,
    ),
    wrapping(
        "EDIT-IMG-009",
        "bytes of no known format are not expected",
        "venice_mock.edit.opening._avif",
        _only_known,
    ),
    wrapping(
        "EDIT-IMG-010",
        "the checksums of a PNG are not looked at",
        "venice_mock.edit.opening.check_png",
        _without_checksums,
    ),
    wrapping(
        "EDIT-IMG-019",
        "progressive JPEG is refused",
        "venice_mock.edit.headers._jpeg",
        _baseline_only,
    ),
    wrapping(
        "EDIT-IMG-021",
        "pictures in printing inks end in an uncaught error",
        "venice_mock.edit.opening.flatten",
        _no_inks,
    ),
    asking(
        "EDIT-IMG-024",
        "the declared media type of an upload decides how it is read",
        _jpeg_called_png,
    ),
)
