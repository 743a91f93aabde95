"""Rules of what comes out: ratio, resolution, format and quality, through the endpoint."""

from __future__ import annotations

from decimal import Decimal
from math import log
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asgi import Client, Reply
from edits import MakeClient, b64, balance, fault, faults, flat_png, opened, picture, pixels, size, understood
from rulekit import TEST_EDITION
from venice_mock.contract import load_contract
from venice_mock.contract.types import Constraints

IMAGE = b64(flat_png(256, 256))
HOME = load_contract("2026-06-19")
MODELS = [model.id for model in HOME.inpaint_models]
RATIOS = ("1:1", "3:2", "16:9", "21:9", "9:16", "2:3", "3:4", "4:5")
SIZES_1K = {
    "1:1": (1024, 1024), "3:2": (1264, 848), "16:9": (1376, 768), "21:9": (1568, 672),
    "9:16": (768, 1376), "2:3": (848, 1264), "3:4": (896, 1184), "4:5": (928, 1152),
}  # fmt: skip
SIDES = st.tuples(st.integers(1, 4000), st.integers(1, 4000)).filter(
    lambda s: 65_536 <= s[0] * s[1] <= 600_000
)
Size = tuple[int, int]


@pytest.fixture
def fast(make_client: MakeClient) -> Client:
    return make_client(engine="fast", balance=Decimal(100_000))


@pytest.fixture
def test_edition(make_client: MakeClient) -> Client:
    """A server of the edition whose same-size-edit keeps the input's size."""
    return make_client(engine="fast", edition=str(TEST_EDITION))


def edit(client: Client, sides: Size | None = None, **fields: Any) -> Reply:
    image = IMAGE if sides is None else b64(flat_png(*sides))
    return client.edit(**{"image": image, "prompt": "a test", **fields})


def limits(model_id: str) -> Constraints:
    model = HOME.model(model_id)
    assert model is not None
    assert model.constraints is not None
    return model.constraints


def value(ratio: str) -> float:
    width, _, height = ratio.partition(":")
    return int(width) / int(height)


# --- aspect ratio ----------------------------------------------------------------------------------------


@pytest.mark.rules("EDIT-ASP-001", "EDIT-ASP-007", "EDIT-RES-010")
@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("sides", [(256, 256), (1600, 50), (33, 2000)])
def test_an_explicit_ratio_gives_its_size_whatever_the_input(fast: Client, ratio: str, sides: Size) -> None:
    reply = edit(fast, sides, aspect_ratio=ratio)
    assert size(reply) == SIZES_1K[ratio]
    assert understood(reply).aspect_ratio == ratio


@pytest.mark.rules("EDIT-ASP-002")
@pytest.mark.parametrize(
    "ratio", ["4:3", "5:4", "107:60", "16x9", " 16:9", "AUTO", "", "1.78", "9:16:1", "１:１"]
)
def test_another_ratio_is_refused(client: Client, ratio: str) -> None:
    expected = " | ".join(f"'{known}'" for known in ("auto", *RATIOS))
    message = f"Invalid enum value. Expected {expected}, received '{ratio}'"
    assert fault(edit(client, aspect_ratio=ratio)) == ("aspect_ratio", "invalid_enum_value", message)


@pytest.mark.rules("EDIT-ASP-002")
@pytest.mark.parametrize(
    ("ratio", "received"), [(61, "number"), (1.78, "number"), (None, "null"), ([16, 9], "array")]
)
def test_a_ratio_that_is_no_string_is_refused(client: Client, ratio: Any, received: str) -> None:
    expected = " | ".join(f"'{known}'" for known in ("auto", *RATIOS))
    message = f"Expected {expected}, received {received}"
    assert fault(edit(client, aspect_ratio=ratio)) == ("aspect_ratio", "invalid_type", message)


@pytest.mark.rules("EDIT-ASP-004", "EDIT-ASP-006")
@pytest.mark.parametrize("model", MODELS)
def test_auto_takes_the_listed_ratio_that_is_closest_to_the_input(fast: Client, model: str) -> None:
    listed = [ratio for ratio in limits(model).aspect_ratios if ratio != "auto"]
    for ratio in listed:
        exact = round(600 * value(ratio)), 600
        for across in (exact[0] - 9, exact[0], exact[0] + 9):
            said = understood(edit(fast, (across, 600), model=model, aspect_ratio="auto"))
            assert said.aspect_ratio == ratio, (across, 600)
    for sides in [(1000, 640), (640, 1000), (1111, 777), (900, 400), (3000, 300), (300, 3000), (520, 640)]:
        if listed:
            closest = min(listed, key=lambda r: abs(log(sides[0] / sides[1] / value(r))))
            assert understood(edit(fast, sides, model=model)).aspect_ratio == closest, sides


@pytest.mark.rules("EDIT-ASP-006")
@pytest.mark.parametrize(
    ("sides", "ratio"),
    [((1235, 1000), "3:2"), ((1224, 1000), "1:1"), ((1225, 1000), "3:2"), ((899, 1000), "1:1"), ((894, 1000), "4:5")],
)  # fmt: skip
def test_closeness_is_that_of_logarithms_and_not_of_differences(
    fast: Client, sides: Size, ratio: str
) -> None:
    assert understood(edit(fast, sides)).aspect_ratio == ratio


@pytest.mark.rules("EDIT-ASP-005")
def test_scaling_an_input_changes_nothing_and_a_wider_one_never_gets_a_narrower_ratio(fast: Client) -> None:
    @settings(max_examples=80, deadline=None, database=None)
    @given(SIDES, st.integers(1, 200), st.integers(2, 3), st.sampled_from(MODELS))
    def check(sides: Size, wider: int, times: int, model: str) -> None:
        first = opened(edit(fast, sides, model=model, output_format="jpeg")).size
        larger = edit(fast, (sides[0] * times, sides[1] * times), model=model, output_format="jpeg")
        assert opened(larger).size == first
        second = opened(edit(fast, (sides[0] + wider, sides[1]), model=model, output_format="jpeg")).size
        assert second[0] * first[1] >= first[0] * second[1]

    check()


@pytest.mark.rules("EDIT-ASP-008")
@pytest.mark.parametrize("model", MODELS)
def test_a_ratio_that_a_model_does_not_list_is_refused_and_every_listed_one_is_not(
    fast: Client, model: str
) -> None:
    listed = limits(model).aspect_ratios
    for ratio in RATIOS:
        reply = edit(fast, model=model, aspect_ratio=ratio)
        if ratio in listed:
            assert understood(reply).aspect_ratio == ratio
        else:
            message = (
                f"Aspect ratio {ratio} is not supported by model {model}. Supported: {', '.join(listed)}"
            )
            assert fault(reply) == ("aspect_ratio", "custom", message)
            assert balance(reply) == balance(edit(fast, model="nope"))


@pytest.mark.rules("EDIT-ASP-009")
@pytest.mark.parametrize("sides", [(256, 256), (1001, 333), (65_536, 1), (3, 30_000)])
def test_a_model_that_keeps_the_input_s_size_pays_no_heed_to_ratio_and_tier(
    test_edition: Client, sides: Size
) -> None:
    for fields in (
        {},
        {"aspect_ratio": "1:1"},
        {"aspect_ratio": "21:9"},
        {"resolution": "2K", "aspect_ratio": "3:4"},
    ):
        reply = edit(test_edition, sides, model="same-size-edit", output_format="png", **fields)
        assert size(reply) == sides


@pytest.mark.rules("EDIT-ASP-010")
@pytest.mark.parametrize("model", MODELS)
def test_auto_is_accepted_by_every_model(fast: Client, model: str) -> None:
    wide = size(edit(fast, (1600, 900), model=model, aspect_ratio="auto"))
    tall = size(edit(fast, (900, 1600), model=model, aspect_ratio="auto"))
    assert wide == tall[::-1]
    assert wide[0] > wide[1]


@pytest.mark.rules("EDIT-ASP-011", "EDIT-ASP-012")
@pytest.mark.parametrize(
    ("sides", "expected"),
    [((1600, 900), (1376, 768)), ((500, 500), (1024, 1024)), ((640, 490), (1184, 896)), ((490, 640), (896, 1184)),
     ((4000, 500), (2048, 512)), ((500, 4000), (512, 2048)), ((65_536, 1), (2048, 512)), ((1, 65_536), (512, 2048))],
)  # fmt: skip
def test_a_model_that_lists_only_auto_keeps_the_input_s_ratio(
    fast: Client, sides: Size, expected: Size
) -> None:
    assert size(edit(fast, sides, model="wan-2-7-pro-edit")) == expected
    double = edit(fast, sides, model="wan-2-7-pro-edit", resolution="2K")
    assert size(double) == (2 * expected[0], 2 * expected[1])


@pytest.mark.rules("EDIT-ASP-012")
def test_each_side_is_the_smallest_sixteenfold_that_reaches_the_exact_root(fast: Client) -> None:
    @settings(max_examples=80, deadline=None, database=None)
    @given(SIDES.filter(lambda s: s[0] <= 4 * s[1] and s[1] <= 4 * s[0]))
    def check(sides: Size) -> None:
        made = opened(edit(fast, sides, model="wan-2-7-pro-edit", output_format="jpeg")).size
        for side, above, below in ((made[0], *sides), (made[1], *sides[::-1])):
            assert side % 16 == 0
            assert side**2 * below >= 1024**2 * above > (side - 16) ** 2 * below

    check()


# --- resolution ------------------------------------------------------------------------------------------


@pytest.mark.rules("EDIT-RES-002", "EDIT-RES-005", "EDIT-RES-009", "EDIT-RES-011")
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("sides", [(900, 900), (1600, 900)])
def test_each_listed_tier_is_accepted_and_has_more_pixels_than_the_one_below(
    fast: Client, model: str, sides: Size
) -> None:
    made = {}
    for tier in limits(model).resolutions or ("1K",):
        reply = edit(fast, sides, model=model, resolution=tier)
        width, height = made[tier] = size(reply)
        assert 0.3 <= width * height / (1024 * int(tier[0])) ** 2 <= 2.0
        assert understood(reply).resolution == tier
        if model != "gpt-image-2-edit":
            assert (width, height) == tuple(int(tier[0]) * side for side in made["1K"])
    assert [w * h for w, h in made.values()] == sorted({w * h for w, h in made.values()})


@pytest.mark.rules("EDIT-RES-003")
@pytest.mark.parametrize("model", ["qwen-edit", "nano-banana-2-edit"])
def test_a_resolution_has_one_to_ten_characters(client: Client, model: str) -> None:
    few, many = "String must contain at least 1 character(s)", "String must contain at most 10 character(s)"
    assert fault(edit(client, model=model, resolution="")) == ("resolution", "too_small", few)
    assert fault(edit(client, model=model, resolution="1" * 11)) == ("resolution", "too_big", many)
    assert fault(edit(client, model=model, resolution="1" * 10))[:2] == ("resolution", "custom")


@pytest.mark.rules("EDIT-RES-004", "EDIT-RES-006", "EDIT-RES-008")
@pytest.mark.parametrize(
    "model", ["grok-imagine-edit", "wan-2-7-pro-edit", "firered-image-edit", "nano-banana-2-edit"]
)
@pytest.mark.parametrize("tier", ["2K", "4K", "8K", "1080p", "1k", " 1K", "1K ", "1024x1024"])
def test_a_tier_that_a_model_does_not_list_is_refused(fast: Client, model: str, tier: str) -> None:
    listed = limits(model).resolutions or ("1K",)
    reply = edit(fast, model=model, resolution=tier)
    if tier in listed:
        assert picture(reply)
        return
    message = f"Resolution {tier} is not supported by model {model}. Supported: {', '.join(listed)}"
    assert fault(reply) == ("resolution", "custom", message)
    assert balance(reply) == "100000"


@pytest.mark.rules("EDIT-RES-008")
def test_a_model_without_tiers_takes_1k(fast: Client) -> None:
    assert size(edit(fast, model="firered-image-edit", resolution="1K")) == (1024, 1024)


@pytest.mark.rules("EDIT-RES-007", "EDIT-QLT-003", "EDIT-QLT-006")
def test_the_catalogue_s_defaults_are_among_what_a_model_lists(client: Client) -> None:
    rows = client.get("/api/v1/models?type=inpaint").json["data"]
    with_quality = []
    for row in rows:
        told, pricing = row["model_spec"]["constraints"], row["model_spec"]["pricing"]
        if "defaultResolution" in told:
            assert told["defaultResolution"] in told["resolutions"]
        assert ("quality" in pricing) == ("qualities" in told) == ("defaultQuality" in told), row["id"]
        if "qualities" in told:
            assert told["defaultQuality"] in told["qualities"]
            with_quality.append((row["id"], told["defaultQuality"]))
    assert with_quality == [("gpt-image-2-edit", "high")]


@pytest.mark.rules("EDIT-RES-010", "EDIT-RES-011")
def test_the_nano_banana_models_have_the_measured_sizes_times_the_tier(fast: Client) -> None:
    for ratio, (width, height) in {"16:9": (1376, 768), "9:16": (768, 1376), "1:1": (1024, 1024)}.items():
        for tier, k in (("1K", 1), ("2K", 2), ("4K", 4)):
            reply = edit(fast, model="nano-banana-pro-edit", aspect_ratio=ratio, resolution=tier)
            assert size(reply) == (k * width, k * height)


@pytest.mark.rules("EDIT-RES-012", "EDIT-RES-013", "EDIT-ASP-007")
@pytest.mark.parametrize(
    ("tier", "square", "long_side"), [("1K", 1024, 1536), ("2K", 2048, 2048), ("4K", 2880, 3840)]
)
def test_gpt_image_2_has_sizes_of_its_own(fast: Client, tier: str, square: int, long_side: int) -> None:
    for ratio in RATIOS:
        made = size(edit(fast, model="gpt-image-2-edit", aspect_ratio=ratio, resolution=tier, quality="low"))
        assert max(made) == (square if ratio == "1:1" else long_side)
        assert abs(made[0] / made[1] / value(ratio) - 1) < 0.03
        if ratio == "16:9":
            assert made == (long_side, long_side * 9 // 16)


# --- format ----------------------------------------------------------------------------------------------


@pytest.mark.rules("EDIT-FMT-001", "EDIT-FMT-006", "EDIT-FMT-008", "EDIT-FMT-009")
@pytest.mark.parametrize("tier", ["1K", "2K", "4K"])
@pytest.mark.parametrize("name", ["jpeg", "png", "webp"])
def test_an_explicit_format_wins_at_every_tier(fast: Client, name: str, tier: str) -> None:
    reply = edit(fast, model="nano-banana-2-edit", output_format=name, resolution=tier)
    assert picture(reply).format == name.upper()
    assert reply.headers["content-type"] == f"image/{name}"
    assert reply.headers["content-length"] == str(len(reply.body))
    assert understood(reply).output_format == name


@pytest.mark.rules("EDIT-FMT-003", "EDIT-FMT-004", "EDIT-FMT-005", "EDIT-FMT-008")
@pytest.mark.parametrize(
    ("tier", "media_type"),
    [(None, "image/png"), ("1K", "image/png"), ("2K", "image/jpeg"), ("4K", "image/jpeg")],
)
def test_the_tier_decides_the_format_of_a_request_that_names_none(
    fast: Client, tier: str | None, media_type: str
) -> None:
    for model in ("nano-banana-2-edit", "gpt-image-2-edit", "grok-imagine-edit"):
        if tier not in (None, *limits(model).resolutions):
            continue
        chosen: dict[str, Any] = {} if tier is None else {"resolution": tier}
        reply = edit(fast, model=model, **chosen)
        assert picture(reply)
        assert reply.headers["content-type"] == media_type


@pytest.mark.rules("EDIT-FMT-007")
@pytest.mark.parametrize("name", ["gif", "bmp", "avif", "PNG", "JPG", "image/png", "", "png "])
def test_another_format_is_refused(client: Client, name: str) -> None:
    message = f"Invalid enum value. Expected 'jpeg' | 'png' | 'webp', received '{name}'"
    assert fault(edit(client, output_format=name)) == ("output_format", "invalid_enum_value", message)


@pytest.mark.rules("EDIT-FMT-010")
@pytest.mark.parametrize(
    ("name", "sides", "held"),
    [("webp", (16_383, 5), True), ("webp", (16_384, 4), False), ("webp", (4, 16_384), False),
     ("jpeg", (65_500, 2), True), ("jpeg", (65_501, 2), False), ("jpeg", (1, 65_536), False),
     ("png", (65_536, 1), True), ("png", (1, 1_000_000), True)],
)  # fmt: skip
def test_a_side_that_a_format_cannot_hold_is_refused_and_costs_nothing(
    test_edition: Client, name: str, sides: Size, held: bool
) -> None:
    reply = edit(test_edition, sides, model="same-size-edit", output_format=name)
    if held:
        assert size(reply) == sides
        assert balance(reply) == "99.95"
        return
    longest = {"webp": 16_383, "jpeg": 65_500}[name]
    message = f"Format {name} cannot hold an image of {sides[0]}x{sides[1]}; its longest side is {longest}"
    assert fault(reply) == ("output_format", "custom", message)
    assert balance(reply) == "100"


@pytest.mark.rules("EDIT-FMT-010")
def test_the_tier_s_own_format_is_held_to_the_same_limit(test_edition: Client) -> None:
    reply = edit(test_edition, (65_536, 1), model="same-size-edit", resolution="2K")
    assert fault(reply)[:2] == ("output_format", "custom")


# --- quality ---------------------------------------------------------------------------------------------

PRICES = {"1K": ("0.03", "0.1", "0.36"), "2K": ("0.04", "0.15", "0.53"), "4K": ("0.06", "0.22", "0.86")}


@pytest.mark.rules("EDIT-QLT-001", "EDIT-QLT-003")
@pytest.mark.parametrize("tier", PRICES)
def test_gpt_image_2_takes_and_bills_each_quality_and_high_is_its_default(fast: Client, tier: str) -> None:
    held = Decimal(100_000)
    for quality, price in zip(("low", "medium", "high", None), (*PRICES[tier], PRICES[tier][2]), strict=True):
        chosen: dict[str, Any] = {} if quality is None else {"quality": quality}
        reply = edit(fast, model="gpt-image-2-edit", resolution=tier, **chosen)
        said = understood(reply)
        assert (said.quality, Decimal(said.price_usd)) == (quality or "high", Decimal(price))
        held -= Decimal(price)
        assert Decimal(balance(reply)) == held


@pytest.mark.rules("EDIT-QLT-002")
@pytest.mark.parametrize("model", [model for model in MODELS if model != "gpt-image-2-edit"])
def test_a_model_without_quality_tiers_ignores_quality(fast: Client, model: str) -> None:
    plain, low = edit(fast, model=model), edit(fast, model=model, quality="low")
    assert understood(plain) == understood(low)
    assert understood(low).quality is None
    assert pixels(plain) == pixels(low)
    assert Decimal(balance(plain)) - Decimal(balance(low)) == Decimal(understood(plain).price_usd)


@pytest.mark.rules("EDIT-QLT-001", "EDIT-QLT-002", "EDIT-QLT-004", "EDIT-QLT-005")
@pytest.mark.parametrize("model", ["gpt-image-2-edit", "firered-image-edit"])
@pytest.mark.parametrize("quality", ["low", "high", "ultra", 1])
def test_the_observed_server_knows_no_quality(make_client: MakeClient, model: str, quality: Any) -> None:
    client = make_client(behavior="observed", engine="fast")
    reply = edit(client, model=model, quality=quality)
    assert faults(reply) == [("", "unrecognized_keys", "Unrecognized key(s) in object: 'quality'")]
    assert reply.json["issues"][0]["keys"] == ["quality"]
    assert balance(reply) == "100"
    assert understood(edit(client, model="gpt-image-2-edit")).price_usd == "0.36"


@pytest.mark.rules("EDIT-QLT-004", "EDIT-QLT-005")
@pytest.mark.parametrize("model", ["gpt-image-2-edit", "firered-image-edit"])
def test_a_quality_outside_the_three_is_refused(client: Client, model: str) -> None:
    listed = "'low' | 'medium' | 'high'"
    for quality in ("ultra", "", "High"):
        message = f"Invalid enum value. Expected {listed}, received '{quality}'"
        assert fault(edit(client, model=model, quality=quality)) == ("quality", "invalid_enum_value", message)
    message = f"Expected {listed}, received number"
    assert fault(edit(client, model=model, quality=1)) == ("quality", "invalid_type", message)
