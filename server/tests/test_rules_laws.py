"""Laws over whole requests: what is valid is always encoded, and what means the same gives the same."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from asgi import Client, Reply
from edits import MakeClient, b64, flat_png, opened, picture, pixels, scene_png, understood
from rulekit import TEST_EDITION
from venice_mock.contract import Contract, ModelSpec, load_contract

HOME = load_contract("2026-06-19")
KEEPING = load_contract(str(TEST_EDITION))
MOST = 33_177_600
Size = tuple[int, int]


@st.composite
def input_sizes(draw: st.DrawFn, most: int) -> Size:
    """Any lawful size of at most ``most`` pixels, slivers of one pixel's width as likely as squares."""
    short = int(2 ** draw(st.floats(0, 12)))
    long = draw(st.integers(-(-65_536 // short), max(-(-65_536 // short), most // short)))
    return (short, long) if draw(st.booleans()) else (long, short)


@st.composite
def requests(draw: st.DrawFn, contract: Contract, models: tuple[ModelSpec, ...]) -> dict[str, Any]:
    """The fields of a request that the model's row says is valid, some of them left out."""
    model = draw(st.sampled_from(models))
    accepted = model.constraints
    assert accepted is not None
    formats = (*contract.edition.fields.output_formats, *contract.edition.fields.format_aliases)
    fields = {
        "model": model.id,
        "aspect_ratio": draw(st.sampled_from([None, "auto", *accepted.aspect_ratios])),
        "resolution": draw(st.sampled_from([None, *(accepted.resolutions or ("1K",))])),
        "output_format": draw(st.sampled_from([None, *formats])),
        "quality": draw(st.sampled_from([None, "low", "medium", "high"])),
        "safe_mode": draw(st.sampled_from([None, True, False])),
    }
    return {name: value for name, value in fields.items() if value is not None}


def send(client: Client, sides: Size, fields: dict[str, Any], prompt: str = "a test") -> Reply:
    return client.edit(image=b64(flat_png(*sides)), prompt=prompt, **fields)


def is_made(reply: Reply, sides: Size, fields: dict[str, Any]) -> None:
    """The answer is a picture of the size and format that it says it understood."""
    image, said = picture(reply), understood(reply)
    assert image.size == (said.width, said.height)
    assert (said.input_width, said.input_height) == sides
    assert image.format == said.output_format.upper()
    assert fields.get("output_format", said.output_format).replace("jpg", "jpeg") == said.output_format
    assert said.model == fields["model"]


MADE_AT_HOME = {"model": "nano-banana-2-edit", "resolution": "4K"}


@pytest.mark.slow
@pytest.mark.rules("EDIT-ASP-004", "EDIT-RES-002", "EDIT-FMT-001", "EDIT-FMT-008")
def test_no_valid_request_fails_to_be_encoded(make_client: MakeClient) -> None:
    client = make_client(engine="fast", balance=Decimal(1_000_000))

    @settings(max_examples=100, deadline=None, database=None)
    @given(input_sizes(400_000), requests(HOME, HOME.inpaint_models))
    @example((65_536, 1), {**MADE_AT_HOME, "output_format": "webp"})
    @example((1, MOST), {"model": "wan-2-7-pro-edit", "resolution": "2K", "output_format": "webp"})
    @example((MOST, 1), {"model": "gpt-image-2-edit", "resolution": "4K"})
    @example((7680, 4320), MADE_AT_HOME)
    def check(sides: Size, fields: dict[str, Any]) -> None:
        is_made(send(client, sides, fields), sides, fields)

    check()


@pytest.mark.slow
@pytest.mark.rules("EDIT-ASP-009", "EDIT-FMT-010")
def test_a_picture_that_keeps_its_size_is_encoded_or_refused_for_its_format_only(
    make_client: MakeClient,
) -> None:
    client = make_client(engine="fast", edition=str(TEST_EDITION), balance=Decimal(1_000_000))
    keeping = KEEPING.model("same-size-edit")
    assert keeping is not None

    @settings(max_examples=1200, deadline=None, database=None)
    @given(input_sizes(80_000), requests(KEEPING, (keeping,)))
    @example((65_536, 1), {"model": "same-size-edit", "output_format": "jpeg"})
    @example((16_384, 4), {"model": "same-size-edit", "output_format": "webp"})
    @example((1, 5_000_000), {"model": "same-size-edit", "output_format": "png"})
    @example((7680, 4320), {"model": "same-size-edit", "output_format": "webp"})
    def check(sides: Size, fields: dict[str, Any]) -> None:
        reply = send(client, sides, fields)
        default = "jpeg" if fields.get("resolution") == "2K" else "png"
        longest = {"webp": 16_383, "jpeg": 65_500, "jpg": 65_500}.get(fields.get("output_format", default))
        if longest is None or max(sides) <= longest:
            is_made(reply, sides, fields)
            assert opened(reply).size == sides
        else:
            assert reply.status == 400
            assert [issue["path"] for issue in reply.json["issues"]] == [["output_format"]]

    check()


@pytest.mark.slow
@pytest.mark.rules("EDIT-RES-002", "EDIT-FMT-001")
def test_nothing_that_is_painted_fails_to_be_encoded_either(make_client: MakeClient) -> None:
    home = make_client(balance=Decimal(1_000_000))
    keeping = make_client(edition=str(TEST_EDITION), balance=Decimal(1_000_000))
    same_size = KEEPING.model("same-size-edit")
    assert same_size is not None
    prompts = st.sampled_from(
        ["a test", "make it a sunset", "night, snow and rain", "add three red balloons in the sky", "remove the boat",
         "pencil sketch", "oil painting", "pixelate it", "rotate it", "blur the background", "nude", "🌇 日本"]
    )  # fmt: skip

    @settings(max_examples=12, deadline=None, database=None)
    @given(input_sizes(100_000), requests(HOME, HOME.inpaint_models), prompts)
    def check_home(sides: Size, fields: dict[str, Any], prompt: str) -> None:
        is_made(send(home, sides, fields, prompt), sides, fields)

    @settings(max_examples=60, deadline=None, database=None)
    @given(input_sizes(70_000), requests(KEEPING, (same_size,)), prompts)
    @example((65_536, 1), {"model": "same-size-edit"}, "pencil sketch")
    @example((1, 65_536), {"model": "same-size-edit"}, "oil painting")
    def check_keeping(sides: Size, fields: dict[str, Any], prompt: str) -> None:
        reply = send(keeping, sides, fields, prompt)
        if reply.status != 400 or max(sides) <= 16_383:
            is_made(reply, sides, fields)

    check_home()
    check_keeping()


# --- what means the same ---------------------------------------------------------------------------------

PNG = scene_png()


def form(client: Client, fields: dict[str, Any]) -> Reply:
    """The fields as a form: booleans as words."""
    parts: Iterator[tuple[str, str]] = (
        (name, str(value).lower() if isinstance(value, bool) else value) for name, value in fields.items()
    )
    return client.form([("image", PNG), ("prompt", "make it a sunset"), *parts])


@pytest.mark.rules("EDIT-RES-001", "EDIT-ASP-003", "EDIT-FMT-002", "EDIT-SAFE-001", "EDIT-QLT-003")
@pytest.mark.parametrize(
    ("left", "right"),
    [
        ({}, {"aspect_ratio": "auto"}),
        ({}, {"resolution": "1K"}),
        ({}, {"output_format": "png"}),
        ({}, {"safe_mode": True}),
        ({}, {"model": "qwen-edit"}),
        ({"model": "grok-imagine-edit"}, {"modelId": "grok-imagine-edit"}),
        ({"output_format": "jpg"}, {"output_format": "jpeg"}),
        ({"model": "grok-imagine-edit", "resolution": "2K"},
         {"model": "grok-imagine-edit", "resolution": "2K", "output_format": "jpg"}),
        ({"model": "gpt-image-2-edit"}, {"model": "gpt-image-2-edit", "quality": "high", "resolution": "1K"}),
    ],
)  # fmt: skip
def test_two_ways_to_say_the_same_give_the_same_file_at_the_same_price(
    client: Client, left: dict[str, Any], right: dict[str, Any]
) -> None:
    said: dict[str, Any] = {"image": b64(PNG), "prompt": "make it a sunset"}
    replies = [
        client.edit(**said, **left),
        client.edit(**said, **right),
        form(client, left),
        form(client, right),
    ]
    assert len({pixels(reply) for reply in replies}) == 1
    assert len({reply.body for reply in replies}) == 1
    assert len({reply.headers["content-type"] for reply in replies}) == 1
    told = [Decimal(reply.headers["x-venice-balance-usd"]) for reply in replies]
    price = Decimal(understood(replies[0]).price_usd)
    assert told == [100 - price * edits for edits in (1, 2, 3, 4)]


@pytest.mark.rules("EDIT-ASP-003")
def test_leaving_the_ratio_out_is_auto_for_every_input(make_client: MakeClient) -> None:
    client = make_client(engine="fast", balance=Decimal(1_000_000))

    @settings(max_examples=50, deadline=None, database=None)
    @given(input_sizes(300_000), st.sampled_from([model.id for model in HOME.inpaint_models]))
    def check(sides: Size, model: str) -> None:
        fields = {"model": model, "output_format": "jpeg"}
        plain, auto = send(client, sides, fields), send(client, sides, {**fields, "aspect_ratio": "auto"})
        assert opened(plain).size == opened(auto).size
        assert plain.body == auto.body

    check()
