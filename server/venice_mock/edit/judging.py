"""The steps between a valid request and work that may begin: header, size, content policy. No I/O, no money."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from venice_mock.contract import Contract
from venice_mock.edit.enhancing import enhance
from venice_mock.edit.making import Engine, Notes, Order
from venice_mock.edit.opening import ImageFault, probe
from venice_mock.edit.planning import make_plan
from venice_mock.edit.request import EditRequest
from venice_mock.edit.safety import classify
from venice_mock.errors import ApiError, refuse

_FAULTS = {
    "corrupted": ("CORRUPTED_IMAGE", "EDIT-IMG-009"),
    "too_small": ("IMAGE_TOO_SMALL", "EDIT-IMG-012"),
    "too_large": ("IMAGE_TOO_LARGE", "EDIT-IMG-014"),
}


@dataclass(frozen=True, slots=True)
class Terms:
    """What a session's settings and a caller's orders add to a body. ``seed``: of the picture."""

    default_model: str
    seed: int
    engine: Engine
    caption: bool
    adult: bool | None


@dataclass(frozen=True, slots=True)
class Judged:
    """A good order, the key of its picture, and the headers that go with that."""

    order: Order
    key: bytes
    headers: Mapping[str, str]


def judge_image(
    contract: Contract,
    request: EditRequest,
    data: bytes | bytearray | memoryview,
    *,
    sha256: str,
    seed: int,
    engine: Engine,
    caption: bool,
    adult: bool | None = None,
    notes: Notes | None = None,
) -> Order:
    """Look at the file's header, plan, and apply the content policy. Raises ApiError 400, 413 or 422.

    ``sha256``: of the file, in hex. ``adult``: what the content counts as, whatever its signs say; None: as they say.
    ``notes``: room for what is found out while the picture is made.
    """
    limits = contract.edition.limits
    try:
        found = probe(data, min_pixels=limits.min_pixels, max_pixels=limits.max_pixels)
    except ImageFault as fault:
        raise image_refusal(contract, fault) from fault
    source = (found.width, found.height)
    content = classify(request.prompt, found.adult, contract.edition.words)
    if adult is not None:
        content = replace(content, adult=adult)
    rewritten = None
    if request.enhance_prompt and not content.policy:  # what ends as a violation is not charged for a rewrite
        rewritten = enhance(request.prompt, source, _prompt_limit(request))
    plan = make_plan(contract, request, source, rewritten)
    if content.policy and request.model.blocks_policy:
        raise refuse(contract, "CONTENT_POLICY_VIOLATION", rule="EDIT-SAFE-007")
    return Order(data, sha256, found, request, plan, content, seed, engine, caption, notes)


def _prompt_limit(request: EditRequest) -> int:
    limits = request.model.constraints
    return 0 if limits is None else limits.prompt_character_limit


def image_refusal(contract: Contract, fault: ImageFault, *, decoding: bool = False) -> ApiError:
    """The vendor's refusal for a file that is no usable image; ``decoding`` when its header had looked good."""
    name, rule = _FAULTS[fault.kind]
    limits = contract.edition.limits
    hint = {
        "too_small": f"{fault.reason}: width times height must be at least {limits.min_pixels}",
        "too_large": f"{fault.reason}: width times height must be at most {limits.max_pixels}",
    }.get(fault.kind)
    return refuse(contract, name, rule="EDIT-IMG-010" if decoding else rule, hint=hint)
