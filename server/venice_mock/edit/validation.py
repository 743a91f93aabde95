"""The request schema and the models' own rules, as the vendor words them. All faults of one stage are told together.

Stages, in the order of the contract: schema (400), model (404), the model's own rules (400).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from venice_mock.contract import Contract, ModelSpec
from venice_mock.edit.fields import FormText, RawFields, Text, Upload
from venice_mock.edit.geometry import AUTO
from venice_mock.edit.request import EditRequest
from venice_mock.errors import Issue, invalid, refuse

_LONGEST_ECHO = 1000  # ours: characters of a wrong value that are told back


@dataclass(frozen=True, slots=True)
class Draft:
    """Values that satisfy the schema; absent ones are None."""

    image: Upload | Text
    prompt: str
    model_id: str
    aspect_ratio: str
    resolution: str
    output_format: str | None
    quality: str | None
    safe_mode: bool
    enhance_prompt: bool


def validate(contract: Contract, raw: RawFields, default_model: str) -> EditRequest:
    """Judge raw fields. Raises ApiError: 400 with every fault of the stage, or 404 for the model."""
    draft = check_schema(contract, raw, default_model)
    model = find_model(contract, draft.model_id)
    return check_model_rules(contract, draft, model)


def named_model(raw: RawFields, default_model: str) -> str:
    """The model a request is counted under, before it is known to be valid."""
    given = raw.get("model", raw.get("modelId"))
    return given if isinstance(given, str) and given else default_model


def check_schema(contract: Contract, raw: RawFields, default_model: str) -> Draft:
    """Types, lengths, closed lists and unknown keys. Raises ApiError 400 with all of them."""
    issues: list[Issue] = []
    values: dict[str, Any] = {}
    known = _known_fields(contract)
    for name in known:
        if name not in raw:
            if name in contract.edition.fields.required:
                issues.append(_missing(contract, name))
        else:
            found = _CHECKS[name](contract, name, raw[name])
            if isinstance(found, Issue):
                issues.append(found)
            else:
                values[name] = found
    unknown = [key for key in raw if key not in known]
    if unknown:
        issues.append(_unrecognized(contract, unknown))
    if issues:
        raise invalid(contract, issues)
    safe_mode = values.get("safe_mode", contract.edition.fields.default_safe_mode)
    enhancement = contract.edition.enhancement
    return Draft(
        image=values["image"],
        prompt=values["prompt"],
        model_id=values.get("model") or values.get("modelId") or default_model,
        aspect_ratio=values.get("aspect_ratio", AUTO),
        resolution=values.get("resolution", contract.edition.fields.default_resolution),
        output_format=values.get("output_format"),
        quality=values.get("quality"),
        safe_mode=safe_mode,
        enhance_prompt=values.get("enhance_prompt", enhancement is not None and enhancement.default),
    )


def find_model(contract: Contract, model_id: str) -> ModelSpec:
    """The edit model of that id. Raises ApiError 404 for an unknown one or one of another type, 503 offline."""
    model = contract.model(model_id)
    if model is None:
        known = ", ".join(m.id for m in contract.inpaint_models)
        raise refuse(contract, "MODEL_NOT_FOUND", rule="EDIT-MOD-005", hint=f"Edit models: {known}")
    if model.type != "inpaint":
        hint = f"{model.id} is a model of type {model.type}"
        raise refuse(contract, "MODEL_NOT_FOUND", rule="EDIT-MOD-006", hint=hint)
    if model.offline:
        raise refuse(contract, "MODEL_OFFLINE")
    return model


def check_model_rules(contract: Contract, draft: Draft, model: ModelSpec) -> EditRequest:
    """Prompt limit, ratio, tier and quality of this model. Raises ApiError 400 with all faults."""
    limits = model.constraints
    if limits is None:
        raise ValueError(f"{model.id} has no constraints")
    words = contract.edition.messages
    issues: list[Issue] = []

    def fault(field: str, rule: str, message: str, **values: object) -> None:
        issues.append(Issue("custom", field, message.format(model=model.id, **values), rule))

    ignores_ratio = limits.single_image_aspect_ratio is False
    if not ignores_ratio and draft.aspect_ratio not in (AUTO, *limits.aspect_ratios):
        options = ", ".join(limits.aspect_ratios)
        ratio = draft.aspect_ratio
        fault("aspect_ratio", "EDIT-ASP-008", words.ratio_not_supported, ratio=ratio, options=options)
    tiers = limits.resolutions or (contract.edition.fields.default_resolution,)
    tier_rule = "EDIT-RES-004" if limits.resolutions else "EDIT-RES-008"
    if draft.resolution not in tiers:
        tier = draft.resolution
        fault(
            "resolution",
            tier_rule,
            words.resolution_not_supported,
            resolution=tier,
            options=", ".join(tiers),
        )
    if text_length(draft.prompt) > limits.prompt_character_limit:
        fault("prompt", "EDIT-PRM-004", words.prompt_limit, limit=limits.prompt_character_limit)
    if draft.quality is not None and limits.qualities and draft.quality not in limits.qualities:
        options = ", ".join(limits.qualities)
        fault("quality", "EDIT-QLT-004", words.quality_not_supported, quality=draft.quality, options=options)
    if issues:
        raise invalid(contract, issues)
    return EditRequest(
        image=draft.image,
        prompt=draft.prompt,
        model=model,
        aspect_ratio=draft.aspect_ratio,
        resolution=draft.resolution,
        output_format=draft.output_format,
        quality=draft.quality,
        safe_mode=draft.safe_mode,
        enhance_prompt=draft.enhance_prompt,
    )


def text_length(text: str) -> int:
    """Length as JavaScript counts it, in UTF-16 units: the vendor's validator runs there (inferred)."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def _known_fields(contract: Contract) -> tuple[str, ...]:
    known = contract.edition.fields.known
    if contract.way("quality-on-edit") == "unrecognized":
        return tuple(name for name in known if name != "quality")
    return known


# --- one check per kind of field: the value in its final type, or the issue ---------------------------------


def _image(contract: Contract, name: str, value: Any) -> Upload | Text | Issue:
    if isinstance(value, Upload | Text):
        if len(value.data) == 0:
            extra = {"minimum": 1, "type": "string", "inclusive": True, "exact": False}
            return Issue("too_small", name, contract.edition.messages.image_empty, "EDIT-IMG-007", extra)
        return value
    return _wrong_type(contract, name, "string", value, "EDIT-IMG-007")


def _prompt(contract: Contract, name: str, value: Any) -> str | Issue:
    limits = contract.edition.limits
    rules = ("EDIT-PRM-002", "EDIT-PRM-003")
    return _string(contract, name, value, limits.prompt_min, limits.prompt_max, rules)


def _model_id(contract: Contract, name: str, value: Any) -> str | Issue:
    return _string(contract, name, value, 1, None, ("EDIT-MOD-007", "EDIT-MOD-007"))


def _model_alias(contract: Contract, name: str, value: Any) -> str | Issue:
    found = _model_id(contract, name, value)
    if isinstance(found, Issue):
        return found
    return _one_of(contract, name, found, contract.edition.fields.model_ids, (), "EDIT-MOD-004")


def _resolution(contract: Contract, name: str, value: Any) -> str | Issue:
    limits = contract.edition.limits
    rules = ("EDIT-RES-003", "EDIT-RES-003")
    return _string(contract, name, value, limits.resolution_min, limits.resolution_max, rules)


def _ratio(contract: Contract, name: str, value: Any) -> str | Issue:
    return _one_of(contract, name, value, contract.edition.fields.aspect_ratios, (), "EDIT-ASP-002")


def _format(contract: Contract, name: str, value: Any) -> str | Issue:
    fields = contract.edition.fields
    aliases = tuple(fields.format_aliases)
    found = _one_of(contract, name, value, fields.output_formats, aliases, "EDIT-FMT-007")
    return found if isinstance(found, Issue) else fields.format_aliases.get(found, found)


def _quality(contract: Contract, name: str, value: Any) -> str | Issue:
    return _one_of(contract, name, value, contract.edition.fields.qualities, (), "EDIT-QLT-004")


def _safe_mode(contract: Contract, name: str, value: Any) -> bool | Issue:
    return _boolean(contract, name, value, "EDIT-SAFE-005")


def _enhance_prompt(contract: Contract, name: str, value: Any) -> bool | Issue:
    return _boolean(contract, name, value, "EDIT-ENH-001")


def _disable_thinking(contract: Contract, name: str, value: Any) -> bool | Issue:
    return _boolean(contract, name, value, "EDIT-OPT-001")  # judged, and then of no effect


_CHECKS: Mapping[str, Callable[[Contract, str, Any], Any]] = {
    "image": _image,
    "prompt": _prompt,
    "model": _model_id,
    "modelId": _model_alias,
    "aspect_ratio": _ratio,
    "resolution": _resolution,
    "output_format": _format,
    "quality": _quality,
    "safe_mode": _safe_mode,
    "enhance_prompt": _enhance_prompt,
    "disable_prompt_optimization_thinking": _disable_thinking,
}


# --- the vendor's wording ------------------------------------------------------------------------------------


def _missing(contract: Contract, name: str) -> Issue:
    rule = {"image": "EDIT-IMG-006", "prompt": "EDIT-PRM-001"}.get(name, "EDIT-ERR-002")
    extra = {"expected": "string", "received": "undefined"}
    return Issue("invalid_type", name, contract.edition.messages.required, rule, extra)


def _wrong_type(
    contract: Contract, name: str, expected: str, value: Any, rule: str = "EDIT-HTTP-010"
) -> Issue:
    received = json_type(value)
    message = contract.edition.messages.wrong_type.format(expected=expected, received=received)
    return Issue("invalid_type", name, message, rule, {"expected": expected, "received": received})


def _boolean(contract: Contract, name: str, value: Any, rule: str) -> bool | Issue:
    spelt = value.as_boolean() if isinstance(value, FormText) else value
    if type(spelt) is bool:  # 0 is not false
        return spelt
    return _wrong_type(
        contract, name, "boolean", value, "EDIT-HTTP-011" if isinstance(value, FormText) else rule
    )


def _string(
    contract: Contract, name: str, value: Any, minimum: int, maximum: int | None, rules: tuple[str, str]
) -> str | Issue:
    if not isinstance(value, str):
        return _wrong_type(contract, name, "string", value)
    words, length = contract.edition.messages, text_length(value)
    bounds = {"type": "string", "inclusive": True, "exact": False}
    if length < minimum:
        message = words.too_small.format(minimum=minimum)
        return Issue("too_small", name, message, rules[0], {"minimum": minimum, **bounds})
    if maximum is not None and length > maximum:
        message = words.too_big.format(maximum=maximum)
        return Issue("too_big", name, message, rules[1], {"maximum": maximum, **bounds})
    return str(value)


def _one_of(
    contract: Contract, name: str, value: Any, options: tuple[str, ...], silent: tuple[str, ...], rule: str
) -> str | Issue:
    """``silent`` options are accepted and, as on the real server, not named in the message."""
    listed = " | ".join(f"'{option}'" for option in options)
    if not isinstance(value, str):
        return _wrong_type(contract, name, listed, value)
    text = str(value)  # not the subclass that a form hands in
    if text in options or text in silent:
        return text
    text = text[:_LONGEST_ECHO]
    message = contract.edition.messages.invalid_enum.format(options=listed, received=f"'{text}'")
    return Issue("invalid_enum_value", name, message, rule, {"received": text, "options": list(options)})


def _unrecognized(contract: Contract, keys: list[str]) -> Issue:
    keys = [key[:_LONGEST_ECHO] for key in keys]
    message = contract.edition.messages.unrecognized_keys.format(keys=", ".join(f"'{key}'" for key in keys))
    return Issue("unrecognized_keys", None, message, "EDIT-HTTP-009", {"keys": keys})


def json_type(value: Any) -> str:
    """The JavaScript name of a value's type."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str | Text):
        return "string"
    return "array" if isinstance(value, list) else "object"
