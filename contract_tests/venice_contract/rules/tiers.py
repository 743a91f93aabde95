"""Checks of the group ``resolution``: tiers and output sizes."""

from __future__ import annotations
