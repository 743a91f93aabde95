"""Mutants of the group ``image``: pictures by address."""

from __future__ import annotations

from mutants.kit import Mutant

MUTANTS: tuple[Mutant, ...] = ()
