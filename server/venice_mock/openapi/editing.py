"""POST /image/edit: its request in both media types, the picture it answers with, and every way it refuses."""

from __future__ import annotations

from functools import partial

from venice_mock.accounts.pricing import price_of
from venice_mock.contract import Contract, ModelSpec
from venice_mock.edit.fields import RawFields, Text
from venice_mock.edit.geometry import AUTO
from venice_mock.edit.validation import validate
from venice_mock.openapi.parts import (
    BEARER,
    Node,
    Site,
    headers,
    json_content,
    ref,
    sent_headers,
    sign_in_schemes,
)
from venice_mock.openapi.payment import payment_response
from venice_mock.openapi.refusals import (
    error_body,
    invalid_response,
    plain_responses,
    refused,
    stranger_response,
)
from venice_mock.openapi.requesting import example_request

_STANDING = (  # what an answer to a caller with an account tells of it
    "balance_usd",
    "balance_diem",
    "limit_requests",
    "remaining_requests",
    "reset_requests",
)
_PICTURE = (
    "model_id",
    "model_name",
    "violation",
    "blurred",
    "enhanced_prompt",
    "deprecation_warning",
    "deprecation_date",
    "deprecated",
    "deprecated_replacement",
)
_INVALID = ("CORRUPTED_IMAGE", "IMAGE_TOO_SMALL", "PAYMENT_HEADER_NOT_ACCEPTED")
_STRANGER = ("AUTHENTICATION_FAILED", "AUTHENTICATION_FAILED_INACTIVE_KEY")
_REFUSALS = (
    "MODEL_NOT_FOUND",
    "PAYLOAD_TOO_LARGE",
    "IMAGE_TOO_LARGE",
    "CONTENT_POLICY_VIOLATION",
    "RATE_LIMIT_EXCEEDED",
    "MODEL_OVERLOADED",
    "ERROR_BUDGET",
    "X402_CONCURRENCY_LIMIT",
    "INFERENCE_FAILED",
    "IMAGE_EDIT_ERROR",
    "UNKNOWN_ERROR",
    "MODEL_OFFLINE",
    "MODEL_AT_CAPACITY",
    "REQUEST_TIMEOUT",
)


def edit_paths(contract: Contract, site: Site) -> Node:
    """The path of the edit with its one method."""
    path = contract.edition.path
    return {
        path: {
            "post": {
                "operationId": "editImage",
                "summary": "Edit an image by a prompt",
                "description": _description(contract),
                "tags": ["Image"],
                "security": [{BEARER: []}, *({scheme: []} for scheme in sign_in_schemes(contract))],
                "requestBody": {
                    "required": True,
                    "description": f"JSON of up to {contract.edition.limits.max_json_body_bytes:,} bytes, or a form.",
                    "content": {
                        **json_content(ref("EditImageRequest"), {"edit": example_request(contract)}),
                        "multipart/form-data": {"schema": ref("EditImageForm")},
                    },
                },
                "responses": _responses(contract, site, path),
                "x-models": [_model_row(model) for model in contract.inpaint_models],
            }
        }
    }


# --- the answers ---------------------------------------------------------------------------------------------


def _responses(contract: Contract, site: Site, path: str) -> Node:
    wrong_type = contract.way("wrong-content-type")
    known = sent_headers(contract)
    blocked = [key for key in ("budget_remaining", "budget_resets") if key in known]
    responses: dict[str, Node] = {
        "200": _picture(contract, [key for key in ("balance_remaining",) if key in known]),
        **plain_responses(contract, ("API_ACCESS_DISABLED", wrong_type)),
        **plain_responses(contract, _REFUSALS, *_STANDING),
        "400": _invalid(contract, wrong_type),
        "401": stranger_response(contract, _STRANGER),
        "402": payment_response(contract, site, path, *_STANDING),
    }
    responses["429"]["headers"] |= headers(contract, *blocked)
    return dict(sorted(responses.items()))


def _picture(contract: Contract, wallet: list[str]) -> Node:
    told = [key for key in _PICTURE if key in contract.edition.headers]
    return {
        "description": "The edited picture as it is, in the type that the header `Content-Type` names.",
        "headers": headers(contract, *told, *wallet, *_STANDING),
        "content": {
            spec.media_type: {
                "schema": {"type": "string", "format": "binary", "contentMediaType": spec.media_type}
            }
            for spec in contract.edition.formats.values()
        },
    }


def _invalid(contract: Contract, wrong_type: str) -> Node:
    words = contract.edition.messages
    example = example_request(contract)
    asked: RawFields = {"image": Text(example["image"].encode()), "prompt": example["prompt"]}
    requests: dict[str, RawFields] = {
        "MISSING_AND_EMPTY": {"prompt": ""},
        "NOT_IN_THE_LIST": {**asked, "aspect_ratio": "107:60"},
        "UNKNOWN_KEY": {**asked, "seed": 1},
        **_against_a_model(contract, asked),
    }
    names = [*_INVALID, *([wrong_type] if contract.error(wrong_type).status == 400 else [])]
    return invalid_response(
        contract,
        {name: refused(partial(_judge, contract, raw)) for name, raw in requests.items()},
        {
            "INVALID_JSON": {"error": words.invalid_json},
            "INVALID_FORM": {"error": words.invalid_form},
            "BODY_TIMEOUT": {"error": words.body_timeout},
            **{name: error_body(contract, name) for name in names},
        },
        _STANDING,
    )


def _judge(contract: Contract, raw: RawFields) -> object:
    return validate(contract, raw, str(contract.way("default-model")))


def _against_a_model(contract: Contract, asked: RawFields) -> dict[str, RawFields]:
    """A request that the schema allows and a model does not, if the edition has such a model."""
    for model in contract.inpaint_models:
        limits = model.constraints
        if limits is None or model.offline or limits.single_image_aspect_ratio is False:
            continue
        for ratio in contract.edition.fields.aspect_ratios:
            if ratio != AUTO and ratio not in limits.aspect_ratios:
                return {"NOT_WITH_THIS_MODEL": {**asked, "model": model.id, "aspect_ratio": ratio}}
    return {}


# --- the models ----------------------------------------------------------------------------------------------


def _description(contract: Contract) -> str:
    default, tiers = contract.edition.fields.default_resolution, contract.edition.tiers.factors
    rows = "\n".join(
        f"| `{model.id}` | {' | '.join(_price(model, tier, default) for tier in tiers)} "
        f"| {model.constraints.prompt_character_limit:,} |"
        for model in contract.inpaint_models
        if model.constraints
    )
    rewriting = contract.edition.enhancement
    dearer = "" if rewriting is None else f"A rewritten prompt costs {rewriting.surcharge_usd} USD more. "
    return (
        "Sends one picture and a prompt, as JSON or as a form, and gets one picture back. The price is held "
        "before the work starts and charged when the picture is ready; refused requests cost nothing.\n\n"
        "USD per edit by tier, at the model's default quality, and the longest prompt:\n\n"
        f"| model | {' | '.join(tiers)} | characters |\n| --- |{' --- |' * (len(tiers) + 1)}\n{rows}\n\n"
        f"{dearer}`x-models` has the same for programs, with ratios and the prices of each quality."
    )


def _price(model: ModelSpec, tier: str, default: str) -> str:
    listed = (model.constraints and model.constraints.resolutions) or (default,)
    return str(price_of(model, tier, None)) if tier in listed else "-"


def _model_row(model: ModelSpec) -> Node:
    """One edit model for programs. Prices are decimal strings in USD."""
    limits, pricing = model.constraints, model.pricing
    if limits is None or pricing is None:
        raise ValueError(f"{model.id} is no edit model")
    row: Node = {
        "id": model.id,
        "name": model.name,
        "beta": model.beta,
        "offline": model.offline,
        "aspectRatios": list(limits.aspect_ratios),
        "promptCharacterLimit": limits.prompt_character_limit,
        "resolutions": list(limits.resolutions),
        "qualities": list(limits.qualities),
        "usd": str(pricing.inpaint),
    }
    if pricing.resolutions:
        row["usdByResolution"] = {tier: str(usd) for tier, usd in pricing.resolutions.items()}
    if pricing.quality:
        row["usdByQuality"] = {
            tier: {quality: str(usd) for quality, usd in prices.items()}
            for tier, prices in pricing.quality.items()
        }
    if pricing.input_images is not None:
        row["inputImagesIncluded"] = pricing.input_images.included
        row["usdPerFurtherImage"] = str(pricing.input_images.additional)
    if model.deprecation is not None and model.deprecation.date is not None:
        row["deprecationDate"] = model.deprecation.date
    return row
