"""One module a command: its parser, and what it does. Nothing else prints."""

from __future__ import annotations
