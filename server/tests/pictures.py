"""Pictures for tests: every kind of file cheaply, and every way to break one. No test lives here."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable

from PIL import Image, ImageCms, ImageDraw

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def scene(size: tuple[int, int] = (320, 256)) -> Image.Image:
    """RGB with gradients and hard edges; its corners are red, green, blue and yellow (clockwise from top left)."""
    width, height = size
    across = Image.linear_gradient("L").rotate(90).resize(size)
    down = Image.linear_gradient("L").resize(size)
    image = Image.merge("RGB", (across, down, across.point([255 - v for v in range(256)])))
    pen = ImageDraw.Draw(image)
    w, h = max(1, width // 5), max(1, height // 5)
    pen.rectangle((0, 0, w - 1, h - 1), fill=(255, 0, 0))
    pen.rectangle((width - w, 0, width, h - 1), fill=(0, 255, 0))
    pen.rectangle((width - w, height - h, width, height), fill=(0, 0, 255))
    pen.rectangle((0, height - h, w - 1, height), fill=(255, 255, 0))
    return image


def saved(image: Image.Image, fmt: str, **options: object) -> bytes:
    """``image`` as a file."""
    out = io.BytesIO()
    image.save(out, fmt, **options)
    return out.getvalue()


def opened(data: bytes) -> Image.Image:
    """A file as Pillow reads it, loaded."""
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def png(size: tuple[int, int] = (320, 256)) -> bytes:
    """A valid RGB PNG of the scene."""
    return saved(scene(size), "PNG")


def jpeg(size: tuple[int, int] = (320, 256), **options: object) -> bytes:
    """A valid JPEG of the scene."""
    return saved(scene(size), "JPEG", **{"quality": 90, **options})


def chunk(kind: bytes, body: bytes) -> bytes:
    """One PNG chunk with its CRC."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def one_bit_png(width: int, height: int, *, declared: tuple[int, int] | None = None) -> bytes:
    """A black 1-bit PNG written by hand: 7680x4320 is 4 kB. ``declared`` puts another size into its header."""
    header = struct.pack(">IIBBBBB", *(declared or (width, height)), 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes((1 + -(-width // 8)) * height), 6)
    return SIGNATURE + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def with_chunk(data: bytes, kind: bytes, body: bytes, *, after: bytes = b"IHDR") -> bytes:
    """A PNG with one more chunk behind the first chunk of kind ``after``."""
    at = data.index(after) - 4
    end = at + 12 + int.from_bytes(data[at : at + 4], "big")
    return data[:end] + chunk(kind, body) + data[end:]


def padded(data: bytes, length: int) -> bytes:
    """A PNG made exactly ``length`` bytes long by one ancillary chunk."""
    room = length - len(data) - 12
    if room < 0:
        raise ValueError("already longer")
    return with_chunk(data, b"paDd", bytes(room))


def with_broken_crc(data: bytes, kind: bytes = b"IDAT") -> bytes:
    """A PNG in which one chunk's checksum is wrong and all else is right."""
    at = data.index(kind) - 4
    end = at + 12 + int.from_bytes(data[at : at + 4], "big")
    return data[: end - 1] + bytes([data[end - 1] ^ 1]) + data[end:]


def marked(fmt: str) -> bytes:
    """The scene with the adult mark where ``fmt`` has room for words."""
    image = scene()
    if fmt == "PNG":
        return with_chunk(saved(image, "PNG"), b"tEXt", b"Comment\0mock:adult")
    if fmt == "JPEG":
        return saved(image, "JPEG", comment=b"mock:adult")
    if fmt == "GIF":
        return saved(image.quantize(16), "GIF", comment=b"mock:adult")
    return saved(image, fmt, exif=user_comment("mock:adult"))


def user_comment(text: str, orientation: int | None = None) -> bytes:
    """An EXIF block with a user comment."""
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9286] = b"ASCII\0\0\0" + text.encode("ascii")
    if orientation is not None:
        exif[0x0112] = orientation
    return exif.tobytes()


def oriented(fmt: str, orientation: int, size: tuple[int, int] = (320, 256)) -> bytes:
    """The scene as stored, with an EXIF orientation that turns it when displayed."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    options: dict[str, object] = {"exif": exif.tobytes()}
    if fmt == "JPEG":
        options |= {"quality": 95, "subsampling": 0}
    if fmt == "WEBP":
        options |= {"lossless": True, "method": 0}
    return saved(scene(size), fmt, **options)


def swapped_profile() -> bytes:
    """An RGB profile with other primaries than sRGB, made of sRGB's by exchanging the red and green columns."""
    blob = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    tags = int.from_bytes(blob[128:132], "big")
    entries = {bytes(blob[at : at + 4]): at for at in range(132, 132 + 12 * tags, 12)}
    red, green = entries[b"rXYZ"], entries[b"gXYZ"]
    blob[red + 4 : red + 12], blob[green + 4 : green + 12] = (
        blob[green + 4 : green + 12],
        blob[red + 4 : red + 12],
    )
    description = entries[b"desc"]
    start = int.from_bytes(blob[description + 4 : description + 8], "big")
    length = int.from_bytes(blob[description + 8 : description + 12], "big")
    text = bytes(blob[start : start + length])
    blob[start : start + length] = text.replace("sRGB".encode("utf-16-be"), "swap".encode("utf-16-be"))
    return bytes(blob)


def every_kind() -> dict[str, Callable[[], bytes]]:
    """Valid files of every format and colour kind that must be read, all 320x256."""
    image = scene()
    alpha = Image.linear_gradient("L").resize(image.size)
    rgba = image.copy()
    rgba.putalpha(alpha)
    grey = image.convert("L")
    palette = image.quantize(32)
    deep = Image.frombytes("I;16", image.size, b"".join(bytes([0, v]) for v in grey.tobytes()))
    frames = [palette, image.rotate(180).quantize(32)]
    return {
        "jpeg": lambda: saved(image, "JPEG", quality=95, subsampling=0),
        "jpeg progressive": lambda: saved(image, "JPEG", quality=95, progressive=True, subsampling=0),
        "jpeg grey": lambda: saved(grey, "JPEG", quality=95),
        "jpeg cmyk": lambda: saved(image.convert("CMYK"), "JPEG", quality=95),
        "png": lambda: saved(image, "PNG"),
        "png 1 bit": lambda: saved(image.convert("1"), "PNG"),
        "png palette": lambda: saved(palette, "PNG"),
        "png palette transparent": lambda: saved(palette, "PNG", transparency=3),
        "png 16 bit": lambda: saved(deep, "PNG"),
        "png grey alpha": lambda: saved(Image.merge("LA", (grey, alpha)), "PNG"),
        "png rgba": lambda: saved(rgba, "PNG"),
        "png rgb transparent": lambda: saved(image, "PNG", transparency=(255, 0, 0)),
        "webp": lambda: saved(image, "WEBP", quality=90, method=0),
        "webp rgba lossless": lambda: saved(rgba, "WEBP", lossless=True, method=0),
        "webp animated": lambda: saved(
            image, "WEBP", save_all=True, append_images=[image.rotate(180)], method=0
        ),
        "gif": lambda: saved(palette, "GIF"),
        "gif animated": lambda: saved(
            frames[0], "GIF", save_all=True, append_images=frames[1:], comment=b"hello"
        ),
        "bmp": lambda: saved(image, "BMP"),
        "bmp palette": lambda: saved(palette, "BMP"),
        "tiff": lambda: saved(image, "TIFF"),
        "tiff lzw": lambda: saved(image, "TIFF", compression="tiff_lzw"),
        "tiff 16 bit": lambda: saved(deep, "TIFF"),
        "tiff float": lambda: saved(grey.convert("F"), "TIFF"),
        "tiff cmyk": lambda: saved(image.convert("CMYK"), "TIFF"),
        "avif": lambda: saved(image, "AVIF", quality=90, speed=10),
        "avif rgba": lambda: saved(rgba, "AVIF", quality=90, speed=10),
    }


def pixel(image: Image.Image, place: tuple[int, int]) -> tuple[int, ...]:
    """One pixel of a picture with several bands."""
    found = image.getpixel(place)
    if not isinstance(found, tuple):
        raise TypeError(image.mode)
    return found


def tone_range(image: Image.Image) -> tuple[int, int]:
    """The darkest and the lightest grey, 0..255."""
    used = [value for value, count in enumerate(image.convert("L").histogram()) if count]
    return used[0], used[-1]


def difference(one: Image.Image, other: Image.Image) -> float:
    """The mean absolute difference of two RGB pictures of the same size, 0..255."""
    if one.size != other.size:
        raise ValueError(f"{one.size} and {other.size}")
    pairs = zip(one.tobytes(), other.tobytes(), strict=True)
    return sum(abs(a - b) for a, b in pairs) / (3 * one.width * one.height)
