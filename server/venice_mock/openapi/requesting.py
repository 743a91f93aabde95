"""The schema of an edit's request: one function per field, JSON and form, and an example that can be sent as it is."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Callable
from math import isqrt
from typing import Any

from venice_mock.contract import Contract
from venice_mock.edit.geometry import AUTO
from venice_mock.openapi.parts import Node

_PROMPT = "Make it look like a sunrise"
_ASCII = "^[ -~]*$"


def edit_schemas(contract: Contract) -> Node:
    """``EditImageRequest`` (JSON) and ``EditImageForm`` (multipart), which differ in ``image`` alone."""
    fields = contract.edition.fields
    properties = {name: _PROPERTIES[name](contract) for name in request_fields(contract)}
    request: Node = {
        "type": "object",
        "required": list(fields.required),
        "additionalProperties": False,
        "properties": properties,
    }
    file: Node = {
        "type": "string",
        "format": "binary",
        "minLength": 1,
        "contentMediaType": "application/octet-stream",
        "description": _image_bounds(contract) + " As text, a form may also carry what JSON does.",
    }
    return {
        "EditImageRequest": request,
        "EditImageForm": {**request, "properties": {**properties, "image": file}},
    }


def request_fields(contract: Contract) -> tuple[str, ...]:
    """The keys of a request that the chosen behaviour accepts."""
    refused_quality = contract.way("quality-on-edit") == "unrecognized"
    return tuple(n for n in contract.edition.fields.known if not (refused_quality and n == "quality"))


def example_request(contract: Contract) -> dict[str, Any]:
    """A small edit by the default model, as JSON."""
    fields = contract.edition.fields
    return {
        "image": _smallest_picture(contract),
        "prompt": _PROMPT,
        "model": contract.way("default-model"),
        "aspect_ratio": AUTO,
        "resolution": fields.default_resolution,
        "output_format": fields.output_formats[0],
        "safe_mode": fields.default_safe_mode,
    }


def _image(contract: Contract) -> Node:
    return {
        "type": "string",
        "minLength": 1,
        "description": "Base64, a data URL, or an `http://` or `https://` URL that the server fetches. "
        + _image_bounds(contract),
        "examples": [_smallest_picture(contract)],
    }


def _prompt(contract: Contract) -> Node:
    limits = contract.edition.limits
    return {
        "type": "string",
        "minLength": limits.prompt_min,
        "maxLength": limits.prompt_max,
        "description": "What to change. Its length is counted in UTF-16 units. The model's own limit may be "
        "lower: see `x-models`.",
        "examples": [_PROMPT],
    }


def _model(contract: Contract) -> Node:
    return {
        "type": "string",
        "minLength": 1,
        "default": contract.way("default-model"),
        "description": "Id of an edit model, in its exact case; any other is a 404. Goes before `modelId`. "
        "The default can be changed when the server is started.",
        "examples": [model.id for model in contract.inpaint_models],
    }


def _model_alias(contract: Contract) -> Node:
    return {
        "type": "string",
        "enum": list(contract.edition.fields.model_ids),
        "deprecated": True,
        "description": "Former name of `model`. An id outside the list is a 400 here.",
    }


def _aspect_ratio(contract: Contract) -> Node:
    return {
        "type": "string",
        "enum": list(contract.edition.fields.aspect_ratios),
        "default": AUTO,
        "description": f"Shape of the result. `{AUTO}` takes the model's ratio that is nearest to the input's and "
        "is allowed with every model; of the others a model knows those that `x-models` lists.",
    }


def _resolution(contract: Contract) -> Node:
    limits, default = contract.edition.limits, contract.edition.fields.default_resolution
    tiers = contract.edition.tiers
    areas = ", ".join(
        f"{tier} about {tiers.base * k} x {tiers.base * k}" for tier, k in tiers.factors.items()
    )
    return {
        "type": "string",
        "minLength": limits.resolution_min,
        "maxLength": limits.resolution_max,
        # No tier has other characters, and those beyond 16 bits would count twice here but once in JSON Schema.
        "pattern": _ASCII,
        "default": default,
        "description": f"Tier of size, an area in pixels: {areas}. A model without tiers knows {default} only.",
        "examples": list(tiers.factors),
    }


def _output_format(contract: Contract) -> Node:
    fields, tiers = contract.edition.fields, contract.edition.tiers
    aliases = "; ".join(f"`{short}` means `{name}`" for short, name in fields.format_aliases.items())
    omitted = ", ".join(f"`{name}` at {tier}" for tier, name in tiers.default_formats.items())
    return {
        "type": "string",
        "enum": [*fields.output_formats, *fields.format_aliases],
        "description": f"File format of the result; {aliases}. When omitted, the tier decides: {omitted}.",
    }


def _quality(contract: Contract) -> Node:
    graded = [m for m in contract.inpaint_models if m.constraints and m.constraints.qualities]
    listed = ", ".join(
        f"`{m.id}` (default `{m.constraints.default_quality}`)" for m in graded if m.constraints
    )
    return {
        "type": "string",
        "enum": list(contract.edition.fields.qualities),
        "description": f"Read by models that price quality: {listed or 'none'}. Others ignore it.",
    }


def _safe_mode(contract: Contract) -> Node:
    return {
        "type": "boolean",
        "default": contract.edition.fields.default_safe_mode,
        "description": "Blur adult content. In a form, the text `true` or `false`.",
    }


def _enhance_prompt(contract: Contract) -> Node:
    rewriting = contract.edition.enhancement
    if rewriting is None:
        raise ValueError("this edition rewrites no prompts")
    header = contract.edition.headers["enhanced_prompt"]
    return {
        "type": "boolean",
        "default": rewriting.default,
        "description": "Add clarifying detail to the prompt before the edit. A rewrite costs "
        f"{rewriting.surcharge_usd} USD more and comes back in `{header}`; long prompts and blocked ones are left "
        f"alone, at no charge. The real server may take {rewriting.up_to_s} s longer, this one takes none. "
        "In a form, the text `true` or `false`.",
    }


def _disable_thinking(_: Contract) -> Node:
    return {
        "type": "boolean",
        "description": "Spare a model its thinking about the prompt, where it has such a step; others ignore it, "
        "as this server does. In a form, the text `true` or `false`.",
    }


_PROPERTIES: dict[str, Callable[[Contract], Node]] = {
    "image": _image,
    "prompt": _prompt,
    "model": _model,
    "modelId": _model_alias,
    "aspect_ratio": _aspect_ratio,
    "resolution": _resolution,
    "output_format": _output_format,
    "quality": _quality,
    "safe_mode": _safe_mode,
    "enhance_prompt": _enhance_prompt,
    "disable_prompt_optimization_thinking": _disable_thinking,
}


def _image_bounds(contract: Contract) -> str:
    limits = contract.edition.limits
    return (
        f"Width times height from {limits.min_pixels:,} to {limits.max_pixels:,} pixels; a file of less than "
        f"{limits.max_file_bytes_exclusive:,} bytes."
    )


def _smallest_picture(contract: Contract) -> str:
    """Base64 of a black square PNG just large enough to be edited, so that the example can be sent as it is."""
    side = isqrt(contract.edition.limits.min_pixels - 1) + 1
    rows = bytes((1 + (side + 7) // 8) * side)
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)  # one bit a pixel, grey
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + body).decode("ascii")
