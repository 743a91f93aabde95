"""What a good edit is answered with: the picture, and the headers that tell of it and its model."""

from __future__ import annotations

from dataclasses import dataclass

from venice_mock.contract import Contract
from venice_mock.edit.enhancing import url_encoded
from venice_mock.edit.making import Order


@dataclass(frozen=True, slots=True)
class EditAnswer:
    """200: the image file and the headers that go with it. ``cause``: who steered it, if anybody did."""

    image: bytes
    media_type: str
    headers: dict[str, str]
    cause: str | None = None


def picture_headers(contract: Contract, order: Order) -> dict[str, str]:
    """What a 200 says of the picture and its model."""
    names, model = contract.edition.headers, order.request.model
    headers = {
        names["model_id"]: model.id,
        names["model_name"]: model.name,
        names["violation"]: str(order.violation).lower(),
        names["blurred"]: str(order.blurred).lower(),
    }
    if order.plan.enhanced_prompt is not None:
        headers[names["enhanced_prompt"]] = url_encoded(order.plan.enhanced_prompt)
    if model.deprecation is not None:
        headers[names["deprecated"]] = "true"
        for name, value in (
            ("deprecation_warning", model.deprecation.warning),
            ("deprecation_date", model.deprecation.date),
            ("deprecated_replacement", model.deprecation.replacement),
        ):
            if value is not None:
                headers[names[name]] = value
    return headers
