"""What a run leaves in a folder: JSON, JUnit, Markdown, badges and case files, whole and free of credentials."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import pytest

from reports_kit import SCRIPT, SECRET, case, clean_run, edit, exchange, full_run, reply, rule, run, single
from venice_contract.reports.badge import badge_json, badge_line
from venice_contract.reports.case_files import case_files, has_case_name, read_case
from venice_contract.reports.json_report import read_report, report_json
from venice_contract.reports.junit import junit_xml
from venice_contract.reports.markdown import summary_md
from venice_contract.reports.requests import judged
from venice_contract.reports.shape import ReportError
from venice_contract.reports.wording import plain
from venice_contract.reports.writing import write_reports
from venice_contract.running.results import RuleResult, RunResult, Verdict
from venice_contract.wire.message import json_request
from venice_mock.contract import available_editions, load_edition

NAMES = {"badge.json", "badge.md", "junit.xml", "report.html", "report.json", "summary.md"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("reports") / "deep" / "out"
    write_reports(full_run(), made)
    return made


def unbegun(code: int = 4) -> RunResult:
    return replace(run([]), stopped="nobody is there.", opening_code=code)


def cut_short() -> RunResult:
    """A run that was interrupted: one rule failed, two were not reached."""
    late = [
        RuleResult(rule(f"EDIT-Z-00{n}", "late"), Verdict.HARNESS, (), "not reached: it ended")
        for n in (1, 2)
    ]
    return run([single("EDIT-A-001", Verdict.FAIL, "no"), *late], stopped="it was interrupted")


# --- the folder ----------------------------------------------------------------------------------------------


def test_a_folder_that_is_not_there_is_made_and_holds_every_report(folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} == NAMES | {"cases"}


def test_no_file_holds_a_credential(folder: Path) -> None:
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) > len(NAMES)
    assert [path.name for path in files if SECRET.encode() in path.read_bytes()] == []


def test_case_files_of_an_earlier_run_go_and_other_files_stay(tmp_path: Path) -> None:
    write_reports(full_run(), tmp_path)
    (tmp_path / "cases" / "mine.json").write_text("{}")
    (tmp_path / "notes.txt").write_text("kept")
    write_reports(clean_run(), tmp_path)
    assert [path.name for path in (tmp_path / "cases").iterdir()] == ["mine.json"]
    assert (tmp_path / "notes.txt").read_text() == "kept"


def test_what_an_earlier_version_left_and_bodies_without_a_case_go_too(tmp_path: Path) -> None:
    cases = tmp_path / "cases"
    write_reports(full_run(), tmp_path)
    before = sorted(cases.iterdir())
    assert {path.suffix for path in before} == {".json", ".body"}
    for path in before:
        if path.suffix == ".json":
            path.write_text(path.read_text().replace('"format": 1', '"format": 0', 1))
    next(path for path in before if path.suffix == ".body").with_suffix(".json").unlink()
    write_reports(clean_run(), tmp_path)
    assert list(cases.iterdir()) == []


def test_only_the_suites_own_files_go(tmp_path: Path) -> None:
    cases = tmp_path / "cases"
    write_reports(full_run(), tmp_path)
    own = next(cases.glob("*.json"))
    mine = {
        "kept for later.json": own.read_text(),  # a case file that somebody gave a name
        "EDIT-IMG-014-my-notes.json": '{"what": "I think"}',
        "EDIT-IMG-014-my-notes.body": "to go with it",
        "EDIT-IMG-014-it_is_so.txt": "a text",
        "photo.body": "a body of mine",
    }
    for name, text in mine.items():
        (cases / name).write_text(text)
    write_reports(clean_run(), tmp_path)
    assert {path.name: path.read_text() for path in cases.iterdir()} == mine


def test_every_case_file_has_a_name_by_which_a_later_run_knows_it() -> None:
    for edition in available_editions():
        for known in load_edition(edition).rules:
            name = case_files(run([single(known.id, Verdict.FAIL, "no")]))[0].name
            assert has_case_name(name), name


def test_equal_runs_leave_equal_files(folder: Path, tmp_path: Path) -> None:
    write_reports(full_run(), tmp_path)
    for path in (each for each in folder.rglob("*") if each.is_file()):
        assert (tmp_path / path.relative_to(folder)).read_bytes() == path.read_bytes(), path.name


# --- report.json ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [full_run, clean_run, unbegun, cut_short])
def test_a_report_is_read_back_as_the_run_that_it_tells_of(make: object, tmp_path: Path) -> None:
    assert callable(make)
    result = make()
    path = tmp_path / "report.json"
    path.write_text(report_json(result), "ascii")
    again = read_report(path)
    assert report_json(again) == path.read_text("ascii")
    assert (again.exit_code, again.conclusion) == (result.exit_code, result.conclusion)
    assert again.counts == result.counts


def test_a_report_names_its_exit_code_and_what_was_not_seen(folder: Path) -> None:
    told = json.loads((folder / "report.json").read_text())
    assert told["format"] == 1
    assert told["exit_code"] == 1
    assert told["untested"] == ["EDIT-ERR-002", "EDIT-AUTH-002", "EDIT-BILL-001"]
    assert told["counts"]["FAIL"] == 1


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"format": 2}', '{"format": 1}', '{"format": 1, "rules": 3}', "\x00", "[" * 9999],
)
def test_what_is_no_report_is_refused_with_a_sentence(text: str, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text(text)
    for read in (read_report, read_case):
        with pytest.raises(ReportError, match=re.escape(str(path))):
            read(path)


# --- case files ----------------------------------------------------------------------------------------------


def test_each_failing_case_has_a_file_that_holds_all_of_it(folder: Path) -> None:
    result = full_run()
    files = case_files(result)
    assert len(files) == len({file.name for file in files}) == 5
    for file in files:
        kept = read_case(folder / file.path)
        assert (kept.rule, kept.check, kept.verdict) == (file.case.rule, file.case.check, file.case.verdict)
        assert kept.value == json.loads(json.dumps(plain(file.case.value)))
        assert len(kept.exchanges) == len(kept.curl) == len(file.case.exchanges)
        assert (kept.edition, kept.accepted, kept.seed) == (result.edition, result.accepted, result.seed)
        for ours, theirs in zip(kept.exchanges, file.case.exchanges, strict=True):
            assert ours.request.body == theirs.request.body
            assert (ours.reply is None) == (theirs.reply is None)


def test_a_body_that_no_line_can_hold_lies_beside_its_case_file(folder: Path) -> None:
    beside = [file for file in case_files(full_run()) if file.body is not None]
    assert beside
    for file in beside:
        last = judged(file.case)
        assert last is not None
        assert (folder / file.body_path).read_bytes() == last.request.body
        assert f"@{file.name}.body" in read_case(folder / file.path).curl[-1]


def test_a_long_body_is_read_from_a_file_and_a_short_one_stands_in_the_line() -> None:
    short, long = edit("x"), edit("x" * 3000)
    result = run([
        single("EDIT-A-001", Verdict.FAIL, "no", case("EDIT-A-001", Verdict.FAIL, short)),
        single("EDIT-A-002", Verdict.FAIL, "no", case("EDIT-A-002", Verdict.FAIL, long)),
    ])  # fmt: skip
    assert [file.body is None for file in case_files(result)] == [True, False]


# --- junit.xml -----------------------------------------------------------------------------------------------


def suites_of(result: RunResult) -> tuple[ET.Element, list[ET.Element]]:
    """The root and its suites, once their structure is what CI systems read."""
    root = ET.fromstring(junit_xml(result))
    assert root.tag == "testsuites"
    for element, inner in ((root, root.iter("testcase")), *((s, s.findall("testcase")) for s in root)):
        cases = list(inner)
        assert int(element.attrib["tests"]) == len(cases)
        for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(element.attrib[attribute]) == sum(case.find(tag) is not None for case in cases)
        float(element.attrib["time"])
    for found in root.iter("testcase"):
        assert {"classname", "name", "time"} == set(found.attrib)
        kinds = [child.tag for child in found]
        assert set(kinds) <= {"properties", "failure", "error", "skipped", "system-out"}
        assert len([kind for kind in kinds if kind in ("failure", "error", "skipped")]) <= 1
        for child in found.iter():
            if child.tag in ("failure", "error", "skipped"):
                assert child.attrib["message"]
    return root, list(root)


def kinds_of(root: ET.Element) -> dict[str, str]:
    """Rule -> what JUnit says of it."""
    return {
        found.attrib["name"]: next(
            (child.tag for child in found if child.tag in ("failure", "error", "skipped")), "passed"
        )
        for found in root.iter("testcase")
    }


def test_junit_tells_each_rule_by_its_verdict() -> None:
    root, suites = suites_of(full_run())
    assert kinds_of(root) == {
        "EDIT-IMG-014": "failure", "EDIT-IMG-015": "failure", "EDIT-ERR-001": "error", "EDIT-ERR-002": "skipped",
        "EDIT-AUTH-002": "skipped", "EDIT-BILL-001": "skipped", "EDIT-HTTP-004": "passed",
        "EDIT-HTTP-005": "skipped", "EDIT-OBS-001": "passed", "EDIT-FMT-002": "passed", "EDIT-X402-009": "skipped",
    }  # fmt: skip
    assert {suite.attrib["name"] for suite in suites} == {result.rule.group for result in full_run().rules}


def test_a_warning_passes_in_junit_and_says_what_it_is() -> None:
    root, _ = suites_of(full_run())
    warned = next(found for found in root.iter("testcase") if found.attrib["name"] == "EDIT-HTTP-004")
    assert "WARN: no answer came" in (warned.findtext("system-out") or "")
    assert {p.attrib["name"]: p.attrib["value"] for p in warned.iter("property")}["verdict"] == "WARN"


def test_a_run_cut_short_is_one_error_and_what_it_did_not_reach_is_skipped() -> None:
    root, _ = suites_of(cut_short())
    assert kinds_of(root) == {
        "EDIT-A-001": "failure", "EDIT-Z-001": "skipped", "EDIT-Z-002": "skipped", "finished": "error",
    }  # fmt: skip


def test_a_run_that_could_not_begin_is_an_error() -> None:
    root, _ = suites_of(unbegun())
    assert kinds_of(root) == {"finished": "error"}
    assert "nobody is there." in junit_xml(unbegun()).decode()


# --- summary.md ----------------------------------------------------------------------------------------------


def outside_of_fences(text: str) -> str:
    """Markdown without its code blocks, by CommonMark's rule of what closes one."""
    kept, fence = [], ""
    for line in text.split("\n"):
        ticks = re.match(r"`{3,}", line)
        if fence:
            if re.fullmatch(rf"`{{{len(fence)},}} *", line):
                fence = ""
        elif ticks:
            fence = ticks[0]
        else:
            kept.append(line)
    assert fence == "", "a code block is never closed"
    return "\n".join(kept)


def test_a_summary_has_no_markup_but_its_own() -> None:
    text = outside_of_fences(summary_md(full_run()))
    tags = re.findall(r"<(?!!--)[^>]*>", text)
    assert set(tags) == {"<details>", "</details>", "<summary>", "</summary>", "<b>", "</b>"}
    assert text.count("<details>") == text.count("</details>") > 1
    assert SCRIPT not in text


def test_a_summary_mentions_nobody_and_links_nowhere() -> None:
    text = outside_of_fences(summary_md(full_run()))
    assert re.findall(r"(?<![\w&])@\w|(?<!&)#\d", text) == []
    assert re.findall(r"https?://|www\.", text) == []
    in_html = re.compile(r"^<summary>.*$", re.MULTILINE)  # where no Markdown is read
    assert re.findall(r"(?<!\\)\]\(", in_html.sub("", text)) == []


def test_every_row_of_a_table_has_as_many_cells() -> None:
    lines = [line for line in summary_md(full_run()).split("\n") if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in lines} == {9}
    assert lines[0] == "| group | MUST | SHOULD | MAY | failed | warned | untested | n/a |"


def test_a_summary_begins_with_the_conclusion_and_shows_failures_folded() -> None:
    text = summary_md(full_run())
    assert text.startswith("## ❌ venice-contract: not conforming\n\n1 rule fails.\n")
    assert "### Failures" in text
    assert "Case file: `cases/EDIT-IMG-014-it_is_so-2.json`" in text
    assert "curl -sS -i -X POST" in text
    assert summary_md(clean_run()).startswith("## ✅ venice-contract: conforming\n")


def test_a_summary_always_fits_into_one_comment() -> None:
    many = [single(f"EDIT-A-{n:03}", Verdict.FAIL, "it is not so " * 60) for n in range(200)]
    text = summary_md(run(many))
    assert len(text) < 65_536
    left_out = re.search(r"(\d+) more rules had no room here", text)
    assert left_out is not None
    assert int(left_out[1]) + text.count("<details>") == 200


def test_a_summary_of_a_run_cut_short_counts_what_was_not_reached() -> None:
    text = summary_md(cut_short())
    assert text.startswith("## ⛔ venice-contract: not judged")
    assert "**2 rules not reached**" in text
    assert "EDIT-Z-001" not in text
    assert "The run could not begin: nobody is there." in summary_md(unbegun(2))


# --- badges --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("result", "message", "colour"),
    [
        (clean_run(), "conforming, 1 passed", "brightgreen"),
        (full_run(), "not conforming, 1 passed, 2 failed, 1 harness error, 3 untested", "red"),
        (run([single("EDIT-A-001", Verdict.MASKED, "429")]), "incomplete, 0 passed, 1 untested", "yellow"),
        (cut_short(), "not judged, 0 passed, 1 failed, 2 not reached", "lightgrey"),
        (unbegun(), "not judged", "lightgrey"),
        (unbegun(2), "not judged", "lightgrey"),
    ],
)
def test_a_badge_says_the_result_in_a_few_words(result: RunResult, message: str, colour: str) -> None:
    shape = json.loads(badge_json(result))
    assert shape == {
        "schemaVersion": 1, "label": "venice-contract 2026-06-19", "message": message, "color": colour,
    }  # fmt: skip
    line = re.fullmatch(r"!\[([^\]]*)\]\(https://img\.shields\.io/badge/([^)]*)\)", badge_line(result))
    assert line is not None
    assert line[1] == f"venice-contract 2026-06-19: {message}"
    fields = re.split(r"(?<!-)-(?!-)", line[2])
    assert [unquote(part).replace("--", "-").replace("__", "_") for part in fields] == [
        "venice-contract 2026-06-19", message, colour,
    ]  # fmt: skip


def test_the_pictures_of_cases_that_passed_are_named_by_their_digest_and_not_kept_whole() -> None:
    passed = case(
        "EDIT-A-001", Verdict.PASS, exchange(json_request(b"\x89" * 100_000), reply(200, {"id": 1}))
    )
    failed = case(
        "EDIT-B-001", Verdict.FAIL, exchange(json_request(b"\x89" * 100_000), reply(200, {"id": 1}))
    )
    told = json.loads(
        report_json(
            run(
                [
                    single("EDIT-A-001", Verdict.PASS, "", passed),
                    single("EDIT-B-001", Verdict.FAIL, "no", failed),
                ]
            )
        )
    )
    kept, whole = (rule["cases"][0]["exchanges"][0]["request"]["body"] for rule in told["rules"])
    assert (kept["bytes"], kept["cut"]) == (100_000, True)
    assert len(kept["base64"]) < 2000
    assert len(whole["base64"]) > 100_000
