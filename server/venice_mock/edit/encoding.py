"""From pixels to a file, with the request as understood inside. Nothing of the input's metadata gets in."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Literal

from PIL import Image, ImageChops

from venice_mock.edit.metadata import PNG_KEYWORD, Understood, as_exif, as_text

OutputFormat = Literal["png", "jpeg", "webp"]

_MAX_ROWS = 1 << 15  # above, a row is too short for work in Python to be worth it


def encode(image: Image.Image, fmt: OutputFormat, understood: Understood) -> bytes:
    """The file. ``image`` is RGB.

    Raises ValueError or OSError when the format cannot hold the size: a side over 16,383 (WebP) or
    65,500 (JPEG) pixels.
    """
    if fmt == "png":
        text = PNG_KEYWORD + b"\0" + as_text(understood).encode("ascii")
        return _png(image, text)
    out = io.BytesIO()
    if fmt == "jpeg":
        # Quality 88 with 4:2:0, tables not optimised: MEASURED_JPEG
        image.save(out, "JPEG", quality=88, subsampling="4:2:0", exif=as_exif(understood))
    else:
        # Method 0: MEASURED_WEBP
        image.save(out, "WEBP", quality=82, method=0, exif=as_exif(understood))
    return out.getvalue()


def _png(image: Image.Image, text: bytes) -> bytes:
    """PNG with the "up" filter on every row, and run-length deflate.

    Pillow tries five filters for every row and cannot be told to do less. MEASURED_PNG
    """
    width, height = image.size
    parts = [
        b"\x89PNG\r\n\x1a\n",
        _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        _chunk(b"tEXt", text),
    ]
    deflate = zlib.compressobj(1, zlib.DEFLATED, 15, 9, zlib.Z_RLE)
    stride = 3 * width
    packed = [deflate.compress(b"\0" + image.crop((0, 0, width, 1)).tobytes())]
    band = max(1, min(_MAX_ROWS, (8 << 20) // stride))  # rows at a time, so that a large picture is not held thrice
    for top in range(1, height, band):
        end = min(height, top + band)
        above, here = image.crop((0, top - 1, width, end - 1)), image.crop((0, top, width, end))
        rows = ImageChops.subtract_modulo(here, above).tobytes()
        if stride <= 16:  # a row is too short to be worth a slice each: let its bytes be placed column by column
            lined = bytearray((stride + 1) * (end - top))
            lined[:: stride + 1] = b"\2" * (end - top)
            for place in range(stride):
                lined[place + 1 :: stride + 1] = rows[place::stride]
            packed.append(deflate.compress(lined))
        else:
            lines = [rows[at : at + stride] for at in range(0, len(rows), stride)]
            packed.append(deflate.compress(b"\2" + b"\2".join(lines)))
    packed.append(deflate.flush())
    pixels = b"".join(packed)
    step = 1 << 30  # a chunk's length has 31 bits
    parts.extend(_chunk(b"IDAT", pixels[at : at + step]) for at in range(0, len(pixels), step))
    parts.append(_chunk(b"IEND", b""))
    return b"".join(parts)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(body, zlib.crc32(kind)))
