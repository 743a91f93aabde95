"""Error answers: the shapes they have, and responses made from rows of the edition's error table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any

from venice_mock.contract import Contract
from venice_mock.errors import ApiError, refuse
from venice_mock.openapi.parts import Node, headers, json_content, object_of, ref

# The codes of Zod issues that the mock can send.
_ISSUE_CODES = ("invalid_type", "too_small", "too_big", "invalid_enum_value", "unrecognized_keys", "custom")


def refusal_schemas(contract: Contract) -> Node:
    """``PlainError``, ``SignInError`` and ``ValidationError``."""
    text: Node = {"type": "string"}
    texts: Node = {"type": "array", "items": text}
    faults: Node = {"type": "object", "required": ["_errors"], "properties": {"_errors": texts}}
    return {
        "PlainError": {
            "type": "object",
            "description": "A refusal told in one sentence. Few of them have a code.",
            "required": ["error"],
            "properties": {"error": text, "code": text},
        },
        "SignInError": object_of(
            "A wallet's sign-in header is refused, and why.",
            {"error": text, "code": {**text, "enum": list(contract.edition.x402.sign_in.codes)}},
        ),
        "ValidationError": {
            "type": "object",
            "description": "All faults found at one stage of checking, once by field and once as a list.",
            "required": ["error", "details", "issues"],
            "properties": {
                "error": text,
                "details": {
                    **faults,
                    "description": "Faults of the request as a whole in `_errors`, the others under their field.",
                    "additionalProperties": faults,
                },
                "issues": {
                    "type": "array",
                    "minItems": 1,
                    "items": {
                        "type": "object",
                        "description": "One fault; further members depend on the code.",
                        "required": ["code", "path", "message"],
                        "properties": {
                            "code": {"type": "string", "enum": list(_ISSUE_CODES)},
                            "path": {"type": "array", "items": {"type": ["string", "integer"]}},
                            "message": text,
                        },
                    },
                },
            },
        },
    }


def error_body(contract: Contract, name: str) -> dict[str, Any]:
    """The body of the row ``name`` as a client gets it. Raises KeyError for an unknown name."""
    body = refuse(contract, name).body
    if name == "ERROR_BUDGET":
        return {**body, "error": body["error"].format(**contract.way("error-budget"))}
    return body


def refused(act: Callable[[], object]) -> dict[str, Any]:
    """The body with which ``act`` is refused, so that an example is what the code says. Raises ValueError if not."""
    try:
        act()
    except ApiError as error:
        return error.body
    raise ValueError("the example of a refusal was accepted")


def plain_responses(contract: Contract, names: Iterable[str], *keys: str) -> dict[str, Node]:
    """One response per status of these rows, each row an example; ``keys`` are headers that all may carry."""
    examples: dict[int, dict[str, Any]] = {}
    waits: set[int] = set()
    for name in names:
        spec = contract.error(name)
        examples.setdefault(spec.status, {})[name] = error_body(contract, name)
        if spec.retry_after_s is not None:
            waits.add(spec.status)
    return {
        str(status): {
            "description": f"{HTTPStatus(status).phrase}: {', '.join(shown)}.",
            "headers": headers(contract, *keys, *(("retry_after",) if status in waits else ())),
            "content": json_content(ref("PlainError"), shown),
        }
        for status, shown in sorted(examples.items())
    }


def stranger_response(contract: Contract, names: Iterable[str]) -> Node:
    """401 of an inference route: these rows for a key, and each code for a wallet's sign-in header."""
    plain = {name: error_body(contract, name) for name in names}
    codes = contract.edition.x402.sign_in.codes
    return {
        "description": "The key or the sign-in header is refused; a code is told for the latter only.",
        "headers": headers(contract),
        "content": json_content(
            {"anyOf": [ref("PlainError"), ref("SignInError")]},
            {**plain, **{code: {"error": text, "code": code} for code, text in codes.items()}},
        ),
    }


def invalid_response(
    contract: Contract,
    detailed: Mapping[str, Any],
    plain: Mapping[str, Any] | None = None,
    keys: tuple[str, ...] = (),
) -> Node:
    """The 400 of an operation: validation faults by example and, where there are any, refusals in one sentence."""
    schema = {"anyOf": [ref("ValidationError"), ref("PlainError")]} if plain else ref("ValidationError")
    return {
        "description": "The request breaks the schema or a rule of its model; nothing was charged.",
        "headers": headers(contract, *keys),
        "content": json_content(schema, {**detailed, **(plain or {})}),
    }
