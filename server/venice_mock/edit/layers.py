"""Building blocks of the edits: tone curves, gradients, glows, masks. Integer arithmetic throughout.

Curves are look-up tables and colour mixing is a matrix: both let other threads run while they work.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PIL import Image, ImageDraw

Colour = tuple[int, int, int]
Stop = tuple[int, Colour]  # percent from the top, colour


def clamp(value: int) -> int:
    """``value`` within 0..255."""
    return 0 if value < 0 else 255 if value > 255 else value


def curve(shape: Callable[[int], int]) -> list[int]:
    """A 256-entry table of a function on 0..255."""
    return [clamp(shape(value)) for value in range(256)]


def tones(image: Image.Image, *curves: Sequence[int]) -> Image.Image:
    """The picture through one curve for every band, or one curve a band."""
    bands = len(image.getbands())
    table = [entry for each in (curves if len(curves) > 1 else curves * bands) for entry in each]
    return image.point(table)


def gamma_curve(percent: int) -> list[int]:
    """A brightness curve: under 100 brightens, over 100 darkens. Ends stay where they are."""
    exponent = percent / 100
    return [round(255 * (value / 255) ** exponent) for value in range(256)]


def contrast_curve(percent: int) -> list[int]:
    """An S through the middle: steeper there for more than 100, flatter for less."""
    if percent <= 100:
        return curve(lambda v: 128 + (v - 128) * percent // 100)
    smooth = [round(255 * (v / 255) ** 2 * (3 - 2 * v / 255)) for v in range(256)]
    share = percent - 100
    return curve(lambda v: (v * (100 - share) + smooth[v] * share) // 100)


def saturated(image: Image.Image, percent: int) -> Image.Image:
    """Colour away from grey (over 100) or towards it (under 100; 0 is grey)."""
    s = percent / 100
    r, g, b = 0.3 * (1 - s), 0.59 * (1 - s), 0.11 * (1 - s)
    return image.convert("RGB", (r + s, g, b, 0, r, g + s, b, 0, r, g, b + s, 0))


def column(stops: Sequence[Stop], size: tuple[int, int]) -> Image.Image:
    """A vertical gradient of colours."""
    strip = Image.new("RGB", (1, 256))
    strip.putdata([_between(stops, row * 100 / 255) for row in range(256)])
    return _widened(strip, size)


def ramp(stops: Sequence[tuple[int, int]], size: tuple[int, int]) -> Image.Image:
    """A vertical gradient of grey: (percent from the top, 0..255)."""
    strip = Image.new("L", (1, 256))
    grey = [(at, (value, 0, 0)) for at, value in stops]
    strip.putdata([_between(grey, row * 100 / 255)[0] for row in range(256)])
    return _widened(strip, size)


def _widened(strip: Image.Image, size: tuple[int, int]) -> Image.Image:
    # In two steps: interpolating across as well would take five times as long for the same pixels.
    tall = strip.resize((1, size[1]), Image.Resampling.BILINEAR)
    return tall.resize(size, Image.Resampling.NEAREST)


def glow(size: tuple[int, int], centre: tuple[int, int], radius: int, falloff: int = 200) -> Image.Image:
    """A mask that is white at ``centre`` and fades to black at ``radius``; more ``falloff``, smaller core."""
    disc = Image.radial_gradient("L").point(_falloff(falloff))
    mask = Image.new("L", size)
    side = max(2, 2 * radius)
    left, top = centre[0] - side // 2, centre[1] - side // 2
    box = (max(0, left), max(0, top), min(size[0], left + side), min(size[1], top + side))
    if box[0] >= box[2] or box[1] >= box[3]:
        return mask
    scale = 256 / side
    part = tuple(scale * (edge - start) for edge, start in zip(box, (left, top, left, top), strict=True))
    shape = (box[2] - box[0], box[3] - box[1])
    mask.paste(
        disc.resize(shape, Image.Resampling.BILINEAR, box=(part[0], part[1], part[2], part[3])), box[:2]
    )
    return mask


def disc(size: tuple[int, int], centre: tuple[int, int], radius: int) -> Image.Image:
    """A filled circle with soft edges, as a mask."""
    mask = Image.new("L", size)
    side = 2 * radius + 1
    stamp = Image.new("L", (4 * side, 4 * side))
    ImageDraw.Draw(stamp).ellipse((0, 0, 4 * side - 1, 4 * side - 1), fill=255)
    mask.paste(stamp.reduce(4), (centre[0] - radius, centre[1] - radius))
    return mask


def lay(image: Image.Image, colour: Colour | Image.Image, mask: Image.Image) -> Image.Image:
    """``colour`` (or a picture of the same size) over ``image`` where the mask is white. In place, returned."""
    # Pasting a picture of one colour is twice as fast as pasting the colour.
    layer = colour if isinstance(colour, Image.Image) else Image.new("RGB", image.size, colour)
    image.paste(layer, (0, 0), mask)
    return image


def _falloff(percent: int) -> list[int]:
    exponent = percent / 100
    return [round(255 * (1 - value / 255) ** exponent) for value in range(256)]


def _between(stops: Sequence[Stop], at: float) -> Colour:
    before = stops[0]
    for stop in stops:
        if stop[0] >= at:
            span = stop[0] - before[0]
            share = 0.0 if span == 0 else (at - before[0]) / span
            mixed = [round(a + (b - a) * share) for a, b in zip(before[1], stop[1], strict=True)]
            return mixed[0], mixed[1], mixed[2]
        before = stop
    return before[1]
