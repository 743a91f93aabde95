"""Opening: what a file is by its header, and its pixels."""

from __future__ import annotations

import contextlib
import struct
import time
import tracemalloc
import zlib
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

import pictures
from venice_mock.edit.headers import MAX_RLE_BYTES
from venice_mock.edit.opening import ImageFault, Probe, decode, pixels_in_flight, probe

LOW, HIGH = 65_536, 33_177_600
KINDS = pictures.every_kind()
FILES = {name: make() for name, make in KINDS.items()}


def look(data: bytes | bytearray | memoryview, low: int = LOW, high: int = HIGH) -> Probe:
    return probe(data, min_pixels=low, max_pixels=high)


def read(data: bytes, cover: tuple[int, int] = (320, 256), low: int = LOW) -> Image.Image:
    return decode(data, look(data, low), cover=cover)


@contextlib.contextmanager
def peak_memory() -> Iterator[list[int]]:
    """The most bytes that Python held at once; known when the block ends."""
    peak = [0]
    tracemalloc.start()
    try:
        yield peak
    finally:
        peak[0] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()


def fault(data: bytes, low: int = LOW) -> str:
    with pytest.raises(ImageFault) as caught:
        read(data, low=low)
    return caught.value.kind


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_file_is_probed_and_becomes_plain_rgb(name: str) -> None:
    found = look(FILES[name])
    assert (found.width, found.height) == (320, 256)
    image = read(FILES[name])
    assert (image.mode, image.size, image.info, type(image)) == ("RGB", (320, 256), {}, Image.Image)


@pytest.mark.parametrize(
    "name", [k for k in KINDS if not any(w in k for w in ("grey", "bit", "alpha", "float"))]
)
def test_colours_survive_in_every_colour_kind(name: str) -> None:
    image = read(FILES[name])
    expected = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0)]
    if "rgba" in name or "transparent" in name:  # blue and yellow lie where the picture is opaque
        expected = expected[2:]
    places = [(12, 12), (308, 12), (308, 244), (12, 244)][-len(expected) :]
    tolerance = 60 if "rgba" in name else 40  # lossy; and a little see-through
    for place, colour in zip(places, expected, strict=True):
        pixel = pictures.pixel(image, place)
        assert max(abs(a - b) for a, b in zip(pixel, colour, strict=True)) < tolerance, (name, place, pixel)


@pytest.mark.parametrize("name", ["png 16 bit", "tiff 16 bit", "tiff float", "jpeg grey", "png 1 bit"])
def test_deep_and_grey_files_keep_their_tones(name: str) -> None:
    grey = pictures.scene().convert("L").convert("RGB")
    # A dithered picture has its tones in the average over some pixels.
    scale, limit = (16, 8.0) if "1 bit" in name else (1, 1.5)
    assert pictures.difference(read(FILES[name]).reduce(scale), grey.reduce(scale)) < limit


def test_transparent_pixels_are_flattened_on_white() -> None:
    clear = Image.new("RGBA", (256, 256), (255, 0, 0, 0))
    assert read(pictures.saved(clear, "PNG"), (256, 256)).getcolors() == [(65_536, (255, 255, 255))]
    transparent = FILES["png rgb transparent"]  # its red is declared transparent
    assert read(transparent).getpixel((12, 12)) == (255, 255, 255)


def test_the_first_frame_of_an_animation_counts() -> None:
    for name in ("gif animated", "webp animated"):
        assert pictures.difference(read(FILES[name]), pictures.scene()) < 14


@pytest.mark.parametrize("fmt", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied_alike_by_probe_and_decode(fmt: str, orientation: int) -> None:
    data = pictures.oriented(fmt, orientation)
    found = look(data)
    size = (256, 320) if orientation >= 5 else (320, 256)
    assert (found.width, found.height, found.orientation, found.stored) == (*size, orientation, (320, 256))
    image = decode(data, found, cover=size)
    assert image.size == size
    corners = {1: "rgby", 2: "gryb", 3: "byrg", 4: "ybgr", 5: "rybg", 6: "yrgb", 7: "bgry", 8: "gbyr"}[
        orientation
    ]
    named = {"r": (255, 0, 0), "g": (0, 255, 0), "b": (0, 0, 255), "y": (255, 255, 0)}
    w, h = size
    for place, letter in zip(((9, 9), (w - 9, 9), (w - 9, h - 9), (9, h - 9)), corners, strict=True):
        pixel = pictures.pixel(image, place)
        assert max(abs(a - b) for a, b in zip(pixel, named[letter], strict=True)) < 30, (orientation, letter)


def test_an_exif_chunk_behind_the_pixels_of_a_png_is_ignored() -> None:
    block = pictures.user_comment("mock:adult", orientation=6).removeprefix(b"Exif\0\0")
    data = pictures.with_chunk(pictures.png(), b"eXIf", block, after=b"IDAT")
    found = look(data)
    assert (found.width, found.height, found.orientation, found.adult) == (320, 256, 1, False)
    assert read(data).size == (320, 256)


def test_an_icc_profile_is_converted_and_a_broken_one_ignored() -> None:
    profile = pictures.swapped_profile()
    plain = pictures.scene()
    for fmt in ("PNG", "TIFF"):
        turned = read(pictures.saved(plain, fmt, icc_profile=profile))
        pixel = pictures.pixel(turned, (12, 12))
        assert pixel[1] > 200 > pixel[0], (fmt, pixel)  # red primaries read as green ones
        broken = pictures.saved(plain, fmt, icc_profile=b"no profile" * 20)
        assert read(broken).tobytes() == plain.tobytes()
    bomb = pictures.with_chunk(pictures.png(), b"iCCP", b"x\0\0" + zlib.compress(bytes(64 << 20)))
    assert read(bomb).tobytes() == plain.tobytes()


@pytest.mark.rules("EDIT-IMG-012")
def test_the_product_of_the_sides_is_judged_not_a_side() -> None:
    assert look(pictures.one_bit_png(256, 256)).width == 256
    assert look(pictures.one_bit_png(65_536, 1)).width == 65_536
    for size in ((255, 257), (65_535, 1), (1, 1)):
        with pytest.raises(ImageFault, match="too_small"):
            look(pictures.one_bit_png(*size))
    for size in ((7680, 4320), (5759, 5761)):
        assert look(pictures.one_bit_png(*size)).stored == size
    for size in ((7680, 4321), (5760, 5761), (50_000, 50_000)):
        with pytest.raises(ImageFault, match="too_large"):
            look(pictures.one_bit_png(8, 8, declared=size))


@pytest.mark.filterwarnings("error")
def test_a_huge_declared_size_is_refused_without_memory_or_warning() -> None:
    for data in (
        pictures.one_bit_png(8, 8, declared=(2**31 - 1, 2**31 - 1)),
        b"GIF89a"
        + struct.pack("<HHBBB", 65_535, 65_535, 0, 0, 0)
        + b","
        + struct.pack("<HHHHB", 0, 0, 9, 9, 0),
        FILES["webp animated"][:24] + b"\xff" * 6 + FILES["webp animated"][30:],
        b"BM" + bytes(12) + struct.pack("<IiiHHI", 40, 2**30, -(2**30), 1, 24, 0) + bytes(40),
    ):
        with peak_memory() as peak, pytest.raises(ImageFault, match="too_large"):
            look(data)
        assert peak[0] < 200_000


@pytest.mark.rules("EDIT-IMG-010")
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x89PNG",
        b"<!doctype html><html><body>not found</body></html>",
        b'<svg xmlns="http://www.w3.org/2000/svg" width="900" height="900"/>',
        b"%PDF-1.7",
        bytes(100_000),
        b"\xff" * 100_000,
        b"\0\0\0\x20ftypavif" + bytes(200),
        b"II*\0" + b"\xff" * 60,
        b"BM" + bytes(60),
        b"RIFF\x10\0\0\0WEBP",
    ],
)
def test_what_is_no_picture_is_corrupted(data: bytes) -> None:
    assert fault(data) == "corrupted"


def test_a_bit_flip_in_any_png_chunk_is_noticed() -> None:
    for kind in (b"IHDR", b"IDAT", b"IEND"):
        assert fault(pictures.with_broken_crc(pictures.png(), kind)) == "corrupted"


def test_bytes_behind_the_end_of_a_png_are_tolerated() -> None:
    assert read(pictures.png() + b"trailing rubbish").tobytes() == pictures.scene().tobytes()


def test_a_png_whose_pixels_inflate_past_its_size_costs_no_more_than_its_size() -> None:
    data = pictures.one_bit_png(60_000, 6_000, declared=(320, 256))
    started = time.thread_time()
    assert read(data).size == (320, 256)
    assert time.thread_time() - started < 1


@pytest.mark.parametrize("kind", [b"zTXt", b"iTXt"])
def test_texts_in_a_png_are_never_inflated(kind: bytes) -> None:
    bomb = (b"k\0\0" if kind == b"zTXt" else b"k\0\1\0\0\0") + zlib.compress(bytes(50 << 20), 9)
    data = pictures.png()
    for _ in range(3):
        data = pictures.with_chunk(data, kind, bomb)
    with peak_memory() as peak:
        assert read(data).size == (320, 256)
    assert peak[0] < 2_000_000


def test_headers_that_never_end_are_given_up_quickly() -> None:
    comments = b"\x21\xfe" + b"\x01a" * 400_000
    for data in (
        b"\xff\xd8" + b"\xff\xfe\0\2" * 500_000,
        b"\xff\xd8" + b"\xff" * 2_000_000,
        pictures.SIGNATURE
        + pictures.chunk(b"IHDR", pictures.png()[16:29])
        + pictures.chunk(b"abCd", b"") * 300_000,
        FILES["gif"][:13] + comments,
    ):
        started = time.thread_time()
        with pytest.raises(ImageFault, match="corrupted"):
            look(data)
        assert time.thread_time() - started < 1


def test_a_progressive_jpeg_with_hundreds_of_scans_is_refused() -> None:
    data = FILES["jpeg progressive"]
    start = data.rindex(b"\xff\xda")
    scan = data[start:-2]
    assert fault(data[:start] + scan * 200 + b"\xff\xd9") == "corrupted"


def test_directory_entries_that_overlap_do_not_multiply_memory() -> None:
    def tiff(extra: int) -> bytes:
        """A grey 300x300 TIFF with entries that all point at the same bytes."""
        values = {256: 300, 257: 300, 258: 8, 259: 1, 262: 1, 273: 60_000, 277: 1, 278: 300, 279: 90_000}
        entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in values.items())
        entries += b"".join(struct.pack("<HHII", 40_000 + i, 7, 90_000, 8) for i in range(extra))
        head = b"II*\0" + struct.pack("<IH", 8, len(values) + extra) + entries + bytes(4)
        return head.ljust(60_000, b"\0") + b"\x80" * 90_000

    assert read(tiff(0), (300, 300)).getcolors() == [(90_000, (128, 128, 128))]
    with pytest.raises(ImageFault, match="overlap"):
        look(tiff(1000))


def test_a_second_header_with_another_size_is_refused_before_memory_is_taken() -> None:
    second = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0)
    data = pictures.with_chunk(pictures.png(), b"IHDR", second)
    assert (look(data).width, look(data).height) == (320, 256)
    assert fault(data) == "corrupted"
    exact = pictures.with_chunk(pictures.png(), b"IHDR", struct.pack(">IIBBBBB", 320, 257, 8, 2, 0, 0, 0))
    with pytest.raises(ImageFault, match="contradicts"):
        read(exact)


def test_run_length_bmp_is_read_only_when_small() -> None:
    head = struct.pack("<IiiHHIIiiII", 40, 300, 300, 1, 8, 1, 0, 0, 0, 256, 0) + bytes(1024)
    data = (
        b"BM" + struct.pack("<IHHI", 0, 0, 0, 14 + len(head)) + head + b"\xff\x07\x2d\x07\0\0" * 300 + b"\0\1"
    )
    assert read(data, (300, 300)).size == (300, 300)
    assert fault(data + bytes(MAX_RLE_BYTES)) == "corrupted"


@pytest.mark.parametrize("fmt", ["PNG", "JPEG", "WEBP", "GIF", "AVIF"])
def test_the_adult_mark_is_found_by_the_probe(fmt: str) -> None:
    assert look(pictures.marked(fmt)).adult
    assert not look(pictures.saved(pictures.scene(), fmt)).adult


def test_large_pictures_are_shrunk_by_a_whole_factor_that_still_covers_the_output() -> None:
    jpeg, png = pictures.jpeg((2000, 1500)), pictures.png((2000, 1500))
    for cover, size in (((320, 256), (400, 300)), ((1000, 700), (1000, 750)), ((1999, 1499), (2000, 1500))):
        assert read(png, cover).size == size
    for cover, size in (((320, 256), (500, 375)), ((250, 187), (250, 188)), ((1000, 700), (1000, 750))):
        assert read(jpeg, cover).size == size  # by powers of two while it is decoded
    turned = pictures.oriented("JPEG", 6, (2000, 1000))
    assert read(turned, (250, 500)).size == (250, 500)


def test_pixels_in_flight_follow_what_is_really_decoded() -> None:
    jpeg, png = look(pictures.jpeg((2000, 1500))), look(pictures.png((2000, 1500)))
    painted = 4 * 120_000
    assert pixels_in_flight(png, (400, 300)) == 3_000_000 + painted
    assert pixels_in_flight(jpeg, (400, 300)) == 500 * 375 + painted
    assert pixels_in_flight(jpeg, (2000, 1500)) == 3_000_000 + 4 * 3_000_000
    progressive = look(pictures.jpeg((2000, 1500), progressive=True))
    assert pixels_in_flight(progressive, (400, 300)) == 6_000_000 + painted  # every coefficient is kept


@pytest.mark.parametrize("name", KINDS)
def test_a_file_cut_anywhere_is_a_fault_or_a_picture(name: str) -> None:
    data = FILES[name]
    step = max(1, len(data) // 60)
    kinds = set()
    for length in [*range(64), *range(64, len(data) - 1, step)]:
        try:
            read(data[:length])
        except ImageFault as caught:
            kinds.add(caught.kind)
        else:  # only what comes behind the pixels may be missing
            assert length > len(data) * 0.45 if "animated" in name else length > len(data) * 0.9, length
    assert kinds == {"corrupted"}
    if name.startswith("png"):
        assert fault(data[:-1]) == "corrupted"


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_only_image_faults_escape_whatever_the_bytes(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(FILES)))
    blob = bytearray(FILES[name])
    reach = data.draw(st.sampled_from((40, 200, len(blob) - 1)))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, min(reach, len(blob) - 1)))
        way = data.draw(st.sampled_from(("set", "delete", "double")))
        span = data.draw(st.integers(1, 8))
        if way == "set":
            blob[at : at + span] = data.draw(st.binary(min_size=1, max_size=8))
        elif way == "delete":
            del blob[at : at + span]
        else:
            blob[at:at] = blob[at : at + span]
    if name.startswith("png"):
        blob = bytearray(_mended(bytes(blob)))
    try:
        image = read(bytes(blob), low=1)
    except ImageFault:
        return
    assert image.mode == "RGB"


def _mended(data: bytes) -> bytes:
    """The PNG with right checksums again, so that mutations get past the first gate."""
    out, at = data[:8], 8
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        if at + 12 + length > len(data):
            break
        out += pictures.chunk(data[at + 4 : at + 8], data[at + 8 : at + 8 + length])
        at += 12 + length
    return out + data[at:]


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400), st.sampled_from(sorted({blob[:12] for blob in FILES.values()})))
def test_noise_behind_a_known_signature_is_a_fault(noise: bytes, start: bytes) -> None:
    with pytest.raises(ImageFault):
        read(start + noise, low=1)


def test_views_and_bytearrays_are_read_like_bytes() -> None:
    for name in ("png", "jpeg", "webp", "gif", "tiff", "bmp", "avif"):
        data = FILES[name]
        for form in (memoryview(data), bytearray(data)):
            assert decode(form, look(form), cover=(320, 256)).tobytes() == read(data).tobytes()
