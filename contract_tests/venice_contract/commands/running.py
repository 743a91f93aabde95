"""What stands around a run: the plan is shown, money is asked for, and an interruption ends it in good order."""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from decimal import Decimal
from types import FrameType

from venice_contract.reports.wording import count, dollars
from venice_contract.running.opening import Opened, OpeningError
from venice_contract.running.plan import Plan


def announce(arguments: argparse.Namespace, *, quiet: bool = False) -> Callable[[Plan, Opened], None]:
    """Tell on stderr who is judged and by what; ask before money is spent, unless ``--yes``.

    What it returns raises OpeningError when no rule was chosen and when the user does not agree.
    """

    def told(plan: Plan, ready: Opened) -> None:
        bench, profile = ready.bench, ready.profile
        if not plan.rules:
            raise OpeningError(f"no rule of edition {bench.facts.edition.edition} was chosen: see --only.", 2)
        if not quiet:
            print(
                f"{bench.target.name} ({ready.server}): edition {bench.facts.edition.edition}, "
                f"behavior {bench.facts.accepted}, profile {profile.name}, "
                f"{count(len(plan.cases), 'case')} and {count(len(plan.searches), 'search', 'searches')} "
                f"for {count(len(plan.rules), 'rule')}.",
                file=sys.stderr,
            )
        if profile.name != "real":
            return
        budget = bench.meter.limit or Decimal(0)
        print(
            f"A conforming server would charge {dollars(plan.predicted)}; this run may spend {dollars(budget)} "
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


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Let SIGTERM, which CI systems send to a job that takes too long, end a run as Ctrl-C does: with a report."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        signal.raise_signal(signal.SIGINT)  # whose handler knows how to stop an event loop that is at work

    if threading.current_thread() is not threading.main_thread():  # only the main thread may handle signals
        yield
        return
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
