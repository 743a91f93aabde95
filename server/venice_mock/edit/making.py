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
    """What falls off while a picture is painted: the input and the picture in small."""

    before: bytes | None = None
    after: bytes | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """One edit to make: the file and its hash in hex, what is known of it, and what is to come out."""

    data: bytes | bytearray | memoryview
    sha256: str
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


def key_of(contract: Contract, order: Order) -> bytes:
    """A digest of everything that the picture depends on: orders with the same key make the same file.

    It takes whole records rather than what is used of them today: an entry too many costs less than a wrong picture.
    """
    request = order.request
    said = (
        order.sha256,
        contract.edition.edition,
        contract.behavior,
        contract.way("violation-body"),
        request.model.id,
        request.prompt,
        request.aspect_ratio,
        request.resolution,
        request.output_format,
        request.quality,
        request.safe_mode,
        request.enhance_prompt,
        order.plan,
        order.content,
        order.seed,
        order.engine,
        order.caption,
    )
    return hashlib.sha256(repr(said).encode()).digest()


def make_picture(contract: Contract, order: Order) -> bytes:
    """Decode, paint, make safe, encode. Raises ImageFault when the pixels cannot be read."""
    request, plan = order.request, order.plan
    brief = Brief(
        prompt=order.prompt,
        model=request.model.id,
        size=plan.size,
        tier=request.resolution,
        quality=plan.quality,
        input_sha256=order.sha256,
        seed=order.seed,
        caption=order.caption,
    )
    notes = order.notes
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
    return encode(picture, plan.output_format, _understood(contract, order, picture.size))


def _understood(contract: Contract, order: Order, size: tuple[int, int]) -> Understood:
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
        input_sha256=order.sha256,
        input_width=order.probe.width,
        input_height=order.probe.height,
        seed=order.seed,
        adult=order.content.adult,
        violation=order.violation,
        blurred=order.blurred,
        enhanced_prompt=plan.enhanced_prompt,
    )
