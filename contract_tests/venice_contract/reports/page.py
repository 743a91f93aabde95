"""report.html: one file that holds everything it shows, works without JavaScript, and lets nothing foreign act.

No address is fetched: the Content-Security-Policy allows this page's own style and script, by their hashes, and
pictures that lie in the page, each once. Failing cases, all others and pictures have a limit each; what had no room is
told. A page stays below about 1 MB however much failed.
"""

from __future__ import annotations

import base64
import hashlib
from importlib import resources

from venice_contract import __version__
from venice_contract.reports.case_files import case_files
from venice_contract.reports.figures import (
    Tally,
    by_group,
    differences_seen,
    failing_cases,
    unseen_by_reason,
    whole,
)
from venice_contract.reports.markup import Markup, Room, join, tag, void
from venice_contract.reports.page_rules import Drawing, css_name, rule_card
from venice_contract.reports.requests import address_of
from venice_contract.reports.thumbnails import Gallery
from venice_contract.reports.wording import (
    MEANINGS,
    READING_ORDER,
    conclusion,
    count,
    duration,
    spending,
    state,
)
from venice_contract.running.results import RunResult, Verdict

_MOST_FAILED = 400_000  # bytes of failing cases
_MOST_OTHERS = 3_000_000  # bytes of all other cases, in a page without any failure
_MOST_PICTURES = 2_000_000  # bytes of thumbnails, in a page without any failure
_LEAST_PICTURES = 150_000
_HALVING = 20  # so many failing cases leave half of the room to what did not fail
# Of the table by group.
_COLUMNS = ("Group", "MUST", "SHOULD", "MAY", "Failed", "Warned", "Untested", "Observed", "N/A")
_TITLES = {
    Verdict.FAIL: "Failed",
    Verdict.STALE: "Deviations that no longer deviate",
    Verdict.HARNESS: "Not judged",
    Verdict.MASKED: "Masked",
    Verdict.UNTESTED_CREDENTIAL: "Untested: no credential",
    Verdict.UNTESTED_COST: "Untested: cost",
    Verdict.WARN: "Warnings",
    Verdict.XFAIL: "Failed as listed",
    Verdict.OBSERVED: "Observed",
    Verdict.PASS: "Passed",
    Verdict.NA: "Not applicable",
}


def report_html(
    result: RunResult,
    *,
    most_failed: int = _MOST_FAILED,
    most_others: int | None = None,
    most_pictures: int | None = None,
) -> str:
    """The text of report.html. The limits are bytes: of failing cases, of others, and of thumbnails.

    Whoever has failures to read needs less of what went well: without a limit of theirs, other cases and thumbnails
    get the less room the more cases failed.
    """
    failing = [failing_cases(rule) for rule in result.rules]
    scale = 1 + sum(map(len, failing)) / _HALVING
    if most_others is None:
        most_others = round(_MOST_OTHERS / scale)
    if most_pictures is None:
        most_pictures = max(round(_MOST_PICTURES / scale), _LEAST_PICTURES)
    style, script = _own("style.css"), _own("filter.js")
    policy = (
        f"default-src 'none'; img-src data:; style-src '{source_hash(style)}'; script-src '{source_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    drawing = Drawing(
        result.target,
        address_of(result.target),
        {id(file.case): file for file in case_files(result)},
        Gallery(most_bytes=most_pictures),
        Room(most_failed, sum(map(bool, failing))),
        Room(
            most_others,
            sum(len(rule.cases) > len(failed) for rule, failed in zip(result.rules, failing, strict=True)),
        ),
    )
    sections = [_section(verdict, result, drawing) for verdict in READING_ORDER]
    head = join(
        void("meta", charset="utf-8"),
        void("meta", http_equiv="Content-Security-Policy", content=policy),
        void("meta", name="viewport", content="width=device-width, initial-scale=1"),
        void("meta", name="color-scheme", content="light dark"),
        void("meta", name="referrer", content="no-referrer"),
        tag("title", f"{state(result)}: {result.target}, venice-contract"),
        Markup(f"<style>{style}</style>"),
    )
    body = join(
        tag("a", "Skip to the rules", href="#rules", cls="skip"),
        tag("header", *_headline(result)),
        tag("main", *_overview(result), _filter(result), *sections, id="rules", tabindex=-1),
        _pictures(drawing),
        tag("footer", *_foot(drawing)),
        Markup(f"<script>{script}</script>"),
    )
    return f'<!doctype html>\n<html lang="en">\n<head>{head}</head>\n<body>\n{body}\n</body>\n</html>\n'


def source_hash(source: str) -> str:
    """The Content-Security-Policy's name for an inline style or script."""
    return "sha256-" + base64.b64encode(hashlib.sha256(source.encode("utf-8")).digest()).decode()


def _own(name: str) -> str:
    return (resources.files("venice_contract.reports") / "page" / name).read_text("utf-8")


def _headline(result: RunResult) -> list[Markup]:
    counts = result.counts
    chips = [
        tag("li", tag("b", str(counts[verdict])), f" {verdict}", cls=css_name(verdict))
        for verdict in READING_ORDER
        if counts[verdict]
    ]
    accepted = {"any": "documented or observed"}.get(result.accepted, result.accepted)
    waited = f" ({duration(result.waited_s)} waiting)" if result.waited_s >= 1 else ""
    rows = [
        ("Target", result.target), ("Server", result.server), ("Edition", result.edition),
        ("Behaviour", accepted), ("Profile", result.profile), ("Seed", str(result.seed)),
        ("Started", result.started), ("Took", duration(result.seconds) + waited),
        ("Requests", f"{result.requests:,}"), ("Money", spending(result)),
    ]  # fmt: skip
    return [
        tag("p", "venice-contract", cls="brand"),
        tag("h1", state(result), cls=f"state e{result.exit_code}"),
        tag("p", conclusion(result), cls="conclusion"),
        tag("ul", *chips, cls="chips"),
        tag("dl", *(tag("div", tag("dt", name), tag("dd", value)) for name, value in rows), cls="run"),
    ]


def _overview(result: RunResult) -> list[Markup]:
    out = [tag("section", tag("h2", "By group"), _groups(result))] if result.rules else []
    seen = differences_seen(result)
    if seen:
        rows = [
            tag(
                "tr",
                tag("th", tag("code", row.id), void("br"), row.matter, scope="row"),
                _side("Documented", row.documented, "documented" in row.sides),
                _side("Observed", row.observed, "observed" in row.sides),
            )
            for row in seen
        ]
        head = tag("tr", *(tag("th", name, scope="col") for name in ("Matter", "Documented", "Observed")))
        table = tag("table", tag("thead", head), tag("tbody", *rows), cls="sides")
        out.append(
            tag(
                "section",
                tag("h2", "Where documentation and measurement differ"),
                tag("p", "A tick marks the side that this server's answers agreed with.", cls="quiet"),
                tag("div", table, cls="wide", tabindex=0, role="region", aria_label="Differences"),
            )
        )
    unseen = unseen_by_reason(result)
    if unseen:
        items = [
            tag("li", reason, " ", tag("span", ", ".join(ids), cls="ids")) for reason, ids in unseen.items()
        ]
        title = f"{count(len(result.untested), 'required rule')} not seen"
        out.append(tag("section", tag("h2", title), tag("ul", *items, cls="unseen")))
    return out


def _side(column: str, words: str, was_seen: bool) -> Markup:
    mark = tag("b", "✓ seen", cls="tick") if was_seen else Markup("")
    return tag("td", mark, " ", words, cls="seen" if was_seen else None, data_column=column)


def _groups(result: RunResult) -> Markup:
    head = tag("tr", *(tag("th", name, scope="col") if name else tag("td") for name in (*_COLUMNS, "")))
    rows = [_group(row) for row in by_group(result)]
    foot = tag("tfoot", _group(whole(result)))
    table = tag("table", tag("thead", head), tag("tbody", *rows), foot, cls="groups")
    return tag("div", table, cls="wide", tabindex=0, role="region", aria_label="Rules by group")


def _group(row: Tally) -> Markup:
    def share(part: tuple[int, int]) -> tuple[str, str]:
        return (f"{part[0]} of {part[1]}", "n") if part[1] else ("·", "n zero")

    def number(value: int, cls: str = "") -> tuple[str, str]:
        return (str(value), f"n {cls}") if value else ("·", "n zero")

    cells = (
        share(row.must), share(row.should), share(row.may), number(row.failed + row.harness, "bad"),
        number(row.warned + row.expected, "warned"), number(row.untested, "untested"), number(row.observed),
        number(row.not_applicable),
    )  # fmt: skip
    return tag(
        "tr",
        tag("th", row.name, scope="row"),
        # On a phone a row is a card, and each cell says its column's name itself.
        *(
            tag("td", text, cls=cls, data_column=name)
            for name, (text, cls) in zip(_COLUMNS[1:], cells, strict=True)
        ),
        tag("td", _bar(row), cls="bar"),
    )


def _bar(row: Tally) -> Markup:
    """How a group's rules are shared among the verdicts, drawn without a style attribute: the policy forbids those."""
    shares = (
        ("v-fail", row.failed), ("v-harness", row.harness), ("v-warn", row.warned + row.expected),
        ("v-masked", row.untested), ("v-observed", row.observed), ("v-pass", row.passed),
        ("v-na", row.not_applicable),
    )  # fmt: skip
    at, out = 0.0, []
    for cls, number in shares:
        width = 100 * number / max(row.rules, 1)
        if number:
            out.append(tag("rect", x=f"{at:.2f}", y="0", width=f"{width:.2f}", height="8", cls=cls))
        at += width
    return tag("svg", *out, viewBox="0 0 100 8", preserveAspectRatio="none", aria_hidden="true")


def _filter(result: RunResult) -> Markup:
    """The form that the script works with; without one it stays hidden."""
    counts = result.counts
    boxes = [
        tag(
            "label",
            void("input", type="checkbox", name="verdict", value=str(verdict)),
            f" {verdict} ",
            tag("span", str(counts[verdict]), cls="quiet"),
        )
        for verdict in READING_ORDER
        if counts[verdict]
    ]
    groups = dict.fromkeys(rule.rule.group for rule in result.rules)
    options = [tag("option", "all groups", value=""), *(tag("option", name, value=name) for name in groups)]
    return tag(
        "form",
        tag("div",
            tag("label", "Find ", void("input", type="search", name="words", autocomplete="off",
                                       placeholder="rule, text, reason")),
            tag("label", "Group ", tag("select", *options, name="group")),
            tag("button", "Open all", type="button", name="open"),
            tag("button", "Close all", type="button", name="close"),
            tag("output", "", name="shown", aria_live="polite"),
            cls="fields"),
        tag("fieldset", tag("legend", "Show only"), *boxes),
        id="filter", hidden=True, aria_label="Filter the rules",
    )  # fmt: skip


def _section(verdict: Verdict, result: RunResult, drawing: Drawing) -> Markup:
    rules = result.having(verdict)
    if not rules:
        return Markup("")
    return tag(
        "section",
        tag("h2", f"{_TITLES[verdict]} ", tag("span", str(len(rules)), cls="quiet")),
        tag("p", f"{verdict}: {MEANINGS[verdict]}.", cls="quiet"),
        *(rule_card(rule, drawing) for rule in rules),
        cls=f"verdicts {css_name(verdict)}",
        id=css_name(verdict),
    )


def _pictures(drawing: Drawing) -> Markup:
    """Every thumbnail once; wherever it is shown, it is shown from here."""
    images = [
        tag("image", href=shot.uri, width=shot.width, height=shot.height, id=shot.name)
        for shot in drawing.gallery.shown
    ]
    return tag("svg", tag("defs", *images), cls="store", aria_hidden="true") if images else Markup("")


def _foot(drawing: Drawing) -> list[Markup]:
    out = [
        tag("p", f"Made by venice-contract {__version__}. Credentials are blanked; report.json has it all.")
    ]
    missing = []
    if drawing.gallery.left_out:
        missing.append(count(drawing.gallery.left_out, "picture"))
    if left_out := drawing.failed.left_out + drawing.others.left_out:
        missing.append(f"cases of {count(left_out, 'rule')}")
    if missing:
        out.append(tag("p", f"Left out to keep this page small: {' and '.join(missing)}."))
    return out
