"""Painting: verbs, grade, caption; determinism; and the golden pixels.

The golden hashes (fixtures/golden.json) hold the pixels of edits of a PNG. When a change of the pictures is
meant, renew them on purpose with ``python server/tests/test_painting.py``, look at the gallery, and say so in
the changelog.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops

import pictures
from venice_mock.edit.caption import printable
from venice_mock.edit.draws import Draws
from venice_mock.edit.opening import decode, probe
from venice_mock.edit.painting import OPERATIONS, Brief, draw_card, paint
from venice_mock.edit.stamps import SHAPES
from venice_mock.edit.verbs import MAX_STEPS, Table, Verbs, load_verbs
from venice_mock.sample import draw_sample, sample_png

GOLDEN = Path(__file__).parents[2] / "fixtures" / "golden.json"
VERBS = load_verbs()


def brief(prompt: str = "hello", size: tuple[int, int] = (256, 208), **changes: Any) -> Brief:
    values: dict[str, Any] = {
        "prompt": prompt,
        "model": "qwen-edit",
        "size": size,
        "tier": "1K",
        "quality": None,
        "input_sha256": "ab" * 32,
        "seed": 0,
        "caption": False,
    }
    return Brief(**{**values, **changes})


def edit(prompt: str, image: Image.Image | None = None, **changes: Any) -> Image.Image:
    return paint(image or draw_sample((256, 208)), brief(prompt, **changes))


def bands(image: Image.Image, box: tuple[int, int, int, int] | None = None) -> list[float]:
    """The mean of each band, over a box in percent."""
    if box is not None:
        w, h = image.size
        image = image.crop((box[0] * w // 100, box[1] * h // 100, box[2] * w // 100, box[3] * h // 100))
    return [
        sum(i * n for i, n in enumerate(band.histogram())) / image.width / image.height
        for band in image.split()
    ]


def steps(prompt: str) -> list[str]:
    return [step.op for step in VERBS.read(prompt)]


# --- what a prompt asks for --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("Make it a SUNSET", ["sunset"]),
        ("make it black-and-white, then rotate it", ["grayscale", "turn"]),
        ("add more contrast", ["contrast", "vignette"]),
        ("Add a red balloon and make it snow", ["stamp", "snow"]),
        ("remove the boat and add two birds", ["remove", "stamp"]),
        ("add fog", ["fog"]),
        ("remove the color", ["grayscale"]),
        ("make it blue", ["tint"]),
        ("ｓｅｐｉａ please", ["sepia", "vignette"]),
        ("something a mock has never heard of", []),
        ("", []),
        ("the sunsetting of nightingales", []),
    ],
)
def test_a_prompt_is_read_as_steps_in_its_order(prompt: str, expected: list[str]) -> None:
    assert steps(prompt) == expected


def test_what_is_added_has_a_shape_a_colour_a_number_and_a_place() -> None:
    (step,) = VERBS.read("please add three small purple stars in the top left corner")
    assert step.params == {"shape": "star", "colour": (130, 60, 180), "across": 22, "down": 18, "count": 3}
    (unknown,) = VERBS.read("add a xylophone")
    assert unknown.params["shape"] in SHAPES


def test_every_verb_of_the_table_can_be_painted() -> None:
    table = VERBS._table
    for look in table.looks:
        for phrase in look.phrases:
            assert steps(f"please {phrase} now")[: len(look.steps)] == [op for op, _ in look.steps], phrase
        picture = edit(look.phrases[0], size=(96, 80))
        assert picture.size == (96, 80)
    for shape in table.add.shapes:
        assert edit(f"add a {shape}", size=(96, 80)).size == (96, 80)
    assert {op for look in table.looks for op, _ in look.steps} <= set(OPERATIONS)
    assert set(table.add.shapes) == set(SHAPES) == set(table.add.plain_colours)


def test_a_prompt_of_thousands_of_verbs_asks_for_bounded_work() -> None:
    started = time.thread_time()
    assert len(VERBS.read("add stars and sepia, " * 1500)) == MAX_STEPS
    VERBS.read("add " * 8000)
    VERBS.read("remove " * 4500)
    assert time.thread_time() - started < 1


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_any_text_can_be_read_and_captioned(text: str) -> None:
    VERBS.read(text)
    assert all(" " <= c <= "\xff" for c in printable(text))


def test_an_unknown_key_in_the_table_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"surprise": 1}, Table)
    assert Verbs(VERBS._table).read("sepia")


# --- what the pictures show --------------------------------------------------------------------------------


def test_grayscale_is_neutral() -> None:
    picture = edit("make it black and white")
    red, green, blue = picture.split()
    assert red.tobytes() == green.tobytes() == blue.tobytes()


def test_a_sunset_is_warm_and_darker_at_the_top_than_at_the_horizon() -> None:
    picture = edit("make it a sunset")
    red, _, blue = bands(picture)
    before = bands(draw_sample((256, 208)))
    assert red > blue + 40
    assert before[2] > before[0]
    assert sum(bands(picture, (0, 40, 100, 55))) > sum(bands(picture, (0, 0, 100, 12))) + 80


def test_night_is_dark_and_blue_with_a_moon() -> None:
    picture = edit("turn day into night")
    red, _, blue = bands(picture)
    assert blue > red
    assert sum(bands(picture)) < sum(bands(draw_sample((256, 208)))) / 2
    assert pictures.tone_range(picture)[1] > 220


def test_brighter_is_brighter_and_darker_is_darker() -> None:
    plain = sum(bands(draw_sample((256, 208))))
    assert sum(bands(edit("make it brighter"))) > plain + 30
    assert sum(bands(edit("make it darker"))) < plain - 30


def test_a_mirror_and_half_turn_move_the_pixels() -> None:
    source = pictures.scene((256, 208))
    for prompt, corner in (("mirror it", (0, 255, 0)), ("turn it upside down", (0, 0, 255))):
        pixel = pictures.pixel(edit(prompt, source), (8, 8))
        assert max(abs(a - b) for a, b in zip(pixel, corner, strict=True)) < 60


def test_a_negative_turns_light_into_dark() -> None:
    before, after = bands(draw_sample((256, 208))), bands(edit("invert the colors"))
    assert all(abs(a + b - 255) < 30 for a, b in zip(before, after, strict=True))


def test_a_sketch_is_nearly_colourless_light_and_has_lines() -> None:
    picture = edit("a pencil sketch")
    red, _, blue = bands(picture)
    assert red > 150
    assert abs(red - blue) < 20
    assert pictures.tone_range(picture)[0] < 110


def test_pixelated_pictures_are_made_of_squares() -> None:
    picture = edit("pixelate")
    assert len(picture.getcolors(1 << 20) or []) < 72 * 72
    assert all(picture.getpixel((x, 1)) == picture.getpixel((0, 0)) for x in range(3))


def test_an_added_balloon_is_red_and_the_rest_stays() -> None:
    with_balloon = edit("add a red balloon", draw_sample((256, 208)), seed=3)
    plain = edit("add a red balloon", Image.new("RGB", (256, 208), (90, 140, 200)), seed=3)
    box = (
        ImageChops.difference(plain, Image.new("RGB", plain.size, plain.getpixel((2, 200))))
        .point(lambda v: 255 if v > 60 else 0)
        .getbbox()
    )
    assert box is not None
    assert (box[2] - box[0]) * (box[3] - box[1]) < 256 * 208 // 5
    middle = pictures.pixel(with_balloon, ((box[0] + box[2]) // 2, (2 * box[1] + box[3]) // 3))
    assert middle[0] > 150 > middle[1]


def test_what_is_removed_gives_way_to_its_surroundings() -> None:
    source = Image.new("RGB", (256, 208), (90, 140, 200))
    source.paste((200, 20, 20), (128, 112, 154, 134))
    kept, removed = (
        [bright for bright in edit(prompt, source).getchannel(0).histogram()[150:] if bright]
        for prompt in ("keep the box", "remove the box")
    )
    assert kept
    assert not removed


def test_the_crop_is_centred_and_covers() -> None:
    source = Image.new("RGB", (900, 300), (0, 0, 255))
    source.paste((255, 0, 0), (300, 0, 600, 300))
    picture = edit("nothing in particular", source, size=(300, 300))
    for place in ((3, 150), (296, 150)):
        red, _, blue = pictures.pixel(picture, place)
        assert red > 150 > blue
    wide = edit("nothing in particular", source, size=(450, 300))
    assert pictures.pixel(wide, (10, 150))[2] > 150


# --- the same again, or another ----------------------------------------------------------------------------


def test_another_prompt_model_image_size_quality_or_seed_is_visibly_another_picture() -> None:
    briefs = [
        brief("hello"),
        brief("hello!"),
        brief("good morrow"),
        brief(model="firered-image-edit"),
        brief(input_sha256="cd" * 32),
        brief(seed=1),
        brief(quality="high"),
        brief(quality="low"),
    ]
    made = [paint(draw_sample((256, 208)), each) for each in briefs]
    for i, one in enumerate(made):
        for other in made[:i]:
            assert pictures.difference(one, other) > 1.0
    assert (
        paint(draw_sample((256, 208)), brief(tier="2K")).tobytes() == made[0].tobytes()
    )  # only the caption says it


def test_the_input_is_left_as_it_was() -> None:
    source = draw_sample((256, 208))
    before = source.tobytes()
    for prompt in ("sunset", "add a heart", "remove it", "vignette", "cartoon", "hello"):
        edit(prompt, source)
        paint(source, brief(prompt, caption=True))
    assert source.tobytes() == before


PROMPTS = (
    "hello",
    "sunset",
    "night",
    "snow",
    "sketch",
    "cartoon",
    "add a balloon",
    "pixelate",
    "fog",
    "oil painting",
)


def hashes() -> dict[str, str]:
    """Pixels of one edit per prompt, from a PNG, with the caption."""
    data = sample_png((320, 256))
    found = probe(data, min_pixels=1, max_pixels=1 << 20)
    image = decode(data, found, cover=(512, 384))
    made = {p: paint(image, brief(p, (512, 384), caption=True)) for p in PROMPTS}
    return {prompt: hashlib.sha256(picture.tobytes()).hexdigest() for prompt, picture in made.items()}


def test_the_pixels_are_the_golden_ones() -> None:
    assert hashes() == json.loads(GOLDEN.read_text())


def test_the_pixels_are_the_same_from_eight_threads_and_from_a_fresh_process() -> None:
    expected = hashes()
    with ThreadPoolExecutor(8) as threads:
        assert all(each == expected for each in threads.map(lambda _: hashes(), range(8)))
    fresh = subprocess.run(
        [sys.executable, __file__, "--print"], capture_output=True, text=True, check=True, timeout=120
    )
    assert json.loads(fresh.stdout) == expected


def test_draws_are_the_same_for_ever() -> None:
    draws = Draws(b"seed")
    assert [draws.below(1000) for _ in range(6)] == [
        Draws(b"seed").below(1000),
        *[draws_at(i) for i in range(1, 6)],
    ]
    assert {Draws(b"x").fork("a").below(1 << 60), Draws(b"x").fork("b").below(1 << 60)} != {0}
    assert all(3 <= draws.between(3, 5) <= 5 for _ in range(50))


def draws_at(index: int) -> int:
    block = hashlib.sha256(b"seed" + (index // 4).to_bytes(8, "big")).digest()
    place = 3 - index % 4
    return int.from_bytes(block[place * 8 : place * 8 + 8], "big") % 1000


# --- caption -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "size", [(256, 256), (512, 384), (1376, 768), (768, 1376), (4096, 300), (2048, 2048)]
)
def test_the_caption_is_a_strip_along_the_lower_edge(size: tuple[int, int]) -> None:
    source = Image.new("RGB", size, (128, 128, 128))
    plain, captioned = (paint(source, brief("hello", size, caption=on)) for on in (False, True))
    box = ImageChops.difference(plain, captioned).getbbox()
    assert box is not None
    assert (box[0], box[2], box[3]) == (0, size[0], size[1])
    assert box[1] >= size[1] * 0.78
    darkest, lightest = pictures.tone_range(captioned.crop(box))
    assert lightest > 240
    assert darkest < 70


@pytest.mark.parametrize("size", [(16, 4096), (4096, 16), (1, 1), (1, 5000), (5000, 1), (60, 60), (97, 33)])
@pytest.mark.parametrize(
    "prompt",
    [
        "hello",
        "sunset, night, snow",
        "sketch, cartoon",
        "oil painting, pixelate, fog, rain",
        "add stars, remove it, rotate, blur background",
    ],
)
def test_tiny_and_elongated_outputs_can_be_painted(size: tuple[int, int], prompt: str) -> None:
    assert paint(draw_sample((64, 48)), brief(prompt, size, caption=True)).size == size


@pytest.mark.parametrize(
    "text",
    [
        "日本語の夕焼け",
        "naïve café — “quoted”…",
        "a\nb\r\tc\0d\x7f",
        "\ud800 alone",
        "👩‍👩‍👧‍👦",
        "‮rtl",
        "x" * 5000,
    ],
)
def test_any_prompt_can_be_captioned(text: str) -> None:
    assert paint(draw_sample((64, 48)), brief(text, (512, 384), caption=True)).size == (512, 384)


def test_accents_are_kept_or_dropped_and_foreign_letters_marked() -> None:
    assert printable("Žluťoučký café\n\n日 “x”") == 'Zlutoucký café ? "x"'


def test_a_row_of_a_million_pixels_is_painted_in_bounded_time() -> None:
    started = time.thread_time()
    for size in ((1_000_000, 1), (1, 1_000_000)):
        source = pictures.scene((2000, 1)).resize(size)
        assert paint(source, brief("sunset, sketch, pixelate", size, caption=True)).size == size
    assert time.thread_time() - started < 5


# --- properties --------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    prompt=st.lists(
        st.sampled_from(
            [p for look in VERBS._table.looks for p in look.phrases] + ["add a tree", "remove it", "blue"]
        ),
        max_size=4,
    ),
    source=st.tuples(st.integers(1, 90), st.integers(1, 90)),
    size=st.tuples(st.integers(1, 130), st.integers(1, 130)),
    seed=st.integers(0, 2**63),
)
def test_any_verbs_on_any_sizes_give_rgb_of_the_right_size(
    prompt: list[str], source: tuple[int, int], size: tuple[int, int], seed: int
) -> None:
    picture = paint(
        Image.new("RGB", source, (120, 130, 140)), brief(", ".join(prompt), size, seed=seed, caption=True)
    )
    assert (picture.mode, picture.size) == ("RGB", size)


def test_cards_are_flat_and_differ_by_brief() -> None:
    colours = {draw_card(brief(seed=i)).getpixel((0, 0)) for i in range(20)}
    assert len(colours) == 20
    card = draw_card(brief(size=(1376, 768)))
    assert (card.size, len(card.getcolors() or [])) == ((1376, 768), 1)


if __name__ == "__main__":  # pragma: no cover
    if "--print" in sys.argv:
        print(json.dumps(hashes()))
    else:
        GOLDEN.write_text(json.dumps(hashes(), indent=1) + "\n")
        print(f"wrote {GOLDEN.name}")
