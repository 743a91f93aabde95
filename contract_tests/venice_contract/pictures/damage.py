"""Sound picture files made unsound, each in exactly one way. Knows formats byte by byte; draws nothing."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Iterator

from venice_contract.pictures.png import SIGNATURE, chunk, chunks
from venice_contract.pictures.recipe import Format, Picture

_TRAILER = b"\n-- what follows the end of a picture is none of it --\n" * 8
_HEADER_BYTES: dict[Format, int] = {
    "png": len(SIGNATURE) + 25,
    "webp": 30,
    "gif": 13,
    "bmp": 54,
    "tiff": 8,
    "avif": 40,
    "ico": 22,
}


def damaged(data: bytes, picture: Picture) -> bytes:
    """``data``, the sound file of ``picture``, with the defect that the recipe names."""
    if picture.defect == "truncated":
        return data[: max(1, len(data) * picture.keep_percent // 100)]
    if picture.defect == "bad-checksum":
        return _with_bad_checksum(data)
    if picture.defect == "header-only":
        return data[: _frame_end(data) if picture.format == "jpeg" else _HEADER_BYTES[picture.format]]
    if picture.defect == "broken-pixels":
        return _with_broken_pixels(data, picture.format)
    if picture.defect == "lying-header" and picture.claimed is not None:
        return _with_size(data, picture.format, picture.claimed)
    if picture.defect == "wrong-magic":
        return b"not-a-magic!" + data[12:]
    if picture.defect == "trailing-data":
        return data + _TRAILER
    if picture.defect == "polyglot":
        return data + _archive()
    return data


def _archive() -> bytes:
    """A ZIP archive; readers look for it at the end of a file, so it may stand behind anything."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(zipfile.ZipInfo("page.html", (2001, 2, 3, 4, 5, 6)), "<script>alert(1)</script>")
    return out.getvalue()


def _with_bad_checksum(data: bytes) -> bytes:
    _, _, end = next(found for found in chunks(data) if found[0] == b"IDAT")
    return data[: end - 1] + bytes([data[end - 1] ^ 1]) + data[end:]


def _with_broken_pixels(data: bytes, fmt: Format) -> bytes:
    if fmt == "png":
        _, start, end = next(found for found in chunks(data) if found[0] == b"IDAT")
        return data[:start] + chunk(b"IDAT", b"\xff" * (end - start - 12)) + data[end:]
    if fmt == "jpeg":
        # The first component asks for a quantisation table that is not there; no decoder makes that up.
        at = _frame_start(data) + 12
        return data[:at] + b"\x03" + data[at + 1 :]
    at = data.index(b"VP8L") + 8 + 5
    return data[:at] + b"\xff" * (len(data) - at)


def _with_size(data: bytes, fmt: Format, size: tuple[int, int]) -> bytes:
    """Another width and height in the header."""
    if fmt == "png":
        header = struct.pack(">II", *size) + data[24:29]
        return SIGNATURE + chunk(b"IHDR", header) + data[_HEADER_BYTES["png"] :]
    if fmt == "jpeg":
        at = _frame_start(data) + 5
        return data[:at] + struct.pack(">HH", size[1], size[0]) + data[at + 4 :]
    return data[:18] + struct.pack("<ii", *size) + data[26:]


def segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """(marker, start, end) of a JPEG's segments up to the first scan; ``start`` is where the marker stands."""
    at = 2
    while True:
        marker, length = struct.unpack_from(">HH", data, at)
        yield marker, at, at + 2 + length
        if marker == 0xFFDA:
            return
        at += 2 + length


def _frame(data: bytes) -> tuple[int, int]:
    """Start and end of the segment that tells a JPEG's size."""
    frames = (0xFFC0, 0xFFC1, 0xFFC2)
    return next((start, end) for marker, start, end in segments(data) if marker in frames)


def _frame_start(data: bytes) -> int:
    return _frame(data)[0]


def _frame_end(data: bytes) -> int:
    return _frame(data)[1]
