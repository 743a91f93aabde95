"""Checks of the group ``transport``: media types, syntax, framing, keys and types of the request."""

from __future__ import annotations
