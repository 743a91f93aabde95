"""Edits over HTTP against a bare Pillow pipeline: the least that makes a picture of that size and format."""

from __future__ import annotations

from functools import partial
from io import BytesIO

from PIL import Image

from benchmarks.cases import Bench, Case
from benchmarks.http_cases import form_edit, lap, send
from benchmarks.measuring import Outcome, compare, in_process, interleave
from benchmarks.pictures import Picture
from benchmarks.processes import SERVER, BenchmarkError, running
from venice_mock.edit.encoding import encode
from venice_mock.edit.metadata import Understood, read_request


def least_possible(data: bytes, size: tuple[int, int], understood: Understood) -> bytes:
    """Decode (a JPEG at reduced scale), resize to exactly ``size``, write the PNG. No edit, nothing checked.

    The writer is the product's own: with Pillow's, which takes longer, the floor would be none.
    """
    image: Image.Image = Image.open(BytesIO(data), formats=["JPEG", "PNG"])
    image.draft("RGB", size)
    factor = min(image.width // size[0], image.height // size[1])
    if factor > 1:
        image = image.reduce(factor)
    return encode(image.resize(size, Image.Resampling.BILINEAR), "png", understood)


def against_pillow(bench: Bench, picture: Picture, operations: int) -> Outcome:
    """The server (its CPU time, all threads) and the pipeline in this process, in turn."""
    post, count = form_edit(picture), bench.operations(operations)
    with running(SERVER, bench.folder) as server:
        answer = send(server, post).body
        with Image.open(BytesIO(answer)) as edited:
            size, made = edited.size, edited.format
        if made != "PNG":
            raise BenchmarkError(f"The answer is {made}; the pipeline writes PNG.")
        work = partial(least_possible, picture.data, size, read_request(answer))
        return compare(
            *interleave(bench.rounds, partial(lap, server, post, count), partial(in_process, work, count))
        )


_PILLOW = "bare Pillow in process: decode, resize, write the same format"

CASES = (
    Case(
        "edit-1mp",
        "form-edit again, the whole of it",
        _PILLOW,
        "seconds",
        lambda bench: against_pillow(bench, bench.pictures.photo, 20),
    ),
    Case(
        "edit-33mp-jpeg",
        "33 MP JPEG of 9 MB as multipart, 1K PNG back",
        _PILLOW,
        "seconds",
        lambda bench: against_pillow(bench, bench.pictures.large_jpeg, 5),
    ),
    Case(
        "edit-33mp-png",
        "33 MP PNG of 22 MB as multipart, 1K PNG back",
        _PILLOW,
        "seconds",
        lambda bench: against_pillow(bench, bench.pictures.large_png, 3),
    ),
)
