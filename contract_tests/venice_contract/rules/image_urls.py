"""Checks of the group ``image``: pictures by address, and what a server must not fetch.

A host of our own serves the pictures, on loopback, so these run against servers of this machine that can be
steered. Nobody else is told to fetch anything, but from a name that no host has.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from ipaddress import ip_address
from typing import Any

from venice_contract.judging.check import check
from venice_contract.judging.expect import NotApplicable, equal, expect, fields_at_fault, messages_of
from venice_contract.judging.probe import Probe
from venice_contract.pictures.look import same_pixels
from venice_contract.pictures.recipe import Picture
from venice_contract.rules.carrying import data_url, in_json, in_text_part, picture_of, uploaded
from venice_contract.wire.message import Reply
from venice_contract.wire.picture_host import Page, PictureHost, closed_port, picture_host, redirect

_PATH = "/picture.png"
_NOWHERE = "http://pictures.invalid/picture.png"  # a name that is reserved for never being one


@contextmanager
def _hosting(probe: Probe, pages: Mapping[str, Page] | None = None) -> Iterator[PictureHost]:
    """A host that the server under test can reach, with a plain picture at ``_PATH`` and other pages."""
    _ = probe.steering
    transport = probe.bench.transport
    if not transport.in_process and not _is_here(transport.host):
        raise NotApplicable("the server is on another machine and cannot reach a host of ours")
    with picture_host({_PATH: Page(probe.picture()), **(pages or {})}) as host:
        yield host


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _at_image(probe: Probe, reply: Reply) -> None:
    """400, and the fault is reported at the image."""
    named = fields_at_fault(probe.refused(reply))
    expect("image" in named, f"the details name {sorted(named)} and not image")


def _not_fetched(probe: Probe, reply: Reply) -> None:
    """400 with the words for an address that may not be fetched from, not with those for one that failed."""
    _at_image(probe, reply)
    words = probe.facts.edition.messages.image_url_refused.partition("{")[0]
    told = messages_of(reply, "image")
    expect(any(text.startswith(words) for text in told), f"the fault is told as {told}, not as {words!r}")


# --- what is fetched ----------------------------------------------------------------------------------------


@check("EDIT-IMG-003", spends=1)
def a_picture_is_fetched_from_its_address(probe: Probe, _value: None) -> None:
    """The host is asked for it, and its picture is edited."""
    with _hosting(probe) as host:
        reply = in_json(probe.session(fetch=["loopback"]), host.url(_PATH))
        expect(bool(host.asked), f"the host on 127.0.0.1 was never asked, and {reply.status} was answered")
        probe.succeeds(reply)


@check("EDIT-IMG-003", spends=1)
def an_https_address_is_called_in_tls(probe: Probe, _value: None) -> None:
    """The host, which speaks no TLS, is greeted in it."""
    with _hosting(probe) as host:
        reply = in_json(probe.session(fetch=["loopback"]), host.url(_PATH, scheme="https"))
        expect(host.tls > 0, f"nobody called in TLS, and {reply.status} was answered")


@check("EDIT-IMG-005", spends=1)
def an_address_in_a_text_part_is_fetched(probe: Probe, _value: None) -> None:
    """A part without a file name may hold an address."""
    with _hosting(probe) as host:
        probe.succeeds(in_text_part(probe.session(fetch=["loopback"]), host.url(_PATH)))


@check("EDIT-IMG-035", spends=4)
def the_way_that_a_picture_takes_does_not_matter(probe: Probe, _value: None) -> None:
    """As base64 and as an upload, and on a mock as data URL and by address, one picture gives one result."""
    picture = Picture(256, 256, format="jpeg", pattern="detail")
    data = probe.picture(picture)
    replies = {"base64": in_json(probe, data), "an upload": uploaded(probe, picture)}
    if probe.steerable:
        replies["a data URL"] = in_json(probe, data_url(data, "image/jpeg"))
        with _hosting(probe, {"/picture.jpg": Page(data)}) as host:
            replies["an address"] = in_json(probe.session(fetch=["loopback"]), host.url("/picture.jpg"))
    for way, reply in replies.items():
        equal(probe.unmasked(reply).status, 200, f"the status with {way}")
    seen = {way: picture_of(reply) for way, reply in replies.items()}
    for way, reply in replies.items():
        equal(seen[way].size, seen["base64"].size, f"the size with {way}")
        if probe.steerable:
            same = same_pixels(reply.body, replies["base64"].body)
            expect(same, f"{way} gives other pixels than base64")


# --- addresses that yield no picture ------------------------------------------------------------------------

_ENDLESS = 128  # MiB: several times what may be fetched
_BAD_PAGES: dict[str, Page] = {
    "not found": Page(b"no such picture", 404),
    "an error": Page(b"broken", 500),
    "a page": Page(b"<!DOCTYPE html><title>A page</title>", headers=(("Content-Type", "text/html"),)),
    "nothing": Page(),
    "circular": redirect("/circular"),
    "a redirect to nowhere": redirect("http://"),
    "too large": Page(bytes(1 << 20), length=26_214_400, times=25),
    "endless": Page(bytes(1 << 20), length="untold", times=_ENDLESS),
    "cut short": Page(b"\x89PNG\r\n\x1a\n", length=5000),
    "no HTTP": Page(raw=b"220 ready\r\n"),
    "hung up": Page(raw=b""),
}
_BOUND_S = 30.0


def _path_of(name: str) -> str:
    return "/" + name.replace(" ", "-")


@check("EDIT-IMG-025", witnesses=("no such host",))
def a_name_that_is_no_host_is_refused(probe: Probe, _value: str) -> None:
    """A 4xx in bounded time."""
    _refused_in_time(probe, in_json(probe, _NOWHERE))


@check("EDIT-IMG-025", witnesses=("refused", *_BAD_PAGES))
def an_address_without_a_picture_is_refused(probe: Probe, name: str) -> None:
    """A 4xx in bounded time, whatever the host does."""
    with _hosting(probe, {_path_of(name): page for name, page in _BAD_PAGES.items()}) as host:
        address = host.url(_path_of(name))
        if name == "refused":
            address = f"http://127.0.0.1:{closed_port()}{_PATH}"
        _refused_in_time(probe, in_json(probe.session(fetch=["loopback"]), address))


def _refused_in_time(probe: Probe, reply: Reply) -> None:
    status = probe.unmasked(reply).status
    expect(400 <= status < 500, f"answered {status}, expected a refusal")
    expect(reply.seconds <= _BOUND_S, f"the answer took {reply.seconds:.0f} s")


@check("EDIT-IMG-029", witnesses=(3, 4), spends=1)
def the_fourth_redirect_is_not_followed(probe: Probe, hops: int) -> None:
    """Three are."""
    steps = {f"/{left}": redirect(f"/{left - 1}" if left > 1 else _PATH) for left in range(1, hops + 1)}
    with _hosting(probe, steps) as host:
        reply = in_json(probe.session(fetch=["loopback"]), host.url(f"/{hops}"))
        if hops <= 3:
            probe.succeeds(reply)
        else:
            probe.refused(reply)
            expect(_PATH not in host.asked, f"the redirect number {hops} is followed")


_MOST_READ_AHEAD = 24 << 20  # bytes that sockets may hold beyond what was read


@check("EDIT-IMG-029", witnesses=("endless", "declared", "the limit", "below the limit"), spends=1)
def a_fetch_ends_at_the_limit(probe: Probe, kind: str) -> None:
    """413 as soon as the limit's bytes have come, or are announced; a byte less is edited."""
    limit = probe.facts.edition.limits.max_file_bytes_exclusive
    length = limit - 1 if kind == "below the limit" else limit
    whole = Picture(256, 256, mode="1", pattern="flat", pad_to=length)
    pages = {
        "endless": Page(bytes(1 << 20), length="untold", times=_ENDLESS),
        "declared": Page(bytes(1 << 20), length=limit, times=_ENDLESS),
    }
    page = pages[kind] if kind in pages else Page(probe.picture(whole), length="untold")
    with _hosting(probe, {"/large": page}) as host:
        reply = in_json(probe.session(fetch=["loopback"]), host.url("/large"))
        probe.status(reply, 200 if kind == "below the limit" else 413)
        expect(
            host.sent <= limit + _MOST_READ_AHEAD, f"{host.sent} bytes were taken, and {limit} is the limit"
        )


@check("EDIT-IMG-029", witnesses=(13,), heavy=True)
def a_fetch_ends_after_ten_seconds(probe: Probe, seconds: int) -> None:
    """A picture that takes longer is not waited for."""
    with _hosting(probe, {"/slow": Page(probe.picture(), slow_s=seconds)}) as host:
        reply = in_json(probe.session(fetch=["loopback"]), host.url("/slow"))
        _at_image(probe, reply)
        expect(9 <= reply.seconds <= 12, f"the fetch ended after {reply.seconds:.1f} s, expected 10")


# --- what may be fetched ------------------------------------------------------------------------------------

_POLICIES = (["loopback"], ["public"], ["loopback", "public"])
_FORBIDDEN = (
    "169.254.169.254", "10.0.0.1", "[fe80::1]", "192.168.1.1", "172.16.0.1", "100.100.100.200",
    "168.63.129.16", "[fd00:ec2::254]", "[::ffff:10.0.0.1]", "2852039166",
)  # fmt: skip


@check("EDIT-IMG-026", witnesses=_FORBIDDEN)
def private_addresses_are_never_called(probe: Probe, address: str) -> None:
    """Not under any setting, directly or by redirect."""
    target = f"http://{address}{_PATH}"
    with _hosting(probe, {"/away": redirect(target)}) as host:
        for policy in _POLICIES:
            session = probe.session(fetch=policy)
            _not_fetched(probe, in_json(session, target))
            if "loopback" in policy:
                _not_fetched(probe, in_json(session, host.url("/away")))


_THIS_MACHINE = ("0.0.0.0", "0", "[::ffff:0.0.0.0]", "0x0.0")


@check("EDIT-IMG-026", witnesses=_THIS_MACHINE)
def the_unspecified_address_is_no_way_to_this_machine(probe: Probe, name: str) -> None:
    """It leads here on most systems, and is neither loopback nor public."""
    with _hosting(probe) as host, _hosting(probe, {"/away": redirect(host.url(_PATH, name))}) as other:
        for policy in _POLICIES:
            session = probe.session(fetch=policy)
            in_json(session, host.url(_PATH, name))
            expect(not host.asked, f"{name} is called when {' and '.join(policy)} may be")
            in_json(session, other.url("/away"))
            expect(
                not host.asked, f"a redirect to {name} is followed when {' and '.join(policy)} may be called"
            )


_SETTINGS: tuple[tuple[list[str], str, bool], ...] = (
    (["loopback"], "127.0.0.1:PORT", True),
    (["loopback"], "localhost:PORT", True),
    (["loopback"], "2130706433:PORT", True),
    (["loopback"], "pictures.example", False),
    (["loopback"], "198.51.100.7", False),
    (["none"], "127.0.0.1:PORT", False),
    (["public"], "127.0.0.1:PORT", False),
    (["public"], "localhost:PORT", False),
    (["public"], "[::ffff:127.0.0.1]:PORT", False),
    (["public"], "0x7f.1:PORT", False),
    (["public", "loopback"], "127.0.0.1:PORT", True),
    (["127.0.0.1"], "127.0.0.1:PORT", True),
    (["127.0.0.1:PORT"], "127.0.0.1:PORT", True),
    (["127.0.0.1:1"], "127.0.0.1:PORT", False),
    (["pictures.example"], "127.0.0.1:PORT", False),
    (["127.0.0.2"], "pictures.example", False),
)


@check("EDIT-IMG-030", witnesses=_SETTINGS, spends=1)
def the_setting_says_what_is_fetched(probe: Probe, value: Sequence[Any]) -> None:
    """200 for an address inside; 400 at the image for one outside, and nobody is called."""
    entries, place, inside = value
    with _hosting(probe) as host:
        port = str(host.port)
        session = probe.session(fetch=[entry.replace("PORT", port) for entry in entries])
        reply = in_json(session, f"http://{place.replace('PORT', port)}{_PATH}")
        if inside:
            probe.succeeds(reply)
        else:
            _not_fetched(probe, reply)
            expect(not host.asked, f"{place} was called although only {', '.join(entries)} may be")


@check("EDIT-IMG-030", spends=1)
def by_default_only_loopback_is_fetched_from(probe: Probe, _value: None) -> None:
    """Unless it was started otherwise, the mock says that this is its setting, and keeps to it."""
    session = probe.session()
    allowed = session.steering.config()["fetch"]
    if allowed != ["loopback"]:
        raise NotApplicable(f"the server was started with --fetch {','.join(allowed)}")
    with _hosting(probe) as host:
        probe.succeeds(in_json(session, host.url(_PATH)))
    _not_fetched(probe, in_json(session, "http://pictures.example/picture.png"))


# --- names that change --------------------------------------------------------------------------------------

_CHANGING = "changing.example"


@contextmanager
def _changing_name(first: str, later: str) -> Iterator[list[str]]:
    """Within the block this process resolves ``_CHANGING`` to ``first`` once and to ``later`` ever after.

    What it was told each time is yielded. All other names are resolved as ever.
    """
    original, answered, lock = socket.getaddrinfo, list[str](), threading.Lock()

    def resolve(host: Any, *rest: Any, **more: Any) -> Any:
        if host not in (_CHANGING, _CHANGING.encode()):
            return original(host, *rest, **more)
        with lock:
            answered.append(later if answered else first)
            return original(answered[-1], *rest, **more)

    socket.getaddrinfo = resolve
    try:
        yield answered
    finally:
        socket.getaddrinfo = original


@check("EDIT-IMG-031", witnesses=(("127.0.0.1", "127.0.0.2"), ("127.0.0.1", "0.0.0.0")), spends=1)
def a_name_that_changes_gains_nothing(probe: Probe, value: Sequence[str]) -> None:
    """Whoever was judged is called: a resolver's second answer is never used.

    Seen in process alone, where the resolver can be replaced.
    """
    if not probe.bench.transport.in_process:
        raise NotApplicable("the resolver of another process cannot be replaced")
    with _hosting(probe) as host, _changing_name(value[0], value[1]) as answered:
        reply = in_json(probe.session(fetch=["loopback", "public"]), host.url(_PATH, _CHANGING))
        equal(answered, [value[0]], "what the resolver told")
        probe.succeeds(reply)
