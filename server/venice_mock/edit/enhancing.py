"""Rewriting a prompt when ``enhance_prompt`` asks for it: a pure function; its sentences are ``enhancing.json``.

The real server lets a model look at the picture. This one adds a sentence about the picture's shape and one that
the prompt itself picks, and none of their words is a verb of ``verbs.json``: the rewrite asks for the same edit.
"""

from __future__ import annotations

import hashlib
import string
from importlib import resources
from urllib.parse import quote

import msgspec

from venice_mock.contract.types import Size
from venice_mock.edit.draws import Draws
from venice_mock.edit.validation import text_length

_LOOSE_ENDS = string.whitespace + ".,;:!?"
_UNQUOTED = "!~*'()"  # what JavaScript's encodeURIComponent leaves as it is, beside what Python does


class Framing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    wide: str
    tall: str
    square: str


class Wording(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``enhancing.json`` as it stands. ``long_prompt``: UTF-16 units from which a prompt is left alone."""

    long_prompt: int
    framing: Framing
    details: tuple[str, ...]

    @property
    def sentences(self) -> tuple[str, ...]:
        """All that a rewrite may add."""
        return (self.framing.wide, self.framing.tall, self.framing.square, *self.details)


def enhance(prompt: str, source: Size, limit: int) -> str | None:
    """The prompt with clarifying detail for an input of ``source`` pixels, or None when it is left as it is.

    Left alone is a prompt without a letter or digit, one that is long already, one that was rewritten before,
    and one whose rewrite would be longer than ``limit``, the model's own limit in UTF-16 units.
    """
    wording = load_wording()
    if not any(character.isalnum() for character in prompt) or text_length(prompt) >= wording.long_prompt:
        return None
    if any(sentence in prompt for sentence in wording.sentences):
        return None
    choice = Draws(hashlib.sha256(prompt.encode("utf-8", "surrogatepass")).digest())
    detail = wording.details[choice.below(len(wording.details))]
    rewritten = f"{prompt.strip().rstrip(_LOOSE_ENDS)}. {_framing(wording, source)} {detail}"
    return rewritten if text_length(rewritten) <= limit else None


def url_encoded(text: str) -> str:
    """``text`` as encodeURIComponent gives it; half a surrogate pair, which has no encoding, becomes ``?``."""
    return quote(text, safe=_UNQUOTED, errors="replace")


def load_wording() -> Wording:
    """The sentences that come with the package."""
    text = resources.files("venice_mock.edit").joinpath("enhancing.json").read_bytes()
    return msgspec.json.decode(text, type=Wording)


def _framing(wording: Wording, source: Size) -> str:
    width, height = source
    if width == height:
        return wording.framing.square
    return wording.framing.wide if width > height else wording.framing.tall
