"""Pictures in requests and answers: found, decoded with care, and made small enough to stand in a page.

What a server answers is hostile: nothing here raises for it, and what cannot be shown is said in a caption.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import json
import re
import struct
import warnings
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from PIL import Image, ImageOps

from venice_contract.reports.wording import size
from venice_contract.wire.message import Reply, Request

SIDE = 200  # px, the longest of a thumbnail
_MOST_PIXELS = 36_000_000  # of one picture; the contract's largest answer, 4K, has half of that
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "AVIF")
_MAGIC: dict[str, re.Pattern[bytes]] = {
    "PNG": re.compile(rb"\x89PNG"),
    "JPEG": re.compile(rb"\xff\xd8\xff"),
    "WEBP": re.compile(rb"RIFF....WEBP", re.DOTALL),
    "GIF": re.compile(rb"GIF8[79]a"),
    "BMP": re.compile(rb"BM.{4}\0\0\0\0", re.DOTALL),
    "AVIF": re.compile(rb"....ftypavi[fs]", re.DOTALL),
    "TIFF": re.compile(rb"II\*\0|MM\0\*"),
    "ICO": re.compile(rb"\x00\x00\x01\x00[^\x00]\x00"),
}
# What Pillow's readers raise for damaged files; its plugins have no error of their own.
_UNREADABLE = (
    OSError, ValueError, SyntaxError, EOFError, TypeError, KeyError, IndexError, AttributeError, OverflowError,
    MemoryError, ZeroDivisionError, RuntimeError, struct.error, zlib.error, Image.DecompressionBombError,
)  # fmt: skip
_DATA_URL = re.compile(r"data:[^,]{0,100},")
_MOST_PICTURES = 4  # of one body
_DEEPEST = 6


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture to show. ``uri``: a data URL of ``width`` x ``height`` px; None when only the caption can stand.

    ``name``: under which a page can hold it once and show it often.
    """

    caption: str
    uri: str | None = None
    width: int = 0
    height: int = 0
    name: str = ""
    is_left_out: bool = False  # for want of room


@dataclass
class Gallery:
    """Makes thumbnails until their bytes, or the pixels decoded for them, have reached a limit.

    Equal files are decoded, and paid for, once.
    """

    most_bytes: int = 3_000_000
    most_pixels: int = 600_000_000
    _known: dict[bytes, Shot] = field(default_factory=dict)

    @property
    def left_out(self) -> int:
        """How many pictures met a limit, each counted once."""
        return sum(shot.is_left_out for shot in self._known.values())

    @property
    def shown(self) -> list[Shot]:
        """Every picture that was handed out to be shown, each once."""
        return [shot for shot in self._known.values() if shot.uri is not None]

    def sent(self, request: Request) -> list[Shot]:
        """The pictures of a request: base64 in JSON, or parts of a form."""
        return [self._shot(data) for data in pictures_of(request.body, request.header("content-type") or "")]

    def answered(self, reply: Reply) -> list[Shot]:
        """The pictures of an answer: the body itself, or base64 in JSON."""
        return [self._shot(data) for data in pictures_of(reply.body, reply.header("content-type") or "")]

    def _shot(self, data: bytes) -> Shot:
        key = hashlib.sha256(data).digest()
        shot = self._known.get(key)
        if shot is None:
            shot = self._known[key] = self._paid_for(self._made(data))
        return shot

    def _paid_for(self, shot: Shot) -> Shot:
        if shot.uri is None:
            return shot
        if len(shot.uri) > self.most_bytes:
            return _left_out(shot.caption)
        self.most_bytes -= len(shot.uri)
        return replace(shot, name=f"picture-{len(self._known) + 1}")

    def _made(self, data: bytes) -> Shot:
        name = kind_of(data) or "?"
        about = f"{name}, {size(len(data))}"
        if name not in _FORMATS:
            return Shot(f"{about}, not shown")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of damaged metadata, and of pixels that are counted below
                return self._thumbnail(data, name)
        except _UNREADABLE as error:
            return Shot(f"{about}, cannot be decoded ({type(error).__name__})")

    def _thumbnail(self, data: bytes, name: str) -> Shot:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            about = f"{name} {image.width} × {image.height}, {size(len(data))}"
            pixels = image.width * image.height
            if pixels > _MOST_PIXELS:
                return Shot(f"{about}, too large to be shown")
            if pixels > self.most_pixels:
                return _left_out(about)
            self.most_pixels -= pixels
            image.thumbnail((SIDE, SIDE))
            small = ImageOps.exif_transpose(image)
            if small.mode.startswith("I"):  # 16 bits a sample: the upper eight are shown
                small = small.convert("I").point(lambda sample: sample * (1 / 256)).convert("L")
            small = small.convert("RGBA" if small.has_transparency_data else "RGB")
            out = io.BytesIO()
            small.save(out, "WEBP", quality=60, method=3)
        uri = "data:image/webp;base64," + base64.b64encode(out.getvalue()).decode()
        return Shot(about, uri, small.width, small.height)


def _left_out(caption: str) -> Shot:
    return Shot(f"{caption}, left out to keep this page small", is_left_out=True)


def kind_of(data: bytes) -> str | None:
    """The format by its first bytes; None for what is no picture."""
    return next((name for name, magic in _MAGIC.items() if magic.match(data)), None)


def pictures_of(body: bytes, content_type: str) -> list[bytes]:
    """The picture files in a body, at most four: the body itself, parts of a form, base64 texts in JSON."""
    if kind_of(body) is not None:
        return [body]
    found: Iterator[bytes] = iter(())
    if "multipart/" in content_type.lower():
        found = (part.data for part in parts_of(body, content_type) if kind_of(part.data) is not None)
    elif body[:64].lstrip()[:1] in (b"{", b"["):
        try:
            found = _in_json(json.loads(body), _DEEPEST)
        except (ValueError, RecursionError):
            return []
    return [data for _, data in zip(range(_MOST_PICTURES), found, strict=False)]


@dataclass(frozen=True, slots=True)
class FormPart:
    """One part of a form: its head as text, its data."""

    head: str
    data: bytes


def parts_of(body: bytes, content_type: str) -> list[FormPart]:
    """The parts of a multipart body, as well as they can be told apart."""
    found = re.search(r'boundary="?([^";,]+)', content_type, re.IGNORECASE)
    if found is None:
        return []
    pieces = body.split(b"--" + found[1].strip().encode("latin-1", "replace"))[1:]
    parts = []
    for piece in pieces:
        head, gap, data = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        if gap:
            parts.append(FormPart(head.decode("utf-8", "backslashreplace"), data.removesuffix(b"\r\n")))
    return parts


def _in_json(value: Any, depth: int) -> Iterator[bytes]:
    if isinstance(value, str):
        data = _decoded(value)
        if data is not None:
            yield data
    elif depth and isinstance(value, dict | list):
        for member in value.values() if isinstance(value, dict) else value:
            yield from _in_json(member, depth - 1)


def _decoded(text: str) -> bytes | None:
    """The picture that a text is in base64, by either alphabet and with or without a data URL's head."""
    start = _DATA_URL.match(text)
    text = text[start.end() :] if start else text
    if len(text) < 24 or kind_of(_unpacked(text[:32]) or b"") is None:
        return None
    return _unpacked(text)


def _unpacked(text: str) -> bytes | None:
    text = text.translate({ord("-"): "+", ord("_"): "/"}).rstrip("=\r\n ")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return None
