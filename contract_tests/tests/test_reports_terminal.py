"""What a user reads: the text after a run, its widths and colours, and the progress while it goes on."""

from __future__ import annotations

import io
import os
import re
import subprocess
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Literal

import pytest

from page_reader import Page
from reports_kit import SECRET, case, clean_run, edit, exchange, full_run, reply, rule, run, single
from venice_contract.reports.columns import cells
from venice_contract.reports.page import report_html
from venice_contract.reports.progress import Progress
from venice_contract.reports.terminal import Style, run_text
from venice_contract.running.results import RuleResult, Verdict
from venice_contract.wire.message import Request


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


# --- after the run -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [80, 100, 120])
def test_no_line_but_what_is_to_be_copied_is_wider_than_the_terminal(width: int) -> None:
    for line in run_text(full_run(), Style(width), directory=Path("out"), notes=True).split("\n"):
        to_copy = re.match(r" +(try|again|-H|--data-binary)", line)
        assert cells(line) <= width or to_copy, line


def test_nothing_that_a_server_said_can_steer_the_terminal() -> None:
    text = run_text(full_run(), notes=True)
    assert [c for c in set(text) if not c.isprintable() and c != "\n"] == []
    assert "\\x1b[31mred" in text


def test_colours_are_for_terminals_alone_and_not_under_no_color() -> None:
    assert Style.of(Terminal(), 80, {}).colours
    assert not Style.of(Terminal(), 80, {"NO_COLOR": "1"}).colours
    assert not Style.of(Terminal(), 80, {"TERM": "dumb"}).colours
    assert not Style.of(io.StringIO(), 80, {}).colours
    painted = run_text(full_run(), Style(80, colours=True))
    assert "\x1b[" in painted
    assert re.sub(r"\x1b\[[0-9;]*m", "", painted) == run_text(full_run(), Style(80))


def test_each_group_has_a_row_and_the_last_row_is_all_of_them() -> None:
    lines = run_text(full_run(), Style(100)).split("\n")
    assert lines[0].split() == [
        "group", "MUST", "SHOULD", "failed", "errors", "warned", "listed", "untested", "observed", "n/a",
    ]  # fmt: skip
    rows = [line.split()[0] for line in lines[1 : lines.index("")]]
    groups = list(dict.fromkeys(result.rule.group for result in full_run().rules))
    assert rows == [*groups, "-" * len(rows[-2]), "all"]


def test_a_failure_shows_its_smallest_request_as_a_curl_line_and_its_case_file() -> None:
    long, short = edit("a long prompt " * 20), edit("x")
    failing = [case("EDIT-A-001", Verdict.FAIL, each, sentence="no") for each in (long, short)]
    text = run_text(run([single("EDIT-A-001", Verdict.FAIL, "no", *failing)]), directory=Path("out"))
    assert text.count("curl -sS -i -X POST") == 1
    assert '"prompt": "x"' in text
    assert "long prompt" not in text
    assert f"again venice-contract replay {Path('out/cases/EDIT-A-001-it_is_so-2.json')}\n" in text
    assert "1 other case of this rule failed." in text
    assert SECRET not in text


@pytest.mark.parametrize(
    ("target", "where"),
    [
        ("asgi:shop.main:app", " --base-url asgi:shop.main:app"),
        ("https://contract.invalid/api/v1", " --base-url https://contract.invalid/api/v1"),
        ("asgi:venice_mock.asgi:make_app", ""),
        ("http://127.0.0.1:8402/api/v1", ""),
    ],
)
def test_how_to_send_a_case_again_names_a_server_that_replay_does_not_take_from_the_file(
    target: str, where: str
) -> None:
    failing = replace(run([single("EDIT-A-001", Verdict.FAIL, "no")]), target=target)
    text = run_text(failing, directory=Path("out"))
    assert f"replay {Path('out/cases/EDIT-A-001-it_is_so.json')}{where}\n" in text
    page = Page.read(report_html(failing))
    assert f"replay cases/EDIT-A-001-it_is_so.json{where}" in page.text
    assert where or "--base-url" not in page.text


def test_a_request_to_an_application_in_process_needs_an_address_to_be_pasted() -> None:
    sent = exchange(Request("GET", "/models?type=inpaint"), None)
    failing = single("EDIT-A-001", Verdict.FAIL, "no", case("EDIT-A-001", Verdict.FAIL, sent))
    text = run_text(replace(run([failing]), target="asgi:shop:app"))
    line = (
        text.partition(" try   ")[2].partition("\n      again")[0].replace("\\\n", " ").partition("\n\n")[0]
    )
    assert "127.0.0.1" not in text
    served = {**os.environ, "BASE_URL": "http://shop.invalid/api/v1"}
    echoed = line.replace("curl", "echo", 1)
    shown = subprocess.run(["sh", "-c", echoed], env=served, capture_output=True, text=True, check=True)
    assert "http://shop.invalid/api/v1/models?type=inpaint " in shown.stdout
    bare = {name: value for name, value in os.environ.items() if name != "BASE_URL"}
    refused = subprocess.run(["sh", "-c", echoed], env=bare, capture_output=True, text=True, check=False)
    assert refused.returncode != 0
    assert "where the application is served" in refused.stderr


def test_without_a_folder_no_file_is_promised() -> None:
    failing = case("EDIT-A-001", Verdict.FAIL, edit("x" * 5000), sentence="no")
    text = run_text(run([single("EDIT-A-001", Verdict.FAIL, "no", failing)]))
    assert "replay" not in text
    assert "run with --report DIR, which keeps its file and the curl line" in " ".join(text.split())
    assert "curl -sS" not in text
    assert "@cases" not in text


def test_a_line_too_long_to_paste_names_no_case_file_that_nobody_wrote() -> None:
    long = exchange(Request("GET", "/models", (("X-Long", "x" * 4000),)), reply(400))
    text = run_text(run([single("EDIT-A-001", Verdict.FAIL, "no", case("EDIT-A-001", Verdict.FAIL, long))]))
    assert "case file" not in text
    assert "run with --report DIR" in " ".join(text.split())


@pytest.mark.parametrize(
    ("profile", "budget", "told"),
    [
        ("ci", None, "nothing spent (it would have cost $2.24 on the paid server)."),
        ("mock", "3", "nothing spent (it would have cost $2.24 of $3.00 on the paid server)."),
        ("real", "3", ", $2.24 of $3.00 spent."),
    ],
)
def test_only_a_profile_for_the_paid_server_spends(profile: str, budget: str | None, told: str) -> None:
    limit = None if budget is None else Decimal(budget)
    text = run_text(replace(clean_run(), profile=profile, spent=Decimal("2.2400"), budget=limit))
    assert told in " ".join(text.split())


def test_what_was_not_reached_is_counted_and_not_told_one_by_one() -> None:
    late = [
        RuleResult(rule(f"EDIT-Z-{n:03}"), Verdict.HARNESS, (), "not reached: it ended") for n in range(40)
    ]
    text = run_text(run(late, stopped="it was interrupted"))
    assert "Not reached (40)" in text
    assert "EDIT-Z-011 and 28 more" in " ".join(text.split())
    assert "HARNESS  EDIT-Z" not in text
    assert "EDIT-Z-039" in run_text(run(late, stopped="it was interrupted"), notes=True)


def test_what_was_not_seen_is_never_told_as_passed() -> None:
    text = run_text(run([single("EDIT-A-001", Verdict.MASKED, "402 came first")]))
    assert "Not seen, which is no pass (1)" in text
    assert "Incomplete." in text
    assert "Conforming" not in text


def test_the_last_line_is_the_conclusion() -> None:
    assert run_text(clean_run()).rstrip("\n").split("\n")[-1] == "Conforming. 1 rule passed."
    assert run_text(full_run()).rstrip("\n").split("\n")[-1] == "Not conforming. 1 rule fails."
    stopped = replace(full_run(), stopped="it was interrupted")
    told = "Not judged. Not finished: it was interrupted. Until then 1 rule failed."
    assert run_text(stopped, Style(120)).rstrip("\n").split("\n")[-1] == told


# --- while it goes on ----------------------------------------------------------------------------------------


def test_on_a_terminal_one_line_changes_and_is_wiped_away_at_the_end() -> None:
    stream, clock = Terminal(), Clock()
    with Progress(stream, 3, {}, clock, width=60) as progress:
        for verdict in (Verdict.PASS, Verdict.FAIL, Verdict.MASKED):
            progress("EDIT-A-001/a_check_with_a_name_that_is_too_long_for_any_line_of_sixty", verdict)
            clock.now += 1
    drawn = stream.getvalue().split("\r\x1b[2K")
    assert [line.split("  ")[0] for line in drawn[1:-1]] == ["1/3 cases", "2/3 cases", "3/3 cases"]
    assert "1 failed" in drawn[3]
    assert "1 untested" in drawn[3]
    assert all(cells(line) < 60 for line in drawn)
    assert drawn[-1] == ""
    assert "\n" not in stream.getvalue()


def test_hundreds_of_cases_a_second_are_not_all_drawn() -> None:
    stream, clock = Terminal(), Clock()
    progress = Progress(stream, 0, {}, clock, width=80)
    for _ in range(1000):
        progress("EDIT-A-001/x", Verdict.PASS)
        clock.now += 0.001
    assert stream.getvalue().count("\r") == 13


@pytest.mark.parametrize(("stream", "environ"), [(io.StringIO(), {}), (Terminal(), {"TERM": "dumb"})])
def test_elsewhere_a_plain_line_comes_now_and_then(stream: io.StringIO, environ: dict[str, str]) -> None:
    clock = Clock()
    with Progress(stream, 200, environ, clock) as progress:
        for _ in range(100):
            progress("EDIT-A-001/a\x1bb", Verdict.PASS)
            clock.now += 0.25
    assert stream.getvalue() == (
        "41/200 cases  10.0 s  EDIT-A-001/a\\x1bb\n81/200 cases  20.0 s  EDIT-A-001/a\\x1bb\n"
    )


def test_a_short_run_leaves_no_line_in_a_log() -> None:
    stream = io.StringIO()
    with Progress(stream, 1, {}) as progress:
        progress("EDIT-A-001/x", Verdict.PASS)
    assert stream.getvalue() == ""


def test_rules_that_passed_are_the_sum_of_their_columns() -> None:
    levels: tuple[Literal["must", "should", "may"], ...] = ("must", "should", "may")
    passed = [
        RuleResult(rule(f"EDIT-{level.upper()}-001", level=level), Verdict.PASS, (), "") for level in levels
    ]
    head, _, *_, last = run_text(run(passed), Style(100)).split("\n\n")[0].split("\n")
    shares = dict(zip(head.split(), last.split(), strict=False))
    assert [shares[title] for title in ("MUST", "SHOULD", "MAY")] == ["1/1", "1/1", "1/1"]
