"""The model listing with its two siblings, and the balance of a key."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

import pytest

from asgi import Client
from conftest import MakeClient
from rulekit import TEST_EDITION, balance_of, good
from venice_mock.contract import Contract, load_contract

KEY = "a-test-key"
RATIOS = {"auto", "1:1", "3:2", "16:9", "21:9", "9:16", "2:3", "3:4", "4:5"}
TYPES = ["asr", "embedding", "image", "music", "text", "tts", "upscale", "inpaint", "video", "code"]
LISTINGS = ["models", "models/traits", "models/compatibility_mapping"]


def rows_of(client: Client, query: str = "") -> list[dict[str, Any]]:
    """The rows of the listing; its envelope is checked on the way."""
    reply = client.get(f"/api/v1/models{query}")
    assert reply.status == 200
    assert set(reply.json) == {"object", "type", "data"}
    assert reply.json["object"] == "list"
    rows = reply.json["data"]
    assert isinstance(rows, list)
    return rows


@pytest.fixture
def varied(make_client: MakeClient) -> Client:
    """A server with models of several types."""
    return make_client(edition=str(TEST_EDITION))


@pytest.mark.rules("MODELS-001", "MODELS-006")
def test_the_listing_needs_no_key_and_without_a_type_holds_the_edit_models(client: Client) -> None:
    bare = client.get("/api/v1/models")
    assert bare.json["type"] == "inpaint"
    assert bare.json["data"] == rows_of(client, "?type=inpaint") != []
    for key in ("any", "mock_invalid_key"):
        assert client.get("/api/v1/models", authorization=f"Bearer {key}").body == bare.body


@pytest.mark.rules("MODELS-002", "MODELS-007")
def test_each_type_lists_its_own_and_all_lists_every_one(varied: Client) -> None:
    edit = rows_of(varied, "?type=inpaint")
    everything = rows_of(varied, "?type=all")
    assert {row["type"] for row in edit} == {"inpaint"}
    assert {row["type"] for row in everything} == {"inpaint", "image", "text", "video", "upscale"}
    assert [row for row in everything if row["type"] == "inpaint"] == edit
    together = [row["id"] for kind in TYPES for row in rows_of(varied, f"?type={kind}")]
    assert sorted(together) == sorted(row["id"] for row in everything)


@pytest.mark.rules("MODELS-008")
@pytest.mark.parametrize("kind", [*TYPES, "all"])
def test_every_known_type_is_answered_with_a_list_of_that_name(client: Client, kind: str) -> None:
    reply = client.get(f"/api/v1/models?type={kind}")
    assert (reply.status, reply.json["object"], reply.json["type"]) == (200, "list", kind)
    assert bool(reply.json["data"]) == (kind in ("inpaint", "all"))


@pytest.mark.rules("MODELS-009")
@pytest.mark.parametrize("path", LISTINGS)
@pytest.mark.parametrize("kind", ["nope", "", "INPAINT", "text,image"])
def test_an_unknown_type_is_a_validation_error(client: Client, path: str, kind: str) -> None:
    reply = client.get(f"/api/v1/{path}?type={kind}")
    assert reply.status == 400
    assert reply.json["error"] == "Invalid request parameters"
    (issue,) = reply.json["issues"]
    assert (issue["code"], issue["path"], issue["received"]) == ("invalid_enum_value", ["type"], kind)
    assert "inpaint" in issue["options"]
    assert reply.json["details"] == {"_errors": [], "type": {"_errors": [issue["message"]]}}
    assert issue["message"].endswith(f", received '{kind}'")


@pytest.mark.rules("MODELS-003", "MODELS-005", "MODELS-012")
@pytest.mark.parametrize("edition", ["2026-06-19", str(TEST_EDITION)])
def test_every_edit_model_tells_its_constraints(make_client: MakeClient, edition: str) -> None:
    for row in rows_of(make_client(edition=edition)):
        assert set(row) == {"id", "object", "type", "created", "owned_by", "model_spec"}
        assert (row["object"], row["type"]) == ("model", "inpaint")
        assert [type(row[name]) for name in ("id", "created", "owned_by")] == [str, int, str]
        spec = row["model_spec"]
        kinds = {
            "name": str,
            "pricing": dict,
            "constraints": dict,
            "privacy": str,
            "offline": bool,
            "traits": list,
        }
        assert {name: type(spec[name]) for name in kinds} == kinds
        limits = spec["constraints"]
        assert set(limits["aspectRatios"]) <= RATIOS
        assert limits["aspectRatios"]
        assert type(limits["promptCharacterLimit"]) is int
        assert limits["promptCharacterLimit"] > 0
        assert type(limits["combineImages"]) is bool


@pytest.mark.rules("MODELS-004")
def test_every_edit_model_tells_its_prices_by_tier_where_it_has_tiers(client: Client) -> None:
    for row in rows_of(client):
        pricing, limits = row["model_spec"]["pricing"], row["model_spec"]["constraints"]
        tables = [pricing["inpaint"], *pricing.get("resolutions", {}).values()]
        tables += [usd for prices in pricing.get("quality", {}).values() for usd in prices.values()]
        for usd in tables:
            assert set(usd) == {"usd", "diem"}
            assert 0 < usd["usd"] == usd["diem"] < 1
        if "resolutions" in pricing:
            assert list(pricing["resolutions"]) == limits["resolutions"]
            assert pricing["resolutions"][limits["defaultResolution"]] == pricing["inpaint"]
        if "quality" in pricing:
            default = pricing["quality"][limits["defaultResolution"]][limits["defaultQuality"]]
            assert default == pricing["inpaint"]


@pytest.mark.rules("MODELS-013")
def test_prices_are_short_decimals_equal_to_the_editions(client: Client, contract: Contract) -> None:
    text = client.get("/api/v1/models").body.decode()
    numbers = re.findall(r'"(?:usd|diem)":([^,}]+)', text)
    assert len(numbers) > 60
    assert all(re.fullmatch(r"0\.\d{1,3}", number) for number in numbers)
    rows = json.loads(text, parse_float=Decimal)["data"]
    told = {row["id"]: row["model_spec"]["pricing"]["inpaint"]["usd"] for row in rows}
    assert told == {m.id: m.pricing.inpaint for m in contract.inpaint_models if m.pricing is not None}


@pytest.mark.rules("MODELS-014")
def test_only_a_model_that_is_to_retire_lists_a_deprecation(varied: Client) -> None:
    found = {row["id"]: row["model_spec"].get("deprecation", "none") for row in rows_of(varied, "?type=all")}
    assert found.pop("retiring-edit") == {
        "autoRemap": True,
        "date": "2026-09-01T00:00:00.000Z",
        "removesAt": "2026-10-01T00:00:00.000Z",
    }
    assert set(found.values()) == {"none"}


@pytest.mark.rules("MODELS-012")
def test_an_offline_model_and_one_that_keeps_the_size_say_so(varied: Client) -> None:
    rows = {row["id"]: row["model_spec"] for row in rows_of(varied)}
    assert {model for model, spec in rows.items() if spec["offline"]} == {"sleeping-edit"}
    kept = {m for m, spec in rows.items() if spec["constraints"].get("singleImageAspectRatio") is False}
    assert kept == {"same-size-edit"}


@pytest.mark.rules("MODELS-010", "MODELS-011")
@pytest.mark.parametrize(
    ("path", "text", "image"),
    [
        ("traits", {"default": "talker"}, {"default": "painter", "fastest": "painter"}),
        ("compatibility_mapping", {"foreign-talker-4": "talker"}, {"foreign-painter-3": "painter"}),
    ],
)
def test_the_siblings_of_the_listing_map_names_to_models(
    varied: Client, client: Client, path: str, text: dict[str, str], image: dict[str, str]
) -> None:
    def told(server: Client, query: str = "") -> Any:
        reply = server.get(f"/api/v1/models/{path}{query}")
        assert reply.status == 200
        return reply.json

    assert told(varied) == told(varied, "?type=text") == {"object": "list", "type": "text", "data": text}
    assert told(varied, "?type=image") == {"object": "list", "type": "image", "data": image}
    assert told(varied, "?type=video") == {"object": "list", "type": "video", "data": {}}
    assert told(client) == {"object": "list", "type": "text", "data": {}}


def test_the_test_edition_is_listed_whole(varied: Client) -> None:
    models = load_contract(str(TEST_EDITION)).edition.models
    assert [row["id"] for row in rows_of(varied, "?type=all")] == [model.id for model in models]


# --- billing ---------------------------------------------------------------------------------------------------


def billing(client: Client, key: str | None) -> Any:
    return client.send(method="GET", path="/api/v1/billing/balance", content_type=None, key=key)


@pytest.mark.rules("BILL-001", "MOCK-KEY-001")
def test_a_key_reads_its_balance_as_a_closed_object(client: Client) -> None:
    reply = billing(client, KEY)
    assert reply.status == 200
    assert reply.json == {
        "canConsume": True,
        "consumptionCurrency": "USD",
        "balances": {"diem": None, "usd": 100.0},
        "diemEpochAllocation": 0,
    }


@pytest.mark.rules("BILL-002", "MOCK-KEY-006")
@pytest.mark.parametrize("key", ["mock_invalid_key", "", " ", "mock_nonsense"])
def test_a_wrong_key_reads_nothing(client: Client, key: str) -> None:
    reply = client.send(
        method="GET",
        path="/api/v1/billing/balance",
        content_type=None,
        key=None,
        headers={"Authorization": f"Bearer {key}"},
    )
    assert (reply.status, reply.json) == (401, {"error": "Authentication failed"})


@pytest.mark.rules("BILL-003")
def test_after_an_edit_the_balance_is_lower_by_the_price(make_client: MakeClient) -> None:
    client = make_client(engine="fast")
    assert client.edit(**good(model="wan-2-7-pro-edit")).status == 200
    assert balance_of(client, KEY) == Decimal("99.906")
    assert b'"usd":99.906' in billing(client, KEY).body


@pytest.mark.rules("BILL-005")
def test_without_credentials_the_balance_is_refused(client: Client) -> None:
    reply = billing(client, None)
    assert (reply.status, reply.json) == (401, {"error": "Authentication failed"})


@pytest.mark.rules("BILL-006", "MOCK-KEY-004")
def test_a_key_without_credit_cannot_consume(make_client: MakeClient) -> None:
    client = make_client(engine="fast")
    assert billing(client, "mock_insufficient_balance").json["canConsume"] is False
    assert billing(client, "mock_balance_0.04").json["canConsume"] is True
    assert client.edit(**good(), key="mock_balance_0.04").status == 200
    assert billing(client, "mock_balance_0.04").json == {
        "canConsume": False,
        "consumptionCurrency": "USD",
        "balances": {"diem": None, "usd": 0.0},
        "diemEpochAllocation": 0,
    }
