"""What the judge sees in an answer: kinds, pixels, sharpness, metadata, and nothing but NotAPicture from bad bytes."""

from __future__ import annotations

import contextlib
import io
import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageFilter

from venice_contract.pictures.build import build
from venice_contract.pictures.look import (
    BLURRED,
    SHARP,
    NotAPicture,
    Seen,
    decode,
    fine_detail,
    mean_difference,
    metadata_of,
    probe_image,
    same_pixels,
)
from venice_contract.pictures.painting import paint
from venice_contract.pictures.recipe import MODES, Format, Picture
from venice_mock.contract import Contract, load_contract
from venice_mock.edit.local import edit_bytes


@pytest.fixture(scope="module")
def contract() -> Contract:
    return load_contract("2026-06-19", "documented")


def saved(image: Image.Image, fmt: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, fmt, **options)
    return out.getvalue()


@pytest.mark.parametrize(
    ("fmt", "mode", "seen"),
    [
        ("png", "1", Seen("png", "image/png", 320, 256, "1")),
        ("jpeg", "L", Seen("jpeg", "image/jpeg", 320, 256, "L")),
        ("webp", "RGBA", Seen("webp", "image/webp", 320, 256, "RGBA")),
        ("gif", "P", Seen("gif", "image/gif", 320, 256, "P")),
        ("avif", "RGB", Seen("avif", "image/avif", 320, 256, "RGB")),
    ],
)
def test_the_header_tells_format_media_type_size_and_mode(fmt: Format, mode: Any, seen: Seen) -> None:
    assert probe_image(build(Picture(format=fmt, mode=mode))) == seen


@pytest.mark.parametrize(
    "data", [b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF\0\0\0\0WEBP", b"<html>", b"II*\0", b"BM"]
)
def test_bytes_that_only_begin_like_a_picture_are_none(data: bytes) -> None:
    with pytest.raises(NotAPicture, match=r"\w"):
        decode(data)


@given(data=st.data(), fmt=st.sampled_from(sorted(MODES)))
def test_damaged_bytes_raise_nothing_but_not_a_picture(data: st.DataObject, fmt: Format) -> None:
    mode = MODES[fmt][0]
    good = build(Picture(24, 16, format=fmt, mode=mode, camera=fmt in ("png", "jpeg", "webp")))
    broken = bytearray(good)
    for _ in range(data.draw(st.integers(1, 4))):
        broken[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(broken[: data.draw(st.integers(0, len(good)))])
    for look in (probe_image, decode, fine_detail, metadata_of):
        with contextlib.suppress(NotAPicture):  # anything else is a failure
            look(cut)


def test_a_header_of_billions_of_pixels_is_told_and_not_unpacked() -> None:
    data = build(Picture(defect="lying-header", claimed=(50_000, 50_000)))
    tracemalloc.start()
    try:
        assert probe_image(data).size == (50_000, 50_000)
        for look in (fine_detail, metadata_of):
            with pytest.raises(NotAPicture, match="50000x50000"):
                look(data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 10_000_000


def test_the_largest_picture_of_the_contract_is_unpacked() -> None:
    assert decode(build(Picture(7680, 4320, mode="1", pattern="flat"))).size == (7680, 4320)


def test_equal_pixels_are_equal_in_any_lossless_file() -> None:
    png = build(Picture(pattern="detail"))
    assert same_pixels(png, build(Picture(pattern="detail", variant="interlaced")))
    assert same_pixels(png, build(Picture(pattern="detail", format="webp", variant="lossless")))
    assert same_pixels(png, paint(Picture(pattern="detail")))
    assert not same_pixels(png, build(Picture(pattern="detail", seed=1)))
    assert not same_pixels(png, build(Picture(256, 320, pattern="detail")))


def test_one_pixel_of_another_colour_or_alpha_makes_a_difference() -> None:
    image = paint(Picture(mode="RGBA"))
    other = image.copy()
    other.putpixel((7, 7), (1, 2, 3, 255))
    assert not same_pixels(image, other)
    clear = image.copy()
    clear.putalpha(255)
    assert not same_pixels(image, clear)


def test_the_mean_difference_is_in_steps_of_colour() -> None:
    black, grey = Image.new("RGB", (8, 8), 0), Image.new("RGB", (8, 8), (30, 60, 90))
    assert mean_difference(black, black) == 0
    assert mean_difference(black, grey) == 60
    assert mean_difference(build(Picture()), build(Picture(format="jpeg"))) < 4
    with pytest.raises(ValueError, match="not compared"):
        mean_difference(black, Image.new("RGB", (8, 9)))


def test_sixteen_bit_grey_is_seen_as_eight_bit_grey() -> None:
    assert mean_difference(build(Picture(mode="I;16")), build(Picture(mode="L"))) == 0


@pytest.mark.parametrize("output_format", ["png", "jpeg", "webp"])
@pytest.mark.parametrize("size", [(320, 256), (256, 900)])
def test_a_blurred_answer_and_a_sharp_one_lie_far_apart(
    contract: Contract, size: tuple[int, int], output_format: str
) -> None:
    data = build(Picture(*size, pattern="detail", adult=True))
    fields: dict[str, str | bool] = {"output_format": output_format}
    blurred, sharp = (
        edit_bytes(
            data, prompt="make it warmer", fields=fields | {"safe_mode": safe}, contract=contract
        ).image
        for safe in (True, False)
    )
    assert fine_detail(blurred) < BLURRED / 5
    assert fine_detail(sharp) > SHARP * 3


@pytest.mark.parametrize("pattern", ["flat", "gradient"])
def test_a_picture_without_detail_is_not_called_sharp(pattern: Any) -> None:
    assert fine_detail(build(Picture(pattern=pattern))) < BLURRED


@pytest.mark.parametrize("radius", [8, 20, 60])
def test_any_strong_blur_takes_the_detail_away(radius: int) -> None:
    image = paint(Picture(640, 512, pattern="detail"))
    assert fine_detail(image) > SHARP * 3
    assert fine_detail(image.filter(ImageFilter.GaussianBlur(radius))) < SHARP


def test_a_sharp_caption_does_not_make_a_blurred_picture_sharp() -> None:
    image = Image.linear_gradient("L").resize((512, 512)).convert("RGB")
    image.paste(paint(Picture(512, 60, pattern="detail")), (0, 452))
    assert fine_detail(image) < BLURRED


def test_metadata_can_be_written_as_json_and_names_every_kind() -> None:
    told = metadata_of(build(Picture(format="jpeg", camera=True, profile=True)))
    assert set(told) == {"exif", "gps", "xmp", "icc_bytes"}
    assert json.loads(json.dumps(told)) == told
    commented = metadata_of(saved(paint(Picture(mode="L")), "JPEG", comment=b"a word"))
    assert commented == {"comment": "a word"}
    assert metadata_of(build(Picture(camera=True, adult=True)))["text"] == {"Comment": "mock:adult"}


def test_metadata_of_what_is_no_picture_is_refused() -> None:
    with pytest.raises(NotAPicture):
        metadata_of(b"nothing")
