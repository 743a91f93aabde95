"""Checks of the group ``x402`` sign-in: the sixteen codes and what is accepted."""

from __future__ import annotations
