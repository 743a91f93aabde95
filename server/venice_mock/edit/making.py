"""From image bytes and a plan to output bytes: everything that runs in a worker thread, and nothing else."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Literal

from venice_mock.contract import Contract
from venice_mock.edit.encoding import encode
from venice_mock.edit.metadata import Understood
from venice_mock.edit.opening import Probe, decode, pixels_in_flight
from venice_mock.edit.painting import Brief, caption, draw_card, paint
from venice_mock.edit.request import EditPlan, EditRequest
from venice_mock.edit.safety import Classification, blur, placeholder
from venice_mock.edit.thumbs import small

Engine = Literal["paint", "fast"]


@dataclass(slots=True)
class Notes:
    """What falls off while a picture is made: the input's hash, and of a painted one both pictures in small."""

    sha256: str | None = None
    before: bytes | None = None
    after: bytes | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """One edit to make: the file, what is known of it, and what is to come out."""

    data: bytes | bytearray | memoryview
    probe: Probe
    request: EditRequest
    plan: EditPlan
    content: Classification
    seed: int
    engine: Engine
    caption: bool
    notes: Notes | None = None

    @property
    def prompt(self) -> str:
        """What is painted: the request's prompt, or its rewrite."""
        return self.plan.enhanced_prompt or self.request.prompt

    @property
    def pixels(self) -> int:
        """Pixels held at once while it is made."""
        return pixels_in_flight(self.probe, self.plan.size)

    @property
    def violation(self) -> bool:
        """The result is reported as a content violation."""
        return self.content.policy

    @property
    def blurred(self) -> bool:
        """The result is hidden: always for a violation, by safe mode for adult content."""
        return self.violation or (self.content.adult and self.request.safe_mode)


def make_picture(contract: Contract, order: Order) -> bytes:
    """Decode, paint, make safe, encode. Raises ImageFault when the pixels cannot be read."""
    request, plan = order.request, order.plan
    digest = hashlib.sha256(order.data).hexdigest()
    brief = Brief(
        prompt=order.prompt,
        model=request.model.id,
        size=plan.size,
        tier=request.resolution,
        quality=plan.quality,
        input_sha256=digest,
        seed=order.seed,
        caption=order.caption,
    )
    notes = order.notes
    if notes is not None:
        notes.sha256 = digest
    source = decode(
        order.data, order.probe, cover=plan.size
    )  # the fast engine too: broken files stay refused
    painted = order.engine == "paint"  # beside a card of the fast engine the small ones would cost too much
    if notes is not None and painted:
        notes.before = small(source)
    picture = paint(source, replace(brief, caption=False)) if order.engine == "paint" else draw_card(brief)
    if order.violation and contract.way("violation-body") == "placeholder":
        picture = placeholder()
    elif order.blurred:
        picture = blur(picture)
    if order.caption and order.engine == "paint" and picture.size == plan.size:
        picture = caption(picture, brief)  # last, so that it stays legible on a blurred picture
    if notes is not None and painted:
        notes.after = small(picture)
    return encode(picture, plan.output_format, _understood(contract, order, digest, picture.size))


def _understood(contract: Contract, order: Order, digest: str, size: tuple[int, int]) -> Understood:
    request, plan = order.request, order.plan
    return Understood.of(
        prompt=request.prompt,
        edition=contract.edition.edition,
        behavior=contract.behavior,
        model=request.model.id,
        aspect_ratio=plan.ratio,
        resolution=request.resolution,
        width=size[0],
        height=size[1],
        output_format=plan.output_format,
        quality=plan.quality,
        safe_mode=request.safe_mode,
        price_usd=str(plan.price),
        input_sha256=digest,
        input_width=order.probe.width,
        input_height=order.probe.height,
        seed=order.seed,
        adult=order.content.adult,
        violation=order.violation,
        blurred=order.blurred,
        enhanced_prompt=plan.enhanced_prompt,
    )
