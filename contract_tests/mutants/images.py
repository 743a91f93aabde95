"""Mutants of the group ``image``: how a picture may be sent, and which pictures are taken."""

from __future__ import annotations

from mutants.kit import Mutant

MUTANTS: tuple[Mutant, ...] = ()
