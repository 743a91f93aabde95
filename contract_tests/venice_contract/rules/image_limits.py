"""Checks of the group ``image``: pixels, bytes, damage and hostile files."""

from __future__ import annotations
