"""Mutants of the group ``payment``: the 402 bodies and who gets which."""

from __future__ import annotations

from mutants.kit import Mutant

MUTANTS: tuple[Mutant, ...] = ()
