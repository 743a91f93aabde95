"""Checks of the group ``aspect-ratio``: what auto makes of an input, the laws of that, and exact sizes."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

from venice_contract.judging.check import check
from venice_contract.judging.expect import NotApplicable, equal, expect
from venice_contract.judging.facts import Facts
from venice_contract.judging.probe import Probe
from venice_contract.pictures.recipe import Picture
from venice_contract.pictures.sizes import AUTO, closest_ratio, expected_size, ratio_of, ratio_within
from venice_contract.pictures.strategies import plain_sizes, sizes_at, sizes_between, sizes_near
from venice_contract.rules.outputs import (
    PERCENT,
    edited_size,
    fields_for,
    free_models,
    has_ratio,
    inferring_models,
    limits_of,
    ratios_of,
    shaping_models,
    shown_size,
    size_of,
    some_inferring_model,
    spends_edits,
    usual_first,
)

# --- auto -----------------------------------------------------------------------------------------------------


def _sizes_at_borders(facts: Facts) -> st.SearchStrategy[tuple[Any, ...]]:
    """(model, size): at the borders between ratios of the model's list, near its ratios, and anywhere."""
    limits = facts.edition.limits

    def sizes(model: str) -> st.SearchStrategy[tuple[Any, ...]]:
        listed = ratios_of(facts.model(model))
        drawn = [plain_sizes(limits), st.sampled_from(listed).flatmap(lambda r: sizes_near(r, limits))]
        if len({ratio_of(label) for label in listed}) > 1:
            drawn.insert(0, sizes_between(listed, limits))
        return st.tuples(st.just(model), st.one_of(drawn))

    return some_inferring_model(facts).flatmap(sizes)


@check(
    "EDIT-ASP-003",
    witnesses=lambda facts: [
        [model, size]
        for model in [*inferring_models(facts), *(m.id for m in facts.models if not ratios_of(m))]
        for size in ([640, 360], [300, 400], [494, 400])
    ],
    strategy=_sizes_at_borders,
    spends=spends_edits(2),
)
def leaving_the_ratio_out_is_auto(probe: Probe, value: Sequence[Any]) -> None:
    """Both requests give one size."""
    model, size = value
    asked = edited_size(probe, model, size, aspect_ratio=AUTO)
    left_out = edited_size(probe, model, size)
    equal(shown_size(left_out), shown_size(asked), f"the output of {shown_size(size)} without aspect_ratio")


def _near_listed(facts: Facts) -> list[list[Any]]:
    """[model, size]: for the first model a size a little off every ratio, for the others one off some."""
    found = []
    for number, model in enumerate(inferring_models(facts)):
        listed = ratios_of(facts.model(model))
        for ratio in sorted(listed, key=usual_first) if number == 0 else listed[:: len(listed) - 1 or 1]:
            found.append([model, _size_near(ratio)])
    return found


def _size_near(ratio: str) -> list[int]:
    """About 160,000 pixels, one column wider than the ratio."""
    shape, factor = ratio_of(ratio), 1
    while (factor * factor) * shape.numerator * shape.denominator < 160_000:
        factor += 1
    return [factor * shape.numerator + 1, factor * shape.denominator]


def _sizes_near_listed(facts: Facts) -> st.SearchStrategy[tuple[Any, ...]]:
    limits = facts.edition.limits
    return some_inferring_model(facts).flatmap(
        lambda model: st.tuples(
            st.just(model),
            st.sampled_from(ratios_of(facts.model(model))).flatmap(lambda ratio: sizes_near(ratio, limits)),
        )
    )


@check("EDIT-ASP-004", witnesses=_near_listed, strategy=_sizes_near_listed, spends=spends_edits(1))
def auto_takes_the_closest_ratio(probe: Probe, value: Sequence[Any]) -> None:
    """Seen with sizes so near a listed ratio that every measure agrees."""
    model, size = value
    wanted = closest_ratio(ratios_of(probe.facts.model(model)), *size)
    has_ratio(
        edited_size(probe, model, size, aspect_ratio=AUTO), wanted, f"{model} made of {shown_size(size)}"
    )


@check(
    "EDIT-ASP-004",
    witnesses=lambda facts: [[inferring_models(facts)[0], side] for side in (6, 8, 5, 7)],
    spends=spends_edits(1),
)
def a_turned_picture_counts_as_it_is_shown(probe: Probe, value: Sequence[Any]) -> None:
    """EXIF orientations that swap the sides, on the mock; another server's way is for a rule of its own."""
    if not probe.steerable:
        raise NotApplicable("whether EXIF counts is promised of the mock alone")
    model, orientation = value
    picture = Picture(640, 360, format="jpeg", orientation=orientation)
    wanted = closest_ratio(ratios_of(probe.facts.model(model)), *picture.displayed)
    fields = fields_for(probe.facts, model, image=picture, aspect_ratio=AUTO)
    reply = probe.succeeds(probe.edit(probe.good(**fields)))
    has_ratio(size_of(reply), wanted, f"{model} made of 640x360 with orientation {orientation}")


# --- laws -----------------------------------------------------------------------------------------------------


@check(
    "EDIT-ASP-005",
    witnesses=lambda facts: [
        [inferring_models(facts)[0], [480, 270]],
        *([model, [400, 600]] for model in inferring_models(facts)[1:] if _lists(facts, model, "2:3")),
    ],
    strategy=lambda facts: some_inferring_model(facts).flatmap(
        lambda model: st.tuples(
            st.just(model),
            st.sampled_from(ratios_of(facts.model(model))).flatmap(
                lambda ratio: sizes_at(ratio, facts.edition.limits)
            ),
        )
    ),
    spends=spends_edits(1),
)
def an_input_of_a_listed_ratio_keeps_it(probe: Probe, value: Sequence[Any]) -> None:
    """The output is of the input's own shape, but for rounding."""
    model, size = value
    found = edited_size(probe, model, size, aspect_ratio=AUTO)
    expect(
        ratio_within(*found, Fraction(*size), PERCENT),
        f"{model} made {shown_size(found)} of {shown_size(size)}, whose ratio it lists",
    )


def _lists(facts: Facts, model: str, ratio: str) -> bool:
    return ratio in ratios_of(facts.model(model))


@check(
    "EDIT-ASP-005",
    witnesses=lambda facts: [[model, [370, 300], 2] for model in inferring_models(facts)],
    strategy=lambda facts: st.tuples(_sizes_at_borders(facts), st.integers(2, 3)).map(
        lambda drawn: (*drawn[0], drawn[1])
    ),
    spends=spends_edits(2),
)
def scaling_both_sides_changes_nothing(probe: Probe, value: Sequence[Any]) -> None:
    """A picture and one that is so many times as large give one size."""
    model, size, factor = value
    small = edited_size(probe, model, size, aspect_ratio=AUTO)
    larger = [factor * side for side in size]
    large = edited_size(probe, model, larger, aspect_ratio=AUTO)
    equal(
        shown_size(large),
        shown_size(small),
        f"the output of {shown_size(larger)} instead of {shown_size(size)}",
    )


@check(
    "EDIT-ASP-005",
    witnesses=lambda facts: [
        [model, narrow, wide]
        for model in inferring_models(facts)
        for narrow, wide in (([400, 400], [520, 400]), ([300, 500], [360, 500]), ([640, 360], [840, 360]))
    ],
    strategy=lambda facts: st.tuples(_sizes_at_borders(facts), st.integers(1, 200), st.integers(1, 200)).map(
        lambda drawn: (drawn[0][0], drawn[0][1], (drawn[0][1][0] + drawn[1], drawn[0][1][1]))
    ),
    spends=spends_edits(2),
)
def a_wider_input_never_gets_a_narrower_ratio(probe: Probe, value: Sequence[Any]) -> None:
    """Of two inputs as high the wider one's output is not narrower, but for rounding."""
    model, narrow, wide = value
    first, second = (edited_size(probe, model, size, aspect_ratio=AUTO) for size in (narrow, wide))
    expect(
        Fraction(*second) * (100 + PERCENT) >= Fraction(*first) * 100,
        f"{model} made {shown_size(first)} of {shown_size(narrow)}, but {shown_size(second)} of {shown_size(wide)}",
    )


@check(
    "EDIT-ASP-006",
    witnesses=lambda facts: [[model, [494, 400]] for model in inferring_models(facts)],
    strategy=_sizes_at_borders,
    spends=spends_edits(1),
)
def between_two_ratios_the_logarithm_decides(probe: Probe, value: Sequence[Any]) -> None:
    """On the mock; how another server decides is noted."""
    model, size = value
    listed = ratios_of(probe.facts.model(model))
    found = edited_size(probe, model, size, aspect_ratio=AUTO)
    seen, by_logarithm = closest_ratio(listed, *found), closest_ratio(listed, *size)
    by_difference = min(listed, key=lambda label: abs(Fraction(*size) - ratio_of(label)))
    if by_logarithm != by_difference:
        probe.note(
            f"of {shown_size(size)} {model} makes {seen}; by logarithm {by_logarithm}, by difference {by_difference}"
        )
    if probe.steerable:
        equal(seen, by_logarithm, f"the ratio made of {shown_size(size)}")


# --- exact numbers --------------------------------------------------------------------------------------------


def _awkward(facts: Facts) -> list[list[Any]]:
    """[model, size, fields]: where a float slips, where a tie is near, and each way in which a size is found."""
    free, inferring = free_models(facts), inferring_models(facts)
    tabled = [m.id for m in facts.models if m.sizes is not None]
    found: list[list[Any]] = [[m, size, {}] for m in free for size in ([640, 490], [490, 640], [450, 512])]
    found += [[m, size, {}] for m in inferring for size in ([494, 400], [400, 494], [816, 400])]
    for model in [*inferring[:1], *tabled]:
        found += [[model, [300, 300], {"aspect_ratio": r}] for r in ratios_of(facts.model(model))]
    for spec in shaping_models(facts):
        for tier in limits_of(spec).resolutions:
            found.append([spec.id, [480, 270], {"resolution": tier}])
    return found


def _exact_spaces(facts: Facts) -> st.SearchStrategy[tuple[Any, ...]]:
    """Sides that are squares, whose roots are whole numbers, on free models; borders on the others."""
    squares = st.tuples(st.integers(14, 32), st.integers(14, 32), st.integers(1, 2))
    sizes = squares.map(lambda drawn: (drawn[0] ** 2 * drawn[2], drawn[1] ** 2 * drawn[2]))
    large = sizes.filter(lambda size: size[0] * size[1] >= facts.edition.limits.min_pixels)
    listed = _sizes_at_borders(facts).map(lambda drawn: (*drawn, {}))
    free = free_models(facts)
    return st.one_of(st.tuples(st.sampled_from(free), large, st.just({})), listed) if free else listed


@check("EDIT-ASP-012", witnesses=_awkward, strategy=_exact_spaces)
def sizes_are_exact(probe: Probe, value: Sequence[Any]) -> None:
    """The mock's size is the one that whole numbers give."""
    model, size, more = value
    facts = probe.facts
    tier = more.get(
        "resolution", fields_for(facts, model).get("resolution", facts.edition.fields.default_resolution)
    )
    ratio = more.get("aspect_ratio", AUTO)
    wanted = expected_size(facts.model(model), facts.edition.tiers, tier, ratio, (size[0], size[1]))
    found = edited_size(probe, model, size, **{"aspect_ratio": ratio} | more)
    equal(shown_size(found), shown_size(wanted), f"the output of {model} at {tier} from {shown_size(size)}")


@check(
    "EDIT-ASP-012",
    witnesses=(
        ["1:1", "16:9", [400, 300]],
        ["16:9", "1:1", [400, 300]],
        ["9:16", "1:1", [300, 400]],
        ["2:3", "3:2", [300, 300]],
        ["3:2", "2:3", [300, 300]],
    ),
)
def a_tie_is_a_tie(probe: Probe, value: Sequence[Any]) -> None:
    """An input as far from one ratio as from the other gets the one that is listed first."""
    first, second, size = value
    model = shaping_models(probe.facts)[0].id
    changed = probe.session(models={model: {"constraints": {"aspect_ratios": [first, second]}}})
    has_ratio(
        edited_size(changed, model, size, aspect_ratio=AUTO),
        first,
        f"{model}, listing {first} and {second}, made",
    )
