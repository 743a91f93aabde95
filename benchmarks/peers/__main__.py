"""``python -m benchmarks.peers``: ours and the others in turn, as a table and as JSON."""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks import report
from benchmarks.cases import Bench
from benchmarks.load import Load, Served, put_under
from benchmarks.peers.servers import Peer, Question, others, ours, questions, started
from benchmarks.pictures import Pictures
from benchmarks.posts import MARK, NUMBERED_PROMPT, Post, json_edit
from benchmarks.processes import REPOSITORY, BenchmarkError, Server, memory_bytes

RESULTS = REPOSITORY / "build" / "bench-peers.json"
INSTALLED = REPOSITORY / "build" / "peers"
_CONNECTIONS = 4
_TENTH = 0.1  # of Prism's cold start: the goal


@dataclass(frozen=True, slots=True)
class Row:
    """One server under one load. Seconds and bytes; None: not measured in this row."""

    name: str
    version: str
    p50: float
    rate: float
    cold: float | None
    memory: int | None
    right: str


def main(argv: Sequence[str]) -> int:
    """Measure what is installed. 0 when all that is there was measured, 1 when something did not work."""
    options = _parser().parse_args(argv)
    rounds = options.rounds or (1 if options.quick else 5)
    facts = report.machine()
    kept = Pictures(Path(tempfile.gettempdir(), "venice-mock-benchmarks"))
    with tempfile.TemporaryDirectory(prefix="venice-mock-peers-") as name:
        bench = Bench(rounds, options.quick, kept, Path(name))
        peers, missing = others(options.installed, bench.folder, kept.photo)
        for sentence in missing:
            print(sentence, file=sys.stderr)
        try:
            rows = measured(bench, (ours(), *peers))
        except BenchmarkError as error:
            print(error, file=sys.stderr)
            return 1
    print("\n".join(table(rows, rounds, facts, _requests(quick=options.quick))))
    whole = {
        "rounds": rounds,
        "quick": options.quick,
        "machine": facts,
        "peers": [asdict(row) for row in rows],
    }
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(whole, indent=1) + "\n", "utf-8")
    return 0


def measured(bench: Bench, peers: Sequence[Peer]) -> list[Row]:
    """Cold starts in turn, then all servers at once, of which one at a time is asked. Raises BenchmarkError."""
    photo = bench.pictures.photo
    asked, new = questions(photo), json_edit(photo, NUMBERED_PROMPT)
    cold: dict[str, list[float]] = {peer.name: [] for peer in peers}
    for _ in range(bench.rounds):
        for peer in peers:
            with started(peer, bench.folder) as (_, seconds):
                cold[peer.name].append(seconds)
    with contextlib.ExitStack() as stack:
        running = {peer.name: stack.enter_context(started(peer, bench.folder))[0] for peer in peers}
        rows: list[Row] = []
        for peer in peers:
            server, count = running[peer.name], _requests(quick=bench.quick)
            right = sum(question.answered_by(_answer(server, question)) for question in asked)
            put_under(server, asked[0].post, Load(_CONNECTIONS, 0, requests=count), bench.folder)
            memory = memory_bytes(server.pid)
            rows.append(
                Row(
                    name=peer.name,
                    version=peer.version,
                    p50=0,
                    rate=0,
                    cold=statistics.median(cold[peer.name]),
                    memory=None if memory is None else memory[0],
                    right=f"{right} of {len(asked)}",
                )
            )
        again = replace(rows[0], name=f"{rows[0].name}, each edit new", cold=None, memory=None)
        sides: list[tuple[Row, Server, Post]] = [(again, running[peers[0].name], new)]
        sides += [(row, running[row.name], asked[0].post) for row in rows]
        laps: dict[str, list[tuple[Served, Served]]] = {row.name: [] for row, _, _ in sides}
        for _ in range(bench.rounds):
            for row, server, post in sides:
                laps[row.name].append(_laps(bench, server, post))
    return [
        replace(
            row,
            p50=statistics.median(alone.p50 for alone, _ in laps[row.name]),
            rate=statistics.median(many.requests / many.seconds for _, many in laps[row.name]),
        )
        for row in (rows[0], again, *rows[1:])
    ]


def _laps(bench: Bench, server: Server, post: Post) -> tuple[Served, Served]:
    """One connection for the latency, several for the rate."""
    seconds = bench.seconds(2)
    numbered = MARK.encode() in post.body
    one, many = (
        put_under(
            server, post, Load(count, seconds, bench.fresh_numbers() if numbered else None), bench.folder
        )
        for count in (1, _CONNECTIONS)
    )
    return one, many


def _answer(server: Server, question: Question) -> bytes:
    try:
        return server.ask("POST", question.post.path, question.post.body, question.post.media_type).body
    except (OSError, http.client.HTTPException) as error:
        raise BenchmarkError(f"No answer to an edit: {error!r}") from error


def _requests(*, quick: bool) -> int:
    return 20 if quick else 1000


def table(rows: Sequence[Row], rounds: int, facts: dict[str, Any], requests: int) -> list[str]:
    """The lines that are printed. ``requests``: how many there were before the memory was read."""
    lines = [
        f"a 1 MP JPEG of 300 kB in JSON, {rounds} rounds in turn, load by {facts['client']}",
        f"Python {facts['python']}, {facts['system']}, {facts['cores']} cores",
        "",
        f"{'server':<28} {'p50':>9} {'requests/s':>10} {'cold start':>10} {'memory':>9} {'right pictures':>14}",
        "-" * 85,
    ]
    for row in rows:
        name = row.name if row.cold is None else f"{row.name} {row.version}"
        cold = "" if row.cold is None else f"{row.cold:.2f} s"
        memory = "" if row.memory is None else f"{row.memory / 2**20:.0f} MiB"
        lines.append(
            f"{name:<28} {row.p50 * 1000:>6.1f} ms {row.rate:>10.0f} {cold:>10} {memory:>9} {row.right:>14}"
        )
    lines += [
        "-" * 85,
        "p50: one connection; requests/s: four. Cold start: from the process to its first HTTP answer.",
        f"Memory: resident after {requests} requests. Right: decodable, of the size and format asked for.",
    ]
    by_name = {row.name: row.cold for row in rows}
    mine, prism = by_name.get("venice-mock"), by_name.get("Prism")
    if mine and prism:
        said = "reached" if mine / prism <= _TENTH else "missed"
        lines.append(f"Cold start, ours / Prism's: {mine / prism:.2f}; the goal of {_TENTH} is {said}.")
    return lines


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.peers", description="Send other mock servers the same requests as ours."
    )
    parser.add_argument("--rounds", type=int, metavar="N", help="rounds of each (5)")
    parser.add_argument("--quick", action="store_true", help="one short round: for tests, not for figures")
    parser.add_argument(
        "--installed", type=Path, default=INSTALLED, metavar="FOLDER", help="where npm has put them"
    )
    parser.add_argument("--output", type=Path, default=RESULTS, metavar="FILE", help="where the JSON goes")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
