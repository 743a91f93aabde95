"""From a target and a profile to a result: the plan, the limits, the runner."""

from __future__ import annotations
