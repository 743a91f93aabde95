"""Mutants of the group ``image``: pixels, bytes, damage and hostile files."""

from __future__ import annotations

from mutants.kit import Mutant

MUTANTS: tuple[Mutant, ...] = ()
