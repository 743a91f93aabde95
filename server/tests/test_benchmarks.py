"""The benchmarks as a program: the shape of what they print and write, never a time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(*flags: str) -> subprocess.CompletedProcess[str]:
    """One run of the program, from the root as `make bench` does it."""
    command = [sys.executable, "-m", "benchmarks", *flags]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture(scope="module")
def refusal(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Any]]:
    """What a quick run of one case printed and what it wrote."""
    file = tmp_path_factory.mktemp("results") / "new" / "latest.json"
    done = run("--quick", "--only", "refusal", "--output", str(file))
    assert done.returncode == 0, done.stderr
    return done.stdout, json.loads(file.read_text("utf-8"))


def test_the_table_has_a_line_for_the_case_and_fits_100_columns(refusal: tuple[str, dict[str, Any]]) -> None:
    table, _ = refusal
    lines = table.splitlines()
    assert max(map(len, lines)) <= 100
    titles = next(line for line in lines if line.startswith("case"))
    assert titles.split() == "case n median p99 baseline ratio spread CPU base ratio".split()
    row = next(line for line in lines if line.startswith("refusal "))
    assert row.count(" ms ") >= 3
    assert not any(line.startswith("json-edit") for line in lines)


def test_the_file_has_both_sides_of_the_case_and_their_ratio(refusal: tuple[str, dict[str, Any]]) -> None:
    _, whole = refusal
    assert whole["quick"] is True
    assert whole["rounds"] == 2
    assert whole["machine"]["cores"] >= 1
    (case,) = whole["cases"]
    assert (case["name"], case["unit"], case["skipped"]) == ("refusal", "seconds", None)
    assert case["ours"]["count"] == case["baseline"]["count"] == 80
    for side in (case["ours"], case["baseline"]):
        assert 0 < side["median"] <= side["p99"]
    if case["broken"] is None:
        assert 0 < case["ratio"]["low"] <= case["ratio"]["median"] <= case["ratio"]["high"]
    else:  # too busy a machine may make nonsense of two short rounds, but never unnoticed
        assert case["ratio"] is None


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="only Linux tells the CPU of another process"
)
def test_the_cpu_of_both_servers_is_told_beside_the_time(refusal: tuple[str, dict[str, Any]]) -> None:
    (case,) = refusal[1]["cases"]
    assert case["ours"]["cpu"] > 0
    assert case["baseline"]["cpu"] > 0


def test_an_unknown_case_is_refused_with_the_names_of_all() -> None:
    done = run("--only", "speed")
    assert done.returncode == 2
    for name in ("json-edit", "form-edit", "refusal", "edit-33mp-png", "cold-start", "memory-33mp"):
        assert name in done.stderr
