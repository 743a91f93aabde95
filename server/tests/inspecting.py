"""What the inspector's tests share: a session with its page, edits sent to it, and what the page shows. No tests."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from typing import Any

from asgi import form_body
from browser import Page
from edits import scene_png

BOUNDARY = "edge-of-the-inspector"


@dataclass
class Answer:
    """What a client of the session got; ``status`` None: the connection was lost, before the answer or in it."""

    status: int | None
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class Box:
    """Where an element stands in the window, in CSS pixels."""

    left: float
    right: float
    height: float


@dataclass
class Inspected:
    """A session of a running server, and the page that looks at it."""

    page: Page
    base: str  # http://host:port/__s/NAME
    token: str | None = None

    @property
    def url(self) -> str:
        """The page's address."""
        return self.base + "/__mock/"

    def open(self) -> Page:
        """Load the page, and wait until it listens."""
        self.page.open(self.url)
        self.page.until("document.querySelector('#live').dataset.state === 'live'")
        return self.page

    def edit(
        self,
        prompt: str = "make it a sunset",
        *,
        key: str = "mock_ok",
        image: bytes | None = None,
        **fields: str,
    ) -> Answer:
        """One edit, as a client sends it."""
        parts: list[tuple[str, bytes | str]] = [("prompt", prompt), *fields.items()]
        body = form_body([*parts, ("image", scene_png() if image is None else image)], BOUNDARY)
        headers = {
            "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
            "Authorization": f"Bearer {key}",
        }
        return send(self.base + "/api/v1/image/edit", body, headers)

    def control(self, method: str, path: str, **body: Any) -> Any:
        """A request to the control plane."""
        headers = {"Content-Type": "application/json", **({"X-Mock-Token": self.token} if self.token else {})}
        data = None if method == "GET" else json.dumps(body).encode()
        answer = send(f"{self.base}/__mock/{path}", data, headers, method)
        assert answer.status in (200, 201), answer
        return json.loads(answer.body)

    def shown(self, count: int) -> None:
        """Wait until the list has so many rows."""
        self.page.until(f"document.querySelectorAll('#list li').length === {count}")

    def box(self, selector: str) -> Box:
        """Where the first element that fits stands."""
        found = f"document.querySelector({json.dumps(selector)}).getBoundingClientRect()"
        return Box(*self.page.run(f"(({{left, right, height}}) => [left, right, height])({found})"))

    def sizes(self) -> list[list[int]]:
        """The sizes of the pictures side by side, once all of them are loaded."""
        images = "[...document.querySelectorAll('#detail figure img')]"
        self.page.until(f"{images}.length && {images}.every((img) => img.complete && img.naturalWidth)")
        found: list[list[int]] = self.page.run(
            f"{images}.map((img) => [img.naturalWidth, img.naturalHeight])"
        )
        return found

    def clean(self) -> None:
        """Nothing went wrong in the page, and it asked nobody but its own server."""
        self.page.run("new Promise((done) => setTimeout(done))")  # what was told until now has come
        assert self.page.problems == []
        origin = self.base.partition("/__s/")[0] + "/"
        assert self.page.asked
        assert [url for url in self.page.asked if not url.startswith((origin, f"blob:{origin}"))] == []


def send(url: str, body: bytes | None, headers: dict[str, str], method: str | None = None) -> Answer:
    """One request of a plain client."""
    request = urllib.request.Request(url, body, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return Answer(answer.status, dict(answer.headers.items()), answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, dict(error.headers.items()), error.read())
    except (ConnectionError, http.client.IncompleteRead):
        return Answer(None)


def session_of(page: Page, origin: str, name: str, token: str | None = None) -> Inspected:
    """A new session of a running server."""
    Inspected(page, origin, token).control("POST", "sessions", name=name)
    return Inspected(page, f"{origin}/__s/{name}", token)
