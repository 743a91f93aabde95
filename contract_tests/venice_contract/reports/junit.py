"""junit.xml: the run for CI systems. One suite for each group, one testcase for each rule.

FAIL and STALE are failures, HARNESS is an error; N/A, UNTESTED, MASKED and XFAIL are skipped with their reason and
so never count as passed. JUnit knows no warning: WARN and OBSERVED pass there, and say in ``system-out`` and in the
property ``verdict`` what they are. A run that ended early is one error of its own, and what it did not reach skipped.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence

from venice_contract.reports.requests import Address, address_of, curl, judged, smallest
from venice_contract.reports.wording import dollars, one_line, shortened, value_text, visible
from venice_contract.running.results import RuleResult, RunResult, Verdict

_FAILURES = (Verdict.FAIL, Verdict.STALE)
_SKIPPED = (
    Verdict.NA, Verdict.UNTESTED_COST, Verdict.UNTESTED_CREDENTIAL, Verdict.MASKED, Verdict.XFAIL,
)  # fmt: skip
_MOST = 8000  # characters of one element


def junit_xml(result: RunResult) -> bytes:
    """The bytes of junit.xml: UTF-8, well-formed whatever characters a server sent."""
    address = address_of(result.target)
    root = ET.Element("testsuites", name="venice-contract")
    groups: dict[str, list[RuleResult]] = {}
    for rule in result.rules:
        groups.setdefault(rule.rule.group, []).append(rule)
    suites = [_suite(root, name, rules, result, address) for name, rules in groups.items()]
    if result.stopped:
        suites.append(_stopped(root, result))
    for name in ("tests", "failures", "errors", "skipped"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in suites)))
    root.set("time", f"{result.seconds:.3f}")
    ET.indent(root, " ")
    xml: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return xml + b"\n"


def _suite(
    root: ET.Element, name: str, rules: Sequence[RuleResult], result: RunResult, address: Address
) -> ET.Element:
    kinds = [_kind(rule) for rule in rules]
    suite = ET.SubElement(root, "testsuite", {
        "name": _word(name),
        "tests": str(len(rules)),
        "failures": str(kinds.count("failure")),
        "errors": str(kinds.count("error")),
        "skipped": str(kinds.count("skipped")),
        "time": f"{sum(case.seconds for rule in rules for case in rule.cases):.3f}",
        "timestamp": _word(result.started.removesuffix("Z")),
    })  # fmt: skip
    _properties(suite, {
        "target": result.target, "server": result.server, "edition": result.edition,
        "behavior": result.accepted, "profile": result.profile, "seed": str(result.seed),
        "spent_usd": dollars(result.spent).removeprefix("$"),
    })  # fmt: skip
    for rule in rules:
        _testcase(suite, rule, address)
    return suite


def _testcase(suite: ET.Element, rule: RuleResult, address: Address) -> None:
    element = ET.SubElement(suite, "testcase", {
        "classname": _word(f"venice_contract.{rule.rule.group}"),
        "name": _word(rule.rule.id),
        "time": f"{sum(case.seconds for case in rule.cases):.3f}",
    })  # fmt: skip
    _properties(element, {
        "verdict": str(rule.verdict), "level": rule.rule.level, "certainty": rule.rule.certainty,
        "text": rule.rule.text, "source": rule.rule.source, "cases": str(len(rule.cases)),
    })  # fmt: skip
    reason = _word(rule.reason) or str(rule.verdict)
    kind = _kind(rule)
    if kind in ("failure", "error"):
        found = ET.SubElement(element, kind, message=reason, type=str(rule.verdict))
        found.text = _text(_explained(rule, address))
    elif kind == "skipped":
        why = reason if reason == str(rule.verdict) else f"{rule.verdict}: {reason}"
        ET.SubElement(element, "skipped", message=why)
    told = [*([rule.reason] if rule.verdict is Verdict.WARN else []), *rule.notes]
    if told:
        ET.SubElement(element, "system-out").text = _text(f"{rule.verdict}: " + "\n".join(told))


def _kind(rule: RuleResult) -> str:
    """The element that tells of a rule; empty for one that passed."""
    if rule.verdict in _FAILURES:
        return "failure"
    if rule.verdict is Verdict.HARNESS:
        return "error" if rule.cases else "skipped"
    return "skipped" if rule.verdict in _SKIPPED else ""


def _explained(rule: RuleResult, address: Address) -> str:
    lines = [rule.rule.text]
    case = smallest(rule)
    if case is not None:
        value = value_text(case.value)
        lines += [f"{case.check}{f' with {value}' if value else ''}", case.sentence]
        last = judged(case)
        if last is not None:
            lines.append(curl(last.request, address))
    return "\n".join(lines)


def _stopped(root: ET.Element, result: RunResult) -> ET.Element:
    suite = ET.SubElement(
        root, "testsuite", name="run", tests="1", failures="0", errors="1", skipped="0", time="0"
    )
    case = ET.SubElement(suite, "testcase", classname="venice_contract.run", name="finished", time="0")
    ET.SubElement(case, "error", message=_word(result.stopped), type="stopped")
    return suite


def _properties(parent: ET.Element, values: dict[str, str]) -> None:
    properties = ET.SubElement(parent, "properties")
    for name, value in values.items():
        ET.SubElement(properties, "property", name=name, value=_word(value))


def _word(text: str) -> str:
    return shortened(one_line(text), _MOST)


def _text(text: str) -> str:
    return shortened(visible(text), _MOST)
