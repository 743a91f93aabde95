"""``serve --workers N``: one server of many processes, as its clients see it, and as its owner does."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from redis_server import RedisServer, running_redis
from rulekit import good_body
from tools import missing

PATIENCE_S = 60.0


@dataclass
class Serving:
    """A parent and the address of its workers."""

    process: subprocess.Popen[str]
    origin: str

    def ask(self, path: str, body: bytes | None = None, method: str | None = None) -> tuple[int, bytes]:
        """Status and body, over a connection of its own, which any worker may take."""
        headers = {"Authorization": "Bearer a-test-key", "Content-Type": "application/json"}
        request = urllib.request.Request(self.origin + path, body, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_S) as reply:
                return reply.status, reply.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    def who(self) -> int:
        """Which worker answers: its process id."""
        return int(json.loads(self.ask("/__mock")[1])["pid"])

    def several(self) -> set[int]:
        """Ask until two workers have answered."""
        end, seen = time.monotonic() + PATIENCE_S, set[int]()
        while len(seen) < 2:
            assert time.monotonic() < end, "only one worker answers"
            seen.add(self.who())
        return seen

    def workers(self) -> list[int]:
        """Their process ids, as Linux tells them."""
        if not Path("/proc").exists():
            missing("there is no /proc to look for processes in, so what becomes of them was not tried")
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [
            int(child) for child in children.read_text("ascii").split() if "spawn_main" in command_of(child)
        ]


def command_of(pid: str) -> str:
    """A process's command line; nothing of one that has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text("utf-8")
    except OSError:
        return ""


@contextmanager
def serving(*options: str) -> Iterator[Serving]:
    """A server of two workers."""
    command = [sys.executable, "-m", "venice_mock", "serve", "--port", "0", "--workers", "2"]
    with subprocess.Popen(
        [*command, "--log-level", "error", "--engine", "fast", *options], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield Serving(process, json.loads(process.stdout.readline())["base_url"].removesuffix("/api/v1"))
        finally:
            process.kill()


@pytest.fixture(scope="module")
def store() -> Iterator[RedisServer]:
    with running_redis(keeps=False) as server:
        yield server


def ended(process: subprocess.Popen[str], sig: int = signal.SIGTERM) -> int:
    process.send_signal(sig)
    return process.wait(PATIENCE_S)


def test_several_workers_without_a_shared_store_are_refused_in_a_sentence_that_says_why() -> None:
    command = [sys.executable, "-m", "venice_mock", "serve", "--port", "0", "--workers", "4"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.strip() == (
        "venice-mock serve: 4 workers need a store that they share, or each would have accounts, limits and"
        " sessions of its own: add --store redis://HOST:PORT/DB, or serve with one."
    )


def test_several_workers_are_one_server_to_their_clients(store: RedisServer, tmp_path: Path) -> None:
    file = tmp_path / "port"
    with serving("--store", store.url("one"), "--port-file", str(file)) as server:
        assert server.origin.endswith(":" + file.read_text("ascii").strip())
        server.several()
        config = json.dumps({"name": "t17", "config": {"balance": "7"}}).encode()
        assert server.ask("/__mock/sessions", config)[0] == 201
        frozen = json.dumps({"frozen_at": "2026-07-01T00:00:00Z"}).encode()
        assert server.ask("/__s/t17/__mock/clock", frozen, "PUT")[0] == 200
        edits = [server.ask("/__s/t17/api/v1/image/edit", good_body())[0] for _ in range(12)]
        assert edits == [200] * 12
        told: list[Any] = [
            json.loads(server.ask("/__s/t17/api/v1/billing/balance")[1])["balances"]["usd"] for _ in range(12)
        ]
        assert told == [6.52] * 12
        clocks = {server.ask("/__s/t17/__mock/clock")[1] for _ in range(12)}
        assert len(clocks) == 1
        rule = json.dumps({"then": {"error": "offline"}, "times": 3}).encode()
        assert server.ask("/__s/t17/__mock/rules", rule)[0] == 201
        steered = [server.ask("/__s/t17/api/v1/image/edit", good_body())[0] for _ in range(12)]
        assert steered == [503] * 3 + [200] * 9
        listed = [json.loads(server.ask("/__s/t17/__mock/requests?limit=100")[1]) for _ in range(6)]
        numbers = [[entry["number"] for entry in each["requests"]] for each in listed]
        assert numbers == [list(range(36, 0, -1))] * 6  # the edits, and the balances that were read
        asked = json.dumps({"match": {"charged": True}, "times": {"exactly": 21}}).encode()
        assert [server.ask("/__s/t17/__mock/verify", asked)[0] for _ in range(6)] == [200] * 6
        end = time.monotonic() + PATIENCE_S
        while not all(b"charged_usd_total 0.84" in server.ask("/metrics")[1] for _ in range(6)):
            assert time.monotonic() < end
        assert ended(server.process) == 0
        assert not file.exists()


def test_no_counter_falls_whichever_worker_is_asked_next(store: RedisServer) -> None:
    with serving("--store", store.url("counters")) as server:
        server.several()
        seen: dict[str, float] = {}
        starts: set[float] = set()
        for turn in range(30):
            assert server.ask("/api/v1/image/edit", good_body(prompt=f"picture {turn % 7}"))[0] == 200
            now = counters_of(server)
            assert {name for name in seen if now[name] < seen[name]} == set()
            starts.add(now.pop("venice_mock_start_time_seconds"))
            seen = now
        assert len(starts) == 1
        end = time.monotonic() + PATIENCE_S
        while counters_of(server)["venice_mock_charged_usd_total"] != 30 * 0.04:
            assert time.monotonic() < end


def counters_of(server: Serving) -> dict[str, float]:
    """What may only grow, with its labels, and the start."""
    found = {}
    for line in server.ask("/metrics")[1].decode().splitlines():
        name, _, number = line.rpartition(" ")
        if re.match(r"venice_mock_(\w+_total|edit_seconds_\w+|start_time_seconds)\b", line):
            found[name] = float(number)
    return found


def test_a_worker_that_dies_is_replaced_and_the_end_of_all_is_clean(store: RedisServer) -> None:
    with serving("--store", store.url("two")) as server:
        before = server.workers()
        assert len(before) == 2
        os.kill(before[0], signal.SIGKILL)
        end = time.monotonic() + PATIENCE_S
        while len(now := server.workers()) < 2 or before[0] in now:
            assert time.monotonic() < end
        server.several()
        assert ended(server.process, signal.SIGINT) == 0
        for worker in now:
            with pytest.raises(ProcessLookupError):
                os.kill(worker, 0)


def test_workers_end_with_a_parent_that_was_killed(store: RedisServer) -> None:
    with serving("--store", store.url("three")) as server:
        workers = server.workers()
        server.process.kill()
        end = time.monotonic() + PATIENCE_S
        while any(map(is_alive, workers)):
            assert time.monotonic() < end


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_what_a_worker_would_refuse_is_told_before_any_is_started(store: RedisServer) -> None:
    command = [sys.executable, "-m", "venice_mock", "serve", "--port", "0", "--workers", "2"]
    done = subprocess.run(
        [*command, "--store", store.url("four"), "--edition", "1999-01-01"],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 2
    assert "1999-01-01" in done.stderr
    assert done.stdout == ""
