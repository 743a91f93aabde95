"""Checks of the group ``image``: pixels, bytes, and files that claim more than they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import strategies as st

from venice_contract.judging.check import check
from venice_contract.judging.expect import equal, error_text, expect, json_of
from venice_contract.judging.facts import Facts
from venice_contract.judging.probe import Probe
from venice_contract.pictures.recipe import Picture
from venice_contract.pictures.sizes import Size
from venice_contract.pictures.strategies import (
    LONGEST,
    cheap_pictures,
    sizes_just_too_large,
    sizes_just_too_small,
)
from venice_contract.rules.carrying import in_json, uploaded
from venice_contract.rules.images import Told, told
from venice_contract.wire.message import Reply

_SAFE_BYTES = 24_999_999  # below 25 MB however MB is meant


def _plain(width: int, height: int) -> Told:
    """A file of that size that weighs next to nothing."""
    return Picture(width, height, mode="1", pattern="flat").to_json()


def _sizes_of(area: int) -> list[Size]:
    """All sizes of exactly that many pixels, squares first."""
    sides = [side for side in range(1, LONGEST + 1) if area % side == 0 and area // side <= LONGEST]
    return sorted(((side, area // side) for side in sides), key=lambda size: abs(size[0] - size[1]))


# --- pixels -------------------------------------------------------------------------------------------------


@check(
    "EDIT-IMG-011",
    witnesses=(_plain(256, 256), _plain(64, 1024), _plain(1024, 64)),
    strategy=lambda facts: st.sampled_from(_sizes_of(facts.edition.limits.min_pixels)).map(
        lambda size: _plain(*size)
    ),
    spends=1,
)
def the_fewest_pixels_are_enough(probe: Probe, value: Told) -> None:
    """200 for a picture of exactly the least number of pixels."""
    probe.succeeds(uploaded(probe, Picture.from_json(value)))


def _too_small(facts: Facts) -> st.SearchStrategy[Told]:
    few = st.integers(1, 255)
    sizes = st.one_of(sizes_just_too_small(facts.edition.limits), st.tuples(few, few))
    return cheap_pictures(sizes).map(Picture.to_json)


@check(
    "EDIT-IMG-012",
    witnesses=(_plain(255, 257), _plain(181, 362), _plain(1, 1)),
    strategy=_too_small,
)
def too_few_pixels_are_refused(probe: Probe, value: Told) -> None:
    """400 for one pixel less, and for fewer."""
    probe.refused(uploaded(probe, Picture.from_json(value)))


@check("EDIT-IMG-013", witnesses=(_plain(7680, 4320), _plain(5760, 5760), _plain(4320, 7680)), spends=1)
def the_most_pixels_are_allowed(probe: Probe, value: Told) -> None:
    """200 for a picture of exactly the largest number of pixels."""
    probe.succeeds(uploaded(probe, Picture.from_json(value)))


@check(
    "EDIT-IMG-014",
    witnesses=(_plain(5761, 5760), _plain(7681, 4320)),
    strategy=lambda facts: cheap_pictures(sizes_just_too_large(facts.edition.limits)).map(Picture.to_json),
)
def too_many_pixels_are_refused(probe: Probe, value: Told) -> None:
    """422 for the next larger picture; another server may say 400."""
    statuses = (422,) if probe.steerable else (422, 400)
    probe.refused(uploaded(probe, Picture.from_json(value)), *statuses)


def _broken(width: int, height: int) -> Picture:
    """A picture whose header is good and whose pixels cannot be unpacked: never accepted, whatever its size."""
    return Picture(width, height, mode="1", pattern="flat", defect="broken-pixels")


@check("EDIT-IMG-015", witnesses=((64, 1024), (1024, 64), (16, 4096), (32_768, 2)))
def the_product_of_the_sides_counts(probe: Probe, size: Sequence[int]) -> None:
    """A narrow picture of enough pixels is not refused for its size.

    Its pixels are broken, so that it is refused in any case: as a square one with the same defect is, and not as
    a whole one that has too few pixels.
    """
    narrow = _refusal(uploaded(probe, _broken(size[0], size[1])), probe)
    square = _refusal(uploaded(probe, _broken(256, 256)), probe)
    small = _refusal(uploaded(probe, Picture(255, 257, mode="1", pattern="flat")), probe)
    if square == small:
        probe.note("a picture that is too small and one that is broken are told the same")
        return
    equal(narrow, square, f"the refusal of a broken picture of {size[0]}x{size[1]}")


def _refusal(reply: Reply, probe: Probe) -> tuple[int, str | None]:
    return probe.refused(reply).status, error_text(reply)


@check("EDIT-IMG-015", witnesses=((16, 2_073_600), (2_073_600, 16)))
def an_extreme_shape_is_recorded(probe: Probe, size: Sequence[int]) -> None:
    """What is said of the longest pictures that have just enough pixels."""
    claim = Picture(256, 256, mode="1", pattern="flat", defect="lying-header", claimed=(size[0], size[1]))
    reply = probe.unmasked(uploaded(probe, claim))
    expect(400 <= reply.status < 500, f"a broken picture of {size[0]}x{size[1]} is answered {reply.status}")
    probe.note(f"a broken picture of {size[0]}x{size[1]} is answered {reply.status}: {error_text(reply)}")


# --- bytes --------------------------------------------------------------------------------------------------


def _weighing(length: int) -> Picture:
    return Picture(256, 256, mode="1", pattern="flat", pad_to=length)


def _sent(probe: Probe, length: int, encoding: str) -> Reply:
    """The answer to a picture of so many bytes."""
    send: Callable[[Probe, Picture], Reply] = uploaded if encoding == "form" else in_json
    return send(probe, _weighing(length))


_ENCODINGS = ("form", "json")


@check("EDIT-IMG-016", witnesses=_ENCODINGS)
def a_file_of_the_limit_is_refused(probe: Probe, encoding: str) -> None:
    """413 for exactly the first size that is too large."""
    limit = probe.facts.edition.limits.max_file_bytes_exclusive
    probe.refused(_sent(probe, limit, encoding), 413)


@check("EDIT-IMG-017", witnesses=_ENCODINGS, spends=1)
def a_file_below_the_limit_is_edited(probe: Probe, encoding: str) -> None:
    """200 for a size that is below 25 MB by any reading."""
    probe.succeeds(_sent(probe, _SAFE_BYTES, encoding))


@check(
    "EDIT-IMG-018",
    witnesses=((25_000_000, "form"), (26_214_399, "json"), (26_214_399, "form"), (20_000_000, "json")),
    spends=1,
)
def what_25_MB_means_is_recorded(probe: Probe, value: Sequence[Any]) -> None:
    """Sizes between the two meanings, and base64 that is longer than the limit while its file is not."""
    length, encoding = value
    reply = probe.unmasked(_sent(probe, length, encoding))
    expect(reply.status < 500, f"{length} bytes as {encoding} are answered {reply.status}")
    probe.note(f"{length} bytes as {encoding} are answered {reply.status}")
    expect(reply.status == 200 or not probe.steerable, f"answered {reply.status}, expected 200")


# --- files that are more than they seem ---------------------------------------------------------------------

_BOMBS = (
    Picture(256, 256, mode="1", pattern="flat", defect="lying-header", claimed=(50_000, 50_000)),
    Picture(256, 256, format="jpeg", pattern="flat", defect="lying-header", claimed=(65_535, 65_535)),
    Picture(256, 256, mode="1", pattern="flat", defect="lying-header", claimed=(2**31 - 1, 2**31 - 1)),
    Picture(256, 256, format="bmp", pattern="flat", defect="lying-header", claimed=(2**31 - 1, 2)),
    Picture(16_384, 16_384, mode="1", pattern="flat"),
)
_QUICK_S = 10.0  # a header is read in no time, and billions of pixels are not unpacked in this


@check("EDIT-IMG-028", witnesses=told(*_BOMBS))
def a_bomb_is_refused_by_its_header(probe: Probe, value: Told) -> None:
    """A 4xx at once, for headers of billions of pixels and for a whole picture of very many."""
    reply = probe.unmasked(uploaded(probe, Picture.from_json(value)))
    expect(400 <= reply.status < 500, f"answered {reply.status}, expected a refusal")
    expect(reply.seconds < _QUICK_S, f"the answer took {reply.seconds:.1f} s")


@check("EDIT-IMG-034", witnesses=(4,), spends=4, heavy=True)
def the_largest_pictures_wait_for_each_other(probe: Probe, count: int) -> None:
    """Sent all at once, all succeed. Each asks for something else: who makes equal pictures once has work for one."""
    largest = Picture(5760, 5760, mode="1", pattern="flat")
    asked = [probe.good(image=largest, prompt=f"Paint it in {number} colours") for number in range(count)]
    requests = [(probe.form_of(fields), probe.key()) for fields in asked]
    replies = probe.send_all(requests, price=probe.facts.price(asked[0]))
    for number, reply in enumerate(replies, 1):
        equal(reply.status, 200, f"the status of picture {number} of {count} at once")


# --- what the refusals say ----------------------------------------------------------------------------------


@check("EDIT-IMG-032")
def the_body_for_a_large_file_is_the_tables(probe: Probe, _value: None) -> None:
    """Its sentence and its code, and nothing else."""
    error = probe.facts.edition.errors["PAYLOAD_TOO_LARGE"]
    reply = probe.refused(_sent(probe, probe.facts.edition.limits.max_file_bytes_exclusive, "form"), 413)
    equal(json_of(reply), {"code": error.code, "error": error.text}, "the body")


_REFUSED = {
    "CORRUPTED_IMAGE": _broken(256, 256),
    "IMAGE_TOO_SMALL": Picture(255, 257, mode="1", pattern="flat"),
    "IMAGE_TOO_LARGE": Picture(5761, 5760, mode="1", pattern="flat"),
}


@check("EDIT-IMG-033", witnesses=tuple(_REFUSED))
def the_body_for_a_bad_picture_is_the_tables(probe: Probe, name: str) -> None:
    """Its sentence and nothing else, above all no code."""
    reply = probe.refused(uploaded(probe, _REFUSED[name]), 400, 422)
    equal(json_of(reply), {"error": probe.facts.edition.errors[name].text}, "the body")
