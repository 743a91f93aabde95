"""Tokens and what they open."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rulekit import TEST_EDITION
from venice_mock.accounts.keys import KeyRing, Opening, account_id, error_aliases, load_keys, magic_keys
from venice_mock.accounts.steering import Steering
from venice_mock.contract import load_contract

DEFAULT = Opening(Decimal(100))


@given(st.text(min_size=1).filter(lambda t: not any(c.isspace() for c in t) and not t.startswith("mock_")))
def test_any_word_that_is_not_magic_is_a_working_account(token: str) -> None:
    answer = KeyRing(DEFAULT).answer(token)
    assert answer.opening == DEFAULT
    assert len(token) < 6 or token not in answer.account


@pytest.mark.rules("EDIT-AUTH-002")
@pytest.mark.parametrize("token", ["", "two words", "tab\there", "mock_invalid_key"])
def test_empty_spaced_and_invalid_keys_open_nothing(token: str) -> None:
    assert KeyRing(DEFAULT).answer(token).opening.status == "invalid"


@pytest.mark.parametrize("token", ["mock_balance_4.23", "mock_balance_0", "mock_balance_0.000001"])
def test_a_balance_key_opens_with_exactly_that_balance(token: str) -> None:
    assert KeyRing(DEFAULT).answer(token).opening.balance == Decimal(token.removeprefix("mock_balance_"))


@pytest.mark.parametrize(
    "token", ["mock_balance_", "mock_balance_abc", "mock_balance_-1", "mock_balance_NaN", "mock_balance_inf"]
)
def test_a_balance_that_is_no_amount_is_refused(token: str) -> None:
    assert KeyRing(DEFAULT).answer(token).opening.status == "invalid"


def test_a_mistyped_magic_key_is_refused_and_the_nearest_are_named() -> None:
    answer = KeyRing(DEFAULT).answer("mock_insuficient_balance")
    assert answer.opening.status == "invalid"
    assert "mock_insufficient_balance" in str(answer.hint)


def test_every_magic_key_named_in_the_table_answers_as_itself() -> None:
    for name in magic_keys():
        token = name.replace("_X", "_1").replace("_N", "_3")
        answer = KeyRing(DEFAULT).answer(token)
        assert answer.cause == f"key:{token}"
        assert answer.steering.cause in (None, answer.cause)


@pytest.mark.rules("MOCK-KEY-010")
@pytest.mark.parametrize(
    ("token", "order"),
    [
        ("mock_ok", Steering(cause="key:mock_ok")),
        ("mock_rate_limited", Steering("RATE_LIMIT_EXCEEDED", ends=True, cause="key:mock_rate_limited")),
        ("mock_overloaded", Steering("MODEL_OVERLOADED", cause="key:mock_overloaded")),
        ("mock_at_capacity", Steering("MODEL_AT_CAPACITY", cause="key:mock_at_capacity")),
        ("mock_offline", Steering("MODEL_OFFLINE", cause="key:mock_offline")),
        ("mock_edit_error", Steering("IMAGE_EDIT_ERROR", cause="key:mock_edit_error")),
        ("mock_timeout", Steering("REQUEST_TIMEOUT", cause="key:mock_timeout")),
        ("mock_flaky_1", Steering("IMAGE_EDIT_ERROR", times=0, cause="key:mock_flaky_1")),
        ("mock_flaky_3", Steering("IMAGE_EDIT_ERROR", times=2, cause="key:mock_flaky_3")),
    ],
)
def test_a_fault_key_opens_an_ordinary_account_and_orders_its_fault(token: str, order: Steering) -> None:
    answer = KeyRing(DEFAULT).answer(token)
    assert (answer.opening, answer.steering) == (DEFAULT, order)


def test_a_listed_key_that_looks_magic_is_what_the_file_says() -> None:
    ring = KeyRing(DEFAULT, {"mock_timeout": Opening(Decimal(1))})
    assert ring.answer("mock_timeout").steering == Steering()
    assert ring.answer("mock_timeout").opening == Opening(Decimal(1))


@pytest.mark.parametrize("edition", ["2026-06-19", str(TEST_EDITION)])
def test_short_names_mean_errors_of_the_editions_table(edition: str) -> None:
    errors = load_contract(edition).edition.errors
    assert set(error_aliases().values()) <= set(errors)
    assert error_aliases()["rate_limited"] == "RATE_LIMIT_EXCEEDED"
    assert not set(error_aliases()) & {"ok"}


def test_a_keys_file_closes_the_server_to_other_tokens(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_text(
        json.dumps({"team-a": {"balance_usd": "5.50", "spend_limit_usd": "1"}, "old": {"status": "disabled"}})
    )
    ring = KeyRing(DEFAULT, load_keys(path))
    assert ring.answer("team-a").opening == Opening(Decimal("5.50"), Decimal(1))
    assert ring.answer("old").opening.status == "disabled"
    assert ring.answer("someone").opening.status == "invalid"
    assert ring.answer("mock_ok").opening == DEFAULT


def test_a_star_in_the_keys_file_stands_for_every_other_token(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    path.write_text('["*"]\nbalance_usd = "2"\n')
    assert KeyRing(DEFAULT, load_keys(path)).answer("anyone").opening == Opening(Decimal(2))


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "not json",
        '{"secret-key": 5}',
        '{"secret-key": {"balance": 1}}',
        '{"secret-key": {"balance_usd": "a lot"}}',
        '{"secret-key": {"balance_usd": -1}}',
        '{"secret-key": {"spend_limit_usd": "x"}}',
        '{"secret-key": {"status": "sleepy"}}',
    ],
)
def test_a_bad_keys_file_is_refused_without_telling_a_key(tmp_path: Path, text: str) -> None:
    path = tmp_path / "keys.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"keys\.json") as caught:
        load_keys(path)
    assert "secret-key" not in str(caught.value)


def test_a_missing_keys_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nowhere"):
        load_keys(tmp_path / "nowhere.json")


@given(st.text(), st.text())
def test_accounts_of_different_tokens_differ(one: str, other: str) -> None:
    assert (account_id(one) == account_id(other)) == (one == other)
