"""``venice-contract run``: what it prints, what it writes, what it returns, and that it always leaves a report."""

from __future__ import annotations

import json
import re
import signal
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from judged_apps import answering, die_after, mock, named, signalling
from page_reader import Page, assert_harmless
from reports_kit import HOSTILE, SCRIPT, SECRET
from talkers import Talk, answer_of, says, silent, talking
from venice_contract.cli import main
from venice_contract.judging.callers import EMPTY_KEY, KEY
from venice_contract.judging.control import TOKEN
from venice_contract.reports.json_report import read_report
from venice_contract.running.results import RunResult, Verdict
from venice_mock.contract import load_edition

MOCK = "asgi:venice_mock.asgi:make_app"
STAND_IN = "asgi:standins:with_odd_statuses"
NAMES = {"badge.json", "badge.md", "junit.xml", "report.html", "report.json", "summary.md"}
PROMPTS = ("--only", "EDIT-PRM-00[1-3]")


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No credentials, no terminal width and no configuration of whoever runs the tests; an empty folder."""
    for name in ("VENICE_API_KEY", "VENICE_EMPTY_API_KEY", "VENICE_MOCK_CONTROL_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.chdir(tmp_path)


def reported(folder: Path) -> RunResult:
    """The run that the reports tell of, once every report is there and sound."""
    assert {path.name for path in folder.iterdir() if path.is_file()} == NAMES
    assert_harmless(Page.read((folder / "report.html").read_text("utf-8")))
    assert ET.parse(folder / "junit.xml").getroot().tag == "testsuites"
    assert json.loads((folder / "badge.json").read_text())["schemaVersion"] == 1
    return read_report(folder / "report.json")


def test_the_help_names_every_variable_that_the_suite_reads(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--help"]) == 0
    told = capsys.readouterr().out
    named_there = set(re.findall(r"VENICE_[A-Z_]+", told.partition("environment:")[2]))
    assert named_there == {KEY, EMPTY_KEY, TOKEN}


# --- a run that comes to its end ---------------------------------------------------------------------------------


def test_a_conforming_mock_is_told_so_and_nothing_is_written(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["run", "--base-url", MOCK, *PROMPTS]) == 0
    out, err = capsys.readouterr()
    assert out.endswith("Conforming. 3 rules passed.\n")
    assert "3 rules." in err
    assert list(tmp_path.iterdir()) == []


def test_a_deviating_server_fails_with_reports_and_a_file_for_each_failing_case(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["run", "--base-url", STAND_IN, *PROMPTS, "--report", "out"]) == 1
    out, err = capsys.readouterr()
    result = reported(tmp_path / "out")
    assert [rule.rule.id for rule in result.having(Verdict.FAIL)] == ["EDIT-PRM-002"]
    files = list((tmp_path / "out" / "cases").glob("*.json"))
    assert [path.stem for path in files] == ["EDIT-PRM-002-an_empty_prompt_is_refused"]
    replay = f"venice-contract replay {Path('out/cases') / files[0].name} --base-url {STAND_IN}"
    assert f"again {replay}" in out
    assert 'curl -sS -i -X POST "${BASE_URL:?' in out
    assert "answered 422, expected 400" in out
    assert out.endswith("Not conforming. 1 rule fails.\n")
    assert "1 case file in" in err


def test_one_search_for_one_rule_is_announced_as_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--base-url", MOCK, "--only", "EDIT-FMT-007"]) == 0
    assert re.search(r" \d+ cases and 1 search for 1 rule\.\n", capsys.readouterr().err)


def test_quiet_says_nothing_before_the_result(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--base-url", MOCK, *PROMPTS, "--quiet"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "Conforming." in out


def test_notes_tell_what_was_only_observed(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["run", "--base-url", MOCK, "--only", "EDIT-PRM-007"]
    assert main(words) == 0
    assert "the prompt ' ' passes" not in capsys.readouterr().out
    assert main([*words, "--notes"]) == 0
    assert "the prompt ' ' passes" in capsys.readouterr().out


def test_listed_deviations_are_expected_and_mended_ones_are_stale(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    listed = tmp_path / "known.toml"
    listed.write_text('"EDIT-PRM-002" = "since the rewrite"\n')
    assert main(["run", "--base-url", STAND_IN, *PROMPTS, "--deviations", str(listed)]) == 0
    assert "Failed as listed (1)" in capsys.readouterr().out
    assert main(["run", "--base-url", MOCK, *PROMPTS, "--deviations", str(listed)]) == 1
    assert "Stale deviations. 1 listed deviation no longer deviates" in capsys.readouterr().out


def test_required_rules_that_nobody_saw_are_no_pass(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--base-url", STAND_IN, "--only", "EDIT-PRM-001", "--profile", "free"]) == 3
    assert "Incomplete." in capsys.readouterr().out


def test_a_pattern_that_no_rule_fits_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--base-url", MOCK, "--only", "EDIT-PROMPT-*"]) == 2
    assert "no rule of edition" in capsys.readouterr().err


def test_a_report_folder_that_cannot_be_made_is_told_before_anything_is_sent(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    assert main(["run", "--base-url", "http://127.0.0.1:9/api/v1", "--report", "file/out"]) == 2
    assert "--report file" in capsys.readouterr().err


def test_reports_that_cannot_be_written_are_told_and_are_no_pass(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "out" / "report.json").mkdir(parents=True)
    assert main(["run", "--base-url", MOCK, *PROMPTS, "--report", "out"]) == 4
    out, err = capsys.readouterr()
    assert "Conforming." in out
    assert "--report out" in err


# --- a run that cannot begin ---------------------------------------------------------------------------------

HTML = says(answer_of(200, b"<!doctype html><title>Welcome</title>", "text/html"))
GONE = says(answer_of(404, b'{"error": "Not Found"}'))


@pytest.mark.parametrize(
    ("talk", "url", "code", "told"),
    [
        (HTML, "http://127.0.0.1:{}/api/v1", 2, "Is this the API?"),
        (HTML, "http://127.0.0.1:{}", 2, "The API is usually below /api/v1"),
        (GONE, "http://127.0.0.1:{}", 2, "The API is usually below /api/v1"),
        (GONE, "http://127.0.0.1:{}/api/v1", 2, "answered 404"),
        (HTML, "https://127.0.0.1:{}/api/v1", 4, "TLS with"),
        (silent, "http://127.0.0.1:{}/api/v1", 4, "within 0.2 seconds"),
        (says(b""), "http://127.0.0.1:{}/api/v1", 4, "closed without an answer"),
    ],
)
def test_a_server_that_is_not_the_api_is_told_in_a_sentence_and_in_every_report(
    talk: Talk, url: str, code: int, told: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with talking(talk, reads=b"" if url.startswith("https") else b"\r\n\r\n") as port:
        words = ["run", "--base-url", url.format(port), "--timeout", "0.2", "--report", "out"]
        assert main(words) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert told in err
    assert "Traceback" not in err
    result = reported(tmp_path / "out")
    assert (result.exit_code, result.rules) == (code, ())
    assert told in result.stopped
    assert told in Page.read((tmp_path / "out" / "report.html").read_text("utf-8")).text


def test_a_server_that_nobody_answers_at_leaves_a_report(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with talking(silent) as port:
        pass
    assert main(["run", "--base-url", f"http://127.0.0.1:{port}/api/v1", "--report", "out"]) == 4
    assert "cannot be reached" in capsys.readouterr().err
    assert "cannot be reached" in reported(tmp_path / "out").stopped


def test_without_a_report_folder_a_run_that_cannot_begin_writes_nothing(tmp_path: Path) -> None:
    with talking(HTML) as port:
        assert main(["run", "--base-url", f"http://127.0.0.1:{port}/api/v1"]) == 2
    assert list(tmp_path.iterdir()) == []


# --- a run that ends early ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_tells_and_reports_what_it_saw(
    number: signal.Signals,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    before = signal.getsignal(signal.SIGTERM)
    target = named(signalling(mock(control=False), number, at=6), monkeypatch)
    assert main(["run", "--base-url", target, *PROMPTS, "--report", "out"]) == 4
    assert signal.getsignal(signal.SIGTERM) is before
    result = reported(tmp_path / "out")
    assert result.stopped == "it was interrupted"
    assert result.counts[Verdict.PASS] >= 1
    assert any(rule.verdict is Verdict.HARNESS and not rule.cases for rule in result.rules)
    out, _ = capsys.readouterr()
    assert "Not reached (" in out
    assert out.endswith("Not judged. Not finished: it was interrupted.\n")


@pytest.mark.parametrize("control", [True, False])
def test_a_server_that_dies_in_the_middle_ends_the_run_with_a_report(
    control: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    target = named(mock(control=control), monkeypatch)
    die_after(9, monkeypatch)
    assert main(["run", "--base-url", target, "--only", "EDIT-*", "--report", "out"]) == 4
    result = reported(tmp_path / "out")
    assert result.stopped.startswith("the server no longer answers.")
    assert result.requests < 30
    assert "Not judged." in capsys.readouterr().out


def test_a_search_sends_nothing_more_once_the_server_is_gone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    words = [
        "run",
        "--base-url",
        named(mock(control=False), monkeypatch),
        "--only",
        "EDIT-PRM-006",
        "--quiet",
    ]
    main([*words, "--report", "whole"])
    whole = reported(tmp_path / "whole")
    assert whole.rules[0].cases[-1].source == "generated"
    words[2] = named(mock(control=False), monkeypatch)
    left = die_after(whole.requests - 5, monkeypatch)  # it dies in the search, which comes last
    assert main([*words, "--report", "out"]) == 4
    result = reported(tmp_path / "out")
    assert [case.source for case in result.rules[0].cases] == ["witness"] * (len(whole.rules[0].cases) - 1)
    assert result.stopped.startswith("the server no longer answers.")
    assert left[0] == -3


def test_a_fault_of_the_suite_itself_is_a_harness_error_with_a_report(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise KeyError(SECRET)

    monkeypatch.setattr("venice_contract.running.judging.make_plan", broken)
    assert main(["run", "--base-url", MOCK, "--report", "out"]) == 4
    assert "the suite itself failed: KeyError." in capsys.readouterr().err
    assert reported(tmp_path / "out").stopped == "the suite itself failed (KeyError)."


# --- what a server may try -------------------------------------------------------------------------------------


def test_a_server_that_answers_markup_harms_no_report(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    hostile = HOSTILE.encode("utf-8", "replace").decode()
    body = json.dumps({"error": hostile, "details": {SCRIPT: {"_errors": [SCRIPT]}}}).encode()
    target = named(answering(418, body, server=SCRIPT, x_request_id=SCRIPT), monkeypatch)
    assert main(["run", "--base-url", target, *PROMPTS, "--report", "out"]) == 1
    result = reported(tmp_path / "out")
    assert result.server == SCRIPT
    assert SCRIPT in Page.read((tmp_path / "out" / "report.html").read_text("utf-8")).text
    assert SCRIPT not in (tmp_path / "out" / "report.html").read_text("utf-8")


@pytest.mark.parametrize(
    "body", [b"", b"\xff\xfe\x00", b"[" * 100_000, b'{"error": {"a": [1, null]}}', b"<html>"]
)
def test_answers_of_every_kind_can_be_reported(
    body: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    target = named(answering(418, body), monkeypatch)
    assert main(["run", "--base-url", target, *PROMPTS, "--report", "out"]) == 1
    assert reported(tmp_path / "out").counts[Verdict.HARNESS] == 0


def test_a_key_that_the_server_repeats_stands_nowhere(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("VENICE_API_KEY", SECRET)
    body = b'{"error": "not for $AUTHORIZATION", "$AUTHORIZATION": 1}'
    target = named(answering(418, body, x_seen="$AUTHORIZATION", server="$AUTHORIZATION"), monkeypatch)
    assert main(["run", "--base-url", target, "--only", "EDIT-PRM-00*", "--report", "out", "--notes"]) == 1
    out, err = capsys.readouterr()
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert any(path.parent.name == "cases" for path in files)
    assert "not for Bearer ***" in (tmp_path / "out" / "report.html").read_text("utf-8")
    texts = [out, err, *(path.read_bytes().decode("latin-1") for path in files)]
    assert [text for text in texts if SECRET in text] == []


def test_the_edition_of_the_reports_is_the_one_that_was_judged_by(tmp_path: Path) -> None:
    main(["run", "--base-url", MOCK, *PROMPTS, "--report", "out", "--quiet", "--seed", "7"])
    result = reported(tmp_path / "out")
    assert result.seed == 7
    known = {rule.id for rule in load_edition(result.edition).rules}
    assert {rule.rule.id for rule in result.rules} <= known
