"""Does the client pay twice? The mock charges an edit and loses its answer; the ledger tells what it then did."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from venice_ai import SyncVeniceClient
from venice_ai.exceptions import VeniceError

from postcards import edit_at_any_price, edit_once
from venice_mock.testing import VeniceMock, VerificationError


@pytest.fixture
def client(venice_mock: VeniceMock) -> Iterator[SyncVeniceClient]:
    """A client by another author (``pip install venice-py``), pointed at the test's own mock."""
    with SyncVeniceClient(api_key=venice_mock.api_key, base_url=venice_mock.base_url, max_retries=0) as made:
        yield made


@pytest.mark.parametrize("loss", ["charge_then_504", "charge_then_reset", "cut"])
def test_who_retries_whatever_happened_pays_twice(
    venice_mock: VeniceMock, client: SyncVeniceClient, loss: str
) -> None:
    venice_mock.fail_next(loss)

    edit_at_any_price(client, venice_mock.sample_png, "make it a sunset")

    with pytest.raises(VerificationError, match="charged more than once"):
        venice_mock.verify_nobody_paid_twice()
    assert venice_mock.verdict().overcharged_usd == Decimal("0.04")


@pytest.mark.parametrize("loss", ["charge_then_504", "charge_then_reset", "cut"])
def test_who_gives_up_instead_pays_once(venice_mock: VeniceMock, client: SyncVeniceClient, loss: str) -> None:
    venice_mock.fail_next(loss)

    with pytest.raises(VeniceError):
        edit_once(client, venice_mock.sample_png, "make it a sunset")

    venice_mock.verify_nobody_paid_twice()


def test_what_was_lost_before_the_charge_costs_nothing(
    venice_mock: VeniceMock, client: SyncVeniceClient
) -> None:
    venice_mock.fail_next("reset_before_charge")

    edit_at_any_price(client, venice_mock.sample_png, "make it a sunset")

    venice_mock.verify_nobody_paid_twice()
    venice_mock.verify(charged=True, exactly=1)
