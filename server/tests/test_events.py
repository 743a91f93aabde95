"""GET /__mock/events: one event for each finished request, to listeners that come, stay, fall behind and leave."""

from __future__ import annotations

import asyncio
import http.client
import json
from collections.abc import Callable
from typing import Any

import pytest

from asgi import Client
from conftest import MakeClient
from live import running
from rulekit import EDIT, good, good_body, server_of
from sessions import opened
from venice_mock.state.journal import MOST_LISTENERS
from venice_mock.web.events import Streams
from wallets import control

EVENTS = "/__mock/events"
PATIENCE_S = 20.0


class Listener:
    """Somebody who listens in process. ``reads``: whether it takes what is sent."""

    def __init__(self, client: Client, path: str = EVENTS, *, last: str = "", reads: bool = True) -> None:
        self.client, self.path, self.last = client, path, last
        self.left, self.may_send = asyncio.Event(), asyncio.Event()
        if reads:
            self.may_send.set()
        self.text, self.status, self.ended = "", 0, False
        self.headers: dict[str, str] = {}
        self._news = asyncio.Event()

    async def run(self) -> None:
        """Listen until the stream ends or ``left`` is set."""
        headers = [(b"host", b"127.0.0.1:8402"), (b"last-event-id", self.last.encode())]
        scope = {
            "type": "http", "method": "GET", "path": self.path, "raw_path": self.path.encode(),
            "query_string": b"", "root_path": "", "scheme": "http", "http_version": "1.1",
            "asgi": {"version": "3.0", "spec_version": "2.4"}, "server": ("127.0.0.1", 8402),
            "client": ("127.0.0.1", 50000), "headers": headers if self.last else headers[:1],
        }  # fmt: skip

        async def receive() -> dict[str, Any]:
            await self.left.wait()
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            await self.may_send.wait()
            if message["type"] == "http.response.start":
                self.status = message["status"]
                self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
            else:
                self.text += message["body"].decode()
                self.ended = not message.get("more_body", False)
            self._news.set()

        await self.client.app(scope, receive, send)

    async def until(self, done: Callable[[], bool]) -> None:
        """Wait for something to be true of what was heard."""
        async with asyncio.timeout(PATIENCE_S):
            while not done():
                self._news.clear()
                await self._news.wait()

    @property
    def events(self) -> list[tuple[str, int | None, Any]]:
        """Name, id and data of each event that was heard whole."""
        found = []
        for block in self.text.split("\n\n")[:-1]:
            lines = dict(line.split(": ", 1) for line in block.split("\n") if not line.startswith(":"))
            if "event" in lines:
                number = int(lines["id"]) if "id" in lines else None
                found.append((lines["event"], number, json.loads(lines["data"])))
        return found


async def send_edit(client: Client, **fields: Any) -> None:
    reply = await client.sending(json.dumps(good(**fields)).encode())
    assert reply.status in (200, 400)


def test_each_finished_request_is_one_event_with_its_entry(client: Client) -> None:
    async def story() -> Listener:
        listener = Listener(client)
        task = asyncio.create_task(listener.run())
        await listener.until(lambda: "so far" in listener.text)
        await send_edit(client, prompt="one")
        await send_edit(client, prompt="two\nlines", resolution="9K")
        await listener.until(lambda: len(listener.events) == 2)
        listener.left.set()
        await asyncio.wait_for(task, PATIENCE_S)
        return listener

    listener = client.runner.run(story())
    assert (listener.status, listener.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    assert [(name, number) for name, number, _ in listener.events] == [("request", 1), ("request", 2)]
    listed = client.get("/__mock/requests").json["requests"]
    assert [entry for *_, entry in listener.events] == listed[::-1]


def test_who_comes_back_is_told_what_was_missed(client: Client) -> None:
    async def story(last: str) -> Listener:
        for number in range(3):
            await send_edit(client, prompt=f"{number}", resolution="9K")
        listener = Listener(client, last=last)
        task = asyncio.create_task(listener.run())
        await listener.until(lambda: len(listener.events) == 2)
        listener.left.set()
        await asyncio.wait_for(task, PATIENCE_S)
        return listener

    assert [number for _, number, _ in client.runner.run(story("1")).events] == [2, 3]


def test_who_was_away_for_so_long_that_stories_went_is_told_how_many(make_client: MakeClient) -> None:
    client = make_client(journal_bytes=20_000)

    async def story() -> Listener:
        for number in range(6):
            await send_edit(client, prompt=f"{number}", resolution="9K")
        kept = len(server_of(client).session.journal)
        assert kept < 6
        listener = Listener(client, last="0")
        task = asyncio.create_task(listener.run())
        await listener.until(lambda: len(listener.events) == kept + 1)
        listener.left.set()
        await asyncio.wait_for(task, PATIENCE_S)
        return listener

    events = client.runner.run(story()).events
    assert events[0] == ("missed", None, {"missed": 6 - (len(events) - 1)})
    assert events[-1][1] == 6


@pytest.mark.parametrize("last", ["x", "-1", "99999999999999999999", "7"])
def test_a_strange_last_event_id_is_no_reason_to_fail(client: Client, last: str) -> None:
    async def story() -> Listener:
        listener = Listener(client, last=last)
        task = asyncio.create_task(listener.run())
        await listener.until(lambda: "so far" in listener.text)
        await send_edit(client, resolution="9K")
        await listener.until(lambda: len(listener.events) == 1)
        listener.left.set()
        await asyncio.wait_for(task, PATIENCE_S)
        return listener

    assert [number for _, number, _ in client.runner.run(story()).events] == [1]


def test_a_session_is_heard_alone(client: Client) -> None:
    one = opened(client, "one")

    async def story() -> Listener:
        listener = Listener(client, "/__s/one" + EVENTS)
        task = asyncio.create_task(listener.run())
        await listener.until(lambda: "so far" in listener.text)
        await send_edit(client, prompt="of the default", resolution="9K")
        await send_edit(one, prompt="of one", resolution="9K")
        await listener.until(lambda: len(listener.events) == 1)
        listener.left.set()
        await asyncio.wait_for(task, PATIENCE_S)
        return listener

    ((_, _, entry),) = client.runner.run(story()).events
    assert (entry["prompt"], entry["session"]) == ("of one", "one")


@pytest.mark.parametrize("how", ["the session", "the server"])
def test_a_stream_ends_with(client: Client, how: str) -> None:
    opened(client, "one")
    streams: Streams = client.app.state.streams  # type: ignore[attr-defined]

    async def story() -> Listener:
        listener = Listener(client, "/__s/one" + EVENTS)
        task = asyncio.create_task(listener.run())
        await listener.until(lambda: "so far" in listener.text)
        if how == "the server":
            streams.stop()
        else:
            await server_of(client).tenants.end("one")
        await asyncio.wait_for(task, PATIENCE_S)
        return listener

    assert client.runner.run(story()).ended
    if how == "the server":
        assert client.get(EVENTS).status == 503


def test_a_stream_ends_by_itself_under_a_server_that_cannot_tell_of_its_end(client: Client) -> None:
    streams: Streams = client.app.state.streams  # type: ignore[attr-defined]
    assert streams.life_s is not None
    streams.life_s = 0.05
    listener = Listener(client)
    client.runner.run(asyncio.wait_for(listener.run(), PATIENCE_S))
    assert listener.ended


def test_a_listener_that_does_not_read_holds_up_nobody_and_is_let_go(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("venice_mock.web.events._PATIENCE_S", 0.05)
    journal = server_of(client).session.journal

    async def story() -> None:
        deaf = Listener(client, reads=False)
        task = asyncio.create_task(deaf.run())
        for number in range(5):
            await send_edit(client, prompt=f"{number}", resolution="9K")
        await asyncio.wait_for(task, PATIENCE_S)
        assert not deaf.ended

    client.runner.run(story())
    assert len(journal) == 5
    assert not journal._listeners


def test_so_many_may_listen_and_one_that_leaves_makes_room(client: Client) -> None:
    async def story() -> tuple[int, int]:
        listeners = [Listener(client) for _ in range(MOST_LISTENERS)]
        tasks = [asyncio.create_task(listener.run()) for listener in listeners]
        for listener in listeners:
            await listener.until(lambda listener=listener: "so far" in listener.text)  # type: ignore[misc]
        late = Listener(client)
        await asyncio.wait_for(late.run(), PATIENCE_S)
        listeners[0].left.set()
        await asyncio.wait_for(tasks[0], PATIENCE_S)
        later = Listener(client)
        task = asyncio.create_task(later.run())
        await later.until(lambda: "so far" in later.text)
        for listener in (*listeners, later):
            listener.left.set()
        await asyncio.gather(*tasks, task)
        return late.status, later.status

    assert client.runner.run(story()) == (503, 200)
    assert not server_of(client).session.journal._listeners


def test_over_http_an_event_comes_at_once_and_the_server_ends_while_somebody_listens() -> None:
    with running("--engine", "fast") as origin:
        place = origin.removeprefix("http://")
        listening = http.client.HTTPConnection(place, timeout=PATIENCE_S)
        listening.request("GET", EVENTS)
        answer = listening.getresponse()
        assert (answer.status, answer.getheader("cache-control")) == (200, "no-store")
        assert answer.readline() == b"retry: 1000\n"
        talking = http.client.HTTPConnection(place, timeout=PATIENCE_S)
        headers = {"Authorization": "Bearer mock_ok", "Content-Type": "application/json"}
        talking.request("POST", EDIT, good_body(), headers)
        assert talking.getresponse().read().startswith(b"\x89PNG")
        talking.close()
        lines = [answer.readline() for _ in range(5)]
        assert lines[2:4] == [b"event: request\n", b"id: 1\n"]
        assert json.loads(lines[4].removeprefix(b"data: "))["prompt"] == "make it warm"
    # ``running`` has ended the server, which took the stream with it and waited for nobody
    assert answer.readline() == b"\n"
    assert answer.readline() == b""
    listening.close()


def test_events_are_behind_the_guard(client: Client) -> None:
    assert client.get(EVENTS, origin="http://evil.example").status == 403
    assert control(client, "POST", EVENTS).status == 405
