"""Content: classifying a request by explicit signs only, and hiding a picture. Nothing is guessed from pixels."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from PIL import Image, ImageFilter

from venice_mock.contract.types import Words

_CELLS = 14  # along the shorter side: no face, text or outline survives
_LONGEST_SMOOTH = 1 << 15
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Classification:
    """``adult``: the prompt has an adult word or the input carries the mark. ``policy``: a policy word."""

    adult: bool
    policy: bool


def classify(prompt: str, adult_mark: bool, words: Words) -> Classification:
    """Judge a request by the edition's word lists: whole words, in any case and width of letter."""
    folded = unicodedata.normalize("NFKC", prompt).casefold()
    text = f" {' '.join(_WORD.findall(folded))} "

    def names_any(listed: tuple[str, ...]) -> bool:
        return any(word in text for word in _spaced(listed))

    return Classification(adult=adult_mark or names_any(words.adult), policy=names_any(words.policy))


@lru_cache(maxsize=16)  # two lists for each edition that is served
def _spaced(listed: tuple[str, ...]) -> tuple[str, ...]:
    """The listed words as they stand in a text of words with one space around each."""
    return tuple(f" {' '.join(_WORD.findall(word.casefold()))} " for word in listed)


def blur(image: Image.Image) -> Image.Image:
    """The picture as soft patches of colour: about _CELLS of them across the shorter side. Same size and mode."""
    width, height = image.size
    side = max(1, -(-min(width, height) // _CELLS))
    # On the thin side of a very elongated picture one cell is all there is.
    across, down = max(side, width // 512), max(side, height // 512)
    cells = image.reduce((min(across, width), min(down, height))).filter(ImageFilter.BoxBlur(1))
    # Resampling tables of sides with millions of pixels would take gigabytes.
    smooth = max(image.size) <= _LONGEST_SMOOTH
    return cells.resize(image.size, Image.Resampling.BICUBIC if smooth else Image.Resampling.NEAREST)


def placeholder() -> Image.Image:
    """The tiny picture that the observed server sends for blocked output: 64 x 64, grey."""
    picture = Image.new("RGB", (64, 64), (96, 96, 100))
    picture.paste((150, 150, 154), (29, 14, 35, 40))
    picture.paste((150, 150, 154), (29, 45, 35, 51))
    return picture
