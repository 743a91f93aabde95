"""Transport: media types, syntax, sizes, slow and leaving clients, unknown paths and wrong methods."""

from __future__ import annotations

import gzip
from typing import Any

import pytest

from asgi import Client, Reply, form_body
from conftest import MakeClient
from rulekit import (
    EDIT,
    SMALL,
    fields_at_fault,
    good,
    good_body,
    png,
    text_of,
    wire,
)

KEY = "a-test-key"
ALLOWED = {200, 400, 401, 402, 403, 404, 413, 415, 422, 429, 500, 503, 504}
GOOD_PARTS: list[tuple[str, bytes | str]] = [("image", SMALL), ("prompt", "make it warm")]
OTHER_TYPES = [
    "text/plain",
    "application/x-www-form-urlencoded",
    "image/png",
    "application/xml",
    "application/octet-stream",
    "application/json5",
    "application/jsonlines",
    "text/json",
    "multipart/mixed; boundary=edge",
    "json",
    "",
    ";",
    "application/json, text/plain",
]


def is_png(reply: Reply) -> bool:
    return reply.headers["content-type"] == "image/png" and reply.body.startswith(b"\x89PNG\r\n\x1a\n")


@pytest.fixture
def fast(make_client: MakeClient) -> Client:
    return make_client(engine="fast")


# --- the two encodings -------------------------------------------------------------------------------------


@pytest.mark.rules("EDIT-HTTP-001")
def test_a_json_object_posted_to_the_edit_path_is_answered_with_a_picture(client: Client) -> None:
    reply = client.send(good_body(), path="/api/v1/image/edit")
    assert reply.status == 200
    assert is_png(reply)


@pytest.mark.rules("EDIT-HTTP-002", "EDIT-ERR-016")
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"prompt": ""},
        {"prompt": "x" * 32769},
        {"prompt": "x" * 1501},
        {"model": "nope"},
        {"model": ""},
        {"modelId": "nope"},
        {"aspect_ratio": "107:60"},
        {"model": "gpt-image-1-5-edit", "aspect_ratio": "16:9"},
        {"resolution": "4K"},
        {"resolution": "x" * 11},
        {"output_format": "gif"},
        {"quality": "ultra"},
        {"mask": "x"},
        {"mask": "x", "n": "1", "prompt": "", "quality": "best"},
        {"image": "no picture at all!"},
        {"image": text_of(png(10, 10))},
        {"image": text_of(png(broken=True))},
        {"image": ""},
    ],
    ids=str,
)
def test_a_form_is_judged_like_json(fast: Client, changes: dict[str, str]) -> None:
    as_json = fast.edit(**good(**changes))
    as_form = fast.form(list(good(**changes).items()))
    assert (as_json.status == 200) == (not changes)
    assert (as_form.status, as_form.body) == (as_json.status, as_json.body)
    for header in ("x-mock-rule", "content-type"):
        assert as_form.headers.get(header) == as_json.headers.get(header)


@pytest.mark.rules("EDIT-HTTP-002")
def test_the_picture_may_come_as_a_file_part(fast: Client) -> None:
    reply = fast.form(GOOD_PARTS)
    assert reply.status == 200
    assert reply.body == fast.edit(**good()).body


@pytest.mark.rules("EDIT-HTTP-003", "EDIT-HTTP-004")
@pytest.mark.parametrize("content_type", [*OTHER_TYPES, None])
@pytest.mark.parametrize(
    ("behavior", "status", "text"),
    [
        ("documented", 415, "Invalid request content-type"),
        ("observed", 400, "'Content-Type' must be 'application/json'"),
    ],
)
def test_any_other_media_type_or_none_is_refused(
    make_client: MakeClient, content_type: str | None, behavior: str, status: int, text: str
) -> None:
    client = make_client(behavior=behavior)
    reply = client.send(good_body(), content_type=content_type)
    assert reply.status == status
    assert reply.json == {"error": text}


@pytest.mark.rules("EDIT-HTTP-005")
@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "Application/JSON",
        "APPLICATION/JSON; CHARSET=UTF-8",
        "application/json;charset=utf-8",
        "application/json ; profile=x; q=1",
    ],
)
@pytest.mark.parametrize("behavior", ["documented", "observed"])
def test_json_is_recognised_in_any_letter_case_and_with_any_parameter(
    make_client: MakeClient, content_type: str, behavior: str
) -> None:
    client = make_client(engine="fast", behavior=behavior)
    assert is_png(client.send(good_body(), content_type=content_type))


@pytest.mark.rules("EDIT-HTTP-005")
@pytest.mark.parametrize(
    ("content_type", "boundary"),
    [
        ("multipart/form-data; boundary=edge", "edge"),
        ("Multipart/Form-Data; BOUNDARY=EdGe", "EdGe"),
        ('multipart/form-data; boundary="quoted"', "quoted"),
        ('multipart/form-data; boundary="with space: and colon"', "with space: and colon"),
        (f"multipart/form-data; boundary={'b' * 70}", "b" * 70),
        ("multipart/form-data; charset=utf-8; boundary=----WebKitFormBoundaryA1'()+_,-./", None),
        ("multipart/form-data;boundary=tight", "tight"),
    ],
)
def test_a_form_is_recognised_whatever_its_boundary(
    fast: Client, content_type: str, boundary: str | None
) -> None:
    boundary = boundary or "----WebKitFormBoundaryA1'()+_,-./"
    assert is_png(fast.send(form_body(GOOD_PARTS, boundary), content_type=content_type))


# --- syntax --------------------------------------------------------------------------------------------------

BROKEN_JSON = {
    "empty": b"",
    "truncated": good_body()[:-1],
    "cut in a string": good_body()[:40],
    "not a number": b'{"prompt": NaN, "image": "x"}',
    "infinity": b'{"prompt": -Infinity, "image": "x"}',
    "byte order mark": b"\xef\xbb\xbf" + good_body(),
    "utf-16": good_body().decode().encode("utf-16"),
    "invalid utf-8": b'{"prompt": "\xff\xfe", "image": "x"}',
    "trailing comma": b'{"prompt": "x",}',
    "single quotes": b"{'prompt': 'x'}",
    "comment": b'{"prompt": "x"} // done',
    "two objects": good_body() * 2,
    "form": b"prompt=x&image=y",
    "nested past all reason": b'{"prompt": ' + b"[" * 100_000,
}


@pytest.mark.rules("EDIT-HTTP-006", "EDIT-HTTP-019")
@pytest.mark.parametrize("body", BROKEN_JSON.values(), ids=BROKEN_JSON)
def test_a_body_that_is_no_json_gets_the_one_sentence(client: Client, body: bytes) -> None:
    reply = client.send(body)
    assert reply.status == 400
    assert reply.json == {"error": "Invalid JSON request"}


@pytest.mark.rules("EDIT-HTTP-006")
@pytest.mark.parametrize("depth", [200, 5_000])
def test_deep_nesting_is_a_wrong_value_or_a_syntax_error_but_no_crash(client: Client, depth: int) -> None:
    nested = b"[" * depth + b"]" * depth
    reply = client.send(b'{"image": "eA==", "prompt": ' + nested + b"}")
    assert reply.status == 400
    assert reply.json["error"] in ("Invalid request parameters", "Invalid JSON request")


@pytest.mark.rules("EDIT-HTTP-007")
@pytest.mark.parametrize("body", [b"[]", b'["image", "prompt"]', b'"text"', b"5", b"1.5", b"null", b"true"])
def test_json_that_is_no_object_is_refused(client: Client, body: bytes) -> None:
    reply = client.send(body)
    assert reply.status == 400
    assert reply.json == {"error": "Invalid JSON request"}


GOOD_FORM = form_body(GOOD_PARTS)
BROKEN_FORMS = {
    "no boundary named": (GOOD_FORM, "multipart/form-data"),
    "an empty boundary": (GOOD_FORM, "multipart/form-data; boundary="),
    "another boundary": (GOOD_FORM, "multipart/form-data; boundary=other"),
    "no terminator": (GOOD_FORM.removesuffix(b"--edge--\r\n"), None),
    "cut in the picture": (GOOD_FORM[:200], None),
    "cut in a header": (GOOD_FORM[:30], None),
    "no name": (GOOD_FORM.replace(b'; name="prompt"', b""), None),
    "no disposition": (GOOD_FORM.replace(b"Content-Disposition: form-data", b"X-Nothing: here"), None),
    "a header without a colon": (GOOD_FORM.replace(b"Content-Disposition:", b"Content Disposition "), None),
    "empty": (b"", None),
    "json": (good_body(), None),
    "noise": (bytes(range(256)) * 40, None),
    "a text that is no utf-8": (GOOD_FORM.replace(b"make it warm", b"make it \xff\xfe"), None),
    "a thousand parts": (form_body([("prompt", "x")] * 1000), None),
}


@pytest.mark.rules("EDIT-HTTP-008")
@pytest.mark.parametrize(("body", "content_type"), BROKEN_FORMS.values(), ids=BROKEN_FORMS)
def test_a_broken_form_is_refused(client: Client, body: bytes, content_type: str | None) -> None:
    reply = client.send(body, content_type=content_type or "multipart/form-data; boundary=edge")
    assert reply.status == 400
    assert reply.json == {"error": "Invalid multipart request"}


# --- keys and types ------------------------------------------------------------------------------------------

FOREIGN_KEYS = [
    "format", "mask", "images", "image_2", "n", "seed", "return_binary", "enhance_prompt", "size", "style",
    "disable_prompt_optimization_thinking", "negative_prompt", "response_format", "Prompt", "safeMode", "",
]  # fmt: skip


@pytest.mark.rules("EDIT-HTTP-009")
@pytest.mark.parametrize("key", FOREIGN_KEYS)
def test_a_key_that_the_edition_does_not_know_is_refused_by_name(client: Client, key: str) -> None:
    reply = client.edit(**good(**{key: "x"}))
    assert reply.status == 400
    message = f"Unrecognized key(s) in object: '{key}'"
    issue = {"code": "unrecognized_keys", "keys": [key], "path": [], "message": message}
    assert reply.json == {
        "error": "Invalid request parameters",
        "details": {"_errors": [message]},
        "issues": [issue],
    }


@pytest.mark.rules("EDIT-HTTP-009")
def test_quality_alone_has_a_story_of_its_own(make_client: MakeClient) -> None:
    assert make_client(engine="fast").edit(**good(quality="low")).status == 200
    reply = make_client(engine="fast", behavior="observed").edit(**good(quality="low"))
    assert reply.status == 400
    assert reply.json["details"]["_errors"] == ["Unrecognized key(s) in object: 'quality'"]


STRINGS = ["image", "prompt", "model", "modelId", "aspect_ratio", "resolution", "output_format", "quality"]
NO_STRINGS = {"number": 5, "boolean": False, "null": None, "array": ["x"], "object": {"x": 1}}
NO_BOOLEANS = {"number": 0, "string": "false", "null": None, "array": [], "object": {}}
WRONG_TYPES = [(field, kind, value) for field in STRINGS for kind, value in NO_STRINGS.items()] + [
    ("safe_mode", kind, value) for kind, value in NO_BOOLEANS.items()
]


@pytest.mark.rules("EDIT-HTTP-010", "EDIT-ERR-007")
@pytest.mark.parametrize(("field", "received", "value"), WRONG_TYPES)
def test_a_value_of_the_wrong_json_type_is_refused_and_never_converted(
    client: Client, field: str, received: str, value: Any
) -> None:
    reply = client.edit(**good(**{field: value}))
    assert reply.status == 400
    assert fields_at_fault(reply) == {field}
    (issue,) = reply.json["issues"]
    assert (issue["code"], issue["received"], issue["path"]) == ("invalid_type", received, [field])
    assert issue["message"] == f"Expected {issue['expected']}, received {received}"


@pytest.mark.rules("EDIT-HTTP-011")
@pytest.mark.parametrize("word", ["true", "false"])
def test_a_boolean_part_is_true_or_false(fast: Client, word: str) -> None:
    assert fast.form([*GOOD_PARTS, ("safe_mode", word)]).status == 200


@pytest.mark.rules("EDIT-HTTP-011", "EDIT-HTTP-012")
@pytest.mark.parametrize("word", ["maybe", "1", "0", "True", "FALSE", "yes", "no", "on", "", " true"])
def test_other_spellings_of_a_boolean_part_are_refused(client: Client, word: str) -> None:
    reply = client.form([*GOOD_PARTS, ("safe_mode", word)])
    assert reply.status == 400
    assert reply.json["details"] == {
        "_errors": [],
        "safe_mode": {"_errors": ["Expected boolean, received string"]},
    }


@pytest.mark.rules("EDIT-HTTP-013")
@pytest.mark.parametrize(("first", "second", "status"), [("low", "best", 400), ("best", "low", 200)])
def test_of_two_values_under_one_name_the_last_counts(
    fast: Client, first: str, second: str, status: int
) -> None:
    twice = good_body()[:-1] + f', "quality": "{first}", "quality": "{second}"}}'.encode()
    assert fast.send(twice).status == status
    assert fast.form([*GOOD_PARTS, ("quality", first), ("quality", second)]).status == status


# --- methods, paths, headers ---------------------------------------------------------------------------------


@pytest.mark.rules("EDIT-HTTP-014", "EDIT-HTTP-021")
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"])
def test_the_edit_path_takes_post_only(client: Client, method: str) -> None:
    reply = client.send(method=method, content_type=None)
    assert reply.status == 405
    assert reply.headers["allow"] == "POST"
    assert reply.json == {"error": "Method not allowed"}


@pytest.mark.rules("EDIT-HTTP-021")
@pytest.mark.parametrize(
    "path", ["models", "models/traits", "models/compatibility_mapping", "billing/balance", "openapi.json"]
)
@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_a_wrong_method_is_told_the_right_ones(client: Client, path: str, method: str) -> None:
    reply = client.send(method=method, path=f"/api/v1/{path}")
    assert reply.status == 405
    assert {name.strip() for name in reply.headers["allow"].split(",")} == {"GET", "HEAD"}
    assert reply.json == {"error": "Method not allowed"}


@pytest.mark.rules("EDIT-HTTP-020")
@pytest.mark.parametrize(
    "path", ["nothing", "image", "image/edit/", "image/edits", "models/", "Image/Edit", ""]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_unknown_path_is_a_json_404(client: Client, path: str, method: str) -> None:
    reply = client.send(good_body(), method=method, path=f"/api/v1/{path}")
    assert reply.status == 404
    assert reply.json == {"error": "Not found"}


@pytest.mark.rules("EDIT-HTTP-026")
@pytest.mark.parametrize("accept", ["*/*", "image/*", "image/png", "application/json", "text/html", "x"])
def test_no_accept_header_leads_to_406(fast: Client, accept: str) -> None:
    assert is_png(fast.edit(**good(), headers={"Accept": accept}))


@pytest.mark.rules("EDIT-HTTP-026")
def test_a_get_with_a_content_type_and_no_body_is_served(client: Client) -> None:
    plain = client.get("/api/v1/models")
    reply = client.send(method="GET", path="/api/v1/models", content_type="application/json")
    assert (reply.status, reply.body) == (200, plain.body)


def http_post(body: bytes, *lines: str) -> bytes:
    head = [
        f"POST {EDIT} HTTP/1.1", "Host: 127.0.0.1", f"Authorization: Bearer {KEY}",
        "Content-Type: application/json", "Connection: close", *lines,
    ]  # fmt: skip
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


@pytest.mark.rules("EDIT-HTTP-018")
def test_chunked_expected_and_compressed_bodies_work_or_end_cleanly(fast: Client) -> None:
    body = good_body()
    pieces = b"".join(b"%x\r\n%b\r\n" % (len(p), p) for p in (body[:7], body[7:900], body[900:]))
    chunked = wire(fast, http_post(pieces + b"0\r\n\r\n", "Transfer-Encoding: chunked"))
    assert chunked.startswith(b"HTTP/1.1 200 ")
    length = f"Content-Length: {len(body)}"
    expected = wire(fast, http_post(body, length, "Expect: 100-continue"))
    assert expected.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n").startswith(b"HTTP/1.1 200 ")
    packed = gzip.compress(body)
    refused = wire(fast, http_post(packed, f"Content-Length: {len(packed)}", "Content-Encoding: gzip"))
    assert refused.startswith(b"HTTP/1.1 400 ")
    assert refused.endswith(b'{"error":"Invalid JSON request"}')
