"""``venice-mock editions``: the list, and the changes for people and for programs."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import unquote

import msgspec
import pytest

import venice_mock
from rulekit import SMALL
from venice_mock.cli import main
from venice_mock.contract import available_editions, load_edition
from venice_mock.contract.comparing import compare
from venice_mock.edit.metadata import read_request

JUNE, AUGUST = "2026-06-19", "2026-08-22"
FILE = Path(venice_mock.__file__).parent / "contract" / "editions" / f"{JUNE}.json"
Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("VENICE_MOCK_EDITION", raising=False)


def shown(capsys: Capture, *words: str) -> str:
    assert main(["editions", *words]) == 0
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80 or "--json" in words
    return out


def test_the_list_has_a_row_per_edition_and_marks_the_one_that_is_served(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rows() -> dict[str, list[str]]:
        lines = [line.split() for line in shown(capsys).splitlines() if line.startswith("20")]
        return {line[0]: line[1:] for line in lines}

    assert list(rows()) == list(available_editions()) == [JUNE, AUGUST]
    assert rows()[JUNE][:4] == ["*", "15", "340", "20260619.153236"]
    assert rows()[AUGUST][:3] == ["21", "343", "20260821.193530"]
    monkeypatch.setenv("VENICE_MOCK_EDITION", AUGUST)
    assert rows()[AUGUST][0] == "*"


def test_the_list_as_json_has_the_same_facts(capsys: Capture) -> None:
    told = json.loads(shown(capsys, "--json"))
    assert told["default"] == JUNE
    assert [(row["edition"], row["models"], row["rules"]) for row in told["editions"]] == [
        (JUNE, 15, 340),
        (AUGUST, 21, 343),
    ]


def test_the_changes_as_json_are_all_of_them(capsys: Capture) -> None:
    told = json.loads(shown(capsys, "diff", JUNE, AUGUST, "--json"))
    assert (told["from"], told["to"]) == (JUNE, AUGUST)
    assert told["changes"] == msgspec.to_builtins(compare(load_edition(JUNE), load_edition(AUGUST)))


def test_the_changes_for_people_name_every_item_and_every_value(capsys: Capture) -> None:
    out = shown(capsys, "diff", JUNE, AUGUST)
    words = " ".join(out.split())
    for change in compare(load_edition(JUNE), load_edition(AUGUST)):
        assert change.item in words, change
        assert change.member in words, change
        for side in (change.before, change.after):
            if isinstance(side, str) and change.kind == "changed":
                assert " ".join(side.split()) in words, change
    assert "pricing.inpaint: 0.19 -> 0.12" in out
    assert "gone     qwen-edit\n" in out
    assert "new      grok-imagine-image-2-0-edit: 0.0615-0.1115 USD, 1K 2K, prompts to 7500\n" in out
    assert "added disable_prompt_optimization_thinking, enhance_prompt" in words
    assert "limits" in out.splitlines()[-2] + out.splitlines()[-3] + out.splitlines()[-4]
    assert out.splitlines()[-1] == f"92 changes from edition {JUNE} to {AUGUST}."


def test_what_many_models_have_in_common_is_told_once(capsys: Capture) -> None:
    assert shown(capsys, "diff", JUNE, AUGUST).count("max_input_images: 6") == 1


def test_an_edition_may_be_a_file_and_may_be_the_same(capsys: Capture, tmp_path: Path) -> None:
    assert shown(capsys, "diff", JUNE, str(FILE)) == f"No change from edition {JUNE} to {JUNE}.\n"
    table = json.loads(FILE.read_text("utf-8"))
    table["limits"]["max_pixels"] = 5
    table["errors"]["MODEL_OFFLINE"]["status"] = 500
    file = tmp_path / "own.json"
    file.write_text(json.dumps(table), "utf-8")
    out = shown(capsys, "diff", JUNE, str(file))
    assert "Limits\n------\nchanged  max_pixels: 33177600 -> 5\n" in out
    assert "changed  MODEL_OFFLINE\n         status: 503 -> 500\n" in out
    assert out.endswith(f"2 changes from edition {JUNE} to {JUNE}.\n")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["diff"], "Say nothing more for the list, or diff and two editions."),
        (["diff", JUNE], "Say nothing more for the list, or diff and two editions."),
        (["dif", JUNE, AUGUST], "Say nothing more for the list, or diff and two editions."),
        (["diff", JUNE, "2026-08-23"], "Unknown edition '2026-08-23'. Known: "),
    ],
)
def test_what_cannot_be_meant_is_one_sentence_and_exit_code_2(
    words: list[str], sentence: str, capsys: Capture
) -> None:
    assert main(["editions", *words]) == 2
    assert capsys.readouterr().err.startswith(f"venice-mock editions: {sentence}")


# ---- what other commands make of editions ---------------------------------------------------------------


@pytest.mark.parametrize(("edition", "count", "there"), [(JUNE, 340, False), (AUGUST, 343, True)])
def test_rules_lists_those_that_hold_in_the_edition(
    edition: str, count: int, there: bool, capsys: Capture
) -> None:
    assert main(["rules", "--edition", edition]) == 0
    out = capsys.readouterr().out
    assert out.endswith(f"{count} of {count} rules of edition {edition}.\n")
    assert ("EDIT-ENH-001 (must)" in out, "EDIT-SAFE-010 (must)" in out) == (there, not there)
    assert main(["rules", "--edition", edition, "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["rules"]) == count
    assert main(["rules", "--edition", edition, "--group", "additions-2026-08"]) == (0 if there else 2)


def test_models_of_august_show_what_an_edit_of_one_picture_costs(capsys: Capture) -> None:
    assert main(["models", "--edition", AUGUST]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    rows = {line.split()[0]: line.split()[1:] for line in lines if line.strip()}
    assert rows["firered-image-edit"][:2] == ["*", "0.04"]
    assert rows["grok-imagine-edit"][0] == "0.0323-0.0423"


def test_edit_can_have_its_prompt_rewritten_from_august_on(tmp_path: Path, capsys: Capture) -> None:
    photo, out = tmp_path / "photo.png", tmp_path / "edited.png"
    photo.write_bytes(SMALL)
    words = ["edit", str(photo), "make it warm", "-o", str(out), "--engine", "fast", "--enhance-prompt"]
    assert main([*words, "--edition", AUGUST, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["real_price_usd"] == "0.08"
    rewritten = read_request(out.read_bytes()).enhanced_prompt
    assert rewritten == unquote(told["headers"]["x-venice-enhanced-prompt"]) != "make it warm"
    out.unlink()
    assert main([*words, "--edition", JUNE]) == 1
    assert "Unrecognized key(s) in object: 'enhance_prompt'" in capsys.readouterr().err
