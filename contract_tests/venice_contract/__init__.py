"""Judges any server of the image edit API by the rules of an edition. Start at ``cli`` or ``running.runner``."""

from __future__ import annotations

__version__ = "0.1.0"
