"""The examples are what they say: each is run as its README says."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools import tool

EXAMPLES = Path(__file__).parents[2] / "examples"
MOCK = Path(sys.executable).parent / "venice-mock"


def run(*command: str, cwd: Path = EXAMPLES, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command with the mock of this environment, and without the settings of this test run."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV_"))}
    env = {**kept, "VENICE_MOCK": str(MOCK), **environment}
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=120, check=False)


def test_pytest_with_venice_py_passes_and_finds_who_pays_twice() -> None:
    done = run(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-v", cwd=EXAMPLES / "pytest")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "test_who_retries_whatever_happened_pays_twice[charge_then_504] PASSED" in done.stdout
    assert "12 passed" in done.stdout


def test_the_script_for_ci_passes_with_curl_alone() -> None:
    tool("curl")
    done = run(tool("bash"), str(EXAMPLES / "shell" / "ci.sh"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("PASS\n")


def test_the_script_for_ci_fails_with_a_sentence_when_a_client_pays_twice(tmp_path: Path) -> None:
    tool("curl")
    text = (EXAMPLES / "shell" / "ci.sh").read_text("utf-8")
    careful = '[ "$status" = 503 ] || break'
    assert careful in text
    script = tmp_path / "ci.sh"
    script.write_text(text.replace(careful, '[ "$status" != 200 ] || break'), "utf-8")
    done = run(tool("bash"), str(script))
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stderr.startswith("FAIL: somebody paid twice: ")


def test_the_script_for_ci_says_when_the_mock_does_not_start() -> None:
    tool("curl")
    done = run(tool("bash"), str(EXAMPLES / "shell" / "ci.sh"), VENICE_MOCK="false")
    assert (done.returncode, done.stderr) == (2, "The mock did not start.\n")


def test_the_script_for_ci_leaves_no_mock_behind(tmp_path: Path) -> None:
    tool("curl")
    noted = tmp_path / "pid"
    wrapper = tmp_path / "mock"
    wrapper.write_text(f'#!/bin/sh\necho $$ >{noted}\nexec {MOCK} "$@"\n', "utf-8")
    wrapper.chmod(0o755)
    done = run(tool("bash"), str(EXAMPLES / "shell" / "ci.sh"), VENICE_MOCK=str(wrapper))
    assert done.returncode == 0, done.stderr
    with pytest.raises(ProcessLookupError):
        os.kill(int(noted.read_text("ascii")), 0)


def test_node_passes_under_its_own_test_runner() -> None:
    done = run(tool("node"), "--test", "--test-reporter=tap", "node/postcards.test.mjs")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "pass 5" in done.stdout


def test_node_notices_a_client_that_pays_twice(tmp_path: Path) -> None:
    node = tool("node")
    careful = "const NOT_DONE = new Set([429, 503]);"
    folder = shutil.copytree(EXAMPLES / "node", tmp_path / "node")
    client = folder / "postcards.mjs"
    text = client.read_text("utf-8")
    assert careful in text
    client.write_text(text.replace(careful, "const NOT_DONE = new Set([429, 503, 504]);"), "utf-8")
    done = run(node, "--test", "--test-reporter=tap", "postcards.test.mjs", cwd=folder)
    assert done.returncode == 1, done.stdout
    assert "not ok 3 - what was charged and lost is not paid for again" in done.stdout


def test_every_example_is_named_in_their_readme() -> None:
    readme = (EXAMPLES / "README.md").read_text("utf-8")
    for folder in (each for each in EXAMPLES.iterdir() if each.is_dir()):
        assert f"`{folder.name}/" in readme
