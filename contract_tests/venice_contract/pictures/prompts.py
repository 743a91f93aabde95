"""Hypothesis strategies for prompts: any script, any length at a limit, and never a word that an edition lists."""

from __future__ import annotations

import unicodedata

from hypothesis import strategies as st

from venice_mock.contract.types import Words

Prompts = st.SearchStrategy[str]

PLAIN = (
    "make it warmer",
    "a sunset behind the hills",
    "remove the car on the left",
    "turn the sky green",
    "as a pencil sketch",
)
# Places where software slips: combining marks, joined emoji, other directions, signs of JSON and of forms.
_AWKWARD = (
    "\u0301", "\u0308", "\u200d", "\ufe0f", "\u202e", "\u05d0", "\u0627", "\u0e33", "\u4e2d", "\uac00", "\u1e9e",
    "\ufb01", "\u2028", "\ufeff", "\U0001f469", "\U0001f3fd", "\U0001f1ea", "\U00020000", '"', "\\", "/", "&",
    "%", "+", "=", "<", "{", "'", "\u00e9", "\u00df", "\u0130",
)  # fmt: skip
_CONTROLS = ("\0", "\t", "\n", "\r", "\x1b", "\x7f", "\x85")


def utf16_length(text: str) -> int:
    """Length as JavaScript counts it, in UTF-16 units; surrogates that stand alone count too."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def harmless(text: str, words: Words) -> bool:
    """Whether no listed word can be read in ``text`` in any case, width, accent or spacing, even inside a longer one.

    Stricter than the contract, which counts whole words only: what passes here names none by any reading.
    """
    squeezed = _squeezed(text)
    return not any(_squeezed(word) in squeezed for word in (*words.adult, *words.policy))


def plain_prompts() -> Prompts:
    """Short English sentences that any server would take."""
    return st.sampled_from(PLAIN)


def prompts(words: Words, *, most: int = 200, controls: bool = True, surrogates: bool = False) -> Prompts:
    """Texts of 1 to ``most`` UTF-16 units in any script, each with a letter or digit in it. ``controls``: with control
    characters; ``surrogates``: with surrogates that stand alone, which UTF-8 cannot carry."""
    excluded = (*(() if surrogates else ("Cs",)), *(() if controls else ("Cc",)))
    awkward = (*_AWKWARD, *(_CONTROLS if controls else ()), *(("\ud800", "\udfff") if surrogates else ()))
    letters = st.one_of(
        st.sampled_from("aeimnorst "), st.sampled_from(awkward), st.characters(exclude_categories=excluded)
    )  # fmt: skip
    # Not st.text, which makes one alphabet of all letters, each as likely as any other: the awkward ones never came.
    texts = st.lists(letters, min_size=1, max_size=min(most, 60)).map("".join)
    return texts.filter(
        lambda text: utf16_length(text) <= most and any(map(str.isalnum, text)) and harmless(text, words)
    )


def prompts_of_length(words: Words, length: int, *, astral: bool = False) -> Prompts:
    """Texts of exactly ``length`` (at least 4) UTF-16 units that begin and end with a letter, so nothing is trimmed.

    They have as many characters too, unless ``astral`` puts characters of two units into them.
    """
    if length < 4:
        raise ValueError("a text of a given length has at least 4 units")
    if astral:
        letters = st.characters(min_codepoint=0x10000, exclude_categories=("Cn", "Co"))
    else:
        letters = st.characters(max_codepoint=0xFFFF, exclude_categories=("Cs", "Cc"))
    pieces = st.text(letters, min_size=1, max_size=6)
    return pieces.map(lambda piece: _filled(piece, length)).filter(lambda text: harmless(text, words))


def prompts_around(words: Words, limit: int) -> st.SearchStrategy[tuple[str, int]]:
    """(text, its length) with the length one below, at, or one above ``limit``, by UTF-16 units and by characters."""
    lengths = st.sampled_from([limit, limit - 1, limit + 1])
    return lengths.flatmap(lambda length: st.tuples(prompts_of_length(words, length), st.just(length)))


def _filled(piece: str, length: int) -> str:
    """``piece`` over and over, between letters, at exactly ``length`` units."""
    units = utf16_length(piece)
    inner = piece * ((length - 2) // units)
    rest = length - 2 - utf16_length(inner)
    return f"x{inner}{'y' * rest}z"


def _squeezed(text: str) -> str:
    """Letters and digits alone, folded in case and width, without accents."""
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    return "".join(letter for letter in folded if letter.isalnum())
