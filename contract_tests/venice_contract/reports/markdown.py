"""summary.md: the run as a comment on a pull request. GitHub's Markdown, in which nothing of the server's acts."""

from __future__ import annotations

import html
import re

from venice_contract.reports.case_files import CaseFile, case_files
from venice_contract.reports.figures import (
    by_group,
    differences_seen,
    unreached,
    unseen_by_reason,
    whole,
    wrong_rules,
)
from venice_contract.reports.requests import Address, address_of, curl, folded, judged, smallest
from venice_contract.reports.wording import (
    conclusion,
    count,
    duration,
    one_line,
    shortened,
    spending,
    state,
    value_text,
    visible,
)
from venice_contract.running.results import RuleResult, RunResult, Verdict

_MOST = 60_000  # characters; GitHub refuses comments over 65,536
_MOST_SENTENCE = 600
_MOST_CURL = 6000
_MOST_IDS = 20
_SPECIAL = re.compile(r"([\\`*_\[\]|~$])")
_MARKS = {0: "✅", 1: "❌", 2: "⛔", 3: "⚠️", 4: "⛔"}


def summary_md(result: RunResult) -> str:
    """The text of summary.md, short enough for one comment; what had no room is counted."""
    parts = [
        f"## {_MARKS[result.exit_code]} venice-contract: {state(result).lower()}",
        escaped(conclusion(result)),
        f"**{escaped(result.target)}** ({escaped(result.server)}), edition {escaped(result.edition)}, "
        f"behaviour {escaped(result.accepted)}, profile {escaped(result.profile)}, seed {result.seed}. "
        f"{count(result.requests, 'request')} in {duration(result.seconds)}, {escaped(spending(result))}.",
        *([_table(result)] if result.rules else []),
        *_unreached(result),
        *_unseen(result),
        *_differences(result),
    ]
    room = _MOST - sum(len(part) + 2 for part in parts)
    parts += _failures(result, room)
    return "\n\n".join(parts) + "\n"


def escaped(text: str) -> str:
    """Text as Markdown that shows just this text, on one line: no markup, link, mention or issue number of its own."""
    text = _SPECIAL.sub(r"\\\1", html.escape(one_line(text), quote=False))
    text = (
        re.sub(r"^([-+=]|\d+(?=[.)]))", r"\\\1", text)
        if not text[:1].isdigit()
        else re.sub(r"^(\d+)([.)])", r"\1\\\2", text)
    )  # no list, no heading
    return _unlinked(text)


def in_html(text: str) -> str:
    """Text inside a line of HTML, where Markdown's own escapes would be shown."""
    return _unlinked(html.escape(one_line(text)))


def fenced(text: str, language: str = "") -> str:
    """A code block whose fence no line of the text can close."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{visible(text)}\n{fence}"


def _table(result: RunResult) -> str:
    lines = [
        "| group | MUST | SHOULD | MAY | failed | warned | untested | n/a |",
        "|:--|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for row in [*by_group(result), whole(result)]:
        bold = "**" if row.name == "all" else ""
        cells = [
            escaped(row.name), *(f"{passed} / {of}" for passed, of in (row.must, row.should, row.may)),
            str(row.failed + row.harness), str(row.warned + row.expected), str(row.untested),
            str(row.not_applicable),
        ]  # fmt: skip
        lines.append("| " + " | ".join(f"{bold}{cell}{bold}" for cell in cells) + " |")
    return "\n".join(lines)


def _unreached(result: RunResult) -> list[str]:
    missing = len(unreached(result))
    return [f"**{count(missing, 'rule')} not reached**, so nothing is known of them."] if missing else []


def _unseen(result: RunResult) -> list[str]:
    if not result.untested:
        return []
    lines = [f"**{count(len(result.untested), 'required rule')} not seen**, which is no pass:\n"]
    for reason, ids in unseen_by_reason(result).items():
        more = f" and {len(ids) - _MOST_IDS} more" if len(ids) > _MOST_IDS else ""
        reason = escaped(shortened(reason, _MOST_SENTENCE))
        lines.append(f"- {reason} ({', '.join(escaped(name) for name in ids[:_MOST_IDS])}{more})")
    return ["\n".join(lines)]


def _differences(result: RunResult) -> list[str]:
    rows = differences_seen(result)
    if not rows:
        return []
    lines = ["**Where documentation and measurement differ**, the server showed:\n"]
    for row in rows:
        sides = " and ".join(row.sides) or "neither"
        matter = f" ({escaped(row.matter)})" if row.matter else ""
        lines.append(f"- {escaped(row.id)}{matter}: {escaped(sides)}")
    return ["\n".join(lines)]


def _failures(result: RunResult, room: int) -> list[str]:
    address = address_of(result.target)
    files = case_files(result)
    wrong = wrong_rules(result)
    found, left_out = [], 0
    for title, rules in (("Failures", wrong), ("Warnings", result.having(Verdict.WARN))):
        if not rules:
            continue
        heading = f"### {title}"
        parts = []
        for rule in rules:
            part = _failure(rule, files, address)
            if len(part) + 200 > room:
                left_out += 1
                continue
            room -= len(part) + 2
            parts.append(part)
        found += [heading, *parts]
    if left_out:
        found.append(f"{count(left_out, 'more rule')} had no room here: see report.html.")
    return found


def _failure(rule: RuleResult, files: list[CaseFile], address: Address) -> str:
    reason = escaped(shortened(rule.reason, _MOST_SENTENCE))
    lines = [
        "<details>",
        f"<summary><b>{in_html(rule.rule.id)}</b> {rule.verdict} ({rule.rule.level.upper()}): "
        f"{in_html(shortened(rule.reason, 200) or rule.rule.text)}</summary>",
        "",
        f"{escaped(rule.rule.text)} *({escaped(rule.rule.certainty)}; {escaped(rule.rule.source)})*",
        "",
    ]
    if reason:
        lines += [reason, ""]
    case = smallest(rule)
    if case is not None:
        lines += _case(next(file for file in files if file.case is case), address)
    return "\n".join([*lines, "</details>"])


def _case(file: CaseFile, address: Address) -> list[str]:
    case = file.case
    lines = []
    value = value_text(case.value)
    if value:
        lines += ["With the value", "", fenced(value, "json"), ""]
    last = judged(case)
    if last is not None:
        line = folded(curl(last.request, address, file.body_path))
        fits = len(line) <= _MOST_CURL
        lines += [fenced(line, "sh") if fits else "The request is too long for this comment.", ""]
    return [*lines, f"Case file: `{file.path}`", ""]


def _unlinked(text: str) -> str:
    """GitHub looks for mentions and issue numbers in what was rendered, where an entity is a plain character again:
    only a comment parts them."""
    text = text.replace("@", "@<!-- -->").replace("://", "&#58;//")
    text = re.sub(r"#(?=\d)(?<!&#)", "#<!-- -->", text)
    return re.sub(r"(?i)(www)\.", r"\1&#46;", text)
