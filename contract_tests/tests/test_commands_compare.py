"""``diff``, ``record``, ``check-record`` find what differs and nothing else; ``list``, ``explain`` tell the rules."""

from __future__ import annotations

import json
import re
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

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


def test_one_finding_in_many_cases_is_told_once_with_their_number(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["diff", MOCK, ODD, "--only", "EDIT-MOD-005", "--behavior", "documented"]) == 1
    out = capsys.readouterr().out
    assert out.count("status: A 404 | B 400") == 1
    assert "status: A 404 | B 400 (2 cases)\n    for example an unknown model is not found" in out
    assert ", answer 1 of the case\n" in out


def _case(rule: str, value: int, **answer: Any) -> dict[str, Any]:
    exchange = {"asked": "POST /image/edit", "status": 400, **answer}
    return {
        "rule": rule, "check": f"{rule}/so_it_is", "value": value, "verdict": "PASS", "exchanges": [exchange]
    }  # fmt: skip


def _compared(left: list[dict[str, Any]], right: list[dict[str, Any]], tmp_path: Path) -> int:
    files = [tmp_path / "left.json", tmp_path / "right.json"]
    for file, cases in zip(files, (left, right), strict=True):
        file.write_text(json.dumps({"format": 1, "edition": "2026-06-19", "cases": cases}), "utf-8")
    return main(["check-record", str(files[0]), "--with", str(files[1])])


def test_headers_are_told_by_name_and_values_only_where_both_have_the_header(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    many = {f"x-venice-header-of-a-long-name-{number}": None for number in range(9)}
    ours = {"allow": None, **many, "x-venice-model-id": "one"}
    theirs = {"retry-after": None, "x-venice-model-id": "other"}
    left = [_case("EDIT-A-001", value, headers=ours) for value in range(40)]
    right = [_case("EDIT-A-001", value, headers=theirs) for value in range(40)]
    assert _compared(left, right, tmp_path) == 1
    out = capsys.readouterr().out
    assert f"  headers: only A has allow, {', '.join(many)}; only B has retry-after (40 cases)\n" in out
    assert "  header x-venice-model-id: A one | B other (40 cases)\n" in out
    assert out.count("headers:") == 1
    assert "40 cases compared, 2 differences in 1 rule." in out


def test_of_an_errors_shape_only_the_members_that_differ_are_told(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    left = [_case("EDIT-A-001", 1, error={"error": "text", "details": ["a" * 200]})]
    right = [_case("EDIT-A-001", 1, error={"error": "text", "issues": [["custom", ["model"]]]})]
    assert _compared(left, right, tmp_path) == 1
    out = capsys.readouterr().out
    assert f'error details: A ["{"a" * 200}"] | B nothing\n' in out
    assert 'error issues: A nothing | B [["custom", ["model"]]]\n' in out
    assert "error error" not in out


def test_of_an_answer_that_did_not_come_only_that_is_told(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    left = [_case("EDIT-A-001", 1, media_type="application/json", headers={"allow": None})]
    assert _compared(left, [_case("EDIT-A-001", 1, status=None)], tmp_path) == 1
    out = capsys.readouterr().out
    assert "status: A 400 | B nothing" in out
    assert "1 difference in 1 rule." in out


def test_cases_that_one_side_alone_answered_are_told_in_words_by_rule(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    both = [_case("EDIT-A-001", 1)]
    alone = [*both, _case("EDIT-B-001", 1), _case("EDIT-B-001", 2), _case("EDIT-C-001", 1)]
    assert _compared(alone, both, tmp_path) == 0
    out = capsys.readouterr().out
    assert "3 cases only A answered; B was not asked" in out
    assert "By rule: EDIT-B-001 (2), EDIT-C-001 (1)." in out
    assert "only B answered" not in out


def test_a_record_is_compared_later_with_a_server_and_with_another_record(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    mock, odd = tmp_path / "mock.json", tmp_path / "odd.json"
    for url, file in ((MOCK, mock), (ODD, odd)):
        words = ["record", "--base-url", url, *ONLY, "--behavior", "documented", "-o", str(file)]
        assert main(words) == 0
    capsys.readouterr()
    for server in (["--base-url", MOCK], [MOCK]):
        assert main(["check-record", str(mock), *server, *ONLY, "--behavior", "documented"]) == 0
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


@pytest.mark.parametrize(
    "others",
    [[], [MOCK, "--base-url", MOCK], [MOCK, "--with", "y.json"], ["--base-url", MOCK, "--with", "y"]],
)
def test_a_record_is_compared_with_one_thing_and_no_other_number_of_them(
    others: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check-record", "x.json", *others]) == 2
    assert "compare with one thing: URL, --base-url URL or --with FILE." in capsys.readouterr().err


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
    assert re.search(r"A conforming server would charge \$\d+\.\d{2,} for all of them", out)


def test_the_free_profile_promises_no_charge_and_counts_no_case_that_could_be_charged(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["list", "--cost", "--profile", "free"]) == 0
    assert capsys.readouterr().out == "Nothing that profile free sends could be charged.\n"
    counts = {}
    for profile in ("free", "real"):
        assert main(["list", "--json", "--only", "EDIT-RSP-005", "--profile", profile]) == 0
        told = json.loads(capsys.readouterr().out)
        counts[profile] = told["rules"][0]["cases"], told["usd"]
    assert counts["free"] == (counts["real"][0] - 1, "0")
    assert counts["real"][1] == "0.04"


def test_the_closing_sentence_counts_only_the_rules_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--cost", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert main(["list", "--cost"]) == 0
    out = capsys.readouterr().out
    cases = sum(row["cases"] for row in told["rules"])
    assert f"{len(told['rules'])} rules; of these, profile real would run {cases} cases (" in out
    assert sum(Decimal(row["usd"]) for row in told["rules"]) == Decimal(told["usd"])


def test_the_list_explains_the_cost_classes_that_it_shows_and_no_others(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["list", "--only", "EDIT-FMT-001"]) == 0
    out = capsys.readouterr().out
    assert "paid          paid: an edit succeeds\n" in out
    assert "only a mock that can be steered" not in out


def test_texts_are_whole_in_a_pipe_and_one_cut_line_on_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["list", "--only", "EDIT-FMT-010", "--text"]
    (rule,) = [rule for rule in load_edition("2026-06-19").active_rules if rule.id == "EDIT-FMT-010"]
    assert main(words) == 0
    assert f"\n    {rule.text}\n" in capsys.readouterr().out
    monkeypatch.setenv("COLUMNS", "70")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    assert main(words) == 0
    assert f"\n    {rule.text[:65]}…\n" in capsys.readouterr().out


def test_a_rule_is_explained_with_its_text_source_and_checks(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "edit-img-014"]) == 0
    out = capsys.readouterr().out
    rule = next(rule for rule in load_edition("2026-06-19").active_rules if rule.id == "EDIT-IMG-014")
    assert " ".join(rule.text.split()[:5]) in " ".join(out.split())
    assert rule.source in out


def test_an_unknown_rule_is_a_usage_error_that_names_each_near_one_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["explain", "EDIT-IMG-99"]) == 2
    near = capsys.readouterr().err.partition("Near: ")[2].rstrip(".\n").split(", ")
    assert len(set(near)) == len(near) == 3
    assert all(name.startswith("EDIT-IMG-") for name in near)


def test_a_pattern_lists_the_rules_that_it_matches(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "edit-fmt-*"]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    rules = [rule for rule in load_edition("2026-06-19").active_rules if rule.group == "output-format"]
    matching = [rule for rule in rules if rule.id.startswith("EDIT-FMT-")]
    assert head == f"{len(matching)} rules match edit-fmt-*; explain one of them by its id:"
    assert lines == [f"{rule.id:<14} {rule.text}" for rule in matching]


def test_the_help_promises_of_explain_only_what_it_tells(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    assert "one rule in full: text, source, cost, and how it is checked" in out
    assert "what breaks it" not in out
