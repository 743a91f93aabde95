"""What happens between the knock and the first case: the plan is shown, and money is asked for."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from venice_contract.running.opening import Opened, OpeningError
from venice_contract.running.plan import Plan


def announce(arguments: argparse.Namespace, *, quiet: bool = False) -> Callable[[Plan, Opened], None]:
    """Tell on stderr who is judged and by what; ask before money is spent, unless ``--yes``.

    What it returns raises OpeningError when the user does not agree.
    """

    def told(plan: Plan, ready: Opened) -> None:
        bench, profile = ready.bench, ready.profile
        if not quiet:
            print(
                f"{bench.target.name} ({ready.server}): edition {bench.facts.edition.edition}, "
                f"behavior {bench.facts.accepted}, profile {profile.name}, "
                f"{len(plan.cases)} cases and {len(plan.searches)} searches for {len(plan.rules)} rules.",
                file=sys.stderr,
            )
        if profile.name != "real":
            return
        budget = bench.meter.limit
        print(
            f"A conforming server would charge {plan.predicted} USD; this run may spend {budget} USD "
            f"at {bench.target.host}.",
            file=sys.stderr,
        )
        if getattr(arguments, "yes", False):
            return
        if not sys.stdin.isatty():
            raise OpeningError("nobody is there to agree: give --yes.", 2)
        print(f"Type {bench.target.host} to go on: ", end="", file=sys.stderr, flush=True)
        if sys.stdin.readline().strip().lower() != bench.target.host.lower():
            raise OpeningError("not agreed; nothing was sent but one GET /models.", 2)

    return told
