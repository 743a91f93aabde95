"""The servers beside each other: how each is started, what it is given, and what it answers right.

Prism gets our OpenAPI document, Mockoon a data file with one route that sends one picture: the best that it can do
for this API, and exactly the right answer to the first of the two requests.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image

from benchmarks.pictures import Picture
from benchmarks.posts import EDIT, PROMPT, Post
from benchmarks.processes import (
    ANSWER_PATIENCE_S,
    REPOSITORY,
    SERVER,
    START_PATIENCE_S,
    BenchmarkError,
    Server,
    end,
    environment,
)
from venice_mock.contract import load_contract
from venice_mock.edit.local import edit_bytes
from venice_mock.openapi import describe

_EDITION = "2026-06-19"
_PROBE = "/api/v1/models"
# The second request asks for what a canned answer cannot know.
_SECOND: dict[str, str | bool] = {"aspect_ratio": "9:16", "output_format": "jpeg"}


@dataclass(frozen=True, slots=True)
class Peer:
    """A server to compare. ``{port}`` in the command is where it is to listen."""

    name: str
    version: str
    command: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """A request, and the size and format of the picture that answers it."""

    post: Post
    size: tuple[int, int]
    format: str

    def answered_by(self, body: bytes) -> bool:
        """Whether that is a picture which decodes, of this size and format."""
        try:
            with Image.open(BytesIO(body)) as image:
                image.load()
                return image.size == self.size and image.format == self.format
        except (OSError, SyntaxError, ValueError):
            return False


def questions(picture: Picture) -> tuple[Question, ...]:
    """Two edits of the same picture: one with nothing said, one of another shape and format."""
    return tuple(_question(picture, fields) for fields in ({}, _SECOND))


def _question(picture: Picture, fields: dict[str, str | bool]) -> Question:
    right = edit_bytes(picture.data, prompt=PROMPT, fields=fields)
    image = base64.b64encode(picture.data).decode()
    body = json.dumps({"prompt": PROMPT, "image": image, **fields}).encode()
    kind = right.media_type.removeprefix("image/").upper()
    return Question(Post(EDIT, body, "application/json", 200), (right.width, right.height), kind)


def ours() -> Peer:
    """This server, as the other benchmarks start it."""
    from venice_mock import __version__

    words = tuple("{port}" if word == "0" else word for word in SERVER)
    return Peer("venice-mock", __version__, (sys.executable, "-m", *words))


def others(installed: Path, folder: Path, picture: Picture) -> tuple[list[Peer], list[str]]:
    """The peers found in ``installed``, an npm prefix, and a sentence for each that is not there.

    ``folder`` receives what they are given.
    """
    document, data, canned = folder / "openapi.json", folder / "mockoon.json", folder / "canned.png"
    document.write_text(json.dumps(describe(load_contract(_EDITION), "http://127.0.0.1")), "utf-8")
    canned.write_bytes(edit_bytes(picture.data, prompt=PROMPT).image)
    data.write_text(json.dumps(_mockoon(canned)), "utf-8")
    prism = ("mock", str(document), "-h", "127.0.0.1", "-p", "{port}")
    mockoon = ("start", "-d", str(data), "-l", "127.0.0.1", "-p", "{port}", "-X", "-r", "--disable-admin-api")
    found, missing = [], []
    for name, package, program, words in (
        ("Prism", "@stoplight/prism-cli", "prism", prism),
        ("Mockoon", "@mockoon/cli", "mockoon-cli", mockoon),
    ):
        path = installed / "node_modules" / ".bin" / program
        if path.exists():
            about = json.loads((installed / "node_modules" / package / "package.json").read_text("utf-8"))
            found.append(Peer(name, about["version"], (str(path.absolute()), *words)))
        else:
            missing.append(f"{name} is not installed in {installed}; make bench-peers does that with npm.")
    return found, missing


@contextlib.contextmanager
def started(peer: Peer, folder: Path) -> Iterator[tuple[Server, float]]:
    """The server with the seconds from its process's start to its first HTTP answer, of whatever status.

    Raises BenchmarkError when none comes.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    quiet = {"DO_NOT_TRACK": "1", "CI": "true", "NO_UPDATE_NOTIFIER": "1", "NODE_ENV": "production"}
    with (folder / f"{peer.name}.log").open("ab") as words:
        born = time.perf_counter()
        process = subprocess.Popen(
            [word.format(port=port) for word in peer.command],
            stdout=words,
            stderr=words,
            stdin=subprocess.DEVNULL,
            env={**environment(os.environ), **quiet},
            cwd=REPOSITORY,
        )
    try:
        _first_answer(peer, process, port, born)
        cold = time.perf_counter() - born
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_PATIENCE_S)
        with contextlib.closing(connection):
            yield Server(process.pid, port, born, connection), cold
    finally:
        end(process)


def _first_answer(peer: Peer, process: subprocess.Popen[bytes], port: int, born: float) -> None:
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_PATIENCE_S)
        try:
            connection.request("GET", _PROBE, headers={"Connection": "close"})
            connection.getresponse().read()
        except (ConnectionError, http.client.HTTPException) as error:
            if process.poll() is not None or time.perf_counter() - born > START_PATIENCE_S:
                raise BenchmarkError(f"{peer.name} gave no answer after its start.") from error
            time.sleep(0.002)
        else:
            return
        finally:
            connection.close()


def _mockoon(canned: Path) -> dict[str, object]:
    """A data file with one route: a POST of an edit is answered with that file."""
    response = {
        "uuid": "00000000-0000-4000-8000-000000000003",
        "statusCode": 200,
        "headers": [{"key": "Content-Type", "value": "image/png"}],
        "bodyType": "FILE",
        "filePath": str(canned),
        "sendFileAsBody": True,
        "disableTemplating": True,
        "default": True,
    }
    route = {
        "uuid": "00000000-0000-4000-8000-000000000002",
        "type": "http",
        "method": "post",
        "endpoint": EDIT.removeprefix("/"),
        "responses": [response],
    }
    return {
        "uuid": "00000000-0000-4000-8000-000000000001",
        "lastMigration": 33,
        "name": "one picture",
        "hostname": "127.0.0.1",
        "routes": [route],
        "rootChildren": [{"type": "route", "uuid": route["uuid"]}],
    }
