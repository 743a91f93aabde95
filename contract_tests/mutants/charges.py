"""Mutants of the group ``payment``: what an edit costs and when."""

from __future__ import annotations

from mutants.kit import Mutant

MUTANTS: tuple[Mutant, ...] = ()
