"""Files made to break a reader: each is answered with a clean refusal or an edit, fast, in bounded memory."""

from __future__ import annotations

import json
import random
import struct
import subprocess
import sys
import textwrap
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from asgi import Client, Reply
from edits import CORRUPTED, TOO_LARGE, MakeClient, b64, balance, flat_png, picture, says, scene, size
from pictures import SIGNATURE, chunk, saved

END = chunk(b"IEND", b"")


@pytest.fixture
def fast(make_client: MakeClient) -> Client:
    return make_client(engine="fast")


def answer(client: Client, data: bytes) -> Reply:
    return client.form([("image", data), ("prompt", "a test")])


def header(width: int, height: int, depth: int = 8, colour: int = 2) -> bytes:
    return SIGNATURE + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))


def is_clean(reply: Reply) -> None:
    """An edit of the right size, or the vendor's sentence on unreadable files."""
    if reply.status == 200:
        picture(reply)
    else:
        says(reply, 400, CORRUPTED)


FILES: dict[str, Callable[[], bytes]] = {
    "PNG": lambda: saved(scene(), "PNG"),
    "JPEG": lambda: saved(scene(), "JPEG", quality=90),
    "progressive JPEG": lambda: saved(scene(), "JPEG", progressive=True),
    "WEBP": lambda: saved(scene(), "WEBP"),
    "lossless WEBP": lambda: saved(scene(), "WEBP", lossless=True),
    "GIF": lambda: saved(scene(), "GIF"),
    "BMP": lambda: saved(scene(), "BMP"),
    "TIFF": lambda: saved(scene(), "TIFF", compression="tiff_lzw"),
    "AVIF": lambda: saved(scene(), "AVIF"),
}


# --- damage ----------------------------------------------------------------------------------------------


@pytest.mark.rules("EDIT-IMG-010", "EDIT-IMG-033")
@pytest.mark.parametrize("name", FILES)
def test_a_file_cut_at_any_tenth_is_refused_as_corrupted_and_costs_nothing(fast: Client, name: str) -> None:
    data = FILES[name]()
    for tenth in range(1, 10):
        reply = answer(fast, data[: len(data) * tenth // 10])
        says(reply, 400, CORRUPTED)
        assert balance(reply) == "100"
    assert answer(fast, data).status == 200


@pytest.mark.rules("EDIT-IMG-010")
@pytest.mark.parametrize("kind", [b"IHDR", b"IDAT", b"IEND", b"PLTE"])
def test_a_png_with_a_wrong_checksum_is_refused_as_corrupted(fast: Client, kind: bytes) -> None:
    data = bytearray(saved(scene().convert("P"), "PNG"))
    at = data.index(kind)
    length = int.from_bytes(data[at - 4 : at], "big")
    data[at + 4 + length] ^= 1
    says(answer(fast, bytes(data)), 400, CORRUPTED)


@pytest.mark.rules("EDIT-IMG-010")
def test_a_bit_turned_in_the_pixels_of_a_png_is_noticed(fast: Client) -> None:
    data = saved(scene(), "PNG")
    first, last = data.index(b"IDAT") + 4, data.rindex(b"IEND") - 8
    for at in range(first, last, (last - first) // 20):
        turned = bytearray(data)
        turned[at] ^= 16
        says(answer(fast, bytes(turned)), 400, CORRUPTED)


@pytest.mark.rules("EDIT-IMG-010")
@pytest.mark.parametrize(
    "data",
    [
        header(512, 512) + END,
        header(512, 512) + chunk(b"IDAT", b"") + END,
        header(512, 512) + chunk(b"IDAT", zlib.compress(bytes(1000))) + END,
        header(512, 512) + chunk(b"IDAT", b"no deflate") + END,
        header(512, 512)[:40],
        header(0, 512) + chunk(b"IDAT", zlib.compress(b"")) + END,
        header(512, 512, depth=3) + chunk(b"IDAT", zlib.compress(bytes(1000))) + END,
        SIGNATURE,
        b"\xff\xd8\xff",
        b"\xff\xd8\xff\xe0",
        b"\xff\xd8\xff\xd9",
        b"GIF89a" + struct.pack("<HHBBB", 512, 512, 0, 0, 0) + b";",
        b"RIFF\xff\xff\xff\xffWEBP",
        b"RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0" + bytes(4) + b"\xff\1\0\xff\1\0",
        b"BM" + bytes(60),
        b"II*\0\x08\0\0\0\0\0",
        b"MM\0*\xff\xff\xff\xff",
        b"\0\0\0\x1cftypavif" + bytes(40),
    ],
)
def test_a_header_without_a_picture_is_refused_as_corrupted(client: Client, data: bytes) -> None:
    reply = answer(client, data)
    says(reply, 400, CORRUPTED)
    assert balance(reply) == "100"


@pytest.mark.rules("EDIT-IMG-010", "EDIT-IMG-021")
@pytest.mark.parametrize("name", FILES)
def test_a_file_with_bytes_changed_anywhere_is_edited_or_refused_but_never_an_error(
    fast: Client, name: str
) -> None:
    data, chance = FILES[name](), random.Random(name)
    for _ in range(120):
        broken = bytearray(data)
        reach = len(broken) if chance.random() < 0.5 else 200
        for _ in range(chance.choice((1, 1, 3, 20))):
            broken[chance.randrange(min(reach, len(broken)))] = chance.randrange(256)
        reply = answer(fast, bytes(broken))
        assert reply.status in (200, 400, 422), reply.body
        if reply.status != 200:
            assert set(reply.json) == {"error"}


@pytest.mark.rules("EDIT-IMG-010")
def test_any_bytes_at_all_are_refused_cleanly(make_client: MakeClient) -> None:
    client = make_client(engine="fast")
    starts = st.sampled_from(
        [b"", SIGNATURE, header(512, 512), b"\xff\xd8\xff\xe0\0\x10JFIF\0", b"GIF89a", b"BM", b"II*\0", b"MM\0*",
         b"RIFF\x40\0\0\0WEBP", b"\0\0\0\x20ftypavif"]
    )  # fmt: skip

    @settings(max_examples=300, deadline=None, database=None)
    @given(starts, st.binary(min_size=1, max_size=400))
    def check(start: bytes, rest: bytes) -> None:
        reply = client.edit(image=b64(start + rest), prompt="a test")
        assert reply.status in (400, 422), (reply.status, reply.body)
        assert set(reply.json) == {"error"}

    check()


# --- far more than it weighs -----------------------------------------------------------------------------


def declared(name: str, side: int) -> bytes:
    """A small file whose header declares side x side pixels."""
    if name == "PNG":
        return header(side, side) + chunk(b"IDAT", zlib.compress(bytes(10_000))) + END
    if name == "GIF":
        return b"GIF89a" + struct.pack("<HHBBB", side, side, 0x80, 0, 0) + bytes(6) + b"," + struct.pack(
            "<HHHHB", 0, 0, side, side, 0
        ) + b"\2\1\x44\0;"  # fmt: skip
    if name == "BMP":
        info = struct.pack("<IiiHHIIiiII", 40, side, side, 1, 24, 0, 0, 0, 0, 0, 0)
        return b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + info
    if name == "JPEG":
        data = bytearray(saved(scene(), "JPEG"))
        at = data.index(b"\xff\xc0")
        data[at + 5 : at + 9] = struct.pack(">HH", side, side)
        return bytes(data)
    if name == "TIFF":
        data = bytearray(saved(scene(), "TIFF"))
        order = "<" if data[:2] == b"II" else ">"
        (first,) = struct.unpack_from(order + "I", data, 4)
        (count,) = struct.unpack_from(order + "H", data, first)
        for at in range(first + 2, first + 2 + 12 * count, 12):
            if struct.unpack_from(order + "H", data, at)[0] in (256, 257):
                struct.pack_into(order + "HII", data, at + 2, 4, 1, side)
        return bytes(data)
    raise ValueError(name)


@pytest.mark.rules("EDIT-IMG-014", "EDIT-IMG-028")
@pytest.mark.parametrize("side", [10_000, 50_000])
@pytest.mark.parametrize("name", ["PNG", "GIF", "BMP", "JPEG", "TIFF"])
def test_a_header_of_billions_of_pixels_is_refused_at_once(client: Client, name: str, side: int) -> None:
    begun = time.process_time()
    reply = answer(client, declared(name, side))
    assert time.process_time() - begun < 0.5
    says(reply, 422, TOO_LARGE)
    assert balance(reply) == "100"


def zeros(megabytes: int) -> bytes:
    """A whole zlib stream of so many million zeros, made of one block over and over: quick to make."""
    packer = zlib.compressobj(9)
    start = packer.compress(b"") + packer.flush(zlib.Z_FULL_FLUSH)
    million = bytes(1_000_000)
    block = packer.compress(million) + packer.flush(zlib.Z_FULL_FLUSH)
    check = 1
    for _ in range(megabytes):
        check = zlib.adler32(million, check)
    return start + block * megabytes + b"\x03\0" + struct.pack(">I", check)


def overfull_png(megabytes: int) -> bytes:
    """A 256x256 PNG whose data inflate to far more than its pixels need."""
    return header(256, 256, depth=8, colour=0) + chunk(b"IDAT", zeros(megabytes)) + END


def heavy_profile_png(megabytes: int) -> bytes:
    """A PNG whose colour profile and comment inflate to hundreds of megabytes."""
    packed = zeros(megabytes)
    return flat_png(256, 256, chunk(b"iCCP", b"x\0\0" + packed), chunk(b"zTXt", b"Comment\0\0" + packed))


@pytest.mark.rules("EDIT-IMG-028")
def test_data_past_the_declared_size_are_not_unpacked(fast: Client) -> None:
    assert len(zlib.decompress(zeros(2))) == 2_000_000
    bomb = overfull_png(400)
    begun = time.process_time()
    is_clean(answer(fast, bomb))
    assert time.process_time() - begun < 0.5


@pytest.mark.rules("EDIT-IMG-028")
def test_a_profile_and_a_text_that_inflate_without_end_are_left_alone(fast: Client) -> None:
    assert size(answer(fast, heavy_profile_png(300))) == (1024, 1024)


PEAK = textwrap.dedent(
    """
    import resource, sys
    sys.path.insert(0, sys.argv[1])
    import test_hostile_input as hostile
    from asgi import Client
    from venice_mock.app import create_app
    from venice_mock.settings import Settings
    client = Client(create_app(Settings(engine="fast")))
    assert hostile.answer(client, hostile.flat_png(256, 256)).status == 200
    files = [hostile.declared(name, 50_000) for name in ("PNG", "GIF", "BMP", "JPEG", "TIFF")]
    files += [hostile.overfull_png(100), hostile.overfull_png(100)[:-20]]
    files += [open(name, "rb").read() for name in sys.argv[2:]]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for file in files:
        reply = hostile.answer(client, file)
        assert reply.status in (200, 400, 422), reply
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
    """
)


@pytest.mark.rules("EDIT-IMG-028")
def test_memory_stays_bounded_whatever_a_header_declares(tmp_path: Path) -> None:
    made = {
        "profile": heavy_profile_png(200),
        "tall": flat_png(1, 40_000_000),
        "frames": saved(
            Image.new("P", (2000, 2000)),
            "GIF",
            save_all=True,
            append_images=[Image.new("P", (2000, 2000), 1)] * 50,
        ),
    }
    for name, data in made.items():
        (tmp_path / name).write_bytes(data)
    paths = [str(tmp_path / name) for name in made]
    command = [sys.executable, "-c", PEAK, str(Path(__file__).parent), *paths]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 60, done.stdout  # MiB; one 50,000 x 50,000 picture would be 7,500


@pytest.mark.rules("EDIT-IMG-009", "EDIT-IMG-010")
def test_a_picture_behind_other_bytes_or_inside_another_file_is_no_picture(client: Client) -> None:
    png = saved(scene(), "PNG")
    for data in (b"\0" + png, b"\r\n" + png, b"<html>" + png, b"GIF89a" + png, b"%PDF" + png):
        says(answer(client, data), 400, CORRUPTED)


@pytest.mark.rules("EDIT-IMG-009")
def test_bytes_after_the_end_of_a_png_do_no_harm(client: Client) -> None:
    png = saved(scene(), "PNG")
    polyglot = answer(client, png + b"PK\x05\x06" + bytes(18) + b"<script>alert(1)</script>")
    assert size(polyglot) == (1264, 848)
    assert b"script" not in polyglot.body


@pytest.mark.rules("EDIT-HTTP-017")
@pytest.mark.parametrize("field", ["aspect_ratio", "output_format", "quality", "modelId", "k" * 4_000_000])
def test_a_wrong_value_of_megabytes_is_not_told_back_whole(
    client: Client, field: str, caplog: pytest.LogCaptureFixture
) -> None:
    reply = client.send(json.dumps({"prompt": "x", "image": "x", field: "y" * 4_000_000}).encode())
    assert reply.status == 400
    assert len(reply.body) < 20_000
    assert all(len(value) < 2_000 for value in reply.headers.values())
    assert all(len(record.getMessage()) < 2_000 for record in caplog.records)
