"""Checks of the group ``quality``."""

from __future__ import annotations
