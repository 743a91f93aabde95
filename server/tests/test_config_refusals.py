"""Configs that are refused: what is told, and that a refusal changes nothing. Overrides of models in particular."""

from __future__ import annotations

import json
from typing import Any

import pytest

from asgi import Client
from conftest import MakeClient
from edits import size
from rulekit import good, png, text_of
from sessions import CONFIG, SESSIONS, changed, opened, refused
from venice_mock.contract import ContractError, load_edition, with_models
from venice_mock.control.config import INLINE, SETTINGS
from venice_mock.settings import OPTIONS
from wallets import SOLANGE, control

PROCESS = sorted({option.key for option in OPTIONS} - {*SETTINGS, *INLINE})


@pytest.mark.parametrize("member", [*PROCESS, "config"])
def test_what_belongs_to_the_process_is_refused_with_its_flag(client: Client, member: str) -> None:
    told = refused(control(client, "PATCH", CONFIG, **{member: "a-value"}))
    flag = "--" + member.replace("_", "-")
    assert told == f"Config: {member} belongs to the server process: give it {flag} when it starts"
    assert refused(control(client, "POST", SESSIONS, config={member: 1})) == told


def test_the_process_keeps_its_address_its_threads_and_its_secrets() -> None:
    assert {"host", "port", "max_inflight_pixels", "control_token", "control_hosts", "log_level"} <= set(
        PROCESS
    )


BAD: list[tuple[dict[str, Any], str]] = [
    ({"sede": 5}, "there is no 'sede'. Did you mean seed?"),
    ({"x" * 5000: 5}, "there is no 'xxxx"),
    ({"seed": -1}, "seed: expected a whole number"),
    ({"seed": "7.5"}, "seed: expected a whole number"),
    ({"seed": 2**63}, "seed: expected a whole number"),
    ({"seed": True}, "seed: expected a text or a number"),
    ({"seed": []}, "seed: expected a text or a number"),
    ({"pure": "true"}, "pure: expected true or false without quotes"),
    ({"pure": 1}, "pure: expected true or false without quotes"),
    ({"pure": None}, "pure: expected true or false without quotes"),
    ({"behavior": "Observed"}, "behavior: expected documented or observed"),
    ({"limits": None}, "limits: expected a text or a number"),
    ({"engine": "slow"}, "engine: expected paint or fast"),
    ({"balance": -1}, "balance: expected US dollars"),
    ({"balance": 1e300}, "balance: expected US dollars"),
    ({"balance": "1.0000001"}, "balance: expected US dollars"),
    ({"latency": "2s..1s"}, "latency: expected a time"),
    ({"latency": 5}, "latency: expected a time"),
    ({"body_timeout": "0s"}, "body_timeout: expected a time"),
    ({"fetch": "http://a/"}, "fetch: expected none, loopback, public or host names"),
    ({"fetch": ["none", "public"]}, "fetch: expected none"),
    ({"fetch": [1]}, "fetch: expected a text or a number"),
    ({"edition": "2026-01-01"}, "Unknown edition '2026-01-01'. Known: 2026-06-19, 2026-08-22."),
    ({"edition": "../2026-06-19"}, "Unknown edition '../2026-06-19'"),
    ({"edition": "/etc/passwd"}, "Unknown edition '/etc/passwd'"),
    ({"edition": "/tmp/edition.json"}, "edition: a session takes an edition by its name"),
    ({"edition": 5}, "Unknown edition '5'"),
    ({"default_model": "ghost"}, "The default model ghost is no edit model of 2026-06-19."),
    ({"default_model": ""}, "default_model: expected a name"),
    (
        {"edition": "2026-08-22", "default_model": "qwen-edit"},
        "The default model qwen-edit is no edit model of 2026",
    ),
    ({"pay_to_base": SOLANGE.address}, "is no address on eip155:8453"),
    ({"keys": []}, "keys: expected an object or null"),
    ({"keys": "team-a"}, "keys: expected an object or null"),
    ({"keys": {"team-a": 5}}, "keys, entry 1: expected balance_usd, spend_limit_usd, status"),
    ({"keys": {"ok": {}, "team-a": {"balance": "5"}}}, "keys, entry 2: expected balance_usd"),
    ({"keys": {"team-a": {"status": "gone"}}}, "keys, entry 1: status is one of"),
    ({"keys": {"team-a": {"balance_usd": "-1"}}}, "keys, entry 1: amounts are non-negative"),
    ({"keys": {"two words": {}}}, "keys, entry 1: a key is one word"),
    ({"keys": {"": {}}}, "keys, entry 1: a key is one word"),
    ({"wallets": []}, "wallets: Expected `object`"),
    ({"wallets": {"funds": {}}}, "wallets: Object contains unknown field `funds`"),
    ({"wallets": {"balances_usd": {"alice.eth": "1"}}}, "wallets: 'alice.eth' is no address of a wallet"),
    ({"wallets": {"balances_usd": {"*": "-1"}}}, "wallets: amounts run from 0"),
    ({"wallets": {"balances_usd": {"*": "NaN"}}}, "wallets: amounts run from 0"),
    ({"wallets": {"balances_usd": {"*": "1e-999999"}}}, "wallets: amounts run from 0"),
    ({"wallets": {"settlements": {"*": "NOPE"}}}, "wallets: unknown settlement NOPE. Known: "),
    ({"models": []}, "models: expected an object or null"),
]


@pytest.mark.parametrize(("config", "says"), BAD, ids=lambda value: str(value)[:40])
def test_a_config_that_is_none_is_told_why_and_changes_nothing(
    client: Client, config: dict[str, Any], says: str
) -> None:
    before = client.get(CONFIG).json
    told = refused(control(client, "PATCH", CONFIG, **{"caption": False, "limits": "real", **config}))
    assert told.startswith("Config: ")
    assert says in told
    assert len(told) < 1200
    assert client.get(CONFIG).json == before
    assert refused(control(client, "POST", SESSIONS, name="t17", config=config)) == told
    assert len(client.get(SESSIONS).json["sessions"]) == 1


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b"5", b"\xff", b'{"seed": NaN}', b'{"seed": 1' + b"0" * 9999]
)
def test_a_change_that_is_no_json_object_is_refused(client: Client, body: bytes) -> None:
    reply = client.send(body, method="PATCH", path=CONFIG, key=None)
    assert refused(reply).startswith("Config: ")


def test_a_config_that_fits_the_sessions_edition_must_fit_the_next_one_too(client: Client) -> None:
    session = opened(client, "t17", models={"qwen-edit": {"offline": True}})
    told = refused(control(session, "PATCH", CONFIG, edition="2026-08-22"))
    assert told.startswith("Config: 'qwen-edit' is no model of edition 2026-08-22. Known: firered-image-edit")
    assert session.get(CONFIG).json["edition"] == "2026-06-19"
    assert changed(session, edition="2026-08-22", models={"qwen-edit": None})["models"] == {}


# --- overrides of models -----------------------------------------------------------------------------------------

MODEL = "firered-image-edit"


def override(client: Client, **members: Any) -> dict[str, Any]:
    told = changed(client, models={MODEL: members})["models"][MODEL]
    assert isinstance(told, dict)
    return told


def edit(client: Client, **fields: Any) -> Any:
    return client.edit(**good(model=MODEL, **fields))


def listed(client: Client) -> Any:
    return next(row for row in client.get("/api/v1/models").json["data"] if row["id"] == MODEL)["model_spec"]


def test_a_model_goes_offline_and_comes_back(client: Client) -> None:
    override(client, offline=True)
    assert (edit(client).status, listed(client)["offline"]) == (503, True)
    override(client, offline=False)
    assert (edit(client).status, listed(client)["offline"]) == (200, False)
    assert changed(client, models={MODEL: None})["models"] == {}
    assert changed(client, models=None)["models"] == {}


def test_a_model_can_be_deprecated_and_not_any_more(client: Client) -> None:
    gone = {"date": "2026-12-01T00:00:00Z", "warning": "It goes.", "replacement": "flux-2-max-edit"}
    override(client, deprecation=gone)
    headers = edit(client).headers
    assert headers["x-venice-model-deprecation-warning"] == "It goes."
    assert headers["x-venice-model-deprecation-date"] == "2026-12-01T00:00:00Z"
    assert listed(client)["deprecation"]["date"] == "2026-12-01T00:00:00Z"
    override(client, deprecation={"warning": "It goes soon."})  # merged with what was said before
    headers = edit(client).headers
    assert headers["x-venice-model-deprecation-warning"] == "It goes soon."
    assert headers["x-venice-model-deprecation-date"] == "2026-12-01T00:00:00Z"
    override(client, deprecation=None)
    assert "deprecation" not in listed(client)


def test_a_model_can_refuse_and_stop_refusing_what_policy_forbids(client: Client) -> None:
    assert edit(client, prompt="gore").status == 200
    override(client, blocks_policy=True)
    assert edit(client, prompt="gore").status == 422
    override(client, blocks_policy=False)
    assert edit(client, prompt="gore").status == 200


def test_constraints_and_prices_are_merged_member_by_member(client: Client) -> None:
    picture = text_of(png(300, 500))
    assert size(edit(client, image=picture)) != (300, 500)
    before = listed(client)
    override(client, constraints={"single_image_aspect_ratio": False})
    assert size(edit(client, image=picture)) == (300, 500)
    override(client, constraints={"prompt_character_limit": 5}, pricing={"inpaint": "0.25"})
    assert edit(client, prompt="123456").status == 400
    after = listed(client)
    assert after["constraints"]["aspectRatios"] == before["constraints"]["aspectRatios"]
    assert (after["constraints"]["promptCharacterLimit"], after["pricing"]["inpaint"]["usd"]) == (5, 0.25)
    assert after["constraints"]["singleImageAspectRatio"] is False
    reply = client.edit(**good(model=MODEL, prompt="warm"), key="a-fresh-key")
    assert reply.headers["x-venice-balance-usd"] == "99.75"


def test_the_document_of_changed_models_is_made_all_the_same(client: Client) -> None:
    override(client, offline=True, constraints={"aspect_ratios": ["1:1"]}, pricing={"inpaint": 0.5})
    told = json.dumps(client.get("/api/v1/openapi.json").json)
    assert f"| `{MODEL}` | 0.50" in told or f"| `{MODEL}` | 0.5" in told


SLIPS: list[tuple[Any, str]] = [
    (5, f"{MODEL}: expected an object of the model's members"),
    ([], f"{MODEL}: expected an object"),
    ({"id": "other"}, f"{MODEL}: the member id cannot be changed"),
    ({"ofline": True}, f"{MODEL}: Object contains unknown field `ofline`"),
    ({"offline": "yes"}, f"{MODEL}: Expected `bool`, got `str` - at `$.offline`"),
    ({"offline": 1}, f"{MODEL}: Expected `bool`, got `int` - at `$.offline`"),
    ({"name": None}, f"{MODEL}: Expected `str`, got `null` - at `$.name`"),
    (
        {"constraints": {"ratios": []}},
        f"{MODEL}: Object contains unknown field `ratios` - at `$.constraints`",
    ),
    ({"constraints": None}, f"model {MODEL} cannot be priced"),
    ({"constraints": {"prompt_character_limit": 0}}, f"model {MODEL} takes no prompt"),
    ({"constraints": {"aspect_ratios": ["7:5"]}}, f"model {MODEL} lists unknown ratios: 7:5"),
    ({"constraints": {"resolutions": ["8K"]}}, f"model {MODEL} lists unknown resolutions: 8K"),
    ({"constraints": {"qualities": ["best"]}}, f"model {MODEL} lists unknown qualities: best"),
    ({"constraints": {"default_resolution": "2K"}}, f"model {MODEL} does not list its default resolution"),
    ({"pricing": {"inpaint": "-1"}}, "-1 is no price"),
    ({"pricing": {"inpaint": "NaN"}}, "NaN is no price"),
    ({"pricing": {"inpaint": "1e999999"}}, "is no price"),
    ({"pricing": {"inpaint": "0.0000001"}}, "is no price"),
    ({"pricing": {"input_images": {"included": -1, "additional": "1"}}}, "includes less than no picture"),
    ({"pricing": {"quality": {"1K": {"low": "1"}}}}, "prices qualities that it does not list"),
    (
        {"pricing": {"quality": {"1K": {"low": "1"}}}, "constraints": {"qualities": ["low", "high"]}},
        "has no price for 1K in quality high",
    ),
    (
        {"pricing": {"quality": {"1K": {"low": "1"}}}, "constraints": {"qualities": ["low"]}},
        "prices qualities and names no default",
    ),
    ({"deprecation": {"warning": "a\r\nx-evil: 1"}}, "warning does not fit in a header"),
    ({"deprecation": {"date": "é"}}, "date does not fit in a header"),
    ({"name": "x" * 501}, "name does not fit in a header"),
    ({"type": "painting"}, f"model {MODEL} has unknown type painting"),
    ({"sizes": {"exact": {}, "long_edge": {"1K": 10**6}, "round_to": 1}}, "sizes are out of range"),
    (
        {"sizes": {"exact": {"1:1": {"1K": [9000, 9000]}}, "long_edge": {"1K": 64}, "round_to": 1}},
        "9000x9000 is no",
    ),
    ({"sizes": {"exact": {}, "long_edge": {"1K": 6000}, "round_to": 1}}, "sizes are out of range"),
    ({"sizes": {"exact": {"1:1": {"1K": [0, 5]}}, "long_edge": {"1K": 64}, "round_to": 1}}, "0x5 is no size"),
    ({"sizes": {"exact": {"1:1": {}}, "long_edge": {"1K": 64}, "round_to": 1}}, "lack a resolution"),
    ({"sizes": {"exact": {}, "long_edge": {"1K": 64}, "round_to": 0}}, "sizes are out of range"),
]


@pytest.mark.parametrize(("members", "says"), SLIPS, ids=lambda value: str(value)[:50])
def test_an_override_that_no_edition_could_hold_is_refused_by_name(
    client: Client, members: Any, says: str
) -> None:
    told = refused(control(client, "PATCH", CONFIG, models={MODEL: members}))
    assert says in told
    assert MODEL in told
    assert client.get(CONFIG).json["models"] == {}


def test_a_model_that_is_not_there_is_named_with_those_that_are(client: Client) -> None:
    told = refused(control(client, "PATCH", CONFIG, models={"firered": {"offline": True}}))
    assert told.startswith("Config: 'firered' is no model of edition 2026-06-19. Known: ")
    assert MODEL in told


@pytest.mark.parametrize("edition", ["2026-06-19", "2026-08-22"])
def test_an_empty_override_of_every_model_is_the_edition_itself(edition: str) -> None:
    home = load_edition(edition)
    assert with_models(home, {}) is home
    assert with_models(home, {model.id: {} for model in home.models}) == home
    with pytest.raises(ContractError):
        with_models(home, {"": {}})


def test_other_sessions_and_the_shared_edition_do_not_see_an_override(make_client: MakeClient) -> None:
    client = make_client(engine="fast")
    one, other = opened(client, "one", models={MODEL: {"offline": True}}), opened(client, "other")
    assert [edit(each).status for each in (one, other, client)] == [503, 200, 200]
