"""Safety: words, marks, and a blur that leaves nothing to recognise."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageDraw

import pictures
from venice_mock.contract.types import Words
from venice_mock.edit.safety import Classification, blur, classify, placeholder
from venice_mock.sample import draw_sample

WORDS = Words(adult=("nude", "straße", "two words"), policy=("gore",))


@pytest.mark.parametrize(
    ("prompt", "adult", "policy"),
    [
        ("a nude statue", True, False),
        ("NUDE", True, False),
        ("ｎｕｄｅ", True, False),
        ("nude_photo, nude!", True, False),
        ("a denuded hill", False, False),
        ("nudes", False, False),
        ("die STRASSE", True, False),
        ("two-words", True, False),
        ("two other words", False, False),
        ("gore and nude", True, True),
        ("Al Gore's phantasmagoreal", False, True),
        ("phantasmagore", False, False),
        ("", False, False),
        ("\ud800 nude", True, False),
    ],
)
def test_whole_words_classify_a_prompt(prompt: str, adult: bool, policy: bool) -> None:
    assert classify(prompt, False, WORDS) == Classification(adult, policy)


def test_the_mark_alone_makes_it_adult_but_never_a_policy_matter() -> None:
    assert classify("a hat", True, WORDS) == Classification(True, False)


@given(st.text())
def test_any_text_can_be_classified(text: str) -> None:
    assert classify(text, False, Words(adult=(), policy=())) == Classification(False, False)


@pytest.mark.parametrize(
    "size", [(1024, 768), (768, 1376), (300, 5000), (5000, 16), (1, 70_000), (1, 1), (3, 2)]
)
def test_blur_keeps_the_size_and_mode(size: tuple[int, int]) -> None:
    assert (blur(Image.new("RGB", size)).size, blur(Image.new("RGB", size)).mode) == (size, "RGB")


def test_blurred_pictures_keep_no_detail() -> None:
    text = Image.new("RGB", (1024, 768), "white")
    pen = ImageDraw.Draw(text)
    for row in range(0, 768, 40):
        for column in range(0, 1024, 24):
            pen.rectangle((column, row, column + 11, row + 21), fill="black")
    hidden = blur(text)
    step = ImageChops.difference(hidden, ImageChops.offset(hidden, 1, 0)).crop((2, 2, 1020, 760))
    assert max(high for _, high in step.getextrema()) <= 4  # type: ignore[misc]
    spread = [high - low for low, high in hidden.getextrema()]  # type: ignore[misc]
    assert max(spread) < 130
    assert pictures.difference(text, hidden) > 60


def test_blur_still_shows_where_the_colours_were() -> None:
    source = draw_sample((512, 384))
    assert pictures.difference(source.reduce(64), blur(source).reduce(64)) < 30


def test_blur_is_quick() -> None:
    source = draw_sample((1376, 768))
    started = time.thread_time()
    blur(source)
    assert time.thread_time() - started < 0.2


def test_the_placeholder_is_tiny() -> None:
    assert (placeholder().size, placeholder().mode) == ((64, 64), "RGB")
