"""Servers with one rule broken each, to prove that the suite bites. Not shipped.

The one place beside the tests that may import the mock's application.
"""

from __future__ import annotations
