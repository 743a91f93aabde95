"""From pixels to a file, with the request as understood inside. Nothing of the input's metadata gets in.

The settings were chosen by measurement: CPU time and size of the 1264x848 picture that "make it a sunset" makes of a
photo-like one of 1 MP, in one run on one machine. Those marked are used; ``deflate.py`` says more of the first two.

| writer | ms | kB |
|---|---|---|
| PNG, filter "up", ISA-L level 1 (if installed) | 14 | 1737 | *
| PNG, filter "up", zlib with run lengths | 36 | 1665 | *
| PNG by Pillow, level 1 with run lengths / level 6, its default | 72 / 344 | 1638 / 1621 |
| JPEG 80 / 85 / 90, 4:2:0 | 2.8 / 3.0 / 3.1 | 113 / 143 / 196 |
| JPEG 88, 4:2:0 | 3.2 | 171 | *
| JPEG 88, 4:4:4 / optimized / progressive | 4.5 / 6.7 / 14 | 219 / 162 / 158 |
| WebP 82, method 0 | 21 | 92 | *
| WebP 82, method 1 / 2 / 4 | 26 / 34 / 77 | 83 / 77 / 72 |
| WebP 75 / 90, method 0 | 18 / 33 | 55 / 188 |
| WebP lossless, least effort | 49 | 1460 |
"""

from __future__ import annotations

import io
import struct
import zlib
from typing import Literal

from PIL import Image, ImageChops

from venice_mock.edit.deflate import FASTEST, Deflate, Stream
from venice_mock.edit.metadata import PNG_KEYWORD, Understood, as_exif, as_text

OutputFormat = Literal["png", "jpeg", "webp"]

# Filtered at a time: what stays in the processor's cache goes through in two thirds of the time, and a large picture
# is not held thrice.
_BAND_BYTES = 1 << 19
_MAX_ROWS = 1 << 15


def encode(
    image: Image.Image, fmt: OutputFormat, understood: Understood, deflate: Deflate = FASTEST
) -> bytes:
    """The file. ``image`` is RGB, ``deflate`` what packs a PNG.

    Raises ValueError or OSError when the format cannot hold the size: a side over 16,383 (WebP) or
    65,500 (JPEG) pixels.
    """
    if fmt == "png":
        text = PNG_KEYWORD + b"\0" + as_text(understood).encode("ascii")
        return _png(image, text, deflate)
    out = io.BytesIO()
    if fmt == "jpeg":
        image.save(out, "JPEG", quality=88, subsampling="4:2:0", exif=as_exif(understood))
    else:
        image.save(out, "WEBP", quality=82, method=0, exif=as_exif(understood))
    return out.getvalue()


def _png(image: Image.Image, text: bytes, deflate: Deflate) -> bytes:
    """PNG with the "up" filter on every row. Pillow tries five for each and cannot be told to do less."""
    width, height = image.size
    flat = _one_colour(image)
    kind, depth = (2, 8) if flat is None else (3, 1)
    parts = [
        b"\x89PNG\r\n\x1a\n",
        _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0), deflate),
        _chunk(b"tEXt", text, deflate),
    ]
    if flat is not None:  # the fast engine's cards: a palette of one, 20 times cheaper
        parts.append(_chunk(b"PLTE", bytes(flat), deflate))
        pixels = zlib.compress(bytes((1 + -(-width // 8)) * height), 1)
    else:
        pixels = _rows(image, deflate.stream())
    step = 1 << 30  # a chunk's length has 31 bits
    parts.extend(_chunk(b"IDAT", pixels[at : at + step], deflate) for at in range(0, len(pixels), step))
    parts.append(_chunk(b"IEND", b"", deflate))
    return b"".join(parts)


def _rows(image: Image.Image, stream: Stream) -> bytes:
    """The deflated scan lines, each after its filter's number."""
    width, height = image.size
    stride = 3 * width
    packed = [stream.compress(b"\0" + image.crop((0, 0, width, 1)).tobytes())]
    band = max(1, min(_MAX_ROWS, _BAND_BYTES // stride))
    for top in range(1, height, band):
        end = min(height, top + band)
        above, here = image.crop((0, top - 1, width, end - 1)), image.crop((0, top, width, end))
        rows = ImageChops.subtract_modulo(here, above).tobytes()
        if stride <= 16:  # such rows are not worth a slice each: their bytes are placed column by column
            lined = bytearray((stride + 1) * (end - top))
            lined[:: stride + 1] = b"\2" * (end - top)
            for place in range(stride):
                lined[place + 1 :: stride + 1] = rows[place::stride]
            packed.append(stream.compress(lined))
        else:
            lines = [rows[at : at + stride] for at in range(0, len(rows), stride)]
            packed.append(stream.compress(b"\2" + b"\2".join(lines)))
    packed.append(stream.flush())
    return b"".join(packed)


def _one_colour(image: Image.Image) -> tuple[int, ...] | None:
    """The colour of a picture that has only one."""
    first = image.getpixel((0, 0))
    middle = image.getpixel((image.width // 2, image.height // 2))
    if first != middle or not isinstance(first, tuple):
        return None
    ranges = image.getextrema()
    return first if ranges == tuple((band, band) for band in first) else None


def _chunk(kind: bytes, body: bytes, deflate: Deflate) -> bytes:
    crc = deflate.crc32(body, deflate.crc32(kind, 0))
    return b"".join((struct.pack(">I", len(body)), kind, body, struct.pack(">I", crc)))
