"""Checks of the group ``image``: pictures by address."""

from __future__ import annotations
