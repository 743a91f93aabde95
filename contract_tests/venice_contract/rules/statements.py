"""Checks of the group ``x402`` balance and transactions."""

from __future__ import annotations
