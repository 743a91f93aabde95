"""Rules of a picture named by its address: real servers on loopback, and what may not be reached."""

from __future__ import annotations

import http.server
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from asgi import Client, Reply
from edits import (
    CORRUPTED,
    FILE_LIMIT,
    OVER_25_MB,
    TOO_SMALL,
    MakeClient,
    b64,
    balance,
    fault,
    flat_png,
    padded_png,
    pixels,
    says,
    scene_png,
    size,
    understood,
)

PNG = scene_png()
FAILED = "The image could not be fetched from its URL: "
NOT_ALLOWED = "The image URL is not allowed: "


class Host(http.server.ThreadingHTTPServer):
    """A picture host on loopback; ``asked`` are the paths that were requested."""

    daemon_threads = True

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.sent = 0
        self.over = threading.Event()
        super().__init__(("127.0.0.1", 0), Page)

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.server_address[1]}{path}"


class Page(http.server.BaseHTTPRequestHandler):
    server: Host

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        name, _, rest = self.path[1:].partition("/")
        with suppress(OSError):
            getattr(self, f"send_{name}")(rest)

    def reply(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def send_picture(self, _: str) -> None:
        self.reply(200, PNG, Type="image/png")

    def send_typed(self, rest: str) -> None:
        self.reply(200, PNG, **{"Content-Type": rest})

    def send_padded(self, rest: str) -> None:
        self.reply(200, padded_png(int(rest)))

    def send_small(self, _: str) -> None:
        self.reply(200, flat_png(10, 10))

    def send_html(self, _: str) -> None:
        self.reply(200, b"<!DOCTYPE html><title>a page</title>", Type="text/html")

    def send_nothing(self, _: str) -> None:
        self.reply(200, b"")

    def send_status(self, rest: str) -> None:
        self.reply(int(rest), PNG)

    def send_hops(self, rest: str) -> None:
        self.reply(302, b"", Location=f"/hops/{int(rest) - 1}" if int(rest) > 1 else "/picture")

    def send_circle(self, _: str) -> None:
        self.reply(301, b"", Location="/circle")

    def send_to(self, rest: str) -> None:
        self.reply(307, b"", Location=f"http://{rest}")

    def send_endless(self, _: str) -> None:
        self.send_response(200)
        self.end_headers()
        piece = bytes(1 << 16)
        while not self.server.over.is_set():
            self.wfile.write(piece)
            self.server.sent += len(piece)

    def send_drip(self, _: str) -> None:
        self.send_response(200)
        self.end_headers()
        while not self.server.over.wait(0.2):
            self.wfile.write(b"\x89")


@pytest.fixture
def host() -> Iterator[Host]:
    made = Host()
    thread = threading.Thread(target=made.serve_forever, args=(0.01,))
    thread.start()
    yield made
    made.over.set()
    made.shutdown()
    made.server_close()
    thread.join()


@pytest.fixture
def fast(make_client: MakeClient) -> Client:
    return make_client(engine="fast")


def by_url(client: Client, url: str) -> Reply:
    return client.edit(image=url, prompt="a test")


# --- the way in ------------------------------------------------------------------------------------------


@pytest.mark.rules("EDIT-IMG-003", "EDIT-IMG-005", "EDIT-IMG-035")
def test_a_picture_by_address_gives_the_pixels_of_the_same_bytes_as_base64(
    client: Client, host: Host
) -> None:
    direct = client.edit(image=b64(PNG), prompt="a test")
    assert size(direct) == (1264, 848)
    for reply in (
        by_url(client, host.url("/picture")),
        by_url(client, host.url("/picture", "localhost").replace("http://", "HTTP://")),
        client.form([("image", host.url("/picture")), ("prompt", "a test")]),
    ):
        assert pixels(reply) == pixels(direct)
        assert understood(reply) == understood(direct)
    assert host.asked == ["/picture"] * 3
    assert balance(reply) == "99.84"  # four edits at 0.04


@pytest.mark.rules("EDIT-IMG-003", "EDIT-IMG-024")
@pytest.mark.parametrize("media_type", ["image/jpeg", "text/html", "application/octet-stream"])
def test_the_bytes_behind_an_address_count_and_not_the_media_type(
    fast: Client, host: Host, media_type: str
) -> None:
    assert understood(by_url(fast, host.url(f"/typed/{media_type}"))).input_width == 320


@pytest.mark.rules("EDIT-IMG-017")
def test_a_file_of_24999999_bytes_may_be_fetched(fast: Client, host: Host) -> None:
    assert size(by_url(fast, host.url("/padded/24999999"))) == (1024, 1024)


# --- the ways in which it fails --------------------------------------------------------------------------


@pytest.mark.rules("EDIT-IMG-016", "EDIT-IMG-029", "EDIT-IMG-032")
def test_a_file_of_the_limit_is_refused_with_413_and_costs_nothing(fast: Client, host: Host) -> None:
    reply = by_url(fast, host.url(f"/padded/{FILE_LIMIT}"))
    says(reply, 413, OVER_25_MB)
    assert balance(reply) == "100"


@pytest.mark.rules("EDIT-IMG-025", "EDIT-IMG-029")
def test_an_endless_file_is_left_once_the_limit_has_come(fast: Client, host: Host) -> None:
    says(by_url(fast, host.url("/endless")), 413, OVER_25_MB)
    assert host.sent < FILE_LIMIT + (16 << 20)  # the rest is what sockets buffer


@pytest.mark.rules("EDIT-IMG-025")
@pytest.mark.parametrize(
    ("path", "body"), [("/html", CORRUPTED), ("/nothing", CORRUPTED), ("/small", TOO_SMALL)]
)
def test_an_address_that_yields_no_usable_picture_is_refused_as_its_bytes_would_be(
    client: Client, host: Host, path: str, body: dict[str, str]
) -> None:
    reply = by_url(client, host.url(path))
    says(reply, 400, body)
    assert balance(reply) == "100"


@pytest.mark.rules("EDIT-IMG-025")
@pytest.mark.parametrize("status", [204, 304, 401, 404, 500])
def test_an_address_that_answers_with_anything_but_200_is_refused_at_image(
    client: Client, host: Host, status: int
) -> None:
    reply = by_url(client, host.url(f"/status/{status}"))
    field, code, message = fault(reply)
    assert (field, code) == ("image", "custom")
    assert message.startswith(FAILED)
    assert str(status) in message
    assert balance(reply) == "100"


@pytest.mark.rules("EDIT-IMG-025")
def test_an_address_where_nobody_listens_is_refused_at_image(client: Client) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        reply = by_url(client, f"http://127.0.0.1:{taken.getsockname()[1]}/a.png")
    assert fault(reply)[:2] == ("image", "custom")
    assert fault(reply)[2].startswith(FAILED)


@pytest.mark.rules("EDIT-IMG-025", "EDIT-IMG-029")
def test_three_redirects_are_followed_and_the_fourth_is_not(client: Client, host: Host) -> None:
    assert size(by_url(client, host.url("/hops/3"))) == (1264, 848)
    assert host.asked == ["/hops/3", "/hops/2", "/hops/1", "/picture"]
    for path in ("/hops/4", "/circle"):
        host.asked.clear()
        assert fault(by_url(client, host.url(path)))[2].startswith(FAILED)
        assert len(host.asked) == 4


@pytest.mark.slow
@pytest.mark.rules("EDIT-IMG-025", "EDIT-IMG-029")
def test_a_host_that_drips_is_left_after_ten_seconds(client: Client, host: Host) -> None:
    begun = time.monotonic()
    reply = by_url(client, host.url("/drip"))
    assert fault(reply)[2].startswith(FAILED)
    assert 9.5 < time.monotonic() - begun < 20
    assert balance(reply) == "100"


# --- what may be reached ---------------------------------------------------------------------------------

FORBIDDEN = ["169.254.169.254", "10.0.0.1", "192.168.1.1", "172.16.0.1", "[fe80::1]", "[fd00::1]", "100.64.0.1",
             "0.0.0.0", "[::ffff:10.0.0.1]", "168.63.129.16"]  # fmt: skip


@pytest.fixture
def dialled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that anything here connects to; only loopback is let through."""
    tried: list[str] = []
    connect: Callable[..., None] = socket.socket.connect

    def watch(self: socket.socket, address: tuple[str, int]) -> None:
        tried.append(address[0])
        assert address[0] in ("127.0.0.1", "::1"), address
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", watch)
    return tried


@pytest.mark.rules("EDIT-IMG-026", "EDIT-IMG-030")
@pytest.mark.parametrize("address", FORBIDDEN)
@pytest.mark.parametrize("fetch", [("loopback",), ("public",), ("loopback", "public")])
def test_private_link_local_and_metadata_addresses_are_never_fetched(
    make_client: MakeClient, dialled: list[str], fetch: tuple[str, ...], address: str
) -> None:
    reply = by_url(make_client(fetch=fetch), f"http://{address}/latest/meta-data")
    field, code, message = fault(reply)
    assert (field, code) == ("image", "custom")
    assert message.startswith(NOT_ALLOWED)
    assert dialled == []
    assert balance(reply) == "100"


@pytest.mark.rules("EDIT-IMG-026")
@pytest.mark.parametrize("address", FORBIDDEN)
def test_a_redirect_to_such_an_address_is_not_followed(
    make_client: MakeClient, host: Host, dialled: list[str], address: str
) -> None:
    client = make_client(fetch=("loopback", "public"))
    field, code, message = fault(by_url(client, host.url(f"/to/{address}/latest/meta-data")))
    assert (field, code) == ("image", "custom")
    assert message.startswith(NOT_ALLOWED)
    assert host.asked == [f"/to/{address}/latest/meta-data"]
    assert dialled == ["127.0.0.1"]


@pytest.mark.rules("EDIT-IMG-030")
def test_the_default_reaches_loopback_and_nothing_else(client: Client, host: Host) -> None:
    assert size(by_url(client, host.url("/picture"))) == (1264, 848)
    for url in ("http://8.8.8.8/a.png", "https://pictures.example/a.png"):
        assert fault(by_url(client, url))[2].startswith(NOT_ALLOWED)


@pytest.mark.rules("EDIT-IMG-030")
@pytest.mark.parametrize(
    ("fetch", "let_in"),
    [(("none",), False), (("public",), False), (("loopback",), True), (("localhost",), True), (("other.test",), False)],
)  # fmt: skip
def test_fetch_widens_narrows_and_forbids(
    make_client: MakeClient, host: Host, fetch: tuple[str, ...], let_in: bool
) -> None:
    reply = by_url(make_client(fetch=fetch), host.url("/picture", "localhost"))
    if let_in:
        assert size(reply) == (1264, 848)
        assert host.asked == ["/picture"]
    else:
        assert fault(reply)[:2] == ("image", "custom")
        assert fault(reply)[2].startswith(NOT_ALLOWED)
        assert host.asked == []


@pytest.mark.rules("EDIT-IMG-031")
def test_a_name_that_moves_to_a_private_address_after_the_check_gains_nothing(
    make_client: MakeClient, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    resolve = socket.getaddrinfo

    def moving(name: str | bytes | None, *args: object, **more: object) -> object:
        if name not in ("moving.test", b"moving.test"):
            return resolve(name, *args, **more)  # type: ignore[arg-type]
        asked.append("moving.test")
        address = "127.0.0.1" if len(asked) == 1 else "169.254.169.254"
        return resolve(address, *args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", moving)
    reply = by_url(make_client(fetch=("moving.test",)), host.url("/picture", "moving.test"))
    assert size(reply) == (1264, 848)
    assert asked == ["moving.test"]
    assert host.asked == ["/picture"]


@pytest.mark.rules("EDIT-IMG-008", "EDIT-IMG-030")
@pytest.mark.parametrize("form", [False, True])
def test_other_schemes_are_no_address_and_no_file_of_the_server_is_read(
    client: Client, tmp_path: Path, form: bool
) -> None:
    secret = tmp_path / "secret.png"
    secret.write_bytes(PNG)
    for url in (secret.as_uri(), str(secret)):
        reply = client.form([("image", url), ("prompt", "a test")]) if form else by_url(client, url)
        assert fault(reply)[0] == "image"
