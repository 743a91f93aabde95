"""How a body reads: JSON laid out, long texts shortened, the parts of a form, the first bytes of anything else."""

from __future__ import annotations

import json
from typing import Any

from venice_contract.reports.thumbnails import kind_of, parts_of
from venice_contract.reports.wording import shortened, size, visible

_MOST_STRING = 160  # characters of one JSON text: a picture in base64 tells a reader nothing
_MOST_HEX = 64  # bytes
_DEEPEST = 40


def body_text(body: bytes, content_type: str, most: int) -> str:
    """A body for people, at most about ``most`` characters; empty for an empty one."""
    if not body:
        return ""
    if "multipart/" in content_type.lower():
        parts = parts_of(body, content_type)
        if parts:
            text = "\n\n".join(f"{visible(part.head)}\n{_leaf(part.data, most)}" for part in parts)
            return shortened(text, most)
    if body[:64].lstrip()[:1] in (b"{", b"["):
        try:
            text = json.dumps(_short(json.loads(body), _DEEPEST), indent=2, ensure_ascii=False)
        except (ValueError, RecursionError):
            return _leaf(body, most)
        return shortened(visible(text), most)
    return _leaf(body, most)


def _leaf(data: bytes, most: int) -> str:
    kind = kind_of(data)
    if kind is not None:
        return f"({kind}, {size(len(data))})"
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = ""
    if text and sum(c.isprintable() or c in "\r\n\t" for c in text[:1000]) > 0.9 * len(text[:1000]):
        return shortened(visible(text), most)
    shown = " ".join(f"{byte:02x}" for byte in data[:_MOST_HEX])
    return f"({size(len(data))}: {shown}{' …' if len(data) > _MOST_HEX else ''})"


def _short(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return shortened(value, _MOST_STRING)
    if isinstance(value, dict | list) and not depth:
        return "…"
    if isinstance(value, dict):
        return {shortened(key, _MOST_STRING): _short(member, depth - 1) for key, member in value.items()}
    if isinstance(value, list):
        return [_short(member, depth - 1) for member in value]
    return value
