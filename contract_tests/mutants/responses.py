"""Mutants of the group ``response``: what a success carries."""

from __future__ import annotations

from mutants.kit import Mutant

MUTANTS: tuple[Mutant, ...] = ()
