"""The mock's own OpenAPI document: valid, true to the edition, and true to the routes and answers of the server."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from referencing import Registry
from referencing.jsonschema import DRAFT202012
from starlette.routing import Route

from asgi import Client, Reply
from venice_mock.app import create_app
from venice_mock.catalogue import list_compatibility, list_models, list_traits
from venice_mock.contract import Behavior, Contract, available_editions, load_contract
from venice_mock.edit.fields import Text
from venice_mock.edit.validation import check_schema
from venice_mock.errors import ApiError
from venice_mock.openapi import describe
from venice_mock.settings import Settings
from venice_mock.wallet.signing import Wallet, payment_header, sign_in_header
from wallet_kit import EVM, NOW, OTHER, SOL

Document = dict[str, Any]
MakeClient = Callable[..., Client]
Where = tuple[str, ...]

ORIGIN = "http://127.0.0.1:8402"
EDIT = "/api/v1/image/edit"
TOP_UP = "/api/v1/x402/top-up"
BALANCE = "/api/v1/x402/balance/{wallet}"
TRANSACTIONS = "/api/v1/x402/transactions/{wallet}"
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


def a_wallets_life(
    make_client: MakeClient, wallets: Path, behavior: Behavior
) -> Iterator[tuple[str, str, Reply]]:
    """Every answer that the wallet's routes and a wallet's edits have, with the documented path and method."""
    wallets.write_text(json.dumps({"balances_usd": {OTHER.address: "0.05"}}))
    client = make_client(
        wall_clock=lambda: NOW, behavior=behavior, engine="fast", wallets=wallets, limits="real"
    )
    x402 = load_contract("2026-06-19", behavior).edition.x402
    nonces = itertools.count()

    def signed(wallet: Wallet) -> dict[str, str]:
        chain = x402.sign_in.evm_chain if wallet.kind == "evm" else x402.sign_in.solana_chain
        nonce = f"nonce{next(nonces):011d}"
        return {
            "SIGN-IN-WITH-X": sign_in_header(
                wallet, domain="127.0.0.1:8402", uri=ORIGIN, chain=chain, now=NOW, nonce=nonce
            )
        }

    def paying(wallet: Wallet, number: int, micro_usdc: int = 5_000_000) -> dict[str, str]:
        offer = offers[0 if wallet.kind == "evm" else 1]
        nonce = hashlib.sha256(f"venice-mock test payment {number}".encode()).digest()
        return {
            "PAYMENT-SIGNATURE": payment_header(
                wallet, offer=offer, facts=x402.payments, micro_usdc=micro_usdc, now=round(NOW), nonce=nonce
            )
        }

    def top_up(server: Client, headers: dict[str, str]) -> tuple[str, str, Reply]:
        return TOP_UP, "post", server.send(path=TOP_UP, headers=headers, key=None)

    def read(template: str, wallet: str, headers: dict[str, str], query: str = "") -> tuple[str, str, Reply]:
        path = template.replace("{wallet}", wallet) + query
        return template, "get", client.send(method="GET", path=path, headers=headers, key=None)

    def edited(headers: dict[str, str]) -> tuple[str, str, Reply]:
        return EDIT, "post", client.edit(key=None, headers=headers, **request(client_document))

    client_document = client.get("/api/v1/openapi.json").json
    yield (asked := top_up(client, {}))
    offers = asked[2].json["accepts"]
    for wallet in (EVM, SOL):
        yield top_up(client, paying(wallet, 1))
        yield top_up(client, paying(wallet, 1))
        yield edited(signed(wallet))
        for template in (BALANCE, TRANSACTIONS):
            yield read(template, wallet.address, signed(wallet))
    for wrong in (paying(EVM, 2, micro_usdc=1), {"X-PAYMENT": "-"}):
        yield top_up(client, wrong)
    offers[0] |= {"extra": {}, "maxTimeoutSeconds": -1}
    yield top_up(client, paying(EVM, 3))
    for _ in range(x402.top_up.requests_per_minute):
        last = top_up(client, {})
    yield last
    offers[0]["maxTimeoutSeconds"] = 300
    for code in x402.top_up.settlements:
        wallets.write_text(json.dumps({"settlements": {"*": code}}))
        yield top_up(make_client(wall_clock=lambda: NOW, behavior=behavior, wallets=wallets), paying(EVM, 4))
    used = signed(OTHER)
    yield edited(used)  # the balance is short
    yield edited(used)  # the nonce was used
    yield edited({"SIGN-IN-WITH-X": "-"})
    for template in (BALANCE, TRANSACTIONS):
        yield read(template, EVM.address, {})
        yield read(template, EVM.address, signed(OTHER))
        yield read(template, EVM.address, {"X-Sign-In-With-X": "-"})
        yield read(template, "nobody", signed(EVM))
        for _ in range(x402.statements.balance_per_minute + 1):
            last = read(template, EVM.address, signed(EVM))
        yield last
    for query in ("?limit=0", "?limit=101&offset=-1", "?offset=x"):
        yield read(TRANSACTIONS, EVM.address, signed(EVM), query)


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


def test_no_empty_file_fits_the_form(document: Document) -> None:
    where = ("components", "schemas", "EditImageForm", "properties", "image")
    assert faults(document, where, "")
    assert not faults(document, where, "x")


def test_a_resolution_whose_length_the_server_counts_otherwise_does_not_fit(
    document: Document, chosen: Contract
) -> None:
    where = ("components", "schemas", "EditImageRequest", "properties", "resolution")
    astral = "\U0001f305" * (chosen.edition.limits.resolution_max // 2 + 1)  # two UTF-16 units each
    with pytest.raises(ApiError) as refused:
        check_schema(chosen, {"image": Text(b"x"), "prompt": "x", "resolution": astral}, "any")
    assert [issue["code"] for issue in refused.value.body["issues"]] == ["too_big"]
    assert faults(document, where, astral)
    assert not any(faults(document, where, tier) for tier in chosen.edition.tiers.factors)


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


def test_each_sign_in_code_is_an_example_of_the_edits_401_and_of_no_other(
    chosen: Contract, document: Document
) -> None:
    codes = chosen.edition.x402.sign_in.codes
    examples = edit(document)["responses"]["401"]["content"]["application/json"]["examples"]
    told = {name: row["value"] for name, row in examples.items() if "code" in row["value"]}
    assert told == {code: {"code": code, "error": text} for code, text in codes.items()}
    assert document["components"]["schemas"]["SignInError"]["properties"]["code"]["enum"] == list(codes)
    for path in (BALANCE, TRANSACTIONS):
        where = body_schema(path, "get", "401")
        assert faults(document, where, {"error": chosen.edition.x402.texts.bad_sign_in}) == []
        examples = document["paths"][path]["get"]["responses"]["401"]["content"]["application/json"][
            "examples"
        ]
        assert all("code" not in row["value"] for row in examples.values())


def test_the_examples_of_unpaid_edits_fit_the_schema_of_their_kind(document: Document) -> None:
    examples = edit(document)["responses"]["402"]["content"]["application/json"]["examples"]
    assert_is_just(document, "PaymentRequired", examples["PAYMENT_REQUIRED"]["value"])
    assert_is_just(document, "PaymentDiscovery", examples["X402_DISCOVERY"]["value"])


def test_every_code_of_a_refused_top_up_stands_under_its_status(chosen: Contract, document: Document) -> None:
    x402 = chosen.edition.x402
    expected = dict.fromkeys(x402.payments.refusals, "400")
    expected |= {code: str(row.status) for code, row in x402.top_up.settlements.items()}
    expected[x402.top_up.duplicate_code] = str(chosen.way("topup-resubmitted"))
    responses = document["paths"][TOP_UP]["post"]["responses"]
    assert set(responses) == {"200", "400", "402", "409", "429", "503", "504"}
    body = {"message": "x"}
    for code, status in expected.items():
        for other in responses:
            fits = faults(document, body_schema(TOP_UP, "post", other), {**body, "error": code}) == []
            assert fits is (other == status) or other == "429", (code, other)
        examples = responses[status]["content"]["application/json"]["examples"]
        assert examples[code]["value"]["error"] == code


def test_statements_are_documented_with_the_editions_address_and_page_bounds(
    chosen: Contract, document: Document
) -> None:
    facts = chosen.edition.x402.statements
    for path in (BALANCE, TRANSACTIONS):
        operation = document["paths"][path]["get"]
        assert set(operation["responses"]) == {"200", "400", "401", "402", "403", "429"}
        wallet, *page = operation["parameters"]
        pattern = wallet["schema"]["pattern"]
        assert facts.address_pattern in pattern
        for address, good in (
            (EVM.address, True),
            (SOL.address, True),
            (EVM.address + "0", False),
            ("0x", False),
        ):
            assert bool(re.search(pattern, address)) is good
    limit, offset = (parameter["schema"] for parameter in page)
    assert (limit["minimum"], limit["maximum"], limit["default"]) == (1, facts.page_max, facts.page_default)
    assert (offset["minimum"], offset["default"]) == (0, 0)


def test_the_largest_documented_offset_is_read_and_the_next_refused(make_client: MakeClient) -> None:
    client = make_client(wall_clock=lambda: NOW)
    document = client.get("/api/v1/openapi.json").json
    *_, offset = document["paths"][TRANSACTIONS]["get"]["parameters"]
    most = offset["schema"]["maximum"]
    chain = load_contract("2026-06-19").edition.x402.sign_in.evm_chain
    for asked, status in ((most, 200), (most + 1, 400)):
        header = sign_in_header(
            EVM, domain="127.0.0.1:8402", uri=ORIGIN, chain=chain, now=NOW, nonce=f"nonce{asked}"
        )
        path = TRANSACTIONS.replace("{wallet}", EVM.address) + f"?offset={asked}"
        reply = client.send(method="GET", path=path, headers={"SIGN-IN-WITH-X": header}, key=None)
        assert reply.status == status, reply.json


def test_payments_are_documented_under_each_name_of_their_header(
    chosen: Contract, document: Document
) -> None:
    parameters = document["paths"][TOP_UP]["post"]["parameters"]
    assert [(row["name"], row["in"]) for row in parameters] == [
        (name, "header") for name in chosen.edition.x402.payment_headers
    ]


def test_making_the_document_needs_no_cryptography() -> None:
    code = (
        "import sys; from venice_mock.contract import load_contract; from venice_mock.openapi import describe;"
        "describe(load_contract('2026-06-19'), 'http://mock.test');"
        "print([name for name in ('eth_keys', 'eth_hash', 'Crypto') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


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
def test_what_wallets_are_answered_fits_the_document(
    make_client: MakeClient, tmp_path: Path, behavior: Behavior
) -> None:
    document = make_client(behavior=behavior).get("/api/v1/openapi.json").json
    seen: set[tuple[str, str]] = set()
    for path, method, answer in a_wallets_life(make_client, tmp_path / "wallets.json", behavior):
        status = str(answer.status)
        assert status in document["paths"][path][method]["responses"], (path, answer)
        if not answer.headers["content-type"].startswith("image/"):
            assert faults(document, body_schema(path, method, status), answer.json) == [], (path, answer)
        assert_headers_documented(document, path, method, answer.status, answer.headers)
        if (path, status) in {(EDIT, "401"), (EDIT, "402")}:
            assert_is_just(document, "SignInError" if status == "401" else "PaymentRequired", answer.json)
        seen.add((path, status))
    for path in (TOP_UP, BALANCE, TRANSACTIONS):
        ((_, operation),) = document["paths"][path].items()
        assert {status for each, status in seen if each == path} == set(operation["responses"])
    assert {status for each, status in seen if each == EDIT} == {"200", "401", "402"}


def test_receipts_and_offers_in_headers_are_what_their_description_says(
    make_client: MakeClient, tmp_path: Path
) -> None:
    document = describe(load_contract("2026-06-19"), ORIGIN)
    receipts = 0
    for path, method, answer in a_wallets_life(make_client, tmp_path / "wallets.json", "documented"):
        listed = document["paths"][path][method]["responses"][str(answer.status)]["headers"]
        if "PAYMENT-RESPONSE" in listed:
            receipt = json.loads(base64.b64decode(answer.headers["payment-response"]))
            text = document["components"]["headers"]["PAYMENT-RESPONSE"]["description"]
            assert set(receipt) == set(re.findall("`([a-z]+)`", text))
            receipts += 1
        if answer.status == 402 and "accepts" in answer.json:
            offer = json.loads(base64.b64decode(answer.headers["payment-required"]))
            assert offer.items() <= answer.json.items()
    assert receipts == 2


@pytest.mark.parametrize("behavior", ["documented", "observed"])
def test_the_example_request_can_be_sent_as_it_is(make_client: MakeClient, behavior: Behavior) -> None:
    client = make_client(behavior=behavior)
    document = client.get("/api/v1/openapi.json").json
    answer = client.edit(**request(document))
    assert answer.status == 200
    assert answer.headers["content-type"] in edit(document)["responses"]["200"]["content"]
    assert_headers_documented(document, EDIT, "post", 200, answer.headers)


def assert_is_just(document: Document, schema: str, value: Any) -> None:
    """It fits this one component, which the branch for plain errors would hide, and has no other members."""
    assert faults(document, ("components", "schemas", schema), value) == []
    assert set(value) == set(document["components"]["schemas"][schema]["properties"])


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
