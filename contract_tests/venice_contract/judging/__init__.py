"""How one case is judged: facts, expectations, the probe that sends, and what comes of it."""

from __future__ import annotations
