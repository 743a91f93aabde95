"""Who may use the control plane: one test for each attack on a server that runs on a developer's machine."""

from __future__ import annotations

import json
import re
from typing import Any, cast

import pytest
from starlette.routing import Route

from asgi import Client, Reply
from venice_mock.app import create_app
from venice_mock.control.guard import Guard, is_loopback
from venice_mock.errors import ApiError
from venice_mock.settings import Settings
from wallets import CLOCK, MakeClient, called, control, now_of

ADVANCE = CLOCK + "/advance"
EVERY_ROUTE = pytest.mark.parametrize(("method", "path"), [("GET", CLOCK), ("PUT", CLOCK), ("POST", ADVANCE)])
BODIES = {"PUT": b'{"offset_s": 1000}', "POST": b'{"seconds": 1000}', "GET": b""}


def ask(
    client: Client, method: str, path: str, content_type: str | None = "application/json", **said: str
) -> Reply:
    """A request that would work, with these headers (``_`` for ``-``)."""
    headers = {name.replace("_", "-"): value for name, value in said.items()}
    return client.send(
        BODIES.get(method, b""),
        method=method,
        path=path,
        headers=headers,
        content_type=content_type,
        key=None,
    )


def closed(reply: Reply, status: int = 403) -> None:
    assert reply.status == status
    assert list(json.loads(reply.body)) == ["error"]
    assert not [name for name in reply.headers if name.startswith("access-control-")]


def unmoved(client: Client) -> bool:
    return bool(client.get(CLOCK, **TOKEN).json["offset_s"] == 0)


TOKEN = {"x-mock-token": "s3same"}


@EVERY_ROUTE
@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "evil.example:8402", "127.0.0.1.evil.example", "localhost.evil.example:8402", ""),
        *("8.8.8.8:8402", "0.0.0.0:8402", "[2001:db8::1]:8402", "localhost@evil.example", "128.0.0.1", "["),
    ],
)
def test_a_name_that_was_rebound_to_this_machine_is_not_this_machine(
    client: Client, method: str, path: str, host: str
) -> None:
    closed(ask(called(client, host), method, path))
    assert unmoved(client)


@EVERY_ROUTE
@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8402", "127.0.0.1:1", "127.8.8.8", "[::1]:8402", "[::1]"]
)
def test_every_name_of_this_machine_serves(client: Client, method: str, path: str, host: str) -> None:
    assert ask(called(client, host), method, path).status == 200


@EVERY_ROUTE
@pytest.mark.parametrize(
    "origin",
    [
        *("http://evil.example", "https://evil.example:8402", "null", "", "http://127.0.0.1:3000", "file://"),
        *(
            "http://localhost:8402",
            "http://127.0.0.1:8402.evil.example",
            "http://127.0.0.1:8402@evil.example",
        ),
    ],
)
def test_a_page_of_another_origin_is_refused(client: Client, method: str, path: str, origin: str) -> None:
    closed(ask(client, method, path, Origin=origin))
    assert unmoved(client)


@EVERY_ROUTE
@pytest.mark.parametrize("site", ["cross-site", "same-site", "", "nonsense"])
def test_a_page_of_another_site_is_refused_whatever_origin_it_shows(
    client: Client, method: str, path: str, site: str
) -> None:
    closed(ask(client, method, path, Sec_Fetch_Site=site))
    closed(ask(client, method, path, Sec_Fetch_Site=site, Origin="http://127.0.0.1:8402"))
    assert unmoved(client)


@EVERY_ROUTE
@pytest.mark.parametrize("site", ["same-origin", "none"])
def test_our_own_page_and_the_address_bar_are_served(
    client: Client, method: str, path: str, site: str
) -> None:
    assert ask(client, method, path, Sec_Fetch_Site=site).status == 200
    reply = ask(client, method, path, Sec_Fetch_Site=site, Origin="http://127.0.0.1:8402")
    assert reply.status == 200
    assert not [name for name in reply.headers if name.startswith("access-control-")]


@pytest.mark.parametrize(("method", "path"), [("PUT", CLOCK), ("POST", ADVANCE)])
@pytest.mark.parametrize(
    "content_type",
    [
        *("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", None, ""),
        *("text/plain; application/json", "application/jsonp", "application/json, text/plain"),
    ],
)
def test_a_change_that_a_form_could_send_is_refused(
    client: Client, method: str, path: str, content_type: str | None
) -> None:
    closed(ask(client, method, path, content_type), 415)
    assert unmoved(client)
    assert ask(client, method, path, "Application/JSON; charset=utf-8").status == 200


def test_a_delete_without_a_body_needs_no_content_type(client: Client) -> None:
    control(client, "POST", "/__mock/rules", then={"seed": 7})
    path = "/__mock/rules"
    for refused in (
        ask(client, "DELETE", path, "text/plain"),
        ask(client, "DELETE", path, None, Content_Length="2"),
        ask(client, "DELETE", path, None, Transfer_Encoding="chunked"),
    ):
        closed(refused, 415)
    closed(ask(client, "DELETE", path, None, Sec_Fetch_Site="cross-site"))
    closed(ask(client, "DELETE", path, None, Origin="http://evil.example"))
    reply = ask(client, "DELETE", path, None, Content_Length="0")
    assert (reply.status, reply.json) == (200, {"deleted": ["rule-1"]})
    assert ask(client, "DELETE", "/__mock/requests", None).status == 200


@pytest.mark.parametrize("path", [CLOCK, ADVANCE])
@pytest.mark.parametrize("origin", ["http://evil.example", "http://127.0.0.1:8402"])
def test_a_preflight_is_never_granted(client: Client, path: str, origin: str) -> None:
    for asked in ("PUT", "POST", "GET"):
        reply = ask(
            client,
            "OPTIONS",
            path,
            None,
            Origin=origin,
            Access_Control_Request_Method=asked,
            Access_Control_Request_Headers="content-type",
            Access_Control_Request_Private_Network="true",
        )
        closed(reply, 405)


# --- beyond loopback -----------------------------------------------------------------------------------------


@EVERY_ROUTE
@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "mock.internal"])
def test_a_server_that_listens_to_the_network_has_no_control_plane_without_a_token(
    make_client: MakeClient, method: str, path: str, host: str
) -> None:
    exposed = make_client(host=host)
    closed(ask(exposed, method, path))
    closed(ask(exposed, method, path, **{"X-Mock-Token": ""}))
    closed(ask(exposed, method, path, **{"X-Mock-Token": "None"}))


@EVERY_ROUTE
@pytest.mark.parametrize("host", ["0.0.0.0", "127.0.0.1"])
def test_a_token_that_is_set_must_be_shown(
    make_client: MakeClient, method: str, path: str, host: str
) -> None:
    client = make_client(host=host, control_token="s3same")
    for wrong in ({}, *({"X-Mock-Token": token} for token in ("", "s3sam", "s3same ", "S3SAME", "s3samé"))):
        closed(ask(client, method, path, **wrong))
    closed(ask(client, method, path, Authorization="Bearer s3same"))
    closed(ask(client, method, f"{path}?token=s3same"))
    assert unmoved(client)
    assert ask(client, method, path, **TOKEN).status == 200


def test_a_token_does_not_open_the_door_to_strange_names_or_pages(make_client: MakeClient) -> None:
    client = make_client(host="0.0.0.0", control_token="s3same")
    closed(ask(called(client, "mock.internal:8402"), "PUT", CLOCK, **TOKEN))
    closed(ask(client, "PUT", CLOCK, Origin="http://evil.example", **TOKEN))
    assert unmoved(client)


@pytest.mark.parametrize("host", ["mock.internal", "MOCK.internal:8402", "other.internal:99"])
def test_further_names_may_be_listed_with_or_without_a_port(make_client: MakeClient, host: str) -> None:
    client = make_client(control_hosts=("mock.internal", "other.internal:99"))
    assert ask(called(client, host), "PUT", CLOCK).status == 200
    for stranger in ("other.internal", "other.internal:98", "internal", "x.mock.internal"):
        closed(ask(called(client, stranger), "PUT", CLOCK))


@EVERY_ROUTE
def test_a_server_without_control_has_no_such_routes(make_client: MakeClient, method: str, path: str) -> None:
    client = make_client(control=False, control_token="s3same")
    assert ask(client, method, path, **TOKEN).status == 404
    assert client.get("/livez").status == 200


def test_the_secret_is_in_no_answer(make_client: MakeClient) -> None:
    client = make_client(control_token="s3same")
    for reply in (ask(client, "GET", CLOCK), ask(client, "GET", CLOCK, **TOKEN)):
        assert "s3same" not in reply.body.decode() + str(reply.headers)


def test_the_guard_stands_before_the_control_plane_only(client: Client) -> None:
    stranger = {"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"}
    reply = called(client, "evil.example").send(b"{}", headers=stranger, key="mock_ok")
    assert reply.status == 400  # the vendor's API judges the body
    assert now_of(client) > 0


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        *(("localhost", True), ("127.0.0.1", True), ("127.255.0.1", True), ("::1", True)),
        *(("0.0.0.0", False), ("::", False), ("10.0.0.1", False), ("localhost.", False), ("", False)),
        *(("evil.example", False), ("1", False), ("127.1", False), ("::ffff:8.8.8.8", False)),
    ],
)
def test_this_machine_goes_by_few_names(name: str, ours: bool) -> None:
    assert is_loopback(name) is ours


SAMPLE = "/__mock/sample.png"  # a picture that anybody may see
PAGES = (
    "/__mock/",
    "/__mock/static/index.html",
)  # of the inspector: they tell nothing, and ask for the token
_MEMBERS = {
    "{file}": "index.html",
    "{account}": "mock_ok",
    "{session}": "default",
    "{id}": "req-000001",
    "{rule}": "no-such-rule",
}
CONTROL_ROUTES = [
    (method, re.sub(r"\{\w+\}", lambda name: _MEMBERS[name[0]], route.path_format))
    for route in cast("list[Route]", create_app(Settings()).routes)
    if route.path.startswith("/__mock") and route.path != SAMPLE
    for method in sorted(route.methods or ())
]


def let_in(reply: Reply) -> bool:
    """Whether a request got past guard and routing, whatever became of it behind them."""
    routed = reply.status != 404 or json.loads(reply.body or b"{}").get("error", "") != "Not found"
    return routed and reply.status not in (403, 405, 415)


def quiet(client: Client) -> Client:
    """The same, with streams that end at once."""
    cast(Any, client.app).state.streams.stop()
    return client


def test_the_routes_of_the_control_plane_are_found() -> None:
    found = set(CONTROL_ROUTES)
    assert {("GET", "/__mock"), ("PATCH", "/__mock/accounts/mock_ok"), ("POST", "/__mock/reset")} <= found


@pytest.mark.parametrize(("method", "path"), CONTROL_ROUTES)
def test_no_route_of_the_control_plane_is_open(make_client: MakeClient, method: str, path: str) -> None:
    client, changes = quiet(make_client()), method not in ("GET", "HEAD")
    assert let_in(ask(client, method, path))
    assert ask(called(client, "evil.example"), method, path).status == 403
    assert ask(client, method, path, Origin="http://evil.example").status == 403
    assert ask(client, method, path, Sec_Fetch_Site="cross-site").status == 403
    assert (ask(client, method, path, content_type="text/plain").status == 415) is changes
    assert ask(make_client(host="0.0.0.0"), method, path).status == 403
    guarded = quiet(make_client(control_token="s3same"))
    assert ask(guarded, method, path).status == (200 if path in PAGES else 403)
    assert let_in(ask(guarded, method, path, **TOKEN))
    assert ask(make_client(control=False), method, path).status == 404
    answers: list[Any] = [
        ask(client, "OPTIONS", path, Access_Control_Request_Method=method),
        ask(client, method, path),
    ]
    assert not [name for reply in answers for name in reply.headers if name.startswith("access-control-")]


def test_the_sample_is_for_everybody(client: Client) -> None:
    assert called(client, "evil.example").get(SAMPLE).status == 200


@pytest.mark.parametrize(
    "host", ["[::1]evil", "localhost:80@evil", "localhost/evil", "[127.0.0.1", "", "::1"]
)
def test_what_is_no_host_is_not_this_machine(host: str) -> None:
    with pytest.raises(ApiError) as caught:
        Guard().check("GET", {"host": host})
    assert caught.value.status == 403


def test_behind_a_trusted_proxy_the_control_plane_wants_a_token(make_client: MakeClient) -> None:
    assert make_client(trust_proxy=True).get("/__mock/clock").status == 403
    opened = make_client(trust_proxy=True, control_token="a token of four words")
    assert opened.get("/__mock/clock", **{"x-mock-token": "a token of four words"}).status == 200
