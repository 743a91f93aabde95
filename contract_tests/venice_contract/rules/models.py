"""Checks of the group ``model``: the model that serves an edit."""

from __future__ import annotations
