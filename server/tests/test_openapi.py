"""The mock's own OpenAPI document: valid, true to the edition, and true to the routes and answers of the server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from referencing import Registry
from referencing.jsonschema import DRAFT202012
from starlette.routing import Route

from asgi import Client
from venice_mock.app import create_app
from venice_mock.catalogue import list_compatibility, list_models, list_traits
from venice_mock.contract import Behavior, Contract, available_editions, load_contract
from venice_mock.edit.validation import check_schema
from venice_mock.errors import ApiError
from venice_mock.openapi import describe
from venice_mock.settings import Settings

Document = dict[str, Any]
MakeClient = Callable[..., Client]
Where = tuple[str, ...]

ORIGIN = "http://127.0.0.1:8402"
EDIT = "/api/v1/image/edit"
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
CHOICES = [(edition, way) for edition in available_editions() for way in ("documented", "observed")]


@pytest.fixture(scope="module", params=CHOICES, ids="-".join)
def chosen(request: pytest.FixtureRequest) -> Contract:
    """Every edition in both behaviours."""
    edition, behavior = request.param
    return load_contract(edition, behavior)


@pytest.fixture(scope="module")
def document(chosen: Contract) -> Document:
    return describe(chosen, ORIGIN)


def faults(document: Document, where: Where, value: Any) -> list[str]:
    """What is wrong with ``value`` by the schema at ``where``, told as text."""
    registry: Registry[Any] = Registry()
    registry = registry.with_resource("urn:document", DRAFT202012.create_resource(document))
    pointer = "/".join(part.replace("~", "~0").replace("/", "~1") for part in where)
    validator = OAS31Validator({"$ref": f"urn:document#/{pointer}"}, registry=registry)
    return [error.message for error in validator.iter_errors(value)]


def body_schema(path: str, method: str, status: str) -> Where:
    return ("paths", path, method, "responses", status, "content", "application/json", "schema")


def walk(node: Any, where: Where = ()) -> Iterator[tuple[Where, Any]]:
    """Every object of the document with the way to it; examples are values and are not walked into."""
    if isinstance(node, dict):
        yield where, node
        for key, below in node.items():
            if key not in ("examples", "x-models"):
                yield from walk(below, (*where, key))


def operations(document: Document) -> Iterator[tuple[str, str, Any]]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


def edit(document: Document) -> Any:
    return document["paths"][EDIT]["post"]


def properties(document: Document) -> Any:
    return document["components"]["schemas"]["EditImageRequest"]["properties"]


# --- the document by itself ----------------------------------------------------------------------------------


def test_it_is_a_valid_openapi_3_1_document(document: Document) -> None:
    assert document["openapi"].startswith("3.1.")
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []


def test_every_component_schema_is_a_valid_json_schema(document: Document) -> None:
    for schema in document["components"]["schemas"].values():
        OAS31Validator.check_schema(schema)


def test_every_example_of_a_body_satisfies_its_schema(document: Document) -> None:
    seen = 0
    for where, node in walk(document):
        if "schema" in node and "examples" in node:
            for name, example in node["examples"].items():
                assert faults(document, (*where, "schema"), example["value"]) == [], (where, name)
                seen += 1
    assert seen > 30


def test_every_example_and_default_in_a_schema_satisfies_it(document: Document) -> None:
    seen = 0
    for where, node in walk(document):
        is_schema = "schema" in where or "schemas" in where
        values = [*node.get("examples", ()), *([node["default"]] if "default" in node else [])]
        if is_schema and "schema" not in node and isinstance(node.get("type"), str):
            for value in values:
                assert faults(document, where, value) == [], where
                seen += 1
    assert seen > 15


def test_the_checks_above_notice_a_wrong_example(document: Document) -> None:
    where = body_schema(EDIT, "post", "400")
    assert faults(document, where, {"details": {}}) != []
    assert faults(document, ("components", "schemas", "EditImageRequest"), {"prompt": "x"}) != []
    assert (
        faults(document, ("components", "schemas", "EditImageRequest"), {**request(document), "n": 1}) != []
    )


def test_operation_ids_are_unique(document: Document) -> None:
    ids = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(ids) == len(set(ids))


def test_the_server_is_the_origin_that_was_asked(chosen: Contract) -> None:
    document = describe(chosen, "http://mock.test:9")
    assert [server["url"] for server in document["servers"]] == ["http://mock.test:9"]
    discovery = edit(document)["responses"]["402"]["content"]["application/json"]["examples"][
        "X402_DISCOVERY"
    ]
    assert discovery["value"]["resource"]["url"] == f"http://mock.test:9{EDIT}"


# --- the document and the edition ----------------------------------------------------------------------------


def test_closed_lists_and_limits_of_the_request_are_the_editions(
    chosen: Contract, document: Document
) -> None:
    fields, limits, listed = chosen.edition.fields, chosen.edition.limits, properties(document)
    assert listed["aspect_ratio"]["enum"] == list(fields.aspect_ratios)
    assert listed["output_format"]["enum"] == [*fields.output_formats, *fields.format_aliases]
    assert listed["modelId"]["enum"] == list(fields.model_ids)
    assert listed["modelId"]["deprecated"] is True
    assert (listed["prompt"]["minLength"], listed["prompt"]["maxLength"]) == (
        limits.prompt_min,
        limits.prompt_max,
    )
    sizes = listed["resolution"]
    assert (sizes["minLength"], sizes["maxLength"]) == (limits.resolution_min, limits.resolution_max)
    assert sizes["default"] == fields.default_resolution
    assert listed["safe_mode"]["default"] is fields.default_safe_mode
    assert listed["model"]["default"] == chosen.way("default-model")
    for number in (limits.min_pixels, limits.max_pixels, limits.max_file_bytes_exclusive):
        assert f"{number:,}" in listed["image"]["description"]


def test_the_documented_keys_are_those_that_the_server_knows(chosen: Contract, document: Document) -> None:
    for name in (*chosen.edition.fields.known, "format", "seed"):
        with pytest.raises(ApiError) as refusal:
            check_schema(chosen, {name: None}, "any")
        unknown = any(issue["code"] == "unrecognized_keys" for issue in refusal.value.body["issues"])
        assert (name in properties(document)) is not unknown, name
    assert document["components"]["schemas"]["EditImageRequest"]["additionalProperties"] is False


@pytest.mark.parametrize(("behavior", "listed"), [("documented", True), ("observed", False)])
def test_quality_is_listed_only_when_it_is_accepted(behavior: Behavior, listed: bool) -> None:
    document = describe(load_contract("2026-06-19", behavior), ORIGIN)
    assert ("quality" in properties(document)) is listed
    if listed:
        assert properties(document)["quality"]["enum"] == ["low", "medium", "high"]


def test_the_format_that_each_tier_defaults_to_is_told(document: Document, chosen: Contract) -> None:
    text = properties(document)["output_format"]["description"]
    for tier, name in chosen.edition.tiers.default_formats.items():
        assert f"`{name}` at {tier}" in text


def test_a_form_differs_from_json_in_the_image_alone(document: Document) -> None:
    form, schemas = (
        edit(document)["requestBody"]["content"]["multipart/form-data"],
        document["components"]["schemas"],
    )
    assert form["schema"]["$ref"].endswith("/EditImageForm")
    ours, theirs = schemas["EditImageForm"]["properties"], properties(document)
    assert [name for name in theirs if ours[name] != theirs[name]] == ["image"]
    assert ours["image"]["format"] == "binary"


def test_a_200_is_a_picture_of_each_media_type(chosen: Contract, document: Document) -> None:
    content = edit(document)["responses"]["200"]["content"]
    assert set(content) == {spec.media_type for spec in chosen.edition.formats.values()}


def test_every_header_that_is_sent_is_documented_on_some_answer(chosen: Contract, document: Document) -> None:
    used = {
        name
        for _, _, operation in operations(document)
        for response in operation["responses"].values()
        for name in response.get("headers", {})
    }
    observed = chosen.behavior == "observed"
    unsent = {"balance_remaining"} if observed else {"budget_remaining", "budget_resets"}
    names = {name for key, name in chosen.edition.headers.items() if key not in unsent}
    assert used == set(document["components"]["headers"]) == names
    responses = edit(document)["responses"]
    assert "PAYMENT-REQUIRED" in responses["402"]["headers"]
    assert "Retry-After" in responses["429"]["headers"]


def test_every_row_of_the_error_table_is_an_example_under_its_status(
    chosen: Contract, document: Document
) -> None:
    shown: dict[str, set[str]] = {}
    for _, _, operation in operations(document):
        for status, response in operation["responses"].items():
            for name in response.get("content", {}).get("application/json", {}).get("examples", ()):
                shown.setdefault(name, set()).add(status)
    other = {"INVALID_CONTENT_TYPE", "INVALID_CONTENT_TYPE_OBSERVED"} - {chosen.way("wrong-content-type")}
    for name, row in chosen.edition.errors.items():
        if name == "INVALID_REQUEST":  # the heading of the detailed 400
            continue
        assert shown.get(name) == (None if name in other else {str(row.status)}), name


def test_every_status_of_the_edit_is_documented(chosen: Contract, document: Document) -> None:
    wrong_type = {str(chosen.error(chosen.way("wrong-content-type")).status)}
    expected = ["200", "400", "401", "402", "403", "404", "413", "422", "429", "500", "503", "504"]
    assert set(edit(document)["responses"]) == {*expected, *wrong_type}


def test_no_placeholder_is_left_in_an_error_text(document: Document) -> None:
    for status, response in edit(document)["responses"].items():
        for media in response["content"].values():
            for name, example in media.get("examples", {}).items():
                assert "{" not in str(example["value"]["error"]), (status, name)


def test_credentials_are_a_bearer_key_or_any_name_of_the_sign_in_header(
    chosen: Contract, document: Document
) -> None:
    schemes = document["components"]["securitySchemes"]
    allowed = [schemes[name] for choice in edit(document)["security"] for name in choice]
    assert allowed[0]["scheme"] == "bearer"
    assert [scheme["name"] for scheme in allowed[1:]] == list(chosen.edition.x402.sign_in_headers)


def test_each_edit_model_is_listed_with_its_prices(chosen: Contract, document: Document) -> None:
    rows = {row["id"]: row for row in edit(document)["x-models"]}
    assert list(rows) == [model.id for model in chosen.inpaint_models]
    for model in chosen.inpaint_models:
        assert model.pricing is not None
        assert rows[model.id]["usd"] == str(model.pricing.inpaint)
        assert f"| `{model.id}` |" in edit(document)["description"]


def test_the_price_table_has_the_prices_that_are_billed() -> None:
    text = edit(describe(load_contract("2026-06-19"), ORIGIN))["description"]
    assert "| `gpt-image-2-edit` | 0.36 | 0.53 | 0.86 | 10,000 |" in text
    assert "| `wan-2-7-pro-edit` | 0.094 | 0.094 | - | 5,000 |" in text


# --- the document and the server -----------------------------------------------------------------------------


def test_routes_and_documented_paths_are_the_same(document: Document) -> None:
    routes = {
        (route.path, method.lower())
        for route in create_app(Settings()).routes
        if isinstance(route, Route)
        for method in (route.methods or ())
        if method != "HEAD"
    }
    documented = {(path, method) for path, method, _ in operations(document)}
    assert documented <= routes
    assert {route for route in routes if route[0].startswith("/api/v1/")} <= documented


def test_types_that_the_catalogue_accepts_are_those_documented(chosen: Contract, document: Document) -> None:
    listings = {
        "models": list_models,
        "models/traits": list_traits,
        "models/compatibility_mapping": list_compatibility,
    }
    for name, listing in listings.items():
        path = f"/api/v1/{name}"
        (parameter,) = document["paths"][path]["get"]["parameters"]
        assert parameter["schema"]["default"] == listing(chosen, None)["type"]
        for kind in parameter["schema"]["enum"]:
            assert faults(document, body_schema(path, "get", "200"), listing(chosen, kind)) == []
        with pytest.raises(ApiError):
            listing(chosen, "no-such-type")


def request(document: Document) -> Any:
    return edit(document)["requestBody"]["content"]["application/json"]["examples"]["edit"]["value"]


@pytest.mark.parametrize("behavior", ["documented", "observed"])
def test_what_the_server_answers_fits_the_document_that_it_serves(
    make_client: MakeClient, behavior: Behavior
) -> None:
    client = make_client(behavior=behavior)
    document = client.get("/api/v1/openapi.json").json
    assert document == describe(load_contract("2026-06-19", behavior), ORIGIN)
    example = request(document)
    answers = [
        client.edit(),
        client.edit(**{**example, "aspect_ratio": "107:60"}),
        client.edit(**example, quality=0),
        client.edit(**{**example, "model": "nobody"}),
        client.edit(**{**example, "image": "AAAA"}),
        client.edit(key="mock_invalid_key", **example),
        client.edit(key="mock_insufficient_balance", **example),
        client.edit(key="mock_disabled", **example),
        client.edit(key=None, **example),
        client.send(b"x", content_type="text/plain"),
        client.send(b"{"),
    ]
    for answer in answers:
        status = str(answer.status)
        assert faults(document, body_schema(EDIT, "post", status), answer.json) == [], answer
        assert_headers_documented(document, EDIT, "post", answer.status, answer.headers)
    for path in ("/api/v1/models", "/api/v1/billing/balance", "/api/v1/openapi.json", "/livez", "/readyz"):
        answer = client.get(path, authorization="Bearer mock_ok")
        assert answer.status == 200
        assert faults(document, body_schema(path, "get", "200"), answer.json) == [], path
        assert_headers_documented(document, path, "get", 200, answer.headers)


@pytest.mark.parametrize("behavior", ["documented", "observed"])
def test_the_example_request_can_be_sent_as_it_is(make_client: MakeClient, behavior: Behavior) -> None:
    client = make_client(behavior=behavior)
    document = client.get("/api/v1/openapi.json").json
    answer = client.edit(**request(document))
    assert answer.status == 200
    assert answer.headers["content-type"] in edit(document)["responses"]["200"]["content"]
    assert_headers_documented(document, EDIT, "post", 200, answer.headers)


def assert_headers_documented(document: Document, path: str, method: str, status: int, sent: Any) -> None:
    """Each header sent, but for HTTP's and the mock's own, is documented for that answer and fits its schema."""
    listed = document["paths"][path][method]["responses"][str(status)].get("headers", {})
    names = {name.lower(): name for name in listed}
    for name, value in sent.items():
        if name in ("content-type", "content-length", "connection") or name.startswith("x-mock-"):
            continue
        assert name in names, (path, status, name)
        where = ("components", "headers", names[name], "schema")
        kind = document["components"]["headers"][names[name]]["schema"]["type"]
        typed: Any = {"boolean": {"true": True, "false": False}.get(value), "string": value}.get(kind)
        assert faults(document, where, int(value) if kind == "integer" else typed) == [], (name, value)
