"""What writes requests down: a wrapper around the vendor's routes that starts each request's story and ends it.

The story is in the journal before the last byte of the answer is sent, so that whoever has the answer finds it.
It tells what was really sent: whatever spoils answers stands inside this wrapper.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl, urlencode

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from venice_mock.accounts.callers import bearer_token
from venice_mock.accounts.keys import last_characters
from venice_mock.control.sessions import prefix_of
from venice_mock.edit.telling import finish_story
from venice_mock.logs import REQUEST_ID, is_request_id, scrub
from venice_mock.state.story import HIDDEN, Sender, Story, packed_headers
from venice_mock.tenant import Tenant
from venice_mock.web.admission import API, first_headers, route_path, tenant_of

CLIENT_LEFT = "CLIENT_LEFT"  # stands for the error of a request whose client did not wait
LOST = "venice_mock.lost"  # a message of whoever breaks the connection next: nothing more is sent
_STORY = "venice_mock.story"  # key of the ASGI scope
_LARGE = 1 << 20  # ours: bytes of a body whose picture is not hashed while others wait
_SHORT_BODY = 4000  # ours: bytes of a body that is kept although nobody could read it
_LONGEST_HEADER = 500  # ours
_MOST_HEADERS = 50  # ours
# Whatever else a header says may be a secret: it is told that it was there.
_SHOWN = frozenset(
    (
        *("accept", "accept-encoding", "content-encoding", "content-length", "content-type", "expect"),
        *("host", "idempotency-key", "origin", "prefer", "te", "transfer-encoding", "user-agent", "x-mock"),
    )
)
_ID_HEADER = "x-request-id"
_EVER_NEW = frozenset(("content-length", "idempotency-key"))  # not worth remembering
_MOST_KNOWN = 1000  # ours: headers whose telling is remembered
_SHOWN_QUERY = frozenset(("type", "limit", "offset"))
_FAILED = 500


class Recording:
    """ASGI wrapper: every request under /api gets a story, and its session's journal gets it back."""

    def __init__(self, app: ASGIApp, clock: Callable[[], float] = time.perf_counter) -> None:
        self._app = app
        self._clock = clock
        self._headers = _Headers()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and watch what comes and goes."""
        if scope["type"] != "http" or not route_path(scope).startswith(API):
            await self._app(scope, receive, send)
            return
        tenant = tenant_of(scope)
        if not tenant.journal.is_on:
            await self._app(scope, receive, send)
            return
        story = await _begin(tenant, scope, self._headers)
        scope[_STORY] = story
        began, finished = self._clock(), False
        whole = b""  # a short body, which comes in one piece; others are of no use here

        async def reading() -> Message:
            nonlocal whole
            message = await receive()
            if message["type"] == "http.request":
                body = message.get("body", b"")
                if body:
                    whole = b"" if story.body_bytes or len(body) > _SHORT_BODY else body
                story.body_bytes += len(body)
                if not message.get("more_body", False):
                    story.marks.setdefault("body", self._clock() - began)
            return message

        async def sending(message: Message) -> None:
            nonlocal finished
            if message["type"] == LOST:
                finished = True
                await finish()
                return
            if message["type"] == "http.response.start":
                story.marks["answer"] = self._clock() - began
                story.status = message["status"]
                story.sent_headers = packed_headers(message["headers"])
            elif message["type"] == "http.response.body":
                _keep(story, message.get("body", b""), tenant.journal.limit)
                if not message.get("more_body", False):
                    finished = True
                    story.output.sent_whole = story.error != CLIENT_LEFT
                    await finish()
            await send(message)

        async def finish() -> None:
            story.marks["total"] = self._clock() - began
            if whole and not story.fields and story.input is None:
                _keep_unread(story, whole)
            if story.input is not None and story.input.sha256 is None and story.body_bytes > _LARGE:
                await asyncio.to_thread(finish_story, story)
            else:
                finish_story(story)
            await tenant.journal.write(story)

        try:
            await self._app(scope, reading, sending)
        except Exception as error:
            if story.status is None and story.fault is None:  # a defect: its 500 is sent past every wrapper
                story.status, story.error = _FAILED, type(error).__name__
            raise
        finally:
            if not finished:
                await finish()


def story_of(scope: Scope) -> Story | None:
    """The story of this request; None where none is written."""
    story: Story | None = scope.get(_STORY)
    return story


async def _begin(tenant: Tenant, scope: Scope, headers: _Headers) -> Story:
    arrival = tenant.journal.next_arrival()
    return Story(
        id=f"req-{arrival:06d}",
        arrival=arrival,
        session=tenant.id,
        method=scope["method"],
        path=scrub(route_path(scope))[:_LONGEST_HEADER],
        started_at=await tenant.session.told_now(),
        wall_at=tenant.session.wall_now(),
        request_id=scope.get(REQUEST_ID),
        query=_query(scope["query_string"]),
        prefix=prefix_of(tenant.id),
        sender=_sender(tenant, first_headers(scope)),
        request_headers=headers.shown(scope["headers"]),
    )


def _sender(tenant: Tenant, headers: Mapping[str, str]) -> Sender:
    """Who seems to call, from the key alone; wallets are known once their signature was looked at."""
    token = bearer_token(headers)
    if not token:
        return Sender()
    answer = tenant.session.keys.answer(token)
    magic = answer.cause == f"key:{token}"
    return Sender("key", answer.account, last_characters(token), token if magic else None)


class _Headers:
    """A request's headers as they may be told. The same ones come again and again: those are told from memory."""

    def __init__(self) -> None:
        self._known: dict[tuple[bytes, bytes], tuple[str, str]] = {}

    def shown(self, headers: list[tuple[bytes, bytes]]) -> dict[str, str]:
        """By name; of several of one name the last."""
        known = self._known
        shown: dict[str, str] = {}
        for pair in headers[:_MOST_HEADERS]:
            name, text = known.get(pair) or self._told(pair)
            shown[name] = text
        return shown

    def _told(self, pair: tuple[bytes, bytes]) -> tuple[str, str]:
        name, value = (part.decode("latin-1")[:_LONGEST_HEADER] for part in pair)
        if name == _ID_HEADER:
            return name, value if is_request_id(value) else HIDDEN
        if name not in _SHOWN:
            return name, HIDDEN
        told = name, scrub(value)
        if name in _EVER_NEW:
            return told
        if (
            len(pair[1]) < _LONGEST_HEADER and told[1] == value and len(self._known) < _MOST_KNOWN
        ):  # no secret
            self._known[pair] = told
        return told


def _query(raw: bytes) -> str:
    """The parameters that the routes know: others may be anything."""
    if not raw:
        return ""
    pairs = parse_qsl(raw[:_LONGEST_HEADER].decode("latin-1"), keep_blank_values=True)
    return urlencode([(name, value) for name, value in pairs if name in _SHOWN_QUERY])


def _keep_unread(story: Story, body: bytes) -> None:
    """A body of which no field is known, as it is; not if anything in it looks like a secret."""
    with contextlib.suppress(UnicodeDecodeError):
        text = body.decode("utf-8")
        if scrub(text) == text:
            story.could_not_read(text)


def _keep(story: Story, body: bytes, limit: int) -> None:
    output = story.output
    output.size += len(body)
    if output.pieces is not None and body:
        output.pieces.append(body)
        if output.size > limit:
            output.pieces = None
