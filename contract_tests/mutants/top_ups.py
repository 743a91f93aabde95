"""Mutants of the group ``x402`` top-up."""

from __future__ import annotations

from mutants.kit import Mutant

MUTANTS: tuple[Mutant, ...] = ()
