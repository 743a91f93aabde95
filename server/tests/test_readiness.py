"""/readyz: good once a first picture was made, and not before."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from asgi import Client, Reply
from conftest import MakeClient
from rulekit import TEST_EDITION, server_of
from venice_mock.contract import Editions
from venice_mock.edit import warming
from venice_mock.edit.warming import warm_up
from venice_mock.state.store import StoreUnavailable


def test_whoever_asks_first_has_a_picture_made_and_nobody_else(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    def counted(contract: Any) -> None:
        made.append(contract.edition.edition)
        warm_up(contract)

    monkeypatch.setattr(warming, "warm_up", counted)
    client = make_client()
    assert client.get("/livez").status == 200
    assert made == []
    for _ in range(3):
        assert (client.get("/readyz").status, client.get("/readyz").json) == (200, {"status": "ok"})
    assert made == ["2026-06-19"]


def test_while_it_is_being_made_the_process_is_alive_and_not_yet_ready(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make_client()

    async def asked() -> tuple[Reply, bool, Reply]:
        loop, started, going_on = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()

        def slow(_: Any) -> None:
            loop.call_soon_threadsafe(started.set)
            asyncio.run_coroutine_threadsafe(going_on.wait(), loop).result(30)

        monkeypatch.setattr(warming, "warm_up", slow)
        ready = asyncio.create_task(client.sending(method="GET", path="/readyz", content_type=None, key=None))
        await started.wait()
        alive = await client.sending(method="GET", path="/livez", content_type=None, key=None)
        waiting = not ready.done()
        going_on.set()
        return alive, waiting, await ready

    alive, waiting, ready = client.runner.run(asked())
    assert (alive.status, waiting, ready.status) == (200, True, 200)


def test_a_server_that_cannot_make_pictures_is_not_ready(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: Any) -> None:
        raise OSError("no font")

    monkeypatch.setattr(warming, "warm_up", broken)
    client = make_client()
    for _ in range(2):
        reply = client.get("/readyz")
        assert (reply.status, list(reply.json)) == (503, ["error"])
        assert reply.headers["x-mock-hint"] == "OSError: no font"
    monkeypatch.setattr(warming, "warm_up", warm_up)
    assert client.get("/readyz").status == 200


@pytest.mark.parametrize("edition", ["2026-06-19", "2026-08-22", str(TEST_EDITION)])
@pytest.mark.parametrize("behavior", ["documented", "observed"])
def test_a_first_picture_can_be_made_in_every_edition(edition: str, behavior: Any) -> None:
    warm_up(Editions().contract(edition, behavior))


def test_whether_the_process_answers_is_told_without_a_question_to_the_store(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    async def find(name: str) -> None:
        asked.append(name)
        raise StoreUnavailable("It is lost.")

    monkeypatch.setattr(server_of(client).tenants, "find", find)
    assert client.get("/livez").status == 200
    assert asked == []
    client.get("/readyz")
    assert asked == ["default"]
