"""Checks of the group ``prompt``."""

from __future__ import annotations
