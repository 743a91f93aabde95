"""Edits that treat every pixel alike, and styles: tones, tints, blurs, turns, sketch, cartoon, oil, pixels."""

from __future__ import annotations

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from venice_mock.edit.draws import Draws
from venice_mock.edit.layers import (
    Colour,
    clamp,
    column,
    contrast_curve,
    curve,
    gamma_curve,
    lay,
    saturated,
    tones,
)

_BICUBIC = Image.Resampling.BICUBIC
_PAPER = (250, 247, 240)
_GRAPHITE = (52, 52, 58)


def grayscale(image: Image.Image, _: Draws) -> Image.Image:
    """Neutral grey, with a little more contrast than plain luminance."""
    return tones(image.convert("L"), contrast_curve(118)).convert("RGB")


def sepia(image: Image.Image, _: Draws) -> Image.Image:
    """Brown tones of an old print."""
    return duotone(image, _, dark=(38, 22, 12), middle=(150, 112, 74), light=(252, 236, 204))


def duotone(image: Image.Image, _: Draws, *, dark: Colour, middle: Colour, light: Colour) -> Image.Image:
    """Luminance mapped through three colours."""
    grey = tones(image.convert("L"), contrast_curve(115)).convert("RGB")

    def mix(band: int) -> list[int]:
        low, mid, high = dark[band], middle[band], light[band]
        return curve(
            lambda v: low + (mid - low) * v // 128 if v < 128 else mid + (high - mid) * (v - 128) // 127
        )

    return tones(grey, mix(0), mix(1), mix(2))


def saturation(image: Image.Image, _: Draws, *, percent: int) -> Image.Image:
    """Stronger or weaker colours."""
    return saturated(image, percent)


def levels(image: Image.Image, _: Draws, *, gain: int, lift: int) -> Image.Image:
    """``gain`` percent of each value plus ``lift``."""
    return tones(image, curve(lambda v: v * gain // 100 + lift))


def balance(image: Image.Image, _: Draws, *, red: int, green: int, blue: int) -> Image.Image:
    """Percent of each band: warmth and cold."""
    return tones(image, *[[clamp(v * share // 100) for v in range(256)] for share in (red, green, blue)])


def gamma(image: Image.Image, _: Draws, *, percent: int) -> Image.Image:
    """Brighter below 100, darker above."""
    return tones(image, gamma_curve(percent))


def contrast(image: Image.Image, _: Draws, *, percent: int) -> Image.Image:
    """More contrast above 100, less below."""
    return tones(image, contrast_curve(percent))


def invert(image: Image.Image, _: Draws) -> Image.Image:
    """The negative."""
    return tones(image, curve(lambda v: 255 - v))


def tint(image: Image.Image, _: Draws, *, colour: Colour) -> Image.Image:
    """The whole picture in tones of one colour, with some of its own colours left."""
    dark = (colour[0] // 5, colour[1] // 5, colour[2] // 5)
    light = tuple(255 - (255 - band) // 6 for band in colour)
    toned = duotone(image, _, dark=dark, middle=colour, light=(light[0], light[1], light[2]))
    return Image.blend(image, toned, 0.75)


def autumn(image: Image.Image, _: Draws) -> Image.Image:
    """Greens to orange and rust; blues stay calmer."""
    turned = image.convert("RGB", (0.85, 0.62, -0.35, 0, 0.22, 0.66, 0.06, 0, 0.05, 0.02, 0.85, 0))
    return tones(turned, contrast_curve(112))


def vignette(image: Image.Image, _: Draws, *, strength: int) -> Image.Image:
    """Darker towards the corners."""
    mask = Image.radial_gradient("L").point(curve(lambda v: max(0, v - 110) * strength // 145))
    return lay(image, (0, 0, 0), mask.resize(image.size, Image.Resampling.BILINEAR))


def blur(image: Image.Image, _: Draws, *, per_mille: int) -> Image.Image:
    """Soft all over; the radius is a share of the shorter side."""
    return soft(image, max(2, min(image.size) * per_mille // 1000))


def soft(image: Image.Image, radius: int) -> Image.Image:
    """A cheap wide blur: at a third of the size."""
    if min(image.size) < 16:
        return image.filter(ImageFilter.BoxBlur(radius))
    box = ImageFilter.BoxBlur(max(1, radius // 3))
    small = image.reduce(3).filter(box).filter(box)
    return small.resize(image.size, _BICUBIC)


def blur_background(image: Image.Image, _: Draws) -> Image.Image:
    """Sharp in the middle, soft around it."""
    mask = Image.radial_gradient("L").point(curve(lambda v: (v - 90) * 3))
    far = soft(image, max(3, min(image.size) // 60))
    return lay(image, far, mask.resize(image.size, Image.Resampling.BILINEAR))


def white_background(image: Image.Image, _: Draws) -> Image.Image:
    """The middle on white."""
    mask = Image.radial_gradient("L").point(curve(lambda v: (v - 108) * 9))
    return lay(image, (255, 255, 255), mask.resize(image.size, Image.Resampling.BILINEAR))


def sharpen(image: Image.Image, _: Draws, *, percent: int) -> Image.Image:
    """Crisper edges."""
    return image.filter(ImageFilter.UnsharpMask(radius=2, percent=percent, threshold=2))


def turn(image: Image.Image, _: Draws, *, how: str) -> Image.Image:
    """Mirror, half turn, or a quarter turn that is cut to the same size again."""
    if how == "mirror":
        return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if how == "half":
        return image.transpose(Image.Transpose.ROTATE_180)
    return fit(image.transpose(Image.Transpose.ROTATE_90), image.size)


def fit(image: Image.Image, shape: tuple[int, int], size: tuple[int, int] | None = None) -> Image.Image:
    """The centred part of ``image`` with the proportions of ``shape``, resampled to ``size`` (or ``shape``)."""
    size = size or shape
    if image.size == shape == size:
        return image.copy()
    (have_w, have_h), (want_w, want_h) = image.size, shape
    # Integers decide which side is cut; the box may fall between pixels.
    if have_w * want_h > want_w * have_h:
        width, height = have_h * want_w / want_h, float(have_h)
    else:
        width, height = float(have_w), have_w * want_h / want_w
    left, top = (have_w - width) / 2, (have_h - height) / 2
    box = (left, top, min(left + width, have_w), min(top + height, have_h))
    return image.resize(size, _BICUBIC, box=box, reducing_gap=1.0)


def lines(image: Image.Image, gain: int) -> Image.Image:
    """Where the picture has edges, as a mask: what is darker than its surroundings."""
    grey = image.convert("L")
    radius = max(1, min(image.size) // 420)
    around = grey.filter(ImageFilter.BoxBlur(radius * 2))
    return ImageChops.subtract(around, grey).point(curve(lambda v: (v - 3) * gain))


def sketch(image: Image.Image, draws: Draws) -> Image.Image:
    """Graphite on paper: lines, and hatching in two directions where it is dark."""
    width, height = image.size
    grey = tones(image.convert("L"), contrast_curve(125))
    paper = column([(0, _PAPER), (100, (240, 236, 226))], image.size)
    shade = Image.new("L", image.size)
    pitch = max(4, min(width, height) // 130)
    for rising, dark in ((True, 150), (False, 92)):
        tone = grey.point([min(255, (dark - v) * 3 + 40) if v < dark else 0 for v in range(256)])
        shade = ImageChops.lighter(
            shade, ImageChops.multiply(tone, _hatching(image.size, pitch, rising, draws))
        )
    wash = grey.point(curve(lambda v: (255 - v) * 34 // 100))
    lay(paper, (120, 120, 126), wash)
    lay(paper, _GRAPHITE, shade)
    return lay(paper, _GRAPHITE, lines(image, 16))


def _hatching(size: tuple[int, int], pitch: int, rising: bool, draws: Draws) -> Image.Image:
    """Slanted pencil strokes of uneven weight, tiled over ``size``."""
    side = pitch * 32
    tile = Image.new("L", (side * 2, side * 2))
    pen = ImageDraw.Draw(tile)
    for start in range(-side * 2, side * 2, 2 * pitch):
        weight = draws.between(110, 215)
        for again in (0, side * 2):  # drawn twice so that the tile closes
            offset = start + again
            ends = (
                (offset, 0, offset + side * 2, side * 2)
                if not rising
                else (offset + side * 2, 0, offset, side * 2)
            )
            pen.line(ends, fill=weight, width=max(2, pitch * 2 // 3))
    tile = tile.reduce(2)
    sheet = Image.new("L", size)
    for top in range(0, size[1], side):
        for left in range(0, size[0], side):
            sheet.paste(tile, (left, top))
    return sheet


def cartoon(image: Image.Image, _: Draws, *, levels: int) -> Image.Image:
    """Flat, strong colours inside dark outlines."""
    step = 256 // levels
    flat = saturated(image.filter(ImageFilter.BoxBlur(max(1, min(image.size) // 400))), 150)
    flat = tones(flat, curve(lambda v: (v // step) * 255 // (levels - 1)))
    return lay(flat, (22, 18, 30), lines(image, 22))


def oil(image: Image.Image, draws: Draws) -> Image.Image:
    """Dabs of paint: colours gathered in small patches, with a ridge of light on each."""
    side = max(1, min(image.size) // 300)
    small = image.reduce(side) if side > 1 else image
    small = saturated(small.filter(ImageFilter.ModeFilter(5)), 130)
    dabs = small.resize(image.size, _BICUBIC)
    grain = Image.new("L", (160, 120))
    grain.putdata([draws.between(96, 160) for _ in range(160 * 120)])
    relief = dabs.convert("L").filter(ImageFilter.EMBOSS)
    light = ImageChops.add(relief, grain.resize(image.size, Image.Resampling.BILINEAR), scale=2)
    return ImageChops.overlay(dabs, tones(light, contrast_curve(160)).convert("RGB"))


def pixelate(image: Image.Image, _: Draws, *, cells: int) -> Image.Image:
    """Big square pixels, about ``cells`` of them along the longer side, in few colours."""
    side = max(2, -(-max(image.size) // cells))
    grid = (-(-image.width // side), -(-image.height // side))
    if 0 in grid or grid[0] * side > 4 * image.width or grid[1] * side > 4 * image.height:
        return image
    small = saturated(image.resize(grid, Image.Resampling.BOX), 125)
    small = tones(small, curve(lambda v: (v + 8) // 17 * 17))
    big = small.resize((grid[0] * side, grid[1] * side), Image.Resampling.NEAREST)
    return big.crop((0, 0, *image.size))
