"""Checks of the group ``aspect-ratio``."""

from __future__ import annotations
