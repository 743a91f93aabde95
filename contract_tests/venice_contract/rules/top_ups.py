"""Checks of the group ``x402`` top-up."""

from __future__ import annotations
