"""Paths that try to slip past the choice of a session, and the guard before the control plane of each."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

import pytest

from asgi import Client, Reply, request
from conftest import MakeClient
from rulekit import accounts_in, good_body, wire
from sessions import CONFIG, RESET, SESSIONS, opened, under
from test_control_guard import CONTROL_ROUTES, PAGES, TOKEN, closed, let_in, quiet
from wallets import CLOCK, called, control

NOT_FOUND = ("There is no session of that name.", "Not found")
SECRET = "the-name-that-nobody-tells"


def raw(client: Client, target: str, method: str = "GET", host: str | None = None) -> Reply:
    """A request for a target that is sent as it stands, decoded as servers decode it."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        sent = scope["raw_path"].decode()
        await client.app({**scope, "path": unquote(sent)}, receive, send)

    headers = [("content-type", "application/json")] if method != "GET" else []
    asked = Client(app, client.key, client.runner) if host is None else called(Client(app), host)
    return client.runner.run(request(asked.app, method, target, headers, [b"{}"]))


TRICKS = [
    # no name, or none that is one
    *("/__s", "/__s/", "/__s//", "/__s//api/v1/models", "/__s///__mock/clock", "/__s/./livez", "/__s/../livez"),
    *("/__s/../__mock/clock", "/__s/A/livez", "/__s/ a/livez", "/__s/a;b/livez", "/__s/a.b/livez", "/__s/%61/livez"),
    *("/__s/a%00/livez", "/__s/a%0a/livez", "/__s/%2e%2e/livez", "/__s/%2e/__mock/clock", "/__s/a%20/livez"),
    # one that is not there
    *("/__s/ghost/api/v1/models", "/__s/ghost/__mock/clock", "/__s/ghost", "/__s/__mock/clock", "/__s/__s/a/livez"),
    # slashes that are not slashes
    *("/__s%2fa/livez", "/__s%2Fa/__mock/clock", "/%5f%5fs/a/__mock/clock", "/__s/a%2flivez", "/__s/a%2F__mock/clock"),
    *("/__s/a/__mock%2fclock", "/__s/a%2f..%2fb/livez", "/__s/a/..%2fb/__mock/clock", "/__s/a%5clivez"),
    "/__s\\a\\livez",
    *("/__s/a/__mock/%2e%2e%2f__mock/clock", "/__s/a%252flivez", "/__s/a/__mock%2faccounts/k", "/__s/a%3f/livez"),
    # a session in a session, and ways out of it
    *("/__s/a/__s/b/livez", "/__s/a/__s/b/__mock/clock", "/__s/a/__s/a/api/v1/models", "/__s/a/__s", "/__s/a"),
    *("/__s/a/../b/livez", "/__s/a/../../__mock/clock", "/__s/a/./livez", "/__s/a//livez", "/__s/a//__mock/clock"),
    *("/__s/a/%2e%2e/b/livez", "/__s/a/api/v1/../../__mock/clock", "/__s/a/api/v1/../../../b/__mock/clock"),
    *("//__s/a/livez", "/./__s/a/livez", "/x/__s/a/livez", "/api/__s/a/livez", "/api/v1/__s/a/__mock/clock"),
    *("/__mock/__s/a/clock", "/__S/a/livez", "/__sa/livez", "/__s/a/", "/__s/a/__mock//", "/__s/a/__MOCK/clock"),
    *("/__s/a/__mock/static/", "/__s/a/__mock/static/%2e%2e/app.py", "/__s/a/__mock/static/..%2fapp.py"),
]  # fmt: skip


@pytest.mark.parametrize("target", TRICKS)
@pytest.mark.parametrize("method", ["GET", "PUT", "POST"])
def test_a_path_that_is_no_sessions_is_a_clean_404(client: Client, target: str, method: str) -> None:
    for name in ("a", "b", SECRET):
        opened(client, name)
    reply = raw(client, target, method)
    assert (reply.status, reply.json["error"] in NOT_FOUND) == (404, True), reply.body
    assert list(reply.json) == ["error"]
    assert SECRET not in reply.body.decode() + str(reply.headers)


@pytest.mark.parametrize("target", [trick for trick in TRICKS if not trick.startswith("/__s/a/__s/")])
def test_a_trick_does_not_get_past_the_guard_either(client: Client, target: str) -> None:
    opened(client, "a")
    assert raw(client, target, "PUT", host="evil.example").status in (403, 404)


@pytest.mark.parametrize(
    "target", ["/__s/a/__mock/clock", "/__s/../__mock/clock", "/__s/a/__s/b/__mock/clock"]
)
def test_the_same_over_a_real_socket(make_client: MakeClient, target: str) -> None:
    client = make_client()
    opened(client, "a")
    answer = wire(
        client, f"GET {target} HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n".encode()
    )
    assert answer.startswith(b"HTTP/1.1 403" if target == "/__s/a/__mock/clock" else b"HTTP/1.1 404"), answer


@pytest.mark.parametrize(("method", "path"), CONTROL_ROUTES)
@pytest.mark.parametrize("name", ["t17", "default"])
def test_no_route_of_any_sessions_control_plane_is_open(
    make_client: MakeClient, method: str, path: str, name: str
) -> None:
    client, changes = quiet(make_client()), method not in ("GET", "HEAD")
    opened(client, "t17")
    guarded = quiet(make_client(control_token=TOKEN["x-mock-token"]))
    assert control(guarded, "POST", SESSIONS, name="t17").status == 403
    made = guarded.send(b'{"name": "t17"}', path=SESSIONS, headers=TOKEN, key=None)
    assert made.status == 201
    path = f"/__s/{name}{path}"

    def ask(to: Client, content_type: str | None = "application/json", **said: str) -> Reply:
        headers = {header.replace("_", "-"): value for header, value in said.items()}
        return to.send(b"{", method=method, path=path, headers=headers, content_type=content_type, key=None)

    closed(ask(called(client, "evil.example")))
    closed(ask(client, Origin="http://evil.example"))
    closed(ask(client, Sec_Fetch_Site="cross-site"))
    if changes:
        closed(ask(client, "text/plain"), 415)
    if path.partition(f"/{name}")[2] not in PAGES:
        closed(ask(guarded))
    assert let_in(ask(guarded, **TOKEN))
    assert let_in(ask(client))
    assert ask(make_client(control=False)).status == 404


def test_a_server_without_control_has_no_sessions_to_open(make_client: MakeClient) -> None:
    client = make_client(control=False)
    assert control(client, "POST", SESSIONS, name="t17").status == 404
    assert under(client, "t17").get("/livez").status == 404


def test_a_session_cannot_open_the_control_plane_that_a_proxy_would_expose(make_client: MakeClient) -> None:
    client = make_client()
    for reply in (
        control(client, "POST", SESSIONS, name="t17", config={"trust_proxy": True}),
        control(client, "PATCH", CONFIG, trust_proxy=True),
    ):
        assert (reply.status, "control-token" in reply.json["error"]) == (400, True)


def test_whoever_comes_from_beyond_loopback_needs_a_token_whatever_the_settings_say(
    make_client: MakeClient,
) -> None:
    def from_afar(client: Client, address: Any, **headers: str) -> int:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            await client.app({**scope, "client": address}, receive, send)

        return Client(app, None, client.runner).get(CLOCK, **headers).status

    client, guarded = make_client(), make_client(control_token=TOKEN["x-mock-token"])
    for address in ("192.168.1.7", "8.8.8.8", "2001:db8::1", "0.0.0.0"):
        assert from_afar(client, (address, 5000)) == 403
        assert from_afar(guarded, (address, 5000)) == 403
        assert from_afar(guarded, (address, 5000), **TOKEN) == 200
    for here in (("127.0.0.1", 5000), ("::1", 5000), ("testclient", 50000), None):
        assert from_afar(client, here) == 200


def test_a_session_that_is_named_like_a_route_is_a_session(make_client: MakeClient) -> None:
    client = make_client(engine="fast")
    for name in ("accounts", "api", "clock", "ledger", "sessions", "v1"):
        session = opened(client, name)
        for key in ("own", "a/b", "accounts", "/accounts/x", "%2Faccounts%2F"):
            path = "/__mock/accounts/" + key.replace("%", "%25").replace("/", "%2F")
            account = raw(session, path).json["account"]
            assert account == raw(client, path).json["account"]
        assert session.send(good_body()).status == 200
        assert len(raw(session, "/__mock/accounts/a-test-key/ledger").json["entries"]) == 1


def test_an_account_of_one_session_is_not_reached_by_the_name_of_another(client: Client) -> None:
    opened(client, "b")
    told = raw(client, "/__mock/accounts/..%2F..%2F__s%2Fb%2F__mock%2Faccounts%2Fx")
    assert told.json["account"].startswith("key-")
    assert accounts_in(client, "b") == set()


@pytest.mark.parametrize(
    "body", [b"[" * 200_000, b'{"config": ' * 50_000, b'{"config":{"models":{"a":' * 20_000]
)
@pytest.mark.parametrize("path", [SESSIONS, RESET])
def test_a_body_that_is_nested_without_end_is_refused(client: Client, body: bytes, path: str) -> None:
    assert client.send(body, path=path, key=None).status == 400


@pytest.mark.parametrize("depth", [50, 900, 5000])
def test_so_is_a_config(client: Client, depth: int) -> None:
    deep = b'{"models": {"qwen-edit": ' + b'{"pricing": ' * depth + b"1" + b"}" * depth + b"}}"
    for body, path, method in (
        (deep, CONFIG, "PATCH"),
        (b'{"config": ' + deep + b"}", SESSIONS, "POST"),
    ):
        reply = client.send(body, method=method, path=path, key=None)
        assert (reply.status, list(reply.json)) == (400, ["error"])
        assert len(reply.body) < 1000
    assert client.get(CONFIG).json["models"] == {}


def test_a_config_has_a_longest_size_and_so_has_what_patches_add_up_to(client: Client) -> None:
    keys = {f"key-number-{number}": {"balance_usd": "1"} for number in range(1000)}
    assert control(client, "PATCH", CONFIG, keys=keys).status == 200
    more = {f"other-{number}": {"balance_usd": "1"} for number in range(1000)}
    reply = control(client, "PATCH", CONFIG, keys=more)
    assert (reply.status, reply.json) == (
        400,
        {"error": "Config: a session's config has at most 65,536 bytes of JSON"},
    )
    assert len(client.get(CONFIG).json["keys"]) == 1000
    assert client.send(b" " * (1 << 20) + b"{}", path=SESSIONS, key=None).status == 413


def test_no_answer_and_no_log_line_tells_a_listed_key(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    secret = "a-key-that-is-quite-secret"
    configs: list[dict[str, Any]] = [
        {"keys": {secret: {"balance_usd": "5"}}},
        {"keys": {secret: {"balance_usd": "5", "colour": "x"}}},
        {"keys": {secret: "x"}},
        {"keys": {secret + " ": {}}},
        {"keys": {secret: {"balance_usd": "-1"}}},
        {"keys": secret},
        {"control_token": secret},
        {"keys": {secret: {"status": "gone"}}},
    ]
    for config in configs:
        for reply in (
            control(client, "POST", SESSIONS, config=config),
            control(client, "PATCH", CONFIG, **config),
            client.get(CONFIG),
            client.get(SESSIONS),
        ):
            assert secret not in reply.body.decode() + str(reply.headers)
    assert json.loads(client.get(CONFIG).body)["keys"][0]["last4"] == "cret"
    assert secret not in caplog.text
