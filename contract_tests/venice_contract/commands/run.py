"""``venice-contract run``: judge a server."""

from __future__ import annotations

import argparse

from venice_contract.commands.options import (
    add_contract,
    add_limits,
    add_target,
    command_parser,
    options_of,
    scope_of,
)
from venice_contract.running.judging import judge

EXAMPLES = """\
  venice-contract run --base-url http://127.0.0.1:8402/api/v1
  venice-contract run --base-url asgi:venice_mock.asgi:make_app --only 'EDIT-IMG-*' --report out
"""


def parser() -> argparse.ArgumentParser:
    """The parser of this command."""
    made = command_parser("run", "Judge a server by the rules of an edition.", EXAMPLES)
    add_target(made)
    add_contract(made)
    add_limits(made)
    made.add_argument("--report", metavar="DIR", help="write the reports into this folder")
    return made


def run(arguments: argparse.Namespace) -> int:
    """Judge, print, and write the reports."""
    options = options_of(arguments)
    result = judge(options, scope_of(arguments))
    for rule in result.rules:
        if rule.verdict not in ("PASS",):
            print(
                f"{rule.rule.id} [{rule.rule.level}] {rule.verdict}: {rule.reason or '; '.join(rule.notes)[:200]}"
            )
            if rule.verdict in ("FAIL", "HARNESS", "WARN"):
                for case in rule.cases:
                    if case.verdict in ("FAIL", "HARNESS"):
                        print(f"    {case.check} {str(case.value)[:100]!r}: {case.sentence}")
    slow = sorted(((c.seconds, c.check) for r in result.rules for c in r.cases), reverse=True)[:8]
    print("slowest:", ", ".join(f"{name} {seconds:.2f}s" for seconds, name in slow))
    print(dict(result.counts), result.conclusion, f"{result.seconds:.1f}s {result.requests} requests")
    return result.exit_code
