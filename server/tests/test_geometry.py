"""Sizes and ratios: laws, and the sizes measured on the real server."""

from __future__ import annotations

import math
from fractions import Fraction

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from venice_mock.contract import load_contract
from venice_mock.edit.geometry import closest_ratio, parse_ratio, shape_output

CONTRACT = load_contract("2026-06-19")
RATIOS = [r for r in CONTRACT.edition.fields.aspect_ratios if r != "auto"]
MODELS = CONTRACT.inpaint_models
SIDES = st.integers(1, 8000)
INPUT_SIZES = st.tuples(SIDES, SIDES).filter(lambda s: 65_536 <= s[0] * s[1] <= 33_177_600)


def shape(model_id: str, tier: str, ratio: str, source: tuple[int, int] = (1024, 768)) -> tuple[int, int]:
    model = CONTRACT.model(model_id)
    assert model is not None
    return shape_output(model, CONTRACT.edition.tiers, tier, ratio, source).size


@pytest.mark.rules("EDIT-ASP-007")
@pytest.mark.parametrize(
    ("model", "tier", "ratio", "size"),
    [
        ("gpt-image-2-edit", "1K", "16:9", (1536, 864)),
        ("gpt-image-2-edit", "1K", "9:16", (864, 1536)),
        ("gpt-image-2-edit", "1K", "1:1", (1024, 1024)),
        ("gpt-image-2-edit", "2K", "1:1", (2048, 2048)),
        ("gpt-image-2-edit", "4K", "1:1", (2880, 2880)),
        ("gpt-image-2-edit", "4K", "16:9", (3840, 2160)),
        ("nano-banana-2-edit", "1K", "16:9", (1376, 768)),
        ("nano-banana-pro-edit", "1K", "9:16", (768, 1376)),
        ("nano-banana-pro-edit", "1K", "1:1", (1024, 1024)),
        ("nano-banana-2-edit", "1K", "4:5", (928, 1152)),
        ("nano-banana-2-edit", "4K", "16:9", (5504, 3072)),
    ],
)
def test_sizes_are_those_measured_on_the_real_server(
    model: str, tier: str, ratio: str, size: tuple[int, int]
) -> None:
    assert shape(model, tier, ratio) == size


@pytest.mark.rules("EDIT-ASP-005")
@given(st.sampled_from(RATIOS), st.integers(1, 400))
def test_an_input_exactly_at_a_listed_ratio_maps_to_it(label: str, factor: int) -> None:
    ratio = parse_ratio(label)
    assert closest_ratio((ratio.numerator * factor, ratio.denominator * factor), RATIOS) == label


@pytest.mark.rules("EDIT-ASP-005")
@given(INPUT_SIZES, st.integers(1, 50), st.sampled_from(MODELS))
def test_scaling_the_input_changes_nothing(source: tuple[int, int], factor: int, model: object) -> None:
    assert isinstance(model, type(MODELS[0]))
    tiers = CONTRACT.edition.tiers
    grown = (source[0] * factor, source[1] * factor)
    assert shape_output(model, tiers, "1K", "auto", source) == shape_output(model, tiers, "1K", "auto", grown)


@pytest.mark.rules("EDIT-ASP-005")
@given(st.integers(1, 4000), st.integers(1, 4000), st.integers(1, 4000))
def test_a_wider_input_never_gets_a_narrower_ratio(height: int, width: int, more: int) -> None:
    narrow = parse_ratio(closest_ratio((width, height), RATIOS))
    wide = parse_ratio(closest_ratio((width + more, height), RATIOS))
    assert wide >= narrow


@pytest.mark.rules("EDIT-ASP-004", "EDIT-ASP-006")
@given(INPUT_SIZES)
@example((64, 49))
@example((5, 4))
def test_auto_takes_the_ratio_at_the_smallest_logarithmic_distance(source: tuple[int, int]) -> None:
    chosen = parse_ratio(closest_ratio(source, RATIOS))
    given_ratio = source[0] / source[1]
    distances = {label: abs(math.log(given_ratio / float(parse_ratio(label)))) for label in RATIOS}
    best = min(distances.values())
    assert math.isclose(abs(math.log(given_ratio / float(chosen))), best, abs_tol=1e-9)


@pytest.mark.rules("EDIT-ASP-006")
def test_the_first_listed_ratio_wins_a_tie() -> None:
    # 2:3 and 3:2 lie equally far from a square.
    assert closest_ratio((500, 500), ["3:2", "2:3"]) == "3:2"
    assert closest_ratio((500, 500), ["2:3", "3:2"]) == "2:3"


@pytest.mark.rules("EDIT-ASP-007")
@given(st.sampled_from(MODELS), st.sampled_from(RATIOS), st.sampled_from(["1K", "2K", "4K"]))
def test_every_size_has_its_ratio_within_three_percent_and_sides_of_sixteen(
    model: object, label: str, tier: str
) -> None:
    assert isinstance(model, type(MODELS[0]))
    width, height = shape_output(model, CONTRACT.edition.tiers, tier, label, (1024, 768)).size
    ratio = float(parse_ratio(label))
    assert abs(width / height - ratio) / ratio <= 0.03
    assert width % 16 == height % 16 == 0
    area = (1024 * CONTRACT.edition.tiers.factors[tier]) ** 2
    assert 0.3 <= width * height / area <= 2.0


@pytest.mark.rules("EDIT-ASP-004")
@given(INPUT_SIZES)
def test_a_model_that_lists_only_auto_keeps_the_inputs_ratio_between_one_to_four_and_four_to_one(
    source: tuple[int, int],
) -> None:
    width, height = shape("wan-2-7-pro-edit", "1K", "auto", source)
    wanted = min(max(Fraction(*source), Fraction(1, 4)), Fraction(4, 1))
    assert abs(Fraction(width, height) / wanted - 1) < Fraction(4, 100)
    assert 1024 * 1024 <= width * height < 1024 * 1024 * 1.1


@pytest.mark.rules("EDIT-ASP-009")
@given(INPUT_SIZES, st.sampled_from(["auto", *RATIOS]))
def test_a_model_that_keeps_the_inputs_size_ignores_the_ratio(source: tuple[int, int], ratio: str) -> None:
    model = MODELS[0]
    assert model.constraints is not None
    kept = msgspec.structs.replace(
        model, constraints=msgspec.structs.replace(model.constraints, single_image_aspect_ratio=False)
    )
    assert shape_output(kept, CONTRACT.edition.tiers, "1K", ratio, source).size == source


@pytest.mark.rules("EDIT-RES-005")
@given(
    st.sampled_from([m for m in MODELS if m.constraints and len(m.constraints.resolutions) > 1]), INPUT_SIZES
)
def test_a_higher_tier_has_more_pixels(model: object, source: tuple[int, int]) -> None:
    assert isinstance(model, type(MODELS[0]))
    assert model.constraints is not None
    sizes = [
        shape_output(model, CONTRACT.edition.tiers, tier, "auto", source).size
        for tier in model.constraints.resolutions
    ]
    areas = [width * height for width, height in sizes]
    assert areas == sorted(set(areas))


@pytest.mark.parametrize(
    "text", ["", "16", "16:", ":9", "0:1", "1:0", "-1:2", "a:b", "1:2:3", "1.5:1", "٣:١"]
)
def test_what_is_no_ratio_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a ratio"):
        parse_ratio(text)
