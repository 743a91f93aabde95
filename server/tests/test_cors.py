"""Pages of other origins: let in to the API where the user says so, and to the control plane never."""

from __future__ import annotations

from typing import Any

import pytest

from asgi import Client, Reply
from conftest import MakeClient
from rulekit import EDIT, good, good_body, wire
from sessions import opened, under
from test_control_guard import CONTROL_ROUTES, quiet
from venice_mock.settings import Settings, SettingsError, load_settings

APP = "http://localhost:3000"
EVIL = "http://evil.example"
MODELS = "/api/v1/models"


def preflight(client: Client, path: str, origin: str = APP, asks: str = "content-type", **more: str) -> Reply:
    """What a browser asks before a POST from a page of ``origin``."""
    said = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": asks,
        **{name.replace("_", "-"): value for name, value in more.items()},
    }
    return client.send(method="OPTIONS", path=path, headers=said, content_type=None, key=None)


def cors(reply: Reply) -> dict[str, str]:
    return {name: value for name, value in reply.headers.items() if name.startswith("access-control-")}


# --- off, as it is by default --------------------------------------------------------------------------------


def test_by_default_no_page_of_another_origin_may_read_anything(client: Client) -> None:
    assert Settings().cors == ()
    for reply in (
        client.get(MODELS, origin=APP),
        client.edit(headers={"Origin": APP}, **good()),
        preflight(client, EDIT),
        preflight(client, MODELS, "null"),
    ):
        assert cors(reply) == {}
        assert "vary" not in reply.headers
    assert preflight(client, EDIT).status == 405


def test_the_sample_picture_is_for_the_pages_that_may_edit_it(make_client: MakeClient) -> None:
    sample = "/__mock/sample.png"
    assert cors(make_client().get(sample, origin=APP)) == {}
    client = make_client(cors=(APP,))
    assert cors(client.get(sample, origin=APP))["access-control-allow-origin"] == APP
    assert cors(client.get(sample, origin=EVIL)) == {}
    assert cors(client.get("/__mock/requests", origin=APP)) == {}


# --- on ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("origin", [APP, EVIL, "null", "https://a.example"])
def test_a_star_lets_every_page_read_without_credentials(make_client: MakeClient, origin: str) -> None:
    client = make_client(cors=("*",), engine="fast")
    reply = client.edit(headers={"Origin": origin}, **good())
    assert reply.status == 200
    assert cors(reply) == {"access-control-allow-origin": "*", "access-control-expose-headers": "*"}
    granted = preflight(client, EDIT, origin)
    assert (granted.status, granted.body) == (204, b"")
    assert cors(granted)["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in cors(reply) | cors(granted)


def test_a_list_lets_just_its_origins_in_and_is_told_to_caches(make_client: MakeClient) -> None:
    client = make_client(cors=(APP, "https://a.example"))
    for origin in (APP, "https://a.example"):
        told = client.get(MODELS, origin=origin)
        assert cors(told)["access-control-allow-origin"] == origin
        assert told.headers["vary"] == "Origin"
        assert cors(preflight(client, EDIT, origin))["access-control-allow-origin"] == origin
    for stranger in (
        EVIL,
        "null",
        "",
        APP + ".evil.example",
        "http://localhost:30000",
        "https://localhost:3000",
        "*",
    ):
        told = client.get(MODELS, origin=stranger)
        assert (told.status, cors(told), told.headers["vary"]) == (200, {}, "Origin")
        refused = preflight(client, EDIT, stranger)
        assert (refused.status, cors(refused)) == (405, {})
    assert cors(client.get(MODELS)) == {}


def test_two_origins_are_none(make_client: MakeClient) -> None:
    client = make_client(cors=(APP,))
    origins = f"Origin: {APP}\r\nOrigin: {EVIL}\r\n"
    request = f"GET {MODELS} HTTP/1.1\r\nHost: localhost\r\n{origins}Connection: close\r\n\r\n"
    answer = wire(client, request.encode())
    assert answer.startswith(b"HTTP/1.1 200")
    assert b"access-control-" not in answer.lower()


def test_refusals_can_be_read_too_and_so_can_a_defect(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make_client(cors=(APP,))
    for reply, status in (
        (client.send(b"{", headers={"Origin": APP}), 400),
        (client.edit(key=None, headers={"Origin": APP}, **good()), 402),
        (client.get("/api/v1/nothing", origin=APP), 404),
        (client.send(method="DELETE", headers={"Origin": APP}), 405),
    ):
        assert (reply.status, cors(reply)["access-control-allow-origin"]) == (status, APP)

    def broken(*_: Any) -> Any:
        raise RuntimeError("a bug")

    monkeypatch.setattr("venice_mock.web.api.list_models", broken)
    request = f"GET {MODELS} HTTP/1.1\r\nHost: localhost\r\nOrigin: {APP}\r\nConnection: close\r\n\r\n"
    answer = wire(client, request.encode()).lower()
    assert answer.startswith(b"http/1.1 500")
    assert f"access-control-allow-origin: {APP}".encode() in answer
    assert answer.count(b"x-mock-request-id: ") == 1


def test_a_preflight_grants_what_clients_of_this_api_send(make_client: MakeClient) -> None:
    client = make_client(cors=(APP,))
    names = "authorization,content-type,x-mock,x-request-id,x-sign-in-with-x"
    granted = cors(preflight(client, EDIT, asks=names))
    assert granted["access-control-allow-headers"] == names
    assert granted["access-control-allow-methods"] == "GET, POST"
    assert int(granted["access-control-max-age"]) > 0
    usual = cors(preflight(client, EDIT, asks="x" * 5000))["access-control-allow-headers"]
    assert usual == "authorization, content-type"


def test_only_a_listed_page_of_the_internet_may_reach_into_this_machine(make_client: MakeClient) -> None:
    private = {"Access_Control_Request_Private_Network": "true"}
    header = "access-control-allow-private-network"
    assert cors(preflight(make_client(cors=(APP,)), EDIT, **private))[header] == "true"
    assert header not in cors(preflight(make_client(cors=("*",)), EDIT, **private))
    assert header not in cors(preflight(make_client(cors=(APP,)), EDIT))


def test_an_ordinary_options_is_no_preflight(make_client: MakeClient) -> None:
    reply = make_client(cors=("*",)).send(method="OPTIONS", headers={"Origin": APP}, key=None)
    assert (reply.status, reply.headers["allow"]) == (405, "POST")


def test_a_session_is_served_alike_and_a_preflight_is_in_no_journal(make_client: MakeClient) -> None:
    client = make_client(cors=(APP,), engine="fast")
    session = opened(client, "t17")
    assert preflight(session, EDIT).status == 204
    assert cors(session.send(good_body(), headers={"Origin": APP}))["access-control-allow-origin"] == APP
    assert [entry["method"] for entry in session.get("/__mock/requests").json["requests"]] == ["POST"]


# --- never the control plane ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "path"), CONTROL_ROUTES)
@pytest.mark.parametrize("allowed", ["*", APP])
def test_no_answer_of_the_control_plane_is_for_another_origin(
    make_client: MakeClient, method: str, path: str, allowed: str
) -> None:
    client = quiet(make_client(cors=(allowed,)))
    opened(client, "t17")
    for place in (client, under(client, "t17")):
        for origin in (APP, "http://127.0.0.1:8402"):
            granted = preflight(place, path, origin)
            assert (granted.status, cors(granted)) == (405, {})
            reply = place.send(b"{}", method=method, path=path, headers={"Origin": origin}, key=None)
            assert (reply.status == 403) is (origin == APP)
            assert cors(reply) == {}


@pytest.mark.parametrize(
    "path",
    [
        *("/livez", "/readyz", "/metrics", "/__mock/sample.pngs", "/", "/apix/v1/models", "/xapi/v1/models"),
        *("/__mock/../api/v1/models", "/__mock/api/v1/models", "/__s/t17/__mock/api/v1", "/__s/t17/../api"),
        *("//api/v1/models", "/__s/api/v1/models", "/__s/t17api/v1/models"),
    ],
)
def test_a_path_that_only_looks_like_the_apis_is_not(make_client: MakeClient, path: str) -> None:
    client = make_client(cors=("*",))
    opened(client, "t17")
    assert cors(client.get(path, origin=APP)) == {}
    granted = preflight(client, path)
    assert granted.status in (404, 405)
    assert cors(granted) == {}


@pytest.mark.parametrize(
    "path", ["/api/v1/../../__mock/clock", "/api/../__mock/clock", "/__s/t17/api/v1/../../__mock/clock"]
)
def test_a_path_that_leads_out_of_the_api_leads_nowhere(make_client: MakeClient, path: str) -> None:
    client = make_client(cors=("*",))
    opened(client, "t17")
    reply = client.get(path, origin=APP)
    assert (reply.status, "now" in reply.json) == (404, False)


# --- how it is said ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "origins"),
    [
        *(("off", ()), ("*", ("*",)), ("http://LOCALHOST:3000", ("http://localhost:3000",))),
        ("http://a.example, https://b.example:8443", ("http://a.example", "https://b.example:8443")),
        ("http://[::1]:3000", ("http://[::1]:3000",)),
    ],
)
def test_origins_are_listed_as_browsers_send_them(text: str, origins: tuple[str, ...]) -> None:
    assert load_settings({"cors": text}, {}).cors == origins


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "on",
            "localhost:3000",
            "http://",
            "http://a.example/",
            "http://a.example/path",
            "file://",
            "null",
        ),
        *("*,http://a.example", "http://*.example", "http://a b", "ftp://a.example", "off,http://a.example"),
    ],
)
def test_what_is_no_origin_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="expected off, \\* or origins"):
        load_settings({"cors": text}, {})
