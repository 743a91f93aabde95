"""Writing PNG by hand, chunk by chunk: what Pillow cannot write (interlace, 16 bits, exact sizes) or not as cheaply.

Knows rows of bytes and chunks; nothing of recipes.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, COLOUR, PALETTE, GREY_ALPHA, COLOUR_ALPHA = 0, 2, 3, 4, 6  # colour types
CHANNELS = {GREY: 1, COLOUR: 3, PALETTE: 1, GREY_ALPHA: 2, COLOUR_ALPHA: 4}
_LARGEST_PAD = 1 << 20  # bytes: common readers refuse single chunks of several megabytes
# (first column, first row, step across, step down) of Adam7's passes
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))

Chunk = tuple[bytes, bytes]  # type, body


def chunk(kind: bytes, body: bytes) -> bytes:
    """One chunk with length and CRC."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(body, zlib.crc32(kind)))


def chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """(type, start, end) of each chunk, the ends including length and CRC. Raises ValueError for a cut file."""
    at = len(SIGNATURE)
    while True:
        if at + 12 > len(data):
            raise ValueError("the PNG ends before its IEND chunk")
        length, kind = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        if end > len(data):
            raise ValueError(f"the PNG ends inside its {kind!r} chunk")
        yield kind, at, end
        if kind == b"IEND":
            return
        at = end


def write_png(
    width: int,
    height: int,
    rows: bytes,
    *,
    depth: int = 8,
    colour: int = COLOUR,
    interlaced: bool = False,
    before: Sequence[Chunk] = (),
    later_frames: Sequence[bytes] = (),
    level: int = 6,
) -> bytes:
    """A PNG of unfiltered ``rows``: packed samples, each row padded to whole bytes, without filter bytes.

    ``before`` are chunks between IHDR and the pixels, in their order. ``later_frames`` make it an animated PNG
    whose first frame is ``rows``. ``level`` is zlib's. Raises ValueError when the rows do not fit the size.
    """
    stride = row_bytes(width, depth, colour)
    for frame in (rows, *later_frames):
        if len(frame) != stride * height:
            raise ValueError(f"{width}x{height} takes {stride * height} bytes, not {len(frame)}")
    if interlaced and depth < 8:
        raise ValueError("interlacing takes whole bytes")
    packed = [
        zlib.compress(
            _adam7(frame, width, height, depth * CHANNELS[colour] // 8)
            if interlaced
            else filtered(frame, stride),
            level,
        )
        for frame in (rows, *later_frames)
    ]
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, int(interlaced))
    parts = [SIGNATURE, chunk(b"IHDR", header), *(chunk(kind, body) for kind, body in before)]
    if later_frames:
        parts += _animation(width, height, packed)
    else:
        parts.append(chunk(b"IDAT", packed[0]))
    return b"".join((*parts, chunk(b"IEND", b"")))


def row_bytes(width: int, depth: int, colour: int) -> int:
    """Bytes of one unfiltered row."""
    return -(-width * depth * CHANNELS[colour] // 8)


def filtered(rows: bytes, stride: int) -> bytes:
    """Every row with filter type 0 before it."""
    if stride > 64:
        return b"".join([b"\0" + rows[at : at + stride] for at in range(0, len(rows), stride)])
    # Millions of tiny rows are quicker column by column.
    out = bytearray(len(rows) // stride * (stride + 1))
    for column in range(stride):
        out[column + 1 :: stride + 1] = rows[column::stride]
    return bytes(out)


def padded(data: bytes, length: int, filler: bytes) -> bytes:
    """The PNG made exactly ``length`` bytes long by private chunks behind IHDR.

    ``filler`` has at least as many bytes as are missing. Raises ValueError when no chunk fits in between.
    """
    room = length - len(data)
    if room == 0:
        return data
    if room < 12:
        raise ValueError(f"a PNG of {len(data)} bytes cannot be padded to {length}")
    count = -(-room // (_LARGEST_PAD + 12))
    each, over = divmod(room, count)
    parts, taken = [], 0
    for index in range(count):
        size = each + (index < over) - 12
        parts.append(chunk(b"paDd", filler[taken : taken + size]))
        taken += size
    end = len(SIGNATURE) + 25  # behind IHDR
    return b"".join((data[:end], *parts, data[end:]))


def _animation(width: int, height: int, packed: Sequence[bytes]) -> list[bytes]:
    """The chunks of an animation: control, then frames of half a second each."""
    parts = [chunk(b"acTL", struct.pack(">II", len(packed), 0))]
    sequence = 0
    for index, pixels in enumerate(packed):
        parts.append(chunk(b"fcTL", struct.pack(">IIIIIHHBB", sequence, width, height, 0, 0, 1, 2, 0, 0)))
        sequence += 1
        if index == 0:
            parts.append(chunk(b"IDAT", pixels))
        else:
            parts.append(chunk(b"fdAT", struct.pack(">I", sequence) + pixels))
            sequence += 1
    return parts


def _adam7(rows: bytes, width: int, height: int, size: int) -> bytes:
    """The seven passes, filter bytes included; ``size`` is bytes a pixel."""
    stride, out = width * size, bytearray()
    for left, top, across, down in _ADAM7:
        count = -(-(width - left) // across)
        if count <= 0:
            continue
        for y in range(top, height, down):
            row, line = rows[y * stride : (y + 1) * stride], bytearray(count * size)
            for byte in range(size):
                line[byte::size] = row[left * size + byte :: across * size]
            out += b"\0" + line
    return bytes(out)
