"""Encoding: files that every reader opens, with nothing of the input in them."""

from __future__ import annotations

import io
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import pictures
from test_metadata import understood
from venice_mock.edit.deflate import INSTALLED, Deflate
from venice_mock.edit.encoding import OutputFormat, encode
from venice_mock.edit.headers import check_png
from venice_mock.edit.opening import decode, probe

FORMATS: tuple[OutputFormat, ...] = ("png", "jpeg", "webp")


def noise(size: tuple[int, int]) -> Image.Image:
    return Image.frombytes("RGB", size, random.Random(str(size)).randbytes(3 * size[0] * size[1]))


@pytest.mark.parametrize("deflate", INSTALLED, ids=lambda found: found.name)
@pytest.mark.parametrize(
    "size",
    [
        (1, 1),
        (2, 1),
        (1, 2),
        (5, 3),
        (6, 70_000),
        (1, 40_000),
        (70_000, 1),
        (300, 200),
        (3000, 1200),
        (1264, 848),
    ],
)
def test_png_pixels_come_back_exactly(size: tuple[int, int], deflate: Deflate) -> None:
    source = noise(size)
    data = encode(source, "png", understood(), deflate)
    assert encode(source, "png", understood(), deflate) == data
    assert pictures.opened(data).convert("RGB").tobytes() == source.tobytes()
    check_png(memoryview(data))


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.binary(min_size=1, max_size=20))
def test_any_small_picture_survives_png(width: int, height: int, pattern: bytes) -> None:
    length = 3 * width * height
    source = Image.frombytes("RGB", (width, height), (pattern * (length // len(pattern) + 1))[:length])
    for deflate in INSTALLED:
        data = encode(source, "png", understood(), deflate)
        assert pictures.opened(data).convert("RGB").tobytes() == source.tobytes()


def test_a_picture_of_one_colour_makes_a_tiny_png_of_that_colour() -> None:
    card = Image.new("RGB", (1021, 768), (12, 200, 99))
    data = encode(card, "png", understood())
    assert len(data) < 3000
    assert pictures.opened(data).convert("RGB").tobytes() == card.tobytes()
    card.putpixel((1, 0), (13, 200, 99))
    assert pictures.opened(encode(card, "png", understood())).convert("RGB").tobytes() == card.tobytes()


@pytest.mark.parametrize("fmt", FORMATS)
def test_each_format_has_its_magic_bytes_and_the_right_picture(fmt: OutputFormat) -> None:
    source = pictures.scene()
    data = encode(source, fmt, understood())
    back = pictures.opened(data)
    assert (back.format, back.size) == (fmt.upper(), source.size)
    assert pictures.difference(back.convert("RGB"), source) < 4
    assert encode(source, fmt, understood()) == data


@pytest.mark.parametrize("fmt", FORMATS)
def test_no_metadata_of_the_input_gets_out(fmt: OutputFormat) -> None:
    secret = pictures.user_comment("GPS 52.5163 13.3777", orientation=3)
    data = pictures.jpeg(exif=secret, comment=b"at home", icc_profile=pictures.swapped_profile())
    found = probe(data, min_pixels=1, max_pixels=1 << 20)
    made = encode(decode(data, found, cover=(320, 256)), fmt, understood())
    for leak in (b"GPS", b"52.5163", b"at home", b"swap", "swap".encode("utf-16-be")):
        assert leak not in made
    again = probe(made, min_pixels=1, max_pixels=1 << 20)
    assert (again.width, again.height, again.orientation, again.adult) == (320, 256, 1, False)


@pytest.mark.parametrize(("fmt", "size"), [("webp", (16_384, 1)), ("jpeg", (65_501, 1))])
def test_a_side_that_a_format_cannot_hold_is_an_error(fmt: OutputFormat, size: tuple[int, int]) -> None:
    with pytest.raises((ValueError, OSError)):
        encode(noise(size), fmt, understood())
    largest = noise((size[0] - 1, 1)) if fmt == "webp" else noise((65_500, 1))
    assert Image.open(io.BytesIO(encode(largest, fmt, understood()))).size == largest.size
