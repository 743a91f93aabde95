"""The README is what a stranger types: every command and every line of Python in it is run here, in its order."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from live import running
from tools import tool
from venice_mock.accounts.keys import load_keys
from venice_mock.contract import load_contract
from venice_mock.wallet.world import make_world

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
BIN = Path(sys.executable).parent
# These run this very test, or take longer than a test may; what they call is tested by what stands beside them.
RUN_ELSEWHERE = {
    "make test": "this run: .ci/run calls it",
    "make run": "test_make_run_serves_and_says_where",
}


def commands() -> list[str]:
    """The shell commands of the README, continued lines joined."""
    text = "\n".join(block for language, block in BLOCKS if language == "sh")
    return [line for line in text.replace("\\\n", " ").splitlines() if line and not line.startswith("#")]


@contextmanager
def started(command: list[str], **environment: str) -> Iterator[dict[str, Any]]:
    """A serving command as a process; yields its ready line and ends it as Ctrl-C would."""
    env = {**os.environ, **environment}
    with subprocess.Popen(
        command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            assert process.stdout is not None
            lines = iter(process.stdout.readline, "")
            ready = next(json.loads(line) for line in lines if line.startswith("{"))
            yield ready
            os.kill(ready["pid"], signal.SIGTERM)  # the server itself, not the make or shell around it
            assert process.wait(30) == 0
        finally:
            process.kill()


def test_every_shell_command_works_as_printed(tmp_path: Path) -> None:
    tool("curl")
    shutil.copytree(ROOT / "fixtures", tmp_path / "fixtures")
    ran = 0
    with running() as origin:
        for command in commands():
            if command in RUN_ELSEWHERE:
                continue
            line = command.replace("http://127.0.0.1:8402", origin).replace(".venv/bin/", f"{BIN}/")
            if " serve" in line:
                with started(line.split()) as ready:
                    assert ready["event"] == "ready"
            else:
                done = subprocess.run(
                    ["bash", "-c", line],
                    cwd=tmp_path,
                    capture_output=True,
                    text=True,
                    timeout=60,
                    check=False,
                )
                assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
                told = {"/ledger/verdict": '"ok":false', "/__mock/verify": '"ok":true'}
                assert all(said in done.stdout for place, said in told.items() if place in line), done.stdout
            ran += 1
    assert ran >= 6
    assert (tmp_path / "edited.png").read_bytes().startswith(b"\x89PNG")
    for block in (text for language, text in BLOCKS if language == "python"):
        done = subprocess.run(
            [sys.executable, "-W", "ignore::ResourceWarning", "-c", block],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, block + done.stderr


def test_the_keys_file_in_the_readme_is_one(tmp_path: Path) -> None:
    (printed,) = [text for language, text in BLOCKS if language == "json" and "balance_usd" in text]
    file = tmp_path / "keys.json"
    file.write_text(printed, "utf-8")
    assert {key: opening.status for key, opening in load_keys(file).items()} == {
        "team-a": "active",
        "former-customer": "disabled",
    }


def test_the_words_in_the_readme_are_the_editions() -> None:
    words = load_contract("2026-06-19").edition.words
    assert {"nude", "lingerie"} <= set(words.adult)
    assert {"gore", "torture"} <= set(words.policy)


def test_the_wallets_file_in_the_readme_is_one(tmp_path: Path) -> None:
    (printed,) = [text for language, text in BLOCKS if language == "toml" and "smart_wallets" in text]
    file = tmp_path / "wallets.toml"
    file.write_text(printed, "utf-8")
    world = make_world(load_contract("2026-06-19"), file=file)
    assert world.smart_wallets
    assert world.settlements
    assert world.balances
    assert world.funds_of("anyone") == 7


def test_make_run_serves_and_says_where() -> None:
    with started([tool("make"), "--silent", "run", "PORT=0"], MAKEFLAGS="") as ready:
        assert str(ready["base_url"]).startswith("http://127.0.0.1:")


def test_the_ready_line_in_the_readme_has_the_members_of_the_real_one() -> None:
    (printed,) = [json.loads(text) for language, text in BLOCKS if language == "json" and '"ready"' in text]
    with started([str(BIN / "venice-mock"), "serve", "--port", "0"]) as ready:
        assert list(ready) == list(printed)


def test_the_readme_names_only_files_that_exist() -> None:
    for path in re.findall(r"\]\(((?!http)[^)]+)\)", README) + re.findall(
        r"`((?:server|docs|fixtures)/[^` ]+)`", README
    ):
        assert (ROOT / path).exists(), path


def test_the_number_of_rules_is_the_editions() -> None:
    rules = load_contract("2026-06-19").edition.active_rules
    assert f"{len(rules)} rules" in README


def test_no_line_of_prose_is_longer_than_a_screen_is_wide() -> None:
    prose = re.sub(r"^```.*?^```", "", README, flags=re.MULTILINE | re.DOTALL).splitlines()
    assert [line for line in prose if len(line) > 120 and not line.startswith("|")] == []
