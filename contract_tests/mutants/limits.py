"""Mutants of the group ``limits``: rates, the error budget and requests in flight."""

from __future__ import annotations

from mutants.kit import Mutant

MUTANTS: tuple[Mutant, ...] = ()
