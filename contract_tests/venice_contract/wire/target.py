"""Where requests go: a base URL that the user typed, or an application in process."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from venice_contract.wire.asgi import App, AsgiTransport, load_app
from venice_contract.wire.http import HttpTransport
from venice_contract.wire.message import Reply, Request, TransportFault

API = "/api/v1"
ASGI = "asgi:"


class TargetError(ValueError):
    """A target that cannot be understood. The text is one sentence."""


class Transport(Protocol):
    """A way to exchange requests."""

    @property
    def in_process(self) -> bool:
        """Whether there is no socket: framing and connections cannot be seen then."""

    @property
    def authority(self) -> str:
        """``host:port`` as the Host header has it."""

    @property
    def scheme(self) -> str:
        """``http`` or ``https``."""

    @property
    def host(self) -> str:
        """The host alone."""

    def send(self, request: Request) -> Reply | None: ...

    def send_all(self, requests: list[Request]) -> list[Reply | TransportFault | None]: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Target:
    """A server to judge. ``prefix``: the path that stands before ``/image/edit``, such as ``/api/v1``."""

    name: str
    scheme: str
    host: str
    port: int | None
    prefix: str
    app: App | None = None

    @property
    def is_remote(self) -> bool:
        """Whether it is another machine: real money and other people's limits may be at stake."""
        return self.app is None and not is_loopback(self.host)

    @property
    def origin(self) -> str:
        """``scheme://host:port``."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + (f":{self.port}" if self.port is not None else "")

    @property
    def base_url(self) -> str:
        """The API's base, without a trailing slash."""
        return self.origin + self.prefix

    @property
    def session_prefix(self) -> str:
        """What stands before ``/api/v1``: where a mock's session lives, if it has one."""
        return self.prefix.removesuffix(API)

    def open(self, timeout_s: float) -> Transport:
        """A transport to it; nothing is sent yet."""
        if self.app is not None:
            return AsgiTransport(self.app, timeout_s)
        return HttpTransport(self.scheme, self.host, self.port, timeout_s)


def read_target(text: str, app: App | None = None) -> Target:
    """What ``--base-url`` means. Raises TargetError and AppError; quotes no password that the URL holds."""
    if app is not None:
        return Target(text, "http", "127.0.0.1", 8402, API, app)
    if text.startswith(ASGI):
        return Target(text, "http", "127.0.0.1", 8402, API, load_app(text.removeprefix(ASGI)))
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise TargetError("--base-url: expected an address such as http://127.0.0.1:8402/api/v1.") from None
    if parts.scheme not in ("http", "https") or not host or not text.isascii() or not text.isprintable():
        raise TargetError("--base-url: expected an address such as http://127.0.0.1:8402/api/v1.")
    if "@" in parts.netloc:
        raise TargetError("--base-url: a user name or password has no place in it.")
    if parts.query or parts.fragment or " " in text:
        raise TargetError("--base-url: it ends with a path such as /api/v1, without ? or #.")
    prefix = parts.path.rstrip("/")
    return Target(parts._replace(path=prefix).geturl(), parts.scheme, host, port, prefix)


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine."""
    if host.lower() == "localhost" or host.lower().endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
