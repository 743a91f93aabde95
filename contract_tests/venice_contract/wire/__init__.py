"""Requests and replies, and the two ways to exchange them: over a socket and in process."""

from __future__ import annotations
