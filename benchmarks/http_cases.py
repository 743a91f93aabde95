"""Requests over HTTP against a bare Starlette app that reads the same body and sends an answer as large."""

from __future__ import annotations

import base64
import http.client
import json
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.cases import Bench, Case
from benchmarks.measuring import Lap, Outcome, compare, interleave
from benchmarks.pictures import Picture
from benchmarks.processes import BASELINE, SERVER, Answer, BenchmarkError, Server, cpu_seconds, running

EDIT = "/api/v1/image/edit"
PROMPT = "make it a sunset"
_BOUNDARY = "benchmark-boundary-7d2f"


@dataclass(frozen=True, slots=True)
class Post:
    """One POST, and the status that it is to get."""

    path: str
    body: bytes
    media_type: str
    status: int


def json_edit(picture: Picture) -> Post:
    """An edit with the picture as base64."""
    return _json_post(200, prompt=PROMPT, image=base64.b64encode(picture.data).decode())


def form_edit(picture: Picture) -> Post:
    """An edit with the picture as a file part."""
    head = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="prompt"\r\n\r\n{PROMPT}\r\n'
    head += (
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="image"; filename="in.{picture.format}"\r\n'
    )
    head += f"Content-Type: image/{picture.format}\r\n\r\n"
    body = b"".join((head.encode(), picture.data, f"\r\n--{_BOUNDARY}--\r\n".encode()))
    return Post(EDIT, body, f"multipart/form-data; boundary={_BOUNDARY}", 200)


def small_refusal() -> Post:
    """Two faults in few bytes: no prompt, and a ratio that is none."""
    return _json_post(400, image="http://127.0.0.1:9/never-asked.png", aspect_ratio="107:60")


def large_refusal(picture: Picture) -> Post:
    """An edit that would be right but for its ratio."""
    image = base64.b64encode(picture.data).decode()
    return _json_post(400, prompt=PROMPT, image=image, aspect_ratio="107:60")


def send(server: Server, post: Post) -> Answer:
    """One answer of the right status. Raises BenchmarkError for any other, and for none."""
    try:
        answer = server.ask("POST", post.path, post.body, post.media_type)
    except (OSError, http.client.HTTPException) as error:
        raise BenchmarkError(f"POST {post.path} got no answer: {error!r}") from error
    if answer.status != post.status:
        shown = answer.body[:300].decode(errors="replace")
        raise BenchmarkError(f"POST {post.path} gave {answer.status} for {post.status}: {shown}")
    return answer


def lap(server: Server, post: Post, operations: int) -> Lap:
    """As many requests, one after the other, on one connection."""
    before = cpu_seconds(server.pid)
    seconds = [send(server, post).seconds for _ in range(operations)]
    after = cpu_seconds(server.pid)
    return Lap(seconds, None if before is None or after is None else (after - before) / operations)


def against_starlette(bench: Bench, post: Post, operations: int) -> Outcome:
    """The server and the bare app in turn, each in its own process. The app sends what the server sent."""
    with tempfile.TemporaryDirectory(dir=bench.folder) as answers, running(SERVER, bench.folder) as server:
        answer = send(server, post)
        name = "refusal.json" if answer.media_type == "application/json" else "picture"
        Path(answers, name).write_bytes(answer.body)
        with running((*BASELINE, answers), bench.folder) as floor:
            same = Post(f"/{name}", post.body, post.media_type, post.status)
            count = bench.operations(operations)
            return compare(
                *interleave(bench.rounds, partial(lap, server, post, count), partial(lap, floor, same, count))
            )


_STARLETTE = "bare Starlette reads the same body, sends as many bytes"
_STARLETTE_JSON = "bare Starlette reads the same body, sends the same JSON"

CASES = (
    Case(
        "json-edit",
        "1 MP JPEG of 300 kB as base64 in JSON, 1K PNG back",
        _STARLETTE,
        "seconds",
        lambda bench: against_starlette(bench, json_edit(bench.pictures.photo), 20),
    ),
    Case(
        "form-edit",
        "the same as multipart/form-data",
        _STARLETTE,
        "seconds",
        lambda bench: against_starlette(bench, form_edit(bench.pictures.photo), 20),
    ),
    Case(
        "refusal",
        "400 with two faults, body of 73 bytes",
        _STARLETTE_JSON,
        "seconds",
        lambda bench: against_starlette(bench, small_refusal(), 400),
    ),
    Case(
        "refusal-300k",
        "400 for the ratio of json-edit",
        _STARLETTE_JSON,
        "seconds",
        lambda bench: against_starlette(bench, large_refusal(bench.pictures.photo), 200),
    ),
)


def _json_post(status: int, **fields: str) -> Post:
    return Post(EDIT, json.dumps(fields).encode(), "application/json", status)
