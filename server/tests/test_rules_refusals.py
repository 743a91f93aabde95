"""The shape and wording of refusals: validation errors as Zod words them, and every sentence of the error table."""

from __future__ import annotations

from typing import Any

import pytest

from asgi import Client, Reply
from conftest import MakeClient
from rulekit import SMALL, TEST_EDITION, Clock, fields_at_fault, good, good_body, png, text_of
from venice_mock.contract import Contract

RATIOS = ["auto", "1:1", "3:2", "16:9", "21:9", "9:16", "2:3", "3:4", "4:5"]
STRING_BOUNDS = {"type": "string", "inclusive": True, "exact": False}


def refused(client: Client, **fields: Any) -> Reply:
    """The answer to exactly these fields; it must be a validation error of the vendor's shape."""
    reply = client.edit(**fields)
    assert reply.status == 400
    assert set(reply.json) == {"error", "details", "issues"}
    assert reply.json["error"] == "Invalid request parameters"
    told: dict[str, list[str]] = {}
    for issue in reply.json["issues"]:
        assert {"code", "path", "message"} <= set(issue)
        told.setdefault(issue["path"][0] if issue["path"] else "", []).append(issue["message"])
    root = told.pop("", [])
    assert reply.json["details"] == {
        "_errors": root,
        **{name: {"_errors": texts} for name, texts in told.items()},
    }
    return reply


def the_issue(reply: Reply) -> dict[str, Any]:
    (issue,) = reply.json["issues"]
    assert isinstance(issue, dict)
    return issue


@pytest.mark.rules("EDIT-ERR-006", "EDIT-ERR-002", "EDIT-ERR-003", "EDIT-ERR-013")
@pytest.mark.parametrize("field", ["prompt", "image"])
def test_a_missing_field_is_required(client: Client, field: str) -> None:
    fields = {name: value for name, value in good().items() if name != field}
    reply = refused(client, **fields)
    assert fields_at_fault(reply) == {field}
    assert the_issue(reply) == {
        "code": "invalid_type",
        "expected": "string",
        "received": "undefined",
        "path": [field],
        "message": "Required",
    }


@pytest.mark.rules("EDIT-ERR-007", "EDIT-ERR-002", "EDIT-ERR-003", "EDIT-ERR-013")
@pytest.mark.parametrize(
    ("field", "value", "expected", "received"),
    [
        ("prompt", 5, "string", "number"),
        ("prompt", None, "string", "null"),
        ("model", True, "string", "boolean"),
        ("safe_mode", "false", "boolean", "string"),
        ("safe_mode", 0, "boolean", "number"),
        ("aspect_ratio", 1, " | ".join(f"'{ratio}'" for ratio in RATIOS), "number"),
        ("output_format", [], "'jpeg' | 'png' | 'webp'", "array"),
    ],
)
def test_a_wrong_type_names_both_types(
    client: Client, field: str, value: Any, expected: str, received: str
) -> None:
    assert the_issue(refused(client, **good(**{field: value}))) == {
        "code": "invalid_type",
        "expected": expected,
        "received": received,
        "path": [field],
        "message": f"Expected {expected}, received {received}",
    }


@pytest.mark.rules("EDIT-ERR-008", "EDIT-ERR-003", "EDIT-ERR-013")
@pytest.mark.parametrize("field", ["prompt", "resolution", "model"])
def test_an_empty_string_is_too_small(client: Client, field: str) -> None:
    assert the_issue(refused(client, **good(**{field: ""}))) == {
        "code": "too_small",
        "minimum": 1,
        **STRING_BOUNDS,
        "path": [field],
        "message": "String must contain at least 1 character(s)",
    }


@pytest.mark.rules("EDIT-ERR-009", "EDIT-ERR-003", "EDIT-ERR-013")
@pytest.mark.parametrize(("field", "maximum"), [("prompt", 32768), ("resolution", 10)])
def test_a_string_past_its_length_is_too_big(client: Client, field: str, maximum: int) -> None:
    assert the_issue(refused(client, **good(**{field: "x" * (maximum + 1)}))) == {
        "code": "too_big",
        "maximum": maximum,
        **STRING_BOUNDS,
        "path": [field],
        "message": f"String must contain at most {maximum} character(s)",
    }
    longest = client.edit(**good(**{field: "x" * maximum}))  # the schema lets it pass; the model does not
    assert [issue["code"] for issue in longest.json["issues"]] == ["custom"]


@pytest.mark.rules("EDIT-ERR-010", "EDIT-ERR-003", "EDIT-ERR-013")
@pytest.mark.parametrize(
    ("field", "value", "options"),
    [
        ("aspect_ratio", "107:60", RATIOS),
        ("aspect_ratio", "", RATIOS),
        ("output_format", "gif", ["jpeg", "png", "webp"]),
        ("quality", "HIGH", ["low", "medium", "high"]),
    ],
)
def test_a_value_outside_its_list_names_the_list(
    client: Client, field: str, value: str, options: list[str]
) -> None:
    listed = " | ".join(f"'{option}'" for option in options)
    assert the_issue(refused(client, **good(**{field: value}))) == {
        "received": value,
        "code": "invalid_enum_value",
        "options": options,
        "path": [field],
        "message": f"Invalid enum value. Expected {listed}, received '{value}'",
    }


@pytest.mark.rules("EDIT-ERR-011", "EDIT-ERR-002", "EDIT-ERR-013")
@pytest.mark.parametrize("keys", [["n"], ["n", "mask"]])
def test_unknown_keys_are_told_together_at_the_root(client: Client, keys: list[str]) -> None:
    reply = refused(client, **good(**dict.fromkeys(keys, 1)))
    message = "Unrecognized key(s) in object: " + ", ".join(f"'{key}'" for key in keys)
    assert the_issue(reply) == {"code": "unrecognized_keys", "keys": keys, "path": [], "message": message}
    assert reply.json["details"] == {"_errors": [message]}


@pytest.mark.rules("EDIT-ERR-005", "EDIT-ERR-002", "EDIT-ERR-013")
def test_all_faults_of_a_request_are_told_in_one_answer(client: Client) -> None:
    reply = refused(
        client,
        image=5,
        model="",
        modelId="nope",
        aspect_ratio="107:60",
        resolution="x" * 11,
        output_format="tiff",
        quality=1,
        safe_mode="yes",
        n=1,
        mask="x",
    )
    assert fields_at_fault(reply) == {
        "_errors", "image", "prompt", "model", "modelId", "aspect_ratio", "resolution", "output_format", "quality",
        "safe_mode",
    }  # fmt: skip
    assert len(reply.json["issues"]) == 10
    unknown = [issue for issue in reply.json["issues"] if issue["code"] == "unrecognized_keys"]
    assert [issue["keys"] for issue in unknown] == [["n", "mask"]]


@pytest.mark.rules("EDIT-ERR-012", "EDIT-ERR-014", "EDIT-ERR-005", "EDIT-ERR-013")
def test_a_models_own_refusals_come_together_with_the_code_custom(client: Client) -> None:
    wrong = {"aspect_ratio": "16:9", "resolution": "2K", "prompt": "x" * 5001}
    reply = refused(client, **good(model="gpt-image-1-5-edit", **wrong))
    assert {(issue["code"], issue["path"][0]) for issue in reply.json["issues"]} == {
        ("custom", field) for field in wrong
    }
    for issue in reply.json["issues"]:
        assert set(issue) == {"code", "path", "message"}
        assert "gpt-image-1-5-edit" in issue["message"]
    for field, value in wrong.items():
        alone = refused(client, **good(**{"model": "gpt-image-1-5-edit", field: value}))
        assert fields_at_fault(alone) == {field}


@pytest.mark.rules("EDIT-ERR-001", "EDIT-ERR-016", "EDIT-ERR-003")
def test_a_form_gets_the_wording_of_json(client: Client) -> None:
    wrong = {"prompt": "", "aspect_ratio": "107:60", "safe_mode": "maybe", "n": "1"}
    as_json = refused(client, **good(**wrong))
    as_form = client.form([("image", SMALL), *wrong.items()])
    assert (as_form.status, as_form.body) == (as_json.status, as_json.body)
    bare = client.form([("prompt", "x")])
    assert bare.body == refused(client, prompt="x").body


# --- the error table -------------------------------------------------------------------------------------------

HUGE = png(10, 10).replace((10).to_bytes(4, "big") * 2, (50_000).to_bytes(4, "big") * 2)
TABLE: list[tuple[str, dict[str, Any], int, str, str | None]] = [
    ("AUTHENTICATION_FAILED", {"key": "mock_invalid_key"}, 401, "Authentication failed", None),
    (
        "AUTHENTICATION_FAILED_INACTIVE_KEY",
        {"key": "mock_inactive"},
        401,
        "Authentication failed - Pro subscription is inactive. Please upgrade your subscription to continue "
        "using the API",
        None,
    ),
    (
        "INSUFFICIENT_BALANCE",
        {"key": "mock_insufficient_balance"},
        402,
        "Insufficient USD or Diem balance to complete request. Visit https://venice.ai/settings/api to add "
        "credits.",
        None,
    ),
    (
        "API_KEY_USD_SPEND_LIMIT_EXCEEDED",
        {"key": "mock_spend_limit"},
        402,
        "API key USD spend limit exceeded. Your account may still have USD balance, but this API key has "
        "reached its configured USD spending limit.",
        None,
    ),
    (
        "API_ACCESS_DISABLED",
        {"key": "mock_disabled"},
        403,
        "API access has been disabled for this account. Please contact support@venice.ai",
        None,
    ),
    ("CORRUPTED_IMAGE", {"image": b"<html>"}, 400, "The image file is corrupted or unreadable", None),
    ("IMAGE_TOO_SMALL", {"image": png(255, 257)}, 400, "Image dimensions are too small", None),
    ("IMAGE_TOO_LARGE", {"image": HUGE}, 422, "Image dimensions exceed the maximum allowed.", None),
    ("MODEL_NOT_FOUND", {"model": "nope"}, 404, "Specified model not found", None),
    (
        "PAYLOAD_TOO_LARGE",
        {"image": bytes(26_214_400)},
        413,
        "File exceeds the maximum allowed size of 25 MB.",
        "PAYLOAD_TOO_LARGE",
    ),
    (
        "CONTENT_POLICY_VIOLATION",
        {"prompt": "plain gore"},
        422,
        "Your prompt violates the content policy of Venice.ai or the model provider",
        None,
    ),
    (
        "MODEL_OFFLINE",
        {"model": "sleeping-edit", "edition": str(TEST_EDITION)},
        503,
        "The model is temporarily offline. Please try again later.",
        None,
    ),
]


@pytest.mark.rules("EDIT-ERR-015", "EDIT-ERR-001")
@pytest.mark.parametrize(
    ("given", "status", "text", "code"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_a_named_error_has_its_status_its_sentence_and_a_code_only_where_the_table_shows_one(
    make_client: MakeClient, given: dict[str, Any], status: int, text: str, code: str | None
) -> None:
    settings = {field: given[field] for field in ("edition",) if field in given}
    fields = {field: value for field, value in given.items() if field not in ("key", "edition")}
    if isinstance(fields.get("image"), bytes):
        fields["image"] = text_of(fields["image"])
    reply = make_client(**settings).edit(**good(**fields), key=given.get("key", ""))
    assert reply.status == status
    assert reply.json == ({"error": text} if code is None else {"error": text, "code": code})
    assert reply.headers["content-type"] == "application/json"


@pytest.mark.rules("EDIT-ERR-015")
def test_the_rows_of_the_table_that_nothing_can_provoke_yet_are_as_published(contract: Contract) -> None:
    rest = {
        "API_KEY_DIEM_SPEND_LIMIT_EXCEEDED": (402, "API key DIEM spend limit exceeded.", None),
        "MODEL_OVERLOADED": (429, "The model is currently overloaded. Please try again later.", 30),
        "INFERENCE_FAILED": (500, "Inference processing failed", None),
        "IMAGE_EDIT_ERROR": (500, "Image edit failed", None),
        "UNKNOWN_ERROR": (500, "An unknown error occurred", None),
        "MODEL_AT_CAPACITY": (503, "The model is at capacity. Please try again later.", None),
        "REQUEST_TIMEOUT": (504, "The request took too long to complete and was timed-out.", None),
    }
    for name, (status, text, wait) in rest.items():
        row = contract.error(name)
        assert (row.status, row.code, row.retry_after_s) == (status, None, wait)
        assert row.text.startswith(text)
    shown = {row[0] for row in TABLE} | set(rest)
    elsewhere = {
        "INVALID_REQUEST", "PAYMENT_HEADER_NOT_ACCEPTED", "INVALID_CONTENT_TYPE", "INVALID_CONTENT_TYPE_OBSERVED",
        "RATE_LIMIT_EXCEEDED", "ERROR_BUDGET", "X402_CONCURRENCY_LIMIT",
    }  # fmt: skip
    assert set(contract.edition.errors) == shown | elsewhere


# --- limits ----------------------------------------------------------------------------------------------------


def limit_headers(reply: Reply) -> tuple[int, int, int]:
    names = ("limit", "remaining", "reset")
    limit, remaining, reset = (int(reply.headers[f"x-ratelimit-{name}-requests"]) for name in names)
    return limit, remaining, reset


@pytest.mark.rules("EDIT-RATE-001", "EDIT-RATE-005")
def test_the_twenty_first_request_of_a_minute_on_one_model_is_refused(make_client: MakeClient) -> None:
    clock = Clock()
    client = make_client(engine="fast", limits="real", wall_clock=clock)
    for number in range(20):
        clock.now += 1
        assert client.send(good_body()).status == 200, number
    reply = client.send(good_body())
    assert (reply.status, reply.json) == (429, {"error": "Rate limit exceeded"})
    assert reply.headers["retry-after"] == "41"  # the first of the minute was 19 s ago
    assert limit_headers(reply)[:2] == (20, 0)
    assert client.send(good_body(model="qwen-edit-uncensored")).status == 200
    assert client.send(good_body(), key="another-key").status == 200
    clock.now += 61
    assert client.send(good_body()).status == 200


@pytest.mark.rules("EDIT-RATE-001")
def test_who_waits_as_long_as_told_is_served_again(make_client: MakeClient) -> None:
    clock = Clock()
    client = make_client(engine="fast", limits="real", wall_clock=clock)
    for _ in range(20):
        assert client.send(good_body()).status == 200
        clock.now += 1
    reply = client.send(good_body())
    assert reply.status == 429
    clock.now += int(reply.headers["retry-after"])
    assert client.send(good_body()).status == 200


@pytest.mark.rules("EDIT-RATE-002")
@pytest.mark.parametrize(("behavior", "factor"), [("documented", 1), ("observed", 1000)])
def test_answers_report_the_limit_what_remains_and_when_it_resets(
    make_client: MakeClient, behavior: str, factor: int
) -> None:
    clock = Clock(1_800_000_000.0)
    client = make_client(engine="fast", behavior=behavior, wall_clock=clock)
    assert limit_headers(client.send(good_body())) == (20, 19, 1_800_000_060 * factor)
    clock.now += 10
    reply = client.send(good_body(prompt=""))  # refusals count and report as well
    assert limit_headers(reply) == (20, 18, 1_800_000_060 * factor)
    clock.now += 50
    assert limit_headers(client.send(good_body()))[1] == 18
    assert not [name for name in reply.headers if name.startswith("x-ratelimit") and name.endswith("tokens")]


@pytest.mark.rules("EDIT-RATE-003")
@pytest.mark.parametrize(("behavior", "tolerated"), [("documented", 20), ("observed", 50)])
def test_too_many_failures_block_the_caller_for_thirty_seconds(
    make_client: MakeClient, behavior: str, tolerated: int
) -> None:
    clock = Clock()
    client = make_client(engine="fast", behavior=behavior, limits="real", wall_clock=clock)
    for number in range(tolerated + 1):  # models of their own, so that the rate limit keeps out of it
        assert client.edit(**good(model=f"nope-{number}")).status == 404
    start = clock.now
    text = (
        f"Too many failed attempts (> {tolerated}) resulting in a non-success status code. "
        "Please wait 30s and try again."
    )
    for seconds in (0, 10, 29.5):  # to knock in between does not lengthen the block
        clock.now = start + seconds
        reply = client.send(good_body())
        assert (reply.status, reply.json) == (429, {"error": text})
        assert reply.headers["retry-after"] == str(-int(-(30 - seconds) // 1))
        told = {"x-ratelimit-remaining": "0", "x-ratelimit-resets": str(int((start + 30) * 1000))}
        for name, value in told.items():
            assert reply.headers.get(name) == (value if behavior == "observed" else None)
        assert client.send(good_body(), key="another-key").status == 200
    clock.now = start + 30
    assert client.send(good_body()).status == 200


@pytest.mark.rules("EDIT-RATE-003")
def test_failures_spread_over_more_than_thirty_seconds_block_nobody(make_client: MakeClient) -> None:
    clock = Clock()
    client = make_client(engine="fast", limits="real", wall_clock=clock)
    for number in range(60):
        clock.now += 1.6  # at most 19 in any 30 s
        assert client.edit(**good(model=f"nope-{number}")).status == 404
    assert client.send(good_body()).status == 200


@pytest.mark.rules("EDIT-RATE-006", "EDIT-RATE-002")
def test_unless_asked_the_mock_counts_and_refuses_no_one(make_client: MakeClient) -> None:
    client = make_client(engine="fast", wall_clock=Clock())
    for number in range(300):
        reply = client.send(good_body(prompt=""))
        assert reply.status == 400
        assert limit_headers(reply)[:2] == (20, max(0, 19 - number))
    assert client.send(good_body()).status == 200
