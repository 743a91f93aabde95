"""Whether a picture file carries EXIF, a place (GPS) and a colour profile. Bounded walks; never refuses a file."""

from __future__ import annotations

import contextlib
import re
import struct
from itertools import islice

import msgspec

from venice_mock.edit.headers import (
    MAX_SEGMENTS,
    BrokenHeader,
    png_chunks,
)
from venice_mock.state.story import Data

_GPS, _EXIF_IFD, _ICC = 0x8825, 0x8769, 0x8773  # tags of TIFF's first directory
_MOST_TAGS = 512  # ours
_EXIF = b"Exif\0\0"
_TIFF_START = re.compile(rb"II\*\0|MM\0\*")
_MOST_STARTS = 8  # ours
_BOXES = 1 << 16  # ours: bytes of an AVIF in which its boxes stand


class Facts(msgspec.Struct, frozen=True):
    """What the file carries beside its pixels. ``format`` is None for a file of no known kind."""

    format: str | None = None
    exif: bool = False
    gps: bool = False
    icc: bool = False


def facts_of(data: Data) -> Facts:
    """The facts, as far as the file can be read."""
    view = memoryview(data)
    start = bytes(view[:12])
    try:
        if start.startswith(b"\x89PNG\r\n\x1a\n"):
            return _png(view)
        if start.startswith(b"\xff\xd8\xff"):
            return _jpeg(view)
        if start.startswith(b"RIFF") and start[8:12] == b"WEBP":
            return _webp(view)
        if start.startswith((b"II*\0", b"MM\0*")):
            tags = _tags(view)
            return Facts("TIFF", _EXIF_IFD in tags or _GPS in tags, _GPS in tags, _ICC in tags)
        if start[4:8] == b"ftyp":
            boxes = bytes(view[:_BOXES])
            exif = b"Exif" in boxes
            return Facts("AVIF", exif, exif and _has_gps_somewhere(view), b"colrprof" in boxes)
    except (BrokenHeader, struct.error, IndexError):
        return Facts()
    kinds = {b"GIF87a": "GIF", b"GIF89a": "GIF"}
    return Facts(kinds.get(start[:6]) or ("BMP" if start.startswith(b"BM") else None))


def _png(view: memoryview) -> Facts:
    block: memoryview | None = None
    icc = False
    for number, (kind, at, end) in enumerate(png_chunks(view)):
        if kind == b"eXIf":
            block = view[at + 8 : end - 4]
        elif kind == b"iCCP":
            icc = True
        elif number > MAX_SEGMENTS:
            break
    return _with_exif("PNG", block, icc)


def _jpeg(view: memoryview) -> Facts:
    block: memoryview | None = None
    icc, at = False, 2
    for _ in range(MAX_SEGMENTS):
        marker, length = struct.unpack_from(">HH", view, at)
        if marker == 0xFFDA or marker >> 8 != 0xFF:
            break
        body = view[at + 4 : at + 2 + length]
        if marker == 0xFFE1 and block is None and bytes(body[:6]) == _EXIF:
            block = body
        elif marker == 0xFFE2 and bytes(body[:11]) == b"ICC_PROFILE":
            icc = True
        at += 2 + length
    return _with_exif("JPEG", block, icc)


def _webp(view: memoryview) -> Facts:
    block: memoryview | None = None
    icc, at = False, 12
    for _ in range(MAX_SEGMENTS):
        if at + 8 > len(view):
            break
        kind, length = struct.unpack_from("<4sI", view, at)
        if kind == b"EXIF":
            block = view[at + 8 : at + 8 + length]
        icc = icc or kind == b"ICCP"
        at += 8 + length + (length & 1)
    return _with_exif("WEBP", block, icc)


def _with_exif(kind: str, block: memoryview | None, icc: bool) -> Facts:
    if block is None:
        return Facts(kind, icc=icc)
    try:
        gps = _GPS in _tags(block[6:] if bytes(block[:6]) == _EXIF else block)
    except (struct.error, IndexError):
        gps = False
    return Facts(kind, exif=True, gps=gps, icc=icc)


def _tags(view: memoryview) -> set[int]:
    """The tags of a TIFF structure's first directory."""
    order = "<" if bytes(view[:2]) == b"II" else ">"
    (at,) = struct.unpack_from(order + "I", view, 4)
    (count,) = struct.unpack_from(order + "H", view, at)
    steps = range(min(count, _MOST_TAGS))
    return {struct.unpack_from(order + "H", view, at + 2 + 12 * step)[0] for step in steps}


def _has_gps_somewhere(view: memoryview) -> bool:
    """Whether the Exif item of an AVIF, which may lie anywhere behind the boxes, points at a place."""
    whole = bytes(view)
    for start in islice(_TIFF_START.finditer(whole), _MOST_STARTS):
        with contextlib.suppress(struct.error, IndexError):
            if _GPS in _tags(view[start.start() :]):
                return True
    return False
