"""Checks of the group ``payment``: what an edit costs and when."""

from __future__ import annotations
