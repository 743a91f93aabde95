"""How answers of the control plane are described: a few words for JSON Schema. No HTTP here, and nothing is checked."""

from __future__ import annotations

from typing import Any

Node = dict[str, Any]

TEXT: Node = {"type": "string"}
FLAG: Node = {"type": "boolean"}
COUNT: Node = {"type": "integer", "minimum": 0}
NUMBER: Node = {"type": "number"}
TIME: Node = {"type": "string", "format": "date-time"}
USD: Node = {"type": "string", "pattern": r"^-?\d+\.\d{6,}$", "description": "US dollars, exactly."}
ANY_OBJECT: Node = {"type": "object"}

_OPTIONAL = "x-optional"  # taken out before anybody sees it


def shape(description: str, /, **members: Node) -> Node:
    """An object of just these members; those made with ``maybe`` may be missing."""
    return {
        "type": "object",
        "description": description,
        "required": [name for name, node in members.items() if _OPTIONAL not in node],
        "properties": {
            name: {key: value for key, value in node.items() if key != _OPTIONAL}
            for name, node in members.items()
        },
        "additionalProperties": False,
    }


def maybe(node: Node) -> Node:
    """A member that is not always there."""
    return {**node, _OPTIONAL: True}


def or_null(node: Node) -> Node:
    """The same, or null."""
    return {"anyOf": [node, {"type": "null"}]}


def listed(node: Node) -> Node:
    """A list of such."""
    return {"type": "array", "items": node}


def mapped(node: Node) -> Node:
    """An object whose members are all such, whatever their names."""
    return {"type": "object", "additionalProperties": node}


def one_of(*words: str) -> Node:
    """One of these words."""
    return {"type": "string", "enum": list(words)}


def whole(low: int, high: int, default: int) -> Node:
    """A whole number of a query."""
    return {"type": "integer", "minimum": low, "maximum": high, "default": default}
