"""Rules of the prompt and the model, and the wording of faults, through the endpoint."""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from asgi import Client, Reply, form_body
from edits import MakeClient, b64, balance, fault, faults, flat_png, picture, says, size, understood
from rulekit import TEST_EDITION
from venice_mock.contract import Contract, load_contract

PNG = flat_png(256, 256)
IMAGE = b64(PNG)
HOME = load_contract("2026-06-19")
MODELS = [model.id for model in HOME.inpaint_models]
NOT_FOUND = {"error": "Specified model not found"}
RATIOS = "'auto' | '1:1' | '3:2' | '16:9' | '21:9' | '9:16' | '2:3' | '3:4' | '4:5'"


@pytest.fixture
def fast(make_client: MakeClient) -> Client:
    return make_client(engine="fast", balance=Decimal(100_000))


def edit(client: Client, **fields: Any) -> Reply:
    return client.edit(**{"image": IMAGE, "prompt": "a test", **fields})


def prompt_limit(contract: Contract, model_id: str) -> int:
    model = contract.model(model_id)
    assert model is not None
    assert model.constraints is not None
    return model.constraints.prompt_character_limit


# --- wording ---------------------------------------------------------------------------------------------


def one_issue(field: str, **issue: Any) -> dict[str, Any]:
    """The whole body of a 400 with one fault, as the real server writes it."""
    details = {"_errors": [], field: {"_errors": [issue["message"]]}}
    return {"error": "Invalid request parameters", "details": details, "issues": [issue]}


@pytest.mark.rules("EDIT-PRM-001")
def test_a_missing_prompt_is_required_in_both_encodings(client: Client) -> None:
    body = one_issue(
        "prompt",
        code="invalid_type",
        expected="string",
        received="undefined",
        path=["prompt"],
        message="Required",
    )
    says(client.edit(image=IMAGE), 400, body)
    says(client.form([("image", PNG)]), 400, body)


@pytest.mark.rules("EDIT-PRM-001")
@pytest.mark.parametrize(
    ("value", "received"),
    [(5, "number"), (1.5, "number"), (None, "null"), (False, "boolean"), ([], "array"), ({}, "object")],
)
def test_a_prompt_of_another_type_is_named_by_its_type(client: Client, value: Any, received: str) -> None:
    message = f"Expected string, received {received}"
    body = one_issue(
        "prompt", code="invalid_type", expected="string", received=received, path=["prompt"], message=message
    )
    says(edit(client, prompt=value), 400, body)


@pytest.mark.rules("EDIT-PRM-002")
def test_an_empty_prompt_is_refused_and_one_character_is_enough(fast: Client) -> None:
    body = one_issue(
        "prompt",
        code="too_small",
        minimum=1,
        type="string",
        inclusive=True,
        exact=False,
        path=["prompt"],
        message="String must contain at least 1 character(s)",
    )
    says(edit(fast, prompt=""), 400, body)
    says(fast.form([("image", PNG), ("prompt", "")]), 400, body)
    assert understood(edit(fast, prompt="x")).prompt == "x"


@pytest.mark.rules("EDIT-PRM-003")
def test_32768_characters_pass_the_schema_and_one_more_does_not(fast: Client) -> None:
    longest = "a" * 32_768
    assert understood(edit(fast, prompt=longest, model="nano-banana-2-edit")).prompt_length == 32_768
    assert fault(edit(fast, prompt=longest))[:2] == ("prompt", "custom")  # qwen-edit's own limit
    body = one_issue(
        "prompt",
        code="too_big",
        maximum=32_768,
        type="string",
        inclusive=True,
        exact=False,
        path=["prompt"],
        message="String must contain at most 32768 character(s)",
    )
    for model in ("nano-banana-2-edit", "qwen-edit"):
        says(edit(fast, prompt=longest + "a", model=model), 400, body)


@pytest.mark.rules("EDIT-ASP-002")
def test_a_value_outside_a_closed_list_is_told_with_the_list(client: Client) -> None:
    body = one_issue(
        "aspect_ratio",
        received="107:60",
        code="invalid_enum_value",
        options=["auto", "1:1", "3:2", "16:9", "21:9", "9:16", "2:3", "3:4", "4:5"],
        path=["aspect_ratio"],
        message=f"Invalid enum value. Expected {RATIOS}, received '107:60'",
    )
    says(edit(client, aspect_ratio="107:60"), 400, body)
    says(client.form([("image", PNG), ("prompt", "a test"), ("aspect_ratio", "107:60")]), 400, body)


def test_an_unknown_key_is_told_at_the_root(client: Client) -> None:
    message = "Unrecognized key(s) in object: 'mask', 'n'"
    body = {
        "error": "Invalid request parameters",
        "details": {"_errors": [message]},
        "issues": [{"code": "unrecognized_keys", "keys": ["mask", "n"], "path": [], "message": message}],
    }
    says(edit(client, mask="x", n=1), 400, body)


def test_all_faults_of_a_request_are_told_together(client: Client) -> None:
    reply = client.edit(
        prompt="",
        model=7,
        modelId="nope",
        aspect_ratio="16x9",
        resolution="a resolution",
        output_format="gif",
        quality="ultra",
        safe_mode=0,
        seed=1,
        format="png",
    )
    formats, qualities = "'jpeg' | 'png' | 'webp'", "'low' | 'medium' | 'high'"
    ids = " | ".join(f"'{model}'" for model in MODELS)
    assert sorted(faults(reply)) == sorted(
        [
            ("image", "invalid_type", "Required"),
            ("prompt", "too_small", "String must contain at least 1 character(s)"),
            ("model", "invalid_type", "Expected string, received number"),
            ("modelId", "invalid_enum_value", f"Invalid enum value. Expected {ids}, received 'nope'"),
            ("aspect_ratio", "invalid_enum_value", f"Invalid enum value. Expected {RATIOS}, received '16x9'"),
            ("resolution", "too_big", "String must contain at most 10 character(s)"),
            (
                "output_format",
                "invalid_enum_value",
                f"Invalid enum value. Expected {formats}, received 'gif'",
            ),
            ("quality", "invalid_enum_value", f"Invalid enum value. Expected {qualities}, received 'ultra'"),
            ("safe_mode", "invalid_type", "Expected boolean, received number"),
            ("", "unrecognized_keys", "Unrecognized key(s) in object: 'seed', 'format'"),
        ]
    )
    assert balance(reply) == "100"


@pytest.mark.rules("EDIT-PRM-004", "EDIT-ASP-008", "EDIT-RES-004")
def test_a_model_s_own_faults_are_told_together(client: Client) -> None:
    reply = edit(client, model="wan-2-7-pro-edit", prompt="a" * 5001, aspect_ratio="16:9", resolution="4K")
    assert faults(reply) == [
        ("aspect_ratio", "custom", "Aspect ratio 16:9 is not supported by model wan-2-7-pro-edit. Supported: auto"),
        ("resolution", "custom", "Resolution 4K is not supported by model wan-2-7-pro-edit. Supported: 1K, 2K"),
        ("prompt", "custom", "Prompt exceeds the maximum length of 5000 characters for model wan-2-7-pro-edit"),
    ]  # fmt: skip


# --- prompt ----------------------------------------------------------------------------------------------


@pytest.mark.rules("EDIT-PRM-004")
@pytest.mark.parametrize("model", MODELS)
def test_a_prompt_of_the_model_s_limit_is_accepted_and_one_character_more_is_not(
    fast: Client, contract: Contract, model: str
) -> None:
    limit = prompt_limit(contract, model)
    assert understood(edit(fast, model=model, prompt="p" * limit)).prompt_length == limit
    field, code, message = fault(edit(fast, model=model, prompt="p" * (limit + 1)))
    assert field == "prompt"
    if limit == contract.edition.limits.prompt_max:
        assert (code, message) == ("too_big", f"String must contain at most {limit} character(s)")
    else:
        assert code == "custom"
        assert message == f"Prompt exceeds the maximum length of {limit} characters for model {model}"


@pytest.mark.rules("EDIT-PRM-005")
def test_length_is_counted_in_utf_16_units_and_blanks_count(fast: Client) -> None:
    for fits in ("a" * 1498 + "🌇", "é" * 1500, "🌇" * 750, " " * 1500, "a\u0301" * 750):
        assert understood(edit(fast, prompt=fits)).prompt_length == len(fits)
    for longer in ("a" * 1499 + "🌇", "🌇" * 751, "a" * 1500 + " ", "\n" + "a" * 1500):
        assert fault(edit(fast, prompt=longer))[:2] == ("prompt", "custom")


@pytest.mark.rules("EDIT-PRM-006")
def test_any_text_arrives_alike_as_json_and_as_a_form(make_client: MakeClient) -> None:
    client = make_client(engine="fast", edition=str(TEST_EDITION), balance=Decimal(100_000))
    small: dict[str, Any] = {
        "image": IMAGE,
        "model": "same-size-edit",
    }  # a small picture out, so that many can be made

    @settings(max_examples=250, deadline=None, database=None)
    @given(st.text(min_size=1, max_size=300))
    @example("עברית العربية 日本語 ไทย 🏳️‍🌈 ǎ̲")
    @example("\0 \x1b[31m \u202e \ufeff \x7f")
    @example("line\r\nline\n--edge\r\n")
    @example("--edge--")
    @example('"; name="image')
    @example("\U0010ffff" * 300)
    def check(prompt: str) -> None:
        escaped = client.edit(**small, prompt=prompt)
        raw = client.send(json.dumps({**small, "prompt": prompt}, ensure_ascii=False).encode())
        form = client.send(
            form_body([*small.items(), ("prompt", prompt)], "a-rarer-boundary"),
            content_type="multipart/form-data; boundary=a-rarer-boundary",
        )
        said = understood(escaped)
        assert said == understood(raw) == understood(form)
        assert said.prompt == prompt
        assert said.prompt_length == len(prompt)
        assert said.prompt_sha256 == hashlib.sha256(prompt.encode()).hexdigest()

    check()


@pytest.mark.rules("EDIT-PRM-006")
@pytest.mark.parametrize("escape", [r"\ud800", r"\udfff\ud800", r"a\udc00b"])
def test_a_lone_surrogate_is_no_server_error(fast: Client, escape: str) -> None:
    reply = fast.send(f'{{"image":"{IMAGE}","prompt":"{escape}"}}'.encode())
    says(reply, 400, {"error": "Invalid JSON request"})


@pytest.mark.rules("EDIT-PRM-007")
@pytest.mark.parametrize("blank", [" ", "\n", "\t \u3000"])
def test_a_prompt_of_blanks_is_accepted_as_it_is(fast: Client, blank: str) -> None:
    assert understood(edit(fast, prompt=blank)).prompt == blank


@pytest.mark.rules("EDIT-PRM-006")
def test_a_long_prompt_is_kept_in_part_and_known_by_its_hash(fast: Client) -> None:
    prompt = "日本" * 16_384
    for output_format in ("png", "jpeg", "webp"):
        reply = edit(fast, prompt=prompt, model="nano-banana-pro-edit", output_format=output_format)
        said = understood(reply)
        assert (said.prompt, said.prompt_length) == (prompt[:1000], 32_768)
        assert said.prompt_sha256 == hashlib.sha256(prompt.encode()).hexdigest()


# --- model -----------------------------------------------------------------------------------------------


@pytest.mark.rules("EDIT-MOD-001")
@pytest.mark.parametrize(
    ("behavior", "model"), [("documented", "qwen-edit"), ("observed", "firered-image-edit")]
)
def test_a_request_without_model_is_served_by_the_default(
    make_client: MakeClient, behavior: str, model: str
) -> None:
    reply = edit(make_client(behavior=behavior, engine="fast"))
    assert picture(reply)
    assert reply.headers["x-venice-model-id"] == understood(reply).model == model
    assert balance(reply) == "99.96"


@pytest.mark.rules("EDIT-MOD-002", "EDIT-MOD-009")
@pytest.mark.parametrize("key", ["model", "modelId"])
def test_every_model_can_be_chosen_under_either_name_and_is_told(
    fast: Client, contract: Contract, key: str
) -> None:
    for model in contract.inpaint_models:
        reply = edit(fast, **{key: model.id})
        assert understood(reply).model == reply.headers["x-venice-model-id"] == model.id
        assert reply.headers["x-venice-model-name"] == model.name


@pytest.mark.rules("EDIT-MOD-002")
def test_model_id_alone_chooses_the_model_and_its_price(fast: Client) -> None:
    reply = fast.form(
        [("image", PNG), ("prompt", "a test"), ("modelId", "grok-imagine-edit"), ("resolution", "2K")]
    )
    assert reply.headers["x-venice-model-id"] == "grok-imagine-edit"
    assert understood(reply).price_usd == "0.06"
    assert balance(reply) == "99999.94"


@pytest.mark.rules("EDIT-MOD-003")
def test_model_goes_before_model_id(fast: Client) -> None:
    for first, second in (("qwen-edit", "firered-image-edit"), ("firered-image-edit", "qwen-edit")):
        reply = edit(fast, modelId=second, model=first)
        assert reply.headers["x-venice-model-id"] == first


@pytest.mark.rules("EDIT-MOD-004")
@pytest.mark.parametrize("model_id", ["nope", "GPT-IMAGE-2-EDIT", " qwen-edit", "qwen-image"])
def test_a_model_id_outside_the_list_is_refused_even_beside_a_good_model(
    client: Client, model_id: str
) -> None:
    ids = " | ".join(f"'{model}'" for model in MODELS)
    message = f"Invalid enum value. Expected {ids}, received '{model_id}'"
    for reply in (edit(client, modelId=model_id), edit(client, modelId=model_id, model="qwen-edit")):
        assert fault(reply) == ("modelId", "invalid_enum_value", message)
        assert reply.json["issues"][0]["options"] == MODELS


@pytest.mark.rules("EDIT-MOD-005", "EDIT-MOD-011", "EDIT-MOD-012")
@pytest.mark.parametrize("model", ["nope", "Qwen-Edit", "QWEN-EDIT", "qwen-edit ", "qwen_edit", "\0", "🦄"])
def test_an_unknown_model_is_not_found_in_either_encoding(client: Client, model: str) -> None:
    for reply in (
        edit(client, model=model),
        client.form([("image", PNG), ("prompt", "a test"), ("model", model)]),
    ):
        says(reply, 404, NOT_FOUND)
        assert balance(reply) == "100"


@pytest.mark.rules("EDIT-MOD-006")
@pytest.mark.parametrize("model", ["painter", "talker", "filmer", "enlarger"])
def test_a_model_of_another_type_cannot_edit(make_client: MakeClient, model: str) -> None:
    client = make_client(edition=str(TEST_EDITION))
    says(edit(client, model=model), 404, NOT_FOUND)
    assert fault(edit(client, modelId=model))[:2] == ("modelId", "invalid_enum_value")


@pytest.mark.rules("EDIT-MOD-007")
@pytest.mark.parametrize("key", ["model", "modelId"])
def test_an_empty_model_is_refused_under_either_name(client: Client, key: str) -> None:
    for reply in (edit(client, **{key: ""}), client.form([("image", PNG), ("prompt", "a test"), (key, "")])):
        assert fault(reply) == (key, "too_small", "String must contain at least 1 character(s)")


@pytest.mark.rules("EDIT-MOD-008")
def test_the_schema_and_the_catalogue_name_the_same_models(client: Client) -> None:
    listed = [row["id"] for row in client.get("/api/v1/models?type=inpaint").json["data"]]
    options = edit(client, modelId="nope").json["issues"][0]["options"]
    assert sorted(listed) == sorted(options)
    assert len(listed) == len(set(listed)) == 15


DEPRECATION = {
    "x-venice-deprecated": "true",
    "x-venice-model-deprecation-warning": "Retiring Edit will be retired on 2026-09-01. Use qwen-edit instead.",
    "x-venice-model-deprecation-date": "2026-09-01T00:00:00.000Z",
    "x-venice-deprecated-replacement": "qwen-edit",
}


@pytest.mark.rules("EDIT-MOD-010")
def test_a_deprecated_model_says_so_in_four_headers_and_a_living_one_in_none(make_client: MakeClient) -> None:
    client = make_client(edition=str(TEST_EDITION), engine="fast")
    retiring, living = edit(client, model="retiring-edit"), edit(client, model="qwen-edit")
    assert size(retiring) == size(living) == (1024, 1024)
    assert {name: retiring.headers.get(name) for name in DEPRECATION} == DEPRECATION
    assert not set(DEPRECATION) & set(living.headers)
