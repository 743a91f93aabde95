"""``venice-contract replay``: the very case is run again, where it was seen or elsewhere, and nothing it must not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from judged_apps import answering, mock, named
from reports_kit import SECRET
from talkers import silent, talking
from venice_contract.cli import main

MOCK = "asgi:venice_mock.asgi:make_app"
STAND_IN = "asgi:standins:with_odd_statuses"
NAME = "EDIT-PRM-002-an_empty_prompt_is_refused.json"


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """No credentials and no terminal width of whoever runs the tests."""
    for name in ("VENICE_API_KEY", "VENICE_EMPTY_API_KEY", "VENICE_MOCK_CONTROL_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "100")


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The case files of a run against the stand-in with deviations."""
    out = tmp_path_factory.mktemp("run")
    words = ["run", "--base-url", STAND_IN, "--only", "EDIT-PRM-002", "--only", "EDIT-MOD-005"]
    assert main([*words, "--quiet", "--report", str(out)]) == 1
    return out / "cases"


def changed(cases: Path, to: Path, **members: Any) -> Path:
    """A case file with other members; ``...`` takes one away."""
    told = {**json.loads((cases / NAME).read_text()), **members}
    to.write_text(json.dumps({name: value for name, value in told.items() if value is not ...}))
    return to


def test_a_case_fails_again_on_the_server_that_it_was_seen_at(
    cases: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", str(cases / NAME), "--base-url", STAND_IN]) == 1
    out = capsys.readouterr().out
    assert "then  FAIL: answered 422, expected 400" in out
    assert "now   FAIL: answered 422, expected 400" in out
    assert "got   422 application/json" in out
    assert f"--data-binary @{(cases / NAME).with_suffix('.body')}" in out
    assert '"error": "Invalid request parameters"' in out
    assert out.endswith("The case fails.\n")


def test_a_case_passes_on_a_server_that_keeps_the_rule(
    cases: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", str(cases / NAME), "--base-url", MOCK]) == 0
    out = capsys.readouterr().out
    assert "now   PASS" in out
    assert "1 of 1" in out
    assert out.endswith("The case passes now.\n")


def test_only_the_very_value_is_sent_again(cases: Path, capsys: pytest.CaptureFixture[str]) -> None:
    form = next(
        path for path in cases.glob("EDIT-MOD-005-*.json") if json.loads(path.read_text())["value"] == "form"
    )
    assert main(["replay", str(form), "--base-url", STAND_IN]) == 1
    out = capsys.readouterr().out
    assert "1 of 1" in out
    assert "multipart/form-data" in out


def test_a_rule_of_every_exchange_is_seen_again_in_the_case_in_which_it_was_met(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    target = named(answering(500, b"broken", "text/plain"), monkeypatch)
    only = ["--only", "EDIT-PRM-002", "--only", "EDIT-RSP-004"]
    assert main(["run", "--base-url", target, *only, "--quiet", "--report", str(tmp_path)]) == 1
    kept = {path: json.loads(path.read_text()) for path in (tmp_path / "cases").glob("EDIT-RSP-004-*.json")}
    met = next(path for path, told in kept.items() if told["source"] == "invariant")
    assert set(kept[met]["value"]) == {"met_in", "value"}
    capsys.readouterr()
    assert main(["replay", str(met), "--base-url", target]) == 1
    assert "now   FAIL" in capsys.readouterr().out
    assert main(["replay", str(met), "--base-url", MOCK]) == 0
    assert "The case passes now." in capsys.readouterr().out


def test_a_value_found_by_search_is_sent_as_it_was_found(
    cases: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    found = changed(
        cases, tmp_path / "case.json",
        check="EDIT-PRM-002/one_character_is_a_prompt", value="\u00e9", source="generated",
    )  # fmt: skip
    assert main(["replay", str(found), "--base-url", MOCK]) == 0
    out = capsys.readouterr().out
    assert 'one character is a prompt, "é"' in out
    assert "2 of 2" in out


def test_where_a_case_was_seen_is_asked_again_when_it_is_this_machine(
    cases: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["replay", str(changed(cases, tmp_path / "a.json", target=MOCK))]) == 0
    with talking(silent) as port:
        pass
    gone = changed(cases, tmp_path / "b.json", target=f"http://127.0.0.1:{port}/api/v1")
    assert main(["replay", str(gone)]) == 4
    assert "cannot be reached" in capsys.readouterr().err


@pytest.mark.parametrize(
    "target",
    [
        "https://contract.invalid/api/v1",
        "asgi:os:abort",
        "http://user@127.0.0.1.contract.invalid",
        "",
        "x\ny",
    ],
)
def test_a_case_file_never_chooses_another_machine_or_other_code(
    target: str, cases: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["replay", str(changed(cases, tmp_path / "case.json", target=target))]) == 2
    err = capsys.readouterr().err
    assert "say where to send it, with --base-url" in err
    assert "\n" not in err.rstrip("\n")


def test_a_key_stands_nowhere_in_what_is_shown(
    cases: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VENICE_API_KEY", SECRET)
    target = named(answering(400, b'{"error": "$AUTHORIZATION"}', x_seen="$AUTHORIZATION"), monkeypatch)
    assert main(["replay", str(cases / NAME), "--base-url", target]) == 0
    out, err = capsys.readouterr()
    assert '"error": "Bearer ***"' in out
    assert SECRET not in out + err


def test_what_could_not_be_seen_is_neither_passed_nor_failed(
    cases: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    target = named(answering(429, b'{"error": "Too many requests"}'), monkeypatch)
    assert main(["replay", str(cases / NAME), "--base-url", target]) == 3
    assert "now   MASKED: " in capsys.readouterr().out


def test_the_edition_and_behaviour_are_those_of_the_case(
    cases: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = named(mock(), monkeypatch)
    unknown = changed(cases, tmp_path / "a.json", edition="1999-01-01")
    assert main(["replay", str(unknown), "--base-url", target]) == 2
    assert "1999-01-01" in capsys.readouterr().err


@pytest.mark.parametrize(
    "members",
    [{"format": 2}, {"check": ...}, {"seed": "x"}, {"verdict": "GOOD"}, {"exchanges": 3}, {"check": "A/b"}],
)
def test_what_is_no_case_of_this_version_is_refused(
    members: dict[str, Any], cases: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = changed(cases, tmp_path / "case.json", **members)
    assert main(["replay", str(path), "--base-url", MOCK]) == 2
    err = capsys.readouterr().err
    assert err.startswith("venice-contract replay: ")
    assert "Traceback" not in err


def test_a_file_that_is_not_there_is_a_usage_error(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["replay", str(tmp_path / "none.json")]) == 2
    assert "No such file" in capsys.readouterr().err
