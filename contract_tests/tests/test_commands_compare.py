"""``diff``, ``record``, ``check-record`` find what differs and nothing else; ``list``, ``explain`` tell the rules."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from venice_contract.cli import main
from venice_mock.contract import load_edition

MOCK = "asgi:venice_mock.asgi:make_app"
ODD = "asgi:standins:with_odd_statuses"
ONLY = ("--only", "EDIT-PRM-00[1-4]", "--only", "EDIT-MOD-005", "--only", "EDIT-FMT-00[1-3]")


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """No credentials of whoever runs the tests."""
    for name in ("VENICE_API_KEY", "VENICE_EMPTY_API_KEY", "VENICE_MOCK_CONTROL_TOKEN"):
        monkeypatch.delenv(name, raising=False)


def test_a_server_does_not_differ_from_itself(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", MOCK, MOCK, *ONLY]) == 0
    assert "0 differences in 0 rules." in capsys.readouterr().out


def test_what_differs_is_told_by_rule_with_both_sides(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", MOCK, ODD, *ONLY, "--behavior", "documented", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    statuses = {
        (row["rule"], row["left"], row["right"]) for row in told["differences"] if row["what"] == "status"
    }
    assert statuses >= {("EDIT-PRM-002", 400, 422), ("EDIT-MOD-005", 404, 400)}
    assert {rule for rule, _, _ in statuses} <= {"EDIT-PRM-002", "EDIT-PRM-003", "EDIT-MOD-005"}
    assert told["compared"] > 20
    assert main(["diff", MOCK, ODD, "--only", "EDIT-PRM-002", "--behavior", "documented"]) == 1
    out = capsys.readouterr().out
    assert "EDIT-PRM-002\n  verdict: A " in out
    assert "status: A 400 | B 422" in out


def test_a_record_is_compared_later_with_a_server_and_with_another_record(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    mock, odd = tmp_path / "mock.json", tmp_path / "odd.json"
    for url, file in ((MOCK, mock), (ODD, odd)):
        words = ["record", "--base-url", url, *ONLY, "--behavior", "documented", "-o", str(file)]
        assert main(words) == 0
    capsys.readouterr()
    words = ["check-record", str(mock), "--base-url", MOCK, *ONLY, "--behavior", "documented"]
    assert main(words) == 0
    assert main(["check-record", str(mock), "--with", str(odd)]) == 1
    assert "status: A 404 | B 400" in capsys.readouterr().out


def test_a_record_holds_no_credential_no_text_and_no_picture(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VENICE_API_KEY", "a-key-of-this-test-alone")
    file = tmp_path / "record.json"
    words = ["record", "--base-url", ODD, "--only", "EDIT-FMT-*", "--only", "EDIT-MOD-*", "-o", str(file)]
    assert main(words) == 0
    text = file.read_text("utf-8")
    assert "a-key-of-this-test-alone" not in text
    assert "Specified model not found" not in text
    assert "iVBOR" not in text
    assert len(text) < 100_000
    assert "recorded in" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "words"), [("{", "is no record"), ("[]", "no record of format 1"), (None, "No such file")]
)
def test_a_file_that_is_no_record_is_a_usage_error(
    content: str | None, words: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "record.json"
    if content is not None:
        file.write_text(content)
    assert main(["check-record", str(file), "--with", str(file)]) == 2
    assert words in capsys.readouterr().err


def test_a_record_without_anything_to_compare_with_is_a_usage_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["check-record", "x.json"]) == 2
    assert "--base-url URL or --with FILE" in capsys.readouterr().err


# --- list and explain --------------------------------------------------------------------------------------------


def test_the_list_has_every_rule_with_level_source_certainty_and_cost(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["list", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    rules = {rule.id: rule for rule in load_edition("2026-06-19").active_rules}
    rows = {row["id"]: row for row in told["rules"]}
    assert set(rows) == set(rules)
    for rule_id, row in rows.items():
        assert (row["level"], row["cost"], row["certainty"], row["source"]) == (
            rules[rule_id].level, rules[rule_id].cost, rules[rule_id].certainty, rules[rule_id].source
        )  # fmt: skip


def test_the_dry_run_adds_up_to_what_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--cost", "--only", "EDIT-FMT-*"]) == 0
    out = capsys.readouterr().out
    assert "EDIT-FMT-001" in out
    assert "A conforming server would charge" in out


def test_a_rule_is_explained_with_its_text_source_and_checks(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "edit-img-014"]) == 0
    out = capsys.readouterr().out
    rule = next(rule for rule in load_edition("2026-06-19").active_rules if rule.id == "EDIT-IMG-014")
    assert " ".join(rule.text.split()[:5]) in " ".join(out.split())
    assert rule.source in out


def test_an_unknown_rule_is_a_usage_error_that_names_a_near_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "EDIT-IMG-99"]) == 2
    assert "EDIT-IMG-" in capsys.readouterr().err
