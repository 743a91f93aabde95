"""From recipe to file: ``build`` and a bounded cache for it. The only module of this package that writes pictures."""

from __future__ import annotations

import io
import struct
import threading
import zlib
from collections import OrderedDict
from random import Random
from typing import Any

from PIL import Image, ImageChops

from venice_contract.pictures import png
from venice_contract.pictures.damage import damaged, segments
from venice_contract.pictures.painting import CELL, paint
from venice_contract.pictures.recipe import Mode, Picture
from venice_contract.pictures.tags import ADULT_MARK, exif_block, icc_profile, xmp_packet

_PNG_KINDS: dict[Mode, tuple[int, int]] = {  # bits a sample, colour type
    "1": (1, png.GREY),
    "L": (8, png.GREY),
    "LA": (8, png.GREY_ALPHA),
    "P": (8, png.PALETTE),
    "P+transparency": (8, png.PALETTE),
    "RGB": (8, png.COLOUR),
    "RGBA": (8, png.COLOUR_ALPHA),
    "I;16": (16, png.GREY),
    "RGB;16": (16, png.COLOUR),
}
_QUICK = 1 << 20  # bytes of raw rows from which packing speed matters more than size


class PictureCache:
    """Built files, the least recently used thrown out when they pass ``max_bytes`` together. Safe among threads."""

    def __init__(self, max_bytes: int = 64 << 20) -> None:
        self._max_bytes = max_bytes
        self._held = 0
        self._files: OrderedDict[Picture, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def build(self, picture: Picture) -> bytes:
        """The file of ``picture``. Raises ValueError as ``build`` does."""
        with self._lock:
            if picture in self._files:
                self._files.move_to_end(picture)
                return self._files[picture]
        data = build(picture)
        with self._lock:
            if picture not in self._files and len(data) <= self._max_bytes:
                self._files[picture] = data
                self._held += len(data)
                while self._held > self._max_bytes:
                    self._held -= len(self._files.popitem(last=False)[1])
        return data

    @property
    def held_bytes(self) -> int:
        """How much is kept."""
        return self._held


def build(picture: Picture) -> bytes:
    """The file of a recipe; equal recipes give equal bytes. Raises ValueError when ``pad_to`` is too small."""
    if picture.format == "png":
        data = _png(picture)
    elif picture.format == "ico":
        data = _ico(picture)
    else:
        data = _saved(picture)
    if picture.pad_to is not None:
        data = png.padded(data, picture.pad_to, _filler(picture, picture.pad_to))
    return damaged(data, picture)


def _filler(picture: Picture, length: int) -> bytes:
    return bytes(length) if picture.padding == "zeros" else Random(picture.seed).randbytes(length)


# --- PNG ---------------------------------------------------------------------------------------------------


def _png(picture: Picture) -> bytes:
    depth, colour = _PNG_KINDS[picture.mode]
    before: list[png.Chunk] = []
    if picture.profile:
        before.append(
            (b"iCCP", b"test\0\0" + zlib.compress(icc_profile(grey=colour in (png.GREY, png.GREY_ALPHA))))
        )
    rows, palette = _rows(picture)
    before += palette
    if picture.adult:
        before.append((b"tEXt", b"Comment\0" + ADULT_MARK.encode("ascii")))
    if xmp := xmp_packet(picture):
        before.append((b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp))
    if exif := exif_block(picture, mark=False):
        before.append((b"eXIf", exif))
    later = [_rows(picture, frame=1)[0]] if picture.variant == "animated" else []
    return png.write_png(
        picture.width,
        picture.height,
        rows,
        depth=depth,
        colour=colour,
        interlaced=picture.variant == "interlaced",
        before=before,
        later_frames=later,
        level=1 if len(rows) >= _QUICK else 6,
    )


def _rows(picture: Picture, frame: int = 0) -> tuple[bytes, list[png.Chunk]]:
    """Unfiltered rows, and the chunks of the palette where there is one."""
    if picture.pattern in ("flat", "checker") and picture.height > 2 * CELL:
        # Rows repeat, so a strip as wide as the picture is enough, whatever the height.
        strip = Picture.from_json(picture.to_json() | {"height": 2 * CELL})
        rows, palette = _samples(paint(strip, frame), picture.mode)
        stride = len(rows) // (2 * CELL)
        whole, rest = divmod(picture.height, 2 * CELL)
        return rows * whole + rows[: rest * stride], palette
    return _samples(paint(picture, frame), picture.mode)


def _samples(image: Image.Image, mode: Mode) -> tuple[bytes, list[png.Chunk]]:
    """The image's samples as PNG orders them: packed, most significant byte first."""
    rows = image.tobytes()
    if mode == "I;16":
        swapped = bytearray(rows)
        swapped[::2], swapped[1::2] = rows[1::2], rows[::2]
        return bytes(swapped), []
    if mode == "RGB;16":
        deep = bytearray(2 * len(rows))
        deep[::2], deep[1::2] = rows, rows  # 0..255 becomes 0..65,535
        return bytes(deep), []
    if image.mode != "P":
        return rows, []
    palette: list[png.Chunk] = [(b"PLTE", image.im.getpalette("RGB", "RGB"))]
    clear = image.info.get("transparency")
    if isinstance(clear, int):
        palette.append((b"tRNS", b"\xff" * clear + b"\0"))
    return rows, palette


# --- the formats that Pillow writes --------------------------------------------------------------------------


def _saved(picture: Picture) -> bytes:
    image, options = paint(picture), _options(picture)
    if picture.variant in ("animated", "multipage"):
        options |= {"save_all": True, "append_images": [paint(picture, frame=1)]}
        if picture.variant == "animated":
            options |= {"duration": 500, "loop": 0}
    if picture.format == "jpeg" and picture.mode == "CMYK":
        image = ImageChops.invert(image)  # Pillow inverts what it writes, which is Adobe's way
    out = io.BytesIO()
    image.save(out, picture.format.upper(), **options)
    data = out.getvalue()
    if picture.format == "jpeg" and picture.mode == "CMYK":
        start, end = next((start, end) for marker, start, end in segments(data) if marker == 0xFFEE)
        data = data[:start] + data[end:]
    return data


def _options(picture: Picture) -> dict[str, Any]:
    """What Pillow is told beside the pixels."""
    fmt = picture.format
    ways: dict[str, dict[str, Any]] = {
        "jpeg": {"quality": 92, "progressive": picture.variant == "progressive"},
        "webp": {"lossless": picture.variant == "lossless", "quality": 90, "method": 0, "exact": True},
        # libtiff does not write EXIF's own directory; Pillow does, without compression
        "tiff": {} if picture.camera or picture.adult else {"compression": "tiff_lzw"},
        "avif": {"quality": 90, "speed": 10},
    }
    options = ways.get(fmt, {})
    if fmt == "gif" and picture.adult:
        options["comment"] = ADULT_MARK.encode("ascii")
    if exif := exif_block(picture, mark=True):
        options["exif"] = b"Exif\0\0" + exif
    if (xmp := xmp_packet(picture)) and fmt != "tiff":
        options["xmp"] = xmp
    if picture.profile:
        options["icc_profile"] = icc_profile(grey=picture.mode in ("L", "LA"))
    return options


def _ico(picture: Picture) -> bytes:
    """An icon of one picture, held as PNG."""
    inner = _png(
        Picture.from_json(picture.to_json() | {"format": "png", "defect": "none", "keep_percent": 50})
    )
    bits = 8 * len(picture.mode)
    # 256 is written as 0
    entry = struct.pack("<BBBBHHII", picture.width % 256, picture.height % 256, 0, 0, 1, bits, len(inner), 22)
    return struct.pack("<HHH", 0, 1, 1) + entry + inner
