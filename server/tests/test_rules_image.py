"""Rules of the image input, through the endpoint: the ways in, and the limits of pixels and bytes."""

from __future__ import annotations

import asyncio
import base64
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote_from_bytes

import pytest

from asgi import App, Client, Reply, form_body
from edits import (
    CORRUPTED,
    FILE_LIMIT,
    OVER_25_MB,
    TOO_LARGE,
    TOO_SMALL,
    MakeClient,
    b64,
    balance,
    fault,
    faults,
    flat_png,
    padded_png,
    pixels,
    says,
    scene,
    scene_png,
    size,
    understood,
)
from pictures import saved
from venice_mock.app import create_app
from venice_mock.settings import Settings

PNG = scene_png()
NOT_AN_IMAGE = (
    "Image must be a file upload, a base64-encoded string or a URL starting with http:// or https://"
)


@pytest.fixture
def fast(make_client: MakeClient) -> Client:
    """A server whose pictures are flat cards: for tests of what is let in."""
    return make_client(engine="fast")


def as_form(client: Client, image: bytes | str) -> Reply:
    return client.form([("image", image), ("prompt", "a test")])


def as_json(client: Client, image: Any) -> Reply:
    return client.edit(image=image, prompt="a test")


def data_url(data: bytes, media_type: str = "image/png") -> str:
    return f"data:{media_type};base64,{b64(data)}"


# --- the ways in -----------------------------------------------------------------------------------------


@pytest.mark.rules("EDIT-IMG-001", "EDIT-IMG-002", "EDIT-IMG-004", "EDIT-IMG-005", "EDIT-IMG-035")
def test_one_picture_gives_the_same_pixels_as_upload_base64_data_url_and_text_part(client: Client) -> None:
    upload = as_form(client, PNG)
    assert size(upload) == (1264, 848)
    ways = {
        "base64 in JSON": as_json(client, b64(PNG)),
        "data URL in JSON": as_json(client, data_url(PNG)),
        "percent-encoded data URL": as_json(client, "data:image/png," + quote_from_bytes(PNG)),
        "base64 in a text part": as_form(client, b64(PNG)),
        "data URL in a text part": as_form(client, data_url(PNG)),
    }
    for way, reply in ways.items():
        assert pixels(reply) == pixels(upload), way
        assert understood(reply) == understood(upload), way
        assert reply.headers["x-venice-model-id"] == "qwen-edit"
    assert balance(ways["data URL in a text part"]) == "99.76"  # six edits at 0.04


@pytest.mark.rules("EDIT-IMG-004", "EDIT-IMG-024")
@pytest.mark.parametrize(
    "prefix",
    ["data:image/png;base64,", "data:image/webp;base64,", "DATA:text/html;BASE64,", "data:;base64,",
     "data:image/jpeg;name=a.jpg;base64,"],
)  # fmt: skip
def test_a_data_url_counts_for_its_bytes_and_not_for_the_type_it_claims(fast: Client, prefix: str) -> None:
    jpeg = saved(scene(), "JPEG")
    plain, dressed = as_json(fast, b64(jpeg)), as_json(fast, prefix + b64(jpeg))
    assert pixels(plain) == pixels(dressed)
    assert understood(dressed).input_sha256 == understood(plain).input_sha256


@pytest.mark.rules("EDIT-IMG-024")
def test_a_part_s_file_name_and_media_type_do_not_matter(fast: Client) -> None:
    jpeg = saved(scene(), "JPEG")
    body = form_body([("image", jpeg), ("prompt", "a test")])
    lying = body.replace(b'filename="picture"', b'filename="page.html"').replace(
        b"application/octet-stream", b"text/html"
    )
    assert lying != body
    reply = fast.send(lying, content_type="multipart/form-data; boundary=edge")
    assert pixels(reply) == pixels(as_form(fast, jpeg))


@pytest.mark.rules("EDIT-IMG-005")
@pytest.mark.parametrize("length", [1_000, (1 << 20) - 1, (1 << 20) + 1, 3_000_000])
def test_a_base64_text_part_may_be_of_any_length(fast: Client, length: int) -> None:
    data = padded_png(length * 3 // 4)
    reply = as_form(fast, b64(data))
    assert understood(reply).input_width == 256
    assert size(reply) == (1024, 1024)


@pytest.mark.rules("EDIT-IMG-006")
def test_a_request_without_image_is_refused_at_image_in_both_encodings(client: Client) -> None:
    for reply in (client.edit(prompt="a test"), client.form([("prompt", "a test")])):
        assert fault(reply) == ("image", "invalid_type", "Required")
        assert reply.json["issues"][0] == {
            "code": "invalid_type",
            "expected": "string",
            "received": "undefined",
            "path": ["image"],
            "message": "Required",
        }
        assert balance(reply) == "100"


@pytest.mark.rules("EDIT-IMG-007")
@pytest.mark.parametrize(
    ("value", "received"),
    [(None, "null"), (5, "number"), (True, "boolean"), ([b64(PNG)], "array"), ({"b64": b64(PNG)}, "object")],
)
def test_an_image_of_another_json_type_is_refused(client: Client, value: Any, received: str) -> None:
    assert fault(as_json(client, value)) == ("image", "invalid_type", f"Expected string, received {received}")


@pytest.mark.rules("EDIT-IMG-007")
def test_an_empty_image_is_refused_as_string_as_file_part_and_as_text_part(client: Client) -> None:
    for reply in (as_json(client, ""), as_form(client, b""), as_form(client, "")):
        assert fault(reply) == ("image", "too_small", "Image is empty")
    for nothing in ("data:image/png;base64,", "data:image/png,", "====", " "):
        assert fault(as_json(client, nothing)) == ("image", "custom", NOT_AN_IMAGE), nothing


@pytest.mark.rules("EDIT-IMG-008")
@pytest.mark.parametrize(
    "text",
    ["just some words!", "ftp://127.0.0.1/a.png", "file:///etc/hostname", "javascript:alert(1)",
     "//127.0.0.1/a.png", "data:image/png;base64,***", "http:/127.0.0.1/a.png", "héllo", "🖼", "a"],
)  # fmt: skip
def test_a_string_that_leads_to_no_picture_is_refused_at_image(client: Client, text: str) -> None:
    for reply in (as_json(client, text), as_form(client, text)):
        assert fault(reply) == ("image", "custom", NOT_AN_IMAGE)


@pytest.mark.rules("EDIT-IMG-027")
def test_base64_dialects_are_read_as_the_same_bytes(fast: Client) -> None:
    data = next(made for pad in range(100) if b64(made := padded_png(1_000 + pad)).endswith("="))
    standard = b64(data)
    dialects = {
        "line breaks": base64.encodebytes(data).decode(),
        "CRLF": base64.encodebytes(data).decode().replace("\n", "\r\n"),
        "blanks": "  " + standard.replace("A", "A ", 20) + " ",
        "URL-safe": base64.urlsafe_b64encode(PNG).decode(),
        "no padding": standard.rstrip("="),
    }
    assert set("-_") & set(dialects["URL-safe"])
    for name, text in dialects.items():
        for dialect in (text, "data:image/png;base64," + text):
            expected = PNG if name == "URL-safe" else data
            reply = as_json(fast, dialect)
            assert pixels(reply) == pixels(as_form(fast, expected)), name
    for rubbish in (standard + "!", standard[:-2] + "==" + "trailing words", standard + "\0"):
        assert faults(as_json(fast, rubbish))[0][0] == "image"


# --- pixels ----------------------------------------------------------------------------------------------


@pytest.mark.rules("EDIT-IMG-011", "EDIT-IMG-015")
@pytest.mark.parametrize("sides", [(256, 256), (64, 1024), (65536, 1), (1, 65536), (257, 256)])
def test_65536_pixels_are_enough_whatever_the_sides(fast: Client, sides: tuple[int, int]) -> None:
    said = understood(as_form(fast, flat_png(*sides)))
    assert (said.input_width, said.input_height) == sides


@pytest.mark.rules("EDIT-IMG-012", "EDIT-IMG-015", "EDIT-IMG-033")
@pytest.mark.parametrize("sides", [(255, 257), (181, 362), (1, 1), (65535, 1), (13, 5041)])
def test_fewer_pixels_are_refused_as_too_small(client: Client, sides: tuple[int, int]) -> None:
    reply = as_form(client, flat_png(*sides))
    says(reply, 400, TOO_SMALL)
    assert balance(reply) == "100"


@pytest.mark.rules("EDIT-IMG-013", "EDIT-IMG-015")
@pytest.mark.parametrize("sides", [(7680, 4320), (5760, 5760), (5759, 5761), (16, 2_073_600)])
def test_33177600_pixels_are_accepted_whatever_the_sides(fast: Client, sides: tuple[int, int]) -> None:
    said = understood(as_form(fast, flat_png(*sides)))
    assert (said.input_width, said.input_height) == sides


@pytest.mark.rules("EDIT-IMG-014", "EDIT-IMG-015", "EDIT-IMG-033")
@pytest.mark.parametrize("sides", [(7681, 4320), (5761, 5760), (33_177_601, 1), (1, 33_177_601)])
def test_one_pixel_more_is_refused_as_too_large(client: Client, sides: tuple[int, int]) -> None:
    reply = as_form(client, flat_png(*sides))
    says(reply, 422, TOO_LARGE)
    assert balance(reply) == "100"


@pytest.mark.rules("EDIT-IMG-009", "EDIT-IMG-033")
@pytest.mark.parametrize(
    "data",
    [
        b"hello, world",
        b"<!DOCTYPE html><html><body>404</body></html>",
        b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="512" height="512"/>',
        b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n",
        b"PK\x05\x06" + bytes(18),
        b"\0" * 1000,
        b"\x1f\x8b\x08" + bytes(30),
        b"\0\0\1\0\1\0\x10\x10" + bytes(60),  # ICO
    ],
)
def test_bytes_that_are_no_picture_are_refused_as_corrupted(client: Client, data: bytes) -> None:
    for reply in (as_form(client, data), as_json(client, b64(data)), as_json(client, data_url(data))):
        says(reply, 400, CORRUPTED)
        assert balance(reply) == "100"


# --- bytes -----------------------------------------------------------------------------------------------


@pytest.mark.rules("EDIT-IMG-005", "EDIT-IMG-017", "EDIT-IMG-018")
@pytest.mark.parametrize("file_size", [24_999_999, FILE_LIMIT - 1])
def test_a_file_below_the_limit_is_accepted_in_every_encoding(fast: Client, file_size: int) -> None:
    data = padded_png(file_size)
    text = b64(data)
    assert len(text) > 33_000_000
    sha = None
    for reply in (
        as_json(fast, text),
        as_json(fast, data_url(data)),
        as_form(fast, data),
        as_form(fast, text),
    ):
        said = understood(reply)
        assert size(reply) == (1024, 1024)
        assert said.input_sha256 == (sha := sha or said.input_sha256)


@pytest.mark.rules("EDIT-IMG-016", "EDIT-IMG-032")
def test_a_file_of_the_limit_is_refused_with_413_in_every_encoding(client: Client) -> None:
    data = padded_png(FILE_LIMIT)
    text = b64(data)
    for reply in (
        as_json(client, text),
        as_json(client, data_url(data)),
        as_form(client, data),
        as_form(client, text),
    ):
        says(reply, 413, OVER_25_MB)
        assert balance(reply) == "100"


class Taken:
    """Wraps an app and counts the body bytes that it asks for."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.bytes = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def counting() -> Any:
            message = await receive()
            self.bytes += len(message.get("body", b""))
            return message

        await self.app(scope, counting, send)


@pytest.fixture
def counted() -> Iterator[tuple[Client, Taken]]:
    """A client and the count of what its server took."""
    taken = Taken(create_app(Settings()))
    client = Client(taken)
    yield client, taken
    client.close()


@pytest.mark.rules("EDIT-IMG-016", "EDIT-IMG-032")
def test_an_upload_is_stopped_while_it_streams(counted: tuple[Client, Taken]) -> None:
    client, taken = counted
    head = form_body([("image", b"")]).partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    piece = bytes(1 << 16)
    chunks = [head + b"\x89PNG\r\n\x1a\n", *[piece] * 640]  # 40 MiB and no end
    says(client.send(chunks, content_type="multipart/form-data; boundary=edge"), 413, OVER_25_MB)
    assert FILE_LIMIT <= taken.bytes <= FILE_LIMIT + 2 * len(piece)


@pytest.mark.rules("EDIT-IMG-016")
def test_a_json_body_over_35_mib_is_stopped_while_it_streams(counted: tuple[Client, Taken]) -> None:
    client, taken = counted
    piece = b"A" * (1 << 16)
    says(client.send([b'{"prompt":"a test","image":"', *[piece] * 640]), 413, OVER_25_MB)
    assert 35 << 20 <= taken.bytes <= (35 << 20) + 2 * len(piece)


@pytest.mark.rules("EDIT-IMG-016")
def test_a_json_body_that_announces_its_excess_is_not_read_at_all(counted: tuple[Client, Taken]) -> None:
    client, taken = counted
    reply = client.send([b"{", b"}"], headers={"Content-Length": str(36 << 20)})
    says(reply, 413, OVER_25_MB)
    assert taken.bytes == 0


# --- many at once ----------------------------------------------------------------------------------------

PEAK = textwrap.dedent(
    """
    import asyncio, resource, sys
    sys.path.insert(0, sys.argv[1])
    from asgi import Client, form_body
    from edits import saved
    from PIL import Image
    from venice_mock.app import create_app
    from venice_mock.settings import Settings
    count, budget = int(sys.argv[2]), int(sys.argv[3])
    client = Client(create_app(Settings(engine="fast", max_inflight_pixels=budget, cache_bytes=0)))
    large = saved(Image.new("RGB", (7680, 4320), (9, 99, 199)), "PNG", compress_level=1)
    body = form_body([("image", large), ("prompt", "a test")])
    async def all_at_once():
        sent = (client.sending(body, "multipart/form-data; boundary=edge") for _ in range(count))
        return await asyncio.gather(*sent)
    statuses = [reply.status for reply in client.runner.run(all_at_once())]
    assert statuses == [200] * count, statuses
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
    """
)


def peak_mib(*arguments: object) -> int:
    command = [sys.executable, "-c", PEAK, str(Path(__file__).parent), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


@pytest.mark.rules("EDIT-IMG-034")
def test_the_largest_pictures_wait_for_each_other_and_memory_is_that_of_one() -> None:
    alone, together = peak_mib(1, 50_000_000), peak_mib(4, 50_000_000)
    assert together < alone + 60, (alone, together)


@pytest.mark.rules("EDIT-IMG-034")
def test_requests_that_pass_the_pixel_budget_wait_and_all_succeed(make_client: MakeClient) -> None:
    client = make_client(engine="fast", max_inflight_pixels=1_100_000, cache_bytes=0)
    body = form_body([("image", flat_png(512, 512)), ("prompt", "a test")])

    async def all_at_once() -> list[Reply]:
        sent = (client.sending(body, "multipart/form-data; boundary=edge") for _ in range(8))
        return await asyncio.gather(*sent)

    assert {size(reply) for reply in client.runner.run(all_at_once())} == {(1024, 1024)}
