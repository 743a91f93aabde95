"""Checks of the group ``output-format``: the file that comes back, and what it is called."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from venice_contract.judging.check import check, invariant
from venice_contract.judging.expect import equal, expect, fail, faults_told
from venice_contract.judging.facts import Facts
from venice_contract.judging.probe import Probe
from venice_contract.pictures.look import NotAPicture, decode, format_of
from venice_contract.pictures.recipe import Picture
from venice_contract.rules.outputs import limits_of, refusal, tiered_models
from venice_contract.rules.ratios import keeping_size
from venice_contract.wire.message import Exchange, Reply, shown

_EDIT = "/image/edit"


# --- formats that are asked for -----------------------------------------------------------------------------


@check(
    "EDIT-FMT-001",
    witnesses=[[fmt, encoding] for encoding in ("json", "form") for fmt in ("webp", "jpeg", "png")],
    spends=1,
)
def a_format_that_is_asked_for_comes(probe: Probe, value: Sequence[str]) -> None:
    """By its first bytes, and it decodes."""
    fmt, encoding = value
    reply = probe.succeeds(probe.edit(probe.good(output_format=fmt), form=encoding == "form"))
    _is_format(reply, fmt, f"at output_format {fmt} ({encoding})")
    try:
        decode(reply.body)
    except NotAPicture as fault:
        fail(f"the {fmt} does not decode: {fault}")


def _is_format(reply: Reply, fmt: str, what: str) -> None:
    """The first bytes are that format's."""
    found = format_of(reply.body)
    expect(
        found == fmt, f"the file {what} is {found or 'no picture'} ({shown(reply.body, 24)}), expected {fmt}"
    )


@check("EDIT-FMT-002", witnesses=lambda facts: sorted(facts.edition.fields.format_aliases))
def an_alias_is_no_fault(probe: Probe, alias: str) -> None:
    """With it a request is answered as without it, here with a picture that is too small."""
    for form in (False, True):
        reply = refusal(probe, probe.facts.cheapest().id, form=form, output_format=alias)
        expect(reply is None, f"output_format {alias} is answered {reply.status if reply else 0}")


@check("EDIT-FMT-002", witnesses=lambda facts: sorted(facts.edition.fields.format_aliases), spends=2)
def an_alias_means_the_same_format(probe: Probe, alias: str) -> None:
    """Both names give one format and one media type; the mock's files are equal."""
    meant = probe.facts.edition.fields.format_aliases[alias]
    by_alias = probe.succeeds(probe.edit(probe.good(output_format=alias)))
    by_name = probe.succeeds(probe.edit(probe.good(output_format=meant)))
    equal(format_of(by_alias.body), format_of(by_name.body), f"the format at {alias}, beside {meant},")
    equal(by_alias.media_type, by_name.media_type, f"the media type at {alias}, beside {meant},")
    if probe.steerable:
        expect(by_alias.body == by_name.body, f"{alias} and {meant} give different files")


def _no_formats(facts: Facts) -> st.SearchStrategy[str]:
    """Formats in other spellings, media types, and any text."""
    taken = {*facts.edition.fields.output_formats, *facts.edition.fields.format_aliases}
    spelt = st.tuples(
        st.sampled_from(sorted(taken)), st.sampled_from((" {}", "{} ", ".{}", "image/{}", "{}\n", "{}{}"))
    )
    made = spelt.map(lambda drawn: drawn[1].format(drawn[0], drawn[0]))
    upper = st.sampled_from(sorted(taken)).flatmap(lambda t: st.sampled_from((t.upper(), t.title())))
    return st.one_of(made, upper, st.text(max_size=6)).filter(lambda text: text not in taken)


@check(
    "EDIT-FMT-007",
    witnesses=(
        "gif",
        "PNG",
        "image/png",
        "bmp",
        "avif",
        "",
        "JPG",
        "tiff",
        " png",
        "jpeg ",
        "jpe",
        1,
        ["png"],
        False,
    ),
    strategy=_no_formats,
)
def any_other_format_is_refused(probe: Probe, fmt: Any) -> None:
    """400, in a request that is good otherwise."""
    probe.refused(probe.edit(probe.good(output_format=fmt)))


# --- formats of a tier --------------------------------------------------------------------------------------


def _spends(facts: Facts, value: Sequence[Any]) -> Decimal:
    """One edit of [model, tier, ...]; no tier is the default's."""
    tier = {} if value[1] is None else {"resolution": value[1]}
    return facts.price({"model": value[0]} | tier)


def _default_tier(facts: Facts) -> list[list[str | None]]:
    """[model, tier or None]: with and without naming it, on the cheapest models with and without tiers."""
    tier = facts.edition.fields.default_resolution
    tiered, untiered = tiered_models(facts, tier), [m for m in facts.models if not limits_of(m).resolutions]
    models = [facts.cheapest(untiered or None).id, *tiered]
    return [[model, said] for model in models for said in (None, tier)]


@check("EDIT-FMT-003", witnesses=_default_tier, spends=_spends)
def an_edit_at_1k_is_a_png(probe: Probe, value: Sequence[str | None]) -> None:
    """Without output_format, whether the tier is named or left out."""
    model, tier = value
    fields = probe.good(model=model, resolution=... if tier is None else tier)
    reply = probe.succeeds(probe.edit(fields))
    _is_format(reply, "png", f"of {model} at {tier or 'no tier named'}, without output_format,")


def _at_tier(tier: str) -> Any:
    """The witnesses [model, tier] of the two cheapest models that list it."""
    return lambda facts: [[model, tier] for model in tiered_models(facts, tier)[:2]]


@check("EDIT-FMT-004", witnesses=_at_tier("2K"), spends=_spends)
def an_edit_at_2k_is_a_jpeg(probe: Probe, value: Sequence[str]) -> None:
    """Without output_format."""
    _is_a_jpeg(probe, value)


@check("EDIT-FMT-005", witnesses=_at_tier("4K"), spends=_spends)
def an_edit_at_4k_is_a_jpeg(probe: Probe, value: Sequence[str]) -> None:
    """Without output_format."""
    _is_a_jpeg(probe, value)


def _is_a_jpeg(probe: Probe, value: Sequence[str]) -> None:
    model, tier = value
    reply = probe.succeeds(probe.edit(probe.good(model=model, resolution=tier)))
    _is_format(reply, "jpeg", f"of {model} at {tier}, without output_format,")


def _against_the_default(facts: Facts) -> list[list[str]]:
    """[model, tier, format]: formats that are not the tier's, on the cheapest model of each tier."""
    defaults = facts.edition.tiers.default_formats
    pairs = [(tiered_models(facts, tier)[:1], tier) for tier in facts.edition.tiers.factors]
    return [
        [model, tier, fmt]
        for models, tier in pairs
        for model in models
        for fmt in (("jpeg", "webp") if defaults[tier] == "png" else ("png",))
    ]


@check("EDIT-FMT-006", witnesses=_against_the_default, spends=_spends)
def an_explicit_format_wins(probe: Probe, value: Sequence[str]) -> None:
    """Over the tier's own, in both directions."""
    model, tier, fmt = value
    reply = probe.succeeds(probe.edit(probe.good(model=model, resolution=tier, output_format=fmt)))
    _is_format(reply, fmt, f"of {model} at {tier} and output_format {fmt}")


# --- every success ------------------------------------------------------------------------------------------


def _success(exchange: Exchange) -> Reply | None:
    """The 200 to an edit that nobody ordered to be spoilt."""
    request, reply = exchange.request, exchange.reply
    if request.method != "POST" or not request.path.partition("?")[0].endswith(_EDIT):
        return None
    spoilt = request.header("x-mock") or exchange.label.startswith("told to fail")
    return None if spoilt or reply is None or reply.status != 200 else reply


@invariant("EDIT-FMT-008")
def the_media_type_tells_the_truth(exchange: Exchange, facts: Facts) -> bool:
    """One of three, and the one of the first bytes; a body that is no picture is for another rule."""
    reply = _success(exchange)
    if reply is None:
        return False
    _tells_the_truth(reply, facts)
    return True


def _tells_the_truth(reply: Reply, facts: Facts) -> None:
    known = {spec.media_type: fmt for fmt, spec in facts.edition.formats.items()}
    said = reply.media_type
    expect(said in known, f"a 200 of type {said or 'none'}, expected {', '.join(sorted(known))}")
    found = format_of(reply.body)
    if found is not None:
        expect(found == known[said], f"a 200 that says {said} and is {found}")


@check("EDIT-FMT-008", witnesses=lambda facts: [*facts.edition.fields.output_formats, None], spends=1)
def each_format_is_called_by_its_name(probe: Probe, fmt: str | None) -> None:
    """Content-Type against the first bytes for every format."""
    reply = probe.succeeds(probe.edit(probe.good(output_format=... if fmt is None else fmt)))
    _tells_the_truth(reply, probe.facts)


@invariant("EDIT-FMT-009")
def a_success_begins_as_a_picture(exchange: Exchange, _facts: Facts) -> bool:
    """No JSON, no base64, nothing before the file."""
    reply = _success(exchange)
    if reply is None:
        return False
    expect(format_of(reply.body) is not None, f"the body of a 200 {_instead(reply.body)}")
    return True


@check(
    "EDIT-FMT-009",
    witnesses=[[fmt, encoding] for fmt in ("png", "jpeg", "webp") for encoding in ("json", "form")],
    spends=1,
)
def a_success_decodes_as_it_stands(probe: Probe, value: Sequence[str]) -> None:
    """The body is a picture file."""
    fmt, encoding = value
    reply = probe.succeeds(probe.edit(probe.good(output_format=fmt), form=encoding == "form"))
    try:
        decode(reply.body)
    except NotAPicture as fault:
        fail(f"the body of a 200 {_instead(reply.body)}: {fault}")


def _instead(body: bytes) -> str:
    """What a body is that should have been a picture."""
    start = body.lstrip()[:1]
    if start in (b"{", b"["):
        return "is JSON, and not a picture"
    text = body.partition(b",")[2] if body.startswith(b"data:") else body
    try:
        packed = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        packed = b""
    if format_of(packed) is not None:
        return "is a picture in base64, and not the file"
    return f"is no picture ({shown(body, 24)})"


# --- what a format cannot hold ------------------------------------------------------------------------------


def _long(facts: Facts, fmt: str, over: int) -> list[int]:
    """The size of a picture whose width is the format's longest side and so many pixels more."""
    width = facts.edition.formats[fmt].max_side + over
    return [width, -(-facts.edition.limits.min_pixels // width)]


@check(
    "EDIT-FMT-010",
    witnesses=lambda facts: [
        [fmt, size] for fmt in ("webp", "jpeg") for size in (_long(facts, fmt, 1), _long(facts, fmt, 1)[::-1])
    ],
)
def a_side_that_a_format_cannot_hold_is_refused(probe: Probe, value: Sequence[Any]) -> None:
    """400 at output_format, and the balance stays, on a model that keeps the input's size."""
    fmt, size = value
    changed = keeping_size(probe, probe.facts.cheapest().id)
    key = changed.key()
    before = changed.balance_of(key)
    fields = changed.good(image=_strip(size), output_format=fmt)
    reply = changed.refused(changed.edit(fields, caller=key))
    named = faults_told(reply)
    if named is not None:
        equal(sorted(named), ["output_format"], "the list of faulty fields")
    equal(changed.balance_of(key), before, "the balance after the refusal")


@check(
    "EDIT-FMT-010",
    witnesses=lambda facts: [
        ["webp", _long(facts, "webp", 0)],
        ["jpeg", _long(facts, "jpeg", 0)],
        ["png", _long(facts, "jpeg", 1)],
    ],
)
def a_side_that_a_format_just_holds_is_served(probe: Probe, value: Sequence[Any]) -> None:
    """The longest side of WebP and of JPEG; PNG holds a longer one."""
    fmt, size = value
    changed = keeping_size(probe, probe.facts.cheapest().id)
    changed.succeeds(changed.edit(changed.good(image=_strip(size), output_format=fmt)))


def _strip(size: Sequence[int]) -> Picture:
    return Picture(size[0], size[1], mode="1", pattern="flat")
