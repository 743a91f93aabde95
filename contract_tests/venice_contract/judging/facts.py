"""The facts that are judged by: an edition and the behaviours that are accepted. Looks things up; sends nothing.

The only module of the suite that loads an edition. It shares the data with the mock and none of its reasoning:
what follows from the data is worked out here again, in the plainest way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from venice_mock.contract import Edition, ModelSpec, Rule

Accepted = Literal["documented", "observed", "any"]
Side = Literal["documented", "observed"]


@dataclass(frozen=True)
class Facts:
    """An edition, seen with the behaviours that ``accepted`` allows."""

    edition: Edition
    accepted: Accepted = "any"

    @property
    def sides(self) -> tuple[Side, ...]:
        """The behaviours that a server may show."""
        return ("documented", "observed") if self.accepted == "any" else (self.accepted,)

    def ways(self, difference: str) -> dict[Side, Any]:
        """The accepted values of one difference. Raises KeyError for an id that is no row."""
        row = next((row for row in self.edition.differences if row.id == difference), None)
        if row is None:
            raise KeyError(difference)
        return {side: getattr(row, side).value for side in self.sides}

    def rule(self, rule_id: str) -> Rule:
        """The rule of that id. Raises KeyError for one that does not hold in this edition."""
        for rule in self.edition.active_rules:
            if rule.id == rule_id:
                return rule
        raise KeyError(rule_id)

    @property
    def models(self) -> tuple[ModelSpec, ...]:
        """The models that can edit, in catalogue order, but those that are offline."""
        return tuple(m for m in self.edition.models if m.type == "inpaint" and not m.offline)

    def model(self, model_id: str) -> ModelSpec:
        """The row of an edit model. Raises KeyError."""
        for model in self.models:
            if model.id == model_id:
                return model
        raise KeyError(model_id)

    def default_models(self) -> tuple[str, ...]:
        """The models that may serve a request that names none."""
        return tuple(dict.fromkeys(str(way) for way in self.ways("default-model").values()))

    def cheapest(self, models: Iterable[ModelSpec] | None = None) -> ModelSpec:
        """The cheapest of ``models`` (else of all) at its cheapest setting, the earliest of equals.

        Models that refuse a plain request, because they lack 1K, say, are not taken.
        """
        fit = [m for m in (self.models if models is None else models) if self.takes_default_tier(m)]
        return min(fit, key=lambda model: self.price({"model": model.id}))

    def takes_default_tier(self, model: ModelSpec) -> bool:
        """Whether a request without ``resolution`` is one that this model takes."""
        tiers = model.constraints.resolutions if model.constraints else ()
        return not tiers or self.edition.fields.default_resolution in tiers

    def price(self, fields: Mapping[str, Any]) -> Decimal:
        """USD of an edit of these fields; the most that an accepted behaviour may ask. No model: the default's.

        Fields that no model takes cost nothing: such a request is refused.
        """
        names = [fields.get("model", fields.get("modelId"))]
        if not isinstance(names[0], str) or not names[0]:
            names = list(self.default_models())
        found = [self._price_of(m, fields) for m in self.models if m.id in names]
        return max(found, default=Decimal(0))

    def _price_of(self, model: ModelSpec, fields: Mapping[str, Any]) -> Decimal:
        """By quality first, then by tier, then the model's one price; then what every input picture costs."""
        pricing, limits = model.pricing, model.constraints
        if pricing is None or limits is None:
            return Decimal(0)
        tier = fields.get("resolution")
        if not isinstance(tier, str):
            tier = self.edition.fields.default_resolution
        quality = fields.get("quality")
        if not isinstance(quality, str) or quality not in limits.qualities:
            quality = limits.default_quality or ""
        by_quality = pricing.quality.get(tier, {})
        if quality in by_quality:
            price = by_quality[quality]
        elif tier in pricing.resolutions:
            price = pricing.resolutions[tier]
        else:
            price = pricing.inpaint
        if pricing.input_images is not None and pricing.input_images.included < 1:
            price += pricing.input_images.additional
        if fields.get("enhance_prompt") is True and self.edition.enhancement is not None:
            price += self.edition.enhancement.surcharge_usd
        return price
