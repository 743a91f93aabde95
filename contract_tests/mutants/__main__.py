"""``python -m mutants [--whole] [--jobs N] [--docs FILE] [PATTERN ...]``: kill the mutants and print the table."""

from __future__ import annotations

import argparse
import fnmatch
import multiprocessing
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from mutants.killing import Kill, without_settings
from mutants.listing import all_mutants, kill_numbered, never_mutated, table
from venice_mock.contract import load_edition


def main(words: list[str]) -> int:
    """0 when every mutant died of its own rule and nothing else, 1 otherwise."""
    parser = argparse.ArgumentParser(
        prog="python -m mutants", description="Break one rule at a time; the suite must notice."
    )
    parser.add_argument(
        "patterns", nargs="*", metavar="PATTERN", help="rule ids such as EDIT-IMG-*; all if none"
    )
    parser.add_argument(
        "--whole", action="store_true", help="run the whole suite on each: no other rule may fail"
    )
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--docs", type=Path, help="write the kill table to this file")
    given = parser.parse_args(words)
    mutants = all_mutants()
    chosen = [
        number
        for number, mutant in enumerate(mutants)
        if not given.patterns or any(fnmatch.fnmatchcase(mutant.rule, p.upper()) for p in given.patterns)
    ]
    began = time.monotonic()
    kills = []
    with without_settings(), ProcessPoolExecutor(given.jobs, multiprocessing.get_context("spawn")) as pool:
        for done in pool.map(kill_numbered, [(number, given.whole) for number in chosen]):
            kill_ = Kill(mutants[done[0]], *done[1:])
            kills.append(kill_)
            if not kill_.is_clean:
                print(_complaint(kill_), flush=True)
    survivors = [k for k in kills if not k.is_clean]
    dead = sum(k.killed for k in kills)
    print(f"{dead} of {len(kills)} mutants killed by their own rule in {time.monotonic() - began:.0f} s.")
    missing: list[str] = []
    if not given.patterns:
        missing = sorted(_musts() - {m.rule for m in mutants} - set(never_mutated()))
        if missing:
            print(f"{len(missing)} MUST rules have no mutant: {' '.join(missing)}")
    if given.docs is not None:
        given.docs.write_text(table(kills), "utf-8")
    return 1 if survivors or missing else 0


def _musts() -> set[str]:
    from venice_mock.contract import available_editions

    return {
        r.id for name in available_editions() for r in load_edition(name).active_rules if r.level == "must"
    }


def _complaint(done: Kill) -> str:
    lines = [f"{done.mutant.rule}: {done.mutant.text}"]
    if not done.killed:
        lines.append(f"  SURVIVED ({done.sentence})")
    if done.others:
        lines.append(f"  also failed, undeclared: {' '.join(done.others)}")
    if done.missing:
        lines.append(f"  declared to fail, and passed: {' '.join(done.missing)}")
    lines += [f"  harness: {told}" for told in done.harness]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
