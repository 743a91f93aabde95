"""Checks of the group ``response``: what a success carries, and what stands in the headers of every answer."""

from __future__ import annotations

import json
import re
from datetime import datetime
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from venice_contract.judging.callers import Caller, Key
from venice_contract.judging.check import check, invariant
from venice_contract.judging.expect import NotApplicable, equal, expect, fail, header_of
from venice_contract.judging.facts import Facts
from venice_contract.judging.probe import NOBODY, Probe
from venice_contract.pictures import tags
from venice_contract.pictures.look import NotAPicture, decode, metadata_of, probe_image, same_pixels
from venice_contract.pictures.prompts import plain_prompts, prompts
from venice_contract.pictures.recipe import Picture
from venice_contract.pictures.requests import valid_requests
from venice_contract.pictures.sizes import area_within
from venice_contract.pictures.strategies import plain_sizes
from venice_contract.wire.message import Exchange, Part, Reply, Request, form_request, json_request

EDIT = "/image/edit"
FORMATS = ("png", "jpeg", "webp")
_SIGHTS = ("gradient", "detail", "checker", "flat")  # patterns of input pictures
_DECIMAL = re.compile(r"-?\d+(\.\d+)?")


def _price(facts: Facts, fields: dict[str, Any]) -> Decimal:
    """USD of one edit of these fields with the cheapest model."""
    return facts.price({"model": facts.cheapest().id} | fields)


def pixels_of(reply: Reply) -> Any:
    """The decoded picture of an answer; anything else breaks the rule."""
    try:
        return decode(reply.body)
    except NotAPicture as bad:
        fail(f"the answer is no picture: {bad}")


# --- a picture ----------------------------------------------------------------------------------------------


@check(
    "EDIT-RSP-001",
    witnesses=({}, *({"output_format": name} for name in FORMATS), {"aspect_ratio": "16:9"}),
    spends=_price,
)
def a_success_is_a_whole_picture(probe: Probe, fields: dict[str, Any]) -> None:
    """Every pixel can be decoded, and there are about as many as its resolution stands for."""
    reply = probe.succeeds(probe.edit(probe.good(**fields)))
    picture = pixels_of(reply)
    width, height = picture.size
    plausible = area_within(width, height, 1, probe.facts.edition.tiers)
    expect(plausible, f"the picture is {width}x{height}, which is no picture of 1K")


@invariant("EDIT-RSP-001")
def a_200_is_a_picture_of_the_length_that_it_tells(exchange: Exchange, facts: Facts) -> bool:
    """Its beginning is that of a picture of one of the three formats, and Content-Length is the body's."""
    reply = _edited(exchange)
    if reply is None or reply.status != 200:
        return False
    try:
        seen = probe_image(reply.body)
    except NotAPicture as bad:
        fail(f"a 200 that is no picture: {bad}")
    expect(seen.format in facts.edition.formats, f"a 200 with a picture in {seen.format}")
    told = reply.header("content-length")
    if reply.header("transfer-encoding") is None and reply.header("content-encoding") is None:
        expect(told == str(len(reply.body)), f"Content-Length is {told}, and {len(reply.body)} bytes came")
    return True


def _edited(exchange: Exchange) -> Reply | None:
    """The answer to a POST on the edit path."""
    request = exchange.request
    if request.method != "POST" or not request.path.partition("?")[0].endswith(EDIT):
        return None
    return exchange.reply


@check(
    "EDIT-RSP-002",
    witnesses=[[format_in, format_out] for format_out in FORMATS for format_in in ("jpeg", "png", "webp")],
    spends=lambda facts, _value: _price(facts, {}),
)
def the_inputs_metadata_does_not_come_out(probe: Probe, value: tuple[str, str]) -> None:
    """Neither camera nor owner nor place of a photograph, wherever they might stand."""
    format_in, format_out = value
    photograph = Picture.from_json({"width": 320, "height": 256, "format": format_in, "camera": True})
    reply = probe.succeeds(probe.edit(probe.good(image=photograph, output_format=format_out)))
    try:
        told = metadata_of(reply.body)
    except NotAPicture as bad:
        fail(f"the answer's metadata cannot be read: {bad}")
    expect("gps" not in told, f"the answer carries a position: {told.get('gps')}")
    text = json.dumps(told)
    for word in tags.CAMERA_WORDS:
        found = word in text or word.encode() in reply.body
        expect(not found, f"the answer carries {word!r}, which stood in the input's metadata")


# --- equal requests -----------------------------------------------------------------------------------------


@check("EDIT-RSP-003", witnesses=("fast", "paint"))
def equal_requests_give_equal_bytes(probe: Probe, engine: str) -> None:
    """For another caller and in another session too."""
    one, other = probe.session(engine=engine), probe.session(engine=engine)
    first = one.succeeds(one.edit(one.good()))
    for place, asked in (("again", one), ("in another session", other)):
        reply = asked.succeeds(asked.edit(asked.good(), caller=asked.key(balance="5")))
        expect(reply.body == first.body, f"the same request, sent {place}, got other bytes")


_OTHERS = ("prompt", "a sign of the prompt", "model", "picture", "size", "seed")


@check(
    "EDIT-RSP-003", witnesses=[["fast", what] for what in _OTHERS] + [["paint", "prompt"], ["paint", "seed"]]
)
def another_request_gives_another_picture(probe: Probe, value: tuple[str, str]) -> None:
    """One thing is another one, and the pixels are."""
    engine, what = value
    plain = probe.session(engine=engine, seed=1)
    others: dict[str, dict[str, Any]] = {
        "prompt": {"prompt": "make it cold"},
        "a sign of the prompt": {"prompt": "make it warm!"},
        "model": {"model": _another_model(probe.facts)},
        "picture": {"image": Picture(256, 256, seed=1)},
        "size": {"image": Picture(256, 257)},
        "seed": {},
    }
    asked = probe.session(engine=engine, seed=2) if what == "seed" else plain
    one = plain.succeeds(plain.edit(plain.good()))
    other = asked.succeeds(asked.edit(asked.good(**others[what])))
    expect(not same_pixels(pixels_of(one), pixels_of(other)), f"another {what} gave the same picture")


def _another_model(facts: Facts) -> str:
    """Not the cheapest model; one that makes pictures of the same size."""
    first = facts.cheapest()
    return facts.cheapest([m for m in facts.models if m.id != first.id and m.sizes is None]).id


def _two_prompts(facts: Facts) -> st.SearchStrategy[list[str]]:
    words = st.one_of(plain_prompts(), prompts(facts.edition.words, most=100))
    return st.lists(words, min_size=2, max_size=2, unique=True)


@check("EDIT-RSP-003", witnesses=(["warm", "warm "], ["caf\u00e9", "cafe\u0301"]), strategy=_two_prompts)
def two_prompts_give_two_pictures(probe: Probe, value: list[str]) -> None:
    """However little they differ; and each gives its own again."""
    quick = probe.session(engine="fast")
    one, other, again = (quick.succeeds(quick.edit(quick.good(prompt=p))) for p in (*value, value[0]))
    expect(one.body == again.body, f"the prompt {value[0]!a} gave other bytes the second time")
    same = same_pixels(pixels_of(one), pixels_of(other))
    expect(not same, f"the prompts {value[0]!a} and {value[1]!a} gave the same picture")


@check("EDIT-RSP-007", witnesses=("data URL", "file", "base64 in a form"))
def the_way_a_picture_was_sent_plays_no_part(probe: Probe, way: str) -> None:
    """The bytes are those of the plain way, base64 in JSON."""
    painting = probe.painted()
    fields = painting.good(image=Picture(257, 256, pattern="detail"))
    plain = painting.succeeds(painting.edit(fields))
    if way == "data URL":
        reply = painting.edit(fields | {"image": f"data:image/png;base64,{fields['image']}"})
    elif way == "file":
        reply = painting.edit(fields, form=True)
    else:
        form = form_request([Part(name, str(value).encode()) for name, value in fields.items()])
        reply = painting.send(form, caller=painting.key())
    expect(painting.succeeds(reply).body == plain.body, f"sent as {way}, it gave another file")


@check("EDIT-RSP-007", witnesses=(["make it warm", "sketch", "add a red balloon"],))
def many_at_once_give_what_each_gives_alone(probe: Probe, asked: list[str]) -> None:
    """Whichever thread paints: all together, then one by one."""
    painting = probe.painted()
    bodies = [painting.good(prompt=prompt) for prompt in asked]
    together = painting.send_all([(json_request(fields), painting.key()) for fields in bodies])
    for prompt, fields, reply in zip(asked, bodies, together, strict=True):
        alone = painting.succeeds(painting.edit(fields))
        same = painting.succeeds(reply).body == alone.body
        expect(same, f"{prompt!r} gave another file beside others than alone")


# --- headers of every answer --------------------------------------------------------------------------------


@invariant("EDIT-RSP-004")
def every_answer_of_the_endpoint_has_stamp_and_time(exchange: Exchange, facts: Facts) -> bool:
    """Neither header is missing, and the time is one."""
    reply = _edited(exchange)
    if reply is None:
        return False
    _has_stamp_and_time(reply, facts)
    return True


def _has_stamp_and_time(reply: Reply, facts: Facts) -> datetime:
    names = facts.edition.headers
    expect(header_of(reply, names["version"]) != "", f"{names['version']} is empty")
    written = header_of(reply, names["timestamp"])
    try:
        told = datetime.fromisoformat(written)
    except ValueError:
        fail(f"{names['timestamp']} is {written!r}, expected a time of ISO 8601")
    expect(told.tzinfo is not None, f"{names['timestamp']} is {written!r}, without a time zone")
    return told


_REFUSED = (
    "no credentials",
    "a wrong key",
    "another media type",
    "an unknown path",
    "a wrong method",
    "the models",
)


@check("EDIT-RSP-004", witnesses=_REFUSED)
def answers_tell_stamp_and_time(probe: Probe, kind: str) -> None:
    """Refusals and the listing as well; a mock's stamp is its edition's."""
    good = json_request(probe.good())
    refused: dict[str, tuple[Request, Caller]] = {
        "a wrong key": (good, probe.bad_key()),
        "another media type": (Request("POST", EDIT, (("Content-Type", "text/plain"),), b"x"), NOBODY),
        "an unknown path": (Request("GET", "/nothing"), NOBODY),
        "a wrong method": (Request("GET", EDIT), NOBODY),
        "the models": (Request("GET", "/models"), NOBODY),
    }
    asked, caller = refused.get(kind, (good, NOBODY))
    reply = probe.send(asked, caller=caller)
    _has_stamp_and_time(reply, probe.facts)
    if probe.steerable:
        equal(reply.header(probe.facts.edition.headers["version"]), probe.facts.edition.stamp, "the stamp")


@check("EDIT-RSP-004", witnesses=(1_781_883_156.236, 1_800_000_000.0))
def the_time_is_the_servers(probe: Probe, at: float) -> None:
    """On a mock whose clock was stopped."""
    stopped = probe.session()
    stopped.freeze(at)
    told = _has_stamp_and_time(stopped.get("/models"), probe.facts).timestamp()
    expect(abs(told - at) < 0.002, f"the time told is {told}, expected {at}")


def _balances(reply: Reply, facts: Facts) -> dict[str, Decimal]:
    """Both balances of an answer to a key."""
    found = {}
    for unit in ("balance_usd", "balance_diem"):
        name = facts.edition.headers[unit]
        text = header_of(reply, name)
        expect(_DECIMAL.fullmatch(text) is not None, f"{name} is {text!r}, expected a decimal number")
        found[unit] = Decimal(text)
    return found


@check("EDIT-RSP-005")
def an_answer_to_a_key_tells_its_balances(probe: Probe, _value: None) -> None:
    """Here to a key without credit, which is refused."""
    _balances(probe.edit(probe.good(), caller=probe.poor_key()), probe.facts)


def _key_with(probe: Probe, usd: str) -> Key:
    if not probe.steerable:
        raise NotApplicable("only a mock makes accounts to measure")
    return probe.key(balance=usd)


@check("EDIT-RSP-005", witnesses=("0", "0.000001", "5.10", "1000000", "0.03"))
def the_balance_told_is_the_accounts(probe: Probe, usd: str) -> None:
    """On a mock: to the digit, and never with an exponent."""
    key = _key_with(probe, usd)
    reply = probe.edit(probe.good(prompt=""), caller=key)
    equal(_balances(reply, probe.facts)["balance_usd"], Decimal(usd), "the balance told")


@check("EDIT-RSP-005", spends=1)
def the_balance_told_falls_by_the_price(probe: Probe, _value: None) -> None:
    """On a mock, in the answer to the edit itself."""
    key = _key_with(probe, "5")
    reply = probe.succeeds(probe.edit(probe.good(), caller=key))
    left = _balances(reply, probe.facts)["balance_usd"]
    equal(left, probe.balance_of(key), "the balance told after an edit")
    expect(left < 5, f"the balance told after an edit is {left}, as before")


# --- what a mock's pictures say of themselves ---------------------------------------------------------------


def understood(reply: Reply) -> dict[str, Any]:
    """What a mock's picture tells of its request: a JSON object in a PNG's text or in the EXIF user comment."""
    try:
        told = metadata_of(reply.body)
    except NotAPicture as bad:
        fail(f"the picture's metadata cannot be read: {bad}")
    text = told.get("text", {}).get("venice-mock") or told.get("exif", {}).get("UserComment")
    expect(text is not None, f"the picture does not tell how its request was understood: {sorted(told)}")
    try:
        said = json.loads(str(text))["venice_mock"]
    except (ValueError, KeyError, TypeError):
        fail(f"the picture's own words cannot be read: {str(text)[:100]!r}")
    expect(isinstance(said, dict), f"the picture's own words are no object: {str(text)[:100]!r}")
    return dict(said)


@check(
    "EDIT-RSP-006",
    witnesses=[
        {"output_format": name, "prompt": prompt} | more
        for name in FORMATS
        for prompt, more in (
            ("a\u00f1ade un \u00e1rbol \U0001f333", {"aspect_ratio": "3:2", "safe_mode": False}),
            ('quotes " and \\ and }', {}),
        )
    ],
    strategy=lambda facts: valid_requests(
        facts.edition, models=[m for m in facts.models if m.sizes is None], quality=False, any_script=True
    ).filter(lambda fields: fields.get("resolution", "1K") == "1K"),
    spends=_price,
)
def a_picture_tells_how_its_request_was_understood(probe: Probe, fields: dict[str, Any]) -> None:
    """Every field with its default filled in, and the pictures that went in and came out."""
    quick = probe.session(engine="fast")
    asked = quick.good(**fields, image=Picture(300, 260, seed=3))
    reply = quick.succeeds(quick.edit(asked))
    said, seen = understood(reply), probe_image(reply.body)
    edition = probe.facts.edition
    expected = {
        "edition": edition.edition,
        "model": asked["model"],
        "prompt": asked["prompt"],
        "resolution": asked.get("resolution", edition.fields.default_resolution),
        "output_format": seen.format,
        "safe_mode": asked.get("safe_mode", edition.fields.default_safe_mode),
        "width": seen.width,
        "height": seen.height,
        "input_width": 300,
        "input_height": 260,
    }
    limits = probe.facts.model(asked["model"]).constraints
    keeps_size = limits is not None and limits.single_image_aspect_ratio is False
    if asked.get("aspect_ratio", "auto") != "auto" and not keeps_size:
        expected["aspect_ratio"] = asked["aspect_ratio"]
    for name, value in expected.items():
        equal(said.get(name), value, f"{name} in the picture")


# --- every valid request ------------------------------------------------------------------------------------


def _can_be_painted(facts: Facts) -> list[dict[str, Any]]:
    """The most elongated ratio in every format, and each larger tier with the cheapest model that has it."""
    wide = [m for m in facts.models if m.constraints and "21:9" in m.constraints.aspect_ratios]
    plain = {"model": facts.cheapest(wide or None).id, "prompt": "make it warm"}
    found: list[dict[str, Any]] = [
        plain | {"aspect_ratio": "21:9", "output_format": name} for name in FORMATS
    ]
    for tier in facts.edition.tiers.factors:
        fit = [m.id for m in facts.models if m.constraints and tier in m.constraints.resolutions]
        asked = [plain | {"model": model, "resolution": tier} for model in fit]
        found += sorted(asked, key=facts.price)[:1]
    return found


def _with_pictures(facts: Facts) -> st.SearchStrategy[dict[str, Any]]:
    """Valid fields with the recipe of a picture under ``image``."""
    fields = valid_requests(
        facts.edition, quality="unrecognized" not in facts.ways("quality-on-edit").values()
    )
    pictures = st.tuples(plain_sizes(facts.edition.limits), st.sampled_from(_SIGHTS)).map(
        lambda drawn: Picture.from_json({"width": drawn[0][0], "height": drawn[0][1], "pattern": drawn[1]})
    )
    return st.tuples(fields, pictures).map(lambda drawn: drawn[0] | {"image": drawn[1].to_json()})


@check("EDIT-RSP-008", witnesses=_can_be_painted, strategy=_with_pictures, spends=_price)
def every_valid_request_gets_its_picture(probe: Probe, fields: dict[str, Any]) -> None:
    """Whatever its size, ratio, tier and format."""
    image = fields.get("image")
    picture = Picture(257, 256) if image is None else Picture.from_json(image)
    reply = probe.succeeds(probe.edit(probe.good(**fields | {"image": picture})))
    pixels_of(reply)
    wanted = str(fields.get("output_format", ""))
    if wanted:
        named = probe.facts.edition.fields.format_aliases.get(wanted, wanted)
        equal(probe_image(reply.body).format, named, "the format")
