"""Fetching an image from an http(s) URL under a policy: what may be reached, and how much it may cost.

Only this lives here: judging a URL and its addresses, and one GET over a connection to an address that was
judged. What the bytes mean is the decoder's matter, so a media type is not looked at. Decisions:

- A name is resolved once per hop. Addresses that the policy forbids are passed over; if none is left, the URL
  is refused. The connection is made to the numeric address, so a second answer of the DNS cannot move it.
- ``public`` never includes loopback; list both to have both. Naming a host allows whatever it resolves to.
- Without ``public``, only ``localhost`` and named hosts are resolved at all: no query leaves the machine.
- The environment's proxies are not consulted, nothing is decoded, and no credential or cookie is ever sent.
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote, urljoin, urlsplit

from venice_mock.edit.addresses import Address, reach, unmapped

if TYPE_CHECKING:
    import h11

Resolver = Callable[[str, int], Awaitable[Sequence[str]]]  # host, port -> numeric addresses, best first

_DEFAULT_PORTS = {"http": 80, "https": 443}
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MAX_URL = 8192  # characters
_MAX_HEAD = 65536  # bytes of status line and headers, and of one chunk's header
_READ = 65536  # bytes per read
_EVENTS_PER_TURN = 64  # chunks parsed before other tasks get a turn
_MAX_ADDRESSES = 4  # addresses of one name that are tried

# A zone (%eth0) has no place in a URL: its meaning is this machine's alone.
_AUTHORITY = re.compile(
    r"(?:\[(?P<bracketed>[0-9A-Fa-f:.]{2,45})\]|(?P<plain>[^\[\]:@]+))(?::(?P<port>[0-9]{0,5}))?"
)
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_UNSAFE = re.compile(r"[\x00-\x20\x7f-\xa0\\]")
_DEVIATIONS = re.compile("[\u00df\u03c2\u200c\u200d]")  # mean different hosts in IDNA 2003 and 2008


class FetchFault(Exception):
    """Why no image came. ``reason`` is one clause to show a user; it never has userinfo, path or query."""

    def __init__(self, kind: Literal["refused", "failed", "too_large"], reason: str) -> None:
        super().__init__(reason)
        self.kind: Literal["refused", "failed", "too_large"] = kind
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchPolicy:
    """What may be fetched, and its cost: seconds for everything, bytes (exclusive), redirects followed.

    ``allow`` holds ``none`` (which wins), ``loopback``, ``public``, and hosts with an optional ``:port``.
    Raises ValueError for an entry that is none of these.
    """

    allow: tuple[str, ...]
    max_bytes_exclusive: int
    timeout_s: float = 10.0
    max_redirects: int = 3

    def __post_init__(self) -> None:
        for entry in self.allow:
            _entry(entry)


@dataclass(frozen=True, slots=True)
class _Target:
    """One URL, taken apart. ``host`` is ASCII, lower case, without brackets or a trailing dot."""

    scheme: str
    host: str
    literal: Address | None  # the address itself, if the host is one in whatever spelling
    port: int
    path: str  # with the query

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


async def fetch(url: str, policy: FetchPolicy, *, resolve: Resolver | None = None) -> bytes:
    """The body of the 200 that ``url`` leads to, undecoded and shorter than the policy's limit.

    Raises FetchFault, within the policy's time. Cancelling closes the connection at once.
    """
    try:
        async with asyncio.timeout(policy.timeout_s):
            for _ in range(policy.max_redirects + 1):
                target = _parse(url)
                addresses = await _permitted(target, policy, resolve or _resolve)
                answer = await _get(target, addresses, policy)
                if isinstance(answer, bytes):
                    return answer
                url = _join(url, answer.location)
    except TimeoutError:
        raise FetchFault("failed", f"no complete answer came within {policy.timeout_s:g} seconds") from None
    raise FetchFault("failed", f"there are more than {policy.max_redirects} redirects")


# --- Judging a URL ----------------------------------------------------------------------------------------


def _parse(url: str) -> _Target:
    # Causes are dropped: the standard library's messages quote the URL, passwords and all.
    if len(url) > _MAX_URL:
        raise FetchFault("refused", f"the URL is longer than {_MAX_URL} characters")
    if _UNSAFE.search(url):  # urlsplit would strip some of these, and then judge another URL
        raise FetchFault("refused", "the URL contains a space, a backslash or a control character")
    try:
        parts = urlsplit(url)
    except ValueError:
        raise FetchFault("refused", "the URL is malformed") from None
    if parts.scheme not in _DEFAULT_PORTS:
        raise FetchFault("refused", "only http and https URLs are fetched")
    if "@" in parts.netloc:
        raise FetchFault("refused", "a URL with a user name or password is not fetched")
    try:
        host, literal, port = _authority(parts.netloc)
    except ValueError:
        raise FetchFault("refused", "the URL's host or port is not valid") from None
    path = parts.path or "/"
    if parts.query:
        path = f"{path}?{parts.query}"
    try:
        path = quote(path, safe="%/:?#[]@!$&'()*+,;=~")
    except UnicodeEncodeError:  # a lone surrogate
        raise FetchFault("refused", "the URL is malformed") from None
    return _Target(parts.scheme, host, literal, port or _DEFAULT_PORTS[parts.scheme], path)


def _authority(text: str) -> tuple[str, Address | None, int | None]:
    """Host as ASCII, the address it is (if it is one) and the port (if one is given) of ``HOST[:PORT]``.

    Raises ValueError.
    """
    found = _AUTHORITY.fullmatch(text)
    if found is None or (found["bracketed"] is not None and ":" not in found["bracketed"]):
        raise ValueError("not HOST or HOST:PORT")
    host, literal = _host(found["bracketed"] or found["plain"])
    port = int(found["port"]) if found["port"] else None
    if port is not None and not 0 < port < 65536:
        raise ValueError("no such port")
    return host, literal, port


def _host(text: str) -> tuple[str, Address | None]:
    """A host as ASCII and, when it is an address in any spelling a resolver takes, that address.

    Raises ValueError for what is neither.
    """
    if ":" in text:
        return text.lower(), unmapped(IPv6Address(text))
    if _DEVIATIONS.search(text):
        raise ValueError("ambiguous host name")
    name = text.encode("idna").decode("ascii").lower().removesuffix(".")
    if len(name) > 253 or not _NAME.fullmatch(name):
        raise ValueError("not a host name")
    if not _NUMBER.fullmatch(name.rpartition(".")[2]):
        return name, None
    # Resolvers read 2130706433, 0x7f.1 and 0177.0.0.1 as addresses: so does this.
    try:
        return name, IPv4Address(socket.inet_aton(name))
    except OSError:
        raise ValueError("not an IPv4 address") from None


def _entry(entry: str) -> tuple[str | Address, int | None] | None:
    """A host that the policy names, with its port if it has one; None for the three words.

    Raises ValueError for anything else.
    """
    if entry in ("none", "loopback", "public"):
        return None
    try:
        name, literal, port = _authority(entry)
    except ValueError:
        raise ValueError(f"not none, loopback, public or HOST[:PORT]: {entry!r}") from None
    return literal or name, port


def _named(target: _Target, allow: Sequence[str]) -> bool:
    wanted = target.literal or target.host
    entries = (found for found in map(_entry, allow) if found is not None)
    return any(host == wanted and port in (None, target.port) for host, port in entries)


def _join(url: str, location: bytes) -> str:
    try:
        return urljoin(url, location.decode())
    except ValueError:  # UnicodeDecodeError too
        raise FetchFault("failed", "the server redirects to a malformed URL") from None


# --- Judging addresses ------------------------------------------------------------------------------------


async def _resolve(host: str, port: int) -> Sequence[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(sockaddr[0]) for *_, sockaddr in found]


async def _permitted(target: _Target, policy: FetchPolicy, resolve: Resolver) -> list[Address]:
    """The addresses of the target that may be connected to, at least one. Raises FetchFault."""
    allow = policy.allow
    if "none" in allow or not allow:
        raise FetchFault("refused", "fetching images from URLs is switched off")
    named = _named(target, allow)
    may_resolve = named or "public" in allow or ("loopback" in allow and target.host == "localhost")
    if target.literal is None and not may_resolve:
        raise FetchFault("refused", f"the host {target.host} is not among those that may be fetched from")
    if target.literal is not None:
        addresses = [target.literal]
    else:
        try:
            texts = await resolve(target.host, target.port)
        except OSError:
            raise FetchFault("failed", f"the host name {target.host} could not be resolved") from None
        addresses = list(dict.fromkeys(unmapped(ip_address(text)) for text in texts))
    passed = [address for address in addresses if named or reach(address) in allow]
    if not passed:
        raise FetchFault("refused", f"the host {target.host} is at an address that may not be fetched from")
    return passed[:_MAX_ADDRESSES]


# --- One GET ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Redirect:
    location: bytes


async def _get(target: _Target, addresses: Sequence[Address], policy: FetchPolicy) -> bytes | _Redirect:
    import h11

    reader, writer = await _connect(target, addresses, policy)
    try:
        async with aclosing(_events(reader, writer, target)) as events:
            return await _read_answer(events, policy)
    except h11.RemoteProtocolError:
        raise FetchFault("failed", "the server's answer is broken or incomplete HTTP") from None
    except OSError:
        raise FetchFault("failed", "the connection broke before the answer was complete") from None
    finally:
        writer.transport.abort()  # at once, whatever is under way: nothing more is wanted


async def _connect(
    target: _Target, addresses: Sequence[Address], policy: FetchPolicy
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection to the first address that answers, none of which gets more than its share of the time."""
    tls: ssl.SSLContext | None = None
    if target.scheme == "https":
        tls = await asyncio.to_thread(_tls_context)  # reads files: some 30 ms
    reason = ""
    for address in addresses:
        try:
            async with asyncio.timeout(policy.timeout_s / len(addresses)):
                return await asyncio.open_connection(
                    str(address),
                    target.port,
                    flags=socket.AI_NUMERICHOST,  # pinned: a resolver could not be asked even by mistake
                    ssl=tls,
                    server_hostname=str(target.literal or target.host) if tls else None,
                    limit=_READ,
                )
        except ssl.SSLCertVerificationError:
            reason = f"the certificate of {target.authority} is not trusted"
        except ssl.SSLError:
            reason = f"no TLS connection to {target.authority} could be made"
        except OSError:  # a TimeoutError too
            reason = f"no connection to {target.authority} could be made"
    raise FetchFault("failed", reason)


def _tls_context() -> ssl.SSLContext:
    # Not create_default_context: that would write session keys to where the environment says.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # checks certificate and host name
    context.load_default_certs()
    context.set_alpn_protocols(["http/1.1"])
    return context


async def _events(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, target: _Target
) -> AsyncGenerator[h11.Response | h11.Data, None]:
    """Send the request and yield the response and its body's parts as they come, up to its end.

    Raises h11.RemoteProtocolError and OSError.
    """
    import h11

    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MAX_HEAD)
    headers = [
        ("Host", target.authority),
        ("User-Agent", "venice-mock"),
        ("Accept", "image/*,*/*;q=0.5"),
        ("Accept-Encoding", "identity"),
        ("Connection", "close"),
    ]
    request = connection.send(h11.Request(method="GET", target=target.path, headers=headers)) or b""
    writer.write(request + (connection.send(h11.EndOfMessage()) or b""))
    taken = 0
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(_READ))
        elif isinstance(event, h11.Response | h11.Data):
            yield event
        elif not isinstance(event, h11.InformationalResponse):
            return
        taken += 1
        if taken % _EVENTS_PER_TURN == 0:  # one read can hold ten thousand chunks of one byte
            await asyncio.sleep(0)


async def _read_answer(
    events: AsyncIterator[h11.Response | h11.Data], policy: FetchPolicy
) -> bytes | _Redirect:
    import h11

    limit = policy.max_bytes_exclusive
    body = bytearray()  # not a list: a body may come in millions of parts
    async for event in events:
        if isinstance(event, h11.Data):
            body += event.data
        elif (redirect := _judge_head(event, limit)) is not None:
            return redirect
        if len(body) >= limit:
            raise _too_large(limit)
    return bytes(body)


def _judge_head(response: h11.Response, limit: int) -> _Redirect | None:
    """None if the body is wanted, or where to go instead. Raises FetchFault."""
    headers = dict(response.headers)  # h11 makes names lower case, and lets no two lengths through
    if response.status_code in _REDIRECTS and b"location" in headers:
        return _Redirect(headers[b"location"])
    if response.status_code != 200:
        raise FetchFault("failed", f"the server answered with status {response.status_code}")
    encodings = [value.strip().lower() for name, value in response.headers if name == b"content-encoding"]
    if any(encoding not in (b"", b"identity") for encoding in encodings):
        raise FetchFault("failed", "the server sent compressed content although none was asked for")
    if b"content-length" in headers and int(headers[b"content-length"]) >= limit:
        raise _too_large(limit)
    return None


def _too_large(limit: int) -> FetchFault:
    return FetchFault("too_large", f"the file is not smaller than {limit} bytes")
