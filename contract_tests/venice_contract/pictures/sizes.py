"""The size that the contract promises for an edit, worked out with whole numbers in the plainest way. No pictures.

The numbers (areas, steps, measured tables) are read from the edition; the reasoning is this module's own, since a
judge that borrowed the mock's could not judge it. No floats: at 64:49 they already give another side.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import isqrt

from venice_mock.contract import ModelSpec
from venice_mock.contract.types import SizeTable, Tiers

Size = tuple[int, int]  # width, height in pixels

AUTO = "auto"


def ratio_of(label: str) -> Fraction:
    """``"16:9"`` as width over height. Raises ValueError for anything but two positive integers."""
    parts = label.split(":")
    if len(parts) != 2 or not all(part.isascii() and part.isdigit() and int(part) for part in parts):
        raise ValueError(f"{label!r} is not a ratio")
    return Fraction(int(parts[0]), int(parts[1]))


def closest_ratio(listed: Sequence[str], width: int, height: int) -> str:
    """The listed ratio with the smallest |ln(input / ratio)|, the first of equals. ``auto`` is passed over.

    Raises ValueError when nothing but ``auto`` is listed.
    """
    best: tuple[str, int, int] | None = None
    for label in listed:
        if label == AUTO:
            continue
        ratio = ratio_of(label)
        # input / ratio = one / other, and |ln| of that grows with the larger over the smaller.
        one, other = width * ratio.denominator, height * ratio.numerator
        larger, smaller = max(one, other), min(one, other)
        if best is None or larger * best[2] < best[1] * smaller:
            best = label, larger, smaller
    if best is None:
        raise ValueError("no ratio is listed")
    return best[0]


def tier_size(ratio: str | Fraction, k: int, tiers: Tiers) -> Size:
    """Width and height at the area of (1024 k) squared: the sides at k = 1, rounded up to 16, times k."""
    shape = ratio_of(ratio) if isinstance(ratio, str) else ratio
    area = tiers.base**2
    return (
        k * _side_at_least(area * shape, tiers.round_to),
        k * _side_at_least(area / shape, tiers.round_to),
    )


def table_size(table: SizeTable, ratio: str, tier: str) -> Size:
    """The size that a model's own measured table gives: exact where it names the ratio, else by the long edge."""
    if ratio in table.exact:
        return table.exact[ratio][tier]
    shape, long = ratio_of(ratio), table.long_edge[tier]
    if shape >= 1:
        return long, _nearest_multiple(long / shape, table.round_to)
    return _nearest_multiple(long * shape, table.round_to), long


def expected_ratio(
    model: ModelSpec, tiers: Tiers, aspect_ratio: str, input_size: Size
) -> str | Fraction | None:
    """The ratio that the output is made for: a listed one, a free one, or None where the input's size is kept.

    ``aspect_ratio`` is a ratio that the model lists or ``auto``; ``input_size`` is the picture as displayed.
    """
    if model.constraints is None:
        raise ValueError(f"{model.id} is no edit model")
    if model.constraints.single_image_aspect_ratio is False:
        return None
    if aspect_ratio != AUTO:
        return aspect_ratio
    listed = model.constraints.aspect_ratios
    if any(label != AUTO for label in listed):
        return closest_ratio(listed, *input_size)
    narrowest, widest = Fraction(*tiers.free_ratio_min), Fraction(*tiers.free_ratio_max)
    return max(narrowest, min(widest, Fraction(*input_size)))


def expected_size(
    model: ModelSpec, tiers: Tiers, resolution: str, aspect_ratio: str, input_size: Size
) -> Size:
    """Width and height of the answer to a valid request; every default is already filled in.

    ``resolution`` is a key of ``tiers.factors``; the rest as for ``expected_ratio``. Raises ValueError for a model
    that cannot edit, KeyError for an unknown tier.
    """
    ratio = expected_ratio(model, tiers, aspect_ratio, input_size)
    if ratio is None:
        return input_size
    if model.sizes is not None and isinstance(ratio, str):
        return table_size(model.sizes, ratio, resolution)
    return tier_size(ratio, tiers.factors[resolution], tiers)


def ratio_within(width: int, height: int, ratio: str | Fraction, percent: int | Fraction) -> bool:
    """Whether width over height differs from ``ratio`` by at most ``percent`` of it."""
    shape = ratio_of(ratio) if isinstance(ratio, str) else ratio
    return abs(Fraction(width, height) - shape) <= shape * percent / 100


def area_within(width: int, height: int, k: int, tiers: Tiers, low: str = "0.3", high: str = "2.0") -> bool:
    """Whether width x height lies from ``low`` to ``high`` times (1024 k) squared; the factors are decimal texts."""
    area = (tiers.base * k) ** 2
    return Fraction(low) * area <= width * height <= Fraction(high) * area


def _side_at_least(square: Fraction, step: int) -> int:
    """The smallest multiple of ``step`` whose square is not below ``square``."""
    side = isqrt(int(square)) // step * step
    while side * side < square:
        side += step
    return side


def _nearest_multiple(value: Fraction, step: int) -> int:
    """The multiple of ``step`` next to ``value``; the upper one from halfway."""
    below = int(value) // step * step
    return below if value - below < Fraction(step, 2) else below + step
