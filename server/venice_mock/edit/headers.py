"""What an image file says of itself: bounded walks over the headers of six formats. No Pillow, no pixels.

Every walk has a limit on its steps and reads only what lies inside the file, so no header can make it slow or
large. Beside the facts, a walk gives the ``pixel_stream``: the file without everything that does not make
pixels (texts, EXIF, comments). Pillow is only ever handed that, because its readers of metadata copy
without bounds: one 64 kB EXIF block can make it hold hundreds of megabytes.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

import msgspec

from venice_mock.edit.deflate import FASTEST

ADULT_MARK = b"mock:adult"  # in a PNG text chunk, a JPEG or GIF comment, or EXIF

MAX_SEGMENTS = 4096  # JPEG segments, WebP chunks and IFD entries before the pixels
MAX_PNG_CHUNKS = 100_000  # a 25 MB file of 256-byte IDAT chunks still passes
MAX_RLE_BYTES = 1 << 20  # run-length BMP is expanded by Python code, so only small ones are read

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_INDEXED = 3  # colour type: indices into a palette
_PNG_KEPT = frozenset((b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"))
_PNG_MODES = {0: "L", 2: "RGB", 3: "P", 4: "LA", 6: "RGBA"}
_PNG_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_TIFF_TYPE_BYTES = (0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4)
_ORIENTATION = 0x0112
_NO_LIMIT = 1 << 62  # of an EXIF block nobody but this module reads the values


class BrokenHeader(Exception):
    """The bytes do not begin as a whole, readable picture of a known format does."""


class Header(msgspec.Struct, frozen=True):
    """Facts of one file, sides in stored pixels. ``adult`` is true when it carries the adult mark.

    ``pieces`` are the byte ranges that make the pixels, ascending; empty means all of the file.
    """

    format: str
    width: int
    height: int
    mode: str
    orientation: int = 1
    adult: bool = False
    pieces: tuple[tuple[int, int], ...] = ()
    progressive: bool = False


def read_header(data: bytes | bytearray | memoryview) -> Header | None:
    """Facts from the header; None when no walk here knows the format (AVIF does not have one).

    Raises BrokenHeader.
    """
    view = memoryview(data)
    start = bytes(view[:12])
    walk: Callable[[memoryview], Header]
    if start.startswith(_PNG_SIGNATURE):
        walk = _png
    elif start.startswith(b"\xff\xd8\xff"):
        walk = _jpeg
    elif start.startswith(b"RIFF") and start[8:12] == b"WEBP":
        walk = _webp
    elif start.startswith((b"GIF87a", b"GIF89a")):
        walk = _gif
    elif start.startswith((b"II*\0", b"MM\0*")):
        walk = _tiff
    elif start.startswith(b"BM"):
        walk = _bmp
    else:
        return None
    try:
        header = walk(view)
    except (struct.error, IndexError) as fault:  # the file ends inside its own header
        raise BrokenHeader("the header is cut short") from fault
    if header.width < 1 or header.height < 1:
        raise BrokenHeader("a side is zero")
    return header


def pixel_stream(data: bytes | bytearray | memoryview, header: Header) -> bytes:
    """The file without its metadata, for Pillow. No copy is made where nothing is left out of ``bytes``."""
    if not header.pieces:
        return bytes(data)
    view = memoryview(data)
    if header.pieces == ((0, len(view)),):
        return bytes(data)
    return b"".join([view[start:end] for start, end in header.pieces])


def carries_mark(data: bytes | bytearray | memoryview) -> bool:
    """Whether a block of metadata names the adult mark."""
    return ADULT_MARK in bytes(data)


def exif_orientation(block: bytes | bytearray | memoryview) -> int:
    """The orientation 1..8 that an EXIF block asks for; 1 when it is silent or broken."""
    view = memoryview(block)
    if bytes(view[:6]) == b"Exif\0\0":
        view = view[6:]
    try:
        found: int = _ifd(view, _NO_LIMIT).get(_ORIENTATION, (1, 0))[0]
    except (BrokenHeader, struct.error, IndexError):
        return 1
    return found if 1 <= found <= 8 else 1


# --- PNG ---------------------------------------------------------------------------------------------------


def png_chunks(view: memoryview) -> Iterator[tuple[bytes, int, int]]:
    """(type, start, end) of each chunk, the ends including length and CRC. Raises BrokenHeader."""
    at = len(_PNG_SIGNATURE)
    for _ in range(MAX_PNG_CHUNKS):
        length = int.from_bytes(view[at : at + 4], "big")
        kind = bytes(view[at + 4 : at + 8])
        end = at + 12 + length
        if end > len(view):
            raise BrokenHeader("a PNG chunk is cut short")
        yield kind, at, end
        if kind == b"IEND":
            return
        at = end
    raise BrokenHeader("too many PNG chunks")


def check_png(view: memoryview) -> tuple[tuple[tuple[int, int], ...], bytes | None]:
    """Walk the whole file and check every CRC: Pillow does not check those of IDAT.

    Returns the ranges that make the pixels and the compressed ICC profile chunk, if any. Bytes after IEND
    are tolerated. Raises BrokenHeader.
    """
    pieces: list[tuple[int, int]] = [(0, len(_PNG_SIGNATURE))]
    profile: bytes | None = None
    palette_missing = view[25] == _PNG_INDEXED
    for kind, start, end in png_chunks(view):
        palette_missing = palette_missing and kind != b"PLTE"
        if kind == b"IDAT" and palette_missing:
            raise BrokenHeader("a palette PNG without a palette")
        if FASTEST.crc32(view[start + 4 : end - 4], 0) != int.from_bytes(view[end - 4 : end], "big"):
            raise BrokenHeader("a PNG chunk fails its CRC")
        if kind == b"iCCP" and profile is None:
            profile = bytes(view[start + 8 : end - 4])
        if kind in _PNG_KEPT:
            if pieces[-1][1] == start:
                pieces[-1] = (pieces[-1][0], end)
            else:
                pieces.append((start, end))
    return tuple(pieces), profile


def _png(view: memoryview) -> Header:
    width, height, depth, colour = struct.unpack_from(">IIBB", view, 16)
    if bytes(view[12:16]) != b"IHDR" or depth not in _PNG_DEPTHS.get(colour, ()):
        raise BrokenHeader("not a PNG header")
    orientation, adult = 1, False
    for kind, start, end in png_chunks(view[: _first_idat(view)]):
        if kind in (b"tEXt", b"iTXt"):
            adult = adult or carries_mark(view[start + 8 : end - 4])
        elif kind == b"eXIf":
            block = view[start + 8 : end - 4]
            orientation, adult = exif_orientation(block), adult or carries_mark(block)
        elif kind == b"IDAT":  # what follows the pixels is not looked at: neither here nor when decoding
            break
    return Header("PNG", width, height, _PNG_MODES[colour], orientation, adult)


def _first_idat(view: memoryview) -> int:
    """Where looking may stop; IDAT itself may be cut short as far as the header goes."""
    at: int = len(_PNG_SIGNATURE)
    for _ in range(MAX_PNG_CHUNKS):
        length, kind = struct.unpack_from(">I4s", view, at)
        at += 12 + length
        if kind == b"IDAT":
            return at
        if kind == b"IEND" or at > len(view):
            break
    raise BrokenHeader("a PNG without pixels")


# --- JPEG --------------------------------------------------------------------------------------------------


def _jpeg(view: memoryview) -> Header:
    at, size, components, progressive = 2, None, 3, False
    orientation, adult = 1, False
    pieces: list[tuple[int, int]] = [(0, 2)]
    for _ in range(MAX_SEGMENTS):
        marker, length = struct.unpack_from(">HH", view, at)
        if marker == 0xFFFF:  # padding before a marker
            at += 1
            continue
        if marker < 0xFFC0 or length < 2:
            raise BrokenHeader("not a JPEG marker")
        body, end = view[at + 4 : at + 2 + length], at + 2 + length
        if marker == 0xFFDA:
            break
        if end > len(view):
            raise BrokenHeader("a JPEG segment is cut short")
        keep = True
        if marker in _FRAMES:
            if size is not None:
                raise BrokenHeader("two JPEG frames")
            height, width, components = struct.unpack_from(">HHB", body, 1)
            size, progressive = (width, height), marker in (0xFFC2, 0xFFC6, 0xFFCA, 0xFFCE)
        elif marker == 0xFFE1 or marker == 0xFFFE:
            keep = False
            adult = adult or carries_mark(body)
            if marker == 0xFFE1 and bytes(body[:6]) == b"Exif\0\0":
                orientation = exif_orientation(body)
        elif 0xFFE0 <= marker <= 0xFFEF:  # of the application segments Pillow needs JFIF, ICC and Adobe's
            keep = bytes(body[:11]) == b"ICC_PROFILE" or marker in (0xFFE0, 0xFFEE)
        if keep:
            pieces.append((at, end))
        at = end
    else:
        raise BrokenHeader("too many JPEG segments")
    if size is None:
        raise BrokenHeader("a JPEG without a frame")
    pieces.append((at, len(view)))
    mode = {1: "L", 3: "RGB", 4: "CMYK"}.get(components)
    if mode is None:
        raise BrokenHeader("a JPEG with an odd number of components")
    return Header("JPEG", *size, mode, orientation, adult, tuple(pieces), progressive)


_FRAMES = frozenset(range(0xFFC0, 0xFFD0)) - {0xFFC4, 0xFFC8, 0xFFCC}


# --- WebP --------------------------------------------------------------------------------------------------


def _webp(view: memoryview) -> Header:
    at, size, mode = 12, None, "RGB"
    orientation, adult = 1, False
    for _ in range(MAX_SEGMENTS):
        if at + 8 > len(view):
            break
        kind, length = struct.unpack_from("<4sI", view, at)
        body = view[at + 8 : at + 8 + length]
        if kind == b"VP8X" and size is None:
            flags = body[0]
            low_w, high_w, low_h, high_h = struct.unpack_from("<HBHB", body, 4)
            size = ((high_w << 16 | low_w) + 1, (high_h << 16 | low_h) + 1)
            mode = "RGBA" if flags & 0x10 else "RGB"
        elif kind == b"VP8 " and size is None:
            if bytes(body[3:6]) != b"\x9d\x01\x2a":
                raise BrokenHeader("not a VP8 key frame")
            width, height = struct.unpack_from("<HH", body, 6)
            size = (width & 0x3FFF, height & 0x3FFF)
        elif kind == b"VP8L" and size is None:
            (bits,) = struct.unpack_from("<I", body, 1)
            size = ((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
            mode = "RGBA" if bits >> 28 & 1 else "RGB"
        elif kind == b"EXIF":
            orientation, adult = exif_orientation(body), adult or carries_mark(body)
        at += 8 + length + (length & 1)
    if size is None:
        raise BrokenHeader("a WebP without pixels")
    return Header("WEBP", *size, mode, orientation, adult)


# --- GIF, BMP, TIFF ----------------------------------------------------------------------------------------


def _gif(view: memoryview) -> Header:
    width, height, flags = struct.unpack_from("<HHB", view, 6)
    at = 13 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
    pieces, adult = [(0, at)], False
    for _ in range(MAX_SEGMENTS * 16):  # extensions and their sub-blocks of up to 255 bytes
        kind = view[at]
        if kind == 0x2C:
            left, top, wide, high = struct.unpack_from("<HHHH", view, at + 1)
            size = (max(width, left + wide), max(height, top + high))  # as Pillow widens the canvas
            return Header("GIF", *size, "P", 1, adult, (*pieces, (at, len(view))))
        if kind != 0x21:
            raise BrokenHeader("not a GIF block")
        label, begin = view[at + 1], at
        at += 2
        for _ in range(MAX_SEGMENTS):
            length = view[at]
            if label == 0xFE and carries_mark(view[at + 1 : at + 1 + length]):
                adult = True
            at += 1 + length
            if length == 0:
                break
        else:
            raise BrokenHeader("a GIF extension without end")
        if label == 0xF9:  # graphic control: it names the transparent colour
            pieces.append((begin, at))
    raise BrokenHeader("too many GIF extensions")


def _bmp(view: memoryview) -> Header:
    (kind,) = struct.unpack_from("<I", view, 14)
    if kind == 12:
        width, height, _, depth = struct.unpack_from("<HHHH", view, 18)
        compression = 0
    elif kind in (40, 52, 56, 64, 108, 124):
        width, height, _, depth, compression = struct.unpack_from("<iiHHI", view, 18)
    else:
        raise BrokenHeader("not a BMP header")
    if compression in (1, 2) and len(view) > MAX_RLE_BYTES:
        raise BrokenHeader("a run-length BMP over 1 MiB")
    return Header("BMP", width, abs(height), "P" if depth <= 8 else "RGB")


def _tiff(view: memoryview) -> Header:
    tags = _ifd(view, len(view))
    width, height = tags[256][0] if 256 in tags else 0, tags[257][0] if 257 in tags else 0
    tile = tags.get(322, (1, 0))[0] * tags.get(323, (1, 0))[0]
    # A tile may reach over the edge, but one far larger than the picture is there to exhaust memory.
    if tile > 4 * width * height + (1 << 20) or tags.get(277, (1, 0))[0] > 8:
        raise BrokenHeader("a TIFF with absurd tiles or samples")
    orientation = tags.get(_ORIENTATION, (1, 0))[0]
    adult = carries_mark(view[: 1 << 16]) or carries_mark(view[-(1 << 16) :])
    return Header("TIFF", width, height, "RGB", orientation if 1 <= orientation <= 8 else 1, adult)


def upright_tiff(data: bytes | bytearray | memoryview) -> bytes:
    """The TIFF with its orientation set to 1, so that one place applies it for every format."""
    found = _ifd(memoryview(data), len(data)).get(_ORIENTATION)
    if found is None:
        return bytes(data)
    patched = bytearray(data)
    order = ">" if patched[:2] == b"MM" else "<"
    struct.pack_into(order + "HIHH", patched, found[1] + 2, 3, 1, 1, 0)
    return bytes(patched)


def _ifd(view: memoryview, budget: int) -> dict[int, tuple[int, int]]:
    """The first directory of a TIFF or EXIF block: tag -> (first value where it is an integer, entry's place).

    Raises BrokenHeader when the entries together ask for more bytes than ``budget``: they overlap on purpose.
    """
    order = {b"II": "<", b"MM": ">"}.get(bytes(view[:2]))
    if order is None:
        raise BrokenHeader("neither byte order")
    (first,) = struct.unpack_from(order + "I", view, 4)
    (count,) = struct.unpack_from(order + "H", view, first)
    if count > MAX_SEGMENTS:
        raise BrokenHeader("too many directory entries")
    found: dict[int, tuple[int, int]] = {}
    wanted = 0
    for at in range(first + 2, first + 2 + 12 * count, 12):
        tag, kind, values = struct.unpack_from(order + "HHI", view, at)
        wanted += values * (_TIFF_TYPE_BYTES[kind] if kind < len(_TIFF_TYPE_BYTES) else 1)
        if wanted > budget:
            raise BrokenHeader("directory entries overlap")
        if tag in found and tag == _ORIENTATION:
            raise BrokenHeader("two orientations")
        if kind == 3:
            found[tag] = (struct.unpack_from(order + "H", view, at + 8)[0], at)
        elif kind == 4:
            found[tag] = (struct.unpack_from(order + "I", view, at + 8)[0], at)
    return found


def metadata_blocks(data: bytes | bytearray | memoryview) -> Iterator[bytes]:
    """The texts of a PNG, and the EXIF blocks of a JPEG or WebP, that stand before or beside the pixels.

    Raises BrokenHeader.
    """
    view = memoryview(data)
    start = bytes(view[:12])
    try:
        if start.startswith(_PNG_SIGNATURE):
            for kind, at, end in png_chunks(view):
                if kind == b"tEXt":
                    yield bytes(view[at + 8 : end - 4])
                elif kind == b"IDAT":
                    return
        elif start.startswith(b"\xff\xd8\xff"):
            at = 2
            for _ in range(MAX_SEGMENTS):
                marker, length = struct.unpack_from(">HH", view, at)
                if marker == 0xFFDA:
                    return
                if marker == 0xFFE1:
                    yield bytes(view[at + 4 : at + 2 + length])
                at += 2 + length
        elif start.startswith(b"RIFF") and start[8:12] == b"WEBP":
            at = 12
            for _ in range(MAX_SEGMENTS):
                if at + 8 > len(view):
                    return
                kind, length = struct.unpack_from("<4sI", view, at)
                if kind == b"EXIF":
                    yield bytes(view[at + 8 : at + 8 + length])
                at += 8 + length + (length & 1)
    except (struct.error, IndexError) as fault:
        raise BrokenHeader("the file is cut short") from fault
