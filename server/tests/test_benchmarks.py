"""The benchmarks as a program: the shape of what they print and write, never a time."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
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
    assert titles.split() == [
        "case",
        "n",
        "median",
        "p99",
        "baseline",
        "ratio",
        "spread",
        "CPU",
        "base",
        "ratio",
    ]
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


@pytest.fixture
def measuring(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module that makes figures; `benchmarks` lies in the root, which is not on the tests' path."""
    monkeypatch.syspath_prepend(str(ROOT))
    return importlib.import_module("benchmarks.measuring")


def test_the_ratio_is_of_the_medians_of_each_round_and_the_spread_of_all_rounds(
    measuring: ModuleType,
) -> None:
    ours = [measuring.Lap([2.0, 3.0, 40.0], 0.5), measuring.Lap([4.0], 0.5), measuring.Lap([9.0], 0.5)]
    floor = [measuring.Lap([1.0], 0.25), measuring.Lap([1.0], None), measuring.Lap([3.0], 0.25)]
    outcome = measuring.compare(ours, floor)
    assert (outcome.ratio.median, outcome.ratio.low, outcome.ratio.high) == (3.0, 3.0, 4.0)
    assert (outcome.ours.count, outcome.ours.median, outcome.ours.p99) == (5, 4.0, 40.0)
    assert outcome.cpu_ratio is None  # one round of the baseline had none
    assert outcome.broken is None


@pytest.mark.parametrize(("seconds", "cpu"), [(0.94, 1.0), (1.0, 0.94)])
def test_doing_more_in_less_than_the_baseline_is_called_a_broken_baseline(
    measuring: ModuleType, seconds: float, cpu: float
) -> None:
    floor = [measuring.Lap([1.0], 1.0)]
    assert measuring.compare([measuring.Lap([seconds], cpu)], floor).broken.startswith("broken baseline")
    assert measuring.compare([measuring.Lap([0.96], 0.96)], floor).broken is None


def test_the_two_sides_take_turns_and_the_first_round_does_not_count(measuring: ModuleType) -> None:
    turns: list[str] = []

    def side(name: str) -> Any:
        turns.append(name)
        return measuring.Lap([float(len(turns))])

    ours, floor = measuring.interleave(2, lambda: side("A"), lambda: side("B"))
    assert turns == ["A", "B"] * 3
    assert [lap.values for lap in ours] == [[3.0], [5.0]]
    assert [lap.values for lap in floor] == [[4.0], [6.0]]


def test_an_unknown_case_is_refused_with_the_names_of_all() -> None:
    done = run("--only", "speed")
    assert done.returncode == 2
    for name in ("json-edit", "form-edit", "refusal", "edit-33mp-png", "cold-start", "memory-33mp"):
        assert name in done.stderr
