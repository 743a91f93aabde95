"""The valid request and the plan made from it. If you hold one, it is good: nothing later checks again."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from venice_mock.contract import ModelSpec
from venice_mock.contract.types import Size
from venice_mock.edit.fields import Text, Upload

OutputFormat = Literal["png", "jpeg", "webp"]


@dataclass(frozen=True, slots=True)
class EditRequest:
    """A request that satisfies the schema and its model's own rules. The image's bytes are not yet looked at."""

    image: Upload | Text
    prompt: str
    model: ModelSpec
    aspect_ratio: str
    resolution: str
    output_format: str | None  # canonical name, None when it was left to the tier
    quality: str | None
    safe_mode: bool
    enhance_prompt: bool


@dataclass(frozen=True, slots=True)
class EditPlan:
    """What will be made and what it costs: pixels, canonical format name, quality that is billed, USD.

    ``enhanced_prompt`` goes in the place of the request's where it was rewritten, and the price includes that.
    """

    size: Size
    ratio: str
    output_format: OutputFormat
    quality: str | None
    price: Decimal
    enhanced_prompt: str | None
