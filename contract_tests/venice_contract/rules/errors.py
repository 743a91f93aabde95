"""Checks of the group ``errors``: the shape and wording of refusals."""

from __future__ import annotations
