"""Body syntax: JSON objects and multipart forms, in whatever chunks they come."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import random
import tracemalloc
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgi import form_body
from venice_mock.edit.fields import (
    BadSyntax,
    FileTooLarge,
    FormText,
    RawFields,
    Text,
    Upload,
    fields_of_form,
    fields_of_json,
)
from venice_mock.edit.source import decode_text

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def parse_form(body: bytes, boundary: str = "edge", cuts: int = 1 << 20, limit: int = 1000) -> RawFields:
    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(body), cuts):
            yield body[start : start + cuts]

    content_type = f"multipart/form-data; boundary={boundary}"
    return asyncio.run(fields_of_form(chunks(), content_type, max_file_bytes_exclusive=limit))


@pytest.mark.rules("EDIT-HTTP-001", "EDIT-PRM-006")
@given(st.dictionaries(st.text().filter(lambda k: k != "image"), JSON_VALUES, max_size=5))
def test_a_json_object_comes_back_member_by_member(members: dict[str, object]) -> None:
    # Of a container it is only known that it is one: no field takes any.
    known = {
        key: type(value)() if isinstance(value, list | dict) else value for key, value in members.items()
    }
    assert fields_of_json(json.dumps(members, ensure_ascii=True).encode()) == known
    assert fields_of_json(json.dumps(members, ensure_ascii=False).encode("utf-8")) == known


@pytest.mark.rules("EDIT-IMG-002")
@pytest.mark.parametrize("written", ['"YWJj\\/w=="', '"YWJj/w=="', '"\\u0059WJj/w=="'])
def test_the_image_string_is_the_same_with_and_without_json_escapes(written: str) -> None:
    image = fields_of_json(b'{"image":' + written.encode() + b"}")["image"]
    assert isinstance(image, Text)
    assert bytes(image.data) == b"YWJj/w=="


LONG = base64.b64encode(random.Random(7).randbytes(60_000)).decode()


def image_of(body: bytes | bytearray) -> bytes | None:
    """The picture that a JSON body brings, however it is read; None where its image is no text."""
    image = fields_of_json(body)["image"]
    return (image.file or decode_text(image.data)) if isinstance(image, Text) else None


@pytest.mark.rules("EDIT-IMG-002")
@pytest.mark.parametrize("start", ["", "data:image/png;base64,", "DATA:;charset=x y;Base64,"])
@pytest.mark.parametrize("order", [("image", "prompt", "seed"), ("seed", "prompt", "image")])
def test_a_long_picture_is_read_without_a_parser_and_the_members_beside_it_are_the_same(
    start: str, order: tuple[str, ...]
) -> None:
    said = {"image": start + LONG, "prompt": 'a "quote", a \\ and a \n', "seed": [1, {"image": 2}]}
    fields = fields_of_json(bytearray(json.dumps({name: said[name] for name in order}).encode()))
    image = fields["image"]
    assert isinstance(image, Text)
    assert image.file == base64.b64decode(LONG)
    assert bytes(image.data).decode() == (start + LONG)[: len(image.data)]
    assert list(fields) == list(order)
    assert (fields["prompt"], fields["seed"]) == (said["prompt"], [])


@pytest.mark.rules("EDIT-IMG-002")
@pytest.mark.parametrize(
    "written",
    [
        LONG.replace("/", "\\/"),
        f"{LONG[:-5]}\\u00{ord(LONG[-5]):02x}{LONG[-4:]}",
        LONG.replace("+", "-").replace("/", "_"),
        f"{LONG[:50_000]} {LONG[50_000:]}",
        f"data:image\\/png;base64,{LONG}",
        f"data:image/\u00e9;base64,{LONG}",
    ],
    ids=["slashes", "one escape", "url-safe", "a space", "escaped type", "accent"],
)
def test_a_long_picture_that_is_written_in_another_way_is_the_same_picture(written: str) -> None:
    body = f'{{"prompt":"x","image":"{written}"}}'.encode()
    assert image_of(body) == base64.b64decode(LONG)


@pytest.mark.rules("EDIT-HTTP-013", "EDIT-IMG-007")
def test_only_the_image_itself_is_taken_for_the_picture_however_long_other_values_are() -> None:
    assert fields_of_json(json.dumps({"prompt": LONG}).encode()) == {"prompt": LONG}
    assert fields_of_json(json.dumps({LONG: "x", "prompt": "y"}).encode()) == {LONG: "x", "prompt": "y"}
    assert fields_of_json(json.dumps({"image": {"image": LONG}}).encode()) == {"image": {}}
    twice = f'{{"image":"{LONG}","image":"QUJD"}}'.encode()
    assert image_of(twice) == b"ABC"
    assert image_of(twice.replace(b"QUJD", LONG.encode()).replace(LONG.encode(), b"QUJD", 1)) == (
        base64.b64decode(LONG)
    )
    word = json.dumps({"image": "~the picture~", "prompt": LONG}).encode()  # ours, for what was cut out
    assert fields_of_json(word)["prompt"] == LONG
    assert bytes(fields_of_json(word)["image"].data) == b"~the picture~"
    assert image_of(json.dumps({"prompt": "~the picture~", "image": LONG}).encode()) == base64.b64decode(LONG)


@pytest.mark.rules("EDIT-HTTP-006", "EDIT-HTTP-007")
@pytest.mark.parametrize(
    "body",
    [
        f'{{"image":"{LONG}',
        f'{{"image":"{LONG}"',
        f'{{"image":"{LONG}"}}}}',
        f'{{"image":{LONG}"}}',
        f'{{"image":"{LONG}\\"}}',
        f'{{"image":"{LONG[:-9]}\n{LONG[-8:]}"}}',
        f'{{"image":"data:\n;base64,{LONG}"}}',
        f'{{"image" "{LONG}":1}}',
        f'["image","{LONG}"]',
    ],
)
def test_bad_syntax_around_and_within_a_long_picture_is_still_found(body: str) -> None:
    with pytest.raises(BadSyntax):
        fields_of_json(body.encode())


@pytest.mark.rules("EDIT-IMG-007")
@pytest.mark.parametrize("value", [None, 5, [], {}, True])
def test_an_image_that_is_no_string_stays_the_value_it_is(value: object) -> None:
    assert fields_of_json(json.dumps({"image": value}).encode())["image"] == value


@pytest.mark.rules("EDIT-HTTP-013")
def test_the_last_of_equal_json_keys_counts() -> None:
    assert fields_of_json(b'{"prompt":"a","prompt":"b"}') == {"prompt": "b"}


@pytest.mark.rules("EDIT-HTTP-006", "EDIT-HTTP-007")
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"prompt":"x"',
        b'{"prompt":NaN}',
        b'{"prompt":Infinity}',
        b'{"prompt":1e999}',
        b'\xef\xbb\xbf{"prompt":"x"}',
        b'{"prompt":"\\ud800"}',
        b'{"image":"\\ud800"}',
        b'{"prompt":"\xff"}',
        b'{"\xff":1}',
        b'{"prompt":"a\nb"}',
        b'{"prompt":"x"} trailing',
        b"{'prompt':'x'}",
        b'{"prompt":' + b"[" * 200_000 + b"]" * 200_000 + b"}",
        b"[]",
        b'"x"',
        b"1",
        b"null",
        b"true",
    ],
)
def test_what_is_no_json_object_is_bad_syntax(body: bytes) -> None:
    with pytest.raises(BadSyntax):
        fields_of_json(body)


@pytest.mark.rules("EDIT-HTTP-006")
@pytest.mark.parametrize(
    "body",
    [
        b'{"prompt":[' + b"[]," * 10_000_000 + b"[]]}",
        b"{" + b",".join(b'"%d":1' % number for number in range(2_000_000)) + b"}",
        b"{" + b'"a":1,' * 5_000_000 + b'"a":1}',
    ],
    ids=["containers", "keys", "one key"],
)
def test_a_flood_of_small_values_is_never_built(body: bytes) -> None:
    tracemalloc.start()
    try:
        with contextlib.suppress(BadSyntax):
            assert fields_of_json(body) == {"prompt": []}
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1 << 20  # built, it held up to 900 MB and stalled every other request


def test_an_object_of_more_members_than_any_client_sends_is_bad_syntax() -> None:
    with pytest.raises(BadSyntax):
        fields_of_json(json.dumps({f"k{number}": 1 for number in range(101)}).encode())


@pytest.mark.rules("EDIT-HTTP-006")
def test_two_hundred_levels_of_nesting_are_only_a_wrong_type() -> None:
    assert isinstance(fields_of_json(b'{"prompt":' + b"[" * 200 + b"]" * 200 + b"}")["prompt"], list)


@given(st.binary())
def test_no_bytes_whatever_break_the_json_reader(body: bytes) -> None:
    with contextlib.suppress(BadSyntax):
        assert isinstance(fields_of_json(body), dict)


@pytest.mark.rules("EDIT-HTTP-002", "EDIT-IMG-001", "EDIT-IMG-005")
@given(st.binary(max_size=300), st.text(), st.integers(1, 400))
def test_a_form_comes_back_part_by_part_however_it_is_cut(file: bytes, prompt: str, cuts: int) -> None:
    boundary = "a-boundary-that-no-draw-contains-7f3d"
    fields = parse_form(form_body([("image", file), ("prompt", prompt)], boundary), boundary, cuts)
    assert fields == {"image": Upload(bytearray(file)), "prompt": prompt}
    text = parse_form(form_body([("image", "QUJD")], boundary), boundary, cuts)["image"]
    assert isinstance(text, Text)
    assert bytes(text.data) == b"QUJD"


@pytest.mark.rules("EDIT-HTTP-011")
@pytest.mark.parametrize(("text", "boolean"), [("true", True), ("false", False), ("True", None), ("1", None)])
def test_form_text_spells_booleans_in_one_way(text: str, boolean: bool | None) -> None:
    assert FormText(text).as_boolean() is boolean


@pytest.mark.rules("EDIT-HTTP-013")
def test_the_last_of_equal_parts_counts() -> None:
    assert parse_form(form_body([("prompt", "a"), ("prompt", "b")])) == {"prompt": "b"}


GOOD = form_body([("prompt", "x"), ("image", b"abc")])


@pytest.mark.rules("EDIT-HTTP-008")
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no form at all",
        GOOD[:-4],
        GOOD.replace(b"--edge--", b"--other--"),
        GOOD.replace(b"name=", b"nome="),
        GOOD.replace(b"form-data", b"attachment"),
        GOOD.replace(b"Content-Disposition", b"Content Disposition"),
        GOOD.replace(b"\r\n\r\nx", b"\r\nx"),
        GOOD.replace(b"x\r\n", b"\xff\xfe\r\n", 1),
        form_body([("prompt", "x")] * 200),
        b"--edge\r\n" + b"A: b\r\n" * 500 + b"\r\n\r\n--edge--\r\n",
        b"--edge\r\nA: " + b"b" * 100_000 + b"\r\n\r\n\r\n--edge--\r\n",
    ],
)
def test_a_broken_form_is_bad_syntax(body: bytes) -> None:
    with pytest.raises(BadSyntax):
        parse_form(body)


@pytest.mark.rules("EDIT-HTTP-008")
@given(st.integers(0, len(GOOD) - 1), st.binary(max_size=3), st.integers(1, 50))
def test_no_damage_whatever_breaks_the_form_reader(place: int, instead: bytes, cuts: int) -> None:
    with contextlib.suppress(BadSyntax):
        parse_form(GOOD[:place] + instead + GOOD[place + 1 :], cuts=cuts)


@pytest.mark.rules("EDIT-HTTP-008")
@pytest.mark.parametrize(
    "content_type",
    [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=" + "b" * 5000,
        "multipart/form-data; charset=utf-8",
    ],
)
def test_a_form_without_a_usable_boundary_is_bad_syntax(content_type: str) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield GOOD

    with pytest.raises(BadSyntax):
        asyncio.run(fields_of_form(chunks(), content_type, max_file_bytes_exclusive=1000))


@pytest.mark.rules("EDIT-IMG-016")
def test_an_over_size_file_part_is_refused_while_it_arrives() -> None:
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        yield b'--edge\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n'
        while True:
            taken += 100
            yield b"x" * 100

    with pytest.raises(FileTooLarge):
        asyncio.run(
            fields_of_form(endless(), "multipart/form-data; boundary=edge", max_file_bytes_exclusive=1000)
        )
    assert taken == 1000
