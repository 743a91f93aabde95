"""Mutants of the group ``model``: the model that serves an edit."""

from __future__ import annotations

from mutants.kit import Mutant

MUTANTS: tuple[Mutant, ...] = ()
