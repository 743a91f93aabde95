"""``python -m second_opinion [--schemathesis FILE] [--jobs N] [WORD ...]``: run, tell, and judge by the list."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from second_opinion.deviations import LISTED, Deviation, load_deviations
from second_opinion.running import Outcome, Run, conduct
from venice_mock.contract import available_editions


def main(words: list[str]) -> int:
    """0 when every failure is explained and every explanation is needed; 1 otherwise."""
    parser = argparse.ArgumentParser(
        prog="python -m second_opinion", description="Schemathesis against the mock's own OpenAPI document."
    )
    parser.add_argument(
        "words",
        nargs="*",
        metavar="WORD",
        help="only runs with all of these: an edition, observed, wallet ...",
    )
    parser.add_argument(
        "--schemathesis",
        type=Path,
        default=Path(sys.prefix) / "schemathesis" / "bin" / "schemathesis",
        help="the command, in its own environment",
    )
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time")
    given = parser.parse_args(words)
    if not given.schemathesis.exists():
        parser.error(f"{given.schemathesis} does not exist; `make schemathesis` installs it")
    runs = [run for run in all_runs() if set(given.words) <= set(run.name.split())]
    if not runs:
        parser.error("no run has all of these words")
    deviations = load_deviations()
    with ThreadPoolExecutor(given.jobs) as pool:
        outcomes = []
        for outcome in pool.map(lambda run: conduct(run, given.schemathesis.absolute()), runs):
            outcomes.append(outcome)
            print("\n".join(tell(outcome)), flush=True)
    unneeded = not_needed(deviations, outcomes)
    for deviation in unneeded:
        print(f"\nListed in {LISTED.name}, but did not occur: {deviation}")
    wrong = sum(len(outcome.unexplained) + len(outcome.broken) for outcome in outcomes) + len(unneeded)
    print(f"\n{sum(o.requests for o in outcomes)} test cases in {len(outcomes)} runs; {wrong} to look at.")
    return 1 if wrong else 0


def all_runs() -> list[Run]:
    """Every edition in both behaviours by key; the wallet's routes differ by edition alone."""
    editions = available_editions()
    return [
        *(Run(edition, "documented", "key") for edition in editions),
        *(Run(edition, "observed", "key") for edition in editions),
        *(Run(edition, "documented", "wallet") for edition in editions),
    ]


def tell(outcome: Outcome) -> Iterable[str]:
    """A line of the run, and each thing that is wrong with it."""
    explained = len(outcome.seen)
    yield (
        f"{'FAIL' if outcome.unexplained or outcome.broken else 'ok  '}  {outcome.run.name}: "
        f"{outcome.requests} test cases in {outcome.seconds:.0f} s, {explained} failures explained, "
        f"{len(outcome.unexplained)} not"
    )
    for each in (*outcome.broken, *outcome.unexplained):
        yield "\n" + "\n".join(f"      {line}" for line in each.splitlines())


def not_needed(deviations: Sequence[Deviation], outcomes: Sequence[Outcome]) -> list[Deviation]:
    """Listed deviations that these runs should have met and did not."""
    seen = Counter(number for outcome in outcomes for number in outcome.seen)
    return [
        deviation
        for number, deviation in enumerate(deviations)
        if not seen[number] and any(deviation.applies_to(outcome.run.name) for outcome in outcomes)
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
