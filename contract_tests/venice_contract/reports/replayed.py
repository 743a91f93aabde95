"""What a user reads when one case was run again: what it was, what it is now, and every request with its answer."""

from __future__ import annotations

from venice_contract.reports.bodies import body_text
from venice_contract.reports.case_files import FailingCase
from venice_contract.reports.columns import wrapped
from venice_contract.reports.requests import Address, address_of, curl
from venice_contract.reports.terminal import Style, answer_text, labelled, request_text
from venice_contract.reports.wording import MEANINGS, check_name, one_line, shortened, value_text, visible
from venice_contract.running.results import CaseResult, RunResult, Verdict
from venice_contract.wire.message import Exchange

_MOST_SENTENCE = 800
_MOST_BODY = 1500
_TONES = {Verdict.PASS: "green", Verdict.FAIL: "red", Verdict.HARNESS: "magenta"}


def replayed_text(
    case: FailingCase, now: CaseResult, result: RunResult, style: Style, *, body_file: str | None = None
) -> str:
    """The whole text, ending with a line break. ``body_file``: where the judged request's body lies, if it does."""
    rule = next(rule.rule for rule in result.rules if rule.rule.id == case.rule)
    value = value_text(case.value, 300)
    lines = [
        f"{style.paint(rule.id, 'bold')}  {rule.level.upper()}  {style.paint(rule.group, 'dim')}",
        wrapped(one_line(rule.text), style.width, "      "),
        labelled("case", check_name(case.check) + (f", {value}" if value else ""), style),
        labelled("then", f"{case.verdict}: {_short(case.sentence)} ({one_line(case.target)})", style),
        labelled("now", f"{_told(now)} ({one_line(result.target)}, {one_line(result.server)})", style),
    ]
    address = address_of(result.target)
    for number, exchange in enumerate(now.exchanges, 1):
        lines.append(
            f"\n{number} of {len(now.exchanges)}  {style.paint(one_line(exchange.label), 'dim')}".rstrip()
        )
        is_judged = number == len(now.exchanges)
        lines += _exchange(exchange, address, style, (body_file if is_judged else None) or "body.bin")
    for note in now.notes:
        lines.append(labelled("note", _short(note), style))
    lines.append("\n" + style.paint(_conclusion(now), "bold", _TONES.get(now.verdict, "yellow")))
    return "\n".join(lines) + "\n"


def _exchange(exchange: Exchange, address: Address, style: Style, body_file: str) -> list[str]:
    lines = [
        request_text(curl(exchange.request, address, body_file), style),
        labelled("got", answer_text(exchange), style),
    ]
    got = exchange.reply
    body = "" if got is None else body_text(got.body, got.header("content-type") or "", _MOST_BODY)
    if body:
        lines.append("\n".join(f"            {line}".rstrip() for line in visible(body).split("\n")))
    return lines


def _told(now: CaseResult) -> str:
    return f"{now.verdict}: {_short(now.sentence)}" if now.sentence else str(now.verdict)


def _conclusion(now: CaseResult) -> str:
    if now.verdict is Verdict.PASS:
        return "The case passes now."
    if now.verdict is Verdict.FAIL:
        return "The case fails."
    return f"Not judged: {MEANINGS[now.verdict]}."


def _short(text: str) -> str:
    return shortened(one_line(text), _MOST_SENTENCE)
