"""What the rule tests share: small picture files of any size, and answers judged as a whole. No tests."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable, Mapping
from typing import Any

from PIL import Image

from asgi import Client, Reply
from pictures import SIGNATURE, one_bit_png, padded, saved
from venice_mock.edit.metadata import Understood, read_request

MakeClient = Callable[..., Client]  # the fixture make_client

INVALID = "Invalid request parameters"
CORRUPTED = {"error": "The image file is corrupted or unreadable"}
TOO_SMALL = {"error": "Image dimensions are too small"}
TOO_LARGE = {"error": "Image dimensions exceed the maximum allowed."}
OVER_25_MB = {"code": "PAYLOAD_TOO_LARGE", "error": "File exceeds the maximum allowed size of 25 MB."}
FILE_LIMIT = 26_214_400

_FORMATS = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP"}


def flat_png(width: int, height: int, *extra: bytes) -> bytes:
    """A 1-bit PNG of any size in a few kilobytes, in black; ``extra`` chunks go before the pixels."""
    data = one_bit_png(width, height)
    at = len(SIGNATURE) + 25  # behind the header
    return data[:at] + b"".join(extra) + data[at:]


def padded_png(file_size: int) -> bytes:
    """A valid 256x256 PNG of exactly ``file_size`` bytes."""
    return padded(one_bit_png(256, 256), file_size)


def scene(width: int = 320, height: int = 240) -> Image.Image:
    """Something to look at, with fine detail: two gradients under a checkerboard."""
    across, down = Image.linear_gradient("L").rotate(90), Image.linear_gradient("L")
    tiles = Image.frombytes("L", (2, 2), b"\x30\xd0\xd0\x30").resize((8, 8), Image.Resampling.NEAREST)
    board = Image.new("L", (256, 256))
    for x in range(0, 256, 8):
        for y in range(0, 256, 8):
            board.paste(tiles, (x, y))
    return Image.merge("RGB", (across, down, board)).resize((width, height), Image.Resampling.NEAREST)


def scene_png(width: int = 320, height: int = 240) -> bytes:
    """The scene as PNG."""
    return saved(scene(width, height), "PNG")


def b64(data: bytes) -> str:
    """Standard base64."""
    return base64.b64encode(data).decode("ascii")


def opened(reply: Reply) -> Image.Image:
    """The image of a 200 whose Content-Type, first bytes and format agree; its pixels are not decoded yet."""
    assert reply.status == 200, (reply.status, reply.body[:600])
    assert {
        "image/png": reply.body.startswith(SIGNATURE),
        "image/jpeg": reply.body.startswith(b"\xff\xd8\xff"),
        "image/webp": reply.body.startswith(b"RIFF") and reply.body[8:12] == b"WEBP",
    }[reply.headers["content-type"]], (reply.headers, reply.body[:16])
    return Image.open(io.BytesIO(reply.body), formats=[_FORMATS[reply.headers["content-type"]]])


def picture(reply: Reply) -> Image.Image:
    """The same, decoded to its last pixel."""
    image = opened(reply)
    image.load()
    return image


def pixels(reply: Reply) -> bytes:
    """The picture's colours, however the file keeps them."""
    return picture(reply).convert("RGB").tobytes()


def size(reply: Reply) -> tuple[int, int]:
    """Width and height of the answer's picture."""
    return picture(reply).size


def understood(reply: Reply) -> Understood:
    """What the server says in the picture that it understood."""
    opened(reply)
    return read_request(reply.body)


def balance(reply: Reply) -> str:
    """What the caller's account holds after the answer, in USD."""
    return reply.headers["x-venice-balance-usd"]


def faults(reply: Reply) -> list[tuple[str, str, str]]:
    """(field, code, message) of every issue of a 400, after checking that ``details`` says just the same."""
    assert reply.status == 400, (reply.status, reply.body[:600])
    body = reply.json
    assert list(body) == ["error", "details", "issues"], body
    assert body["error"] == INVALID
    details: dict[str, Any] = {"_errors": []}
    found = []
    for issue in body["issues"]:
        at = details
        if issue["path"]:
            (field,) = issue["path"]
            at = details.setdefault(field, {"_errors": []})
        at["_errors"].append(issue["message"])
        found.append((".".join(issue["path"]), issue["code"], issue["message"]))
    assert body["details"] == details
    return found


def fault(reply: Reply) -> tuple[str, str, str]:
    """The only issue of a 400."""
    (only,) = faults(reply)
    return only


def says(reply: Reply, status: int, body: Mapping[str, Any]) -> None:
    """The answer is exactly this status and this JSON, members in this order."""
    assert (reply.status, reply.body) == (status, json.dumps(body, separators=(",", ":")).encode()), (
        reply.status,
        reply.body[:600],
    )
