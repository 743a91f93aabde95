"""What is drawn: sizes at the limits, recipes that can be built, prompts without listed words, requests with one fault.

The mock's validator is the judge of valid and faulty here, so the suite's idea of a fault is not its own invention.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

from venice_contract.pictures.build import build
from venice_contract.pictures.look import NotAPicture, decode, probe_image
from venice_contract.pictures.prompts import (
    harmless,
    plain_prompts,
    prompts,
    prompts_around,
    prompts_of_length,
    utf16_length,
)
from venice_contract.pictures.recipe import MODES, Picture
from venice_contract.pictures.requests import KINDS, OneFault, edit_models, faulty_requests, valid_requests
from venice_contract.pictures.sizes import closest_ratio, ratio_of
from venice_contract.pictures.strategies import (
    Sizes,
    broken_pictures,
    cheap_pictures,
    largest_sizes,
    lying_pictures,
    plain_sizes,
    sizes_at,
    sizes_between,
    sizes_just_too_large,
    sizes_just_too_small,
    sizes_near,
    smallest_sizes,
    sound_pictures,
)
from venice_mock.contract import Contract, Edition, load_contract
from venice_mock.edit.fields import Text
from venice_mock.edit.safety import classify
from venice_mock.edit.validation import validate
from venice_mock.errors import ApiError

CONTRACTS: dict[str, Contract] = {
    name: load_contract(name, "documented") for name in ("2026-06-19", "2026-08-22")
}
JUNE = CONTRACTS["2026-06-19"].edition
LIMITS, WORDS = JUNE.limits, JUNE.words
RATIOS = [ratio for ratio in JUNE.fields.aspect_ratios if ratio != "auto"]
# Without the phase in which Hypothesis varies what it found, after which ``find`` returns such a variation.
SMALLEST = settings(max_examples=2000, database=None, phases=(Phase.generate, Phase.shrink))
# That something is drawn at all: the first will do, and need not be made small.
DRAWN = settings(max_examples=3000, database=None, phases=(Phase.generate,))
EACH_EDITION = pytest.mark.parametrize("contract", CONTRACTS.values(), ids=list(CONTRACTS))


# --- sizes -------------------------------------------------------------------------------------------------

EDGES: list[tuple[Sizes, Callable[[int, int], bool]]] = [
    (sizes_just_too_small(LIMITS), lambda w, h: w * h <= 65_535 < w * h + max(w, h)),
    (smallest_sizes(LIMITS), lambda w, h: w * h >= 65_536 > (w * (h - 1))),
    (largest_sizes(LIMITS), lambda w, h: w * h <= 33_177_600 < w * (h + 1)),
    (sizes_just_too_large(LIMITS), lambda w, h: w * h >= 33_177_601 > w * (h - 1)),
]


@pytest.mark.parametrize(("sizes", "at_edge"), EDGES, ids=["too small", "smallest", "largest", "too large"])
@given(data=st.data())
def test_sizes_at_an_edge_are_next_to_it_on_the_right_side(
    data: st.DataObject, sizes: Sizes, at_edge: Callable[[int, int], bool]
) -> None:
    width, height = data.draw(sizes)
    assert at_edge(width, height)
    assert min(width, height) >= 1
    assert max(width, height) <= 65_535


@pytest.mark.parametrize(
    ("sizes", "size"),
    [
        (smallest_sizes(LIMITS), (256, 256)),
        (largest_sizes(LIMITS), (5760, 5760)),
        (sizes_just_too_small(LIMITS), (255, 257)),
        (sizes_just_too_large(LIMITS), (5761, 5760)),
    ],
)
def test_sizes_at_an_edge_shrink_to_a_plain_shape(sizes: Sizes, size: tuple[int, int]) -> None:
    assert find(sizes, lambda found: found[0] > 0, settings=SMALLEST) == size


@pytest.mark.parametrize(
    "sizes", [smallest_sizes(LIMITS), largest_sizes(LIMITS), sizes_just_too_small(LIMITS)]
)
def test_sizes_at_an_edge_reach_extreme_shapes_both_ways(sizes: Sizes) -> None:
    find(sizes, lambda size: size[0] > 20 * size[1])
    find(sizes, lambda size: size[1] > 20 * size[0])


@given(plain_sizes(LIMITS))
def test_plain_sizes_are_accepted_and_cheap(size: tuple[int, int]) -> None:
    assert 65_536 <= size[0] * size[1] <= 4 * 65_536
    assert max(size) <= 4 * min(size)


@given(st.sampled_from([*RATIOS, "4:1", "1:4", "64:49", "107:60"]), st.data())
def test_sizes_near_and_at_a_ratio_have_it(ratio: str, data: st.DataObject) -> None:
    width, height = data.draw(sizes_at(ratio, LIMITS))
    assert Fraction(width, height) == ratio_of(ratio)
    assert LIMITS.min_pixels <= width * height <= LIMITS.max_pixels
    width, height = data.draw(sizes_near(ratio, LIMITS))
    assert abs(Fraction(width, height) / ratio_of(ratio) - 1) < Fraction(1, 20)
    assert LIMITS.min_pixels <= width * height <= LIMITS.max_pixels


@given(sizes_between(RATIOS, LIMITS))
def test_sizes_between_neighbours_are_a_few_pixels_from_another_choice(size: tuple[int, int]) -> None:
    width, height = size
    assert LIMITS.min_pixels <= width * height <= LIMITS.max_pixels
    chosen = {closest_ratio(RATIOS, width + off, height) for off in range(-4, 5)}
    assert len(chosen) == 2


def test_a_list_of_one_ratio_has_no_border() -> None:
    with pytest.raises(ValueError, match="no border"):
        sizes_between(["auto", "1:1"], LIMITS)


# --- pictures ----------------------------------------------------------------------------------------------


@given(cheap_pictures(st.one_of(largest_sizes(LIMITS), smallest_sizes(LIMITS), sizes_just_too_large(LIMITS))))
@settings(max_examples=40, deadline=None)
def test_cheap_pictures_are_small_at_any_edge(picture: Picture) -> None:
    data = build(picture)
    assert len(data) < 200_000
    assert probe_image(data).size == picture.stored


@given(sound_pictures(plain_sizes(LIMITS), formats=sorted(MODES), turned=True, said=True))
@settings(deadline=None)
def test_sound_pictures_can_be_built_and_read(picture: Picture) -> None:
    image = decode(build(picture))
    stored = picture.displayed if picture.format == "tiff" else picture.stored
    assert image.size == stored
    assert picture.readable
    assert not picture.adult
    assert Picture.from_json(json.loads(json.dumps(picture.to_json()))) == picture


@given(broken_pictures(plain_sizes(LIMITS), formats=sorted(MODES)))
@settings(deadline=None)
def test_broken_pictures_can_be_built_and_not_read(picture: Picture) -> None:
    with pytest.raises(NotAPicture):
        decode(build(picture))
    assert Picture.from_json(json.loads(json.dumps(picture.to_json()))) == picture


@given(
    lying_pictures(st.one_of(st.just((50_000, 50_000)), sizes_just_too_small(LIMITS), st.just((70_000, 9))))
)
@settings(deadline=None)
def test_lying_pictures_claim_what_was_drawn(picture: Picture) -> None:
    assert probe_image(build(picture)).size == picture.claimed


def test_pictures_shrink_to_a_plain_png() -> None:
    simplest = find(sound_pictures(plain_sizes(LIMITS)), lambda picture: picture.width > 0, settings=SMALLEST)
    assert replace(simplest, pattern="gradient", mode="RGB") == Picture(256, 256)


@pytest.mark.parametrize(
    "wanted",
    [
        lambda picture: picture.mode == "CMYK",
        lambda picture: picture.variant == "interlaced",
        lambda picture: picture.mode == "P+transparency",
        lambda picture: picture.orientation == 6 and picture.format == "webp",
        lambda picture: picture.defect == "polyglot",
        lambda picture: picture.camera,
        lambda picture: picture.profile,
    ],
)
def test_rare_kinds_of_picture_are_drawn(wanted: Callable[[Picture], bool]) -> None:
    find(
        sound_pictures(plain_sizes(LIMITS), turned=True, said=True),
        wanted,
        settings=DRAWN,
    )


# --- prompts -----------------------------------------------------------------------------------------------


@given(prompts(WORDS, most=80))
def test_prompts_name_no_listed_word_by_the_mocks_reading_and_are_within_bounds(prompt: str) -> None:
    found = classify(prompt, False, WORDS)
    assert not found.adult
    assert not found.policy
    assert 1 <= utf16_length(prompt) <= 80
    prompt.encode("utf-8")


@given(plain_prompts())
def test_plain_prompts_are_harmless(prompt: str) -> None:
    assert harmless(prompt, WORDS)


@pytest.mark.parametrize("word", [*WORDS.adult, *WORDS.policy])
def test_a_listed_word_is_found_however_it_is_written(word: str) -> None:
    wide = "".join(chr(ord(letter) + 0xFEE0) for letter in word)
    for text in (
        word,
        word.upper(),
        f"a {word}, please",
        wide,
        "-".join(word),
        f"de{word}d",
        word.replace("e", "é"),
    ):
        assert not harmless(text, WORDS)


def test_awkward_letters_are_drawn_and_surrogates_when_asked_for() -> None:
    alone = find(
        prompts(WORDS, surrogates=True),
        lambda text: any("\ud800" <= letter <= "\udfff" for letter in text),
        settings=DRAWN,
    )
    with pytest.raises(UnicodeEncodeError):
        alone.encode("utf-8")
    find(prompts(WORDS), lambda text: "\0" in text, settings=DRAWN)
    find(prompts(WORDS), lambda text: "\u0301" in text, settings=DRAWN)
    find(prompts(WORDS), lambda text: max(text) > "\uffff", settings=DRAWN)


@given(prompts(WORDS))
def test_prompts_can_be_sent_unless_surrogates_are_asked_for(prompt: str) -> None:
    assert prompt.encode("utf-8").decode("utf-8") == prompt


@given(prompts(WORDS, controls=False))
def test_prompts_without_control_characters_have_none(prompt: str) -> None:
    assert not any(letter < " " or "\x7f" <= letter <= "\x9f" for letter in prompt)


@given(st.sampled_from([4, 5, 100, 1500, 32_768]), st.booleans(), st.data())
@settings(deadline=None)
def test_prompts_of_a_length_have_it_and_lose_nothing_by_trimming(
    length: int, astral: bool, data: st.DataObject
) -> None:
    prompt = data.draw(prompts_of_length(WORDS, length, astral=astral))
    assert utf16_length(prompt) == length
    assert prompt.strip() == prompt
    assert harmless(prompt, WORDS)
    assert astral or len(prompt) == length


@given(prompts_around(WORDS, 1500))
def test_prompts_around_a_limit_are_told_with_their_length(drawn: tuple[str, int]) -> None:
    prompt, length = drawn
    assert length in (1499, 1500, 1501)
    assert len(prompt) == utf16_length(prompt) == length


# --- requests ----------------------------------------------------------------------------------------------


def judged(contract: Contract, fields: dict[str, Any], image: bool) -> ApiError | None:
    """What the mock's validator says of fields as they come out of JSON."""
    raw = {**json.loads(json.dumps(fields)), **({"image": Text(b"aGVsbG8=")} if image else {})}
    if isinstance(raw.get("image"), str):
        raw["image"] = Text(raw["image"].encode())
    try:
        validate(contract, raw, str(contract.way("default-model")))
    except ApiError as error:
        return error
    return None


@EACH_EDITION
@given(data=st.data())
def test_valid_requests_are_valid(contract: Contract, data: st.DataObject) -> None:
    fields = data.draw(valid_requests(contract.edition, enhance=True, any_script=True))
    assert judged(contract, fields, image=True) is None
    assert json.loads(json.dumps(fields)) == fields


def test_valid_requests_are_valid_where_quality_is_no_field() -> None:
    observed = load_contract("2026-06-19", "observed")

    @given(valid_requests(observed.edition, quality=False))
    def check(fields: dict[str, Any]) -> None:
        assert judged(observed, fields, image=True) is None

    check()


def test_valid_requests_keep_to_the_models_given_and_cost_nothing_extra_unasked() -> None:
    august = CONTRACTS["2026-08-22"].edition
    choice = edit_models(august)[:2]

    @given(valid_requests(august, models=choice))
    def check(fields: dict[str, Any]) -> None:
        assert fields["model"] in {model.id for model in choice}
        assert fields.get("enhance_prompt", False) is False

    check()


def test_a_valid_request_shrinks_to_model_and_prompt() -> None:
    fields = find(valid_requests(JUNE), lambda found: "prompt" in found, settings=SMALLEST)
    assert fields == {"model": JUNE.models[0].id, "prompt": "make it warmer"}


def possible_kinds(edition: Edition) -> list[Any]:
    """In June every model with qualities lists all that there are."""
    return [kind for kind in KINDS if kind != "unlisted-quality" or edition.edition >= "2026-08"]


CASES = [(contract, kind) for contract in CONTRACTS.values() for kind in possible_kinds(contract.edition)]


@pytest.mark.parametrize(
    ("contract", "kind"), CASES, ids=[f"{c.edition.edition}-{kind}" for c, kind in CASES]
)
@given(data=st.data())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.data_too_large])
def test_a_faulty_request_has_exactly_one_fault_where_it_says(
    contract: Contract, kind: Any, data: st.DataObject
) -> None:
    fault = data.draw(faulty_requests(contract.edition, kinds=[kind]))
    assert fault.kind == kind
    if kind == "no-address":
        assert isinstance(
            fault.fields["image"], str
        )  # found out when the picture is fetched, not by the schema
        assert judged(contract, fault.fields, image=False) is None
        return
    error = judged(contract, fault.fields, fault.takes_image)
    assert error is not None
    assert error.status == fault.status
    if kind != "unknown-model":
        issues: list[dict[str, Any]] = error.body["issues"]
        assert [issue["path"] for issue in issues] == [[] if kind == "unknown-key" else [fault.field]]


@EACH_EDITION
def test_every_field_can_be_at_fault(contract: Contract) -> None:
    for field in contract.edition.fields.known:
        fault = find(faulty_requests(contract.edition, fields=[field]), lambda found: found.field != "")
        assert fault.field == field
        assert isinstance(fault, OneFault)


def test_quality_is_left_out_where_it_is_no_field() -> None:
    @given(faulty_requests(JUNE, quality=False))
    @settings(deadline=None)
    def check(fault: OneFault) -> None:
        assert "quality" not in fault.fields

    check()


def test_a_fault_that_no_model_can_have_is_refused() -> None:
    with pytest.raises(ValueError, match="no such fault"):
        faulty_requests(JUNE, kinds=["unlisted-quality"])
