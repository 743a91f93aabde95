"""Things put into a picture and regions taken out of it. Shapes are drawn at four times their size, so that
their edges are soft."""

from __future__ import annotations

from collections.abc import Callable

from PIL import Image, ImageDraw, ImageFilter

from venice_mock.edit.draws import Draws
from venice_mock.edit.layers import Colour, clamp, curve, glow, lay

_FINE = 4  # drawn this many times larger, then reduced
_STAR = ((50, 3), (62, 37), (98, 38), (69, 60), (80, 95), (50, 74), (20, 95), (31, 60), (2, 38), (38, 37))
_HIGH = frozenset(("sun", "moon", "star", "balloon", "bird", "cloud", "rainbow"))
_SIZES = {
    "bird": 14,
    "star": 16,
    "tree": 44,
    "cloud": 34,
    "rainbow": 90,
    "balloon": 34,
    "flower": 18,
    "boat": 26,
}

Pen = ImageDraw.ImageDraw


def stamp(
    image: Image.Image,
    draws: Draws,
    *,
    shape: str,
    colour: Colour,
    count: int,
    across: int | None,
    down: int | None,
) -> Image.Image:
    """``count`` drawings of ``shape`` (a key of SHAPES) at seeded places; ``across`` and ``down`` in percent."""
    width, height = image.size
    unit = min(image.size)
    size = max(8, unit * _SIZES.get(shape, 24) // 100)
    if count > 1:
        size = max(8, size * 72 // 100)
    for index in range(count):
        each = max(8, size * draws.between(80, 112) // 100)
        x = across if across is not None else _spread(index, count, draws)
        base = (
            down if down is not None else (draws.between(17, 33) if shape in _HIGH else draws.between(62, 74))
        )
        if count > 1:
            base += draws.between(-7, 7)
            x += draws.between(-4, 4) if across is None else (index - count // 2) * 9
        centre = (width * x // 100, height * base // 100)
        if shape in ("sun", "moon"):
            halo = glow(image.size, centre, each * 3 // 2, 250).point(curve(lambda v: v * 190 // 255))
            lay(image, _lighter(colour, 50), halo)
        drawing = _drawing(shape, colour, each)
        image.paste(drawing, (centre[0] - each // 2, centre[1] - each // 2), drawing)
    return image


def remove(image: Image.Image, draws: Draws, *, across: int | None, down: int | None) -> Image.Image:
    """A region filled from its surroundings: its edges carried inwards from both sides, softly joined."""
    width, height = image.size
    wide, high = max(3, width * 28 // 100), max(3, height * 42 // 100)
    x = width * (across if across is not None else draws.between(50, 62)) // 100
    y = height * (down if down is not None else draws.between(56, 64)) // 100
    left, top = (
        min(max(0, x - wide // 2), max(0, width - wide)),
        min(max(0, y - high // 2), max(0, height - high)),
    )
    box = (left, top, min(width, left + wide), min(height, top + high))
    hole = image.crop(box)
    wide, high = hole.size
    if wide < 4 or high < 4:
        return image
    edge = max(1, min(wide, high) // 24)
    sides = Image.new("RGB", (2, high))
    sides.paste(hole.resize((1, high), Image.Resampling.BOX, box=(0, 0, edge, high)), (0, 0))
    sides.paste(hole.resize((1, high), Image.Resampling.BOX, box=(wide - edge, 0, wide, high)), (1, 0))
    # The middle half of the upscaled pair runs from one edge's colours to the other's. Only sideways: what
    # stands in front usually reaches further up and down than to the sides.
    fill = sides.resize((wide, high), Image.Resampling.BILINEAR, box=(0.5, 0, 1.5, high))
    fill = fill.filter(ImageFilter.BoxBlur(1))
    feather = Image.new("L", (wide, high))
    inset = max(1, min(wide, high) // 12)
    ImageDraw.Draw(feather).rounded_rectangle(
        (inset, inset, wide - 1 - inset, high - 1 - inset), radius=min(wide, high) // 4, fill=255
    )
    image.paste(fill, box[:2], feather.filter(ImageFilter.BoxBlur(inset)))
    return image


def _spread(index: int, count: int, draws: Draws) -> int:
    return draws.between(24, 76) if count == 1 else 12 + 76 * index // (count - 1) if count > 1 else 50


def _lighter(colour: Colour, percent: int) -> Colour:
    mixed = [clamp(band + (255 - band) * percent // 100) for band in colour]
    return mixed[0], mixed[1], mixed[2]


def _darker(colour: Colour, percent: int) -> Colour:
    mixed = [clamp(band * (100 - percent) // 100) for band in colour]
    return mixed[0], mixed[1], mixed[2]


def _drawing(shape: str, colour: Colour, size: int) -> Image.Image:
    """RGBA of ``size`` x ``size``."""
    fine = min(size * _FINE, 2048)
    sheet = Image.new("RGBA", (fine, fine), (*colour, 0))

    def at(*percents: int) -> tuple[int, ...]:
        return tuple(p * (fine - 1) // 100 for p in percents)

    SHAPES[shape](ImageDraw.Draw(sheet), at, colour)
    # Colours of see-through pixels must not darken the edge: Pillow premultiplies when it resizes RGBA.
    return sheet.resize((size, size), Image.Resampling.BOX)


At = Callable[..., tuple[int, ...]]


def _sun(pen: Pen, at: At, colour: Colour) -> None:
    pen.ellipse(at(18, 18, 82, 82), fill=colour)
    pen.ellipse(at(24, 22, 76, 74), fill=_lighter(colour, 30))


def _moon(pen: Pen, at: At, colour: Colour) -> None:
    pen.ellipse(at(14, 14, 86, 86), fill=colour)
    pen.ellipse(at(36, 6, 100, 74), fill=(*colour, 0))


def _star(pen: Pen, at: At, colour: Colour) -> None:
    points = [at(x, y) for x, y in _STAR]
    pen.polygon(points, fill=colour)
    pen.polygon(
        [at(50 + (x - 50) * 62 // 100, 53 + (y - 53) * 62 // 100) for x, y in _STAR],
        fill=_lighter(colour, 40),
    )


def _heart(pen: Pen, at: At, colour: Colour) -> None:
    pen.ellipse(at(6, 10, 54, 58), fill=colour)
    pen.ellipse(at(46, 10, 94, 58), fill=colour)
    pen.polygon([at(10, 45), at(50, 32), at(90, 45), at(50, 94)], fill=colour)
    pen.ellipse(at(18, 20, 34, 34), fill=_lighter(colour, 55))


def _balloon(pen: Pen, at: At, colour: Colour) -> None:
    pen.line([at(50, 68), at(47, 80), at(52, 90), at(49, 99)], fill=(90, 86, 90), width=max(2, at(1)[0]))
    pen.polygon([at(45, 71), at(55, 71), at(50, 64)], fill=_darker(colour, 25))
    pen.ellipse(at(24, 2, 76, 67), fill=_darker(colour, 22))
    pen.ellipse(at(25, 2, 72, 63), fill=colour)
    pen.ellipse(at(33, 9, 47, 27), fill=_lighter(colour, 55))


def _bird(pen: Pen, at: At, colour: Colour) -> None:
    width = max(3, at(6)[0])
    pen.arc(at(0, 34, 54, 96), 200, 330, fill=colour, width=width)
    pen.arc(at(46, 34, 100, 96), 210, 340, fill=colour, width=width)


def _tree(pen: Pen, at: At, colour: Colour) -> None:
    pen.rectangle(at(45, 78, 55, 99), fill=(94, 66, 44))
    for top, bottom, half in ((44, 84, 34), (24, 62, 27), (4, 40, 19)):
        pen.polygon([at(50, top), at(50 - half, bottom), at(50 + half, bottom)], fill=_darker(colour, 22))
        pen.polygon([at(50, top), at(50 - half, bottom), at(50 + half // 4, bottom)], fill=colour)


def _cloud(pen: Pen, at: At, colour: Colour) -> None:
    for shade, drop in ((_darker(colour, 14), 4), (colour, 0)):
        for x, y, r in ((24, 58, 17), (44, 46, 22), (64, 52, 19), (80, 60, 14)):
            pen.ellipse(at(x - r, y - r + drop, x + r, y + r + drop), fill=shade)
        pen.rounded_rectangle(at(10, 58 + drop, 92, 74 + drop), radius=at(8)[0], fill=shade)


def _flower(pen: Pen, at: At, colour: Colour) -> None:
    pen.line([at(50, 45), at(52, 99)], fill=(70, 130, 66), width=max(2, at(4)[0]))
    for x, y in ((50, 16), (74, 30), (68, 58), (32, 58), (26, 30)):
        pen.ellipse(at(x - 16, y - 16, x + 16, y + 16), fill=colour)
    pen.ellipse(at(37, 26, 63, 52), fill=(250, 206, 70))


def _rainbow(pen: Pen, at: At, colour: Colour) -> None:
    bands = (colour, (244, 140, 40), (248, 216, 70), (86, 176, 84), (60, 120, 220), (120, 70, 180))
    width = max(1, at(3)[0])
    for index, band in enumerate(bands):
        inset = 3 * index
        pen.arc(at(4 + inset, 8 + inset, 96 - inset, 100 - inset), 180, 360, fill=(*band, 150), width=width)


def _hat(pen: Pen, at: At, colour: Colour) -> None:
    pen.polygon(
        [at(10, 30), at(28, 56), at(50, 20), at(72, 56), at(90, 30), at(82, 84), at(18, 84)], fill=colour
    )
    pen.rectangle(at(18, 76, 82, 88), fill=_darker(colour, 25))
    for x, y in ((10, 26), (50, 16), (90, 26)):
        pen.ellipse(at(x - 5, y - 5, x + 5, y + 5), fill=(214, 40, 70))


def _boat(pen: Pen, at: At, colour: Colour) -> None:
    pen.rectangle(at(48, 6, 51, 76), fill=(90, 64, 44))
    pen.polygon([at(54, 8), at(54, 68), at(88, 68)], fill=colour)
    pen.polygon([at(45, 20), at(45, 68), at(16, 68)], fill=_darker(colour, 12))
    pen.polygon([at(6, 76), at(94, 76), at(80, 94), at(20, 94)], fill=(134, 52, 44))


SHAPES: dict[str, Callable[[Pen, At, Colour], None]] = {
    "sun": _sun,
    "moon": _moon,
    "star": _star,
    "heart": _heart,
    "balloon": _balloon,
    "bird": _bird,
    "tree": _tree,
    "cloud": _cloud,
    "flower": _flower,
    "rainbow": _rainbow,
    "hat": _hat,
    "boat": _boat,
}
