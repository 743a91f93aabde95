"""Checks of the group ``billing``."""

from __future__ import annotations
