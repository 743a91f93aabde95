"""What the server process writes about itself: text or JSON lines on standard error, one per request.

Of a request's own values only what a refusal quotes is logged, scrubbed and cut; what looks like a credential
is struck out of every text, because a message may come from a library.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Literal, TextIO
from urllib.parse import quote

from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOGGER = "venice_mock"
# Keys of the ASGI scope, for the request's line: the request's id, name, rule and hint of a refusal, and what else
# is to be told of it, by name.
REQUEST_ID = "venice_mock.request_id"
REFUSAL = "venice_mock.refusal"
TOLD = "venice_mock.told"
PROBE = "venice_mock.probe"  # a request of the server to itself, which nobody is told of
PROBE_HEADER = b"x-mock-probe"

_SECRET = re.compile(
    r"""(?ix)
      ((?:authorization|sign-in-with-x|x-payment|payment-signature)["']?\s*[:=]\s*["']?(?:\w+\ )?)[^\s"',]+
    | (\bbearer\s+)\S+
    | (\b(?:venice|sk)[_-])[\w-]{8,}                       # API keys by their usual beginnings
    | ()[a-z0-9+/=_-]{120,}                                # base64: a payment, a sign-in, a picture
    """
)
# A text of ASCII without any of these has nothing that _SECRET finds, and that is told ten times faster.
_SIGNS = (
    "authorization",
    "sign-in-with-x",
    "x-payment",
    "payment-signature",
    "bearer",
    "venice",
    "sk_",
    "sk-",
)
_LONG = 120
_LONG_RUN = re.compile(rf"[A-Za-z0-9+/=_-]{{{_LONG}}}")
_ACCOUNT = re.compile(r"(/accounts/).+?(/ledger)?$", re.DOTALL)  # a key may hold a slash
_REQUEST_ID = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
_QUIET_PATHS = ("/livez", "/readyz", "/metrics")
_LONGEST_PATH = 200
_USUAL_PATH = re.compile(r"/api/v1/[a-z_/]{1,40}(?:\.json)?")  # nothing of which is struck out or quoted
_LONGEST_TEXT = 20_000  # characters: a long traceback


def scrub(text: str) -> str:
    """``text`` without anything that looks like a credential or a picture, and not longer than a log can bear."""
    if len(text) > _LONGEST_TEXT:
        text = text[:_LONGEST_TEXT] + "..."
    if _is_harmless(text):
        return text
    return _SECRET.sub(lambda match: "".join(group or "" for group in match.groups()) + "[hidden]", text)


def _is_harmless(text: str) -> bool:
    if not text.isascii() or (len(text) >= _LONG and _LONG_RUN.search(text)):
        return False
    lowered = text.lower()
    for sign in _SIGNS:  # noqa: SIM110 - any() takes four times as long, and this is asked ten times a request
        if sign in lowered:
            return False
    return True


def is_request_id(text: str) -> bool:
    """Whether a client's id for its request may stand in a log: one short word that looks like no credential."""
    return _REQUEST_ID.fullmatch(text) is not None and scrub(text) == text


class TextFormatter(logging.Formatter):
    """``12:00:00 info  message``, with local time and the traceback below."""

    def __init__(self) -> None:
        super().__init__()
        self._last = (0, "")  # the second that was written last, and how

    def format(self, record: logging.LogRecord) -> str:
        """One record as text."""
        second, clock = self._last
        if second != int(record.created):
            clock = time.strftime("%H:%M:%S", time.localtime(record.created))
            self._last = (int(record.created), clock)
        text = _one_line(record.getMessage())
        if record.exc_info:
            text += "\n" + self.formatException(record.exc_info)
        return scrub(f"{clock} {record.levelname.lower():<7} {text}")


def _one_line(text: str) -> str:
    # Nobody may write a log line, or steer a terminal, by what is in a request.
    return text if text.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


class JsonFormatter(logging.Formatter):
    """One JSON object a line: ``time`` (UTC), ``level``, ``message``, and the record's ``fields``."""

    def format(self, record: logging.LogRecord) -> str:
        """One record as a line of JSON."""
        entry: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC)
            .isoformat(timespec="milliseconds")
            .replace("+00:00", "Z"),
            "level": record.levelname.lower(),
        }
        fields: dict[str, Any] | None = getattr(record, "fields", None)
        entry |= {"message": scrub(record.getMessage())} if fields is None else fields
        if record.exc_info:
            entry["traceback"] = scrub(self.formatException(record.exc_info))
        return json.dumps(entry, ensure_ascii=False)


def configure(
    log_format: Literal["text", "json"], level: str, stream: TextIO | None = None
) -> logging.Logger:
    """Send all logging of this process to ``stream`` (standard error) and return the package's logger.

    Libraries are heard from ``warning`` up: their debug lines may carry what must not be logged.
    """
    # No line tells them, and to find them out for every line takes a while.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter() if log_format == "json" else TextFormatter())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    # It warns of every byte that breaks a form, quoting it; the refusal is logged anyway.
    logging.getLogger("python_multipart").setLevel(logging.CRITICAL)
    logger = logging.getLogger(LOGGER)
    logger.setLevel(level.upper())
    return logger


class AccessLog:
    """ASGI wrapper that writes one line per request when its answer is complete.

    Method, path without query, status (none when nothing was answered), milliseconds, the refusal if it was one,
    and the request's id. Health checks and scrapes are written at ``debug``. ``probe``: the word by which the
    server knows its own questions.
    """

    def __init__(
        self,
        app: ASGIApp,
        logger: logging.Logger,
        clock: Callable[[], float] = time.perf_counter,
        *,
        probe: str | None = None,
    ) -> None:
        self._app = app
        self._logger = logger
        self._clock = clock
        self._probe = None if probe is None else (PROBE_HEADER, probe.encode("ascii"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and log it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if self._probe is not None and scope["path"] in _QUIET_PATHS and self._probe in scope["headers"]:
            scope[PROBE] = True
            await self._app(scope, receive, send)
            return
        status: int | None = None

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        began = self._clock()
        try:
            await self._app(scope, receive, watched)
        finally:
            self._write(scope, status, (self._clock() - began) * 1000)

    def _write(self, scope: Scope, status: int | None, milliseconds: float) -> None:
        refusal: dict[str, str | None] | None = scope.get(REFUSAL)
        is_quiet = scope["path"] in _QUIET_PATHS and refusal is None
        level, logger = logging.DEBUG if is_quiet else logging.INFO, self._logger
        if not logger.isEnabledFor(level):
            return
        method, path = scope["method"], log_path(scope["path"])
        fields: dict[str, Any] = {
            "event": "request",
            "method": method,
            "path": path,
            "status": status,
            "ms": round(milliseconds, 1),
        }
        text = f"{method} {path} {status or 'no answer'} {milliseconds:.1f} ms"
        if refusal is not None:  # one line for both: a second record costs as much as the refusal itself
            said = {name: scrub(value) for name, value in refusal.items() if value}
            fields |= said
            text += " " + ": ".join(value for name, value in said.items() if name != "rule")
        fields |= scope.get(TOLD, {})
        request_id: str | None = scope.get(REQUEST_ID)
        if request_id is not None:
            fields["request_id"] = request_id
            text += f" id={request_id}"
        # As ``logger.log`` does it, without looking through the stack for the line of code that asked.
        logger.handle(
            logger.makeRecord(logger.name, level, __file__, 0, text, (), None, extra={"fields": fields})
        )


def log_path(path: str) -> str:
    """A decoded URL path fit for a log line: no control characters, no account names, not too long."""
    if _USUAL_PATH.fullmatch(path):
        return path
    shown = quote(
        scrub(_ACCOUNT.sub(lambda match: f"{match[1]}[hidden]{match[2] or ''}", path)),
        safe="/~:@!$&'()*+,;=[]",
    )
    return shown if len(shown) <= _LONGEST_PATH else shown[:_LONGEST_PATH] + "..."
