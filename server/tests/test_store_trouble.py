"""What is wrong with a shared store is told in words, once, to who has to mend it: in answers, the log, at a start."""

from __future__ import annotations

import http.server
import json
import logging
import secrets
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from asgi import Reply
from conftest import MakeClient
from redis_server import RedisServer, running_redis
from rulekit import good
from venice_mock.logs import LOGGER
from venice_mock.state import redis_link

PATIENCE_S = 60.0
PASSWORD = secrets.token_hex(8)  # drawn: nothing that looks like one stands here


@pytest.fixture
def own_server() -> Iterator[RedisServer]:
    """A server that the test may spoil."""
    with running_redis(keeps=False) as server:
        yield server


@pytest.fixture
def web_server() -> Iterator[int]:
    """The port of something that is no store."""

    class Silent(http.server.BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with http.server.HTTPServer(("127.0.0.1", 0), Silent) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def until(reached: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not reached():
        assert time.monotonic() < end


def told(reply: Reply) -> str:
    """What a refusal says to who has to mend the store; to others the same 503 as ever."""
    assert reply.status == 503
    assert list(reply.json) == ["error"]
    return reply.headers["x-mock-hint"]


# --- what comes of it ----------------------------------------------------------------------------------------------

SPOILT = {  # how a store that was well is spoilt, what is said then, how it is mended
    "full": ("CONFIG SET maxmemory 1", "is out of memory", "CONFIG SET maxmemory 0"),
    "a replica": (
        "REPLICAOF 127.0.0.1 1",
        "takes no writes: it is a read-only replica",
        "REPLICAOF NO ONE",
    ),
    "forbidden": (
        "ACL SETUSER default -evalsha -eval",
        "does not permit this user what the mock does",
        "ACL SETUSER default +@all",
    ),
    "half forbidden": (
        "ACL SETUSER default -set",
        "does not permit this user what the mock does",
        "ACL SETUSER default +@all",
    ),
}


@pytest.mark.parametrize("how", SPOILT)
def test_a_store_that_takes_no_writes_is_told_by_its_reason_and_keeps_the_server_unready(
    make_client: MakeClient, own_server: RedisServer, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr(redis_link, "_SPARED_S", 0.0)  # each asks for itself
    spoil, reason, mend = SPOILT[how]
    client = make_client(engine="fast", store=own_server.url())
    assert client.get("/readyz").status == 200
    own_server.ask(spoil)
    until(lambda: client.get("/readyz").status == 503)
    for _ in range(2):  # also when nobody else has tried to write in between
        assert told(client.get("/readyz")) == f"The store at redis://127.0.0.1:{own_server.port}/0 {reason}."
    assert reason in told(client.edit(**good()))
    own_server.ask(mend)
    until(lambda: client.get("/readyz").status == 200)
    assert client.edit(**good()).status == 200


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("redis://127.0.0.1:{free}/0", "refuses connections: nothing listens there"),
        ("redis://no-such-host.invalid:6379/0", "has a host name that cannot be resolved"),
        ("redis://:{password}@127.0.0.1:{locked}/0", "refuses this user or password"),
        ("redis://somebody:{password}@127.0.0.1:{locked}/0", "refuses this user or password"),
        ("redis://127.0.0.1:{locked}/0", "asks for a password"),
        ("redis://127.0.0.1:{open}/99", "has no database of that number"),
        ("rediss://127.0.0.1:{open}/0", "does not answer TLS in time: its address may begin with redis://"),
        ("redis://127.0.0.1:{web}/0", "closes connections: it may be no Redis or Valkey server"),
    ],
)
def test_an_address_at_which_no_store_can_be_used_is_told_by_its_reason_and_without_its_password(
    make_client: MakeClient,
    own_server: RedisServer,
    redis_server: RedisServer,
    web_server: int,
    caplog: pytest.LogCaptureFixture,
    address: str,
    reason: str,
) -> None:
    own_server.ask(f"CONFIG SET requirepass {secrets.token_hex(8)}")
    with socket.socket() as free:  # closed again: nobody listens there
        free.bind(("127.0.0.1", 0))
        nobody = free.getsockname()[1]
    ports = {"free": nobody, "locked": own_server.port, "open": redis_server.port, "web": web_server}
    url = address.format(password=PASSWORD, **ports)
    with caplog.at_level(logging.INFO, LOGGER):
        hint = told(make_client(engine="fast", store=url).get("/readyz"))
    assert hint == f"The store at {url.replace(f':{PASSWORD}@', '').replace('somebody', '')} {reason}."
    assert PASSWORD not in hint + caplog.text


def test_the_log_tells_once_that_the_store_is_lost_and_once_that_it_is_back(
    make_client: MakeClient, own_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    client = make_client(engine="fast", store=own_server.url())
    assert client.edit(**good()).status == 200
    with caplog.at_level(logging.INFO, LOGGER):
        own_server.kill()
        for _ in range(3):
            assert client.edit(**good()).status == 503
        own_server.start()
        until(lambda: client.edit(**good()).status == 200)
        assert client.edit(**good()).status == 200
    place = f"redis://127.0.0.1:{own_server.port}/0"
    lines = [
        (record.levelname, record.getMessage())
        for record in caplog.records
        if "the store at" in record.getMessage()
    ]
    warnings = [line for line in lines if line[0] == "WARNING"]
    assert lines[-1] == ("INFO", f"the store at {place} is well again")
    # A connection that is broken off and one that is refused are two reasons, each told once.
    assert 1 <= len(warnings) <= 2
    assert len(set(lines)) == len(lines)


def test_the_log_tells_once_of_a_store_that_is_full_although_it_answers_questions(
    make_client: MakeClient, own_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    client = make_client(engine="fast", store=own_server.url())
    assert client.edit(**good()).status == 200
    with caplog.at_level(logging.INFO, LOGGER):
        own_server.ask("CONFIG SET maxmemory 1")
        for _ in range(2):
            assert client.edit(**good()).status == 503
            assert client.get("/__mock/clock").status == 200
        own_server.ask("CONFIG SET maxmemory 0")
        assert client.edit(**good()).status == 200
    place = f"the store at redis://127.0.0.1:{own_server.port}/0"
    lines = [line for line in caplog.messages if line.startswith(place)]
    assert lines == [f"{place} is out of memory", f"{place} is well again"]


def test_the_log_tells_of_a_process_on_the_same_store_that_answers_by_another_edition(
    make_client: MakeClient, redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    url = redis_server.url(secrets.token_hex(8))
    one = make_client(engine="fast", store=url, edition="2026-06-19", behavior="documented")
    same = make_client(engine="fast", store=url, edition="2026-06-19", behavior="documented")
    other = make_client(engine="fast", store=url, edition="2026-08-22", behavior="documented")
    with caplog.at_level(logging.WARNING, LOGGER):
        assert one.get("/readyz").status == same.get("/readyz").status == 200
        assert caplog.text == ""
        for _ in range(2):
            assert other.get("/readyz").status == 200
    (said,) = {record.getMessage() for record in caplog.records}
    assert said == (
        "another process of this store answers differently: it has --edition 2026-06-19, here 2026-08-22"
    )


# --- at the start --------------------------------------------------------------------------------------------------


@contextmanager
def started(*options: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "venice_mock", "serve", "--port", "0", "--engine", "fast", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_start_with_a_wrong_password_fails_at_once_and_says_so(
    own_server: RedisServer, workers: str
) -> None:
    own_server.ask(f"CONFIG SET requirepass {secrets.token_hex(8)}")
    url = f"redis://:{PASSWORD}@127.0.0.1:{own_server.port}/0"
    with started("--store", url, "--workers", workers) as process:
        out, log = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 1
    assert out == ""
    reason = f"The store at redis://127.0.0.1:{own_server.port}/0 refuses this user or password."
    assert f"error   not ready: {reason}" in log
    assert PASSWORD not in log


@pytest.mark.parametrize("workers", [1, 2])
def test_a_server_that_waits_for_its_store_says_why_and_counts_none_of_its_own_questions(
    own_server: RedisServer, workers: int
) -> None:
    own_server.kill()
    with started("--store", own_server.url("waiting"), "--workers", str(workers)) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        first = process.stderr.readline()
        assert first.split(maxsplit=1)[1] == (
            f"warning waiting for the store at redis://127.0.0.1:{own_server.port}/0:"
            " it refuses connections: nothing listens there\n"
        )
        own_server.start()
        base = json.loads(process.stdout.readline())["base_url"].removesuffix("/api/v1")
        with urllib.request.urlopen(f"{base}/metrics", timeout=PATIENCE_S) as reply:
            metrics = reply.read().decode()
        process.terminate()
        log = process.stderr.read()
    assert process.returncode == 0
    assert "readyz" not in metrics
    assert "STORE_UNAVAILABLE" not in metrics
    assert "readyz" not in log
    assert 1 <= log.count(" answers\n") <= workers
    assert "is well again" not in log
