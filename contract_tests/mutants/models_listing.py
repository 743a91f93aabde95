"""Mutants of the group ``models-listing``."""

from __future__ import annotations

from typing import Any

from mutants.kit import Answer, Mutant, answering


def _array(_scope: Any, _body: bytes, answer: Answer) -> Answer:
    said = answer.json()
    return answer.with_body(said["data"]) if isinstance(said, dict) and "data" in said else answer


MUTANTS: tuple[Mutant, ...] = (
    answering(
        "MODELS-001",
        "the listing is a bare array without an envelope",
        _array,
        where="/models",
        follows=("MODELS-008",),
    ),
)
