"""Edits that change the weather or the hour: sunset, night, snow, rain, fog. Pure pictures, no prompts.

They take bright parts of the upper half for sky: that is enough for landscapes and harmless elsewhere.
"""

from __future__ import annotations

from PIL import Image, ImageChops, ImageDraw

from venice_mock.edit.draws import Draws
from venice_mock.edit.layers import (
    Stop,
    column,
    contrast_curve,
    curve,
    disc,
    gamma_curve,
    glow,
    lay,
    ramp,
    saturated,
    tones,
)
from venice_mock.edit.looks import soft

_SKIES: dict[str, tuple[Stop, ...]] = {
    "sunset": (
        (0, (44, 34, 88)),
        (16, (104, 52, 112)),
        (30, (192, 76, 92)),
        (42, (244, 122, 66)),
        (52, (255, 188, 96)),
        (60, (250, 150, 80)),
        (100, (80, 34, 56)),
    ),
    "sunrise": (
        (0, (96, 126, 186)),
        (18, (164, 150, 196)),
        (32, (242, 172, 160)),
        (44, (255, 204, 136)),
        (52, (255, 232, 172)),
        (60, (255, 206, 150)),
        (100, (128, 84, 88)),
    ),
}


def sky_mask(image: Image.Image, horizon: int = 60) -> Image.Image:
    """White where the picture is bright and above ``horizon`` percent of its height."""
    bright = image.convert("L").point(curve(lambda v: (v - 92) * 4))
    fade = ramp([(0, 255), (horizon - 18, 255), (horizon, 40), (100, 0)], image.size)
    return ImageChops.multiply(bright, fade)


def sunset(image: Image.Image, draws: Draws, *, sky: str) -> Image.Image:
    """A low sun: a coloured sky, warm light from the horizon, long dark below."""
    stops = _SKIES[sky]
    unit = min(image.size)
    late = sky == "sunset"
    mask = sky_mask(image)
    relief = tones(image.convert("L"), contrast_curve(130))
    warm = tones(
        image,
        tones_of(104 if late else 110, 6),
        tones_of(70 if late else 92, 0),
        tones_of(54 if late else 78, 10 if late else 6),
    )
    warm = tones(warm, gamma_curve(128 if late else 96))
    colours = column(stops, image.size)
    # Clouds and waves must stay visible in the new sky: its colours are modulated by the picture's own light.
    lit = ImageChops.soft_light(colours, relief.convert("RGB"))
    scene = lay(warm, lit, mask)
    # The water or ground mirrors the sky where it is bright.
    below = ramp([(0, 0), (54, 0), (60, 150), (100, 96)], image.size)
    mirrored = column(
        [(0, stops[0][1]), (56, stops[4][1]), (72, stops[3][1]), (100, stops[1][1])], image.size
    )
    lay(scene, mirrored, ImageChops.multiply(below, relief.point(curve(lambda v: (v - 70) * 2))))
    centre = (image.width * draws.between(30, 70) // 100, image.height * 45 // 100)
    light = glow(image.size, centre, unit * 3 // 4, 260).point(curve(lambda v: v * 200 // 255))
    lay(scene, (255, 186, 92), light)
    # The sun stands behind whatever is dark.
    sun = ImageChops.multiply(
        disc(image.size, centre, max(2, unit // 17)), mask.point(curve(lambda v: v * 2))
    )
    return lay(scene, (255, 246, 206), sun)


def tones_of(percent: int, lift: int) -> list[int]:
    """A straight curve: ``percent`` of each value plus ``lift``."""
    return curve(lambda v: v * percent // 100 + lift)


def night(image: Image.Image, draws: Draws) -> Image.Image:
    """Moonlight: dark, blue, stars and a moon where there is sky."""
    width, height = image.size
    unit = min(image.size)
    mask = sky_mask(image)
    dim = saturated(image, 38)
    scene = tones(
        tones(dim, gamma_curve(150)),
        curve(lambda v: v * 34 // 100 + 6),
        curve(lambda v: v * 44 // 100 + 10),
        curve(lambda v: v * 66 // 100 + 26),
    )
    sky = column([(0, (7, 10, 34)), (35, (16, 26, 66)), (58, (44, 62, 112)), (100, (30, 40, 76))], image.size)
    lay(scene, sky, mask.point(curve(lambda v: v * 86 // 100)))

    stars = Image.new("L", image.size)
    pen = ImageDraw.Draw(stars)
    for _ in range(150):
        x, y = draws.below(width), draws.below(max(1, height * 52 // 100))
        size = max(1, unit // 700) if draws.below(5) else max(1, unit // 330)
        pen.ellipse((x, y, x + size, y + size), fill=draws.between(110, 255))
    lay(scene, (236, 240, 255), ImageChops.multiply(stars, mask))

    centre = (width * draws.between(62, 86) // 100, height * draws.between(14, 24) // 100)
    radius = max(2, unit // 16)
    lay(
        scene,
        (176, 196, 240),
        glow(image.size, centre, unit * 2 // 5, 300).point(curve(lambda v: v * 150 // 255)),
    )
    lay(scene, (246, 244, 226), disc(image.size, centre, radius))
    for dx, dy, r in ((-30, -20, 20), (24, 16, 26), (-8, 42, 14)):  # a few seas, so that it is no lamp
        spot = (centre[0] + radius * dx // 100, centre[1] + radius * dy // 100)
        lay(scene, (216, 214, 204), disc(image.size, spot, max(1, radius * r // 100)))
    # Moonlight on whatever is bright below.
    path = glow(image.size, (centre[0], height * 86 // 100), unit // 2, 170)
    shine = tones(image.convert("L"), curve(lambda v: (v - 120) * 2))
    below = ramp([(0, 0), (58, 0), (66, 255), (100, 255)], image.size)
    lay(scene, (206, 216, 240), ImageChops.multiply(ImageChops.multiply(path, shine), below))
    return scene


def snow(image: Image.Image, draws: Draws) -> Image.Image:
    """Winter: pale cold light, white on what lies open to the sky, flakes at three distances."""
    width, height = image.size
    unit = min(image.size)
    scene = tones(
        saturated(image, 42),
        curve(lambda v: v * 92 // 100 + 12),
        curve(lambda v: v * 96 // 100 + 14),
        curve(lambda v: v + 22),
    )
    sky = column([(0, (184, 200, 220)), (60, (226, 233, 242)), (100, (236, 240, 246))], image.size)
    lay(scene, sky, sky_mask(image).point(curve(lambda v: v * 62 // 100)))
    # What is lighter than the picture just below it faces up: snow lies there. Greens get a cover of it.
    grey = image.convert("L")
    lower = ImageChops.offset(grey, 0, -max(2, unit // 70))
    edge = soft(ImageChops.subtract(grey, lower), max(2, unit // 160)).point(curve(lambda v: (v - 5) * 8))
    red, green, blue = image.split()
    leafy = ImageChops.subtract(green, ImageChops.lighter(red, blue)).point(curve(lambda v: (v - 4) * 9))
    ground = ImageChops.multiply(leafy, ramp([(0, 150), (50, 190), (100, 235)], image.size))
    lay(scene, (248, 250, 254), ground)
    lay(scene, (250, 252, 255), ImageChops.multiply(edge, ramp([(0, 0), (30, 120), (100, 220)], image.size)))
    for count, size, strength in ((260, 300, 170), (110, 170, 215), (34, 84, 235)):
        flakes = Image.new("L", image.size)
        pen = ImageDraw.Draw(flakes)
        for _ in range(count):
            x, y = draws.below(width), draws.below(height)
            r = max(1, unit // size * draws.between(70, 130) // 200)
            pen.ellipse((x - r, y - r, x + r, y + r), fill=strength)
        lay(scene, (255, 255, 255), soft(flakes, unit // 160) if size == 84 else flakes)
    return scene


def rain(image: Image.Image, draws: Draws) -> Image.Image:
    """Grey light and slanted streaks."""
    width, height = image.size
    unit = min(image.size)
    scene = tones(
        saturated(image, 45),
        curve(lambda v: v * 62 // 100 + 10),
        curve(lambda v: v * 68 // 100 + 14),
        curve(lambda v: v * 76 // 100 + 20),
    )
    cloud = column([(0, (66, 74, 88)), (45, (122, 130, 142)), (100, (128, 136, 146))], image.size)
    lay(scene, cloud, sky_mask(image).point(curve(lambda v: v * 70 // 100)))
    streaks = Image.new("L", image.size)
    pen = ImageDraw.Draw(streaks)
    for _ in range(420):
        x, y = draws.below(width + height // 4), draws.below(height)
        length = unit * draws.between(20, 62) // 1000
        pen.line((x, y, x - length // 4, y + length), fill=draws.between(50, 150), width=max(1, unit // 600))
    return lay(scene, (222, 230, 240), streaks)


def fog(image: Image.Image, draws: Draws) -> Image.Image:
    """Distance dissolves: thick towards the horizon, in drifting banks."""
    pale = tones(saturated(image, 60), curve(lambda v: v * 82 // 100 + 36))
    banks = Image.new("L", (9, 14))
    banks.putdata([draws.between(120, 255) for _ in range(9 * 14)])
    depth = ramp([(0, 190), (40, 235), (58, 225), (80, 120), (100, 50)], image.size)
    mask = ImageChops.multiply(depth, banks.resize(image.size, Image.Resampling.BICUBIC))
    return lay(pale, (226, 230, 234), mask)
