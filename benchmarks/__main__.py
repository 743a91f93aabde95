"""``python -m benchmarks``: runs the cases, shows each as it is done, and writes JSON and a chart."""

from __future__ import annotations

import argparse
import datetime
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import chart, edit_cases, http_cases, process_cases, report, scale_cases, wallet_cases
from benchmarks.cases import Bench, CannotMeasureError, Case
from benchmarks.pictures import Pictures
from benchmarks.processes import REPOSITORY, BenchmarkError

CASES: tuple[Case, ...] = (
    *edit_cases.CASES,
    *http_cases.CASES,
    *process_cases.CASES,
    *scale_cases.CASES,
    *wallet_cases.CASES,
)
RESULTS = REPOSITORY / "build" / "bench.json"


def main(argv: Sequence[str]) -> int:
    """Run what the command line says. 0 when all was measured, 1 when something did not work."""
    options = _parser().parse_args(argv)
    cases = [case for case in CASES if not options.only or case.name in options.only]
    rounds = options.rounds or (1 if options.quick else 5)
    facts = report.machine()
    print(report.heading(rounds, facts), flush=True)
    records: list[dict[str, Any]] = []
    kept = Pictures(Path(tempfile.gettempdir(), "venice-mock-benchmarks"))
    with tempfile.TemporaryDirectory(prefix="venice-mock-benchmark-") as folder:
        bench = Bench(rounds, options.quick, kept, Path(folder))
        for case in cases:
            try:
                outcome = case.run(bench)
            except CannotMeasureError as reason:
                print(report.skipped(case, str(reason)), flush=True)
                records.append(report.record(case, None, str(reason)))
            except BenchmarkError as error:
                print(f"{case.name}: {error}", file=sys.stderr)
                return 1
            else:
                print(report.row(case, outcome), flush=True)
                records.append(report.record(case, outcome, None))
    print(report.footer(cases))

    made = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    whole = {"made": made, "rounds": rounds, "quick": options.quick, "machine": facts, "cases": records}
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(whole, indent=1) + "\n", "utf-8")
    if options.chart is not None:
        options.chart.parent.mkdir(parents=True, exist_ok=True)
        options.chart.write_text(chart.drawn(whole), "utf-8")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure the server, each figure as a ratio to the least possible.",
        epilog="example: python -m benchmarks --only refusal --only json-edit --rounds 9",
    )
    names = [case.name for case in CASES]
    parser.add_argument(
        "--only",
        action="append",
        choices=names,
        metavar="NAME",
        help=f"one of: {', '.join(names)}; repeatable",
    )
    parser.add_argument("--rounds", type=_at_least_one, metavar="N", help="rounds of each side (5)")
    parser.add_argument(
        "--quick", action="store_true", help="one round of a tenth: for tests, not for figures"
    )
    parser.add_argument("--output", type=Path, default=RESULTS, metavar="FILE", help="where the JSON goes")
    parser.add_argument(
        "--chart", type=Path, metavar="FILE", help="where the chart goes, an SVG; none without"
    )
    return parser


def _at_least_one(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
