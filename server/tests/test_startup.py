"""What is loaded when the server gives its first answer: a start costs what it imports, and little else."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

# Makes the app as `serve` does, with all that serving it loads, and asks it once, without a socket.
FIRST_ANSWER = """
import asyncio, json, sys
before = set(sys.modules)  # what Python and this environment load by themselves
from venice_mock import cli
from venice_mock.commands.serve import parser, settings
chosen = settings(parser().parse_args([]))
from venice_mock.serving import uvicorn_config
from venice_mock.app import create_app
app = create_app(chosen)
config = uvicorn_config(app, grace_s=1)
config.load()
config.get_loop_factory()

async def first() -> int:
    sent = []
    scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
             "path": "/api/v1/models", "raw_path": b"/api/v1/models", "query_string": b"", "root_path": "",
             "headers": [(b"host", b"127.0.0.1")], "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 2)}
    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}
    async def send(message):
        sent.append(message)
    await app(scope, receive, send)
    return sent[0]["status"]

assert asyncio.run(first()) == 200
print(json.dumps(sorted(set(sys.modules) - before)))
"""

# Top-level packages of others: those that we ask for, and what these bring.
ASKED_FOR = {
    "httptools",
    "isal",
    "msgspec",
    "PIL",
    "pybase64",
    "python_multipart",
    "starlette",
    "uvicorn",
    "uvloop",
}
OTHERS = ASKED_FOR | {
    "anyio",
    "click",
    "cython_runtime",
    "typing_extensions",
}

# Ours, room by room. Whoever adds one here makes every start longer, by half a millisecond for each dataclass.
OURS = {
    "": """accounts app breaking catalogue cli commands contract control edit errors listening logs memory serving
        settings settings_types settings_values state tenancy tenant times wallet web wire""",
    "accounts": "billing callers faults keys ordering steering",
    "commands": "options serve",
    "contract": "base checking loading overriding types wallet_types",
    "control": """about accounts choices clock config counts curl entries guard journal lint members
        metrics reading reset rules sessions shapes state steering told verdict verify""",
    "edit": "bodies body deflate facts fields headers readings results source telling waiting workshop",
    "state": "journal ledger memory rules session sharing store story",
    "wallet": "desk discovery encoded messages payments signin world",
    "web": """admission answers api control cors dating events faulting guarded inspector journal observing open
        operations recording rules""",
}


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    """Every module that the first answer needed."""
    done = subprocess.run([sys.executable, "-c", FIRST_ANSWER], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout))


def test_the_first_answer_loads_of_ours_what_is_listed_and_no_more(loaded: set[str]) -> None:
    listed = {f"venice_mock.{room}.{name}" for room, names in OURS.items() if room for name in names.split()}
    listed |= {"venice_mock", *(f"venice_mock.{name}" for name in OURS[""].split())}
    ours = {name for name in loaded if name.partition(".")[0] == "venice_mock"}
    more = sorted(ours - listed)
    assert not more, f"loaded before the first answer: import it where it is used, or list it here: {more}"


def test_the_first_answer_loads_of_others_what_is_listed_and_no_more(loaded: set[str]) -> None:
    others = {name.partition(".")[0] for name in loaded} - sys.stdlib_module_names - {"venice_mock"}
    # Cython's name has its version, and multiprocessing gives __main__ a second name.
    more = sorted(name for name in others - OTHERS if not name.startswith(("_cython_", "__")))
    assert not more, f"loaded before the first answer: {more}"


def test_the_first_answer_loads_no_codec_and_no_font(loaded: set[str]) -> None:
    assert {name for name in loaded if name.startswith("PIL.")} <= {"PIL._imaging", "PIL._version"}
    assert not {name for name in loaded if name.startswith("venice_contract")}
