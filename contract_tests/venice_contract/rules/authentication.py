"""Checks of the group ``authentication``."""

from __future__ import annotations
