"""A harbour drawn by code: the picture that comes with the package, for first tries, fixtures and the gallery."""

from __future__ import annotations

import io
from collections.abc import Callable

from PIL import Image, ImageDraw, PngImagePlugin

from venice_mock.edit.draws import Draws
from venice_mock.edit.headers import ADULT_MARK
from venice_mock.edit.layers import column

At = Callable[..., tuple[int, ...]]  # percent of width, height, width, ... as pixels
Pen = ImageDraw.ImageDraw

_FINE = 2  # drawn twice as large, then reduced, for soft edges


def draw_sample(size: tuple[int, int] = (1024, 768)) -> Image.Image:
    """The scene as RGB of ``size``. The same pixels every time."""
    wide, high = size[0] * _FINE, size[1] * _FINE
    draws = Draws(b"harbour")

    def at(*percents: float) -> tuple[int, ...]:
        """Percent of width and height in turn, as pixels."""
        return tuple(int(p * (wide if i % 2 == 0 else high) / 100) for i, p in enumerate(percents))

    sky = [(0, (96, 164, 224)), (34, (168, 208, 238)), (56, (230, 238, 236)), (100, (230, 238, 236))]
    scene = column(sky, (wide, high))
    pen = ImageDraw.Draw(scene)
    _clouds(pen, at)
    _hills(pen, at)
    _water(scene, at, draws)
    _village(pen, at)
    _tower(pen, at)
    _boat(pen, at)
    _shore(pen, at, draws)
    return scene.reduce(_FINE)


def sample_png(size: tuple[int, int] = (1024, 768), *, adult_mark: bool = False) -> bytes:
    """The scene as PNG; with the mark that makes the server treat it as adult content, if asked."""
    notes = PngImagePlugin.PngInfo()
    if adult_mark:
        notes.add_text("Comment", ADULT_MARK.decode("ascii"))
    out = io.BytesIO()
    draw_sample(size).save(out, "PNG", pnginfo=notes, compress_level=9)
    return out.getvalue()


def sample_jpeg(size: tuple[int, int] = (1024, 768), *, adult_mark: bool = False) -> bytes:
    """The scene as JPEG, quality 88; the mark goes into a comment."""
    out = io.BytesIO()
    draw_sample(size).save(out, "JPEG", quality=88, comment=ADULT_MARK if adult_mark else b"")
    return out.getvalue()


def _clouds(pen: Pen, at: At) -> None:
    for x, y, s in ((16, 15, 1.0), (45, 9, 0.7), (76, 21, 1.15)):
        for shade, drop in (((222, 232, 240), 1.1), ((252, 253, 254), 0.0)):
            for dx, dy, r in ((-7, 1, 3.2), (-2.6, -1.4, 4.4), (2.6, -0.4, 3.8), (6.8, 1.4, 2.6)):
                left, top = x + (dx - r) * s, y + (dy - r) * s + drop
                pen.ellipse(at(left, top, left + 2 * r * s, top + 2 * r * s), fill=shade)
            box = at(x - 10 * s, y + 1.6 * s + drop, x + 9.4 * s, y + 4.8 * s + drop)
            pen.rounded_rectangle(box, radius=max(1, (box[3] - box[1]) // 2), fill=shade)


def _hills(pen: Pen, at: At) -> None:
    far = [(0, 44), (9, 37), (18, 41), (30, 31), (41, 40), (52, 35), (66, 42), (80, 34), (92, 40), (100, 36)]
    pen.polygon([at(0, 60), *[at(x, y) for x, y in far], at(100, 60)], fill=(142, 172, 198))
    for points, shade in (
        ([(0, 46), (12, 44), (25, 46.5), (38, 51), (50, 55), (58, 58)], (96, 148, 104)),
        ([(52, 58), (62, 52), (74, 46), (88, 44.5), (100, 41)], (82, 136, 92)),
    ):
        line = [at(x, y) for x, y in points]
        pen.polygon([at(points[0][0], 60), *line, at(points[-1][0], 60)], fill=shade)


def _water(scene: Image.Image, at: At, draws: Draws) -> None:
    left, top = at(0, 57.5)
    wide, high = scene.width, scene.height - top
    stops = [(0, (176, 214, 226)), (30, (98, 168, 200)), (100, (34, 98, 148))]
    scene.paste(column(stops, (wide, high)), (left, top))
    pen = ImageDraw.Draw(scene)
    for _ in range(150):
        depth = draws.below(1000)
        y = 58.5 + depth * depth / 1000000 * 40
        x, length = draws.below(1000) / 10, (1.0 + (y - 57) / 9) * draws.between(60, 170) / 100
        shade = (206, 230, 238) if draws.below(3) else (70, 136, 176)
        pen.line(at(x, y, x + length, y), fill=shade, width=max(2, int(scene.height * (y - 54) / 14000)))


def _village(pen: Pen, at: At) -> None:
    pen.polygon([at(0, 60), at(0, 56), at(40, 57), at(46, 59.5), at(44, 61), at(0, 63)], fill=(150, 138, 122))
    houses = (
        (2, 10, 44, (238, 224, 196), (176, 82, 62)),
        (10.5, 8, 47, (214, 120, 92), (120, 66, 58)),
        (19, 9.5, 42.5, (246, 240, 228), (70, 96, 124)),
        (29, 8, 48, (236, 196, 110), (156, 74, 56)),
    )
    for x, wide, top, wall, roof in houses:
        pen.rectangle(at(x, top, x + wide, 57.6), fill=wall)
        pen.rectangle(at(x + wide * 0.72, top, x + wide, 57.6), fill=tuple(band * 88 // 100 for band in wall))
        pen.polygon([at(x - 0.8, top), at(x + wide / 2, top - 5.5), at(x + wide + 0.8, top)], fill=roof)
        for row in (top + 2.4, top + 6.6):
            for column_x in (x + wide * 0.16, x + wide * 0.5):
                if row + 2.8 < 56:
                    window = at(column_x, row, column_x + 1.5, row + 2.6)
                    pen.rectangle(window, fill=(72, 92, 112))
    pen.rectangle(at(6, 53, 8, 57.6), fill=(104, 66, 46))


def _tower(pen: Pen, at: At) -> None:
    pen.polygon(
        [at(70, 60), at(74, 56), at(90, 55.4), at(100, 57), at(100, 62), at(72, 62)], fill=(124, 116, 108)
    )
    edges = ((79.2, 84.8), (80.0, 84.0))
    for step in range(5):
        upper, lower = 34 + step * 4.4, 34 + (step + 1) * 4.4
        share_u, share_l = (upper - 34) / 22, (lower - 34) / 22
        wide_u = [edges[1][0] - 0.9 * share_u, edges[1][1] + 0.9 * share_u]
        wide_l = [edges[1][0] - 0.9 * share_l, edges[1][1] + 0.9 * share_l]
        shade = (250, 248, 244) if step % 2 else (206, 58, 52)
        corners = [at(wide_u[0], upper), at(wide_u[1], upper), at(wide_l[1], lower), at(wide_l[0], lower)]
        pen.polygon(corners, fill=shade)
        right = [at(83, upper), at(wide_u[1], upper), at(wide_l[1], lower), at(83, lower)]
        pen.polygon(right, fill=tuple(band * 86 // 100 for band in shade))
    pen.rectangle(at(79.2, 33, 84.8, 34.2), fill=(60, 64, 72))
    pen.rectangle(at(80.6, 29, 83.4, 33), fill=(255, 232, 150))
    pen.polygon([at(79.8, 29.2), at(82, 25.6), at(84.2, 29.2)], fill=(60, 64, 72))


def _boat(pen: Pen, at: At) -> None:
    pen.polygon([at(48, 79), at(68, 79), at(65, 81.2), at(51, 81.2)], fill=(58, 118, 158))
    pen.rectangle(at(57.2, 46, 57.8, 76), fill=(112, 78, 52))
    pen.polygon([at(58.6, 47), at(58.6, 72), at(68, 72)], fill=(254, 250, 240))
    pen.polygon([at(58.6, 60), at(58.6, 72), at(68, 72), at(63.6, 60)], fill=(240, 230, 212))
    pen.polygon([at(56.4, 50), at(56.4, 72), at(49, 72)], fill=(232, 92, 66))
    pen.polygon([at(46.6, 74), at(69.4, 74), at(66, 80), at(50.4, 80)], fill=(150, 64, 46))
    pen.polygon([at(46.6, 74), at(69.4, 74), at(68.9, 75.3), at(47.3, 75.3)], fill=(246, 236, 214))


def _shore(pen: Pen, at: At, draws: Draws) -> None:
    line = [(0, 80), (10, 82), (20, 87), (28, 92), (34, 100)]
    pen.polygon([at(0, 100), *[at(x, y) for x, y in line]], fill=(104, 158, 82))
    lower = [(0, 88), (9, 90), (17, 94), (22, 100)]
    pen.polygon([at(0, 100), *[at(x, y) for x, y in lower]], fill=(78, 134, 70))
    for x, base, tall in ((6, 88, 34), (15, 91, 24)):
        pen.rectangle(at(x - 0.6, base - 6, x + 0.6, base + 1), fill=(100, 72, 48))
        for part, half in ((0.0, 2.4), (0.26, 3.6), (0.52, 4.8)):
            top = base - 4 - tall * (1 - part)
            bottom = base - 4 - tall * (0.55 - part) if part < 0.5 else base - 4
            shape = half * tall / 30
            pen.polygon([at(x, top), at(x - shape, bottom), at(x + shape, bottom)], fill=(38, 96, 66))
            pen.polygon([at(x, top), at(x - shape, bottom), at(x, bottom)], fill=(56, 122, 80))
    for _ in range(16):
        left, y = draws.between(5, 240) / 10, draws.between(905, 985) / 10
        shade = ((250, 220, 90), (246, 246, 246), (236, 110, 130))[draws.below(3)]
        pen.ellipse(at(left, y, left + 0.8, y + 1.05), fill=shade)
