"""Requests that are sent: bodies made once, with a place for a number where each shall be another edit."""

from __future__ import annotations

import base64
import http.client
import json
from dataclasses import dataclass

from benchmarks.pictures import Picture
from benchmarks.processes import Answer, BenchmarkError, Server

EDIT = "/api/v1/image/edit"
PROMPT = "make it a sunset"
MARK = "@@@@@@@@"  # stands in a body for a number of as many digits
NUMBERED_PROMPT = f"{PROMPT} {MARK}"
_BOUNDARY = "benchmark-boundary-7d2f"


@dataclass(frozen=True, slots=True)
class Post:
    """One POST, and the status that it is to get."""

    path: str
    body: bytes
    media_type: str
    status: int

    def numbered(self, number: int) -> Post:
        """The same with a number in the place of ``MARK``: to a server that remembers, a new request."""
        body = self.body.replace(MARK.encode(), f"{number:0{len(MARK)}}".encode(), 1)
        return Post(self.path, body, self.media_type, self.status)


def json_edit(picture: Picture, prompt: str = PROMPT) -> Post:
    """An edit with the picture as base64."""
    return _json_post(200, prompt=prompt, image=base64.b64encode(picture.data).decode())


def form_edit(picture: Picture, prompt: str = PROMPT) -> Post:
    """An edit with the picture as a file part."""
    head = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="prompt"\r\n\r\n{prompt}\r\n'
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


def _json_post(status: int, **fields: str) -> Post:
    return Post(EDIT, json.dumps(fields).encode(), "application/json", status)
