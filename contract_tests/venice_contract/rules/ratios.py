"""Checks of the group ``aspect-ratio``: which ratios may be asked for, and which one the output has."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

from venice_contract.judging.check import check
from venice_contract.judging.expect import equal, expect
from venice_contract.judging.facts import Facts
from venice_contract.judging.probe import Probe
from venice_contract.pictures.sizes import AUTO, ratio_of, ratio_within
from venice_contract.pictures.strategies import plain_sizes
from venice_contract.rules.outputs import (
    PERCENT,
    edited_size,
    fields_for,
    free_models,
    has_ratio,
    inferring_models,
    limits_of,
    ratios_of,
    refusal,
    shaping_models,
    shown_size,
    some_inferring_model,
    spends_edits,
    usual_first,
)

# --- what may be asked for ------------------------------------------------------------------------------------


def _ratios_with_models(facts: Facts) -> list[list[str]]:
    """Every ratio of the schema with the cheapest model that lists it, as JSON and as a form."""
    models = shaping_models(facts)
    found = []
    for ratio in facts.edition.fields.aspect_ratios:
        model = next((m.id for m in models if ratio in limits_of(m).aspect_ratios), models[0].id)
        found += [[model, ratio, "json"], [model, ratio, "form"]]
    return found


@check("EDIT-ASP-001", witnesses=_ratios_with_models)
def a_listed_ratio_is_no_fault(probe: Probe, value: Sequence[str]) -> None:
    """With it a request is answered as without it, here with a picture that is too small."""
    model, ratio, encoding = value
    reply = refusal(probe, model, form=encoding == "form", aspect_ratio=ratio)
    told = reply.status if reply else 0
    expect(reply is None, f"{model} with aspect_ratio {ratio} ({encoding}) is answered {told}")


_NO_RATIOS = (
    "4:3", "5:4", "107:60", "16x9", " 16:9", "AUTO", "", 61, 1.78, "9:21", "16:9 ", "1:1:1", "16/9", "1.0",
    ["16:9"], {"width": 16, "height": 9}, True,
)  # fmt: skip


def _near_ratios(facts: Facts) -> st.SearchStrategy[Any]:
    """Quotients as a client might reduce them, listed ones in other spellings, and any text."""
    listed = facts.edition.fields.aspect_ratios
    sides = st.integers(1, 400)
    reduced = st.tuples(sides, sides).map(lambda size: str(Fraction(*size)).replace("/", ":"))
    plain = st.tuples(sides, sides).map(lambda size: f"{size[0]}:{size[1]}")
    spelt = st.tuples(st.sampled_from(listed), st.sampled_from(("{} ", " {}", "{}\n", "{}:1", "0{}", "{}.0")))
    return st.one_of(plain, reduced, spelt.map(lambda s: s[1].format(s[0])), st.text(max_size=8)).filter(
        lambda text: text not in listed
    )


@check("EDIT-ASP-002", witnesses=_NO_RATIOS, strategy=_near_ratios)
def any_other_ratio_is_refused(probe: Probe, ratio: Any) -> None:
    """400 for whatever is not in the list, in a request that is good otherwise."""
    probe.refused(probe.edit(probe.good(aspect_ratio=ratio)))


def _unlisted(facts: Facts) -> list[list[str]]:
    """Every [model, ratio] of the schema that the model does not list: one of each model, then the others."""
    pairs = [
        [model.id, ratio]
        for model in shaping_models(facts)
        for ratio in facts.edition.fields.aspect_ratios
        if ratio not in (AUTO, *limits_of(model).aspect_ratios)
    ]
    first = {model: [model, ratio] for model, ratio in reversed(pairs)}
    front = sorted(first.values(), key=lambda pair: bool(ratios_of(facts.model(pair[0]))))
    return [*front, *(pair for pair in pairs if pair not in front)]


@check("EDIT-ASP-008", witnesses=_unlisted)
def a_ratio_that_the_model_lacks_is_refused(probe: Probe, value: Sequence[str]) -> None:
    """400, although the schema knows the ratio."""
    model, ratio = value
    probe.refused(probe.edit(probe.good(**fields_for(probe.facts, model, aspect_ratio=ratio))))


def _models_without_auto_first(facts: Facts) -> list[str]:
    return sorted((m.id for m in facts.models), key=lambda m: AUTO in limits_of(facts.model(m)).aspect_ratios)


@check("EDIT-ASP-010", witnesses=_models_without_auto_first)
def every_model_takes_auto(probe: Probe, model: str) -> None:
    """With it a request is answered as with a ratio that the model lists, here with a picture that is too small."""
    listed = limits_of(probe.facts.model(model)).aspect_ratios
    reply = refusal(probe, model, beside={"aspect_ratio": listed[-1]}, aspect_ratio=AUTO)
    expect(reply is None, f"{model} with aspect_ratio auto is answered {reply.status if reply else 0}")


# --- what comes out -------------------------------------------------------------------------------------------


def _across(ratio: str) -> list[int]:
    """A size that stands where the ratio lies, and lies where it stands."""
    return [300, 500] if ratio_of(ratio) > 1 else [500, 300]


@check(
    "EDIT-ASP-007",
    witnesses=lambda facts: [
        [model, ratio, _across(ratio)]
        for number, model in enumerate(inferring_models(facts))
        for ratio in sorted(ratios_of(facts.model(model)), key=usual_first)[:: 1 if number == 0 else 4]
    ],
    strategy=lambda facts: some_inferring_model(facts).flatmap(
        lambda model: st.tuples(
            st.just(model),
            st.sampled_from(ratios_of(facts.model(model))),
            plain_sizes(facts.edition.limits),
        )
    ),
    spends=spends_edits(1),
)
def an_explicit_ratio_is_obeyed(probe: Probe, value: Sequence[Any]) -> None:
    """Width by height within 3 percent of it, whatever the input's shape."""
    model, ratio, size = value
    found = edited_size(probe, model, size, aspect_ratio=ratio)
    has_ratio(found, ratio, f"{model} made of {shown_size(size)} at {ratio}")


@check(
    "EDIT-ASP-007",
    witnesses=lambda facts: [[inferring_models(facts)[0], "16:9", [300, 400]]],
    spends=spends_edits(2),
)
def a_form_gives_the_same_shape(probe: Probe, value: Sequence[Any]) -> None:
    """JSON and a form with the same fields give one size."""
    model, ratio, size = value
    in_json = edited_size(probe, model, size, aspect_ratio=ratio)
    in_form = edited_size(probe, model, size, form=True, aspect_ratio=ratio)
    equal(shown_size(in_form), shown_size(in_json), f"the output of a form at {ratio}")


# --- models that do not choose from a list --------------------------------------------------------------------


def _keeping(facts: Facts) -> list[list[Any]]:
    """[model, ratio, size] for the models that keep the input's size; where none does, for one made so."""
    keeping = [m.id for m in facts.models if limits_of(m).single_image_aspect_ratio is False]
    cases: list[tuple[str, list[int]]] = [("16:9", [300, 400]), (AUTO, [257, 601]), ("1:1", [1001, 333])]
    return [[m, ratio, size] for m in keeping or [facts.cheapest().id] for ratio, size in cases]


@check(
    "EDIT-ASP-009",
    witnesses=_keeping,
    strategy=lambda facts: st.tuples(
        st.sampled_from([case[0] for case in _keeping(facts)]),
        st.sampled_from(facts.edition.fields.aspect_ratios),
        plain_sizes(facts.edition.limits),
    ),
    spends=spends_edits(1),
)
def some_models_keep_the_inputs_size(probe: Probe, value: Sequence[Any]) -> None:
    """Whatever ratio is asked for; where the catalogue has no such model, a mock is given one."""
    model, ratio, size = value
    keeps = limits_of(probe.facts.model(model)).single_image_aspect_ratio is False
    asked = probe if keeps else keeping_size(probe, model)
    found = edited_size(asked, model, size, aspect_ratio=ratio)
    equal(shown_size(found), shown_size(size), f"the output of {shown_size(size)} at {ratio}")


def keeping_size(probe: Probe, model: str) -> Probe:
    """A session of the mock in which that model keeps the input's size and lists one ratio. Raises NotApplicable."""
    changed = {"single_image_aspect_ratio": False, "aspect_ratios": [AUTO, "1:1"]}
    return probe.session(models={model: {"constraints": changed}})


_FREE_SIZES = ([500, 300], [331, 467], [4096, 20], [20, 4096], [512, 128], [514, 128], [128, 514], [640, 490])


@check(
    "EDIT-ASP-011",
    witnesses=lambda facts: [
        *([model, size, "1K"] for model in free_models(facts) for size in _FREE_SIZES),
        *([model, [500, 300], "2K"] for model in free_models(facts)),
    ],
    strategy=lambda facts: st.tuples(
        st.sampled_from(free_models(facts)),
        st.one_of(plain_sizes(facts.edition.limits), st.sampled_from(_FREE_SIZES)),
        st.just("1K"),
    ),
)
def a_model_without_a_list_keeps_the_inputs_ratio(probe: Probe, value: Sequence[Any]) -> None:
    """Held between 1:4 and 4:1, at the area of the tier."""
    model, size, tier = value
    tiers = probe.facts.edition.tiers
    shape = max(Fraction(*tiers.free_ratio_min), min(Fraction(*tiers.free_ratio_max), Fraction(*size)))
    found = edited_size(probe, model, size, resolution=tier, aspect_ratio=AUTO)
    what = f"the picture that {model} made of {shown_size(size)} at {tier}"
    expect(
        ratio_within(*found, shape, PERCENT),
        f"{what} is {shown_size(found)}, expected about {float(shape):.3f}:1",
    )
    area = (tiers.base * tiers.factors[tier]) ** 2
    expect(
        abs(found[0] * found[1] - area) * 20 <= area,
        f"{what} has {found[0] * found[1]} pixels, expected about {area}",
    )
