"""Output size from input size, ratio and tier. Integers only: floats already slip at 64:49.

Facts: a tier is an area (measured 1376x768 at 1K 16:9); a model may carry a table of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import isqrt

from venice_mock.contract import ModelSpec
from venice_mock.contract.types import Size, Tiers

AUTO = "auto"


@dataclass(frozen=True, slots=True)
class Shape:
    """The size of the output in pixels, and the ratio it was made for (``"16:9"``, or the input's own)."""

    size: Size
    ratio: str


def shape_output(model: ModelSpec, tiers: Tiers, tier: str, aspect_ratio: str, source: Size) -> Shape:
    """Decide the output's size for a request that is already valid.

    ``source`` is the input's displayed size; ``aspect_ratio`` a ratio or ``auto``; ``tier`` a key of
    ``tiers.factors``.
    """
    constraints = model.constraints
    if constraints is None:
        raise ValueError(f"{model.id} is no edit model")
    if constraints.single_image_aspect_ratio is False:
        return Shape(source, f"{source[0]}:{source[1]}")
    listed = [ratio for ratio in constraints.aspect_ratios if ratio != AUTO]
    if aspect_ratio == AUTO and not listed:
        free = _clamp(Fraction(*source), Fraction(*tiers.free_ratio_min), Fraction(*tiers.free_ratio_max))
        return Shape(_area_size(tiers, tier, free), f"{free.numerator}:{free.denominator}")
    label = closest_ratio(source, listed) if aspect_ratio == AUTO else aspect_ratio
    return Shape(_listed_size(model, tiers, tier, label), label)


def closest_ratio(source: Size, ratios: Iterable[str]) -> str:
    """The ratio with the smallest |ln(input / ratio)|; the first listed wins a tie. Raises ValueError on none.

    The order of max(x, 1/x) is the order of |ln x|, so exact fractions decide.
    """
    return _closest(source, tuple(ratios))


@lru_cache(maxsize=256)  # pictures come in few sizes
def _closest(source: Size, ratios: tuple[str, ...]) -> str:
    width, height = source

    def distance(label: str) -> Fraction:
        across, down = _sides(label)
        one, other = width * down, height * across  # in whole numbers: fractions divide many times slower
        return Fraction(max(one, other), min(one, other))

    return min(ratios, key=distance)


def parse_ratio(label: str) -> Fraction:
    """``"16:9"`` as a fraction. Raises ValueError for anything that is not two positive integers."""
    return Fraction(*_sides(label))


def _sides(label: str) -> tuple[int, int]:
    width, _, height = label.partition(":")
    if not (label.isascii() and width.isdecimal() and height.isdecimal() and int(width) and int(height)):
        raise ValueError(f"not a ratio: {label!r}")
    return int(width), int(height)


def _listed_size(model: ModelSpec, tiers: Tiers, tier: str, label: str) -> Size:
    table = model.sizes
    if table is None:
        return _area_size(tiers, tier, parse_ratio(label))
    if label in table.exact:
        return table.exact[label][tier]
    ratio, long_edge = parse_ratio(label), table.long_edge[tier]
    short = _round_to(long_edge * min(ratio, 1 / ratio), table.round_to)
    return (long_edge, short) if ratio >= 1 else (short, long_edge)


@lru_cache(maxsize=256)
def _ceil_side(base: int, ratio: Fraction, step: int) -> int:
    """The smallest multiple of ``step`` for a width whose square is ``base`` squared times ``ratio``."""
    return _ceil_sqrt_multiple(base * base * ratio, step)


def _area_size(tiers: Tiers, tier: str, ratio: Fraction) -> Size:
    factor = tiers.factors[tier]
    width = _ceil_side(tiers.base, ratio, tiers.round_to)
    height = _ceil_side(tiers.base, 1 / ratio, tiers.round_to)
    return width * factor, height * factor


def _ceil_sqrt_multiple(square: Fraction, step: int) -> int:
    """The smallest multiple of ``step`` that is not below the square root of ``square``."""
    steps_squared = square / (step * step)
    whole = -(
        -steps_squared.numerator // steps_squared.denominator
    )  # integers n: n*n >= x iff n*n >= ceil(x)
    root = isqrt(whole)
    return step * (root if root * root == whole else root + 1)


def _round_to(value: Fraction, step: int) -> int:
    # Half up: the vendor's rounding at exact halves is unknown, and 1536x864 has none.
    return step * int(value / step + Fraction(1, 2))


def _clamp(value: Fraction, low: Fraction, high: Fraction) -> Fraction:
    return min(max(value, low), high)
