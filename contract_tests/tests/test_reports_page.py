"""report.html holds everything it shows, lets nothing foreign act, and says what a reader needs."""

from __future__ import annotations

import io
import random
from dataclasses import replace
from itertools import pairwise

import pytest
from PIL import Image

import reports_kit
from page_reader import Page, assert_harmless
from reports_kit import SCRIPT, SECRET, case, clean_run, edit, full_run, reply, run, single
from venice_contract.reports.case_files import case_files
from venice_contract.reports.page import report_html
from venice_contract.running.results import RuleResult, Verdict


def pictures(page: Page) -> list[dict[str, str]]:
    """The attributes of every picture that is shown."""
    return [svg for svg in page.named("svg") if svg.get("role") == "img"]


@pytest.fixture(scope="module")
def page() -> Page:
    return Page.read(report_html(full_run()))


def test_nothing_is_fetched_and_nothing_foreign_can_act(page: Page) -> None:
    assert_harmless(page)


def test_hostile_texts_add_no_element_and_no_attribute(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports_kit, "HOSTILE", "harmless")
    monkeypatch.setattr(reports_kit, "SCRIPT", "harmless")
    harmless = Page.read(report_html(full_run()))
    assert "onerror" not in harmless.text
    assert page.shapes == harmless.shapes


def test_hostile_texts_are_shown_as_texts(page: Page) -> None:
    assert SCRIPT in page.text
    assert "<img src=x onerror=alert(1)>" in page.text
    assert "\\x1b[31mred" in page.text
    assert "\\u202eevil" in page.text
    assert "画像が大きすぎます" in page.text


def test_no_character_in_the_page_can_turn_or_hide_text(page: Page) -> None:
    assert [c for c in set(page.text) if not c.isprintable() and c not in "\n\t"] == []


def test_no_credential_stands_in_the_page() -> None:
    assert SECRET not in report_html(full_run())


def test_pictures_sent_and_answered_stand_side_by_side(page: Page) -> None:
    shown = pictures(page)
    order = [image["aria-label"].partition(":")[0] for image in shown]
    assert set(order) == {"sent", "answered"}
    assert all(image["width"] == "64" and image["height"] == "48" for image in shown)
    assert ("sent", "answered") in pairwise(order)


def test_a_picture_lies_in_the_page_once_however_often_it_is_shown(page: Page) -> None:
    stored = [image["href"] for image in page.named("image")]
    assert len(stored) == len(set(stored)) < len(pictures(page))
    named = {f"#{image['id']}" for image in page.named("image")}
    assert {use["href"] for use in page.named("use")} == named


def test_what_is_wrong_is_open_and_all_else_is_closed(page: Page) -> None:
    rules = [a for a in page.named("details") if "rule" in a.get("class", "").split()]
    opened = {a["data-verdict"] for a in rules if "open" in a}
    assert opened == {"FAIL", "STALE", "HARNESS"}
    assert len(rules) == len(full_run().rules)


def test_each_verdict_is_explained_and_counted(page: Page) -> None:
    for verdict in Verdict:
        assert f"{verdict}: " in page.text
    assert page.text.count("Not conforming") >= 1


def test_every_number_names_its_column_where_a_phone_shows_rows_as_cards(page: Page) -> None:
    columns = [cell.get("data-column") for cell in page.named("td") if cell.get("class", "").startswith("n ")]
    assert {"MUST", "Failed", "Warned", "Untested"} <= set(columns)
    assert None not in columns
    assert "attr(data-column)" in page.sources["style"][0]


def test_a_failing_case_names_its_case_file_and_its_curl_line(page: Page) -> None:
    assert "venice-contract replay cases/EDIT-IMG-014-it_is_so.json" in page.text
    assert "curl -sS -i -X POST http://127.0.0.1:8402/api/v1/image/edit" in page.text


def test_a_rule_that_was_not_reached_stays_closed() -> None:
    result = run([RuleResult(single("EDIT-A-001", Verdict.PASS).rule, Verdict.HARNESS, (), "not reached: x")])
    page = Page.read(report_html(replace(result, stopped="it was interrupted")))
    assert all("open" not in a for a in page.named("details"))
    assert "it was interrupted" in page.text


def test_a_run_that_could_not_begin_has_a_page_that_says_why() -> None:
    result = replace(run([]), stopped="nobody is there.", opening_code=2)
    page = Page.read(report_html(result))
    assert_harmless(page)
    assert "The run could not begin: nobody is there." in page.text
    assert page.named("table") == []


def test_a_page_never_grows_beyond_its_limits_and_says_what_is_missing() -> None:
    whole = report_html(full_run())
    cut = report_html(full_run(), most_failed=0, most_others=0, most_pictures=0)
    assert len(cut) < len(whole)
    page = Page.read(cut)
    assert "Left out to keep this page small" in page.text
    assert pictures(page) == []
    # What has no room is named all the same.
    assert "2 failed:" in page.text
    assert "cases/EDIT-IMG-014-it_is_so-2.json" in page.text


def drawn(number: int) -> bytes:
    """A picture like no other, and hard to compress."""
    image = Image.frombytes("RGB", (120, 90), random.Random(number).randbytes(120 * 90 * 3))
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def failing_rule(number: int, cases: int) -> RuleResult:
    """A rule with so many failing cases of three long exchanges each, and one case that passed."""
    name = f"EDIT-B-{number:03}"
    long = {"error": "no", "details": {f"field {n}": "is wrong " * 10 for n in range(60)}}
    refused = edit(f"{name} " * 300, reply(400, long, **{f"x-header-{n}": "v" * 300 for n in range(20)}))
    painted = edit(name, reply(200, drawn(number), "image/png"))
    failed = [
        case(name, Verdict.FAIL, painted, edit(), refused, sentence="answered 400, expected 200", value=n)
        for n in range(cases)
    ]
    return single(name, Verdict.FAIL, "answered 400", *failed, case(name, Verdict.PASS, painted))


def test_a_page_of_500_failing_cases_stays_below_a_megabyte() -> None:
    rules = [failing_rule(number, 5) for number in range(100)]
    text = report_html(run(rules))
    assert len(text.encode()) < 1_000_000
    page = Page.read(text)
    assert_harmless(page)
    # Every rule shows one failing request in full, and names the file of each case that it does not show.
    curls = [a for a in page.named("pre") if a.get("class") == "curl"]
    assert len(curls) >= len(rules)
    for file in case_files(run(rules)):
        assert file.path in page.text
    assert pictures(page)


def test_of_a_rule_with_many_failing_cases_a_few_are_shown_and_the_rest_is_counted() -> None:
    page = Page.read(report_html(run([failing_rule(1, 70)])))
    assert len([a for a in page.named("details") if a.get("class") == "case"]) == 3 + 1
    assert "And 67 more failed:" in page.text
    assert "and 47 more in cases" in page.text


def test_a_page_without_failures_shows_a_case_of_every_rule() -> None:
    rules = [replace(failing_rule(n, 0), verdict=Verdict.PASS) for n in range(300)]
    page = Page.read(report_html(run(rules)))
    assert len([a for a in page.named("details") if a.get("class") == "case"]) == len(rules)


def test_headers_of_an_answer_are_folded_and_long_ones_cut() -> None:
    failing = case("EDIT-A-001", Verdict.FAIL, edit(), sentence="no")
    last = failing.exchanges[-1]
    assert last.reply is not None
    long = replace(last.reply, headers=(*last.reply.headers, ("payment-required", "x" * 5000)))
    failing = replace(failing, exchanges=(replace(last, reply=long),))
    page = Page.read(report_html(run([single("EDIT-A-001", Verdict.FAIL, "no", failing)])))
    assert [a for a in page.named("details") if a.get("class") == "headers"] == [{"class": "headers"}]
    assert "x" * 240 + "…" in page.text
    assert "x" * 241 not in page.text


def test_the_page_of_a_clean_run_says_so() -> None:
    page = Page.read(report_html(clean_run()))
    assert_harmless(page)
    assert "Conforming" in page.text
    assert "Not conforming" not in page.text


def test_the_reader_used_here_would_notice_a_script() -> None:
    """The tests above can fail: a page with a foreign element is refused."""
    spoiled = report_html(clean_run()).replace("<main", "<script>alert(1)</script><main")
    with pytest.raises(AssertionError):
        assert_harmless(Page.read(spoiled))
    spoiled = report_html(clean_run()).replace("<main", '<main onclick="x"')
    with pytest.raises(AssertionError):
        assert_harmless(Page.read(spoiled))
