"""Rules of the formats and colour modes that come in: each is edited as a person would see it."""

from __future__ import annotations

import io
import itertools
import struct
from collections.abc import Callable

import pytest
from PIL import Image, ImageChops, ImageCms, ImageStat

from asgi import Client
from edits import MakeClient, balance, picture, scene, size, understood
from pictures import chunk, saved

SIDES = (320, 240)
RED, BLUE, WHITE, BLACK = (230, 20, 20), (20, 20, 230), (255, 255, 255), (0, 0, 0)
Box = tuple[int, int, int, int]
Build = Callable[[], bytes]


@pytest.fixture
def plain(make_client: MakeClient) -> Client:
    """A server that paints, without the caption: what is left of the input can be measured."""
    return make_client(caption=False)


@pytest.fixture
def fast(make_client: MakeClient) -> Client:
    return make_client(engine="fast")


def edited(client: Client, data: bytes) -> Image.Image:
    """An edit whose prompt names no operation: the input's colours, a little graded."""
    return picture(client.form([("image", data), ("prompt", "as it is")])).convert("RGB")


def mean(image: Image.Image, box: Box | None = None) -> tuple[float, float, float]:
    red, green, blue = ImageStat.Stat(image.crop(box) if box else image).mean
    return red, green, blue


def looks(image: Image.Image, colour: tuple[int, int, int], box: Box | None = None) -> bool:
    """Whether the mean is nearest to ``colour`` among red, blue, white, black and grey: a grade keeps that."""
    known = (RED, BLUE, WHITE, BLACK, (128, 128, 128))
    found = mean(image, box)
    return min(known, key=lambda c: sum((a - b) ** 2 for a, b in zip(c, found, strict=True))) == colour


def flat(colour: tuple[int, int, int], mode: str = "RGB") -> Image.Image:
    return Image.new("RGB", SIDES, colour).convert(mode)


# --- formats ---------------------------------------------------------------------------------------------

USUAL: dict[str, Build] = {
    "baseline JPEG": lambda: saved(scene(), "JPEG"),
    "progressive JPEG": lambda: saved(scene(), "JPEG", progressive=True),
    "grey JPEG": lambda: saved(scene().convert("L"), "JPEG"),
    "JPEG 4:4:4 optimised": lambda: saved(scene(), "JPEG", subsampling=0, optimize=True, quality=100),
    "JPEG with restart markers": lambda: saved(scene(), "JPEG", restart_marker_rows=1),
    "PNG": lambda: saved(scene(), "PNG"),
    "interlaced PNG": lambda: interlaced_png(),
    "lossy WebP": lambda: saved(scene(), "WEBP", quality=60),
    "lossless WebP": lambda: saved(scene(), "WEBP", lossless=True),
    "lossy WebP with alpha": lambda: saved(scene().convert("RGBA"), "WEBP", quality=60, exact=True),
}
OTHERS: dict[str, Build] = {
    "GIF": lambda: saved(scene(), "GIF"),
    "BMP": lambda: saved(scene(), "BMP"),
    "8-bit BMP": lambda: saved(scene().convert("P"), "BMP"),
    "TIFF": lambda: saved(scene(), "TIFF"),
    "deflated TIFF": lambda: saved(scene(), "TIFF", compression="tiff_deflate"),
    "LZW TIFF": lambda: saved(scene(), "TIFF", compression="tiff_lzw"),
    "AVIF": lambda: saved(scene(), "AVIF"),
}


def interlaced_png() -> bytes:
    """A red Adam7 PNG of 320x240: Pillow cannot write one."""
    import zlib

    rows = bytearray()
    for left, top, across, down in (
        (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)
    ):  # fmt: skip
        width, height = -(-(SIDES[0] - left) // across), -(-(SIDES[1] - top) // down)
        rows += (b"\0" + bytes(RED) * width) * height
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", *SIDES, 8, 2, 0, 0, 1))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(rows))) + chunk(b"IEND", b"")


@pytest.mark.rules("EDIT-IMG-019", "EDIT-IMG-020")
@pytest.mark.parametrize("name", [*USUAL, *OTHERS])
def test_every_usual_variant_is_accepted_at_its_own_size(plain: Client, name: str) -> None:
    data = (USUAL | OTHERS)[name]()
    reply = plain.form([("image", data), ("prompt", "as it is")])
    said = understood(reply)
    assert (said.input_width, said.input_height) == SIDES
    assert size(reply) == (1264, 848)
    image = picture(reply)
    if name == "interlaced PNG":
        assert looks(image, RED)
    elif "grey" not in name:  # the scene's red grows from one side to the other, its green from top to bottom
        across = [mean(image, box)[0] for box in ((0, 0, 300, 848), (964, 0, 1264, 848))]
        down = [mean(image, box)[1] for box in ((0, 0, 1264, 200), (0, 648, 1264, 848))]
        assert abs(across[0] - across[1]) > 60
        assert down[1] - down[0] > 60


# --- colour modes ----------------------------------------------------------------------------------------


def half_transparent(mode: str) -> Image.Image:
    """Black that cannot be seen."""
    return Image.new("RGBA", SIDES, (0, 0, 0, 0)).convert(mode)


def palette_with_transparency() -> bytes:
    image = Image.new("P", SIDES, 1)
    image.putpalette([255, 0, 0, 0, 0, 0])
    return saved(image, "PNG", transparency=1)


def grey_16(value: int, file_format: str) -> bytes:
    return saved(
        Image.frombytes("I;16", SIDES, struct.pack("<H", value) * (SIDES[0] * SIDES[1])), file_format
    )


def adobe_cmyk(colour: tuple[int, int, int]) -> bytes:
    """A CMYK JPEG as Adobe's programs write it: an Adobe marker, and every ink inverted (which Pillow does)."""
    data = saved(flat(colour, "CMYK"), "JPEG", quality=95)
    assert b"Adobe" in data
    return data


def cmyk_without_marker() -> bytes:
    """A CMYK JPEG whose inks are meant as they are: no Adobe marker, nothing inverted."""
    data = saved(ImageChops.invert(flat(RED, "CMYK")), "JPEG", quality=95)  # Pillow inverts when it writes
    at = data.index(b"\xff\xee")
    return data[:at] + data[at + 2 + int.from_bytes(data[at + 2 : at + 4], "big") :]


def swapped_profile() -> bytes:
    """An RGB profile whose red is sRGB's blue and the other way round."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for old, new in ((b"rXYZ", b"?XYZ"), (b"bXYZ", b"rXYZ"), (b"?XYZ", b"bXYZ")):
        profile = profile.replace(old, new)
    name = "sRGB".encode("utf-16-be")
    assert name in profile
    return profile.replace(name, "swap".encode("utf-16-be"))


MODES: dict[str, tuple[Build, tuple[int, int, int]]] = {
    "palette": (lambda: saved(flat(RED, "P"), "PNG"), RED),
    "palette, transparent": (palette_with_transparency, WHITE),
    "GIF, transparent": (lambda: saved(Image.new("P", SIDES, 0), "GIF", transparency=0), WHITE),
    "1-bit white": (lambda: saved(Image.new("1", SIDES, 1), "PNG"), WHITE),
    "1-bit black": (lambda: saved(Image.new("1", SIDES, 0), "PNG"), BLACK),
    "1-bit TIFF": (lambda: saved(Image.new("1", SIDES, 1), "TIFF", compression="group4"), WHITE),
    "1-bit BMP": (lambda: saved(Image.new("1", SIDES, 1), "BMP"), WHITE),
    "grey": (lambda: saved(Image.new("L", SIDES, 128), "PNG"), (128, 128, 128)),
    "grey, alpha, opaque": (lambda: saved(Image.new("LA", SIDES, (0, 255)), "PNG"), BLACK),
    "grey, alpha, transparent": (lambda: saved(Image.new("LA", SIDES, (0, 0)), "PNG"), WHITE),
    "grey with a transparent shade": (lambda: saved(Image.new("L", SIDES, 0), "PNG", transparency=0), WHITE),
    "RGB with a transparent colour": (lambda: saved(flat(BLUE), "PNG", transparency=BLUE), WHITE),
    "16-bit grey PNG, middle": (lambda: grey_16(0x8000, "PNG"), (128, 128, 128)),
    "16-bit grey PNG, white": (lambda: grey_16(0xFFFF, "PNG"), WHITE),
    "16-bit grey TIFF, middle": (lambda: grey_16(0x8000, "TIFF"), (128, 128, 128)),
    "RGBA, opaque": (lambda: saved(flat(BLUE, "RGBA"), "PNG"), BLUE),
    "RGBA, transparent": (lambda: saved(half_transparent("RGBA"), "PNG"), WHITE),
    "RGBA WebP, transparent": (lambda: saved(half_transparent("RGBA"), "WEBP", lossless=True), WHITE),
    "RGBA AVIF, transparent": (lambda: saved(half_transparent("RGBA"), "AVIF"), WHITE),
    "RGBA TIFF, transparent": (lambda: saved(half_transparent("RGBA"), "TIFF"), WHITE),
    "Adobe CMYK red": (lambda: adobe_cmyk(RED), RED),
    "Adobe CMYK white": (lambda: adobe_cmyk(WHITE), WHITE),
    "plain CMYK red": (cmyk_without_marker, RED),
    "CMYK TIFF": (lambda: saved(flat(BLUE, "CMYK"), "TIFF"), BLUE),
    "float TIFF": (lambda: saved(Image.new("F", SIDES, 1.0), "TIFF"), WHITE),
    "sRGB profile": (lambda: saved(flat(RED), "PNG", icc_profile=srgb()), RED),
    "swapped profile, PNG": (lambda: saved(flat(RED), "PNG", icc_profile=swapped_profile()), BLUE),
    "swapped profile, JPEG": (lambda: saved(flat(BLUE), "JPEG", icc_profile=swapped_profile()), RED),
    "swapped profile, WebP": (lambda: saved(flat(RED), "WEBP", icc_profile=swapped_profile()), BLUE),
    "swapped profile, TIFF": (lambda: saved(flat(RED), "TIFF", icc_profile=swapped_profile()), BLUE),
    "broken profile": (lambda: saved(flat(RED), "JPEG", icc_profile=b"no profile" * 20), RED),
    "profile of another mode": (lambda: saved(Image.new("L", SIDES, 255), "PNG", icc_profile=srgb()), WHITE),
}


def srgb() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.mark.rules("EDIT-IMG-021")
@pytest.mark.parametrize("name", MODES)
def test_a_picture_of_every_colour_mode_is_edited_in_the_colours_that_it_shows(
    plain: Client, name: str
) -> None:
    build, colour = MODES[name]
    image = edited(plain, build())
    assert looks(image, colour), mean(image)


@pytest.mark.rules("EDIT-IMG-021")
@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"])
def test_every_mode_that_a_format_can_hold_is_edited(fast: Client, file_format: str) -> None:
    held = 0
    for mode in ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "I;16", "I;16B", "I", "F"):
        try:
            data = saved(Image.new(mode, SIDES), file_format)
        except (OSError, ValueError, KeyError):
            continue
        held += 1
        reply = fast.form([("image", data), ("prompt", "a test")])
        assert size(reply) == (1264, 848), mode
    assert held >= 2


# --- orientation -----------------------------------------------------------------------------------------

# Where the stored top left corner is shown, by EXIF orientation: (right?, bottom?), and whether sides swap.
SHOWN = {
    1: (0, 0, 0),
    2: (1, 0, 0),
    3: (1, 1, 0),
    4: (0, 1, 0),
    5: (0, 0, 1),
    6: (1, 0, 1),
    7: (1, 1, 1),
    8: (0, 1, 1),
}


@pytest.mark.rules("EDIT-IMG-022")
@pytest.mark.parametrize("orientation", SHOWN)
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_a_picture_is_turned_before_it_is_measured_and_edited(
    plain: Client, file_format: str, orientation: int
) -> None:
    stored = flat(BLUE).resize((1600, 900))
    stored.paste(RED, (0, 0, 800, 450))
    exif = Image.Exif()
    exif[0x0112] = orientation
    reply = plain.form([("image", saved(stored, file_format, exif=exif)), ("prompt", "as it is")])
    right, bottom, swapped = SHOWN[orientation]
    said = understood(reply)
    assert (said.input_width, said.input_height) == ((900, 1600) if swapped else (1600, 900))
    assert said.aspect_ratio == ("9:16" if swapped else "16:9")
    image = picture(reply)
    wide, high = image.size
    assert (wide, high) == ((768, 1376) if swapped else (1376, 768))
    wide, high = wide // 2, high // 2
    for across, down in itertools.product((0, 1), (0, 1)):
        left, top = across * wide, down * high
        colour = RED if (across, down) == (right, bottom) else BLUE
        assert looks(image, colour, (left + 40, top + 40, left + wide - 40, top + high - 40)), (across, down)


@pytest.mark.rules("EDIT-IMG-022")
@pytest.mark.parametrize("value", [0, 9, 255, 65535])
def test_an_orientation_that_means_nothing_is_ignored(fast: Client, value: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = value
    reply = fast.form([("image", saved(scene(), "JPEG", exif=exif)), ("prompt", "a test")])
    assert (understood(reply).input_width, understood(reply).input_height) == SIDES


# --- more than one frame ---------------------------------------------------------------------------------


@pytest.mark.rules("EDIT-IMG-023")
@pytest.mark.parametrize("file_format", ["GIF", "WEBP", "PNG", "TIFF", "AVIF"])
def test_the_first_frame_is_edited(plain: Client, file_format: str) -> None:
    frames = [flat(colour) for colour in (RED, BLUE, WHITE)]
    data = saved(frames[0], file_format, save_all=True, append_images=frames[1:])
    assert getattr(Image.open(io.BytesIO(data)), "n_frames", 1) == 3
    reply = plain.form([("image", data), ("prompt", "as it is")])
    assert looks(picture(reply), RED), mean(picture(reply))
    assert getattr(picture(reply), "n_frames", 1) == 1
    assert balance(reply) == "99.96"
