"""Mutants of the group ``safe-mode``: blur, classification and policy."""

from __future__ import annotations

from mutants.kit import Mutant

MUTANTS: tuple[Mutant, ...] = ()
