"""Checks of the group ``format``: output formats."""

from __future__ import annotations
