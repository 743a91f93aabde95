"""Mutants of the group ``image``: pixels, bytes, damage and hostile files."""

from __future__ import annotations

from typing import Any

from mutants.kit import Mutant, replaced, with_data, wrapping
from venice_mock.edit.fields import Text
from venice_mock.edit.opening import ImageFault
from venice_mock.errors import plain, refuse

_BLOCK, _NARROW = 128, 32


def _in_blocks(probe: Any) -> Any:
    def judged(data: Any, *, min_pixels: int, max_pixels: int) -> Any:
        found = probe(data, min_pixels=min_pixels, max_pixels=max_pixels)
        across, down = (side // _BLOCK * _BLOCK for side in found.stored)
        if across * down < min_pixels:
            raise ImageFault("too_small")
        return found

    return judged


def _no_narrow_ones(probe: Any) -> Any:
    def judged(data: Any, *, min_pixels: int, max_pixels: int) -> Any:
        found = probe(data, min_pixels=min_pixels, max_pixels=max_pixels)
        if min(found.stored) < _NARROW:
            raise ImageFault("too_small")
        return found

    return judged


def _in_memory(probe: Any) -> Any:
    def judged(data: Any, *, min_pixels: int, max_pixels: int) -> Any:
        found = probe(data, min_pixels=min_pixels, max_pixels=1 << 62)
        if found.width * found.height > 1 << 30:
            raise MemoryError
        return probe(data, min_pixels=min_pixels, max_pixels=max_pixels)

    return judged


def _by_its_text(image_bytes: Any) -> Any:
    async def judged(contract: Any, image: Any, fetch: Any) -> Any:
        data = await image_bytes(contract, image, fetch)
        if isinstance(image, Text) and len(data) * 4 // 3 >= contract.edition.limits.max_file_bytes_exclusive:
            raise refuse(contract, "PAYLOAD_TOO_LARGE")
        return data

    return judged


def _limit(name: str, value: int) -> Any:
    return lambda data: data["limits"].update({name: value})


async def _refuse_at_once(budget: Any, pixels: int) -> None:
    if budget._used and budget._used + pixels > budget._limit:
        raise plain(503, "Busy", name="BUSY")
    budget._used += pixels


MUTANTS: tuple[Mutant, ...] = (
    wrapping(
        "EDIT-IMG-011",
        "the pixels that are enough are counted in whole blocks of 128",
        "venice_mock.edit.judging.probe",
        _in_blocks,
        follows=("EDIT-FMT-010", "EDIT-IMG-015"),
    ),
    with_data(
        "EDIT-IMG-012",
        "one pixel too few is enough",
        _limit("min_pixels", 65_535),
        follows=("EDIT-IMG-015",),
    ),
    with_data("EDIT-IMG-013", "the most pixels are one too many", _limit("max_pixels", 33_177_599)),
    with_data("EDIT-IMG-014", "a row more than allowed is allowed", _limit("max_pixels", 33_182_000)),
    wrapping(
        "EDIT-IMG-015",
        "each side has to have 32 pixels",
        "venice_mock.edit.judging.probe",
        _no_narrow_ones,
        follows=("EDIT-FMT-010",),
    ),
    with_data(
        "EDIT-IMG-016",
        "a file of exactly the limit is taken",
        _limit("max_file_bytes_exclusive", 26_214_401),
        follows=("EDIT-IMG-032",),
    ),
    wrapping(
        "EDIT-IMG-017",
        "the limit is applied to the characters of base64",
        "venice_mock.edit.endpoint.image_bytes",
        _by_its_text,
    ),
    wrapping(
        "EDIT-IMG-028",
        "memory for the pixels is asked for before their number is judged",
        "venice_mock.edit.judging.probe",
        _in_memory,
    ),
    with_data(
        "EDIT-IMG-032",
        "the refusal of a large file has no code",
        lambda data: data["errors"]["PAYLOAD_TOO_LARGE"].pop("code"),
    ),
    with_data(
        "EDIT-IMG-033",
        "the refusal of a broken picture has a code",
        lambda data: data["errors"]["CORRUPTED_IMAGE"].update(code="CORRUPTED_IMAGE"),
    ),
    replaced(
        "EDIT-IMG-034",
        "pictures for which there is no room are refused",
        "venice_mock.edit.workshop.PixelBudget.acquire",
        _refuse_at_once,
    ),
)
