"""What pytest shows of one rule: why, the smallest failing case with its value, and what to send again."""

from __future__ import annotations

from venice_contract.reports.requests import address_of, curl, judged, smallest, stands_in_line
from venice_contract.reports.terminal import Style, answer_text, labelled, request_text
from venice_contract.reports.wording import check_name, one_line, shortened, size, value_text
from venice_contract.running.results import RuleResult

_MOST_SENTENCE = 800
_STYLE = Style(100)


def rule_text(rule: RuleResult, target: str) -> str:
    """Several lines for a rule with a failing case; no body stands in them that would bury the rest."""
    reason = shortened(one_line(rule.reason), _MOST_SENTENCE)
    case = smallest(rule)
    if case is None:
        return reason
    value = value_text(case.value, 300)
    lines = [
        one_line(rule.rule.text),
        labelled("why", reason, _STYLE),
        labelled("case", check_name(case.check) + (f", {value}" if value else ""), _STYLE),
        labelled("seen", shortened(one_line(case.sentence), _MOST_SENTENCE), _STYLE),
    ]
    last = judged(case)
    if last is not None:
        lines.append(labelled("got", answer_text(last), _STYLE))
        lines.append(request_text(curl(last.request, address_of(target)), _STYLE))
        if last.request.body and not stands_in_line(last.request.body):
            kept = f"`venice-contract run --only {rule.rule.id} --report DIR` keeps"
            lines.append(
                labelled("", f"with a body of {size(len(last.request.body))}, which {kept}.", _STYLE)
            )
    return "\n".join(lines)
