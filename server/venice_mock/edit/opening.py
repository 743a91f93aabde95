"""What a file is, judged from its header, and how it becomes RGB pixels. Nothing else opens a picture.

``probe`` reads the header only; ``decode`` does the work. Both apply the same EXIF orientation, taken from
the same place. Whatever can be wrong with a file leaves here as an ImageFault and as nothing else.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Literal

from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageChops,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from venice_mock.edit.colour import flatten, to_eight_bits, to_srgb
from venice_mock.edit.headers import (
    BrokenHeader,
    Header,
    carries_mark,
    check_png,
    exif_orientation,
    pixel_stream,
    read_header,
    upright_tiff,
)
from venice_mock.edit.pieces import occurrences, stream_of

MAX_SCANS = 100  # each scan of a progressive JPEG costs a pass over all pixels; encoders write about ten
MAX_PROFILE_BYTES = 4 << 20

# The plugins are called by name, not through Image.open: no format is tried that is not listed here, and
# Pillow's own size warning, which would go to stderr, is replaced by the limits of the edition.
_OPENERS: dict[str, Callable[[IO[bytes]], ImageFile.ImageFile]] = {
    "PNG": PngImagePlugin.PngImageFile,
    "JPEG": JpegImagePlugin.JpegImageFile,
    "WEBP": WebPImagePlugin.WebPImageFile,
    "GIF": GifImagePlugin.GifImageFile,
    "BMP": BmpImagePlugin.BmpImageFile,
    "TIFF": TiffImagePlugin.TiffImageFile,
    "AVIF": AvifImagePlugin.AvifImageFile,
}

# Everything that Pillow's readers are known to raise on bad bytes (OSError holds UnidentifiedImageError,
# RuntimeError holds NotImplementedError; the last two are for those who run Python with -W error).
_PILLOW_FAULTS = (
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
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
    UserWarning,
)

_PAINT_LAYERS = 4  # pictures of the output's size that painting holds at once, at worst

_TRANSPOSES = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class ImageFault(Exception):
    """A picture that cannot be taken, by the vendor's kinds."""

    def __init__(self, kind: Literal["corrupted", "too_small", "too_large"], reason: str = "") -> None:
        super().__init__(f"{kind}: {reason}" if reason else kind)
        self.kind: Literal["corrupted", "too_small", "too_large"] = kind
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Probe:
    """A file by its header. ``width`` and ``height`` are pixels as displayed, orientation applied;
    ``stored`` is width and height as they lie in the file. ``adult``: it carries the adult mark."""

    format: str
    width: int
    height: int
    orientation: int
    mode: str
    adult: bool
    header: Header

    @property
    def stored(self) -> tuple[int, int]:
        return self.header.width, self.header.height


def probe(data: bytes | bytearray | memoryview, *, min_pixels: int, max_pixels: int) -> Probe:
    """Judge a file by its header alone; nothing is allocated by what the header declares.

    ``min_pixels`` and ``max_pixels`` bound width x height, both inclusive. Raises ImageFault of any kind.
    """
    try:
        header = read_header(data) or _avif(data)
    except BrokenHeader as fault:
        raise ImageFault("corrupted", str(fault)) from fault
    pixels = header.width * header.height
    if pixels < min_pixels:
        raise ImageFault("too_small", f"{header.width}x{header.height}")
    if pixels > max_pixels:
        raise ImageFault("too_large", f"{header.width}x{header.height}")
    width, height = header.width, header.height
    if header.orientation >= 5:
        width, height = height, width
    return Probe(header.format, width, height, header.orientation, header.mode, header.adult, header)


def decode(data: bytes | bytearray | memoryview, probe: Probe, *, cover: tuple[int, int]) -> Image.Image:
    """The first frame as RGB in sRGB, displayed orientation, transparency on white.

    ``cover`` is the output size in pixels: a picture more than twice as large is shrunk by a whole factor
    that still covers it (a JPEG while it is decoded), as part of what an edit is. Raises
    ImageFault("corrupted").
    """
    try:
        image, profile, factor = _load(data, probe, cover)
    except BrokenHeader as fault:
        raise ImageFault("corrupted", str(fault)) from fault
    except _PILLOW_FAULTS as fault:
        raise ImageFault("corrupted", f"{type(fault).__name__}: {fault}"[:200]) from fault
    # From here on the pixels are there: what goes wrong now is a defect of ours and must look like one.
    if factor > 1:
        image = image.reduce(factor)
    image = flatten(image)
    if profile is not None:
        image = to_srgb(image, profile)
    image = image if image.mode == "RGB" else image.convert("RGB")
    turn = _TRANSPOSES.get(probe.orientation)
    image = image if turn is None else image.transpose(turn)
    if isinstance(image, ImageFile.ImageFile):
        image = image.copy()  # so that no file, name or metadata of the input travels on
    image.info.clear()
    return image


def pixels_in_flight(probe: Probe, cover: tuple[int, int]) -> int:
    """Pixels held at the worst moment of one edit: the decoded picture (JPEG: after its reduced-scale
    decoding) and the output. WebP is decoded through two canvases of its own."""
    across, down = probe.stored
    if probe.header.progressive:
        decoded = across * down * 2  # all coefficients are kept, whatever the scale: 6 bytes a pixel
    elif probe.format == "JPEG":
        scale = _jpeg_scale(_factor(probe, cover))
        decoded = -(-across // scale) * -(-down // scale)
    else:
        decoded = across * down * (3 if probe.format == "WEBP" else 1)
    return decoded + cover[0] * cover[1] * _PAINT_LAYERS


def _load(
    data: bytes | bytearray | memoryview, probe: Probe, cover: tuple[int, int]
) -> tuple[Image.Image, bytes | None, int]:
    """The picture as stored, 8 bits a sample, with its ICC profile and the factor it is still to shrink by."""
    header, profile = probe.header, None
    if header.format == "PNG":
        pieces, chunk = check_png(memoryview(data))
        header = Header("PNG", header.width, header.height, header.mode, pieces=pieces)
        profile = _inflate_profile(chunk)
    if header.progressive and occurrences(data, header.pieces, b"\xff\xda") > MAX_SCANS:
        raise BrokenHeader("too many scans")
    stream: IO[bytes]
    if header.format == "TIFF":
        stream = io.BytesIO(upright_tiff(data))
    elif header.format == "AVIF":
        stream = io.BytesIO(_without_exif(data))
    elif header.format in ("PNG", "JPEG"):
        stream = stream_of(data, header.pieces)  # Pillow reads these bit by bit
    else:
        stream = io.BytesIO(pixel_stream(data, header))

    opened = _OPENERS[header.format](stream)
    if opened.size != probe.stored:
        raise BrokenHeader("the file contradicts itself about its size")
    factor = _factor(probe, cover)
    if header.format == "JPEG":
        scale = _jpeg_scale(factor)
        if scale > 1:
            opened.draft(None, (probe.stored[0] // scale, probe.stored[1] // scale))
            factor //= scale
    opened.load()
    profile = profile or opened.info.get("icc_profile")
    if not isinstance(profile, bytes) or len(profile) > MAX_PROFILE_BYTES:
        profile = None

    image = to_eight_bits(opened)
    if header.format == "JPEG" and image.mode == "CMYK" and "adobe" not in opened.info:
        # Pillow takes every CMYK JPEG for one of Adobe's, whose inks are inverted.
        image = ImageChops.invert(image)
    return image, profile, factor


def _factor(probe: Probe, cover: tuple[int, int]) -> int:
    """The largest whole number by which the displayed picture may shrink and still cover the output."""
    return max(1, min(probe.width // cover[0], probe.height // cover[1]))


def _jpeg_scale(factor: int) -> int:
    return next(scale for scale in (8, 4, 2, 1) if factor >= scale)


def _inflate_profile(chunk: bytes | None) -> bytes | None:
    """The ICC profile of an iCCP chunk (name, zero, method, deflated profile); a broken one is no profile."""
    if chunk is None:
        return None
    packed = chunk.partition(b"\0")[2][1:]
    engine = zlib.decompressobj()
    try:
        profile = engine.decompress(packed, MAX_PROFILE_BYTES)
    except zlib.error:
        return None
    return profile if engine.eof else None


def _avif(data: bytes | bytearray | memoryview) -> Header:
    """AVIF's facts come from its decoder, which reads the boxes and allocates no pixels."""
    if bytes(memoryview(data)[4:8]) != b"ftyp":
        raise BrokenHeader("no known picture format")
    try:
        opened = AvifImagePlugin.AvifImageFile(io.BytesIO(_without_exif(data)))
    except _PILLOW_FAULTS as fault:
        raise BrokenHeader(f"{type(fault).__name__}: {fault}") from fault
    view = memoryview(data)
    adult = carries_mark(view[: 1 << 16]) or carries_mark(view[-(1 << 16) :])
    orientation = exif_orientation(opened.info.get("exif", b""))
    return Header("AVIF", *opened.size, opened.mode, orientation, adult)


def _without_exif(data: bytes | bytearray | memoryview) -> bytes:
    """The AVIF with its Exif item renamed. Its turns are said by the boxes irot and imir, never by EXIF, and
    Pillow would parse the block without bounds."""
    view = memoryview(data)
    at = 0
    for _ in range(64):
        if at + 8 > len(view):
            break
        length, kind = struct.unpack_from(">I4s", view, at)
        if kind == b"meta" and length >= 8:
            meta = bytes(view[at : at + length]).replace(b"Exif", b"exIf")
            return b"".join((view[:at], meta, view[at + length :]))
        if length < 8:
            break
        at += length
    return bytes(data)
