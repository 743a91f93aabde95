"""Frozen types of an edition file. Only shapes and look-ups live here: no parsing, no I/O, no decisions.

An edition is the contract of the image edit API at one date. Every type refuses unknown keys, so a file
that grows a field nobody reads fails when it is loaded, not when a client meets the difference.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal

import msgspec

from venice_mock.contract.base import Data
from venice_mock.contract.wallet_types import (
    PaymentFacts,
    SignInFacts,
    StatementFacts,
    TopUpFacts,
    WalletTexts,
)

Behavior = Literal["documented", "observed"]
Size = tuple[int, int]  # width, height in pixels


class InputImages(Data, frozen=True):
    """How many input pictures the price of an edit covers, which may be none, and USD for each one beyond."""

    included: int
    additional: Decimal


class Pricing(Data, frozen=True):
    """USD per edit. ``quality`` (tier, then quality) goes before ``resolutions``, and that before ``inpaint``."""

    inpaint: Decimal
    resolutions: dict[str, Decimal] = msgspec.field(default_factory=dict)
    quality: dict[str, dict[str, Decimal]] = msgspec.field(default_factory=dict)
    input_images: InputImages | None = None


class Constraints(Data, frozen=True):
    """What one model accepts. ``single_image_aspect_ratio`` false: the output keeps the input's size."""

    aspect_ratios: tuple[str, ...]
    prompt_character_limit: int
    combine_images: bool
    max_input_images: int | None = None
    single_image_aspect_ratio: bool | None = None
    default_resolution: str | None = None
    resolutions: tuple[str, ...] = ()
    default_quality: str | None = None
    qualities: tuple[str, ...] = ()


class SizeTable(Data, frozen=True):
    """Measured output sizes of one model that differ from the tier rule.

    ``exact`` gives sizes by ratio and tier; for other ratios the long edge is fixed by tier and the other
    side is rounded to a multiple of ``round_to``.
    """

    exact: dict[str, dict[str, Size]]
    long_edge: dict[str, int]
    round_to: int


class Deprecation(Data, frozen=True):
    """An announced retirement: ISO 8601 date-time, the warning's text and, when published, a replacement."""

    date: str | None = None
    removes_at: str | None = None
    auto_remap: bool = False
    warning: str | None = None
    replacement: str | None = None


class ModelSpec(Data, frozen=True):
    """One row of the catalogue. Only ``type == "inpaint"`` can edit; such a model has pricing and constraints."""

    id: str
    name: str
    type: str
    created: int
    owned_by: str
    privacy: str
    confidence: str
    beta: bool = False
    offline: bool = False
    uncensored: bool = False
    supports_optimize_prompt_thinking: bool | None = None  # None: not listed
    traits: tuple[str, ...] = ()
    pricing: Pricing | None = None
    constraints: Constraints | None = None
    sizes: SizeTable | None = None
    deprecation: Deprecation | None = None
    blocks_policy: bool = False
    note: str = ""


class Limits(Data, frozen=True):
    """Numbers of the contract that are not a model's own. Bytes, pixels, characters, requests, seconds."""

    min_pixels: int
    max_pixels: int
    max_file_bytes_exclusive: int
    max_json_body_bytes: int
    prompt_min: int
    prompt_max: int
    resolution_min: int
    resolution_max: int
    image_requests_per_minute: int
    wallet_in_flight: int


class Fields(Data, frozen=True):
    """The closed lists of the request schema."""

    aspect_ratios: tuple[str, ...]
    output_formats: tuple[str, ...]
    format_aliases: dict[str, str]
    qualities: tuple[str, ...]
    model_ids: tuple[str, ...]
    known: tuple[str, ...]
    required: tuple[str, ...]
    default_resolution: str
    default_safe_mode: bool


class Enhancement(Data, frozen=True):
    """Rewriting of prompts: whether it is on when unasked, USD for a rewrite, and how long a real one may take."""

    default: bool
    surcharge_usd: Decimal
    up_to_s: int


class FormatSpec(Data, frozen=True):
    """An output format: media type and the longest side that its encoder can hold, in pixels."""

    media_type: str
    max_side: int


class Tiers(Data, frozen=True):
    """Output geometry: a tier is an area of (``base`` x factor) squared, sides rounded up to ``round_to``."""

    base: int
    round_to: int
    factors: dict[str, int]
    default_formats: dict[str, str]
    free_ratio_min: Size
    free_ratio_max: Size


class ErrorSpec(Data, frozen=True):
    """One row of the vendor's error table. ``code`` is set only where the real body carries one."""

    status: int
    text: str
    code: str | None = None
    retry_after_s: int | None = None


class Messages(Data, frozen=True):
    """Wording of validation errors; ``{placeholders}`` are filled by the validator."""

    envelope: str
    invalid_json: str
    invalid_form: str
    body_timeout: str
    required: str
    wrong_type: str
    too_small: str
    too_big: str
    invalid_enum: str
    unrecognized_keys: str
    image_not_base64: str
    image_url_failed: str
    image_url_refused: str
    image_empty: str
    prompt_limit: str
    ratio_not_supported: str
    resolution_not_supported: str
    quality_not_supported: str
    format_side: str
    number_type: str
    number_small: str
    number_big: str
    not_found: str
    method_not_allowed: str


class Words(Data, frozen=True):
    """Whole words, lower case, that classify a prompt (facts: Content). Never sent to a foreign server."""

    adult: tuple[str, ...]
    policy: tuple[str, ...]


class Rail(Data, frozen=True):
    """One way to pay: an x402 network with its token and the receivers that the mock advertises."""

    network: str
    caip2: str
    asset: str
    pay_to: str
    extra: dict[str, str]


class X402(Data, frozen=True):
    """Texts, amounts and networks of the x402 answers. Amounts are micro-USDC strings unless named ``_usd``."""

    version: int
    scheme: str
    description: str
    mime_type: str
    discovery_error: str
    suggested_amount: str
    minimum_amount: str
    max_timeout_s: int
    rails: tuple[Rail, ...]
    statement: str
    challenge_version: str
    challenge_life_s: int
    supported_chains: tuple[dict[str, str], ...]
    auth_options: dict[str, dict[str, str]]
    sign_in_headers: tuple[str, ...]
    payment_headers: tuple[str, ...]
    floor_usd: Decimal
    sign_in: SignInFacts
    payments: PaymentFacts
    top_up: TopUpFacts
    statements: StatementFacts
    texts: WalletTexts


class DifferenceSide(Data, frozen=True):
    """One behaviour of a difference: what a reader is told, and the value that code reads."""

    text: str
    value: Any


class Difference(Data, frozen=True):
    """A matter in which documentation and measurement disagree."""

    id: str
    matter: str
    documented: DifferenceSide
    observed: DifferenceSide
    grade: str


class Rule(Data, frozen=True):
    """One sentence of the contract that a test can show.

    ``cost``: ``free`` without credentials, ``free-wallet`` with an unfunded wallet or a zero-limit key,
    ``free-refusal`` if refusals are free, ``paid``, or ``mock`` (only a server that can be steered).
    ``since`` is the first edition in which it holds, ``until`` the first in which it no longer does.
    """

    id: str
    group: str
    level: Literal["must", "should", "may", "observe"]
    text: str
    check: str
    source: str
    certainty: Literal["documented", "observed", "assumed"]
    cost: Literal["free", "free-wallet", "free-refusal", "paid", "mock"]
    since: str
    until: str | None = None
    difference: str | None = None

    def holds_in(self, edition: str) -> bool:
        """Whether it is a rule of ``edition``, which is a date; any other name counts as later than all dates."""
        return self.since <= edition and (self.until is None or edition < self.until)


class Edition(Data, frozen=True):
    """One whole edition file, as it stands."""

    edition: str
    title: str
    stamp: str
    path: str
    model_types: tuple[str, ...]
    listing_types: tuple[str, ...]
    listing_default: str
    traits_default: str
    models: tuple[ModelSpec, ...]
    traits: dict[str, dict[str, str]]
    compatibility: dict[str, dict[str, str]]
    limits: Limits
    fields: Fields
    formats: dict[str, FormatSpec]
    tiers: Tiers
    errors: dict[str, ErrorSpec]
    messages: Messages
    headers: dict[str, str]
    words: Words
    x402: X402
    differences: tuple[Difference, ...]
    rules: tuple[Rule, ...]
    enhancement: Enhancement | None = None  # None: prompts are never rewritten

    @property
    def active_rules(self) -> tuple[Rule, ...]:
        """The rules that hold in this edition; ``rules`` has those of other editions too."""
        return tuple(rule for rule in self.rules if rule.holds_in(self.edition))


class Contract:
    """An edition together with the behaviour chosen: what the server and the suite look facts up in."""

    __slots__ = ("__weakref__", "_models", "_ways", "behavior", "edition")

    def __init__(self, edition: Edition, behavior: Behavior) -> None:
        self.edition = edition
        self.behavior: Behavior = behavior
        self._models = {model.id: model for model in edition.models}
        self._ways = {
            row.id: (row.observed if behavior == "observed" else row.documented).value
            for row in edition.differences
        }

    def model(self, model_id: str) -> ModelSpec | None:
        """The catalogue's row for ``model_id`` of whatever type; ids are case-sensitive."""
        return self._models.get(model_id)

    def way(self, difference_id: str) -> Any:
        """The value of the chosen behaviour for one difference. Raises KeyError for an id that is no row."""
        return self._ways[difference_id]

    def error(self, name: str) -> ErrorSpec:
        """The row ``name`` of the vendor's error table. Raises KeyError for an unknown name."""
        return self.edition.errors[name]

    @property
    def inpaint_models(self) -> tuple[ModelSpec, ...]:
        """The models that can edit, in catalogue order."""
        return tuple(model for model in self.edition.models if model.type == "inpaint")
