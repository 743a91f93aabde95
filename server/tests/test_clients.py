"""Real clients against the server as a real process."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from live import running

from venice_mock.sample import draw_sample

CLIENTS = Path(__file__).parent / "clients"


def tool(name: str) -> str:
    """The path of a command; a skip with a sentence where a user lacks it, a failure in CI."""
    found = shutil.which(name)
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{name} is not installed")
        pytest.skip(f"{name} is not installed, so the client that needs it was not run")
    return found


@pytest.fixture
def seed(tmp_path: Path) -> Path:
    """A small PNG to edit."""
    path = tmp_path / "seed.png"
    draw_sample((512, 384)).save(path)
    return path


def run_client(command: list[str], origin: str, seed: Path) -> str:
    """The client's one line; the client must end with PASS."""
    environment = {**os.environ, "BASE_URL": origin, "SEED": str(seed)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("PASS"), done.stdout
    return done.stdout


@pytest.mark.rules("EDIT-HTTP-018", "EDIT-FMT-003", "EDIT-FMT-004", "EDIT-HTTP-003")
def test_plain_curl_as_the_documentation_uses_it_is_satisfied(seed: Path) -> None:
    tool("curl")
    with running() as origin:
        line = run_client([tool("bash"), str(CLIENTS / "curl_docs.sh")], origin, seed)
    assert "multipart-3MB-expect-100" in line


def test_venice_py_edits_and_raises_its_own_errors(seed: Path) -> None:
    with running() as origin:
        line = run_client([sys.executable, str(CLIENTS / "venice_py.py")], origin, seed)
    assert "PaymentRequiredError" in line
