"""What the tests of the journal share: reading it, and asking what it is asked. No tests."""

from __future__ import annotations

from typing import Any

from asgi import Client, Reply
from wallets import control

REQUESTS = "/__mock/requests"
VERIFY = "/__mock/verify"
VERDICT = "/__mock/ledger/verdict"
LINT = "/__mock/lint"


def journal(client: Client, query: str = "") -> dict[str, Any]:
    """The journal as it is listed."""
    reply = client.get(REQUESTS + query)
    assert reply.status == 200, reply.body
    told: dict[str, Any] = reply.json
    return told


def entries(client: Client, query: str = "") -> list[dict[str, Any]]:
    """Its entries, newest first."""
    found: list[dict[str, Any]] = journal(client, query)["requests"]
    return found


def newest(client: Client) -> dict[str, Any]:
    """The entry of the request that was finished last."""
    return entries(client, "?limit=1")[0]


def ids(client: Client, query: str = "") -> list[str]:
    """The ids alone."""
    return [entry["id"] for entry in entries(client, query)]


def ask(client: Client, match: dict[str, Any], **times: int) -> Reply:
    """Verify."""
    return control(client, "POST", VERIFY, match=match, **({"times": times} if times else {}))


def advice(client: Client) -> dict[str, str]:
    """Id and sentence of each piece of advice on the newest request."""
    return {each["id"]: each["text"] for each in newest(client)["lint"]}
