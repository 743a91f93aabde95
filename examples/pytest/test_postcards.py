"""The application edits pictures as it should: what it sends, what it pays, and what it does when that fails."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from venice_ai import SyncVeniceClient
from venice_ai.exceptions import NotFoundError, PaymentRequiredError

from postcards import edit_once
from venice_mock.testing import VeniceMock


@pytest.fixture
def client(venice_mock: VeniceMock) -> Iterator[SyncVeniceClient]:
    """A client by another author (``pip install venice-py``), pointed at the test's own mock."""
    with SyncVeniceClient(api_key=venice_mock.api_key, base_url=venice_mock.base_url, max_retries=0) as made:
        yield made


def test_the_picture_comes_back_and_costs_four_cents(
    venice_mock: VeniceMock, client: SyncVeniceClient
) -> None:
    edited = edit_once(client, venice_mock.sample_png, "make it a sunset")

    assert edited.startswith(b"\x89PNG")
    venice_mock.verify(model="qwen-edit", prompt_contains="sunset", status=200, exactly=1)
    assert venice_mock.account().spent_usd == Decimal("0.04")


def test_a_model_at_capacity_is_tried_again(venice_mock: VeniceMock, client: SyncVeniceClient) -> None:
    venice_mock.fail_next("model_at_capacity", times=2)

    edit_once(client, venice_mock.sample_png, "make it a sunset")

    assert [request.status for request in venice_mock.requests] == [503, 503, 200]


def test_an_empty_account_is_told_at_once(venice_mock: VeniceMock, client: SyncVeniceClient) -> None:
    venice_mock.account().set(balance_usd="0.03")

    with pytest.raises(PaymentRequiredError):
        edit_once(client, venice_mock.sample_png, "make it a sunset")

    venice_mock.verify(status=402, exactly=1)
    venice_mock.verify(charged=True, exactly=0)


@pytest.mark.venice_mock(edition="2026-08-22")
def test_a_model_that_the_next_edition_drops_is_noticed(
    venice_mock: VeniceMock, client: SyncVeniceClient
) -> None:
    with pytest.raises(NotFoundError):
        edit_once(client, venice_mock.sample_png, "make it a sunset")

    (request,) = venice_mock.requests
    assert (request.status, request.error) == (404, "MODEL_NOT_FOUND")


def test_nothing_is_left_to_be_advised(venice_mock: VeniceMock, client: SyncVeniceClient) -> None:
    edit_once(client, venice_mock.sample_png, "make it a sunset")

    assert not venice_mock.lint()
