"""Hypothesis strategies for the fields of an edit request: valid ones, and ones with exactly one fault.

Fields are what goes into the JSON body, but for ``image``, which the caller adds, since pictures are built late.
Nothing here is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, get_args

from hypothesis import strategies as st

from venice_contract.pictures.prompts import plain_prompts, prompts, prompts_of_length
from venice_contract.pictures.sizes import AUTO
from venice_mock.contract import Constraints, Edition, ModelSpec

Fields = dict[str, Any]
Kind = Literal[
    "missing",  # a required field is not there
    "null",
    "wrong-type",
    "empty",
    "too-long",  # by the schema, whatever the model
    "not-in-list",  # of the schema's closed lists
    "no-address",  # an image that is neither base64 nor a data URL nor an http(s) address
    "unknown-key",
    "unknown-model",  # 404
    "over-limit",  # longer than this model's prompts may be
    "unlisted-ratio",  # known to the schema, not listed by this model
    "unlisted-tier",  # of a model that lists tiers
    "tierless-tier",  # another tier than the default of a model that lists none
    "unlisted-quality",
]
KINDS: tuple[Kind, ...] = get_args(Kind)

_ABSENT = object()
_BOOLEANS = ("safe_mode", "enhance_prompt", "disable_prompt_optimization_thinking")
_UNKNOWN_KEYS = ("format", "mask", "seed", "n", "size", "steps", "Prompt", "safeMode", "negative_prompt")
_NO_ADDRESSES = (
    "not a picture at all!",
    "ftp://localhost/picture.png",
    "file:///picture.png",
    "javascript:alert(1)",
    "//localhost/picture.png",
)
_WRONG: dict[str, tuple[str, ...]] = {
    "aspect_ratio": ("4:3", "5:4", "107:60", "16x9", " 16:9", "16:9 ", "AUTO", "61", "1.78", ""),
    "output_format": ("gif", "PNG", "image/png", "tiff", ""),
    "quality": ("ultra", "HIGH", "standard", ""),
    "modelId": ("no-such-model", ""),
}
_TIERS = ("8K", "1k", "0.5K", "1024")


class OneFault(NamedTuple):
    """``fields`` with one fault: at ``field``, of that ``kind``. A picture is to be added unless it is the fault."""

    fields: Fields
    field: str
    kind: Kind

    @property
    def takes_image(self) -> bool:
        """Whether the caller has to add an image; the fault lies elsewhere then."""
        return self.field != "image"

    @property
    def status(self) -> int:
        """What it is refused with."""
        return 404 if self.kind == "unknown-model" else 400


@dataclass(frozen=True)
class _Way:
    """One way to be wrong. ``values`` gives the wrong values for a model, None when it has none."""

    kind: Kind
    field: str
    values: Callable[[ModelSpec, Constraints], st.SearchStrategy[Any] | None]


def edit_models(edition: Edition) -> tuple[ModelSpec, ...]:
    """The models that can edit, but those that are offline."""
    return tuple(model for model in edition.models if model.constraints is not None and not model.offline)


def valid_requests(
    edition: Edition,
    *,
    models: Sequence[ModelSpec] | None = None,
    quality: bool = True,
    enhance: bool = False,
    any_script: bool = False,
) -> st.SearchStrategy[Fields]:
    """Fields that the edition accepts. The model is always named, the other optional fields are there or not.

    ``models``: those to choose from, else all. ``quality`` False leaves it out, as the observed server wants it.
    ``enhance``: ``enhance_prompt`` may be true, which costs more. ``any_script``: prompts beside plain English.
    """
    choice = models or edit_models(edition)

    # Neither strategy is one of editions or models: Hypothesis would write all of them into each of its notes.
    @st.composite
    def valid(draw: st.DrawFn) -> Fields:
        model = choice[draw(st.integers(0, len(choice) - 1))]
        return draw(_fields_for(edition, model, quality=quality, enhance=enhance, any_script=any_script))

    return valid()


def _fields_for(
    edition: Edition, model: ModelSpec, *, quality: bool, enhance: bool = False, any_script: bool = False
) -> st.SearchStrategy[Fields]:
    """Valid fields of a request to that model."""
    limits = _limits(model)
    words = (
        prompts(edition.words, most=min(200, limits.prompt_character_limit))
        if any_script
        else plain_prompts()
    )
    optional: dict[str, st.SearchStrategy[Any]] = {
        "aspect_ratio": st.sampled_from(_ratios(edition, limits)),
        "output_format": st.sampled_from((*edition.fields.output_formats, *edition.fields.format_aliases)),
        "safe_mode": st.booleans(),
    }
    tiers = limits.resolutions or (edition.fields.default_resolution,)
    required: dict[str, st.SearchStrategy[Any]] = {"model": st.just(model.id), "prompt": words}
    target = optional if edition.fields.default_resolution in tiers else required
    target["resolution"] = st.sampled_from(tiers)
    if quality and limits.qualities:
        optional["quality"] = st.sampled_from(limits.qualities)
    if "enhance_prompt" in edition.fields.known:
        optional["enhance_prompt"] = st.booleans() if enhance else st.just(False)
    if "disable_prompt_optimization_thinking" in edition.fields.known:
        optional["disable_prompt_optimization_thinking"] = st.booleans()
    return st.fixed_dictionaries(required, optional=optional)


def faulty_requests(
    edition: Edition,
    *,
    kinds: Collection[Kind] = KINDS,
    fields: Collection[str] | None = None,
    models: Sequence[ModelSpec] | None = None,
    quality: bool = True,
) -> st.SearchStrategy[OneFault]:
    """Requests with exactly one fault, of these ``kinds`` and at these ``fields`` (else any); see ``valid_requests``.

    Raises ValueError when no model of the choice can be asked wrongly in such a way.
    """
    choice = models or edit_models(edition)
    ways = [
        (way, [model for model in choice if way.values(model, _limits(model)) is not None])
        for way in _ways(edition, quality=quality)
        if way.kind in kinds and (fields is None or way.field in fields)
    ]
    possible = [(way, able) for way, able in ways if able]
    if not possible:
        raise ValueError("no such fault can be made with these models")

    @st.composite
    def faulty(draw: st.DrawFn) -> OneFault:
        way, able = possible[draw(st.integers(0, len(possible) - 1))]
        model = able[draw(st.integers(0, len(able) - 1))]
        asked = draw(_fields_for(edition, model, quality=quality))
        wrong = way.values(model, _limits(model))
        value = _ABSENT if wrong is None else draw(wrong)
        if way.field == "modelId":
            del asked["model"]  # else two fields would name the model
        asked.pop(way.field, None)
        if value is not _ABSENT:
            asked[way.field] = value
        return OneFault(asked, way.field, way.kind)

    return faulty()


def _limits(model: ModelSpec) -> Constraints:
    if model.constraints is None:
        raise ValueError(f"{model.id} is no edit model")
    return model.constraints


def _ratios(edition: Edition, limits: Constraints) -> tuple[str, ...]:
    """What may be asked of a model; one that keeps the input's size does not look at it."""
    if limits.single_image_aspect_ratio is False:
        return edition.fields.aspect_ratios
    return tuple(dict.fromkeys((AUTO, *limits.aspect_ratios)))


def _ways(edition: Edition, *, quality: bool) -> Iterator[_Way]:
    """Every way to be wrong, the schema's first."""
    known = [name for name in edition.fields.known if quality or name != "quality"]
    for name in known:
        yield _Way("null", name, _any_model(None))
        if name in _BOOLEANS:
            yield _Way("wrong-type", name, _any_model("true", "false", "", 1, 0, [], {}))
        else:
            yield _Way("wrong-type", name, _any_model(5, 1.5, True, False, [], ["1:1"], {}))
    for name in edition.fields.required:
        yield _Way("missing", name, _any_model(_ABSENT))
    for name in ("image", "prompt", "resolution", "model"):
        yield _Way("empty", name, _any_model(""))
    for name, options in _closed_lists(edition).items():
        if name in known:
            yield _Way("not-in-list", name, _any_model(*(v for v in _WRONG[name] if v not in options)))
    yield _Way("no-address", "image", _any_model(*_NO_ADDRESSES))
    for name in _UNKNOWN_KEYS:
        if name not in edition.fields.known:
            yield _Way("unknown-key", name, _any_model(1, "x", None, True))
    yield from _length_ways(edition)
    yield from _model_ways(edition, quality=quality)


def _length_ways(edition: Edition) -> Iterator[_Way]:
    longest, words = edition.limits.prompt_max, edition.words
    over = st.sampled_from([longest + 1, longest + 100]).flatmap(
        lambda length: prompts_of_length(words, length)
    )
    yield _Way("too-long", "prompt", lambda _model, _limits: over)
    yield _Way("too-long", "resolution", _any_model("K" * (edition.limits.resolution_max + 1)))

    def over_limit(_model: ModelSpec, limits: Constraints) -> st.SearchStrategy[Any] | None:
        limit = limits.prompt_character_limit
        if limit >= longest:
            return None
        lengths = st.sampled_from(sorted({limit + 1, min(longest, limit + 100)}))
        return lengths.flatmap(lambda length: prompts_of_length(words, length))

    yield _Way("over-limit", "prompt", over_limit)


def _model_ways(edition: Edition, *, quality: bool) -> Iterator[_Way]:
    ids = {model.id for model in edition.models}

    def names(model: ModelSpec, _limits: Constraints) -> st.SearchStrategy[Any] | None:
        near = (f"{model.id}-2", model.id.upper(), model.id[:-1], f" {model.id}", "no-such-model")
        return _among([name for name in near if name not in ids])

    def ratios(_model: ModelSpec, limits: Constraints) -> st.SearchStrategy[Any] | None:
        allowed = _ratios(edition, limits)
        return _among([ratio for ratio in edition.fields.aspect_ratios if ratio not in allowed])

    def tiers(_model: ModelSpec, limits: Constraints) -> st.SearchStrategy[Any] | None:
        listed = limits.resolutions
        return _among([t for t in (*edition.tiers.factors, *_TIERS) if t not in listed]) if listed else None

    def tierless(_model: ModelSpec, limits: Constraints) -> st.SearchStrategy[Any] | None:
        usual = edition.fields.default_resolution
        return (
            None
            if limits.resolutions
            else _among([t for t in (*edition.tiers.factors, *_TIERS) if t != usual])
        )

    def qualities(_model: ModelSpec, limits: Constraints) -> st.SearchStrategy[Any] | None:
        listed = limits.qualities
        return _among([q for q in edition.fields.qualities if q not in listed]) if listed else None

    yield _Way("unknown-model", "model", names)
    yield _Way("unlisted-ratio", "aspect_ratio", ratios)
    yield _Way("unlisted-tier", "resolution", tiers)
    yield _Way("tierless-tier", "resolution", tierless)
    if quality:
        yield _Way("unlisted-quality", "quality", qualities)


def _closed_lists(edition: Edition) -> dict[str, Collection[str]]:
    fields = edition.fields
    return {
        "aspect_ratio": fields.aspect_ratios,
        "output_format": (*fields.output_formats, *fields.format_aliases),
        "quality": fields.qualities,
        "modelId": fields.model_ids,
    }


def _any_model(*values: Any) -> Callable[[ModelSpec, Constraints], st.SearchStrategy[Any] | None]:
    """These wrong values, whatever the model."""
    return lambda _model, _limits: _among(values)


def _among(values: Sequence[Any]) -> st.SearchStrategy[Any] | None:
    # sampled_from hands out the very lists and dictionaries that it was given, so copies are made
    return st.sampled_from(values).map(_copied) if values else None


def _copied(value: Any) -> Any:
    return value.copy() if isinstance(value, list | dict) else value
