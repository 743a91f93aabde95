"""Metadata: the request as understood goes into the picture and comes back out of it."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import pictures
from venice_mock.edit.encoding import OutputFormat, encode
from venice_mock.edit.metadata import PROMPT_KEPT, Understood, read_request
from venice_mock.edit.opening import probe

FORMATS: tuple[OutputFormat, ...] = ("png", "jpeg", "webp")


def understood(prompt: str = "make it a sunset", **changes: Any) -> Understood:
    values: dict[str, Any] = {
        "edition": "2026-06-19",
        "behavior": "documented",
        "model": "qwen-edit",
        "aspect_ratio": "16:9",
        "resolution": "1K",
        "width": 1376,
        "height": 768,
        "output_format": "png",
        "quality": None,
        "safe_mode": True,
        "price_usd": "0.04",
        "input_sha256": "ab" * 32,
        "input_width": 320,
        "input_height": 256,
        "seed": 0,
        "adult": False,
        "violation": False,
        "blurred": False,
    }
    return Understood.of(prompt=prompt, **{**values, **changes})


def written(fmt: OutputFormat, said: Understood) -> bytes:
    return encode(Image.new("RGB", (64, 48), (1, 2, 3)), fmt, said)


@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize(
    "prompt", ["plain", "naïve 日本 👩‍👧", 'a\0b\n"quoted\\"', "\ud800", "{" * 50, "👩" * 5000]
)
def test_every_format_gives_back_what_was_understood(fmt: OutputFormat, prompt: str) -> None:
    said = understood(prompt, quality="high", adult=True, violation=True, blurred=True, seed=2**70)
    said = replace(said, seed=2**40)
    assert read_request(written(fmt, said)) == said


def test_a_long_prompt_is_cut_but_measured_and_hashed_whole() -> None:
    prompt = "é" * 32_768
    said = read_request(written("jpeg", understood(prompt)))
    assert (said.prompt, said.prompt_length) == ("é" * PROMPT_KEPT, 32_768)
    assert said.prompt_sha256 == hashlib.sha256(prompt.encode()).hexdigest()


@pytest.mark.parametrize("fmt", FORMATS)
def test_an_adult_picture_is_known_again_when_fed_back_in(fmt: OutputFormat) -> None:
    for adult in (True, False):
        found = probe(written(fmt, understood(adult=adult)), min_pixels=1, max_pixels=1 << 20)
        assert found.adult is adult


@pytest.mark.parametrize("fmt", FORMATS)
def test_a_prompt_that_speaks_of_the_mark_does_not_carry_it(fmt: OutputFormat) -> None:
    said = understood("what does mock:adult mean?")
    data = written(fmt, said)
    assert not probe(data, min_pixels=1, max_pixels=1 << 20).adult
    assert read_request(data) == said


@pytest.mark.parametrize("name", ["png", "jpeg", "webp", "gif", "tiff", "avif"])
def test_a_foreign_picture_is_no_venice_mock_picture(name: str) -> None:
    with pytest.raises(ValueError, match="not a venice-mock picture"):
        read_request(pictures.every_kind()[name]())


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(FORMATS), st.integers(0, 400), st.binary(min_size=1, max_size=6), st.booleans())
def test_broken_pictures_raise_value_error_only(fmt: OutputFormat, at: int, noise: bytes, cut: bool) -> None:
    data = written(fmt, understood())
    broken = data[:at] + noise + (b"" if cut else data[at + len(noise) :])
    said = ""
    try:
        read_request(broken)
    except ValueError as fault:
        said = str(fault)
    assert said in ("", "not a venice-mock picture")


@pytest.mark.parametrize("fmt", FORMATS)
def test_pillow_reads_the_metadata_too(fmt: OutputFormat) -> None:
    image = pictures.opened(written(fmt, understood()))
    if fmt == "png":
        assert '"model":"qwen-edit"' in image.info["venice-mock"]
    else:
        exif = image.getexif()
        assert str(exif[0x0131]).startswith("venice-mock ")
        assert b'"model":"qwen-edit"' in exif.get_ifd(0x8769)[0x9286]
