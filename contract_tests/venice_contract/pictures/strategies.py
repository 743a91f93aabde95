"""Hypothesis strategies for sizes and picture recipes. Everything drawn is small, shrinks to the plain and is sound
unless its name says otherwise. Sizes are (width, height) in pixels; limits come from the edition.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from math import isqrt

from hypothesis import strategies as st

from venice_contract.pictures.recipe import (
    LONGEST_SIDE,
    MODES,
    VARIANTS,
    Defect,
    Format,
    Pattern,
    Picture,
)
from venice_contract.pictures.sizes import AUTO, Size, ratio_of
from venice_mock.contract import Limits

Sizes = st.SearchStrategy[Size]
Pictures = st.SearchStrategy[Picture]

LONGEST = 65_535  # pixels: the longest side drawn unless another is asked for
USUAL_FORMATS: tuple[Format, ...] = ("png", "jpeg", "webp")
UNREADABLE: tuple[Defect, ...] = ("truncated", "bad-checksum", "header-only", "broken-pixels", "wrong-magic")
_PATTERNS: tuple[Pattern, ...] = ("flat", "gradient", "checker", "detail")
_PLAIN_PIXELS = 4  # times the least area: what a picture has whose size is of no matter


# --- sizes -------------------------------------------------------------------------------------------------


def plain_sizes(limits: Limits) -> Sizes:
    """Sizes that are accepted and cheap: up to four times the least area, no side over four times the other's."""
    root = _root_above(limits.min_pixels)
    return st.integers(root, 2 * root).flatmap(
        lambda width: st.tuples(
            st.just(width), st.integers(_over(limits.min_pixels, width), _PLAIN_PIXELS * limits.min_pixels // width)
        )
    ).flatmap(_either_way)  # fmt: skip


def sizes_just_too_small(limits: Limits, longest: int = LONGEST) -> Sizes:
    """The most pixels that are too few, at any width: 255x257, 1x65535, 13107x5 ..."""
    most = limits.min_pixels - 1
    return _by_width(1, min(longest, most), isqrt(most), lambda width: min(longest, most // width))


def smallest_sizes(limits: Limits, longest: int = LONGEST) -> Sizes:
    """The fewest pixels that are enough, at any width: 256x256, 64x1024, 3x21846 ..."""
    least = limits.min_pixels
    return _by_width(_over(least, longest), longest, _root_above(least), lambda width: _over(least, width))


def largest_sizes(limits: Limits, longest: int = LONGEST) -> Sizes:
    """The most pixels that are allowed, at any width: 5760x5760, 7680x4320, 65535x506 ..."""
    most = limits.max_pixels
    return _by_width(_over(most, longest), longest, isqrt(most), lambda width: most // width)


def sizes_just_too_large(limits: Limits, longest: int = LONGEST) -> Sizes:
    """The fewest pixels that are too many, at any width: 5761x5760, 65535x507 ..."""
    least = limits.max_pixels + 1
    return _by_width(_over(least, longest), longest, _root_above(least), lambda width: _over(least, width))


def sizes_near(ratio: str, limits: Limits) -> Sizes:
    """Accepted sizes of a ratio, exactly or a few pixels off."""
    shape, step = ratio_of(ratio), st.integers(-3, 3)
    least = _root_above(_over(limits.min_pixels, shape.numerator * shape.denominator))
    factors = st.integers(least, 4 * least)
    sizes = st.tuples(factors, step, step).map(
        lambda drawn: (drawn[0] * shape.numerator + drawn[1], drawn[0] * shape.denominator + drawn[2])
    )
    return sizes.filter(lambda size: min(size) > 0 and size[0] * size[1] >= limits.min_pixels)


def sizes_at(ratio: str, limits: Limits) -> Sizes:
    """Accepted sizes of exactly that ratio."""
    shape = ratio_of(ratio)
    least = _root_above(_over(limits.min_pixels, shape.numerator * shape.denominator))
    return st.integers(least, 4 * least).map(
        lambda factor: (factor * shape.numerator, factor * shape.denominator)
    )


def sizes_between(listed: Sequence[str], limits: Limits) -> Sizes:
    """Accepted sizes at the border between two neighbours of a list, where |ln| is equal, a few pixels off.

    Raises ValueError when fewer than two different ratios are listed.
    """
    ratios = sorted({ratio_of(label) for label in listed if label != AUTO})
    borders = [one * other for one, other in pairwise(ratios)]  # of the square of the ratio
    if not borders:
        raise ValueError("there is no border in a list of fewer than two ratios")

    def heights(border: Fraction) -> st.SearchStrategy[int]:
        least = _root_above(
            _over(limits.min_pixels * border.denominator, min(border.numerator, border.denominator))
        )
        return st.integers(least, 4 * least)

    drawn = st.sampled_from(borders).flatmap(lambda border: st.tuples(st.just(border), heights(border)))
    sizes = st.tuples(drawn, st.integers(-2, 2)).map(
        lambda found: (isqrt(int(found[0][1] ** 2 * found[0][0])) + found[1], found[0][1])
    )
    return sizes.filter(lambda size: size[0] > 0 and size[0] * size[1] >= limits.min_pixels)


def _by_width(least: int, most: int, plain: int, height: Callable[[int], int]) -> Sizes:
    """Every width from ``least`` to ``most``, and first of all a ``plain`` one, to which examples shrink."""
    widths = st.one_of(st.just(plain), st.integers(least, most))
    return widths.map(lambda width: (width, height(width)))


def _either_way(size: Size) -> Sizes:
    return st.sampled_from([size, (size[1], size[0])])


def _over(area: int, side: int) -> int:
    """The other side, rounded up."""
    return -(-area // side)


def _root_above(area: int) -> int:
    """The side of the smallest square that is not below ``area``."""
    root = isqrt(area)
    return root if root * root == area else root + 1


# --- pictures ----------------------------------------------------------------------------------------------


def cheap_pictures(sizes: Sizes) -> Pictures:
    """PNG of 1 bit, which stay small and quick to build at any size."""
    patterns: st.SearchStrategy[Pattern] = st.sampled_from(("flat", "checker"))
    return st.tuples(sizes, patterns).map(lambda drawn: Picture(*drawn[0], mode="1", pattern=drawn[1]))


@st.composite
def sound_pictures(
    draw: st.DrawFn,
    sizes: Sizes,
    *,
    formats: Sequence[Format] = USUAL_FORMATS,
    turned: bool = False,
    said: bool = False,
) -> Picture:
    """Whole pictures in every mode and variant of ``formats``. ``turned``: with any EXIF orientation where the format
    has EXIF; ``said``: perhaps with a camera's metadata, a profile or bytes behind the end. Never marked adult."""
    fmt = draw(st.sampled_from(formats))
    size = draw(sizes)
    if max(size) > LONGEST_SIDE[fmt]:
        size = (
            (256, 256) if fmt == "ico" else draw(sizes.filter(lambda found: max(found) <= LONGEST_SIDE[fmt]))
        )
    picture = Picture(
        *size,
        format=fmt,
        mode=draw(st.sampled_from([mode for mode in MODES[fmt] if mode != "P+transparency"])),
    )
    picture = replace(picture, pattern=draw(st.sampled_from(_PATTERNS)), seed=draw(st.integers(0, 9)))
    if "P+transparency" in MODES[fmt] and draw(st.booleans()):
        picture = replace(picture, mode="P+transparency")
    variants = [v for v in VARIANTS[fmt] if _possible(picture, {"variant": v})]
    picture = replace(picture, variant=draw(st.sampled_from(variants)))
    if turned and _possible(picture, {"orientation": 8}):
        picture = replace(picture, orientation=draw(st.integers(1, 8)))
    if said:
        extras: list[dict[str, object]] = [
            {"camera": True}, {"profile": True}, {"defect": "trailing-data"}, {"defect": "polyglot"}
        ]  # fmt: skip
        possible: list[dict[str, object]] = [{}, *(extra for extra in extras if _possible(picture, extra))]
        picture = Picture.from_json(picture.to_json() | draw(st.sampled_from(possible)))
    return picture


@st.composite
def broken_pictures(
    draw: st.DrawFn,
    sizes: Sizes,
    *,
    formats: Sequence[Format] = USUAL_FORMATS,
    defects: Sequence[Defect] = UNREADABLE,
) -> Picture:
    """Pictures that no decoder can read, each with one of ``defects`` (without ``lying-header``, which needs a size to
    claim: see ``lying_pictures``). A cut leaves one to nine tenths of a file full of detail."""
    picture = draw(sound_pictures(sizes, formats=formats))
    picture = replace(picture, pattern="detail")  # so that a cut goes through pixels, not through padding
    possible = [defect for defect in defects if _possible(picture, {"defect": defect})]
    if not possible:
        picture = replace(picture, variant="plain")
        possible = [defect for defect in defects if _possible(picture, {"defect": defect})]
    picture = replace(picture, defect=draw(st.sampled_from(possible)))
    if picture.defect == "truncated":
        picture = replace(picture, keep_percent=10 * draw(st.integers(1, 9)))
    return picture


def lying_pictures(claimed: Sizes, *, formats: Sequence[Format] = ("png", "jpeg", "bmp")) -> Pictures:
    """Pictures of 256x256 whose headers claim another size. JPEG only for sides up to 65,535."""

    def told(drawn: tuple[Format, Size]) -> Picture:
        fmt, size = drawn
        fmt = "png" if fmt == "jpeg" and max(size) > LONGEST else fmt
        return Picture(256, 256, format=fmt, pattern="checker", defect="lying-header", claimed=size)

    return st.tuples(st.sampled_from(formats), claimed).map(told)


def _possible(picture: Picture, changes: dict[str, object]) -> bool:
    """Whether the recipe stays one that can be built."""
    try:
        Picture.from_json(picture.to_json() | changes)
    except ValueError:
        return False
    return True
