"""``venice-contract replay``: run the case of one case file again, and show what the server says now."""

from __future__ import annotations

import argparse
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from venice_contract.commands.options import (
    UsageError,
    add_care,
    add_target,
    command_parser,
    edition_name,
    options_of,
)
from venice_contract.commands.running import announce, interruptible
from venice_contract.judging.check import Check
from venice_contract.reports.case_files import FailingCase, names_its_server, read_case
from venice_contract.reports.replayed import replayed_text
from venice_contract.reports.shape import ReportError
from venice_contract.reports.terminal import Style
from venice_contract.rules import all_checks, all_invariants
from venice_contract.running.judging import Scope, judge
from venice_contract.running.results import CaseResult, RunResult, Verdict, worst

EXAMPLES = """\
  venice-contract replay out/cases/EDIT-IMG-014-a_large_one_is_refused.json
  venice-contract replay case.json --base-url http://127.0.0.1:9000/api/v1
"""
_NOT_SEEN = 3
_CODES = {Verdict.PASS: 0, Verdict.FAIL: 1, Verdict.HARNESS: 4}


def parser() -> argparse.ArgumentParser:
    """The parser of this command."""
    text = "Run the case of a case file again, by the same check, value, edition, behaviour and seed."
    made = command_parser("replay", text, EXAMPLES)
    made.add_argument("case", metavar="CASE.json", help="what `venice-contract run --report DIR` wrote")
    add_target(made, required=False)
    add_care(made)
    return made


def run(arguments: argparse.Namespace) -> int:
    """0 when the case passes now, 1 when it fails, 3 when it could not be seen, 4 when the suite failed."""
    try:
        case = read_case(Path(arguments.case))
    except ReportError as error:
        raise UsageError(str(error)) from error
    arguments.base_url = arguments.base_url or _own_target(case)
    arguments.edition, arguments.behavior = edition_name(case.edition), case.accepted
    arguments.seed = str(case.seed)
    options, scope = options_of(arguments), scope_of_case(case)
    with interruptible():
        result = judge(options, scope, approve=announce(arguments, quiet=True))
    now = seen_again(case, result)
    style = Style.of(sys.stdout, shutil.get_terminal_size().columns)
    kept = Path(arguments.case).with_suffix(".body")
    body_file = str(kept) if kept.is_file() else None
    sys.stdout.write(replayed_text(case, now, result, style, body_file=body_file))
    return _CODES.get(now.verdict, _NOT_SEEN)


def scope_of_case(case: FailingCase) -> Scope:
    """The part of the suite that is this case alone. Raises UsageError for one that this version does not know."""
    invariants = tuple(each for each in all_invariants() if each.id == case.check)
    name: Any = case.check
    value = case.value
    if invariants and isinstance(value, dict):
        name, value = value.get("met_in"), value.get("value")
    check = next((each for each in all_checks() if each.id == name), None)
    if check is None:
        raise UsageError(f"this version has no check {name!r}: the case cannot be run again.")
    # A search that failed without one value that breaks the rule has to be made again.
    is_search = case.source == "generated" and not case.exchanges
    alone = _with_no_value(check) if is_search else replace(_with_no_value(check), strategy=None)
    if not is_search:
        alone = replace(alone, witnesses=lambda _facts: (value,))
    rules = [check.rule, *(each.rule for each in invariants)]
    return Scope(only=rules, checks=lambda: (alone,), invariants=lambda: invariants)


def seen_again(case: FailingCase, result: RunResult) -> CaseResult:
    """What came of the case in a run of it alone; of several, the worst."""
    every = [each for rule in result.rules for each in rule.cases]
    cases = [each for each in every if each.check == case.check and each.rule == case.rule]
    if cases:
        verdict = worst(each.verdict for each in cases)
        found = next(each for each in cases if each.verdict is verdict)
    elif result.stopped:
        found = CaseResult(case.check, case.rule, case.value, Verdict.HARNESS, result.stopped)
    elif case.source == "invariant" and result.requests:
        told = "nothing that was sent breaks it"
        found = CaseResult(case.check, case.rule, case.value, Verdict.PASS, told)
    else:
        rule = next(rule for rule in result.rules if not rule.cases)
        found = CaseResult(case.check, case.rule, case.value, Verdict.NA, rule.reason)
    if (
        not found.exchanges and case.source == "invariant"
    ):  # what was sent belongs to the case in which it was met
        found = replace(found, exchanges=next((each.exchanges for each in every if each.exchanges), ()))
    return found


def _with_no_value(check: Check) -> Check:
    return replace(check, witnesses=lambda _facts: ())


def _own_target(case: FailingCase) -> str:
    """Where the case was seen. Raises UsageError."""
    if names_its_server(case.target):
        return case.target
    raise UsageError(f"the case was seen at {case.target!r}: say where to send it, with --base-url.")
