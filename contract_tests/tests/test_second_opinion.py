"""The runner of Schemathesis: what it excuses, what it does not, and when a run shows nothing. Nothing is run here."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from second_opinion.__main__ import all_runs, main, not_needed, tell
from second_opinion.deviations import Deviation, Failure, first_covering, load_deviations
from second_opinion.running import Outcome, Run, read_failures, shortcomings
from venice_mock.contract import available_editions

KEY_RUN = Run("2026-06-19", "documented", "key")
UNPAID = Failure("POST /edit", "ignored_auth", "Expected 401\n402\n{}")
EXPECTED = Deviation("POST /edit", "ignored_auth", re.compile("\n402\n"), "the vendor does so")
WALLETS_ONLY = Deviation("POST /edit", "ignored_auth", re.compile("402"), "a reason", ("wallet",))
COMPLETE: dict[str, Any] = {
    "complete": True,
    "stop_reason": "completed",
    "operations": {"selected": 2, "tested": 2},
    "errors": [],
    "failures": [],
    "valid_rates": {"POST /edit": {"coverage": {"accepted": 0}, "fuzzing": {"accepted": 1}}},
}


def outcome(run: Run = KEY_RUN, **given: Any) -> Outcome:
    empty: dict[str, Any] = {"unexplained": (), "broken": (), "seen": ()}
    return Outcome(run, 10, 1.0, **{**empty, **given})


def written(folder: Path, text: str) -> Path:
    file = folder / "deviations.toml"
    file.write_text(text, "utf-8")
    return file


def test_the_shipped_list_is_readable_and_each_entry_can_occur_in_some_run() -> None:
    names = [run.name for run in all_runs()]
    listed = load_deviations()
    assert listed
    assert all(any(deviation.applies_to(name) for name in names) for deviation in listed)
    words = {word for name in names for word in name.split()}
    assert all(set(deviation.runs) <= words for deviation in listed)


def test_each_edition_is_run_in_both_behaviours_and_by_a_wallet() -> None:
    runs = all_runs()
    for edition in available_editions():
        mine = {(run.behavior, run.asker) for run in runs if run.edition == edition}
        assert mine == {("documented", "key"), ("observed", "key"), ("documented", "wallet")}


def test_a_failure_is_explained_by_the_entry_that_fits_it() -> None:
    assert first_covering([WALLETS_ONLY, EXPECTED], KEY_RUN.name, UNPAID) is EXPECTED


@pytest.mark.parametrize(
    "other",
    [
        Failure("GET /edit", "ignored_auth", UNPAID.said),
        Failure("POST /edit", "not_a_server_error", UNPAID.said),
        Failure("POST /edit", "ignored_auth", "Expected 401\n500\n{}"),
    ],
    ids=["another operation", "another check", "another answer"],
)
def test_a_failure_that_differs_in_one_respect_is_not_explained(other: Failure) -> None:
    assert first_covering([EXPECTED], KEY_RUN.name, other) is None


def test_an_entry_for_other_runs_explains_nothing() -> None:
    assert first_covering([WALLETS_ONLY], KEY_RUN.name, UNPAID) is None


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ("reason = ''", "are texts"),
        ("says = '('", "no regular expression"),
        ("because = 'x'", "expected"),
        ("reason = 1", "are texts"),
    ],
)
def test_an_entry_without_reason_or_sense_is_refused(tmp_path: Path, change: str, complaint: str) -> None:
    entry = {"operation": "'x'", "check": "'x'", "says": "'x'", "reason": "'x'"}
    key, value = change.split(" = ")
    lines = [f"{name} = {said}" for name, said in {**entry, key: value}.items()]
    with pytest.raises(ValueError, match=rf"deviation 1.*{complaint}"):
        load_deviations(written(tmp_path, "[[deviation]]\n" + "\n".join(lines)))


def test_a_reason_cannot_be_left_out(tmp_path: Path) -> None:
    entry = "[[deviation]]\noperation = 'x'\ncheck = 'x'\nsays = 'x'"
    with pytest.raises(ValueError, match="expected"):
        load_deviations(written(tmp_path, entry))


def test_a_listed_deviation_that_did_not_occur_is_told() -> None:
    assert not_needed([EXPECTED], [outcome()]) == [EXPECTED]
    assert not_needed([EXPECTED], [outcome(), outcome(seen=(0, 0))]) == []


def test_a_deviation_of_runs_that_were_not_made_is_not_missed() -> None:
    assert not_needed([WALLETS_ONLY], [outcome()]) == []
    assert not_needed([WALLETS_ONLY], [outcome(Run("2026-06-19", "documented", "wallet"))]) == [WALLETS_ONLY]


def test_failures_and_errors_are_read_from_the_junit_report_with_their_operation() -> None:
    report = """<testsuites><testsuite><testcase name="GET /a"><failure message="ST1">told</failure>
        <error message="crashed"/></testcase><testcase name="GET /b"/></testsuite></testsuites>"""
    assert list(read_failures(report)) == ["GET /a\ntold", "GET /a\ncrashed"]


def test_a_complete_run_has_no_shortcomings() -> None:
    assert list(shortcomings(COMPLETE, ("POST /edit",), ())) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"complete": False}, "operations were tested"),
        ({"operations": {"selected": 2, "tested": 1}}, "1 of 2"),
        ({"operations": {"selected": 0, "tested": 0}}, "0 of 0"),
        ({"operations": None}, "0 of 0"),
        ({"errors": [{"title": "Hook Error", "count": 3}]}, "Hook Error: 3"),
        ({"failures": [{"code": "ST1"}]}, "the JUnit report lacks"),
        ({"valid_rates": {}}, "POST /edit accepted nothing"),
        ({"valid_rates": {"POST /edit": {"fuzzing": {"accepted": 0}}}}, "POST /edit accepted nothing"),
    ],
)
def test_a_run_that_shows_less_than_it_should_says_so(change: dict[str, Any], told: str) -> None:
    (only,) = shortcomings({**COMPLETE, **change}, ("POST /edit",), ())
    assert told in only


def test_the_summary_begins_with_ok_or_fail() -> None:
    assert next(iter(tell(outcome(seen=(0,))))).startswith("ok")
    for wrong in (outcome(unexplained=("GET /a\ntold",)), outcome(broken=("it crashed",))):
        first, *rest = tell(wrong)
        assert first.startswith("FAIL")
        assert "told" in rest[0] or "crashed" in rest[0]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"seen": (0,)}, 0),
        ({}, 1),
        ({"seen": (0,), "unexplained": ("x",)}, 1),
        ({"seen": (0,), "broken": ("x",)}, 1),
    ],
    ids=["all explained", "an explanation too many", "unexplained", "broken"],
)
def test_the_exit_code_is_0_only_when_list_and_failures_agree(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: dict[str, Any], code: int
) -> None:
    monkeypatch.setattr("second_opinion.__main__.load_deviations", lambda: (EXPECTED,))
    monkeypatch.setattr("second_opinion.__main__.conduct", lambda run, _: outcome(run, **given))
    present = tmp_path / "schemathesis"
    present.touch()
    assert main([f"--schemathesis={present}"]) == code


def test_a_missing_schemathesis_and_unknown_words_are_usage_errors(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    present = tmp_path / "schemathesis"
    present.touch()
    for words, complaint in (
        ([f"--schemathesis={tmp_path / 'absent'}"], "make schemathesis"),
        ([f"--schemathesis={present}", "2026-06-19", "no-such-word"], "no run has"),
    ):
        with pytest.raises(SystemExit, match="2"):
            main(words)
        assert complaint in capsys.readouterr().err
