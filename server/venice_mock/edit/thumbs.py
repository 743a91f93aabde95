"""Small pictures for the journal: cheap ones from pixels that are there anyway, or from a file when it is asked for."""

from __future__ import annotations

import io

from PIL import Image

from venice_mock.contract import Contract
from venice_mock.edit.opening import ImageFault, decode, probe
from venice_mock.state.story import Data

SIDE = 160
MEDIA_TYPE = "image/jpeg"
_FINER = 2  # pixels a side that are looked at for each one of the small picture


def small(image: Image.Image) -> bytes:
    """An RGB picture as a JPEG of at most SIDE pixels a side. ``image`` stays as it is."""
    width, height = image.size
    longest = max(width, height)
    if longest > SIDE * _FINER:  # to look at every pixel of a large one would take longer than to paint it
        image = image.resize(_within(width, height, SIDE * _FINER), Image.Resampling.NEAREST)
    if longest > SIDE:
        image = image.resize(_within(width, height, SIDE), Image.Resampling.BOX)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=75)
    return out.getvalue()


def small_from_file(contract: Contract, data: Data) -> bytes | None:
    """The same from a file; None when it is no picture that is taken."""
    limits = contract.edition.limits
    try:
        found = probe(data, min_pixels=1, max_pixels=limits.max_pixels)
        return small(decode(data, found, cover=(SIDE, SIDE)))
    except ImageFault:
        return None


def _within(width: int, height: int, side: int) -> tuple[int, int]:
    longest = max(width, height)
    return max(1, round(width * side / longest)), max(1, round(height * side / longest))
