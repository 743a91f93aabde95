"""Checks of the group ``additions-2026-08``."""

from __future__ import annotations
