"""Checks of the group ``response``: what a success carries."""

from __future__ import annotations
