"""The GET routes: the catalogue and its two siblings, the key's balance, this document, and the health checks."""

from __future__ import annotations

from typing import Any

from venice_mock.catalogue import list_compatibility, list_models, list_traits, model_entry
from venice_mock.contract import Contract
from venice_mock.openapi.parts import API, BEARER, Node, Site, headers, json_content, ref
from venice_mock.openapi.refusals import invalid_response, plain_responses, refused

_UNKNOWN_TYPE = "no-such-type"


def catalogue_paths(contract: Contract, _: Site) -> Node:
    """The models, their traits, and the names that other vendors give them. No key is needed."""
    edition = contract.edition
    models = list_models(contract, None)
    first = {**models, "data": [model_entry(model) for model in contract.inpaint_models[:1]]}
    return {
        f"{API}/models": {
            "get": _listing(
                contract,
                "listModels",
                "The models of one type",
                edition.listing_types,
                edition.listing_default,
                schema="ModelList",
                example=first,
                refusal=refused(lambda: list_models(contract, _UNKNOWN_TYPE)),
            )
        },
        f"{API}/models/traits": {
            "get": _listing(
                contract,
                "listModelTraits",
                "Which model has which trait",
                edition.model_types,
                edition.traits_default,
                schema="ModelNames",
                example=list_traits(contract, None),
                refusal=refused(lambda: list_traits(contract, _UNKNOWN_TYPE)),
            )
        },
        f"{API}/models/compatibility_mapping": {
            "get": _listing(
                contract,
                "listModelCompatibility",
                "Which model stands in for which foreign name",
                edition.model_types,
                edition.traits_default,
                schema="ModelNames",
                example=list_compatibility(contract, None),
                refusal=refused(lambda: list_compatibility(contract, _UNKNOWN_TYPE)),
            )
        },
    }


def account_paths(contract: Contract, _: Site) -> Node:
    """The balance of an API key."""
    names = ("AUTHENTICATION_FAILED", "AUTHENTICATION_FAILED_INACTIVE_KEY", "API_ACCESS_DISABLED")
    return {
        f"{API}/billing/balance": {
            "get": {
                "operationId": "getBalance",
                "summary": "What an API key can still spend",
                "tags": ["Account"],
                "security": [{BEARER: []}],
                "responses": {
                    "200": {
                        "description": "The account as it stands; what running edits hold is not yet taken off.",
                        "headers": headers(contract),
                        "content": json_content(ref("Balance")),
                    },
                    **plain_responses(contract, names),
                },
            }
        }
    }


def server_paths(contract: Contract, _: Site) -> Node:
    """This document and the two health checks."""
    health = json_content(ref("Health"), {"healthy": {"status": "ok"}})
    return {
        f"{API}/openapi.json": {
            "get": {
                "operationId": "getOpenApi",
                "summary": "This document",
                "tags": ["Server"],
                "security": [],
                "responses": {
                    "200": {
                        "description": "OpenAPI 3.1, made out to the address that the client used.",
                        "headers": headers(contract),
                        "content": json_content({"type": "object", "required": ["openapi", "paths"]}),
                    }
                },
            }
        },
        **{
            path: {
                "get": {
                    "operationId": operation,
                    "summary": summary,
                    "tags": ["Server"],
                    "security": [],
                    "responses": {"200": {"description": "Yes.", "content": health}},
                }
            }
            for path, operation, summary in (
                ("/livez", "isAlive", "Whether the process answers"),
                ("/readyz", "isReady", "Whether the server takes requests"),
            )
        },
    }


def reading_schemas(contract: Contract) -> Node:
    """``Model``, ``ModelList``, ``ModelNames``, ``Balance`` and ``Health``."""
    edition = contract.edition
    text: Node = {"type": "string"}
    number: Node = {"type": "number"}
    price: Node = {
        "type": "object",
        "required": ["usd", "diem"],
        "properties": {"usd": number, "diem": number},
    }
    by_tier: Node = {"type": "object", "additionalProperties": price}
    texts: Node = {"type": "array", "items": text}
    return {
        "Model": {
            "type": "object",
            "required": ["created", "id", "model_spec", "object", "owned_by", "type"],
            "properties": {
                "created": {"type": "integer", "description": "Unix seconds."},
                "id": text,
                "object": {"const": "model"},
                "owned_by": text,
                "type": {**text, "enum": list(edition.model_types)},
                "model_spec": {
                    "type": "object",
                    "required": ["name", "offline", "privacy", "traits", "betaModel"],
                    "properties": {
                        "name": text,
                        "offline": {"type": "boolean"},
                        "privacy": text,
                        "traits": texts,
                        "betaModel": {"type": "boolean"},
                        "supportsOptimizePromptThinking": {"type": "boolean"},
                        "uncensored": {
                            "const": True,
                            "description": "Only for a model that filters content little.",
                        },
                        "deprecation": {"type": "object", "properties": {"date": text}},
                        "pricing": {
                            "type": "object",
                            "description": "Per edit. Prices by tier and quality go before prices by tier, and "
                            "those before `inpaint`.",
                            "required": ["inpaint"],
                            "properties": {
                                "inpaint": price,
                                "resolutions": by_tier,
                                "quality": {"type": "object", "additionalProperties": by_tier},
                                "inputImages": {
                                    "type": "object",
                                    "description": "How many pictures the price covers, and each one beyond.",
                                    "required": ["included", "additional"],
                                    "properties": {
                                        "included": {"type": "integer", "minimum": 0},
                                        "additional": price,
                                    },
                                },
                            },
                        },
                        "constraints": {
                            "type": "object",
                            "required": ["aspectRatios", "promptCharacterLimit", "combineImages"],
                            "properties": {
                                "aspectRatios": texts,
                                "promptCharacterLimit": {"type": "integer", "minimum": 1},
                                "combineImages": {"type": "boolean"},
                                "maxInputImages": {"type": "integer", "minimum": 1},
                                "singleImageAspectRatio": {
                                    "type": "boolean",
                                    "description": "False: the result keeps the input's size.",
                                },
                                "defaultResolution": text,
                                "resolutions": texts,
                                "defaultQuality": text,
                                "qualities": texts,
                            },
                        },
                    },
                },
            },
        },
        "ModelList": _list({"type": "array", "items": ref("Model")}, edition.listing_types),
        "ModelNames": _list({"type": "object", "additionalProperties": text}, edition.model_types),
        "Balance": {
            "type": "object",
            "required": ["canConsume", "consumptionCurrency", "balances", "diemEpochAllocation"],
            "properties": {
                "canConsume": {"type": "boolean", "description": "Whether anything is left to spend."},
                "consumptionCurrency": {"type": ["string", "null"]},
                "balances": {
                    "type": "object",
                    "required": ["diem", "usd"],
                    "properties": {"diem": {"type": ["number", "null"]}, "usd": {"type": ["number", "null"]}},
                },
                "diemEpochAllocation": number,
            },
        },
        "Health": {"type": "object", "required": ["status"], "properties": {"status": {"const": "ok"}}},
    }


def _listing(
    contract: Contract,
    operation: str,
    summary: str,
    types: tuple[str, ...],
    default: str,
    *,
    schema: str,
    example: Any,
    refusal: Any,
) -> Node:
    return {
        "operationId": operation,
        "summary": summary,
        "tags": ["Models"],
        "security": [],
        "parameters": [
            {
                "name": "type",
                "in": "query",
                "description": "Type of model; a type of which the edition knows no model has an empty list.",
                "schema": {"type": "string", "enum": list(types), "default": default},
            }
        ],
        "responses": {
            "200": {
                "description": "The list.",
                "headers": headers(contract),
                "content": json_content(ref(schema), {"list": example}),
            },
            "400": invalid_response(contract, {"UNKNOWN_TYPE": refusal}),
        },
    }


def _list(data: Node, types: tuple[str, ...]) -> Node:
    return {
        "type": "object",
        "required": ["object", "type", "data"],
        "properties": {
            "object": {"const": "list"},
            "type": {"type": "string", "enum": list(types)},
            "data": data,
        },
    }
