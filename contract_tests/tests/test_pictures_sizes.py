"""The suite's size oracle: against measured sizes, against exact logarithms, and against the mock it must not copy."""

from __future__ import annotations

from decimal import Decimal, getcontext
from fractions import Fraction

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from venice_contract.pictures.sizes import (
    area_within,
    closest_ratio,
    expected_ratio,
    expected_size,
    ratio_of,
    ratio_within,
    table_size,
    tier_size,
)
from venice_mock.contract import Edition, ModelSpec, available_editions, load_edition
from venice_mock.edit import geometry

EDITIONS: dict[str, Edition] = {name: load_edition(name) for name in available_editions()}
JUNE, AUGUST = EDITIONS["2026-06-19"], EDITIONS["2026-08-22"]
MODELS: list[tuple[Edition, ModelSpec]] = [
    (edition, model)
    for edition in EDITIONS.values()
    for model in edition.models
    if model.constraints is not None
]
SIDES = st.integers(1, 70_000)


def model(edition: Edition, name: str) -> ModelSpec:
    return next(found for found in edition.models if found.id == name)


@pytest.mark.parametrize(
    ("edition", "name", "ratio", "tier", "size"),
    [
        (JUNE, "gpt-image-2-edit", "16:9", "1K", (1536, 864)),
        (JUNE, "gpt-image-2-edit", "9:16", "1K", (864, 1536)),
        (JUNE, "gpt-image-2-edit", "1:1", "4K", (2880, 2880)),
        (JUNE, "nano-banana-2-edit", "16:9", "1K", (1376, 768)),
        (AUGUST, "seedream-v5-pro-edit", "16:9", "1K", (1376, 768)),
        (JUNE, "nano-banana-pro-edit", "9:16", "1K", (768, 1376)),
        (JUNE, "nano-banana-pro-edit", "1:1", "1K", (1024, 1024)),
        (JUNE, "nano-banana-pro-edit", "4:5", "1K", (928, 1152)),
        (JUNE, "nano-banana-pro-edit", "4:5", "4K", (3712, 4608)),
    ],
)
def test_the_measured_sizes_come_out(
    edition: Edition, name: str, ratio: str, tier: str, size: tuple[int, int]
) -> None:
    assert expected_size(model(edition, name), edition.tiers, tier, ratio, (320, 256)) == size


def test_a_model_that_keeps_the_inputs_size_pays_no_heed_to_the_ratio() -> None:
    keeping = model(AUGUST, "luma-uni-1-edit")
    assert expected_size(keeping, AUGUST.tiers, "1K", "16:9", (321, 257)) == (321, 257)
    assert expected_ratio(keeping, AUGUST.tiers, "16:9", (321, 257)) is None


@pytest.mark.parametrize(
    ("given_size", "ratio"),
    [((10_000, 100), Fraction(4)), ((100, 10_000), Fraction(1, 4)), ((321, 257), Fraction(321, 257))],
)
def test_a_list_of_only_auto_keeps_the_inputs_ratio_from_a_quarter_to_four(
    given_size: tuple[int, int], ratio: Fraction
) -> None:
    wan = model(JUNE, "wan-2-7-pro-edit")
    assert expected_ratio(wan, JUNE.tiers, "auto", given_size) == ratio
    assert expected_size(wan, JUNE.tiers, "2K", "auto", given_size) == tier_size(ratio, 2, JUNE.tiers)


def test_a_ratio_whose_side_is_a_whole_step_is_not_rounded_up() -> None:
    # sqrt(1024 ** 2 * 64 / 49) is not whole, and its reciprocal side is exactly 896.
    assert tier_size("64:49", 1, JUNE.tiers) == (1184, 896)


def test_the_border_between_neighbours_is_their_geometric_mean() -> None:
    listed = ["auto", "1:1", "4:1"]  # it is 2
    assert closest_ratio(listed, 1999, 1000) == "1:1"
    assert closest_ratio(listed, 2001, 1000) == "4:1"


def test_a_tie_goes_to_the_earlier_one_listed() -> None:
    assert closest_ratio(["1:1", "4:1"], 2000, 1000) == "1:1"
    assert closest_ratio(["4:1", "1:1"], 2000, 1000) == "4:1"
    assert closest_ratio(["2:1", "4:2"], 2000, 1000) == "2:1"


def test_a_list_without_a_ratio_has_no_closest() -> None:
    with pytest.raises(ValueError, match="no ratio is listed"):
        closest_ratio(["auto"], 1, 1)


@pytest.mark.parametrize(
    "label", ["auto", "16x9", "16:9:1", "0:1", "1:0", "-1:1", " 1:1", "", "1.5:1", "²:1"]
)
def test_what_is_no_ratio_is_refused(label: str) -> None:
    with pytest.raises(ValueError, match="is not a ratio"):
        ratio_of(label)


@given(st.data(), SIDES, SIDES)
def test_closeness_agrees_with_logarithms_of_fifty_digits(
    data: st.DataObject, width: int, height: int
) -> None:
    listed = data.draw(
        st.sampled_from(sorted({m.constraints.aspect_ratios for _, m in MODELS if m.constraints}))
    )
    labels = [label for label in listed if label != "auto"]
    if not labels:
        return
    getcontext().prec = 50
    shape = (Decimal(width) / Decimal(height)).ln()

    def distance(label: str) -> Decimal:
        ratio = ratio_of(label)
        return abs(shape - (Decimal(ratio.numerator) / Decimal(ratio.denominator)).ln())

    chosen = closest_ratio(listed, width, height)
    assert distance(chosen) <= min(map(distance, labels)) + Decimal("1e-40")


@given(SIDES, SIDES, st.integers(1, 500))
def test_scaling_an_input_changes_nothing(width: int, height: int, factor: int) -> None:
    listed = JUNE.fields.aspect_ratios
    assert closest_ratio(listed, width, height) == closest_ratio(listed, width * factor, height * factor)


@given(st.sampled_from(JUNE.fields.aspect_ratios[1:]), st.integers(1, 5000))
def test_an_input_at_a_listed_ratio_keeps_it(label: str, factor: int) -> None:
    ratio = ratio_of(label)
    assert (
        closest_ratio(JUNE.fields.aspect_ratios, ratio.numerator * factor, ratio.denominator * factor)
        == label
    )


@given(st.fractions(Fraction(1, 50), Fraction(50)).filter(bool), st.integers(1, 4))
def test_a_tiers_sides_are_the_least_steps_that_reach_the_area(ratio: Fraction, k: int) -> None:
    width, height = tier_size(ratio, k, JUNE.tiers)
    assert width % (16 * k) == height % (16 * k) == 0
    w, h = width // k, height // k
    assert (w - 16) ** 2 < 1024**2 * ratio <= w**2
    assert (h - 16) ** 2 < 1024**2 / ratio <= h**2


@given(st.sampled_from(JUNE.fields.aspect_ratios[1:]), st.sampled_from([1, 2, 4]))
def test_expected_sizes_pass_the_tolerance_for_foreign_servers(label: str, k: int) -> None:
    width, height = tier_size(label, k, JUNE.tiers)
    assert ratio_within(width, height, label, 3)
    assert area_within(width, height, k, JUNE.tiers)


def test_tolerances_are_exact_at_their_edges() -> None:
    assert ratio_within(103, 100, "1:1", 3)
    assert ratio_within(97, 100, "1:1", 3)
    assert not ratio_within(1031, 1000, "1:1", 3)
    assert not ratio_within(969, 1000, "1:1", 3)
    assert area_within(2048, 1024, 1, JUNE.tiers)
    assert not area_within(2049, 1024, 1, JUNE.tiers)
    assert not area_within(1024, 307, 1, JUNE.tiers)
    assert area_within(1024, 308, 1, JUNE.tiers)


@pytest.mark.parametrize(("edition", "spec"), MODELS, ids=[f"{e.edition}-{m.id}" for e, m in MODELS])
@settings(max_examples=60)
@given(data=st.data(), width=SIDES, height=SIDES)
@example(data=None, width=64, height=49)
def test_the_mock_agrees_for_every_model_tier_and_ratio(
    edition: Edition, spec: ModelSpec, data: st.DataObject | None, width: int, height: int
) -> None:
    assert spec.constraints is not None
    tiers = spec.constraints.resolutions or (edition.fields.default_resolution,)
    ratios = ("auto", *spec.constraints.aspect_ratios)
    tier = tiers[0] if data is None else data.draw(st.sampled_from(tiers))
    ratio = "auto" if data is None else data.draw(st.sampled_from(ratios))
    mock = geometry.shape_output(spec, edition.tiers, tier, ratio, (width, height))
    assert expected_size(spec, edition.tiers, tier, ratio, (width, height)) == mock.size


@given(st.lists(st.tuples(st.integers(1, 60), st.integers(1, 60)), min_size=1, max_size=6), SIDES, SIDES)
def test_the_mock_agrees_about_closeness_in_any_list(
    listed: list[tuple[int, int]], width: int, height: int
) -> None:
    labels = [f"{a}:{b}" for a, b in listed]
    assert closest_ratio(labels, width, height) == geometry.closest_ratio((width, height), labels)


def test_no_size_of_a_measured_table_lies_halfway_between_two_steps() -> None:
    # How the vendor rounds there is unknown, so the oracle's choice must not matter.
    for edition, spec in MODELS:
        if spec.sizes is None or spec.constraints is None:
            continue
        for label in (label for label in edition.fields.aspect_ratios if label != "auto"):
            for tier, long in spec.sizes.long_edge.items():
                if label in spec.sizes.exact:
                    continue
                short = long * min(ratio_of(label), 1 / ratio_of(label))
                assert short % spec.sizes.round_to != Fraction(spec.sizes.round_to, 2)
                assert max(table_size(spec.sizes, label, tier)) == long
