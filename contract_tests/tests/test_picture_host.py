"""The host that serves pictures for a case: what it sends, what it tells of its callers, and that it ends."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Iterator

import pytest

from venice_contract.wire.picture_host import Page, PictureHost, closed_port, picture_host, redirect

PAGES = {
    "/picture": Page(b"a picture", headers=(("Content-Type", "image/png"),)),
    "/gone": redirect("/picture"),
    "/broken": Page(b"no", 500),
    "/short": Page(b"four", length=9),
    "/untold": Page(b"abc", length="untold", times=3),
    "/twice": Page(b"abc", times=2),
    "/raw": Page(raw=b"220 ready\r\n"),
    "/slow": Page(b"0123456789", slow_s=60),
}


@pytest.fixture
def host() -> Iterator[PictureHost]:
    with picture_host(PAGES) as up:
        yield up


def get(host: PictureHost, path: str) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", host.port, timeout=10)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def test_a_page_is_served_with_its_headers_and_its_length(host: PictureHost) -> None:
    status, headers, body = get(host, "/picture")
    assert (status, body) == (200, b"a picture")
    assert headers["Content-Type"] == "image/png"
    assert headers["Content-Length"] == "9"


def test_redirects_errors_and_unknown_paths_have_their_statuses(host: PictureHost) -> None:
    assert get(host, "/gone")[0] == 302
    assert get(host, "/gone")[1]["Location"] == "/picture"
    assert get(host, "/broken")[0] == 500
    assert get(host, "/nowhere")[0] == 404


def test_a_body_may_be_repeated_and_its_length_untold(host: PictureHost) -> None:
    assert get(host, "/twice")[2] == b"abcabc"
    status, headers, body = get(host, "/untold")
    assert (status, body) == (200, b"abcabcabc")
    assert "Content-Length" not in headers


def test_a_length_may_be_a_lie(host: PictureHost) -> None:
    with pytest.raises(http.client.IncompleteRead):
        get(host, "/short")


def test_a_page_may_be_no_http_at_all(host: PictureHost) -> None:
    with pytest.raises(http.client.BadStatusLine):
        get(host, "/raw")


def test_what_was_asked_and_sent_is_told(host: PictureHost) -> None:
    get(host, "/picture")
    get(host, "/twice")
    assert host.asked == ["/picture", "/twice"]
    assert host.sent == 9 + 6


def test_a_greeting_in_tls_is_counted_and_not_answered(host: PictureHost) -> None:
    with socket.create_connection(("127.0.0.1", host.port), timeout=10) as client:
        client.sendall(b"\x16\x03\x01\x00\x05hello")
        assert client.recv(1) == b""
    assert host.tls == 1
    assert host.asked == []


def test_the_end_of_the_block_cuts_a_slow_page_and_leaves_no_thread() -> None:
    with picture_host(PAGES) as host:
        client = socket.create_connection(("127.0.0.1", host.port), timeout=10)
        client.sendall(b"GET /slow HTTP/1.1\r\n\r\n")
        received = b""
        while not received.endswith(b"\r\n\r\n0"):
            received += client.recv(1)
    with client:
        rest = b"".join(iter(lambda: client.recv(100), b""))
    assert len(rest) < 9
    assert not [thread for thread in threading.enumerate() if thread.name == "picture-host"]
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", host.port), timeout=10)


def test_nobody_listens_on_a_closed_port() -> None:
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", closed_port()), timeout=10)
