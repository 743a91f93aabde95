"""Advice about requests that are no errors, and what gives rise to none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from asgi import Client
from conftest import MakeClient
from journals import LINT, advice, newest
from pictures import jpeg, padded
from rulekit import SMALL, Clock, good, text_of
from sessions import body_of
from wallets import purse_of

CLEAN: dict[str, Any] = {"model": "qwen-edit"}
GPS = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x25\x88\x04\0\x01\0\0\0\x1a\0\0\0\0\0\0\0\0\0\0\0\0\0"
TURNED = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x01\0\0\0\0\0\0\0"


def test_a_good_request_gets_no_advice(client: Client) -> None:
    assert client.edit(**good(**CLEAN)).status == 200
    assert advice(client) == {}
    assert client.get(LINT).json == {"advice": [], "requests": 1}


def test_the_old_name_of_the_model_is_advised_against(client: Client) -> None:
    client.edit(**good(modelId="qwen-edit"))
    assert list(advice(client)) == ["deprecated-model-id"]


@pytest.mark.parametrize("fields", [{}, {"model": ""}])
def test_who_relies_on_the_default_model_is_told_which_it_is(client: Client, fields: dict[str, Any]) -> None:
    client.edit(**good(**fields))
    assert "(qwen-edit)" in advice(client)["default-model"]


@pytest.mark.parametrize(
    ("share", "told"), [(0.5, False), (0.95, False), (0.951, True), (1.0, True), (1.01, False)]
)
def test_a_prompt_that_nearly_reaches_its_models_limit_is_told(
    client: Client, share: float, told: bool
) -> None:
    limits = {
        model["id"]: model["model_spec"]["constraints"]["promptCharacterLimit"]
        for model in client.get("/api/v1/models?type=inpaint").json["data"]
    }
    length = int(limits["qwen-edit"] * share)
    client.edit(**good(prompt="x" * length, **CLEAN))
    assert ("long-prompt" in advice(client)) is told


def test_a_picture_that_says_where_it_was_taken_is_told(client: Client) -> None:
    client.form([("prompt", "x"), ("model", "qwen-edit"), ("image", jpeg(exif=GPS))])
    image = newest(client)["image"]
    assert (image["exif"], image["gps"], list(advice(client))) == (True, True, ["gps-in-picture"])
    client.form([("prompt", "x"), ("model", "qwen-edit"), ("image", jpeg(exif=TURNED))])
    image = newest(client)["image"]
    assert (image["exif"], image["gps"], advice(client)) == (True, False, {})


def test_a_large_picture_is_better_sent_as_a_file(client: Client) -> None:
    large = padded(SMALL, 300_000)
    client.edit(**good(image=text_of(large), **CLEAN))
    assert "100 kB longer" in advice(client)["base64-picture"]
    client.edit(**good(image="data:image/png;base64," + text_of(large), **CLEAN))
    assert list(advice(client)) == ["base64-picture"]
    client.form([("prompt", "x"), ("model", "qwen-edit"), ("image", large)])
    assert advice(client) == {}


def test_a_deprecated_model_is_told_with_its_replacement(make_client: MakeClient) -> None:
    deprecation = {"date": "2026-12-01T00:00:00.000Z", "replacement": "flux-2-max-edit", "warning": "soon"}
    client = make_client()
    reply = client.send(
        b"{}", method="GET", path="/api/v1/models?type=inpaint", content_type=None, key=None
    ).json
    (row,) = [model for model in reply["data"] if model["id"] == "qwen-edit"]
    assert row["model_spec"].get("deprecation") is None
    changed = client.send(
        body_of(models={"qwen-edit": {"deprecation": deprecation}}),
        method="PATCH",
        path="/__mock/config",
        key=None,
    )
    assert changed.status == 200, changed.body
    client.edit(**good(**CLEAN))
    assert advice(client) == {"deprecated-model": "qwen-edit is deprecated: flux-2-max-edit replaces it."}


def test_the_older_sign_in_header_is_told(make_client: MakeClient, tmp_path: Path) -> None:
    purse = purse_of(make_client, tmp_path, "5", wall_clock=Clock())
    headers = {"X-Sign-In-With-X": purse.sign_in()}
    assert purse.client.edit(key=None, headers=headers, **good(**CLEAN)).status == 200
    assert "SIGN-IN-WITH-X" in advice(purse.client)["legacy-sign-in-header"]


def test_other_routes_get_no_advice(client: Client) -> None:
    client.get("/api/v1/models")
    assert advice(client) == {}


def test_advice_is_told_once_with_the_requests_that_it_is_about(client: Client) -> None:
    for _ in range(30):
        client.edit(**good(resolution="9K"))
    client.edit(**good(resolution="9K", modelId="qwen-edit"))
    told = client.get(LINT).json
    assert told["requests"] == 31
    assert [(each["id"], each["count"]) for each in told["advice"]] == [
        ("default-model", 30),
        ("deprecated-model-id", 1),
    ]
    assert told["advice"][0]["requests"] == [f"req-{number:06d}" for number in range(30, 10, -1)]
