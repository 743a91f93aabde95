"""Mutants of the group ``safe-mode``: what is classified, what is hidden, and what is told of it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import msgspec
from PIL import Image, ImageFilter

from mutants.kit import Answer, Mutant, answering, replaced, with_data, wrapping
from venice_mock.edit import validation
from venice_mock.edit.safety import Classification

_BLURRED, _VIOLATION = "x-venice-is-blurred", "x-venice-is-content-violation"
_HIDES = "venice_mock.edit.making.Order.blurred"


def _hiding(decides: Callable[[Any], bool]) -> property:
    """Whether a result is hidden, decided otherwise from its order."""
    return property(decides)


def _weakly(picture: Image.Image) -> Image.Image:
    return picture.filter(ImageFilter.BoxBlur(1))


def _smaller(blur: Any) -> Any:
    return lambda picture: blur(picture).reduce(2)


def _lenient_safe_mode(contract: Any, name: str, value: Any) -> Any:
    if isinstance(value, str | int) and not hasattr(value, "as_boolean"):
        return str(value).lower() in ("true", "1")
    return validation._safe_mode(contract, name, value)


def _default_off(data: dict[str, Any]) -> None:
    data["fields"]["default_safe_mode"] = False


def _with_adult_word(data: dict[str, Any]) -> None:
    data["words"]["adult"] = sorted([*data["words"]["adult"], "beach"])


def _without(kind: str, word: str) -> Callable[[dict[str, Any]], None]:
    def change(data: dict[str, Any]) -> None:
        data["words"][kind].remove(word)

    return change


def _no_mark_in(file_format: str) -> Callable[[Any], Any]:
    """The mark is overlooked in files of that format."""

    def wrap(probe: Any) -> Any:
        def looked(data: Any, **limits: Any) -> Any:
            found = probe(data, **limits)
            return dataclasses.replace(found, adult=False) if found.format.lower() == file_format else found

        return looked

    return wrap


def _classified(names: Callable[[str, str], bool]) -> Callable[[Any], Any]:
    """Adult words are looked for in another way."""

    def wrap(classify: Any) -> Any:
        def judged(prompt: str, adult_mark: bool, words: Any) -> Classification:
            adult = adult_mark or any(names(word, prompt) for word in words.adult)
            return Classification(adult=adult, policy=classify(prompt, adult_mark, words).policy)

        return judged

    return wrap


def _policy_inside_words(classify: Any) -> Any:
    def judged(prompt: str, adult_mark: bool, words: Any) -> Classification:
        inside = any(word in prompt.casefold() for word in words.policy)
        return Classification(adult=classify(prompt, adult_mark, words).adult, policy=inside)

    return judged


def _blocking_in_safe_mode_alone(judge_image: Any) -> Any:
    def judged(contract: Any, request: Any, data: Any, **more: Any) -> Any:
        if not request.safe_mode:
            lenient = msgspec.structs.replace(request.model, blocks_policy=False)
            request = dataclasses.replace(request, model=lenient)
        return judge_image(contract, request, data, **more)

    return judged


def _told(name: str, value: str, *, when: str) -> Callable[[Any, bytes, Answer], Answer]:
    """A header that tells ``when`` tells ``value``."""

    def changed(_scope: Any, _body: bytes, answer: Answer) -> Answer:
        return answer.with_header(name, value) if answer.header(name) == when else answer

    return changed


def _blur_as_violation(_scope: Any, _body: bytes, answer: Answer) -> Answer:
    return answer.with_header(_VIOLATION, "true") if answer.header(_BLURRED) == "true" else answer


def _empty_by_default(_scope: Any, body: bytes, answer: Answer) -> Answer:
    usual = answer.status == 200 and b"safe_mode" not in body and answer.header(_VIOLATION) == "false"
    return answer.with_header(_VIOLATION, "") if usual else answer


def _silent_model(_scope: Any, body: bytes, answer: Answer) -> Answer:
    try:
        model = json.loads(body).get("model")
    except (ValueError, AttributeError):
        return answer
    return answer.with_header(_VIOLATION, None) if model == "grok-imagine-edit" else answer


def _unmarked(write: Any) -> Any:
    return lambda understood: write(dataclasses.replace(understood, adult=False))


MUTANTS: tuple[Mutant, ...] = (
    with_data("EDIT-SAFE-001", "safe mode is off unless asked for", _default_off, follows=("EDIT-RSP-006",)),
    replaced(
        "EDIT-SAFE-002",
        "adult results are not blurred, only said to be",
        "venice_mock.edit.making.blur",
        lambda picture: picture,
        follows=("EDIT-SAFE-011", "EDIT-SAFE-013"),
    ),
    replaced(
        "EDIT-SAFE-002",
        "the blur is too weak to hide anything",
        "venice_mock.edit.making.blur",
        _weakly,
        follows=("EDIT-SAFE-011", "EDIT-SAFE-013"),
    ),
    wrapping(
        "EDIT-SAFE-002",
        "a blurred result is half as wide",
        "venice_mock.edit.making.blur",
        _smaller,
        follows=("EDIT-SAFE-011",),
    ),
    replaced(
        "EDIT-SAFE-003",
        "adult results are blurred whatever safe mode says",
        _HIDES,
        _hiding(lambda order: order.content.adult or order.content.policy),
        follows=("EDIT-SAFE-008",),
    ),
    replaced(
        "EDIT-SAFE-004",
        "with safe mode everything is blurred",
        _HIDES,
        _hiding(lambda order: order.request.safe_mode or order.content.policy),
        follows=("EDIT-SAFE-008", "EDIT-SAFE-009"),
    ),
    with_data("EDIT-SAFE-004", "the list has a harmless word", _with_adult_word),
    replaced(
        "EDIT-SAFE-005",
        "texts and numbers are taken for booleans",
        "venice_mock.edit.validation._CHECKS",
        {**validation._CHECKS, "safe_mode": _lenient_safe_mode},
        follows=("EDIT-HTTP-010",),
    ),
    answering("EDIT-SAFE-006", "the header is empty unless safe mode is asked for", _empty_by_default),
    wrapping(
        "EDIT-SAFE-008",
        "the mark of a GIF is overlooked",
        "venice_mock.edit.judging.probe",
        _no_mark_in("gif"),
    ),
    with_data("EDIT-SAFE-008", "a listed word is overlooked", _without("adult", "topless")),
    wrapping(
        "EDIT-SAFE-009",
        "adult words are found inside longer ones",
        "venice_mock.edit.judging.classify",
        _classified(lambda word, prompt: word in prompt.casefold()),
    ),
    wrapping(
        "EDIT-SAFE-009",
        "capitals hide an adult word",
        "venice_mock.edit.judging.classify",
        _classified(lambda word, prompt: f" {word} " in f" {prompt} "),
    ),
    wrapping(
        "EDIT-SAFE-010",
        "policy words are refused in safe mode alone",
        "venice_mock.edit.endpoint.judge_image",
        _blocking_in_safe_mode_alone,
    ),
    wrapping(
        "EDIT-SAFE-010",
        "policy words are found inside longer ones",
        "venice_mock.edit.judging.classify",
        _policy_inside_words,
    ),
    answering("EDIT-SAFE-011", "a violation is not told", _told(_VIOLATION, "false", when="true")),
    replaced(
        "EDIT-SAFE-011",
        "without safe mode a violation is shown",
        _HIDES,
        _hiding(lambda order: (order.content.adult or order.content.policy) and order.request.safe_mode),
    ),
    replaced(
        "EDIT-SAFE-011",
        "the placeholder is a large picture",
        "venice_mock.edit.making.placeholder",
        lambda: Image.new("RGB", (512, 512), (96, 96, 100)),
        behavior="observed",
    ),
    with_data(
        "EDIT-SAFE-011", "a policy word is overlooked", _without("policy", "underage"), edition="2026-08-22"
    ),
    answering("EDIT-SAFE-012", "whatever is blurred is told as a violation", _blur_as_violation),
    answering("EDIT-SAFE-013", "blurred results are told as sharp", _told(_BLURRED, "false", when="true")),
    answering("EDIT-SAFE-013", "sharp results are told as blurred", _told(_BLURRED, "true", when="false")),
    wrapping(
        "EDIT-SAFE-014", "a PNG does not pass the mark on", "venice_mock.edit.encoding.as_text", _unmarked
    ),
    wrapping(
        "EDIT-SAFE-014",
        "JPEG and WebP do not pass the mark on",
        "venice_mock.edit.encoding.as_exif",
        _unmarked,
    ),
    answering("EDIT-SAFE-015", "one model says nothing of violations", _silent_model),
)
