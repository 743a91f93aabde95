"""Fetching by URL, against real loopback servers that misbehave. Nothing here leaves the machine."""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
import struct
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from ipaddress import ip_address
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tools import tool
from venice_mock.edit.fetching import FetchFault, FetchPolicy, Resolver, fetch

T = TypeVar("T")
Answer = Callable[["Site", asyncio.StreamWriter, str], Awaitable[None]]
Run = Callable[[Awaitable[Any]], Any]

CAP = 100_000
BODY = bytes(range(256)) * 8


def policy(*allow: str, cap: int = CAP, timeout_s: float = 10.0) -> FetchPolicy:
    return FetchPolicy(allow=allow or ("loopback",), max_bytes_exclusive=cap, timeout_s=timeout_s)


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    """Run a coroutine to its end on each kind of event loop that the server may have."""
    factory = None if request.param == "asyncio" else pytest.importorskip("uvloop").new_event_loop

    def runner(work: Awaitable[T]) -> T:
        async def bounded() -> T:
            return await asyncio.wait_for(work, 20)

        with asyncio.Runner(loop_factory=factory) as loop:
            return loop.run(bounded())

    return runner


class Site:
    """What a loopback server saw."""

    def __init__(self) -> None:
        self.port = 0
        self.heads: list[str] = []
        self.gone = asyncio.Event()  # a client closed while it was being answered

    def url(self, path: str = "/", host: str = "127.0.0.1", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"


@asynccontextmanager
async def serving(
    answer: Answer, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
) -> AsyncIterator[Site]:
    site = Site()
    tasks: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            site.heads.append(head)
            await answer(site, writer, head.split()[1])
        except (OSError, asyncio.IncompleteReadError):
            site.gone.set()
        except asyncio.CancelledError:
            pass
        finally:
            writer.close()
            with suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()
            writer.transport.abort()
            tasks.discard(task)

    server = await asyncio.start_server(handle, host, 0, ssl=tls)
    site.port = server.sockets[0].getsockname()[1]
    try:
        yield site
    finally:
        server.close()
        waiting = list(tasks)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting)


def sends(*parts: bytes) -> Answer:
    async def answer(_site: Site, writer: asyncio.StreamWriter, _path: str) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()

    return answer


def ok(body: bytes = BODY, *headers: str) -> bytes:
    lines = ["HTTP/1.1 200 OK", *(headers or (f"Content-Length: {len(body)}",))]
    return "\r\n".join([*lines, "", ""]).encode() + body


def redirect(location: str, status: int = 302) -> bytes:
    return f"HTTP/1.1 {status} Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()


async def endless(part: bytes, writer: asyncio.StreamWriter, pause: float = 0.0) -> None:
    while True:
        writer.write(part)
        await writer.drain()
        if writer.is_closing():
            raise ConnectionResetError
        await asyncio.sleep(pause)


class Names:
    """A resolver with the given answers in turn; it counts the questions."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, int]] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append((host, port))
        if len(self.asked) > len(self.answers):
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return self.answers[len(self.asked) - 1]


async def fault_of(url: str, rules: FetchPolicy, resolve: Resolver | None = None) -> FetchFault:
    with pytest.raises(FetchFault) as caught:
        await fetch(url, rules, resolve=resolve or Names())
    assert str(caught.value) == caught.value.reason
    return caught.value


def fault_from(run: Run, answer: Answer, rules: FetchPolicy | None = None) -> FetchFault:
    async def scene() -> FetchFault:
        async with serving(answer) as site:
            return await fault_of(site.url(), rules or policy())

    fault: FetchFault = run(scene())
    return fault


def body_from(run: Run, answer: Answer, rules: FetchPolicy | None = None) -> bytes:
    async def scene() -> bytes:
        async with serving(answer) as site:
            return await fetch(site.url(), rules or policy(), resolve=Names())

    body: bytes = run(scene())
    return body


# --- Answers ----------------------------------------------------------------------------------------------


def test_a_body_with_content_length_arrives_unchanged(run: Run) -> None:
    assert body_from(run, sends(ok())) == BODY


def test_a_body_without_content_length_ends_with_the_connection(run: Run) -> None:
    assert body_from(run, sends(ok(BODY, "Connection: close"))) == BODY


def test_a_chunked_body_is_put_together(run: Run) -> None:
    chunks = [b"%x\r\n%s\r\n" % (len(part), part) for part in (BODY[:1], BODY[1:700], BODY[700:])]
    assert body_from(run, sends(ok(b"", "Transfer-Encoding: chunked"), *chunks, b"0\r\n\r\n")) == BODY


def test_an_answer_after_100_continue_arrives(run: Run) -> None:
    assert body_from(run, sends(b"HTTP/1.1 100 Continue\r\n\r\n", ok())) == BODY


def test_an_html_page_is_returned_for_the_decoder_to_refuse(run: Run) -> None:
    page = b"<!doctype html><title>no picture</title>"
    assert body_from(run, sends(ok(page, "Content-Type: text/html"))) == page


def test_the_request_names_the_url_s_host_and_carries_no_credentials(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    netrc = tmp_path / ".netrc"
    netrc.write_text("default login me password secret")
    monkeypatch.setenv("NETRC", str(netrc))

    async def scene() -> None:
        async with serving(sends(ok())) as site:
            await fetch(site.url("/a b/é?q=1#part".replace(" ", "%20")), policy(), resolve=Names())
            assert site.heads == [
                "GET /a%20b/%C3%A9?q=1 HTTP/1.1\r\n"
                f"Host: 127.0.0.1:{site.port}\r\n"
                "User-Agent: venice-mock\r\n"
                "Accept: image/*,*/*;q=0.5\r\n"
                "Accept-Encoding: identity\r\n"
                "Connection: close\r\n\r\n"
            ]

    run(scene())


@pytest.mark.rules("EDIT-IMG-025")
@pytest.mark.parametrize("status", [201, 204, 206, 300, 304, 400, 401, 404, 500, 503])
def test_any_status_but_200_fails_and_is_named(run: Run, status: int) -> None:
    fault = fault_from(run, sends(f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n".encode()))
    assert (fault.kind, fault.reason) == ("failed", f"the server answered with status {status}")


@pytest.mark.rules("EDIT-IMG-025")
def test_a_port_where_nobody_listens_fails(run: Run) -> None:
    with socket.socket() as taken:  # bound and not listening: refuses, and nobody else can take it
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        fault = run(fault_of(f"http://127.0.0.1:{port}/", policy()))
    assert (fault.kind, fault.reason) == ("failed", f"no connection to 127.0.0.1:{port} could be made")


@pytest.mark.rules("EDIT-IMG-025")
def test_a_name_that_does_not_resolve_fails(run: Run) -> None:
    fault = run(fault_of("http://images.test/", policy("public"), Names()))
    assert (fault.kind, fault.reason) == ("failed", "the host name images.test could not be resolved")


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\x89PNG\r\n\x1a\n" * 20, id="a picture without HTTP"),
        pytest.param(b"SSH-2.0-OpenSSH_9.6\r\n\r\n", id="another protocol"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX: " + b"a" * 200_000, id="a header without end"),
        pytest.param(b"HTTP/1.1 200 OK\r\n" + b"X: a\r\n" * 40_000, id="headers without end"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", id="less than announced"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nContent-Length: 5\r\n\r\nshort", id="two lengths"
        ),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nshort", id="negative length"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nab", id="half a chunk"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", id="no chunk size"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nabc", id="unknown framing"),
        pytest.param(b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n", id="switching protocols"),
    ],
)
@pytest.mark.rules("EDIT-IMG-025")
def test_broken_or_incomplete_http_fails(run: Run, sent: bytes) -> None:
    fault = fault_from(run, sends(sent))
    assert fault.kind == "failed"
    assert fault.reason in (
        "the server's answer is broken or incomplete HTTP",
        "the connection broke before the answer was complete",
    )


@pytest.mark.parametrize("encoding", ["gzip", "br", "Deflate", "identity, gzip"])
def test_compressed_content_fails_undecoded(run: Run, encoding: str) -> None:
    packed = gzip.compress(bytes(10_000_000))
    answer = ok(packed, f"Content-Length: {len(packed)}", f"Content-Encoding: {encoding}")
    fault = fault_from(run, sends(answer))
    assert (fault.kind, fault.reason) == (
        "failed",
        "the server sent compressed content although none was asked for",
    )


def test_content_encoding_identity_is_no_compression(run: Run) -> None:
    answer = ok(BODY, f"Content-Length: {len(BODY)}", "Content-Encoding: identity")
    assert body_from(run, sends(answer)) == BODY


@pytest.mark.rules("EDIT-IMG-025")
def test_a_connection_reset_mid_body_fails(run: Run) -> None:
    async def answer(_site: Site, writer: asyncio.StreamWriter, _path: str) -> None:
        writer.write(ok(BODY, "Content-Length: 50000"))
        await writer.drain()
        linger = struct.pack("ii", 1, 0)  # close by reset
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.transport.abort()

    fault = fault_from(run, answer)
    assert (fault.kind, fault.reason) == ("failed", "the connection broke before the answer was complete")


# --- Size and time ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("head", ["Connection: close", "Content-Length: {size}"])
def test_the_largest_file_is_one_byte_less_than_the_limit(run: Run, head: str) -> None:
    def answer(size: int) -> Answer:
        return sends(ok(bytes(size), head.format(size=size)))

    assert len(body_from(run, answer(CAP - 1))) == CAP - 1
    fault = fault_from(run, answer(CAP))
    assert (fault.kind, fault.reason) == ("too_large", f"the file is not smaller than {CAP} bytes")


@pytest.mark.rules("EDIT-IMG-025")
def test_a_length_above_the_limit_is_refused_before_the_body(run: Run) -> None:
    async def answer(_site: Site, writer: asyncio.StreamWriter, _path: str) -> None:
        writer.write(ok(b"", f"Content-Length: {10**12}"))
        await asyncio.Event().wait()  # the body never comes

    assert fault_from(run, answer).kind == "too_large"


@pytest.mark.rules("EDIT-IMG-025")
@pytest.mark.parametrize(
    ("head", "part"),
    [
        ("Connection: close", bytes(10_000)),
        ("Transfer-Encoding: chunked", b"2710\r\n" + bytes(10_000) + b"\r\n"),
        ("Transfer-Encoding: chunked", b"1\r\nx\r\n" * 5_000),
    ],
)
def test_an_endless_body_is_stopped_at_the_limit_and_the_connection_closed(
    run: Run, head: str, part: bytes
) -> None:
    async def answer(_site: Site, writer: asyncio.StreamWriter, _path: str) -> None:
        writer.write(ok(b"", head))
        await endless(part, writer)

    async def scene() -> None:
        async with serving(answer) as site:
            assert (await fault_of(site.url(), policy(cap=15_000))).kind == "too_large"
            await site.gone.wait()

    run(scene())


def test_bytes_beyond_the_announced_length_are_not_read(run: Run) -> None:
    assert body_from(run, sends(ok(BODY + bytes(2 * CAP), f"Content-Length: {len(BODY)}"))) == BODY


@pytest.mark.rules("EDIT-IMG-025")
@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\nX: ", ok(b"", "Content-Length: 5000")])
def test_a_slow_drip_ends_at_the_deadline(run: Run, start: bytes) -> None:
    async def answer(_site: Site, writer: asyncio.StreamWriter, _path: str) -> None:
        writer.write(start)
        await endless(b"H" if start else b"", writer, pause=0.02)

    async def scene() -> None:
        async with serving(answer) as site:
            began = time.perf_counter()
            fault = await fault_of(site.url(), policy(timeout_s=0.3))
            assert 0.25 < time.perf_counter() - began < 3
            assert (fault.kind, fault.reason) == ("failed", "no complete answer came within 0.3 seconds")

    run(scene())


def test_the_deadline_covers_resolving_and_all_redirects_together(run: Run) -> None:
    async def answer(_site: Site, writer: asyncio.StreamWriter, _path: str) -> None:
        await asyncio.sleep(0.2)
        writer.write(redirect("/again"))

    async def never(_host: str, _port: int) -> Sequence[str]:
        await asyncio.Event().wait()
        return []

    async def scene() -> None:
        async with serving(answer) as site:
            fault = await fault_of(site.url(), policy(timeout_s=0.5))
            assert fault.reason == "no complete answer came within 0.5 seconds"
            assert 1 < len(site.heads) < 4
        fault = await fault_of("http://images.test/", policy("public", timeout_s=0.1), never)
        assert fault.reason == "no complete answer came within 0.1 seconds"

    run(scene())


def test_cancelling_closes_the_connection(run: Run) -> None:
    async def scene() -> None:
        asked = asyncio.Event()

        async def answer(_site: Site, writer: asyncio.StreamWriter, _path: str) -> None:
            asked.set()
            writer.write(ok(b"", "Content-Length: 50000"))
            await endless(b"", writer, pause=0.01)

        async def watch(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            asked.set()
            with suppress(ConnectionResetError):
                assert await reader.read() == b""
            closed.set()
            writer.close()

        closed = asyncio.Event()
        server = await asyncio.start_server(watch, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        task = asyncio.create_task(fetch(f"http://127.0.0.1:{port}/", policy(), resolve=Names()))
        await asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await closed.wait()
        server.close()

    run(scene())


def test_the_event_loop_goes_on_while_millions_of_tiny_chunks_arrive(run: Run) -> None:
    async def answer(_site: Site, writer: asyncio.StreamWriter, _path: str) -> None:
        writer.write(ok(b"", "Transfer-Encoding: chunked"))
        await endless(b"1\r\nx\r\n" * 20_000, writer)

    async def scene() -> int:
        turns = 0
        async with serving(answer) as site:
            task = asyncio.create_task(fault_of(site.url(), policy(cap=20_000)))
            while not task.done():
                await asyncio.sleep(0)
                turns += 1
            assert (await task).kind == "too_large"
        return turns

    assert run(scene()) > 20_000 / 200  # at least one turn for every two hundred chunks


def test_a_server_can_fetch_from_itself(run: Run) -> None:
    async def answer(site: Site, writer: asyncio.StreamWriter, path: str) -> None:
        body = BODY if path == "/picture" else await fetch(site.url("/picture"), policy())
        writer.write(ok(body[::-1]))

    async def scene() -> None:
        async with serving(answer) as site:
            assert await fetch(site.url("/edit"), policy()) == BODY

    run(scene())


# --- Redirects --------------------------------------------------------------------------------------------


async def countdown(_site: Site, writer: asyncio.StreamWriter, path: str) -> None:
    left = int(path.strip("/"))
    status = (301, 302, 303, 307, 308)[left % 5]
    writer.write(redirect(f"/{left - 1}", status) if left else ok())


@pytest.mark.rules("EDIT-IMG-025")
@pytest.mark.parametrize("hops", [0, 1, 2, 3])
def test_up_to_three_redirects_are_followed(run: Run, hops: int) -> None:
    async def scene() -> None:
        async with serving(countdown) as site:
            assert await fetch(site.url(f"/{hops}"), policy(), resolve=Names()) == BODY
            assert len(site.heads) == hops + 1

    run(scene())


@pytest.mark.rules("EDIT-IMG-025")
@pytest.mark.parametrize("location", ["/{left}", "/4", ""])
def test_the_fourth_redirect_and_loops_fail(run: Run, location: str) -> None:
    async def answer(site: Site, writer: asyncio.StreamWriter, _path: str) -> None:
        writer.write(redirect(location.format(left=len(site.heads))))

    async def scene() -> None:
        async with serving(answer) as site:
            fault = await fault_of(site.url("/4"), policy())
            assert (fault.kind, fault.reason) == ("failed", "there are more than 3 redirects")
            assert len(site.heads) == 4

    run(scene())


@pytest.mark.rules("EDIT-IMG-026")
@pytest.mark.parametrize(
    "location",
    [
        *("http://169.254.169.254/latest/meta-data/", "//169.254.169.254/", "http://2852039166/"),
        *("http://[::ffff:169.254.169.254]/", "http://10.0.0.1/", "http://metadata.internal/"),
        *("file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1/", "http://u:p@127.0.0.1/"),
    ],
)
def test_a_redirect_is_judged_like_the_first_url(run: Run, location: str) -> None:
    async def scene() -> None:
        async with serving(sends(redirect(location))) as site:
            fault = await fault_of(site.url(), policy("loopback", "public"), Names(["169.254.169.254"]))
            assert fault.kind == "refused"
            assert len(site.heads) == 1

    run(scene())


@pytest.mark.parametrize("location", ["http://[::1/", "http://a\x80b/"])
def test_a_redirect_to_a_malformed_url_is_a_fault(run: Run, location: str) -> None:
    assert fault_from(run, sends(redirect(location))).kind in ("failed", "refused")


def test_a_redirect_in_broken_utf8_fails(run: Run) -> None:
    sent = redirect("/caf_").replace(b"_", b"\xe9")
    assert fault_from(run, sends(sent)).reason == "the server redirects to a malformed URL"


def test_a_redirect_without_location_fails_with_its_status(run: Run) -> None:
    fault = fault_from(run, sends(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n"))
    assert fault.reason == "the server answered with status 302"


# --- Addresses --------------------------------------------------------------------------------------------

FORBIDDEN = [
    *("0.0.0.0", "10.1.2.3", "100.64.0.1", "100.100.100.200", "168.63.129.16", "169.254.169.254"),
    *("172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.192", "192.0.2.1", "192.88.99.1"),
    *("192.168.1.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "224.0.1.1"),
    *("239.255.255.255", "240.0.0.1", "255.255.255.255"),
    *("::", "::7f00:1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:0:7f00:1", "100::1"),
    *("64:ff9b::a9fe:a9fe", "64:ff9b::7f00:1", "64:ff9b::a00:1", "64:ff9b:1::808:808", "2001::1"),
    *("2001:db8::1", "2002:a9fe:a9fe::1", "2002:7f00:1::", "2002:808:808::", "3fff::1", "5f00::1"),
    *("fc00::1", "fd00:ec2::254", "fe80::1", "febf::1", "fec0::1", "ff02::1", "ff0e::1", "4000::1"),
]


@pytest.mark.rules("EDIT-IMG-026")
@pytest.mark.parametrize("address", FORBIDDEN)
def test_a_special_address_is_refused_in_the_url_and_from_the_dns(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def connect(*_args: object, **_kwargs: object) -> None:
        raise AssertionError("a connection was attempted")

    monkeypatch.setattr(asyncio, "open_connection", connect)
    host = f"[{address}]" if ":" in address else address
    for allow in (("loopback",), ("public",), ("loopback", "public"), ("other.test",)):
        assert asyncio.run(fault_of(f"http://{host}/", policy(*allow))).kind == "refused"
    fault = asyncio.run(
        fault_of("http://images.test/", policy("loopback", "public"), Names([address, address]))
    )
    assert (fault.kind, fault.reason) == (
        "refused",
        "the host images.test is at an address that may not be fetched from",
    )


class Dialled(Exception):
    """A connection was about to be made."""


@pytest.fixture
def dialled(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, Any]]:
    """The addresses and server names that connections would have been made to. None is made."""
    made: list[tuple[Any, Any]] = []

    async def connect(host: str, port: int, **options: Any) -> None:
        assert options["flags"] == socket.AI_NUMERICHOST
        made.append((f"{host} {port}", options["server_hostname"]))
        raise Dialled

    monkeypatch.setattr(asyncio, "open_connection", connect)
    return made


def dial(url: str, *allow: str, answers: Sequence[str] = ()) -> None:
    with pytest.raises(Dialled):
        asyncio.run(fetch(url, policy(*allow), resolve=Names(answers)))


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700::1111", "64:ff9b::808:808", "192.175.48.1"])
def test_a_public_address_is_reached_only_with_public(address: str, dialled: list[tuple[Any, Any]]) -> None:
    url = f"http://[{address}]/" if ":" in address else f"http://{address}/"
    assert asyncio.run(fault_of(url, policy("loopback"))).kind == "refused"
    dial(url, "public")
    dial("https://images.test/", "public", answers=[address])
    assert dialled == [(f"{address} 80", None), (f"{address} 443", "images.test")]


@pytest.mark.rules("EDIT-IMG-026")
@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.255.0.9", "[::1]", "[::ffff:127.0.0.1]", "localhost", "LocalHost."]
)
def test_loopback_is_reached_only_with_loopback(host: str, dialled: list[tuple[Any, Any]]) -> None:
    fault = asyncio.run(fault_of(f"http://{host}:81/", policy("public"), Names(["127.0.0.1", "::1"])))
    assert fault.kind == "refused"
    dial(f"http://{host}:81/", "loopback", answers=["127.0.0.1"])
    assert ip_address(dialled[0][0].split()[0]).is_loopback


@pytest.mark.parametrize(
    "host",
    [
        *("2130706433", "0x7f000001", "0x7F.1", "0177.0.0.1", "017700000001", "127.1", "127.0.0.1."),
        *("127。0。0。1", "１２７.0.0.1", "127.0.0.1"),
    ],
)
def test_odd_spellings_are_the_address_they_are_connected_to(
    host: str, dialled: list[tuple[Any, Any]]
) -> None:
    dial(f"http://{host}/", "loopback")
    assert dialled == [("127.0.0.1 80", None)]


@pytest.mark.rules("EDIT-IMG-026")
@pytest.mark.parametrize(
    "host",
    [
        *("2852039166", "0xa9fea9fe", "0xA9.254.43518", "0251.0376.0251.0376", "169.254.169.254."),
        *("169。254。169。254", "0", "4294967296", "256.0.0.1", "1.2.3.4.5", "08.0.0.1", "127.0.0.0x"),
        *("[::ffff:a9fe:a9fe]", "[0:0:0:0:0:ffff:169.254.169.254]", "[::1%25lo]", "[fe80::1%25eth0]"),
        *("[::1", "::1", "[127.0.0.1]", "[v1.x]", "evil[::1]", "[::1]evil", "127.0.0.1%00.test", "%6c%6f"),
        *("", ".", "..", "a..b", "-", "a_-.b", "a" * 64, "a." * 127 + "a", "faß.test", "a\u200db.test"),
        *(
            "127.0.0.1:0",
            "127.0.0.1:65536",
            "127.0.0.1:-1",
            "127.0.0.1:+80",
            "127.0.0.1:８０",
            "127.0.0.1:8_0",
        ),
        *(
            "127.0.0.1\\@evil.test",
            "127.0.0.1\t",
            "127.0.0.1\r\nX: y",
            "127.0.0.1\x00",
            " 127.0.0.1",
            "a\xa0",
        ),
        *("localhost.evil.test.:1:2", "127.0.0.1:123456", "\ud800"),
    ],
)
def test_what_is_forbidden_or_no_host_at_all_is_refused_unconnected(
    host: str, dialled: list[tuple[Any, Any]]
) -> None:
    names = Names(["127.0.0.1"])
    fault = asyncio.run(fault_of(f"http://{host}/x.png", policy("public", "loopback"), names))
    assert fault.kind == "refused"
    assert not dialled
    assert not names.asked


@pytest.mark.parametrize(
    "url",
    [
        *("file:///etc/passwd", "ftp://127.0.0.1/", "data:,x", "127.0.0.1/", "//127.0.0.1/", "", "http:"),
        *("http:///x", "httpss://127.0.0.1/", "http://127.0.0.1/" + "a" * 9000, "http://127.0.0.1/a b"),
        "http://127.0.0.1/\ud800",
    ],
)
def test_only_well_formed_http_and_https_urls_are_fetched(url: str) -> None:
    assert asyncio.run(fault_of(url, policy("loopback", "public"))).kind == "refused"


@pytest.mark.parametrize(
    "url",
    [
        *("http://hunter:swordfish@127.0.0.1/", "http://swordfish@127.0.0.1/", "http://@127.0.0.1/"),
        *("http://x:swordfish@[::1/?swordfish", "http://a:swordfish/", "http://10.0.0.1/?key=swordfish"),
        *("http://x:swordfish@℀.test/", "http://swordfish\\@127.0.0.1/", "swordfish://127.0.0.1/"),
    ],
)
def test_userinfo_is_refused_and_no_secret_of_a_url_is_in_the_reason(url: str) -> None:
    fault = asyncio.run(fault_of(url, policy("loopback", "public")))
    assert fault.kind == "refused"
    assert "swordfish" not in fault.reason
    if url.endswith("@127.0.0.1/") and url.startswith("http://") and "\\" not in url:
        assert fault.reason == "a URL with a user name or password is not fetched"
    assert fault.__cause__ is None  # nor in a traceback
    assert fault.__suppress_context__ or fault.__context__ is None


@pytest.mark.parametrize("allow", [("none",), (), ("none", "loopback", "public", "127.0.0.1")])
def test_none_allows_nothing(allow: tuple[str, ...]) -> None:
    rules = FetchPolicy(allow=allow, max_bytes_exclusive=CAP)
    fault = asyncio.run(fault_of("http://127.0.0.1/", rules))
    assert (fault.kind, fault.reason) == ("refused", "fetching images from URLs is switched off")


@pytest.mark.parametrize("allow", [("loopback",), ("images.test", "loopback")])
def test_without_public_no_other_name_is_even_looked_up(allow: tuple[str, ...]) -> None:
    names = Names(["127.0.0.1"])
    fault = asyncio.run(fault_of("http://evil.test/", policy(*allow), names))
    assert (fault.kind, names.asked) == ("refused", [])


@pytest.mark.parametrize(
    ("entry", "url", "fits"),
    [
        ("Images.Test", "http://images.test:8000/", True),
        ("images.test", "http://IMAGES.TEST./", True),
        ("images.test", "http://a.images.test/", False),
        ("images.test", "http://images.test.evil/", False),
        ("images.test:8000", "http://images.test:8000/", True),
        ("images.test:8000", "http://images.test:8001/", False),
        ("images.test:443", "https://images.test/", True),
        ("bücher.test", "http://xn--bcher-kva.test/", True),
        ("10.0.0.5", "http://10.0.0.5/", True),
        ("10.0.0.5", "http://10.0.0.6/", False),
        ("10.0.0.5", "http://images.test/", False),
        ("[fd00::5]:81", "http://[fd00:0::5]:81/", True),
    ],
)
def test_a_named_host_may_be_anywhere_and_others_may_not(
    entry: str, url: str, fits: bool, dialled: list[tuple[Any, Any]]
) -> None:
    if fits:
        dial(url, entry, answers=["10.0.0.5"])
    else:
        assert asyncio.run(fault_of(url, policy(entry), Names(["10.0.0.5"]))).kind == "refused"
    assert len(dialled) == fits


@pytest.mark.parametrize(
    "entry", ["", "http://a.test", "a.test/", "u@a.test", "a.test:0", "a.test:x", "::1", "*.a", "a b"]
)
def test_a_policy_with_an_entry_that_is_no_host_cannot_be_made(entry: str) -> None:
    with pytest.raises(ValueError, match="HOST"):
        policy(entry)


@pytest.mark.rules("EDIT-IMG-026")
def test_a_rebinding_name_is_asked_once_and_connected_to_where_it_was_judged(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    lookup = socket.getaddrinfo

    def numeric_only(host: Any, *args: Any, **kwargs: Any) -> Any:
        ip_address(host)  # ValueError for a name: nothing but the judged address may be looked up
        return lookup(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", numeric_only)

    async def scene() -> None:
        names = Names(["127.0.0.1"], ["169.254.169.254"])
        async with serving(sends(ok())) as site:
            url = site.url(host="rebind.test")
            assert await fetch(url, policy("public", "loopback"), resolve=names) == BODY
            assert names.asked == [("rebind.test", site.port)]
            assert f"Host: rebind.test:{site.port}\r\n" in site.heads[0]
            assert (await fault_of(url, policy("public", "loopback"), names)).kind == "refused"
            assert len(site.heads) == 1

    run(scene())


@pytest.mark.rules("EDIT-IMG-026")
def test_a_redirect_to_the_same_name_is_resolved_and_judged_again(run: Run) -> None:
    async def scene() -> None:
        names = Names(["127.0.0.1"], ["169.254.169.254"])
        async with serving(sends(redirect("/next"))) as site:
            fault = await fault_of(site.url(host="localhost"), policy(), names)
            assert (fault.kind, len(names.asked), len(site.heads)) == ("refused", 2, 1)

    run(scene())


def test_forbidden_addresses_of_a_name_are_passed_over_and_dead_ones_followed_by_the_next(run: Run) -> None:
    async def scene() -> None:
        async with serving(sends(ok())) as site:
            names = Names(["10.0.0.1", "127.9.9.9", "fe80::1", "127.0.0.1"])
            assert await fetch(site.url(host="localhost"), policy(), resolve=names) == BODY

    run(scene())


def test_an_ipv6_host_keeps_its_brackets_in_the_host_header(run: Run) -> None:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")

    async def scene() -> None:
        async with serving(sends(ok()), "::1") as site:
            assert await fetch(site.url(host="[::1]"), policy(), resolve=Names()) == BODY
            assert f"Host: [::1]:{site.port}\r\n" in site.heads[0]

    run(scene())


def test_the_default_resolver_finds_localhost(run: Run) -> None:
    async def scene() -> None:
        async with serving(sends(ok())) as site:
            assert await fetch(site.url(host="localhost"), policy()) == BODY

    run(scene())


@example("http://[::1%@]:0/\\")
@given(st.text(max_size=40).map(lambda text: f"http://{text}") | st.text(max_size=20))
def test_any_text_is_answered_with_a_fault_and_nothing_else(text: str) -> None:
    assert asyncio.run(fault_of(text, policy("only.test"))).kind == "refused"


# --- TLS --------------------------------------------------------------------------------------------------


def test_tls_asks_for_the_url_s_host_at_the_judged_address(run: Run) -> None:
    async def scene() -> bytes:
        hello: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            hello.set_result(await reader.read(65536))
            writer.close()

        server = await asyncio.start_server(listen, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        fault = await fault_of(f"https://Images.Test:{port}/", policy("images.test"), Names(["127.0.0.1"]))
        assert (fault.kind, "images.test" in fault.reason) == ("failed", True)
        server.close()
        return await hello

    assert b"images.test" in run(scene())  # the server name is sent in the clear


def test_https_to_a_server_without_tls_fails(run: Run) -> None:
    async def scene() -> None:
        async def listen(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(ok())
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(listen, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        fault = await fault_of(f"https://127.0.0.1:{port}/", policy())
        assert (fault.kind, fault.reason) == (
            "failed",
            f"no TLS connection to 127.0.0.1:{port} could be made",
        )
        server.close()

    run(scene())


def test_https_needs_a_trusted_certificate_of_the_url_s_host(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    openssl = tool("openssl")
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    command = (
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=images.test"
    )
    names = ["-addext", "subjectAltName=DNS:images.test,IP:127.0.0.1"]
    subprocess.run(
        [openssl, *command.split(), *names, "-keyout", str(key), "-out", str(cert)],
        check=True,
        capture_output=True,
    )
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(cert, key)

    async def scene() -> None:
        async with serving(sends(ok()), tls=tls) as site:
            rules = policy("images.test", "other.test", "loopback")
            for host in ("images.test", "127.0.0.1"):
                fault = await fault_of(site.url(host=host, scheme="https"), rules, Names(["127.0.0.1"]))
                assert fault.reason == f"the certificate of {host}:{site.port} is not trusted"
            monkeypatch.setenv("SSL_CERT_FILE", str(cert))
            for host in ("images.test", "127.0.0.1"):
                url = site.url(host=host, scheme="https")
                assert await fetch(url, rules, resolve=Names(["127.0.0.1"])) == BODY
            fault = await fault_of(site.url(host="other.test", scheme="https"), rules, Names(["127.0.0.1"]))
            assert fault.reason == f"the certificate of other.test:{site.port} is not trusted"

    run(scene())


def test_importing_the_module_does_not_import_h11() -> None:
    code = "import sys, venice_mock.edit.fetching; sys.exit('h11' in sys.modules)"
    path = str(Path(__file__).parents[1])
    assert subprocess.run([sys.executable, "-c", code], cwd=path, check=False).returncode == 0
