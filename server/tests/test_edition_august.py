"""The edition of August 2026: its models and prices, the two new keys, and the listing. June goes on as it was."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

import pytest

from asgi import Client, Reply
from conftest import MakeClient
from edits import fault, pixels, size, understood
from rulekit import SMALL, account_of, good, ledger_of, png, text_of
from venice_mock.contract import Contract, available_editions, load_contract
from venice_mock.edit.enhancing import load_wording

JUNE, AUGUST = "2026-06-19", "2026-08-22"
KEY = "a-test-key"
SHORT = "make it warm"
HEADER = "x-venice-enhanced-prompt"
BEHAVIORS = ("documented", "observed")
PROMPT_LONG_ENOUGH = "make it warm " * 40

# USD for an edit of one picture, by tier (and quality). Where a model's price covers no input picture, it is added.
PRICES: dict[str, dict[str, str]] = {
    "firered-image-edit": {"1K": "0.04"},
    "qwen-edit-uncensored": {"1K": "0.04"},
    "grok-imagine-edit": {"1K": "0.0323", "2K": "0.0423"},
    "grok-imagine-quality-edit": {"1K": "0.0715", "2K": "0.1015"},
    "grok-imagine-image-2-0-edit": {"1K": "0.0815", "2K": "0.1115"},
    "qwen-image-2-edit": {"1K": "0.05"},
    "qwen-image-2-pro-edit": {"1K": "0.10"},
    "wan-2-7-pro-edit": {"1K": "0.094", "2K": "0.094"},
    "flux-2-max-edit": {"1K": "0.12"},
    "gpt-image-2-edit": {"1K": "0.34", "2K": "0.52", "4K": "0.84"},
    "gpt-image-1-5-edit": {"1K": "0.31"},
    "nano-banana-2-edit": {"1K": "0.10", "2K": "0.14", "4K": "0.19"},
    "nano-banana-pro-edit": {"1K": "0.18", "2K": "0.23", "4K": "0.35"},
    "nano-banana-2-lite-edit": {"1K": "0.06"},
    "luma-uni-1-edit": {"1K": "0.06"},
    "luma-uni-1-max-edit": {"1K": "0.13"},
    "seedream-v5-lite-edit": {"1K": "0.05"},
    "seedream-v5-pro-edit": {"1K": "0.06", "2K": "0.11"},
    "seedream-v4-edit": {"1K": "0.05"},
    "qwen-image-3-edit": {"1K": "0.04345", "2K": "0.04345"},
    "qwen-image-3-pro-edit": {"1K": "0.05345", "2K": "0.09345"},
}
BY_QUALITY = {
    ("gpt-image-2-edit", "1K", "low"): "0.03",
    ("gpt-image-2-edit", "2K", "medium"): "0.14",
    ("gpt-image-2-edit", "4K", "low"): "0.04",
    ("grok-imagine-image-2-0-edit", "1K", "low"): "0.0615",
    ("grok-imagine-image-2-0-edit", "2K", "low"): "0.0815",
    ("grok-imagine-image-2-0-edit", "2K", "medium"): "0.1115",
}


@pytest.fixture(params=BEHAVIORS)
def behavior(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def august(make_client: MakeClient, behavior: str) -> Client:
    """A quick server of the edition, in both behaviours."""
    return make_client(edition=AUGUST, behavior=behavior, engine="fast")


@pytest.fixture
def painting(make_client: MakeClient) -> Client:
    """A server that paints."""
    return make_client(edition=AUGUST)


def charge(client: Client, key: str = KEY) -> Decimal:
    """What the last edit cost."""
    return -ledger_of(client, key)[0].amount


# --- models and prices -----------------------------------------------------------------------------------------


@pytest.mark.rules("EDIT-PAY-015", "EDIT-PAY-026", "EDIT-RES-002", "EDIT-MOD-008", "EDIT-MOD-009")
def test_every_model_edits_at_every_tier_for_its_price(august: Client, behavior: str) -> None:
    models = load_contract(AUGUST).inpaint_models
    assert {model.id for model in models} == set(PRICES)
    for model, tiers in PRICES.items():
        for tier, usd in tiers.items():
            reply = august.edit(**good(model=model, resolution=tier))
            assert (reply.status, reply.headers["x-venice-model-id"]) == (200, model), (model, tier)
            assert charge(august) == Decimal(usd), (model, tier)
            assert HEADER not in reply.headers
        for tier in {"1K", "2K", "4K"} - set(tiers):
            refused = august.edit(**good(model=model, resolution=tier))
            assert (refused.status, refused.headers["x-mock-rule"][:8]) == (400, "EDIT-RES"), (model, tier)
    assert understood(reply).behavior == behavior
    assert (reply.headers["x-venice-version"], understood(reply).edition) == ("20260821.193530", AUGUST)


@pytest.mark.rules("EDIT-PAY-017", "EDIT-PAY-025", "EDIT-QLT-001", "EDIT-QLT-003", "EDIT-QLT-004")
def test_qualities_are_priced_and_only_the_listed_ones_taken(make_client: MakeClient) -> None:
    client = make_client(edition=AUGUST, engine="fast")
    for (model, tier, quality), usd in BY_QUALITY.items():
        assert client.edit(**good(model=model, resolution=tier, quality=quality)).status == 200
        assert charge(client) == Decimal(usd), (model, tier, quality)
    assert client.edit(**good(model="grok-imagine-image-2-0-edit")).status == 200
    assert understood(client.edit(**good(model="grok-imagine-image-2-0-edit"))).quality == "medium"
    refused = client.edit(**good(model="grok-imagine-image-2-0-edit", quality="high"))
    assert fault(refused)[:2] == ("quality", "custom")
    observing = make_client(edition=AUGUST, behavior="observed")
    assert fault(observing.edit(**good(quality="low")))[1] == "unrecognized_keys"


@pytest.mark.rules("EDIT-MOD-001", "EDIT-PAY-016")
def test_without_a_model_both_behaviours_take_the_same_one(august: Client) -> None:
    assert august.edit(**good()).headers["x-venice-model-id"] == "firered-image-edit"
    assert charge(august) == Decimal("0.04")


@pytest.mark.rules("EDIT-MOD-004", "EDIT-MOD-005", "EDIT-MOD-011")
def test_the_model_that_is_gone_is_unknown(august: Client) -> None:
    for gone in ("qwen-edit", "FireRed-Image-Edit"):
        assert august.edit(**good(model=gone)).status == 404
    assert fault(august.edit(**good(modelId="qwen-edit")))[:2] == ("modelId", "invalid_enum_value")
    assert august.edit(**good(modelId="luma-uni-1-edit")).status == 200


@pytest.mark.rules("EDIT-ASP-009")
@pytest.mark.parametrize("model", ["luma-uni-1-edit", "luma-uni-1-max-edit"])
def test_a_model_that_keeps_the_size_pays_no_heed_to_the_ratio(august: Client, model: str) -> None:
    image = text_of(png(300, 260))
    for ratio in ("auto", "21:9", "9:16"):
        assert size(august.edit(**good(model=model, image=image, aspect_ratio=ratio))) == (300, 260)


@pytest.mark.rules("EDIT-SAFE-011")
def test_no_model_of_this_edition_refuses_policy_words(august: Client) -> None:
    assert "EDIT-SAFE-010" not in {r.id for r in load_contract(AUGUST).edition.active_rules}
    for model in PRICES:
        reply = august.edit(**good(model=model, prompt="gore"))
        assert (reply.status, reply.headers["x-venice-is-content-violation"]) == (200, "true"), model


# --- enhance_prompt --------------------------------------------------------------------------------------------


@pytest.mark.rules("EDIT-ENH-001")
@pytest.mark.parametrize("value", [True, False])
def test_enhance_prompt_is_a_boolean_that_is_false_when_absent(august: Client, value: bool) -> None:
    told = [august.edit(**good(enhance_prompt=value))]
    told.append(august.form([("image", SMALL), ("prompt", SHORT), ("enhance_prompt", str(value).lower())]))
    for reply in told:
        assert reply.status == 200
        assert (HEADER in reply.headers) is value
    assert HEADER not in august.edit(**good()).headers


@pytest.mark.rules("EDIT-ENH-001", "EDIT-OPT-001", "EDIT-HTTP-010", "EDIT-HTTP-011")
@pytest.mark.parametrize(
    ("name", "rule"),
    [("enhance_prompt", "EDIT-ENH-001"), ("disable_prompt_optimization_thinking", "EDIT-OPT-001")],
)
def test_what_is_no_boolean_is_refused(august: Client, name: str, rule: str) -> None:
    for value, kind in ((0, "number"), (1, "number"), ("true", "string"), (None, "null"), ([], "array")):
        reply = august.edit(**good(**{name: value}))
        assert fault(reply) == (name, "invalid_type", f"Expected boolean, received {kind}")
        assert reply.headers["x-mock-rule"] == rule
    reply = august.form([("image", SMALL), ("prompt", SHORT), (name, "yes")])
    assert (fault(reply)[0], reply.headers["x-mock-rule"]) == (name, "EDIT-HTTP-011")


@pytest.mark.rules("EDIT-ENH-001", "EDIT-OPT-001", "EDIT-HTTP-009")
@pytest.mark.parametrize("name", ["enhance_prompt", "disable_prompt_optimization_thinking"])
def test_june_refuses_the_new_keys_as_unknown(make_client: MakeClient, behavior: str, name: str) -> None:
    client = make_client(behavior=behavior)
    for value in (True, False):
        reply = client.edit(**good(**{name: value}))
        assert fault(reply) == ("", "unrecognized_keys", f"Unrecognized key(s) in object: '{name}'")
        assert reply.headers["x-mock-rule"] == "EDIT-HTTP-009"


@pytest.mark.rules("EDIT-ENH-002")
def test_a_rewrite_is_told_charged_and_understood(august: Client) -> None:
    for model, tiers in (("firered-image-edit", ("1K",)), ("nano-banana-2-edit", ("1K", "4K"))):
        for tier in tiers:
            reply = august.edit(**good(model=model, resolution=tier, enhance_prompt=True))
            assert charge(august) == Decimal(PRICES[model][tier]) + Decimal("0.04")
            told, text = understood(reply), unquote(reply.headers[HEADER], errors="strict")
            assert (told.prompt, told.enhanced_prompt) == (SHORT, text)
            assert Decimal(told.price_usd) == charge(august)
            assert text.startswith(f"{SHORT}. ")
            assert all(character not in reply.headers[HEADER] for character in ' "<>\\^`{|}\r\n')


@pytest.mark.rules("EDIT-ENH-002", "EDIT-RSP-003")
def test_what_is_painted_is_the_rewritten_prompt(painting: Client) -> None:
    reply = painting.edit(**good(enhance_prompt=True))
    same = painting.edit(**good(prompt=unquote(reply.headers[HEADER])))
    assert HEADER not in same.headers
    assert charge(painting) == Decimal("0.04")
    assert pixels(reply) == pixels(same) != pixels(painting.edit(**good()))
    assert painting.edit(**good(enhance_prompt=True)).body == reply.body


LEFT_ALONE: dict[str, dict[str, Any]] = {
    "not asked for": {},
    "asked not to": {"enhance_prompt": False},
    "long already": {"enhance_prompt": True, "prompt": PROMPT_LONG_ENOUGH},
    "without a word": {"enhance_prompt": True, "prompt": "?!"},
    "rewritten before": {"enhance_prompt": True, "prompt": f"warm. {load_wording().details[0]}"},
    "a violation": {"enhance_prompt": True, "prompt": "gore"},
}


@pytest.mark.rules("EDIT-ENH-002")
@pytest.mark.parametrize("fields", LEFT_ALONE.values(), ids=LEFT_ALONE)
def test_a_prompt_that_is_left_alone_costs_nothing_more(august: Client, fields: dict[str, Any]) -> None:
    reply = august.edit(**good(**fields))
    assert (reply.status, HEADER in reply.headers) == (200, False)
    assert charge(august) == Decimal("0.04")
    told = understood(reply)
    assert (told.enhanced_prompt, told.price_usd) == (None, "0.04")
    assert b"enhanced_prompt" not in reply.body
    assert told.prompt_length == len(fields.get("prompt", SHORT))


@pytest.mark.rules("EDIT-ENH-002")
def test_a_prompt_whose_rewrite_would_be_too_long_for_the_model_is_left_alone(
    make_client: MakeClient, tmp_path: Any, painting: Client
) -> None:
    text = unquote(painting.edit(**good(enhance_prompt=True)).headers[HEADER])
    for limit, rewritten in ((len(text), True), (len(text) - 1, False)):
        table = json.loads(edition_text())
        table["models"][0]["constraints"]["prompt_character_limit"] = limit
        file = tmp_path / f"{limit}.json"
        file.write_text(json.dumps(table), "utf-8")
        client = make_client(edition=str(file), engine="fast")
        assert (HEADER in client.edit(**good(enhance_prompt=True)).headers) is rewritten


def edition_text() -> str:
    from importlib import resources

    return (resources.files("venice_mock.contract") / "editions" / f"{AUGUST}.json").read_text("utf-8")


@pytest.mark.rules("EDIT-ENH-002", "EDIT-PAY-001", "EDIT-PAY-030")
def test_the_balance_must_cover_the_rewrite_too(august: Client) -> None:
    assert august.edit(**good(enhance_prompt=True), key="mock_balance_0.07").status == 402
    assert account_of(august, "mock_balance_0.07").balance == Decimal("0.07")
    assert august.edit(**good(enhance_prompt=True), key="mock_balance_0.08").status == 200
    assert account_of(august, "mock_balance_0.08").balance == 0
    assert august.edit(**good(), key="mock_balance_0.07").status == 200


@pytest.mark.rules("EDIT-ENH-002", "EDIT-PAY-014", "EDIT-PAY-029")
def test_a_picture_that_cannot_be_decoded_costs_nothing_although_a_rewrite_was_made(august: Client) -> None:
    reply = august.edit(**good(enhance_prompt=True, image=text_of(png(broken=True))))
    assert (reply.status, HEADER in reply.headers) == (400, False)
    account = account_of(august, KEY)
    assert account.available == account.balance == Decimal(100)


def test_a_rewrite_takes_no_time(august: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    async def no_sleep(*_: Any) -> None:
        raise AssertionError("slept")

    monkeypatch.setattr(asyncio, "sleep", no_sleep)
    assert august.edit(**good(enhance_prompt=True)).status == 200


# --- disable_prompt_optimization_thinking ----------------------------------------------------------------------


@pytest.mark.rules("EDIT-OPT-001")
def test_the_other_key_is_taken_and_changes_nothing(painting: Client) -> None:
    name = "disable_prompt_optimization_thinking"
    for extra in ({}, {"enhance_prompt": True}):
        plain = painting.edit(**good(**extra))
        price = charge(painting)
        for value in (True, False):
            reply = painting.edit(**good(**extra, **{name: value}))
            assert (reply.body, charge(painting)) == (plain.body, price)
        form: list[tuple[str, bytes | str]] = [("image", SMALL), ("prompt", SHORT), (name, "true")]
        form += [("enhance_prompt", "true")] if extra else []
        assert painting.form(form).body == plain.body


# --- listing, rules, document ----------------------------------------------------------------------------------


@pytest.fixture
def listed(august: Client) -> dict[str, Any]:
    reply = august.get("/api/v1/models?type=inpaint")
    assert reply.status == 200
    return {row["id"]: row["model_spec"] for row in reply.json["data"]}


@pytest.mark.rules("MODELS-015")
def test_models_tell_how_many_pictures_they_combine_where_it_is_not_three(listed: dict[str, Any]) -> None:
    told = {
        model: spec["constraints"]["maxInputImages"]
        for model, spec in listed.items()
        if "maxInputImages" in spec["constraints"]
    }
    assert told == dict.fromkeys(
        ["wan-2-7-pro-edit", "flux-2-max-edit", "gpt-image-2-edit", "gpt-image-1-5-edit", "nano-banana-2-edit",
         "nano-banana-pro-edit", "nano-banana-2-lite-edit", "seedream-v5-lite-edit", "seedream-v5-pro-edit",
         "seedream-v4-edit"],
        6,
    )  # fmt: skip
    single = {model for model, spec in listed.items() if not spec["constraints"]["combineImages"]}
    assert single == {"luma-uni-1-edit", "luma-uni-1-max-edit"}


@pytest.mark.rules("MODELS-004", "MODELS-012")
def test_models_tell_what_further_pictures_cost_and_whether_they_filter(listed: dict[str, Any]) -> None:
    extra = {model: spec["pricing"].get("inputImages") for model, spec in listed.items()}
    assert extra["flux-2-max-edit"] == {"included": 1, "additional": {"usd": 0.0345, "diem": 0.0345}}
    assert extra["grok-imagine-edit"] == {"included": 0, "additional": {"usd": 0.0023, "diem": 0.0023}}
    assert sum(found is not None for found in extra.values()) == 9
    free = {model for model, spec in listed.items() if spec.get("uncensored")}
    assert free == {"qwen-edit-uncensored", "qwen-image-3-edit", "qwen-image-3-pro-edit", "seedream-v4-edit",
                    "seedream-v5-lite-edit", "seedream-v5-pro-edit"}  # fmt: skip
    assert all("uncensored" not in spec for model, spec in listed.items() if model not in free)
    assert {spec["supportsOptimizePromptThinking"] for spec in listed.values()} == {False}


@pytest.mark.rules("EDIT-PAY-015")
def test_the_charge_can_be_worked_out_from_the_listing(listed: dict[str, Any]) -> None:
    for model, spec in listed.items():
        pricing = json.loads(json.dumps(spec["pricing"]), parse_float=Decimal)
        extra = pricing.get("inputImages", {"included": 1, "additional": {"usd": Decimal(0)}})
        base = pricing.get("quality", {}).get("1K", {}).get(spec["constraints"].get("defaultQuality"))
        usd = (base or pricing.get("resolutions", {}).get("1K") or pricing["inpaint"])["usd"]
        assert usd + max(0, 1 - extra["included"]) * extra["additional"]["usd"] == Decimal(
            PRICES[model]["1K"]
        )


@pytest.mark.rules("MODELS-013")
def test_prices_show_no_binary_noise(august: Client) -> None:
    numbers = re.findall(r'"(?:usd|diem)":([^,}]+)', august.get("/api/v1/models").body.decode())
    assert len(numbers) > 100
    assert all(re.fullmatch(r"0\.\d{1,5}", number) for number in numbers)


def test_june_lists_none_of_it(client: Client) -> None:
    body = client.get("/api/v1/models").body
    for name in (b"maxInputImages", b"inputImages", b'"uncensored":', b"supportsOptimizePromptThinking"):
        assert name not in body


@pytest.mark.parametrize("edition", available_editions())
def test_every_refusal_names_a_rule_that_holds_in_its_edition(make_client: MakeClient, edition: str) -> None:
    client = make_client(edition=edition)
    active = {rule.id for rule in load_contract(edition).edition.active_rules}
    ask: list[Callable[[], Reply]] = [
        lambda: client.edit(**good(enhance_prompt=0)),
        lambda: client.edit(**good(disable_prompt_optimization_thinking="no")),
        lambda: client.edit(**good(model="nope")),
        lambda: client.edit(**good(model="gpt-image-2-edit", quality="best")),
        lambda: client.edit(**good(seed=1)),
        lambda: client.edit(prompt=""),
    ]
    for send in ask:
        reply = send()
        assert (reply.status, reply.headers["x-mock-rule"] in active) in ((400, True), (404, True))


def test_editions_keep_the_ids_of_their_rules() -> None:
    june, august = (load_contract(name).edition for name in (JUNE, AUGUST))
    assert [rule.id for rule in june.rules] == [rule.id for rule in august.rules]
    later = {"EDIT-ENH-001", "EDIT-ENH-002", "EDIT-OPT-001", "MODELS-015"}
    assert {r.id for r in june.rules} - {r.id for r in june.active_rules} == later
    assert {r.id for r in august.rules} - {r.id for r in august.active_rules} == {"EDIT-SAFE-010"}


def test_whatever_else_the_editions_say_they_say_alike(contract: Contract) -> None:
    august = load_contract(AUGUST).edition
    own = {"edition", "title", "stamp", "models", "fields", "headers", "differences", "rules", "enhancement"}
    for name in set(august.__struct_fields__) - own:
        assert getattr(contract.edition, name) == getattr(august, name), name
    assert august.headers == {**contract.edition.headers, "enhanced_prompt": HEADER}
    rows = {row.id: row for row in august.differences}
    assert rows.pop("default-model").documented.value == "firered-image-edit"
    assert rows == {row.id: row for row in contract.edition.differences if row.id != "default-model"}
