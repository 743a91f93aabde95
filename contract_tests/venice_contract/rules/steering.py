"""Checks of the group ``control``: magic keys and the mock as a server."""

from __future__ import annotations
