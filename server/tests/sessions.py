"""What the tests of sessions share: opening one, and talking to it as if it were a server of its own. No tests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from asgi import Client, Reply
from rulekit import server_of
from venice_mock.tenant import Tenant
from wallets import control

SESSIONS = "/__mock/sessions"
CONFIG = "/__mock/config"
RESET = "/__mock/reset"
Pair = tuple[Client, Client]


def under(client: Client, name: str) -> Client:
    """The same server, whose every path is below the session's."""
    prefix = f"/__s/{name}"

    async def app(scope: Any, receive: Any, send: Any) -> None:
        raw = scope["raw_path"]
        below = {"path": prefix + scope["path"], "raw_path": prefix.encode() + raw}
        await client.app({**scope, **below}, receive, send)

    return Client(app, client.key, client.runner)


def opened(client: Client, name: str, **config: Any) -> Client:
    """A new session with this config, as a client of it."""
    reply = control(client, "POST", SESSIONS, name=name, config=config)
    assert reply.status == 201, reply.body
    return under(client, name)


def changed(client: Client, **config: Any) -> dict[str, Any]:
    """Change the config of the session that the client talks to; the effective one."""
    reply = control(client, "PATCH", CONFIG, **config)
    assert reply.status == 200, reply.body
    told: dict[str, Any] = reply.json
    return told


def refused(reply: Reply, status: int = 400) -> str:
    """The sentence of a refusal by the control plane."""
    assert (reply.status, list(reply.json)) == (status, ["error"]), reply.body[:300]
    return str(reply.json["error"])


def tenant_of(client: Client, name: str) -> Tenant:
    """What is behind a session."""
    return server_of(client).tenants.get(name)


@contextmanager
def on_one_loop(pair: Pair) -> Iterator[Pair]:
    """Two servers that can be asked at once: neither has been asked anything on a loop of its own."""
    one, two = pair
    yield one, Client(two.app, two.key, one.runner)
    one.runner.run(server_of(two).tenants.close())


def texts_of(value: Any) -> Iterator[str]:
    """Every text in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, each in value.items():
            yield name
            yield from texts_of(each)
    elif isinstance(value, list):
        for each in value:
            yield from texts_of(each)


def body_of(**members: Any) -> bytes:
    """A JSON body."""
    return json.dumps(members).encode()
