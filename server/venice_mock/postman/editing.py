"""Edits that succeed: every way to send one, and every model, tier, quality, ratio, format and safe mode."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from venice_mock.accounts.pricing import price_of
from venice_mock.contract import Contract, ModelSpec
from venice_mock.contract.types import Size
from venice_mock.edit.enhancing import enhance, url_encoded
from venice_mock.edit.geometry import AUTO, shape_output
from venice_mock.postman import asserting as say
from venice_mock.postman.parts import Call, Folder

PROMPT = "make it a sunset"
IMAGE = "{{image}}"  # base64
URL = "{{image_url}}"
SOURCE: Size = (320, 240)  # of the picture in the variable `image`


@dataclass(frozen=True, slots=True)
class Edits:
    """Requests to the edit endpoint of one contract."""

    contract: Contract

    @property
    def path(self) -> str:
        """The endpoint, below the base URL."""
        return below_base(self.contract.edition.path)

    @property
    def default(self) -> ModelSpec:
        """The model of a request that names none."""
        return self._model(str(self.contract.way("default-model")))

    def fields(self, **more: Any) -> dict[str, Any]:
        """The fields of an edit that needs no more."""
        return {"image": IMAGE, "prompt": PROMPT, **more}

    def call(self, name: str, fields: Mapping[str, Any], *tests: list[str], **more: Any) -> Call:
        """An edit as JSON that succeeds: what its fields promise is asserted, and ``tests`` besides.

        ``more`` are further members of the call; with ``form`` in it the body is that and not JSON.
        """
        body = None if "form" in more else dict(fields)
        lines = [*self._answer(fields), *(line for each in tests for line in each)]
        return Call(name, self.path, lines, json=body, **more)

    def ways(self) -> Folder:
        """Every way to send an edit."""
        by_url = {"image": URL, "prompt": PROMPT, "aspect_ratio": self._fixed_ratio()}
        alias = next(m for m in self.contract.edition.fields.model_ids if self.contract.model(m) is not None)
        every = self.fields(
            model=self.default.id,
            aspect_ratio=AUTO,
            resolution=self.contract.edition.fields.default_resolution,
            output_format=self.contract.edition.fields.output_formats[0],
            safe_mode=self.contract.edition.fields.default_safe_mode,
        )
        typed = {
            "form": {name: str(value).lower() if value is True else value for name, value in every.items()}
        }
        calls = [
            self.call("JSON, base64", self.fields(), about="The least that an edit needs."),
            self.call("JSON, data URL", self.fields(image=f"data:image/jpeg;base64,{IMAGE}")),
            self.call("JSON, URL", by_url, about="The server fetches `image_url` itself."),
            self.call("JSON, every field", every),
            self.call("JSON, modelId", self.fields(modelId=alias), about="The former name of `model`."),
            self.call("multipart, URL", by_url, form=by_url),
            self.call("multipart, base64", every, **typed),
        ]
        about = (
            "Every way to send a picture. None needs a file: a form may carry text where a file could stand."
        )
        return Folder("Edit: ways to send one", about, calls)

    def models(self) -> Folder:
        """Every model in each of its tiers and qualities, with its price."""
        calls = [
            self.call(name, fields, say.price(self.contract, usd)) for name, fields, usd in self._priced()
        ]
        about = (
            "Every model in each of its tiers and qualities, its output's size and its price, which is read from the "
            "key's balance before and after: nobody else may use the key meanwhile."
        )
        return Folder("Edit: models, tiers, qualities, prices", about, calls, say.PRICED)

    def ratios(self) -> Folder:
        """Every ratio, with a model that knows it."""
        calls = []
        for ratio in self.contract.edition.fields.aspect_ratios:
            model = next(
                (m for m in self._models() if m.constraints and ratio in m.constraints.aspect_ratios), None
            )
            if model is not None:
                calls.append(self.call(ratio, self.fields(model=model.id, aspect_ratio=ratio)))
        return Folder("Edit: aspect ratios", "Every shape of the result.", calls)

    def formats(self) -> Folder:
        """Every format, and those that stand when none is asked for."""
        fields = self.contract.edition.fields
        calls = [
            self.call(f"output_format {name}", self.fields(output_format=name))
            for name in (*fields.output_formats, *fields.format_aliases)
        ]
        return Folder("Edit: formats", "Every format of the result.", calls)

    def contents(self) -> Folder:
        """Safe mode with harmless and with adult words, and a policy word that a model lets pass."""
        words = self.contract.edition.words
        adult, policy = f"a {words.adult[0]} statue", f"a {words.policy[0]} scene"
        calls = [
            self.call("harmless, safe_mode true", self.fields(safe_mode=True)),
            self.call("harmless, safe_mode false", self.fields(safe_mode=False)),
            self.call("adult, safe_mode true: blurred", self.fields(prompt=adult, safe_mode=True)),
            self.call("adult, safe_mode omitted: blurred", self.fields(prompt=adult)),
            self.call("adult, safe_mode false: sharp", self.fields(prompt=adult, safe_mode=False)),
        ]
        calm = next((m for m in self._models() if not m.blocks_policy), None)
        if calm is not None:
            fields = self.fields(model=calm.id, prompt=policy, safe_mode=False)
            calls.append(self.call("against the policy: 200 that says so", fields))
        about = "What safe mode does. The words are those by which the mock classifies: sent to a mock only."
        return Folder("Edit: safe mode", about, calls, say.MOCK_ONLY)

    def rewrites(self) -> Folder | None:
        """Rewritten prompts, in an edition that has them."""
        enhancement, known = self.contract.edition.enhancement, self.contract.edition.fields.known
        if enhancement is None:
            return None
        price = self._price(self.fields())
        rewritten = self._rewritten(PROMPT)
        name = self.contract.edition.headers["enhanced_prompt"]
        told = say.headers({name: url_encoded(rewritten)}) if rewritten else []
        dearer = say.price(self.contract, price + enhancement.surcharge_usd)
        none = say.test(f"no header {name}", f"pm.response.to.not.have.header({say.js(name)});")
        calls = [
            self.call("enhance_prompt true", self.fields(enhance_prompt=True), told, dearer),
            self.call(
                "enhance_prompt false",
                self.fields(enhance_prompt=False),
                none,
                say.price(self.contract, price),
            ),
        ]
        other = "disable_prompt_optimization_thinking"
        if other in known:
            calls.append(self.call(other, self.fields(**{other: True}), none))
        about = "A rewritten prompt is told in a header and costs more."
        return Folder("Edit: rewritten prompts", about, calls, say.PRICED)

    def folders(self) -> list[Folder]:
        """All of them."""
        found = [self.ways(), self.models(), self.ratios(), self.formats(), self.contents()]
        rewrites = self.rewrites()
        return [*found, rewrites] if rewrites else found

    def cost(self) -> Decimal:
        """USD that one run of these requests takes from the key."""
        total = Decimal(0)
        for folder in self.folders():
            for call in folder.calls:
                fields = call.json or call.form or {}
                total += self._price(fields)
                if fields.get("enhance_prompt") is True and self.contract.edition.enhancement is not None:
                    total += self.contract.edition.enhancement.surcharge_usd
        return total

    # ---- what an edit promises ---------------------------------------------------------------------------

    def _answer(self, fields: Mapping[str, Any]) -> list[str]:
        contract, names = self.contract, self.contract.edition.headers
        model = self._model(fields.get("model") or fields.get("modelId") or self.default.id)
        words, safe = (
            contract.edition.words,
            fields.get("safe_mode", contract.edition.fields.default_safe_mode),
        )
        against = any(word in fields["prompt"].split() for word in words.policy)
        adult = any(word in fields["prompt"].split() for word in words.adult)
        told = {
            names["model_id"]: model.id,
            names["model_name"]: model.name,
            names["violation"]: str(against).lower(),
            names["blurred"]: str(against or (adult and safe)).lower(),
        }
        media_type, size = self._picture(model, fields)
        tiny = against and contract.way("violation-body") == "placeholder"
        return [
            *say.status(200),
            *say.stamped(contract),
            *say.headers(told),
            *_deprecation(contract, model),
            *say.balance(contract),
            *say.limits(contract),
            *(say.content_type(media_type) if tiny else say.picture(media_type, size)),
        ]

    def _picture(self, model: ModelSpec, fields: Mapping[str, Any]) -> tuple[str, Size]:
        edition = self.contract.edition
        tier = fields.get("resolution", edition.fields.default_resolution)
        asked = fields.get("output_format", edition.tiers.default_formats[tier])
        kind = edition.formats[edition.fields.format_aliases.get(asked, asked)]
        ratio = fields.get("aspect_ratio", AUTO)
        return kind.media_type, shape_output(model, edition.tiers, tier, ratio, SOURCE).size

    def _price(self, fields: Mapping[str, Any]) -> Decimal:
        model = self._model(fields.get("model") or fields.get("modelId") or self.default.id)
        tier = fields.get("resolution", self.contract.edition.fields.default_resolution)
        return price_of(model, tier, fields.get("quality"))

    def _priced(self) -> Iterator[tuple[str, dict[str, Any], Decimal]]:
        """Name, fields and price for every model, tier and quality."""
        refuses_quality = self.contract.way("quality-on-edit") == "unrecognized"
        for model in self._models():
            limits = model.constraints
            if limits is None:
                continue
            for tier in limits.resolutions or (self.contract.edition.fields.default_resolution,):
                fields = self.fields(model=model.id, resolution=tier)
                qualities: tuple[str | None, ...] = limits.qualities or (None,)
                for quality in (None,) if refuses_quality else qualities:
                    asked = fields if quality is None else {**fields, "quality": quality}
                    words = (model.id, tier) if quality is None else (model.id, tier, quality)
                    yield " ".join(words), asked, self._price(asked)

    def _fixed_ratio(self) -> str:
        """A ratio of the default model that does not depend on the picture, whatever `image_url` leads to."""
        limits = self.default.constraints
        listed = () if limits is None else limits.aspect_ratios
        return next((ratio for ratio in listed if ratio != AUTO), AUTO)

    def _rewritten(self, prompt: str) -> str | None:
        limits = self.default.constraints
        return None if limits is None else enhance(prompt, SOURCE, limits.prompt_character_limit)

    def _models(self) -> list[ModelSpec]:
        """The models that can edit, the default one first."""
        able = [m for m in self.contract.inpaint_models if not m.offline]
        return sorted(able, key=lambda model: model.id != self.default.id)

    def _model(self, model_id: str) -> ModelSpec:
        return next(m for m in self.contract.inpaint_models if m.id == model_id)


def below_base(path: str) -> str:
    """A path of the edition as it stands below the base URL, which ends in /api/v1."""
    return path.removeprefix("/api/v1")


def _deprecation(contract: Contract, model: ModelSpec) -> list[str]:
    if model.deprecation is None:
        return []
    names, gone = contract.edition.headers, model.deprecation
    told = {
        names["deprecated"]: "true",
        names["deprecation_warning"]: gone.warning,
        names["deprecation_date"]: gone.date,
        names["deprecated_replacement"]: gone.replacement,
    }
    return say.headers({name: value for name, value in told.items() if value is not None})
