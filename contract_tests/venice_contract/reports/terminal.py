"""What a user reads when a run is over: a table per group, the failures with what to send again, the conclusion."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from venice_contract.reports.case_files import CaseFile, case_files, replay_command
from venice_contract.reports.columns import cells, fitting, table, wrapped
from venice_contract.reports.figures import (
    Tally,
    by_group,
    differences_seen,
    failing_cases,
    unreached,
    unseen_by_reason,
    whole,
    wrong_rules,
)
from venice_contract.reports.requests import address_of, curl, folded, judged, smallest
from venice_contract.reports.wording import (
    check_name,
    conclusion,
    count,
    duration,
    one_line,
    shortened,
    size,
    spending,
    state,
    value_text,
    visible,
)
from venice_contract.running.results import RuleResult, RunResult, Verdict
from venice_contract.wire.message import Exchange

_IN_FULL = 25  # failures; the others get a line each
_MOST_IDS = 12
_MOST_SENTENCE = 800
_MOST_CURL = 3000
_CODES = {"bold": "1", "red": "31", "green": "32", "yellow": "33", "magenta": "35", "dim": "2"}
_TONES = {
    Verdict.FAIL: "red", Verdict.STALE: "red", Verdict.HARNESS: "magenta", Verdict.WARN: "yellow",
    Verdict.XFAIL: "yellow",
}  # fmt: skip
_STATE_TONES = {0: "green", 1: "red", 2: "magenta", 3: "yellow", 4: "magenta"}


@dataclass(frozen=True, slots=True)
class Style:
    """``colours``: whether ANSI colours are wanted. ``width``: columns, 80 to 120 on usual terminals."""

    width: int = 80
    colours: bool = False

    @classmethod
    def of(cls, stream: TextIO, columns: int, environ: Mapping[str, str] = os.environ) -> Style:
        """What fits a stream on a terminal of so many columns: colours only there, and not under NO_COLOR."""
        colours = stream.isatty() and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"
        return cls(fitting(columns), colours)

    def paint(self, text: str, *names: str) -> str:
        """The text in these colours."""
        if not self.colours or not names or not text:
            return text
        return f"\x1b[{';'.join(_CODES[name] for name in names)}m{text}\x1b[0m"


def run_text(
    result: RunResult, style: Style = Style(), *, directory: Path | None = None, notes: bool = False
) -> str:
    """The whole text, ending with a line break. ``directory``: where ``write_reports`` put its files, if it did.

    ``notes``: also what was observed, rule by rule, and every required rule that was not seen.
    """
    blocks = [
        *([_table(result, style)] if result.rules else []),
        *_failures(result, style, directory),
        *_short_list("Warnings", result.having(Verdict.WARN), style),
        *_short_list("Failed as listed", result.having(Verdict.XFAIL), style),
        *_unreached(result, style, all_ids=notes),
        *_unseen(result, style, all_ids=notes),
        *_differences(result, style),
        *(_notes(result, style) if notes else []),
        _conclusion(result, style),
    ]
    return "\n\n".join(blocks) + "\n"


def _table(result: RunResult, style: Style) -> str:
    rows = [*by_group(result), whole(result)]
    columns = [
        (title, cell) for title, cell, always in _COLUMNS if always or any(cell(row) != "" for row in rows)
    ]
    head = ["group", *(title for title, _ in columns)]
    lines = table(head, [[row.name, *(cell(row) for _, cell in columns)] for row in rows], style.width)
    rule = "-" * max(cells(line) for line in lines)
    tones = {"bad": "red", "harness": "magenta", "warned": "yellow"}
    painted = [
        style.paint(line, *[tone for kind, tone in tones.items() if _has(row, kind)][:1])
        for line, row in zip(lines[1:], rows, strict=True)
    ]
    return "\n".join([style.paint(lines[0], "dim"), *painted[:-1], style.paint(rule, "dim"), painted[-1]])


def _failures(result: RunResult, style: Style, directory: Path | None) -> list[str]:
    rules = wrong_rules(result)
    files = {id(file.case): file for file in case_files(result)}
    blocks = [_failure(rule, style, result.target, files, directory) for rule in rules[:_IN_FULL]]
    return blocks + _short_list("And", rules[_IN_FULL:], style)


def _failure(
    rule: RuleResult, style: Style, target: str, files: Mapping[int, CaseFile], directory: Path | None
) -> str:
    tone = _TONES[rule.verdict]
    head = f"{style.paint(str(rule.verdict), 'bold', tone)}  {style.paint(rule.rule.id, 'bold')}"
    lines = [f"{head}  {rule.rule.level.upper()}  {style.paint(rule.rule.group, 'dim')}"]
    lines.append(wrapped(one_line(rule.rule.text), style.width, "      "))
    case = smallest(rule)
    if case is None:
        lines.append(labelled("why", one_line(rule.reason), style))
        return "\n".join(lines)
    value = value_text(case.value, 300)
    lines.append(labelled("case", check_name(case.check) + (f", {value}" if value else ""), style))
    lines.append(labelled("seen", shortened(one_line(case.sentence), _MOST_SENTENCE), style))
    file, last = files[id(case)], judged(case)
    if last is not None:
        lines.append(labelled("got", answer_text(last), style))
        folder = Path() if directory is None else directory
        line = curl(last.request, address_of(target), str(folder / file.body_path))
        if directory is None and (file.body is not None or len(line) > _MOST_CURL):
            what = f"a request of {size(len(last.request.body) or len(line))}, which fits on no command line"
            told = f"{what}: run with --report DIR, which keeps its file and the curl line that sends it."
            lines.append(labelled("try", told, style))
        else:
            lines.append(request_text(line, style))
    if directory is not None:
        # Unbroken, whatever its length: it is there to be copied.
        again = replay_command(str(directory / file.path), target)
        lines.append(f"      {style.paint('again', 'dim')} {visible(again, '')}")
    others = len(failing_cases(rule)) - 1
    if others:
        lines.append(labelled("more", f"{count(others, 'other case')} of this rule failed.", style))
    return "\n".join(lines)


def request_text(line: str, style: Style) -> str:
    """A curl line behind its label, one option a line, fit to be pasted."""
    if len(line) > _MOST_CURL:
        return labelled("try", f"a request of {size(len(line))}: see the case file", style)
    shown = visible(folded(line, style.width - 12)).replace("\\\n  -", "\\\n              -")
    return f"      {style.paint('try', 'dim')}   {shown}"


def labelled(label: str, text: str, style: Style) -> str:
    """Text behind a label, its further lines below its first."""
    first = f"      {style.paint(label, 'dim')}{' ' * (6 - len(label))}"
    return first + wrapped(text, style.width, " " * 12).lstrip()


def answer_text(last: Exchange) -> str:
    """Status, media type, size and time of an answer on one line, or why there is none."""
    got = last.reply
    if got is None:
        return one_line(last.fault or "no answer: the client left")
    media = one_line(got.media_type) or "no media type"
    return f"{got.status} {media}, {size(len(got.body))} in {duration(got.seconds)}"


def _short_list(title: str, rules: list[RuleResult], style: Style) -> list[str]:
    if not rules:
        return []
    lines = [style.paint(f"{title} ({len(rules)})", "bold")]
    for rule in rules:
        text = shortened(one_line(rule.reason or rule.rule.text), _MOST_SENTENCE)
        lines.append(wrapped(text, style.width, " " * 6, f"  {rule.rule.id}  "))
    return ["\n".join(lines)]


def _unreached(result: RunResult, style: Style, *, all_ids: bool) -> list[str]:
    ids = [rule.rule.id for rule in unreached(result)]
    if not ids:
        return []
    text = wrapped(_some(ids, all_ids=all_ids), style.width, " " * 6, "  ")
    return [style.paint(f"Not reached ({len(ids)})", "bold") + "\n" + text]


def _unseen(result: RunResult, style: Style, *, all_ids: bool) -> list[str]:
    if not result.untested:
        return []
    lines = [style.paint(f"Not seen, which is no pass ({len(result.untested)})", "bold")]
    for reason, ids in unseen_by_reason(result).items():
        text = f"{shortened(one_line(reason), _MOST_SENTENCE)}: {_some(ids, all_ids=all_ids)}"
        lines.append(wrapped(text, style.width, " " * 6, "  "))
    return ["\n".join(lines)]


def _some(ids: list[str], *, all_ids: bool) -> str:
    shown = ids if all_ids else ids[:_MOST_IDS]
    more = f" and {len(ids) - len(shown)} more" if len(shown) < len(ids) else ""
    return ", ".join(shown) + more


def _differences(result: RunResult, style: Style) -> list[str]:
    rows = differences_seen(result)
    if not rows:
        return []
    lines = [style.paint("Where documentation and measurement differ", "bold")]
    for row in rows:
        matter = f" ({one_line(row.matter)})" if row.matter else ""
        text = f"{one_line(row.id)}{matter}: {' and '.join(row.sides) or 'neither'}"
        lines.append(wrapped(text, style.width, " " * 6, "  "))
    return ["\n".join(lines)]


def _notes(result: RunResult, style: Style) -> list[str]:
    lines = [style.paint("Observed", "bold")]
    for rule in result.rules:
        for note in rule.notes:
            text = shortened(one_line(note), _MOST_SENTENCE)
            lines.append(wrapped(text, style.width, " " * 6, f"  {rule.rule.id}  "))
    return ["\n".join(lines)] if len(lines) > 1 else []


def _conclusion(result: RunResult, style: Style) -> str:
    about = (
        f"{one_line(result.target)} ({one_line(result.server)}), edition {one_line(result.edition)}, "
        f"behaviour {result.accepted}, profile {result.profile}, seed {result.seed}."
    )
    waited = f" ({duration(result.waited_s)} of it waiting)" if result.waited_s >= 1 else ""
    used = f"{count(result.requests, 'request')} in {duration(result.seconds)}{waited}, {spending(result)}."
    sentence = one_line(f"{state(result)}. {conclusion(result)}")
    tone = _STATE_TONES[result.exit_code]
    return "\n".join(
        [
            wrapped(about, style.width),
            wrapped(used, style.width),
            style.paint(wrapped(sentence, style.width), "bold", tone),
        ]
    )


def _has(row: Tally, kind: str) -> bool:
    return {"bad": row.failed, "harness": row.harness, "warned": row.warned}[kind] > 0


def _number(value: int) -> str:
    return str(value) if value else ""


def _share(passed: int, of: int) -> str:
    return f"{passed}/{of}" if of else ""


# Title, what stands there, and whether the column is there even when it is empty.
_COLUMNS: tuple[tuple[str, Callable[[Tally], str], bool], ...] = (
    ("MUST", lambda row: _share(*row.must), True),
    ("SHOULD", lambda row: _share(*row.should), True),
    ("MAY", lambda row: _share(*row.may), False),
    ("failed", lambda row: _number(row.failed), True),
    ("errors", lambda row: _number(row.harness), False),
    ("warned", lambda row: _number(row.warned), True),
    ("listed", lambda row: _number(row.expected), False),
    ("untested", lambda row: _number(row.untested), True),
    ("observed", lambda row: _number(row.observed), False),
    ("n/a", lambda row: _number(row.not_applicable), True),
)
