"""From a valid request and a probed image to a plan: size, format, price. Data in, data out."""

from __future__ import annotations

from collections.abc import Mapping

from venice_mock.accounts.pricing import price_of
from venice_mock.contract import Contract
from venice_mock.contract.types import Size
from venice_mock.edit.geometry import shape_output
from venice_mock.edit.request import EditPlan, EditRequest, OutputFormat
from venice_mock.errors import Issue, invalid

# The edition names formats as text; these are the ones the encoder has.
_ENCODERS: Mapping[str, OutputFormat] = {"png": "png", "jpeg": "jpeg", "webp": "webp"}


def make_plan(
    contract: Contract, request: EditRequest, source: Size, enhanced_prompt: str | None
) -> EditPlan:
    """Decide what will be made; ``enhanced_prompt`` is the rewrite, if there is one.

    Raises ApiError 400 when the format cannot hold the size.
    """
    tiers = contract.edition.tiers
    shape = shape_output(request.model, tiers, request.resolution, request.aspect_ratio, source)
    output_format = _ENCODERS[request.output_format or tiers.default_formats[request.resolution]]
    limit = contract.edition.formats[output_format].max_side
    if max(shape.size) > limit:
        message = contract.edition.messages.format_side.format(
            format=output_format, width=shape.size[0], height=shape.size[1], max_side=limit
        )
        raise invalid(contract, [Issue("custom", "output_format", message, "EDIT-FMT-010")])
    constraints = request.model.constraints
    quality = None
    if constraints is not None and constraints.qualities:
        quality = request.quality or constraints.default_quality
    price = price_of(request.model, request.resolution, quality)
    if enhanced_prompt is not None and contract.edition.enhancement is not None:
        price += contract.edition.enhancement.surcharge_usd
    return EditPlan(
        size=shape.size,
        ratio=shape.ratio,
        output_format=output_format,
        quality=quality,
        price=price,
        enhanced_prompt=enhanced_prompt,
    )
