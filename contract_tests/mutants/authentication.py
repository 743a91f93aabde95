"""Mutants of the group ``authentication``."""

from __future__ import annotations

from mutants.kit import Mutant

MUTANTS: tuple[Mutant, ...] = ()
