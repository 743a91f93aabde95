"""The benchmarks as a program: the shape of what they print and write, never a time."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any
from xml.etree import ElementTree

import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]


def run(*flags: str, patience: float = 120) -> subprocess.CompletedProcess[str]:
    """One run of the program, from the root as `make bench` does it."""
    command = [sys.executable, "-m", "benchmarks", *flags]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=patience, check=False)


@dataclass(frozen=True)
class Run:
    """What a run printed and what it wrote."""

    table: str
    whole: dict[str, Any]
    chart: str


def written(folder: Path, *flags: str, patience: float = 120) -> Run:
    """A quick run of these cases."""
    file, chart = folder / "new" / "bench.json", folder / "bench.svg"
    done = run("--quick", "--output", str(file), "--chart", str(chart), *flags, patience=patience)
    assert done.returncode == 0, done.stderr
    return Run(done.stdout, json.loads(file.read_text("utf-8")), chart.read_text("utf-8"))


@pytest.fixture(scope="module")
def refusal(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A quick run of one case."""
    return written(tmp_path_factory.mktemp("results"), "--only", "refusal")


def test_the_table_has_a_line_for_the_case_and_fits_100_columns(refusal: Run) -> None:
    lines = refusal.table.splitlines()
    assert max(map(len, lines)) <= 100
    titles = next(line for line in lines if line.startswith("case"))
    words = "case ratio spread goal reached limit ours baseline CPU base"
    assert titles.split() == words.split()
    row = next(line for line in lines if line.startswith("refusal "))
    assert row.count(" rps ") == 2
    assert " >=0.7 " in row
    assert not any(line.startswith("cached-28k") for line in lines)


def test_the_file_has_both_sides_of_the_case_their_ratio_and_its_goal(refusal: Run) -> None:
    whole = refusal.whole
    assert whole["quick"] is True
    assert whole["rounds"] == 1
    assert whole["machine"]["cores"] >= 1
    assert whole["machine"]["client"] in ("wrk", "benchmarks.asking")
    (case,) = whole["cases"]
    assert (case["name"], case["unit"], case["skipped"]) == ("refusal", "rate", None)
    assert case["goal"] == {"bound": 0.7, "limit": "1.0", "more": True}
    assert case["ours"]["count"] == case["baseline"]["count"] == 1
    for side in (case["ours"], case["baseline"]):
        assert 0 < side["median"] <= side["p99"]
    if case["broken"] is None:
        assert 0 < case["judged"]["low"] <= case["judged"]["median"] <= case["judged"]["high"]
        assert case["reached"] is (round(case["judged"]["median"], 2) >= 0.7)
    else:  # too busy a machine may make nonsense of a short round, but never unnoticed
        assert case["judged"] is None
        assert case["reached"] is None


def test_the_chart_is_a_picture_with_a_bar_for_each_goal(refusal: Run) -> None:
    picture = ElementTree.fromstring(refusal.chart)
    assert picture.tag == "{http://www.w3.org/2000/svg}svg"
    words = [text.text for text in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert "Refusals/s / bare Starlette: 73 bytes" in words
    assert len(list(picture.iter("{http://www.w3.org/2000/svg}rect"))) <= 2  # one bar, and what it lies on


@pytest.mark.slow
def test_every_case_can_be_measured_and_every_goal_has_its_bar(tmp_path: Path) -> None:
    made = written(tmp_path, patience=900)
    cases = made.whole["cases"]
    assert len(cases) >= 18
    goals = [case for case in cases if case["goal"] is not None]
    assert len(goals) == 15
    for case in cases:
        if sys.platform.startswith("linux") and case["name"] != "two-cores":  # which wants two
            assert case["skipped"] is None, case["name"]
        if case["goal"] is not None and case["judged"] is not None:
            assert isinstance(case["reached"], bool)
    assert made.chart.count('class="back"') == len(goals)
    assert not re.findall(r">(?:http|steps|cached|cold|memory)-[^<]*<", made.chart), "a bar without a title"


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="only Linux tells the CPU of another process"
)
def test_the_cpu_of_both_servers_is_told_beside_the_time(refusal: Run) -> None:
    (case,) = refusal.whole["cases"]
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


def test_a_slow_client_cannot_fake_a_rate(measuring: ModuleType) -> None:
    # It makes both sides alike in requests a second; ours took twice the CPU for each.
    outcome = measuring.compare([measuring.Lap([100.0], 2.0)], [measuring.Lap([100.0], 1.0)], judged="rate")
    assert outcome.ratio.median == 1.0
    assert outcome.judged.median == 0.5
    assert outcome.broken is None


@pytest.mark.parametrize(("rate", "cpu"), [(106.0, 1.0), (100.0, 0.94)])
def test_more_requests_than_a_baseline_that_does_less_are_called_a_broken_baseline(
    measuring: ModuleType, rate: float, cpu: float
) -> None:
    floor = [measuring.Lap([100.0], 1.0)]
    assert measuring.compare([measuring.Lap([rate], cpu)], floor, judged="rate").broken is not None
    assert measuring.compare([measuring.Lap([104.0], 0.97)], floor, judged="rate").broken is None


def test_a_baseline_that_is_no_floor_may_be_beaten(measuring: ModuleType) -> None:
    outcome = measuring.compare(
        [measuring.Lap([0.2], 0.2)], [measuring.Lap([1.0], 1.0)], judged="cpu", floor=False
    )
    assert outcome.judged.median == 0.2
    assert outcome.broken is None


def test_a_goal_is_reached_by_the_ratio_as_it_is_shown(measuring: ModuleType) -> None:
    del measuring  # it puts `benchmarks` on the path
    cases = importlib.import_module("benchmarks.cases")
    less, more = cases.Goal(1.15, "1.0"), cases.Goal(0.8, "1.0", more=True)
    assert [less.reached(ratio) for ratio in (1.0, 1.154, 1.156)] == [True, True, False]
    assert [more.reached(ratio) for ratio in (1.0, 0.796, 0.794)] == [True, True, False]


def test_where_wrk_is_not_installed_our_own_client_loads_the_server(
    measuring: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    del measuring
    load, posts = importlib.import_module("benchmarks.load"), importlib.import_module("benchmarks.posts")
    processes = importlib.import_module("benchmarks.processes")
    photo = importlib.import_module("benchmarks.pictures").Pictures(tmp_path).small(30_000)
    monkeypatch.setattr(load.shutil, "which", lambda _: None)
    with processes.running(processes.SERVER, tmp_path) as server:
        assert load.generator() == "benchmarks.asking"
        served = load.put_under(server, posts.small_refusal(), load.Load(2, 0.2), tmp_path)
        assert served.requests >= 1
        counted = load.put_under(server, posts.large_refusal(photo), load.Load(2, 0, requests=6), tmp_path)
        assert counted.requests == 6
        wrong = posts.Post(posts.EDIT, b"{}", "application/json", 200)
        with pytest.raises(processes.BenchmarkError, match="answers are not 200"):
            load.put_under(server, wrong, load.Load(1, 0.1), tmp_path)


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
    for name in ("http-33mp-png", "steps-json", "cached-28k", "refusal", "cold-start", "memory-16"):
        assert name in done.stderr


@pytest.mark.parametrize("size", [20_000, 21_000, 85_500, 85_543, 165_000, 1_275_000])
def test_a_small_picture_has_exactly_the_bytes_that_are_asked_for(
    measuring: ModuleType, tmp_path: Path, size: int
) -> None:
    del measuring
    picture = importlib.import_module("benchmarks.pictures").Pictures(tmp_path).small(size)
    assert len(picture.data) == size
    with Image.open(BytesIO(picture.data)) as image:
        image.load()
        assert image.size == picture.size


def test_an_answer_is_right_only_as_a_whole_picture_of_the_size_and_format_asked_for(
    measuring: ModuleType, tmp_path: Path
) -> None:
    del measuring
    servers = importlib.import_module("benchmarks.peers.servers")
    photo = importlib.import_module("benchmarks.pictures").Pictures(tmp_path).small(30_000)
    plain, shaped = servers.questions(photo)
    assert (plain.format, shaped.format) == ("PNG", "JPEG")
    assert shaped.size[0] < shaped.size[1]
    right = BytesIO()
    Image.new("RGB", plain.size, "red").save(right, "PNG")
    assert plain.answered_by(right.getvalue())
    for wrong in (b"", b"string", right.getvalue()[:-2000], photo.data):
        assert not plain.answered_by(wrong)
    assert not shaped.answered_by(right.getvalue())


@pytest.mark.slow
def test_peers_that_are_not_installed_are_named_and_ours_is_measured(tmp_path: Path) -> None:
    output = tmp_path / "peers.json"
    flags = ("--quick", "--installed", str(tmp_path / "empty"), "--output", str(output))
    command = [sys.executable, "-m", "benchmarks.peers", *flags]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    for name in ("Prism", "Mockoon"):
        assert f"{name} is not installed" in done.stderr
    same, new = json.loads(output.read_text("utf-8"))["peers"]
    assert (same["name"], same["right"]) == ("venice-mock", "2 of 2")
    assert new["p50"] > 0
    assert same["cold"] > 0
