"""The pixels of a recipe: patterns as Pillow images in the mode asked for. No files, no metadata.

Equal recipes give equal pixels; the seed chooses colours and noise.
"""

from __future__ import annotations

from random import Random

from PIL import Image, ImageChops, ImageOps

from venice_contract.pictures.recipe import Mode, Picture

CELL = 16  # pixels: the side of a checker's square
GRAIN = 2  # pixels: the side of a dot of fine detail


def paint(picture: Picture, frame: int = 0) -> Image.Image:
    """The stored pixels of one frame. Later frames are those of the first with every colour inverted.

    The image's mode is Pillow's for ``picture.mode``: ``RGB;16`` comes as RGB, both kinds of CMYK as CMYK and
    ``P+transparency`` as P with ``info["transparency"]`` naming the entry of the top left pixel.
    """
    image = _pattern(picture)
    if frame:
        image = ImageChops.invert(image)
    return _in_mode(image, picture.mode)


def colours(picture: Picture) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """The two RGB colours that a seed stands for: a dark and a light one."""
    dice = Random(picture.seed)
    return (
        (dice.randrange(100), dice.randrange(100), dice.randrange(100)),
        (156 + dice.randrange(100), 156 + dice.randrange(100), 156 + dice.randrange(100)),
    )


def _pattern(picture: Picture) -> Image.Image:
    """The picture in RGB."""
    size, (dark, light) = picture.stored, colours(picture)
    if picture.pattern == "flat":
        return Image.new("RGB", size, light)
    if picture.pattern == "gradient":
        slope = Image.linear_gradient("L").point(
            [value & ~7 for value in range(256)]
        )  # black above, white below
        across = slope.rotate(90).resize(size, Image.Resampling.NEAREST)
        down = slope.resize(size, Image.Resampling.NEAREST)
        return Image.merge("RGB", (across, down, Image.new("L", size, light[2])))
    if picture.pattern == "checker":
        return ImageOps.colorize(_checker(size), dark, light)
    grains = (-(-size[0] // GRAIN), -(-size[1] // GRAIN))
    noise = Image.frombytes("L", grains, Random(picture.seed).randbytes(grains[0] * grains[1]))
    noise = noise.point([0] * 128 + [255] * 128)
    noise = noise.resize((grains[0] * GRAIN, grains[1] * GRAIN), Image.Resampling.NEAREST).crop((0, 0, *size))
    return ImageOps.colorize(noise, dark, light)


def _checker(size: tuple[int, int]) -> Image.Image:
    """Black and white squares, black in the top left corner."""
    board = Image.new("L", (2, 2), 0)
    board.putpixel((1, 0), 255)
    board.putpixel((0, 1), 255)
    across, down = (-(-side // (2 * CELL)) for side in size)
    rows = Image.frombytes("L", (2 * across, 2), (b"\0\xff" * across) + (b"\xff\0" * across))
    cells = Image.frombytes("L", (2 * across, 2 * down), rows.tobytes() * down)
    return cells.resize((2 * across * CELL, 2 * down * CELL), Image.Resampling.NEAREST).crop((0, 0, *size))


def _in_mode(image: Image.Image, mode: Mode) -> Image.Image:
    """An RGB image as another mode."""
    if mode in ("RGB", "RGB;16"):
        return image
    if mode == "RGBA":
        image.putalpha(_alpha(image.size))
        return image
    if mode in ("CMYK", "CMYK-adobe"):
        return image.convert("CMYK")
    if mode in ("P", "P+transparency"):
        image = image.convert("P", palette=Image.Palette.WEB, dither=Image.Dither.NONE)
        if mode == "P+transparency":
            image.info["transparency"] = image.getpixel((0, 0))
        return image
    grey = image.convert("L")
    if mode == "1":
        return grey.convert("1", dither=Image.Dither.NONE)
    if mode == "LA":
        return Image.merge("LA", (grey, _alpha(image.size)))
    if mode == "I;16":
        deep = bytearray(2 * image.width * image.height)
        deep[1::2] = grey.tobytes()  # little-endian: the high byte comes second
        return Image.frombytes("I;16", image.size, bytes(deep))
    return grey


def _alpha(size: tuple[int, int]) -> Image.Image:
    """Opaque on the left, see-through on the right."""
    return Image.linear_gradient("L").rotate(-90).resize(size, Image.Resampling.NEAREST)
