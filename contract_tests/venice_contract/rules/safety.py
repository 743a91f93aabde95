"""Checks of the group ``safe-mode``: what is blurred, what is refused, and what the headers say of it.

Adult and policy words are sent to a mock alone: the probe refuses to send them anywhere else.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from venice_contract.judging.check import check, invariant
from venice_contract.judging.expect import NotApplicable, equal, error_text, expect, fail, header_of
from venice_contract.judging.facts import Facts
from venice_contract.judging.probe import Probe
from venice_contract.pictures.look import BLURRED, SHARP, NotAPicture, decode, fine_detail, same_pixels
from venice_contract.pictures.recipe import Picture
from venice_contract.wire.message import Exchange, Reply
from venice_mock.contract import ModelSpec

_EDIT = "/image/edit"
_MARKED = Picture(256, 256, pattern="detail", adult=True)
_PLAIN = Picture(256, 256, pattern="detail")
_TINY = 128  # pixels: the longest side of what counts as a placeholder
_HALF = (SHARP + BLURRED) / 2


def _lenient(facts: Facts) -> ModelSpec:
    """The cheapest model that does not refuse policy words."""
    return facts.cheapest([model for model in facts.models if not model.blocks_policy])


def _studio(probe: Probe) -> Probe:
    """A session that really paints, on a model made to keep the input's size: 256x256 is painted in no time."""
    kept = {"constraints": {"single_image_aspect_ratio": False}}
    used = (probe.facts.cheapest(), _lenient(probe.facts))
    return probe.session(engine="paint", models={model.id: kept for model in used})


def _made(probe: Probe, **fields: Any) -> Reply:
    """The answer to an edit of the marked picture, unless ``image`` is another."""
    return probe.succeeds(probe.edit(probe.good(**{"image": _MARKED} | fields)))


def _detail(reply: Reply) -> float:
    """Fine detail of the picture that came back."""
    try:
        return fine_detail(reply.body)
    except NotAPicture as bad:
        fail(f"the answer is no picture: {bad}")


def _size(reply: Reply) -> tuple[int, int]:
    try:
        return decode(reply.body).size
    except NotAPicture as bad:
        fail(f"the answer is no picture: {bad}")


def _is_blurred(reply: Reply) -> bool:
    """By its pixels. Every input here is full of detail."""
    return _detail(reply) < _HALF


# --- the field ----------------------------------------------------------------------------------------------


@check("EDIT-SAFE-001", witnesses=("json", "form"), needs={"paint"})
def left_out_it_is_true(probe: Probe, encoding: str) -> None:
    """A marked picture gives the same with it left out as with true."""
    painting, form = _studio(probe), encoding == "form"
    omitted = painting.succeeds(painting.edit(painting.good(image=_MARKED), form=form))
    same = same_pixels(omitted.body, _made(painting, safe_mode=True).body)
    expect(same, "a marked picture gives another result without safe_mode than with safe_mode true")


def _no_booleans(_facts: Facts) -> st.SearchStrategy[Any]:
    numbers = st.one_of(st.integers(-2, 2), st.floats(allow_nan=False, allow_infinity=False))
    return st.one_of(st.none(), numbers, st.text(max_size=6), st.lists(st.booleans(), max_size=2))


@check("EDIT-SAFE-005", witnesses=("true", 1, 0, None, "false", "", [True], {}), strategy=_no_booleans)
def in_json_only_a_boolean_is_one(probe: Probe, value: Any) -> None:
    """400 for whatever else might be meant as one."""
    probe.refused(probe.edit(probe.good() | {"safe_mode": value}))


# --- blurred or sharp ---------------------------------------------------------------------------------------

_SIGNS: tuple[dict[str, Any], ...] = ({}, {"output_format": "jpeg"}, {"output_format": "webp"})


def _word(facts: Facts) -> str:
    return facts.edition.words.adult[0]


@check("EDIT-SAFE-002", witnesses=_SIGNS, needs={"paint"})
def an_adult_result_is_blurred(probe: Probe, fields: dict[str, Any]) -> None:
    """At the size that it has without safe mode nothing is left of its detail."""
    painting = _studio(probe)
    on, off = _made(painting, safe_mode=True, **fields), _made(painting, safe_mode=False, **fields)
    found = _detail(on)
    expect(found < BLURRED, f"with safe_mode true the result has detail of {found:.3f}, and is not blurred")
    equal(_size(on), _size(off), "the size of the blurred result")


@check("EDIT-SAFE-002", needs={"paint"})
def an_adult_result_of_1k_is_blurred(probe: Probe, _value: None) -> None:
    """As large as models usually make them, and because of a word this time."""
    painting = probe.painted()
    wide = {"image": Picture(455, 256, pattern="detail"), "prompt": f"a {_word(probe.facts)} statue"}
    on, off = _made(painting, safe_mode=True, **wide), _made(painting, safe_mode=False, **wide)
    found = _detail(on)
    expect(found < BLURRED, f"with safe_mode true the result has detail of {found:.3f}, and is not blurred")
    equal(_size(on), _size(off), "the size of the blurred result")


@check("EDIT-SAFE-003", witnesses=_SIGNS, needs={"paint"})
def without_safe_mode_an_adult_result_is_sharp(probe: Probe, fields: dict[str, Any]) -> None:
    """Its fine detail is all there, with a mark and with a word."""
    painting = _studio(probe)
    for changes in ({"image": _MARKED}, {"image": _PLAIN, "prompt": f"a {_word(probe.facts)} statue"}):
        found = _detail(_made(painting, safe_mode=False, **changes, **fields))
        expect(found > SHARP, f"with safe_mode false the result has detail of {found:.3f}, and is not sharp")


@check(
    "EDIT-SAFE-004",
    witnesses=("make it warm", "a statue on the beach", "the human body", "mock:adult", "safe_mode=true"),
    needs={"paint"},
)
def what_is_not_classified_is_never_blurred(probe: Probe, prompt: str) -> None:
    """Equal pixels with and without safe mode, and sharp ones."""
    painting = _studio(probe)
    on, off = (_made(painting, image=_PLAIN, prompt=prompt, safe_mode=safe) for safe in (True, False))
    expect(not _is_blurred(on), f"{prompt!r} names nothing adult, and the result is blurred")
    expect(same_pixels(on.body, off.body), f"{prompt!r} gives other pixels with safe mode than without")


# --- what is classified -------------------------------------------------------------------------------------


@check("EDIT-SAFE-008", witnesses=("png", "jpeg", "webp", "gif"), needs={"paint"})
def a_marked_picture_is_adult_and_its_copy_is_not(probe: Probe, file_format: str) -> None:
    """Equal pixels, with the mark and without it."""
    painting, recipe = _studio(probe), _PLAIN.to_json() | {"format": file_format}
    if file_format == "gif":
        recipe["mode"] = "P"
    marked, bare = Picture.from_json(recipe | {"adult": True}), Picture.from_json(recipe)
    expect(_is_classified(painting, image=marked), f"a marked {file_format} is not classified as adult")
    expect(not _is_classified(painting, image=bare), f"an unmarked {file_format} is classified as adult")


def _is_classified(probe: Probe, **fields: Any) -> bool:
    """Whether safe mode makes a difference, to the pixels or at least to what is told of them."""
    on, off = (_made(probe, safe_mode=safe, **{"image": _PLAIN} | fields) for safe in (True, False))
    name = probe.facts.edition.headers["blurred"]
    return on.header(name) != off.header(name) or not same_pixels(on.body, off.body)


@check("EDIT-SAFE-008", witnesses=lambda facts: facts.edition.words.adult, needs={"paint"})
def a_listed_word_is_adult(probe: Probe, word: str) -> None:
    """Each of the edition's list, amid others."""
    painting = _studio(probe)
    expect(
        _is_classified(painting, prompt=f"a {word} statue"), f"the word {word!r} is not classified as adult"
    )


def _variants(facts: Facts) -> list[list[str]]:
    """The first word, and another text in which it stands as a whole word."""
    word = _word(facts)
    texts = (word.upper(), word.title(), f"({word})", f"one\n{word}\ttwo", f"{word}, please")
    return [[word, text] for text in (*texts, *(w.upper() for w in facts.edition.words.adult[1:3]))]


@check("EDIT-SAFE-009", witnesses=_variants, needs={"paint"})
def letter_case_and_signs_make_no_difference_to_a_word(probe: Probe, value: list[str]) -> None:
    """It is judged as it is in lower case, alone."""
    word, text = value
    painting = _studio(probe)
    plain = _is_blurred(_made(painting, image=_PLAIN, prompt=word))
    found = _is_blurred(_made(painting, image=_PLAIN, prompt=text))
    told = f"{text!r} is {'' if found else 'not '}blurred, and {word!r} is {'' if plain else 'not '}"
    expect(found == plain, told.rstrip())


def _longer(facts: Facts) -> list[str]:
    words = facts.edition.words.adult
    found = [f"{words[0]}xyz", f"x{words[0]}", *(f"de{word}d" for word in words)]
    return [text for text in found if text not in (*words, *facts.edition.words.policy)]


def _with_letters(facts: Facts) -> st.SearchStrategy[str]:
    letters, listed = st.text("abcdefghijklmnopqrstuvwxyz", max_size=4), facts.edition.words
    texts = st.tuples(letters, st.sampled_from(listed.adult), letters).map("".join)
    return texts.filter(lambda text: text not in (*listed.adult, *listed.policy))


@check("EDIT-SAFE-009", witnesses=_longer, strategy=_with_letters, needs={"paint"})
def a_longer_word_is_harmless(probe: Probe, word: str) -> None:
    """A listed one that is only a part of another does not count."""
    painting = _studio(probe)
    blurred = _is_blurred(_made(painting, image=_PLAIN, prompt=f"a {word} hill"))
    expect(not blurred, f"{word!r} is no listed word, and the result is blurred")


@check("EDIT-SAFE-014", witnesses=("png", "jpeg", "webp"), needs={"paint"})
def an_edit_of_a_marked_picture_is_still_marked(probe: Probe, output_format: str) -> None:
    """The sharp result, sent in again, is treated as the marked picture is; and so is its own result."""
    painting = _studio(probe)
    if not _is_blurred(_made(painting)):
        raise NotApplicable("the server does not blur a marked picture at all")
    image: Picture | bytes = _MARKED
    for step in ("an edit", "an edit of an edit"):
        image = _made(painting, image=image, safe_mode=False, output_format=output_format).body
        again = _made(painting, image=image)
        expect(_is_blurred(again), f"{step} of a marked picture, as {output_format}, is no longer marked")


# --- policy words -------------------------------------------------------------------------------------------


def _policy_cases(facts: Facts) -> list[list[Any]]:
    """Each policy word, with safe mode on and off by turns."""
    return [[word, safe] for word in facts.edition.words.policy for safe in (True, False)]


@check("EDIT-SAFE-007", witnesses=lambda facts: [model.id for model in facts.models][:6])
def a_policy_word_may_be_refused(probe: Probe, model: str) -> None:
    """200, or 422 with the vendor's sentence; and the same whatever safe mode says."""
    text = f"a picture of {probe.facts.edition.words.policy[0]}"
    fields = {"model": model, "prompt": text}
    on, off = (probe.edit(probe.good(**fields, safe_mode=safe)) for safe in (True, False))
    expect(on.status in (200, 422), f"{model} answers a policy word with {on.status}")
    equal(off.status, on.status, f"the status that {model} answers with safe_mode false")
    if on.status == 422:
        equal(error_text(on), probe.facts.edition.errors["CONTENT_POLICY_VIOLATION"].text, "the error")
    probe.note(f"{model} answers a policy word with {on.status}")


@check("EDIT-SAFE-010", witnesses=_policy_cases)
def a_model_that_blocks_policy_refuses_its_words(probe: Probe, value: tuple[str, bool]) -> None:
    """422, with the word in capitals too, in edits that would else succeed."""
    word, safe = value
    for model in probe.facts.models:
        if model.blocks_policy:
            for text in (word, f"some {word.upper()}, please"):
                reply = probe.edit(probe.good(model=model.id, prompt=text, safe_mode=safe))
                probe.refused(reply, 422)


@check("EDIT-SAFE-010")
def a_model_that_blocks_policy_takes_other_words(probe: Probe, _value: None) -> None:
    """A word that merely contains a policy word is harmless."""
    word = probe.facts.edition.words.policy[0]
    for model in probe.facts.models:
        if model.blocks_policy:
            probe.succeeds(probe.edit(probe.good(model=model.id, prompt=f"x{word}x")))


@check("EDIT-SAFE-011", witnesses=(True, False), needs={"paint"})
def a_policy_word_elsewhere_hides_the_result(probe: Probe, safe: bool) -> None:
    """A violation is told, and the picture is blurred at full size or a tiny one, as the behaviour says."""
    painting, model = _studio(probe), _lenient(probe.facts).id
    text = f"a picture of {probe.facts.edition.words.policy[0]}"
    fields = {"model": model, "image": _PLAIN, "safe_mode": safe}
    reply, usual = _made(painting, prompt=text, **fields), _made(painting, **fields)
    told = reply.header(probe.facts.edition.headers["violation"])
    equal(told, "true", probe.facts.edition.headers["violation"])
    size, detail = _size(reply), _detail(reply)
    seen = {
        "blurred": size == _size(usual) and detail < BLURRED,
        "placeholder": max(size) <= _TINY and size != _size(usual),
    }
    fits = {side: seen[str(way)] for side, way in probe.facts.ways("violation-body").items()}
    probe.agrees("violation-body", f"a picture of {size[0]}x{size[1]} with detail {detail:.3f} came", **fits)


@check("EDIT-SAFE-011", witnesses=lambda facts: facts.edition.words.policy)
def each_policy_word_is_told_as_a_violation(probe: Probe, word: str) -> None:
    """By the cheapest model that takes such words, with 200."""
    name = probe.facts.edition.headers["violation"]
    fields = {"model": _lenient(probe.facts).id, "prompt": f"some {word.upper()}"}
    equal(_made(probe, image=_PLAIN, **fields).header(name), "true", f"{name} of {word!r}")


# --- headers ------------------------------------------------------------------------------------------------


@invariant("EDIT-SAFE-006")
def a_violation_is_true_or_false(exchange: Exchange, facts: Facts) -> bool:
    """The header of every 200 that has it."""
    reply, request = exchange.reply, exchange.request
    if reply is None or reply.status != 200 or not request.path.partition("?")[0].endswith(_EDIT):
        return False
    _is_true_or_false(reply, facts)
    return True


def _is_true_or_false(reply: Reply, facts: Facts) -> None:
    name = facts.edition.headers["violation"]
    found = reply.header(name)
    expect(found in (None, "true", "false"), f"{name} is {found!r}, expected true or false")


@check("EDIT-SAFE-006", spends=1)
def a_plain_edit_is_a_violation_or_not(probe: Probe, _value: None) -> None:
    """Of a harmless prompt, without a word on safe mode."""
    _is_true_or_false(probe.succeeds(probe.edit(probe.good())), probe.facts)


@check("EDIT-SAFE-012", witnesses=(True, False))
def an_adult_result_is_no_violation(probe: Probe, safe: bool) -> None:
    """Told by the header, for a mark and for a word."""
    name = probe.facts.edition.headers["violation"]
    for changes in ({"image": _MARKED}, {"image": _PLAIN, "prompt": f"a {_word(probe.facts)} statue"}):
        equal(header_of(_made(probe, safe_mode=safe, **changes), name), "false", name)


@check(
    "EDIT-SAFE-013",
    witnesses=[[marked, safe] for marked in (True, False) for safe in (True, False)],
    needs={"paint"},
)
def a_header_tells_whether_the_result_is_blurred(probe: Probe, value: tuple[bool, bool]) -> None:
    """It says what the pixels show."""
    marked, safe = value
    reply = _made(_studio(probe), image=_MARKED if marked else _PLAIN, safe_mode=safe)
    name = probe.facts.edition.headers["blurred"]
    blurred = _is_blurred(reply)
    equal(
        header_of(reply, name),
        str(blurred).lower(),
        f"{name} of a {'blurred' if blurred else 'sharp'} result",
    )


@check("EDIT-SAFE-015", witnesses=lambda facts: [model.id for model in facts.models][:6])
def every_success_tells_of_violations(probe: Probe, model: str) -> None:
    """Plain, adult and, where the model takes them, with policy words."""
    policy = f"a picture of {probe.facts.edition.words.policy[0]}"
    usual: list[dict[str, Any]] = [{"image": _PLAIN}, {"image": _MARKED}, {"safe_mode": False}]
    if not probe.facts.model(model).blocks_policy:
        usual.append({"prompt": policy})
    for fields in usual:
        header_of(_made(probe, model=model, **fields), probe.facts.edition.headers["violation"])
