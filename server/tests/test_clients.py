"""Real clients against the server as a real process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from live import running
from tools import missing, tool
from venice_mock.sample import draw_sample

CLIENTS = Path(__file__).parent / "clients"


@pytest.fixture
def seed(tmp_path: Path) -> Path:
    """A small PNG to edit."""
    path = tmp_path / "seed.png"
    draw_sample((512, 384)).save(path)
    return path


NODE_HOME = Path(sys.executable).parents[1] / "node"  # where `make test` installs the JavaScript clients


def run_client(command: list[str], origin: str, seed: Path) -> str:
    """The client's one line; the client must end with PASS."""
    environment = {**os.environ, "BASE_URL": origin, "SEED": str(seed), "NODE_HOME": str(NODE_HOME)}
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
    assert "no credit: PAYMENT_REQUIRED" in line


def test_the_vendors_own_wallet_client_tops_up_edits_and_reads_its_balance(seed: Path) -> None:
    node = tool("node")
    if not (NODE_HOME / "node_modules").exists():
        missing("the npm packages of the test clients are not installed (make test installs them)")
    with running() as origin:
        line = run_client([node, str(CLIENTS / "x402_client.mjs")], origin, seed)
    assert "autoTopUp clears the 402" in line
