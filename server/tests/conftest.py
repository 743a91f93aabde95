"""Fixtures that every test file may use."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from asgi import Client
from live import REDIS
from redis_server import RedisServer, on_redis, running_redis
from rulekit import server_of
from stores import MakeStore, in_memory, in_redis
from venice_mock.app import create_app
from venice_mock.contract import Contract, load_contract
from venice_mock.settings import Settings
from venice_mock.settings_types import IN_PROCESS

MakeClient = Callable[..., Client]


@pytest.fixture(scope="session")
def contract() -> Contract:
    """The home edition, documented."""
    return load_contract("2026-06-19")


@pytest.fixture(scope="session")
def observed() -> Contract:
    """The home edition as measured."""
    return load_contract("2026-06-19", "observed")


@pytest.fixture
def make_client(request: pytest.FixtureRequest) -> Iterator[MakeClient]:
    """Makes clients of fresh servers: ``make_client(behavior="observed")``; closed at the end of the test.

    With ``VENICE_MOCK_TEST_STORE=redis`` in the environment each has an empty store on a real Redis.
    """
    made: list[Client] = []

    def make(wall_clock: Callable[[], float] | None = None, **settings: Any) -> Client:
        clock = {} if wall_clock is None else {"wall_clock": wall_clock}
        if on_redis():
            server: RedisServer = request.getfixturevalue("redis_server")
            settings.setdefault("store", server.url(secrets.token_hex(8)))
        made.append(Client(create_app(Settings(**settings), **clock)))
        return made[-1]

    yield make
    for client in made:
        client.runner.run(server_of(client).tenants.close())
        client.close()


@pytest.fixture
def client(make_client: MakeClient) -> Client:
    """A client of a fresh server with default settings."""
    return make_client()


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """A real Redis that many tests share; each keeps to names of its own."""
    with running_redis(keeps=False) as server:
        yield server


@pytest.fixture(scope="session", autouse=True)
def _redis_for_processes(request: pytest.FixtureRequest) -> Iterator[None]:
    """With ``VENICE_MOCK_TEST_STORE=redis`` servers that are processes of their own have a store there, too."""
    with pytest.MonkeyPatch.context() as patched:
        if on_redis():
            server: RedisServer = request.getfixturevalue("redis_server")
            patched.setenv(REDIS, server.url().partition("?")[0])
        yield


@pytest.fixture(params=["memory", "redis"])
def make_store(request: pytest.FixtureRequest) -> MakeStore:
    """Makes a fresh store, of every kind in turn: ``async with make_store() as store``."""
    if request.param == "memory":
        return in_memory
    return in_redis(request.getfixturevalue("redis_server"))


@pytest.fixture(params=["memory", "redis"])
def fresh_store(request: pytest.FixtureRequest) -> Callable[[], str]:
    """Makes addresses of empty stores, of every kind in turn, for the setting of that name."""
    if request.param == "memory":
        return lambda: IN_PROCESS
    server: RedisServer = request.getfixturevalue("redis_server")
    return lambda: server.url(secrets.token_hex(8))
