"""Commands that tests need: found, or the test is skipped with a sentence; in CI a missing one is a failure."""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest


def tool(name: str) -> str:
    """The path of a command."""
    return shutil.which(name) or missing(f"{name} is not installed, so what needs it was not tried")


def missing(sentence: str) -> NoReturn:
    """Skip with a sentence, or fail where everything ought to be there."""
    if os.environ.get("CI") == "true":
        pytest.fail(sentence)
    pytest.skip(sentence)
