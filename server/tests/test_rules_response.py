"""What a 200 brings: a true picture without the input's metadata, the same for the same request, and its headers."""

from __future__ import annotations

import asyncio
import http.server
import io
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from asgi import Client, Reply
from conftest import MakeClient
from rulekit import EDIT, SMALL, TEST_EDITION, Clock, good, good_body, png, server_of, text_of, wire
from venice_mock.contract import load_contract
from venice_mock.edit.metadata import read_request
from venice_mock.edit.workshop import Workshop

MAGIC = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff", "image/webp": b"RIFF"}


def picture_of(reply: Reply) -> Image.Image:
    """The decoded picture of a 200 whose type is true to its bytes."""
    assert reply.status == 200, reply.body
    assert reply.body.startswith(MAGIC[reply.headers["content-type"]])
    picture = Image.open(io.BytesIO(reply.body))
    picture.load()
    assert Image.MIME[str(picture.format)] == reply.headers["content-type"]
    return picture


@pytest.mark.rules("EDIT-RSP-001")
@pytest.mark.parametrize("output_format", ["png", "jpeg", "webp", "jpg", None])
@pytest.mark.parametrize(
    ("ratio", "size"), [("1:1", (1024, 1024)), ("16:9", (1376, 768)), ("auto", (1024, 1024))]
)
def test_a_success_is_a_picture_of_its_tiers_size(
    client: Client, output_format: str | None, ratio: str, size: tuple[int, int]
) -> None:
    chosen = {} if output_format is None else {"output_format": output_format}
    reply = client.edit(**good(aspect_ratio=ratio, **chosen))
    assert picture_of(reply).size == size
    assert reply.headers["content-length"] == str(len(reply.body))
    assert reply.headers["x-venice-model-id"] == "qwen-edit"
    assert reply.headers["x-venice-model-name"] == "Qwen Edit 2511"
    assert reply.headers["x-venice-is-content-violation"] == "false"


@pytest.mark.rules("EDIT-RSP-001")
def test_content_length_is_true_on_the_wire(make_client: MakeClient) -> None:
    body = good_body()
    head = f"POST {EDIT} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer k\r\nConnection: close\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    top, _, picture = wire(make_client(engine="fast"), head.encode() + body).partition(b"\r\n\r\n")
    told = re.search(rb"(?i)\r\ncontent-length: (\d+)", top)
    assert told is not None
    assert int(told[1]) == len(picture)


def photograph() -> bytes:
    """A JPEG with a camera's name, a place and a comment."""
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "SecretCameraMaker", "SecretCameraModel"
    exif.get_ifd(0x8825).update({1: "N", 2: (47.0, 22.0, 33.0), 3: "E", 4: (8.0, 33.0, 1.0)})
    out = io.BytesIO()
    Image.new("RGB", (300, 300), (90, 140, 60)).save(out, "JPEG", exif=exif, comment=b"SecretComment")
    data = out.getvalue()
    assert Image.open(io.BytesIO(data)).getexif().get_ifd(0x8825)  # the place is really in it
    return data


@pytest.mark.rules("EDIT-RSP-002")
@pytest.mark.parametrize("output_format", ["png", "jpeg", "webp"])
def test_nothing_of_the_inputs_metadata_comes_out(client: Client, output_format: str) -> None:
    reply = client.edit(**good(image=text_of(photograph()), output_format=output_format))
    picture = picture_of(reply)
    assert b"Secret" not in reply.body
    assert not picture.getexif().get_ifd(0x8825)
    assert not {0x010F, 0x0110} & set(picture.getexif())
    assert "icc_profile" not in picture.info


@pytest.mark.rules("EDIT-RSP-003")
def test_equal_requests_give_equal_bytes_and_others_other_ones(make_client: MakeClient) -> None:
    first = make_client().edit(**good()).body
    assert make_client().edit(**good()).body == first
    assert make_client().edit(**good(), key="another-key").body == first
    others: list[dict[str, Any]] = [
        {"prompt": "make it cold"},
        {"prompt": "make it warm!"},
        {"model": "firered-image-edit"},
        {"image": text_of(png(shade=129))},
        {"image": text_of(png(256, 257))},
    ]
    pixels = [picture_of(make_client().edit(**good(**change))).tobytes() for change in others]
    pixels.append(picture_of(make_client(seed=5).edit(**good())).tobytes())
    pixels.append(picture_of(make_client().edit(**good())).tobytes())
    assert len(set(pixels)) == len(pixels)


# --- headers -------------------------------------------------------------------------------------------------


@pytest.mark.rules("EDIT-RSP-004")
def test_every_answer_of_the_api_has_the_stamp_and_the_time(make_client: MakeClient) -> None:
    client = make_client(engine="fast", wall_clock=Clock(1_781_883_156.236))
    replies = [
        client.edit(**good()),
        client.edit(**good(prompt="")),
        client.send(b"x", content_type="text/plain"),
        client.send(key=None),
        client.send(key="mock_invalid_key"),
        client.get("/api/v1/models"),
        client.get("/api/v1/nothing"),
        client.get("/api/v1/image/edit"),
    ]
    assert [reply.status for reply in replies] == [200, 400, 415, 402, 401, 200, 404, 405]
    for reply in replies:
        assert reply.headers["x-venice-version"] == "20260619.153236"
        assert reply.headers["x-venice-timestamp"] == "2026-06-19T15:32:36.236Z"
        assert datetime.fromisoformat(reply.headers["x-venice-timestamp"]).timestamp() == 1_781_883_156.236


@pytest.mark.rules("EDIT-RSP-005")
def test_answers_to_a_key_tell_its_balance_as_decimal_text(make_client: MakeClient) -> None:
    client = make_client(engine="fast")
    told = [client.edit(**good(**fields)) for fields in ({"prompt": ""}, {}, {"model": "nope"}, {})]
    assert [reply.headers["x-venice-balance-usd"] for reply in told] == ["100", "99.96", "99.96", "99.92"]
    assert {reply.headers["x-venice-balance-diem"] for reply in told} == {"0"}
    assert "x-balance-remaining" not in told[1].headers  # wallets only
    assert "x-venice-balance-usd" not in client.send(key=None).headers


@pytest.mark.rules("EDIT-RSP-005")
@pytest.mark.parametrize("dollars", ["100", "1000000", "0.000001", "5.10"])
def test_a_balance_never_turns_into_an_exponent(make_client: MakeClient, dollars: str) -> None:
    reply = make_client(balance=Decimal(dollars)).edit(**good(prompt=""))
    assert re.fullmatch(r"\d+(\.\d+)?", reply.headers["x-venice-balance-usd"])
    assert Decimal(reply.headers["x-venice-balance-usd"]) == Decimal(dollars)


@pytest.mark.rules("EDIT-RSP-006")
@pytest.mark.parametrize("output_format", ["png", "jpeg", "webp"])
def test_a_picture_tells_how_its_request_was_understood(client: Client, output_format: str) -> None:
    fields = {"aspect_ratio": "3:2", "output_format": output_format, "safe_mode": False}
    reply = client.edit(**good(prompt="añade un árbol 🌳", model="gpt-image-2-edit", quality="low", **fields))
    told = read_request(reply.body)
    assert told.prompt == "añade un árbol 🌳"
    assert (told.model, told.edition, told.behavior) == ("gpt-image-2-edit", "2026-06-19", "documented")
    assert (told.aspect_ratio, told.resolution, told.output_format) == ("3:2", "1K", output_format)
    assert (told.quality, told.safe_mode, told.price_usd) == ("low", False, "0.03")
    assert (told.width, told.height) == picture_of(reply).size
    assert (told.input_width, told.input_height) == (256, 256)
    with pytest.raises(ValueError, match="not a venice-mock picture"):
        read_request(SMALL)


# --- the same pixels everywhere --------------------------------------------------------------------------------

PROMPTS = ["make it a sunset", "remove the boat", "sketch", "add a red balloon", "grayscale", "night"]


async def all_of(client: Client) -> list[bytes]:
    replies = await asyncio.gather(*(client.sending(good_body(prompt=prompt)) for prompt in PROMPTS))
    return [reply.body for reply in replies]


@pytest.mark.rules("EDIT-RSP-007")
def test_one_thread_and_eight_make_the_same_pictures(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    for threads in (1, 8):
        monkeypatch.setattr(
            "venice_mock.app.Workshop", lambda pixels, n=threads, **more: Workshop(pixels, n, **more)
        )
        client = make_client(max_inflight_pixels=10**9)
        assert server_of(client).workshop._threads._max_workers == threads
        made.append(client.runner.run(all_of(client)))
    assert made[0] == made[1]
    assert len(set(made[0])) == len(PROMPTS)


FRESH = """
import hashlib, sys
sys.path.insert(0, sys.argv[1])
from asgi import Client
from venice_mock.app import create_app
from venice_mock.settings import Settings
client = Client(create_app(Settings()))
print(hashlib.sha256(client.send(sys.stdin.buffer.read()).body).hexdigest())
client.close()
"""


@pytest.mark.rules("EDIT-RSP-007")
def test_a_fresh_process_makes_the_same_picture(client: Client) -> None:
    import hashlib

    body = good_body(prompt="add a hat, warmer")
    command = [sys.executable, "-c", FRESH, str(Path(__file__).parent)]
    made = subprocess.run(command, input=body, capture_output=True, check=True, timeout=120)
    assert made.stdout.decode().strip() == hashlib.sha256(client.send(body).body).hexdigest()


class Shop(http.server.BaseHTTPRequestHandler):
    """Hands out the small picture."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(SMALL)))
        self.end_headers()
        self.wfile.write(SMALL)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def shop() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Shop) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/picture.png"
        server.shutdown()


@pytest.mark.rules("EDIT-RSP-007")
def test_the_way_the_picture_was_sent_plays_no_part(client: Client, shop: str) -> None:
    words: list[tuple[str, bytes | str]] = [("prompt", "make it warm")]
    made = [
        client.edit(**good()),
        client.edit(**good(image="data:image/png;base64," + text_of(SMALL))),
        client.edit(**good(image=shop)),
        client.form([("image", SMALL), *words]),
        client.form([*words, ("image", text_of(SMALL))]),
        client.form([*words, ("image", shop)]),
    ]
    assert [reply.status for reply in made] == [200] * 6
    assert len({reply.body for reply in made}) == 1


# --- every valid request ---------------------------------------------------------------------------------------

VALID = [
    (model.id, ratio, tier, output_format)
    for edition in ("2026-06-19", str(TEST_EDITION))
    for model in load_contract(edition).inpaint_models
    if model.constraints is not None and not model.offline
    for ratio in sorted({"auto", *model.constraints.aspect_ratios})
    for tier in model.constraints.resolutions or ("1K",)
    for output_format in ("png", "jpeg", "webp")
]


@st.composite
def input_sizes(draw: st.DrawFn) -> tuple[int, int]:
    """Sides of a legal picture, however narrow, of at most some 300,000 pixels so that thousands can be made."""
    width = draw(st.integers(2, 60_000))
    low, high = -(-65_536 // width), 300_000 // width
    height = draw(st.integers(low, max(low, high)))
    return (width, height) if draw(st.booleans()) else (height, width)


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, Client]]:
    from venice_mock.app import create_app
    from venice_mock.settings import Settings

    made: dict[str, Client] = {}
    opened = []
    for edition in ("2026-06-19", str(TEST_EDITION)):
        client = Client(create_app(Settings(edition=edition, engine="fast", balance=Decimal(10**6))))
        opened.append(client)
        made |= {model.id: client for model in load_contract(edition).inpaint_models}
    yield made
    for client in opened:
        client.close()


@pytest.mark.rules("EDIT-RSP-008", "EDIT-RSP-001")
@settings(max_examples=60, deadline=None)
@given(
    chosen=st.sampled_from(VALID),
    size=input_sizes(),
    quality=st.sampled_from([None, "low", "medium", "high"]),
)
def test_every_valid_request_can_be_painted_and_encoded(
    servers: dict[str, Client],
    chosen: tuple[str, str, str, str],
    size: tuple[int, int],
    quality: str | None,
) -> None:
    model, ratio, tier, output_format = chosen
    fields: dict[str, Any] = {"model": model, "aspect_ratio": ratio, "resolution": tier}
    fields |= {"output_format": output_format} | ({} if quality is None else {"quality": quality})
    reply = servers[model].edit(**good(image=text_of(png(*size)), **fields))
    if reply.status == 400:  # the one legal refusal: a model that keeps a size which the format cannot hold
        (issue,) = reply.json["issues"]
        assert (model, issue["path"]) == ("same-size-edit", ["output_format"])
        assert max(size) > {"webp": 16_383, "jpeg": 65_500}[output_format]
        return
    picture = picture_of(reply)
    told = read_request(reply.body)
    assert picture.size == (told.width, told.height)
    if model == "same-size-edit":
        assert picture.size == size
    else:
        factor = {"1K": 1, "2K": 2, "4K": 4}[tier]
        assert 0.3 <= picture.width * picture.height / (1024 * factor) ** 2 <= 2.0
