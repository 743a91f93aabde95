"""Advice about requests that are no errors: what a client could do better. From the journal's stories; pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from venice_mock.contract import Contract
from venice_mock.state.story import Story

_NEAR = 0.95  # of the limit
_LARGE = 100_000  # ours: bytes of a picture from which a third more is worth a word
_SHOWN = 20  # ids of requests that one piece of advice names


@dataclass(frozen=True, slots=True)
class Advice:
    """One remark: its id, the field or header it is about, and a sentence."""

    id: str
    field: str
    text: str


def advice_on(contract: Contract, story: Story) -> list[Advice]:
    """What could be done better in this request. Nothing is said of one that was not for the edit endpoint."""
    if story.path != contract.edition.path:
        return []
    found: list[Advice] = []
    fields, model = story.fields or {}, contract.model(story.model or "")
    if "modelId" in fields:
        found.append(Advice("deprecated-model-id", "modelId", "modelId is deprecated: send model instead."))
    canonical, *legacy = contract.edition.x402.sign_in_headers
    found += [
        Advice("legacy-sign-in-header", name, f"{name} is the older name: send {canonical}.")
        for name in legacy
        if name.lower() in story.request_headers
    ]
    if fields and not fields.get("model") and not fields.get("modelId"):
        text = f"No model was named, and the default ({story.model}) may change: name one."
        found.append(Advice("default-model", "model", text))
    if model is not None and model.deprecation is not None:
        other = model.deprecation.replacement
        text = f"{model.id} is deprecated" + (f": {other} replaces it." if other else ".")
        found.append(Advice("deprecated-model", "model", text))
    if model is not None and model.constraints is not None and story.prompt is not None:
        limit, length = model.constraints.prompt_character_limit, len(story.prompt)
        if limit * _NEAR < length <= limit:
            text = f"The prompt has {length} of the {limit} characters that {model.id} takes: close to the limit."
            found.append(Advice("long-prompt", "prompt", text))
    return found + _on_picture(story)


def lint(contract: Contract, stories: Iterable[Story]) -> dict[str, Any]:
    """All advice, each once, with how many requests it is about and the newest of them."""
    about: dict[Advice, list[str]] = {}
    looked_at = 0
    for story in stories:
        looked_at += 1
        for advice in advice_on(contract, story):
            about.setdefault(advice, []).append(story.id)
    told = [
        {**asdict(advice), "count": len(ids), "requests": ids[-_SHOWN:][::-1]}
        for advice, ids in about.items()
    ]
    return {"advice": sorted(told, key=lambda each: (-each["count"], each["id"])), "requests": looked_at}


def _on_picture(story: Story) -> list[Advice]:
    picture, found = story.input, list[Advice]()
    if picture is None:
        return found
    if picture.gps:
        text = (
            "The picture's EXIF says where it was taken (GPS): strip it before it leaves the user's machine."
        )
        found.append(Advice("gps-in-picture", "image", text))
    if picture.way in ("base64", "data_url") and picture.size >= _LARGE:
        more = -(-picture.size // 3)
        text = f"Base64 made the body {_rounded(more)} longer: multipart/form-data sends the file as it is."
        found.append(Advice("base64-picture", "image", text))
    return found


def _rounded(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size // 1000} kB"
