"""Rules of safe mode: what is classified, what is blurred, and what the headers say of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageFilter, ImageStat

from asgi import Client, Reply, form_body
from edits import (
    MakeClient,
    b64,
    balance,
    fault,
    faults,
    picture,
    pixels,
    says,
    scene,
    scene_png,
    size,
    understood,
)
from pictures import SIGNATURE, chunk, saved
from venice_mock.contract import load_contract
from venice_mock.edit.headers import ADULT_MARK

MARKED = (Path(__file__).parents[2] / "fixtures" / "marked-adult.png").read_bytes()
HOME = load_contract("2026-06-19")
MODELS = [model.id for model in HOME.inpaint_models]
WORDS = HOME.edition.words
VIOLATION = {"error": "Your prompt violates the content policy of Venice.ai or the model provider"}
FORMATS = ("png", "jpeg", "webp")


def without_texts(png: bytes) -> bytes:
    """A PNG with nothing but its pixels."""
    out, at = SIGNATURE, len(SIGNATURE)
    while at < len(png):
        end = at + 12 + int.from_bytes(png[at : at + 4], "big")
        if png[at + 4 : at + 8] in (b"IHDR", b"PLTE", b"IDAT", b"IEND"):
            out += png[at:end]
        at = end
    return out


UNMARKED = without_texts(MARKED)


@pytest.fixture
def fast(make_client: MakeClient) -> Client:
    return make_client(engine="fast")


def edit(client: Client, image: bytes = UNMARKED, prompt: str = "make it warm", **fields: Any) -> Reply:
    return client.edit(image=b64(image), prompt=prompt, **fields)


def detail(reply: Reply) -> float:
    """How much fine detail a picture has: the mean difference to its own smoothing, in grey levels."""
    grey = picture(reply).convert("L")
    grey = grey.crop((0, 0, grey.width, grey.height * 4 // 5))  # above the caption
    return ImageStat.Stat(ImageChops.difference(grey, grey.filter(ImageFilter.BoxBlur(4)))).mean[0]


def headers(reply: Reply) -> tuple[str | None, str | None]:
    """(x-venice-is-blurred, x-venice-is-content-violation)"""
    names = ("x-venice-is-blurred", "x-venice-is-content-violation")
    return reply.headers.get(names[0]), reply.headers.get(names[1])


# --- the adult mark --------------------------------------------------------------------------------------


@pytest.mark.rules(
    "EDIT-SAFE-001", "EDIT-SAFE-002", "EDIT-SAFE-003", "EDIT-SAFE-008", "EDIT-SAFE-012", "EDIT-SAFE-013"
)
@pytest.mark.parametrize("behavior", ["documented", "observed"])
def test_a_marked_picture_is_blurred_while_safe_mode_is_on(make_client: MakeClient, behavior: str) -> None:
    client = make_client(behavior=behavior)
    omitted, on = edit(client, MARKED), edit(client, MARKED, safe_mode=True)
    off, plain = edit(client, MARKED, safe_mode=False), edit(client)
    assert pixels(omitted) == pixels(on)
    assert size(on) == size(off) == size(plain)
    assert detail(plain) > 1
    assert detail(on) < 0.1 * detail(off)
    assert detail(off) > 0.8 * detail(plain)
    assert [headers(reply) for reply in (omitted, on, off, plain)] == [
        ("true", "false"),
        ("true", "false"),
        ("false", "false"),
        ("false", "false"),
    ]
    assert [(said.adult, said.blurred) for said in map(understood, (on, off, plain))] == [
        (True, True),
        (True, False),
        (False, False),
    ]
    assert balance(plain) == "99.84"  # blurred or not, each edit costs 0.04


@pytest.mark.rules("EDIT-SAFE-002", "EDIT-SAFE-003")
@pytest.mark.parametrize("model", MODELS)
def test_safe_mode_works_on_every_model(client: Client, model: str) -> None:
    on, off = edit(client, MARKED, model=model), edit(client, MARKED, model=model, safe_mode=False)
    assert (headers(on), headers(off)) == (("true", "false"), ("false", "false"))
    assert size(on) == size(off)
    assert detail(on) < 0.1 * detail(off)


@pytest.mark.rules("EDIT-SAFE-004", "EDIT-SAFE-008")
def test_a_picture_that_is_not_classified_is_the_same_with_and_without_safe_mode(client: Client) -> None:
    for image in (UNMARKED, scene_png(), saved(Image.new("RGB", (320, 320), (224, 172, 140)), "PNG")):
        on, off = edit(client, image, safe_mode=True), edit(client, image, safe_mode=False)
        assert pixels(on) == pixels(off)
        assert headers(on) == headers(off) == ("false", "false")


def marked(file_format: str) -> bytes:
    """The scene with the adult mark where each format keeps remarks."""
    image, exif = scene(), Image.Exif()
    exif[0x010E] = ADULT_MARK.decode()
    match file_format:
        case "PNG":
            png = saved(image, "PNG")
            return png[:33] + chunk(b"tEXt", b"Comment\0" + ADULT_MARK) + png[33:]
        case "JPEG comment":
            return saved(image, "JPEG", comment=ADULT_MARK)
        case "GIF":
            return saved(image, "GIF", comment=ADULT_MARK)
        case _:
            return saved(image, file_format.split()[0], exif=exif)


@pytest.mark.rules("EDIT-SAFE-008")
@pytest.mark.parametrize(
    "file_format",
    ["PNG", "JPEG comment", "JPEG exif", "WEBP exif", "GIF", "PNG exif", "TIFF exif", "AVIF exif"],
)
def test_the_mark_is_found_in_every_format_and_way_in(fast: Client, file_format: str) -> None:
    data = marked(file_format)
    for image in (data, b64(data)):
        assert headers(fast.form([("image", image), ("prompt", "a test")])) == ("true", "false")


@pytest.mark.rules("EDIT-SAFE-014")
@pytest.mark.parametrize("first", FORMATS)
@pytest.mark.parametrize("second", FORMATS)
def test_an_edit_of_an_edit_of_a_marked_picture_is_still_marked(
    fast: Client, first: str, second: str
) -> None:
    image = MARKED
    for output_format in (first, second, "png"):
        sharp = edit(fast, image, safe_mode=False, output_format=output_format)
        assert headers(sharp) == ("false", "false")
        assert understood(sharp).adult
        image = sharp.body
    assert headers(edit(fast, image)) == ("true", "false")


@pytest.mark.rules("EDIT-SAFE-014", "EDIT-SAFE-008")
@pytest.mark.parametrize("output_format", FORMATS)
def test_an_adult_word_marks_the_result_and_its_edits_and_a_harmless_edit_does_not(
    fast: Client, output_format: str
) -> None:
    adult = edit(fast, prompt="a nude statue", safe_mode=False, output_format=output_format)
    assert headers(edit(fast, adult.body)) == ("true", "false")
    harmless = edit(fast, prompt=f"a statue, {ADULT_MARK.decode()}", output_format=output_format)
    assert headers(harmless) == ("false", "false")
    assert headers(edit(fast, harmless.body)) == ("false", "false")


# --- words -----------------------------------------------------------------------------------------------


@pytest.mark.rules("EDIT-SAFE-001", "EDIT-SAFE-002", "EDIT-SAFE-008", "EDIT-SAFE-009", "EDIT-SAFE-012")
@pytest.mark.parametrize("word", WORDS.adult)
def test_each_adult_word_classifies_in_any_letter_case_and_only_as_a_whole_word(
    fast: Client, word: str
) -> None:
    for prompt in (word, word.upper(), f"a {word.title()}, please", f"({word})", f"one\n{word}\ttwo"):
        on = edit(fast, prompt=prompt)
        assert headers(on) == ("true", "false"), prompt
        assert picture(on)
        assert headers(edit(fast, prompt=prompt, safe_mode=False)) == ("false", "false"), prompt
    for prompt in (f"de{word}ity", f"x{word}", f"{word}xyz", f"{word[:2]} {word[2:]}"):
        assert headers(edit(fast, prompt=prompt)) == ("false", "false"), prompt


@pytest.mark.rules("EDIT-SAFE-002", "EDIT-SAFE-003", "EDIT-SAFE-009")
def test_nude_and_its_capitals_blur_and_denuded_does_not(client: Client) -> None:
    sharp = detail(edit(client, prompt="a denuded hill"))
    for prompt in ("a nude hill", "a NUDE hill"):
        on, off = edit(client, prompt=prompt), edit(client, prompt=prompt, safe_mode=False)
        assert size(on) == size(off)
        assert detail(on) < 0.1 * detail(off)
        assert detail(off) > 0.5 * sharp


@pytest.mark.rules("EDIT-SAFE-007", "EDIT-SAFE-010")
@pytest.mark.parametrize("behavior", ["documented", "observed"])
@pytest.mark.parametrize("word", WORDS.policy)
def test_a_model_that_blocks_policy_refuses_its_words_whatever_safe_mode_says(
    make_client: MakeClient, behavior: str, word: str
) -> None:
    client = make_client(behavior=behavior)
    for safe_mode in (True, False):
        for prompt in (word, f"some {word.upper()}, nude"):
            reply = edit(client, prompt=prompt, model="qwen-edit", safe_mode=safe_mode)
            says(reply, 422, VIOLATION)
            assert balance(reply) == "100"
    harmless = edit(client, prompt=f"x{word}x", model="qwen-edit")
    assert headers(harmless) == ("false", "false")


@pytest.mark.rules("EDIT-SAFE-010", "EDIT-SAFE-011")
def test_only_qwen_edit_blocks_policy(fast: Client) -> None:
    refused = [model for model in MODELS if edit(fast, prompt="some gore", model=model).status == 422]
    assert refused == ["qwen-edit"]


@pytest.mark.rules("EDIT-SAFE-011", "EDIT-SAFE-013", "EDIT-SAFE-015")
@pytest.mark.parametrize("safe_mode", [True, False])
@pytest.mark.parametrize("model", ["firered-image-edit", "wan-2-7-pro-edit"])
def test_on_other_models_a_policy_word_gives_a_blurred_picture_of_full_size(
    client: Client, model: str, safe_mode: bool
) -> None:
    harmless = edit(client, prompt="a harbour", model=model, safe_mode=safe_mode)
    before = float(balance(harmless))
    reply = edit(client, prompt="a harbour, gore", model=model, safe_mode=safe_mode)
    assert headers(reply) == ("true", "true")
    assert size(reply) == size(harmless)
    assert detail(reply) < 0.1 * detail(harmless)
    assert understood(reply).violation
    assert float(balance(reply)) < before  # the answer is a 200 and billed as one


@pytest.mark.rules("EDIT-SAFE-011", "EDIT-SAFE-013", "EDIT-SAFE-015")
@pytest.mark.parametrize("safe_mode", [True, False])
@pytest.mark.parametrize("output_format", FORMATS)
def test_the_observed_server_sends_a_tiny_placeholder_instead(
    make_client: MakeClient, safe_mode: bool, output_format: str
) -> None:
    client = make_client(behavior="observed")
    answers = [
        edit(client, image, prompt="some gore", safe_mode=safe_mode, output_format=output_format)
        for image in (UNMARKED, scene_png())
    ]
    for reply in answers:
        assert headers(reply) == ("true", "true")
        assert max(size(reply)) <= 128
        assert reply.headers["content-type"] == f"image/{output_format}"
    assert pixels(answers[0]) == pixels(answers[1])  # nothing of the input is in it


@pytest.mark.rules("EDIT-SAFE-006", "EDIT-SAFE-013", "EDIT-SAFE-015")
@pytest.mark.parametrize("behavior", ["documented", "observed"])
def test_both_headers_are_true_or_false_on_every_success(make_client: MakeClient, behavior: str) -> None:
    client = make_client(behavior=behavior, engine="fast")
    seen = {}
    for adult in (False, True):
        for policy in (False, True):
            for safe_mode in (True, False):
                reply = edit(
                    client,
                    MARKED if adult else UNMARKED,
                    prompt="some gore" if policy else "a test",
                    model="flux-2-max-edit",
                    safe_mode=safe_mode,
                )
                assert picture(reply)
                seen[adult, policy, safe_mode] = headers(reply)
    assert seen == {
        (adult, policy, safe_mode): (str(policy or (adult and safe_mode)).lower(), str(policy).lower())
        for adult in (False, True)
        for policy in (False, True)
        for safe_mode in (True, False)
    }


@pytest.mark.rules("EDIT-SAFE-015", "EDIT-SAFE-006")
@pytest.mark.parametrize("model", MODELS)
def test_a_refusal_says_nothing_of_blur_or_violation(fast: Client, model: str) -> None:
    assert headers(edit(fast, model=model)) == ("false", "false")
    assert headers(edit(fast, b"no picture", model=model)) == (None, None)


# --- the field -------------------------------------------------------------------------------------------


@pytest.mark.rules("EDIT-SAFE-005")
@pytest.mark.parametrize(
    ("value", "received"),
    [("true", "string"), ("false", "string"), (1, "number"), (0, "number"), (None, "null"), ([], "array")],
)  # fmt: skip
def test_in_json_only_a_boolean_is_one(client: Client, value: Any, received: str) -> None:
    reply = edit(client, safe_mode=value)
    assert fault(reply) == ("safe_mode", "invalid_type", f"Expected boolean, received {received}")
    assert balance(reply) == "100"


@pytest.mark.rules("EDIT-SAFE-001", "EDIT-SAFE-003")
def test_in_a_form_true_and_false_are_words(fast: Client) -> None:
    for word in ("true", "false"):
        reply = fast.form([("image", MARKED), ("prompt", "a test"), ("safe_mode", word)])
        assert headers(reply) == (word, "false")
    wrong = form_body([("image", MARKED), ("prompt", "a test"), ("safe_mode", "0")])
    reply = fast.send(wrong, content_type="multipart/form-data; boundary=edge")
    assert faults(reply) == [("safe_mode", "invalid_type", "Expected boolean, received string")]
