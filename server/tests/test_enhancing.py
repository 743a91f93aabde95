"""Rewriting prompts: what is added, when a prompt is left alone, and that the same edit is still asked for."""

from __future__ import annotations

import re
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from venice_mock.contract import available_editions, load_edition
from venice_mock.edit.enhancing import enhance, load_wording, url_encoded
from venice_mock.edit.metadata import PROMPT_KEPT
from venice_mock.edit.safety import classify
from venice_mock.edit.validation import text_length
from venice_mock.edit.verbs import load_verbs

WORDING = load_wording()
WIDE, LIMIT = (640, 480), 1500
VERBS = load_verbs()


def rewritten(prompt: str, source: tuple[int, int] = WIDE, limit: int = LIMIT) -> str:
    found = enhance(prompt, source, limit)
    assert found is not None
    return found


def test_a_rewrite_keeps_the_prompt_and_adds_two_sentences_of_the_table() -> None:
    text = rewritten("  make it a sunset!! ")
    start, added = text.split(". ", 1)
    assert start == "make it a sunset"
    framing, detail = (sentence for sentence in WORDING.sentences if sentence in added)
    assert added == f"{framing} {detail}"
    assert (framing, detail in WORDING.details) == (WORDING.framing.wide, True)
    assert rewritten("  make it a sunset!! ") == text


def test_the_shape_of_the_input_is_told_and_prompts_get_different_details() -> None:
    shapes = {(640, 480): "wide", (480, 640): "tall", (512, 512): "square"}
    for source, name in shapes.items():
        assert f"the {name} framing" in rewritten("add a hat", source)
    details = {
        detail for n in range(40) for detail in WORDING.details if detail in rewritten(f"add {n} hats")
    }
    assert details == set(WORDING.details)


@pytest.mark.parametrize("prompt", ["", " ", "?!", "\N{SNOWMAN}", "-" * 50])
def test_a_prompt_that_says_nothing_is_left_alone(prompt: str) -> None:
    assert enhance(prompt, WIDE, LIMIT) is None


def test_a_prompt_of_400_characters_is_long_enough() -> None:
    assert WORDING.long_prompt == 400
    assert enhance("a" * 399, WIDE, LIMIT) is not None
    assert enhance("a" * 400, WIDE, LIMIT) is None
    assert enhance("\N{FACE WITH TEARS OF JOY}" * 199 + "a", WIDE, LIMIT) is not None
    assert enhance("\N{FACE WITH TEARS OF JOY}" * 199 + "aa", WIDE, LIMIT) is None


@given(st.text(max_size=120), st.tuples(st.integers(1, 9), st.integers(1, 9)))
def test_what_was_rewritten_once_is_not_rewritten_again(prompt: str, source: tuple[int, int]) -> None:
    once = enhance(prompt, source, LIMIT)
    assert once is None or enhance(once, source, LIMIT) is None


def test_the_rewrite_may_be_as_long_as_the_model_allows_and_no_longer() -> None:
    length = text_length(rewritten("add a \N{TOP HAT}"))
    assert enhance("add a \N{TOP HAT}", WIDE, length) is not None
    assert enhance("add a \N{TOP HAT}", WIDE, length - 1) is None


PHRASES = [
    *(phrase for shape in ("hat", "car", "sun", "tree") for phrase in (f"add a {shape}", f"remove the {shape}")),
    *("make it sepia", "blur the background", "turn it red", "at night, then mirror it", "sketch?", "add two"),
]  # fmt: skip


@given(st.lists(st.sampled_from(PHRASES) | st.text(max_size=20), max_size=5).map(" ".join))
def test_the_rewrite_asks_for_the_same_steps(prompt: str) -> None:
    text = enhance(prompt, WIDE, LIMIT)
    assert text is None or VERBS.read(text) == VERBS.read(prompt)


def test_no_sentence_is_classified_by_any_edition() -> None:
    for name in available_editions():
        for sentence in WORDING.sentences:
            found = classify(sentence, False, load_edition(name).words)
            assert not found.adult
            assert not found.policy


@pytest.mark.rules("EDIT-ENH-002")
@given(st.text(max_size=400) | st.text(st.characters(codec="utf-8", min_codepoint=0x800), max_size=400))
def test_the_header_holds_the_rewrite_in_printable_ascii_below_8_kb(prompt: str) -> None:
    text = enhance(prompt, WIDE, LIMIT)
    if text is not None:
        encoded = url_encoded(text)
        assert re.fullmatch(r"(?:[A-Za-z0-9_.!~*'()-]|%[0-9A-F]{2})+", encoded)
        assert len(encoded) < 8000
        assert unquote(encoded, errors="strict") == text
        assert len(text) <= PROMPT_KEPT


def test_the_longest_header_comes_from_399_letters_of_three_bytes() -> None:
    assert 3591 < len(url_encoded(rewritten("\N{HIRAGANA LETTER A}" * 399))) < 4000


def test_half_a_surrogate_pair_becomes_a_question_mark() -> None:
    assert url_encoded("a \ud83d b") == "a%20%3F%20b"
