"""The sample picture, and the marked one in fixtures."""

from __future__ import annotations

from pathlib import Path

import pytest

import pictures
from venice_mock.edit.opening import probe
from venice_mock.sample import draw_sample, sample_jpeg, sample_png

MARKED = Path(__file__).parents[2] / "fixtures" / "marked-adult.png"


def test_the_sample_is_the_same_every_time_and_has_many_colours() -> None:
    one = draw_sample()
    assert (one.mode, one.size) == ("RGB", (1024, 768))
    assert one.tobytes() == draw_sample().tobytes()
    assert len(one.reduce(4).getcolors(1 << 20) or []) > 500


@pytest.mark.parametrize("size", [(320, 256), (256, 256), (64, 48), (768, 1024)])
def test_the_sample_comes_in_any_size(size: tuple[int, int]) -> None:
    assert draw_sample(size).size == size


def test_the_sample_comes_as_files_with_and_without_the_mark() -> None:
    for make in (sample_png, sample_jpeg):
        for mark in (True, False):
            found = probe(make(adult_mark=mark), min_pixels=65_536, max_pixels=33_177_600)
            assert (found.width, found.height, found.adult) == (1024, 768, mark)
    assert pictures.opened(sample_png()).tobytes() == draw_sample().tobytes()


def test_the_fixture_is_a_small_picture_with_the_mark() -> None:
    data = MARKED.read_bytes()
    assert len(data) < 60_000
    found = probe(data, min_pixels=65_536, max_pixels=33_177_600)
    assert (found.format, found.adult) == ("PNG", True)
    assert pictures.opened(data).tobytes() == draw_sample((320, 256)).tobytes()
