"""Mutants of the group ``resolution``: tiers and output sizes."""

from __future__ import annotations

from mutants.kit import Mutant

MUTANTS: tuple[Mutant, ...] = ()
