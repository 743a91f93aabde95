"""The inputs: made from a seed, photo-like (smooth shapes and film grain), kept in the temporary folder."""

from __future__ import annotations

import os
import random
import struct
import tempfile
import zlib
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageChops

_RECIPE = 1  # raise it when a picture's making changes: older files in the cache then count no more

ONE_MEGAPIXEL = (1216, 832)
LARGEST = (7680, 4320)  # width x height is the most that the contract takes
LARGEST_FILE = 24_900_000  # bytes, a little less than the contract takes


@dataclass(frozen=True)
class Picture:
    """A file and what it holds. ``size`` is width and height in pixels, ``format`` png or jpeg."""

    data: bytes
    size: tuple[int, int]
    format: str

    @property
    def pixels(self) -> int:
        """Width x height."""
        return self.size[0] * self.size[1]


@dataclass(frozen=True)
class Pictures:
    """The pictures, each made when it is first asked for. ``folder`` is where they are kept."""

    folder: Path

    @cached_property
    def photo(self) -> Picture:
        """One megapixel, a JPEG of about 300 kB."""
        return self._kept("photo", ONE_MEGAPIXEL, "jpeg")

    @cached_property
    def photo_png(self) -> Picture:
        """One megapixel, a PNG of about 700 kB."""
        return self._kept("photo", ONE_MEGAPIXEL, "png")

    @cached_property
    def large_jpeg(self) -> Picture:
        """The most pixels that the contract takes, a JPEG of about 9 MB."""
        return self._kept("large", LARGEST, "jpeg")

    @cached_property
    def large_png(self) -> Picture:
        """The most pixels that the contract takes, a PNG of about 20 MB: less grain, or it would pass 25 MB."""
        return self._kept("large", LARGEST, "png")

    @cached_property
    def largest_png(self) -> Picture:
        """The same, filled up to a little less than the 25 MB that the contract takes."""
        picture = self.large_png
        return Picture(_filled_png(picture.data, LARGEST_FILE), picture.size, "png")

    def small(self, size: int) -> Picture:
        """A quarter of a megapixel, a JPEG of exactly ``size`` bytes, at least 20,000."""
        picture = self._kept("small", (512, 512), "jpeg", quality=30)
        return Picture(_filled_jpeg(picture.data, size), picture.size, "jpeg")

    def _kept(self, name: str, size: tuple[int, int], file_format: str, quality: int = 91) -> Picture:
        file = self.folder / f"{name}-{_RECIPE}.{file_format}"
        if not file.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            made = _jpeg(size, quality) if file_format == "jpeg" else _png(size)
            # Whole or not at all, so that a second run at the same time reads no half file.
            with tempfile.NamedTemporaryFile(dir=self.folder, delete=False) as part:
                part.write(made)
            os.replace(part.name, file)  # noqa: PTH105 - the name is a text already
        return Picture(file.read_bytes(), size, file_format)


def _jpeg(size: tuple[int, int], quality: int) -> bytes:
    out = BytesIO()
    _scene(size, [value * 19 // 256 - 9 for value in range(256)]).save(out, "JPEG", quality=quality)
    return out.getvalue()


def _filled_jpeg(data: bytes, size: int) -> bytes:
    """The file with as many comments after its first marker as make it so long. Each has four bytes of its own."""
    missing, comments = size - len(data), []
    while missing:
        length = min(missing - 2, 0xFFFF) if missing > 0xFFFF + 8 or missing <= 0xFFFF + 2 else missing // 2
        comments.append(b"\xff\xfe" + length.to_bytes(2, "big") + bytes(length - 2))
        missing -= length + 2
    return data[:2] + b"".join(comments) + data[2:]


def _filled_png(data: bytes, size: int) -> bytes:
    """The file with one more chunk before its end, which readers pass over, that makes it so long."""
    content = bytes(size - len(data) - 12)
    chunk = b"fiLl" + content
    end = len(data) - 12
    return b"".join(
        (data[:end], struct.pack(">I", len(content)), chunk, struct.pack(">I", zlib.crc32(chunk)), data[end:])
    )


def _png(size: tuple[int, int]) -> bytes:
    out = BytesIO()
    _scene(size, [int(value >= 240) for value in range(256)]).save(out, "PNG", compress_level=1)
    return out.getvalue()


def _scene(size: tuple[int, int], grain: list[int]) -> Image.Image:
    """RGB: wide and narrow colour gradients, and on each pixel the ``grain`` that a random byte stands for."""
    width, height = size
    seeded = random.Random(20260619)
    wide = _gradient((16, 10), size, seeded)
    narrow = _gradient((max(2, width // 200), max(2, height // 200)), size, seeded)
    smooth = Image.blend(wide, narrow, 0.2)
    lowest = min(grain)
    bright = Image.frombytes("L", size, seeded.randbytes(width * height)).point([g - lowest for g in grain])
    return ImageChops.add(smooth, Image.merge("RGB", (bright, bright, bright)), 1, lowest)


def _gradient(knots: tuple[int, int], size: tuple[int, int], seeded: random.Random) -> Image.Image:
    """RGB of ``size``: random colours at so many places across and down, blended between them."""
    colours = Image.frombytes("RGB", knots, seeded.randbytes(3 * knots[0] * knots[1]))
    return colours.resize(size, Image.Resampling.BICUBIC)
