"""No secret comes out of the journal, wherever a client puts one where secrets go."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from asgi import Client
from conftest import MakeClient
from journals import LINT, REQUESTS, VERDICT, ask, entries, newest
from rulekit import EDIT, SMALL, Clock, good, good_body, server_of
from venice_mock.accounts.keys import account_id
from wallets import control, hand_in, purse_of

SECRET = "correct-horse-battery-staple"  # of a public comic: it opens nothing


def told(client: Client) -> str:
    """Everything that the journal says, in every way in which it can be asked."""
    texts = [client.get(REQUESTS).body, client.get(VERDICT).body, client.get(LINT).body]
    texts += [client.get(f"{REQUESTS}/{entry['id']}").body for entry in entries(client)]
    texts += [ask(client, {"status": 999}).body, ask(client, {"key": SECRET}, exactly=999).body]
    texts += [client.get(f"{REQUESTS}/{entry['id']}/output").body for entry in entries(client)]
    return b"\n".join(texts).decode("utf-8", "replace") + _kept(client)


def _kept(client: Client) -> str:
    """And everything that it holds without saying it."""
    return "".join(repr(story) for story in server_of(client).session.journal)


HEADERS = (
    *(
        "authorization",
        "sign-in-with-x",
        "x-sign-in-with-x",
        "payment-signature",
        "x-402-payment",
        "x-payment",
    ),
    *("cookie", "x-api-key", "proxy-authorization", "x-mock-token", "referer", "x-unknown"),
)


@pytest.mark.parametrize("name", HEADERS)
@pytest.mark.parametrize("path", [EDIT, "/api/v1/x402/top-up", "/api/v1/billing/balance", "/api/v1/nothing"])
def test_a_header_that_may_hold_a_secret_is_named_and_not_repeated(
    client: Client, name: str, path: str
) -> None:
    method = "GET" if "balance" in path else "POST"
    client.send(good_body(), path=path, method=method, key=None, headers={name: f"Bearer {SECRET}"})
    assert newest(client)["request"]["headers"][name] == "[hidden]"
    assert SECRET not in told(client)


def test_a_header_that_is_shown_is_scrubbed(client: Client) -> None:
    client.send(good_body(), headers={"user-agent": f"client Bearer {SECRET}"})
    assert newest(client)["request"]["headers"]["user-agent"] == "client Bearer [hidden]"
    assert SECRET not in told(client)


@pytest.mark.parametrize("status", [200, 401])
def test_a_key_is_told_as_its_account_and_its_last_four_characters(
    make_client: MakeClient, tmp_path: Path, status: int
) -> None:
    file = tmp_path / "keys.json"
    file.write_text(json.dumps({SECRET if status == 200 else "another": {}}), "utf-8")
    client = make_client(keys=file)
    assert client.edit(key=SECRET, **good()).status == status
    caller = newest(client)["caller"]
    assert (caller["account"], caller["last4"], caller["magic_key"]) == (account_id(SECRET), "aple", None)
    assert SECRET not in told(client)


def test_a_key_that_only_looks_magic_is_hidden(make_client: MakeClient, tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    file.write_text(json.dumps({"mock_" + SECRET: {}}), "utf-8")
    client = make_client(keys=file)
    assert client.edit(key="mock_" + SECRET, **good()).status == 200
    assert client.edit(key="mock_x" + SECRET, **good()).status == 401
    assert SECRET not in told(client)


def test_real_payments_and_sign_ins_are_not_repeated(make_client: MakeClient, tmp_path: Path) -> None:
    purse = purse_of(make_client, tmp_path, "5", wall_clock=Clock())
    sign_in, payment = purse.sign_in(), purse.payment()
    assert purse.edit(sign_in).status == 200
    assert hand_in(purse.client, payment).status == 200
    said = told(purse.client)
    for secret in (sign_in, payment):
        assert secret not in said
        assert secret[-80:-40] not in said  # the signature


@pytest.mark.parametrize(
    ("fields", "hidden"),
    [
        ({"api_key": SECRET}, True),
        ({"Authorization": SECRET}, True),
        ({"access_token": SECRET}, True),
        ({"prompt": SECRET}, False),  # the user's own text is what the journal is for
    ],
)
def test_a_field_that_is_called_like_a_secret_is_hidden(
    client: Client, fields: dict[str, Any], hidden: bool
) -> None:
    client.edit(**good(**fields))
    assert (SECRET in json.dumps(entries(client))) is not hidden


def test_what_opens_a_signed_address_is_hidden(client: Client) -> None:
    place = f"http://user:{SECRET}@127.0.0.1:1/a.png?signature={SECRET}#{SECRET}"
    assert client.edit(**good(image=place)).status == 400
    image = newest(client)["image"]
    assert (image["sent_as"], image["url"]) == ("url", "http://[hidden]@127.0.0.1:1/a.png?[hidden]")
    assert "IMAGE_FILE" in newest(client)["curl"]
    listed = json.dumps(entries(client))
    assert SECRET not in listed


def test_a_query_is_told_without_what_the_route_does_not_know(client: Client) -> None:
    client.get(f"/api/v1/models?key={SECRET}&type=inpaint")
    assert newest(client)["request"]["query"] == "type=inpaint"
    assert SECRET not in told(client)


def test_the_curl_line_of_a_guarded_server_does_not_hold_its_token(make_client: MakeClient) -> None:
    client = make_client(control_token=SECRET)
    client.edit(**good())
    reply = client.get(REQUESTS, **{"x-mock-token": SECRET})
    assert "X-Mock-Token: $VENICE_MOCK_CONTROL_TOKEN" in reply.json["requests"][0]["curl"]
    assert SECRET.encode() not in reply.body


@pytest.mark.parametrize(
    "path", ["", "/req-000001", "/req-000001/input", "/req-000001/output", "/req-000001/thumbnail"]
)
@pytest.mark.parametrize("headers", [{"origin": "http://evil.example"}, {"sec-fetch-site": "cross-site"}])
def test_no_page_of_another_site_reads_the_journal(
    client: Client, path: str, headers: dict[str, str]
) -> None:
    client.form([("prompt", "x"), ("image", SMALL)])
    reply = client.get(REQUESTS + path, **headers)
    assert (reply.status, "access-control-allow-origin" in reply.headers) == (403, False)


@pytest.mark.parametrize("path", [VERDICT, LINT, "/__mock/events", "/__mock/verify"])
def test_nor_what_is_made_of_it(client: Client, path: str) -> None:
    method = "POST" if path.endswith("verify") else "GET"
    reply = client.send(b"{}", method=method, path=path, key=None, headers={"host": "evil.example"})
    assert reply.status in (400, 403)
    assert control(client, "POST", "/__mock/verify").status in (200, 409)
