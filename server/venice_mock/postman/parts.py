"""The shapes of a Postman Collection v2.1 and of an environment. No request of the API and no assertion lives here."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Node = dict[str, Any]  # any object of a collection

SCHEMA = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
BASE = "{{base_url}}"
KEY = "{{key}}"


@dataclass(frozen=True, slots=True)
class Call:
    """One request with its assertions.

    ``path`` stands below the base URL. ``key`` is the Bearer token, None for none at all. The body is ``json``,
    ``form`` or ``text``. ``before`` and ``tests`` are lines of JavaScript, run before the request and on its answer.
    """

    name: str
    path: str
    tests: Sequence[str]
    method: str = "POST"
    about: str = ""
    key: str | None = KEY
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    json: Any = None
    form: Mapping[str, str] | None = None
    text: str | None = None
    before: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Folder:
    """Requests of one kind. ``before``: lines of JavaScript that run before each of them."""

    name: str
    about: str
    calls: Sequence[Call]
    before: Sequence[str] = ()


def folder_node(folder: Folder) -> Node:
    """A folder as the collection holds it."""
    node: Node = {
        "name": folder.name,
        "description": folder.about,
        "item": [_call_node(c) for c in folder.calls],
    }
    if folder.before:
        node["event"] = [_event("prerequest", folder.before)]
    return node


def bearer(token: str) -> Node:
    """Postman's own way to send a Bearer token."""
    return {"type": "bearer", "bearer": [{"key": "token", "value": token, "type": "string"}]}


def variable(key: str, value: str, about: str) -> Node:
    """A variable of the collection."""
    return {"key": key, "value": value, "type": "string", "description": about}


def environment_value(key: str, value: str, *, secret: bool = False) -> Node:
    """A variable of an environment."""
    return {"key": key, "value": value, "type": "secret" if secret else "default", "enabled": True}


def _call_node(call: Call) -> Node:
    events = [_event("prerequest", call.before)] if call.before else []
    return {
        "name": call.name,
        "event": [*events, _event("test", call.tests)],
        "request": _request(call),
        "response": [],
    }


def _request(call: Call) -> Node:
    headers = dict(call.headers)
    body: Node | None = None
    if call.json is not None:
        headers.setdefault("Content-Type", "application/json")
        body = _raw(json.dumps(call.json, indent=2, ensure_ascii=False), "json")
    elif call.text is not None:
        body = _raw(call.text, "json" if headers.get("Content-Type") == "application/json" else "text")
    elif call.form is not None:
        rows = [{"key": name, "value": value, "type": "text"} for name, value in call.form.items()]
        body = {"mode": "formdata", "formdata": rows}
    node: Node = {
        "method": call.method,
        "header": [{"key": name, "value": value} for name, value in headers.items()],
        "url": _url(call),
    }
    if call.key is None:
        node["auth"] = {"type": "noauth"}
    elif call.key != KEY:
        node["auth"] = bearer(call.key)
    if call.about:
        node["description"] = call.about
    if body is not None:
        node["body"] = body
    return node


def _url(call: Call) -> Node:
    raw = BASE + call.path
    node: Node = {"raw": raw, "host": [BASE], "path": call.path.strip("/").split("/")}
    if call.query:
        node["raw"] = f"{raw}?{'&'.join(f'{name}={value}' for name, value in call.query.items())}"
        node["query"] = [{"key": name, "value": value} for name, value in call.query.items()]
    return node


def _raw(text: str, language: str) -> Node:
    return {"mode": "raw", "raw": text, "options": {"raw": {"language": language}}}


def _event(listen: str, lines: Sequence[str]) -> Node:
    return {"listen": listen, "script": {"type": "text/javascript", "exec": list(lines)}}
