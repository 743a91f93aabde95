"""One edit without a server: the same steps as the endpoint's, without callers and money."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from venice_mock.contract import Contract, load_contract
from venice_mock.edit.answer import picture_headers
from venice_mock.edit.fields import Upload
from venice_mock.edit.judging import image_refusal, judge_image
from venice_mock.edit.making import make_picture
from venice_mock.edit.opening import ImageFault
from venice_mock.edit.validation import validate
from venice_mock.errors import refuse
from venice_mock.settings import Settings


@dataclass(frozen=True, slots=True)
class EditResult:
    """An edited picture: file bytes, media type, size in pixels, and what the real one would cost in USD."""

    image: bytes
    media_type: str
    model: str
    width: int
    height: int
    price_usd: str
    headers: dict[str, str]


def edit_bytes(
    data: bytes,
    *,
    prompt: str,
    settings: Settings | None = None,
    fields: Mapping[str, str | bool] | None = None,
    contract: Contract | None = None,
) -> EditResult:
    """Edit the image file ``data``; ``fields`` are further fields of the request.

    The settings' edition, behaviour, default model, engine, caption and seed count. Raises ApiError for whatever
    the server would refuse. A caller with many files hands in the ``contract`` to load it once.
    """
    chosen = settings or Settings()
    facts = contract or load_contract(chosen.edition, chosen.behavior)
    raw = {**(fields or {}), "image": Upload(data), "prompt": prompt}
    request = validate(facts, raw, chosen.default_model or str(facts.way("default-model")))
    if len(data) >= facts.edition.limits.max_file_bytes_exclusive:
        raise refuse(facts, "PAYLOAD_TOO_LARGE", rule="EDIT-IMG-016")
    order = judge_image(
        facts,
        request,
        data,
        sha256=hashlib.sha256(data).hexdigest(),
        seed=chosen.seed or 0,
        engine=chosen.engine,
        caption=chosen.caption,
    )
    try:
        image = make_picture(facts, order)
    except ImageFault as fault:
        raise image_refusal(facts, fault, decoding=True) from fault
    return EditResult(
        image=image,
        media_type=facts.edition.formats[order.plan.output_format].media_type,
        model=request.model.id,
        width=order.plan.size[0],
        height=order.plan.size[1],
        price_usd=str(order.plan.price),
        headers=picture_headers(facts, order),
    )
