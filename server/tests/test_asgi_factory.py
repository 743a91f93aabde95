"""The factory for foreign servers and in-process clients: settings from the environment, a fresh server each."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from rulekit import EDIT, good
from venice_mock.asgi import make_app
from venice_mock.settings import SettingsError

BASE = "http://127.0.0.1:8402"


def test_the_environment_is_what_the_application_is_made_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VENICE_MOCK_EDITION", "2026-08-22")
    monkeypatch.setenv("VENICE_MOCK_ENGINE", "fast")
    monkeypatch.setenv("VENICE_MOCK_BALANCE", "5")

    async def visit() -> None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(make_app()), base_url=BASE) as client:
            about = (await client.get("/__mock")).json()
            assert (about["mock"], about["session"], about["edition"]) == (
                "venice-mock",
                "default",
                "2026-08-22",
            )
            made = (
                await client.post("/__mock/sessions", json={"name": "t17", "config": {"balance": 3}})
            ).json()
            for base, left in ((f"{BASE}/api/v1", "4.96"), (made["base_url"], "2.96")):
                edit = base + EDIT.removeprefix("/api/v1")
                reply = await client.post(edit, json=good(), headers={"Authorization": "Bearer mock_ok"})
                assert (reply.status_code, reply.headers["x-venice-balance-usd"]) == (200, left)

    asyncio.run(visit())


def test_each_application_is_a_server_of_its_own() -> None:
    async def visit() -> None:
        first, second = (
            httpx.AsyncClient(transport=httpx.ASGITransport(make_app()), base_url=BASE) for _ in range(2)
        )
        async with first, second:
            assert (await first.post("/__mock/sessions", json={"name": "t17"})).status_code == 201
            assert (await second.get("/__mock/sessions/t17")).status_code == 404

    asyncio.run(visit())


def test_a_wrong_variable_is_told_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VENICE_MOCK_ENGINE", "slow")
    with pytest.raises(SettingsError, match="VENICE_MOCK_ENGINE: expected paint or fast"):
        make_app()
