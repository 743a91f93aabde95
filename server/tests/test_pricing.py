"""Prices: exact decimals from the catalogue."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from venice_mock.accounts.pricing import price_of
from venice_mock.contract import load_contract

CONTRACT = load_contract("2026-06-19")
MODELS = CONTRACT.inpaint_models


@pytest.mark.rules("EDIT-PAY-015", "EDIT-PAY-016", "EDIT-PAY-017")
@pytest.mark.parametrize(
    ("model_id", "tier", "quality", "usd"),
    [
        ("qwen-edit", "1K", None, "0.04"),
        ("firered-image-edit", "1K", None, "0.04"),
        ("grok-imagine-edit", "2K", None, "0.06"),
        ("wan-2-7-pro-edit", "2K", None, "0.094"),
        ("gpt-image-2-edit", "1K", None, "0.36"),
        ("gpt-image-2-edit", "1K", "low", "0.03"),
        ("gpt-image-2-edit", "4K", "high", "0.86"),
        ("gpt-image-2-edit", "4K", None, "0.86"),
        ("nano-banana-pro-edit", "4K", "low", "0.35"),
    ],
)
def test_prices_are_those_of_the_catalogue(model_id: str, tier: str, quality: str | None, usd: str) -> None:
    model = CONTRACT.model(model_id)
    assert model is not None
    assert price_of(model, tier, quality) == Decimal(usd)


@pytest.mark.rules("EDIT-PAY-015", "EDIT-PAY-018", "EDIT-QLT-002")
@given(st.sampled_from(MODELS), st.data())
def test_quality_goes_before_tier_and_tier_before_the_flat_price(model: object, data: st.DataObject) -> None:
    assert isinstance(model, type(MODELS[0]))
    assert model.pricing is not None
    assert model.constraints is not None
    tier = data.draw(st.sampled_from(model.constraints.resolutions or ("1K",)))
    quality = data.draw(st.sampled_from([None, "low", "medium", "high"]))
    price = price_of(model, tier, quality)
    if model.pricing.quality:
        assert price == model.pricing.quality[tier][quality or model.constraints.default_quality or ""]
    elif tier in model.pricing.resolutions:
        assert price == model.pricing.resolutions[tier]
    else:
        assert price == model.pricing.inpaint
    assert Decimal("0.03") <= price <= Decimal("0.86")
    exponent = price.as_tuple().exponent
    assert isinstance(exponent, int)
    assert exponent >= -6  # no float noise


def test_a_model_that_is_no_edit_model_has_no_price() -> None:
    with pytest.raises(ValueError, match="no edit model"):
        price_of(msgspec.structs.replace(MODELS[0], pricing=None), "1K", None)
