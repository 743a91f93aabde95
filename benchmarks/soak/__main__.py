"""``python -m benchmarks.soak``: loads two workers on a real Redis, then reconciles. Exit code 1 on any violation."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

from benchmarks.pictures import Pictures
from benchmarks.processes import BenchmarkError
from benchmarks.soak import reading, report
from benchmarks.soak.asking import Caller, Outages
from benchmarks.soak.books import differences
from benchmarks.soak.buying import FAULT_KEYS, KEYS, LEAVERS
from benchmarks.soak.edits import Maker, models_of, uploads
from benchmarks.soak.load import Budget, Crowd
from benchmarks.soak.machinery import BALANCE, Mock, Redis, Watch, mock, redis
from benchmarks.soak.memory import growth
from benchmarks.soak.notes import together
from benchmarks.soak.spending import account_of, wallet_of

RESULTS = Path(__file__).resolve().parents[1] / "results" / "soak.json"
_AWAY_S = 3.0
_BACK_S = 30.0
_PROBES = 16  # on connections of their own, so that every worker is met


def main(argv: Sequence[str]) -> int:
    """Run what the command line says. 0 when all is accounted for, 1 when not, 2 when nothing could be run."""
    options = _parser().parse_args(argv)
    try:
        outcome = soak(options)
    except BenchmarkError as error:
        print(f"soak: {error}", file=sys.stderr)
        return 2
    print(report.text(outcome))
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(report.record(outcome), indent=1) + "\n", "utf-8")
    return 1 if outcome.violations else 0


def soak(options: argparse.Namespace) -> report.Outcome:
    """One run. Raises BenchmarkError where redis-server is missing, or a process does not start or end."""
    outages = Outages()
    with (
        tempfile.TemporaryDirectory(prefix="venice-mock-soak-") as folder,
        redis(Path(folder)) as store,
        mock(store.url, options.workers, ("--engine", options.engine), Path(folder)) as server,
    ):
        caller = Caller(server.port, outages)
        maker = _maker(caller)
        caller.hang_up()  # or the server would, long before this connection is used again
        watch = Watch(server.workers())
        limit = options.minutes * 60 if options.minutes else None if options.requests else 20 * 60.0
        budget = Budget(limit, options.requests)
        crowd = Crowd(server.port, maker, outages, options.seed, options.clients, budget)
        print(f"venice-mock soak: http://127.0.0.1:{server.port} on {store.url}", flush=True)
        start = time.monotonic()
        with watch.looking():
            crowd.start()
            try:
                if options.restart_store:
                    _restart_amid(crowd, store, server.port, outages)
                crowd.wait()
            finally:
                budget.stop()
        seconds = time.monotonic() - start
        accounts = reading.accounts(caller, _openings(options.clients))
        caller.hang_up()
        violations = _workers_that_changed(server, watch, store_away=options.restart_store)
    notes = together(crowd.notes)
    memory = {pid: growth(samples) for pid, samples in watch.samples.items()}
    return report.Outcome(
        seconds=seconds,
        workers=options.workers,
        clients=options.clients,
        seed=options.seed,
        restarted=options.restart_store,
        notes=notes,
        accounts=accounts,
        memory=memory,
        violations=[
            *differences(accounts, notes.claims),
            *notes.findings,
            *crowd.broken(),
            *(f"worker {pid} grew: {each}" for pid, each in memory.items() if not each.is_flat),
            *violations,
        ],
    )


def _maker(caller: Caller) -> Maker:
    kept = Pictures(Path(tempfile.gettempdir(), "venice-mock-benchmarks"))
    listing = caller.ask("GET", "/api/v1/models?type=inpaint")
    return Maker(uploads(kept), models_of(listing.body))


def _openings(clients: int) -> dict[str, Decimal]:
    """The accounts that may have been used, and what each began with."""
    keys = dict.fromkeys((*KEYS, *LEAVERS, *FAULT_KEYS), Decimal(BALANCE))
    return keys | {account_of(wallet_of(number)): Decimal(0) for number in range(clients)}


def _restart_amid(crowd: Crowd, store: Redis, port: int, outages: Outages) -> None:
    """Half-way, end the store without a farewell, and start it on its data; away until every worker is ready again."""
    while crowd.budget.share < 0.5:
        if crowd.wait(0.1):
            return
    with outages.one():
        store.kill()
        time.sleep(_AWAY_S)
        store.start()
        end = time.monotonic() + _BACK_S
        while not all(_is_ready(port, outages) for _ in range(_PROBES)):
            if time.monotonic() > end:
                raise BenchmarkError("The mock did not recover when its store was back.")


def _is_ready(port: int, outages: Outages) -> bool:
    caller = Caller(port, outages)
    try:
        return caller.ask("GET", "/readyz").status == 200
    finally:
        caller.hang_up()


def _workers_that_changed(server: Mock, watch: Watch, *, store_away: bool) -> list[str]:
    found = [f"the mock complained: {line}" for line in server.complaints(store_away=store_away)]
    if set(server.workers()) != set(watch.pids):
        found.append(f"the workers were {watch.pids}, and are {server.workers()}: one died")
    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.soak",
        description="Load workers on a real Redis server with all that clients do, then see that all is accounted for.",
        epilog="example: python -m benchmarks.soak --requests 2000 --restart-store",
    )
    parser.add_argument("--minutes", type=float, metavar="N", help="how long (20, without --requests)")
    parser.add_argument("--requests", type=int, metavar="N", help="end after so many visits of clients")
    parser.add_argument("--workers", type=int, default=2, metavar="N", help="processes of the mock (2)")
    parser.add_argument("--clients", type=int, default=6, metavar="N", help="clients at once (6)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of what the clients do (1)")
    parser.add_argument("--engine", choices=("paint", "fast"), default="paint", help="of the mock (paint)")
    parser.add_argument("--restart-store", action="store_true", help="end and start the store half-way")
    parser.add_argument("--output", type=Path, default=RESULTS, metavar="FILE", help="where the JSON goes")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
