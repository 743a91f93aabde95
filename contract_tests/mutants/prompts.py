"""Mutants of the group ``prompt``."""

from __future__ import annotations

from mutants.kit import Mutant

MUTANTS: tuple[Mutant, ...] = ()
