"""/__mock/openapi.json: complete for the routes that there are, a valid document, and true of real answers."""

from __future__ import annotations

import re
from typing import Any, cast

import msgspec
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from starlette.routing import Route

from asgi import Client
from conftest import MakeClient
from rulekit import good, good_body
from sessions import opened
from test_openapi import body_schema, faults
from venice_mock.app import create_app
from venice_mock.control.state import AccountState, StateFile
from venice_mock.openapi.control import describe_control
from venice_mock.settings import Settings
from venice_mock.web.operations import DescribedRoute, get
from wallets import ALICE, called, control

DOCUMENT = "/__mock/openapi.json"
OURS = [
    route
    for route in cast("list[Route]", create_app(Settings()).routes)
    if not route.path.startswith("/api/") and route.path != "/"  # which only sends browsers to a page
]


def told(client: Client) -> dict[str, Any]:
    document: dict[str, Any] = client.get(DOCUMENT).json
    return document


@pytest.mark.parametrize("route", OURS, ids=lambda route: route.path)
def test_every_route_outside_the_api_is_described_for_each_of_its_methods(
    client: Client, route: Route
) -> None:
    listed = told(client)["paths"][route.path_format]
    methods = {method.lower() for method in route.methods or ()} - {"head"}
    assert methods == set(listed) - {"parameters"}
    for method in methods:
        assert len(listed[method]["summary"]) > 5


def test_no_path_is_described_that_is_not_there(client: Client) -> None:
    paths = {route.path_format for route in OURS} | {"/__mock/accounts/{account}/ledger"}
    assert set(told(client)["paths"]) == paths


def test_the_document_is_valid(client: Client) -> None:
    assert list(OpenAPIV31SpecValidator(told(client)).iter_errors()) == []


def test_operations_have_names_of_their_own_and_parameters_have_descriptions(client: Client) -> None:
    operations = [
        operation
        for path in told(client)["paths"].values()
        for method, operation in path.items()
        if method != "parameters"
    ]
    names = [operation["operationId"] for operation in operations]
    assert len(names) == len(set(names))
    for operation in operations:
        assert all(parameter["description"] for parameter in operation.get("parameters", ()))


def test_a_name_in_a_path_that_nobody_described_is_an_error() -> None:
    async def nobody(_: Any) -> Any:
        raise AssertionError

    route = DescribedRoute("/__mock/things/{thing}", nobody, [get("A thing")])
    with pytest.raises(KeyError):
        describe_control([route], "http://localhost")


@pytest.mark.parametrize("prefix", ["", "/__s/t17"])
def test_it_is_made_out_to_the_session_that_was_asked(client: Client, prefix: str) -> None:
    opened(client, "t17")
    servers = client.get(prefix + DOCUMENT).json["servers"]
    assert [server["url"] for server in servers] == ["http://127.0.0.1:8402" + prefix]


def test_it_stands_behind_the_guard(client: Client, make_client: MakeClient) -> None:
    assert called(client, "evil.example").get(DOCUMENT).status == 403
    assert client.get(DOCUMENT, origin="http://evil.example").status == 403
    assert make_client(control=False).get(DOCUMENT).status == 404


def test_what_the_guard_lets_nobody_do_is_told_where_the_guard_stands(client: Client) -> None:
    for path, node in told(client)["paths"].items():
        for method, operation in node.items():
            if method == "parameters":
                continue
            guarded = path.startswith("/__mock") and path != "/__mock/sample.png"
            assert ("controlToken" in str(operation["security"])) is guarded
            assert (("403" in operation["responses"]) and guarded) or not guarded
            assert ("415" in operation["responses"]) is (guarded and method != "get")


LIFE: list[tuple[str, str, str, dict[str, Any]]] = [
    ("GET", "/livez", "/livez", {}),
    ("GET", "/readyz", "/readyz", {}),
    ("GET", "/__mock", "/__mock", {}),
    ("GET", "/__mock/contract.json", "/__mock/contract.json", {}),
    ("GET", "/__mock/openapi.json", "/__mock/openapi.json", {}),
    ("GET", "/__mock/accounts/{account}", "/__mock/accounts/a-test-key", {}),
    ("GET", "/__mock/accounts", "/__mock/accounts?limit=5", {}),
    ("PUT", "/__mock/accounts/{account}", "/__mock/accounts/a-test-key", {"balance_usd": "7"}),
    ("PATCH", "/__mock/accounts/{account}", f"/__mock/accounts/{ALICE.address}", {"balance_usd": "7.5"}),
    ("PATCH", "/__mock/accounts/{account}", "/__mock/accounts/a-test-key", {"balance_usd": "7,5"}),
    ("GET", "/__mock/accounts/{account}", "/__mock/accounts/mock_nobody", {}),
    ("GET", "/__mock/accounts/{account}/ledger", "/__mock/accounts/a-test-key/ledger?limit=5", {}),
    ("GET", "/__mock/choices", "/__mock/choices", {}),
    ("GET", "/__mock/clock", "/__mock/clock", {}),
    ("PUT", "/__mock/clock", "/__mock/clock", {"frozen_at": "2026-09-01T12:00:00Z"}),
    ("PUT", "/__mock/clock", "/__mock/clock", {}),
    ("POST", "/__mock/clock/advance", "/__mock/clock/advance", {"seconds": 60}),
    ("GET", "/__mock/config", "/__mock/config", {}),
    ("PATCH", "/__mock/config", "/__mock/config", {"seed": 7}),
    ("GET", "/__mock/sessions", "/__mock/sessions", {}),
    ("POST", "/__mock/sessions", "/__mock/sessions", {"name": "t1"}),
    ("POST", "/__mock/sessions", "/__mock/sessions", {"name": "t1"}),
    ("GET", "/__mock/sessions/{session}", "/__mock/sessions/t1", {}),
    ("DELETE", "/__mock/sessions/{session}", "/__mock/sessions/t1", {}),
    ("DELETE", "/__mock/sessions/{session}", "/__mock/sessions/t1", {}),
    ("POST", "/__mock/rules", "/__mock/rules", {"then": {"error": "rate_limited"}, "times": 1, "id": "one"}),
    ("POST", "/__mock/rules", "/__mock/rules", {"then": {"seed": 7}, "id": "one"}),
    ("GET", "/__mock/rules", "/__mock/rules", {}),
    ("GET", "/__mock/rules/{rule}", "/__mock/rules/one", {}),
    ("GET", "/__mock/requests", "/__mock/requests?limit=2", {}),
    ("GET", "/__mock/requests/{id}", "/__mock/requests/req-000001", {}),
    ("GET", "/__mock/requests/{id}", "/__mock/requests/req-999999", {}),
    ("POST", "/__mock/verify", "/__mock/verify", {"match": {"path": "/api/v1/image/edit"}}),
    ("POST", "/__mock/verify", "/__mock/verify", {"match": {"prompt": "nobody said this"}}),
    ("GET", "/__mock/ledger/verdict", "/__mock/ledger/verdict", {}),
    ("GET", "/__mock/lint", "/__mock/lint", {}),
    ("GET", "/__mock/state", "/__mock/state", {}),
    ("PUT", "/__mock/state", "/__mock/state", {"format": "venice-mock-state", "version": 1, "nonces": []}),
    ("PUT", "/__mock/state", "/__mock/state", {"format": "venice-mock-state", "version": 2}),
    ("DELETE", "/__mock/rules/{rule}", "/__mock/rules/one", {}),
    ("DELETE", "/__mock/rules", "/__mock/rules", {}),
    ("POST", "/__mock/reset", "/__mock/reset", {"only": ["clock"]}),
    ("DELETE", "/__mock/requests", "/__mock/requests", {}),
]


def test_what_is_answered_fits_the_document_and_what_is_sent_fits_it_too(make_client: MakeClient) -> None:
    client = make_client(engine="fast")
    document = told(client)
    assert client.edit(**good()).status == 200
    assert client.send(b"{").status == 400
    seen: set[tuple[str, str]] = set()
    for method, path, target, body in LIFE:
        answer = client.get(target) if method == "GET" else control(client, method, target, **body)
        status = str(answer.status)
        assert status in document["paths"][path][method.lower()]["responses"], (method, path, answer)
        assert faults(document, body_schema(path, method.lower(), status), answer.json) == [], (method, path)
        if body and answer.status in (200, 201):
            where = ("paths", path, method.lower(), "requestBody", "content", "application/json", "schema")
            assert faults(document, where, body) == [], (method, path)
        if answer.status < 300:
            seen.add((method, path))
    json_routes = {
        (method.upper(), path)
        for path, node in document["paths"].items()
        for method, operation in node.items()
        if method != "parameters" and "application/json" in str(operation["responses"].get("200", operation))
    }
    assert json_routes <= seen


def test_an_export_is_what_the_schema_of_an_import_wants(make_client: MakeClient) -> None:
    client = make_client(engine="fast")
    assert client.send(good_body()).status == 200
    exported = client.get("/__mock/state").json
    where = ("paths", "/__mock/state", "put", "requestBody", "content", "application/json", "schema")
    assert exported["accounts"]
    assert faults(told(client), where, exported) == []


def test_the_schema_of_a_body_is_made_from_what_reads_it(client: Client) -> None:
    schemas = told(client)["components"]["schemas"]
    for kind in (StateFile, AccountState):
        fields = {each.encode_name for each in msgspec.structs.fields(kind)}
        assert set(schemas[kind.__name__]["properties"]) == fields
    assert not [name for name in schemas if not re.fullmatch("[A-Z][A-Za-z]+", name)]
