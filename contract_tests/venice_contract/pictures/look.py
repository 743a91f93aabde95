"""A look at the pictures of answers: format by magic bytes, size, pixels, sharpness, metadata. Judges nothing.

Bytes come from an untrusted server: sizes are checked before anything is unpacked, and whatever is wrong with a
file leaves here as NotAPicture.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    IcoImagePlugin,
    Image,
    ImageChops,
    ImageFile,
    ImageFilter,
    ImageStat,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)
from PIL.ExifTags import GPSTAGS, TAGS

from venice_contract.pictures import png
from venice_contract.pictures.recipe import MEDIA_TYPES, Format

MOST_PIXELS = 80_000_000  # unpacked by ``decode``: more than twice the largest picture of the contract
_SHORTER_SIDE = 256  # pixels: fine detail is measured at this scale
_TILES = 8  # along each side, of which the middling one counts
SHARP = 0.05  # of ``fine_detail``: a picture full of detail that was not blurred lies above, several times
BLURRED = 0.01  # and one that was blurred beyond recognition lies below

# Called by name, not through Image.open: no other format is tried, and no warning about sizes is raised here.
_READERS: dict[Format, Callable[[io.BytesIO], ImageFile.ImageFile]] = {
    "png": PngImagePlugin.PngImageFile,
    "jpeg": JpegImagePlugin.JpegImageFile,
    "webp": WebPImagePlugin.WebPImageFile,
    "gif": GifImagePlugin.GifImageFile,
    "bmp": BmpImagePlugin.BmpImageFile,
    "tiff": TiffImagePlugin.TiffImageFile,
    "avif": AvifImagePlugin.AvifImageFile,
    "ico": IcoImagePlugin.IcoImageFile,
}
_LINKS = frozenset({0x8769, 0x8825})  # where other directories lie
_TIFF_STRUCTURE = frozenset({*range(254, 260), 262, 273, *range(277, 285), 317, 320, 338, 339, 34675})
# All that Pillow's readers are known to raise on bad bytes; OSError holds UnidentifiedImageError.
_FAULTS = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    ArithmeticError,
    RuntimeError,
    MemoryError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
    Warning,  # where warnings are errors
)


class NotAPicture(Exception):
    """The bytes are no picture that can be read. The text is one sentence."""


@dataclass(frozen=True)
class Seen:
    """A file by its header: sides in stored pixels (TIFF: as displayed), ``mode`` in Pillow's words."""

    format: Format
    media_type: str
    width: int
    height: int
    mode: str

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.width, self.height


def format_of(data: bytes) -> Format | None:
    """The format that the magic bytes tell, or None."""
    starts: tuple[tuple[bytes, Format], ...] = (
        (png.SIGNATURE, "png"),
        (b"\xff\xd8\xff", "jpeg"),
        (b"GIF87a", "gif"),
        (b"GIF89a", "gif"),
        (b"BM", "bmp"),
        (b"II*\0", "tiff"),
        (b"MM\0*", "tiff"),
        (b"\0\0\1\0", "ico"),
    )
    for start, fmt in starts:
        if data.startswith(start):
            return fmt
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    if data[4:8] == b"ftyp" and data[8:12] in (b"avif", b"avis"):
        return "avif"
    return None


def probe_image(data: bytes) -> Seen:
    """What the header says; no pixels are unpacked. Raises NotAPicture."""
    fmt, opened = _opened(data)
    return Seen(fmt, MEDIA_TYPES[fmt], *opened.size, opened.mode)


def decode(data: bytes, most_pixels: int = MOST_PIXELS) -> Image.Image:
    """The first frame, wholly unpacked, as stored. Raises NotAPicture, also for a file that is cut short, fails a
    checksum or declares more than ``most_pixels``."""
    fmt, opened = _opened(data)
    _check_size(opened, most_pixels)
    try:
        if fmt == "png":
            _check_png(data)
        opened.load()
        image = opened.copy()
    except _FAULTS as fault:
        raise NotAPicture(f"its pixels cannot be read: {_said(fault)}") from fault
    if image.mode == "CMYK" and fmt == "jpeg" and "adobe" not in opened.info:
        image = ImageChops.invert(
            image
        )  # Pillow takes every CMYK JPEG for one of Adobe's, with inverted inks
    return image


def same_pixels(one: bytes | Image.Image, other: bytes | Image.Image) -> bool:
    """Whether two pictures have one size and equal pixels, alpha included. Raises NotAPicture."""
    first, second = _rgba(one), _rgba(other)
    return first.size == second.size and first.tobytes() == second.tobytes()


def mean_difference(one: bytes | Image.Image, other: bytes | Image.Image) -> float:
    """The mean absolute difference of the RGB channels, 0..255. Raises NotAPicture, ValueError for unequal sizes."""
    first, second = _rgb(one), _rgb(other)
    if first.size != second.size:
        raise ValueError(f"{first.size} and {second.size} are not compared pixel by pixel")
    return sum(ImageStat.Stat(ImageChops.difference(first, second)).mean) / 3


def fine_detail(data: bytes | Image.Image) -> float:
    """How much of a picture's contrast, 0..1, lies in details finer than about 1/50 of its shorter side.

    Told for the middling part of the picture, so that a sharp caption on a blurred picture does not count. Blurred
    and evenly coloured pictures come near 0, the pattern ``detail`` above SHARP. Raises NotAPicture.
    """
    grey = _rgb(data).convert("L")
    # Fine grain of coding (JPEG's, WebP's) is not what a viewer calls detail: it goes with the scale.
    grey = grey.reduce(max(1, min(grey.size) // _SHORTER_SIDE))
    contrast = ImageStat.Stat(grey).var[0]
    if contrast < 1:
        return 0.0
    fine = ImageChops.subtract(grey, grey.filter(ImageFilter.BoxBlur(2)), 1, 128)
    across, down = (min(_TILES, side) for side in grey.size)
    tiles = [
        (x * grey.width // across, y * grey.height // down,
         (x + 1) * grey.width // across, (y + 1) * grey.height // down)
        for x in range(across)
        for y in range(down)
    ]  # fmt: skip
    return min(1.0, median(ImageStat.Stat(fine.crop(tile)).var[0] for tile in tiles) / contrast)


def metadata_of(data: bytes) -> dict[str, Any]:
    """What a file says beside its pixels, only what is there: ``exif`` and ``gps`` (names to texts), ``text`` (PNG
    keywords to texts), ``xmp``, ``comment``, ``icc_bytes``. Values can be written as JSON. Raises NotAPicture."""
    fmt, opened = _opened(data)
    _check_size(opened, MOST_PIXELS)  # to find what stands behind the pixels, Pillow unpacks a PNG
    try:
        return _metadata(opened, _LINKS | (_TIFF_STRUCTURE if fmt == "tiff" else frozenset()))
    except _FAULTS as fault:
        raise NotAPicture(f"its metadata cannot be read: {_said(fault)}") from fault


def _metadata(opened: ImageFile.ImageFile, passed_over: frozenset[int]) -> dict[str, Any]:
    info, exif = opened.info, opened.getexif()
    tags = dict(exif) | exif.get_ifd(0x8769)
    texts = {key: value for key, value in getattr(opened, "text", {}).items() if "xmp" not in key.lower()}
    found: dict[str, Any] = {
        "exif": {TAGS.get(tag, hex(tag)): _words(tags[tag]) for tag in tags if tag not in passed_over},
        "gps": {GPSTAGS.get(tag, hex(tag)): _words(value) for tag, value in exif.get_ifd(0x8825).items()},
        "text": {key: _words(value) for key, value in texts.items()},
        "xmp": _words(info.get("xmp", "")),
        "comment": _words(info.get("comment", "")),
        "icc_bytes": len(info.get("icc_profile") or b""),
    }
    return {name: value for name, value in found.items() if value}


def _opened(data: bytes) -> tuple[Format, ImageFile.ImageFile]:
    fmt = format_of(data)
    if fmt is None:
        raise NotAPicture(
            f"it begins with {data[:12]!r}, which no known format does" if data else "it is empty"
        )
    try:
        return fmt, _READERS[fmt](io.BytesIO(data))
    except _FAULTS as fault:
        raise NotAPicture(f"its {fmt} header cannot be read: {_said(fault)}") from fault


def _check_size(opened: ImageFile.ImageFile, most_pixels: int) -> None:
    width, height = opened.size
    if width * height > most_pixels:
        raise NotAPicture(f"it declares {width}x{height} pixels, more than are unpacked here")


def _check_png(data: bytes) -> None:
    """Pillow checks neither the CRC of pixels nor that the file ends. Raises ValueError."""
    for kind, start, end in png.chunks(data):
        if zlib.crc32(memoryview(data)[start + 4 : end - 4]) != int.from_bytes(data[end - 4 : end], "big"):
            raise ValueError(f"the CRC of its {kind.decode('latin-1')} chunk is wrong")


def _rgba(picture: bytes | Image.Image) -> Image.Image:
    return _eight_bits(picture).convert("RGBA")


def _rgb(picture: bytes | Image.Image) -> Image.Image:
    return _eight_bits(picture).convert("RGB")


def _eight_bits(picture: bytes | Image.Image) -> Image.Image:
    """The picture; of 16-bit grey the high bytes, which Pillow's own conversion would clip."""
    image = picture if isinstance(picture, Image.Image) else decode(picture)
    if image.mode == "I;16":
        return Image.frombytes("L", image.size, image.tobytes()[1::2])
    return image


def _words(value: object) -> str:
    """A metadata value as text."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace").replace("\0", "").removeprefix("ASCII")
    if isinstance(value, tuple):
        return ", ".join(_words(part) for part in value)
    return str(value)


def _said(fault: BaseException) -> str:
    return f"{type(fault).__name__}: {fault}"[:200]
