"""What an edit costs: over HTTP against the same function in process, and its steps against the usual ones."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from functools import partial
from importlib.util import find_spec
from io import BytesIO
from typing import Any, TypeVar
from unittest.mock import patch

from PIL import Image, ImageChops, ImageStat
from starlette.requests import Request
from starlette.types import Message

from benchmarks.cases import Bench, Case, Goal
from benchmarks.measuring import Lap, Outcome, compare, in_process, interleave
from benchmarks.pictures import Picture
from benchmarks.posts import EDIT, MARK, NUMBERED_PROMPT, PROMPT, Post, form_edit, json_edit, send
from benchmarks.processes import SERVER, BenchmarkError, Server, cpu_seconds, running
from venice_mock.contract import load_contract
from venice_mock.edit import looks, making
from venice_mock.edit.fields import RawFields, fields_of_form, fields_of_json
from venice_mock.edit.local import edit_bytes
from venice_mock.edit.source import image_bytes
from venice_mock.edit.workshop import Workshop
from venice_mock.settings import Settings

_T = TypeVar("_T")
_CHUNK = 1 << 16  # bytes, as uvicorn hands a body over
_ALIKE = 2.0  # mean difference of a channel, of 255: two ways to make a picture smaller differ by less


def over_http(bench: Bench, picture: Picture, operations: int) -> Outcome:
    """Each edit is a new one. The server's CPU, all threads, against that of ``edit_bytes`` in this process."""
    post, contract = form_edit(picture, NUMBERED_PROMPT), load_contract("2026-06-19")
    count = bench.operations(operations)
    Workshop(1).close()  # the server's way with memory, for the function too

    def function() -> Lap:
        numbers = iter(range(first := bench.fresh_numbers(), first + count))
        return in_process(
            lambda: edit_bytes(picture.data, prompt=_prompt(next(numbers)), contract=contract), count
        )

    with running(SERVER, bench.folder) as server:
        return compare(
            *interleave(bench.rounds, lambda: _served(server, post, bench.fresh_numbers(), count), function),
            judged="cpu",
        )


def _served(server: Server, post: Post, first: int, count: int) -> Lap:
    posts = [post.numbered(number) for number in range(first, first + count)]
    before = cpu_seconds(server.pid)
    seconds = [send(server, each).seconds for each in posts]
    after = cpu_seconds(server.pid)
    return Lap(seconds, None if before is None or after is None else (after - before) / count)


def _prompt(number: int) -> str:
    return NUMBERED_PROMPT.replace(MARK, f"{number:0{len(MARK)}}")


def steps(bench: Bench, post: Post, operations: int) -> Outcome:
    """Everything but painting, ours against what one writes without a thought, both in this process.

    Raises BenchmarkError when the two do not come to the same picture.
    """
    contract, plain = load_contract("2026-06-19"), Settings(caption=False)
    read = _read_json if post.media_type == "application/json" else _read_form

    def ours() -> bytes:
        data = _done(image_bytes(contract, _done(read(post))["image"], ()))
        return edit_bytes(bytes(data), prompt=PROMPT, contract=contract, settings=plain).image

    with patch.object(making, "paint", lambda image, brief: looks.fit(image, brief.size)):
        size = _size(ours())
        usual = partial(_usual_json if post.media_type == "application/json" else _usual_form, post, size)
        _check_alike(ours(), usual())
        count = bench.operations(operations)
        return compare(
            *interleave(bench.rounds, partial(in_process, ours, count), partial(in_process, usual, count)),
            judged="cpu",
            floor=False,
        )


def _done(work: Coroutine[Any, Any, _T]) -> _T:
    """What it comes to. ``asyncio.run`` would write the result out as text where it sets its signal handler."""
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(work)
    finally:
        loop.close()


async def _read_json(post: Post) -> RawFields:
    return fields_of_json(post.body)


async def _read_form(post: Post) -> RawFields:
    return await fields_of_form(_chunks(post.body), post.media_type, max_file_bytes_exclusive=25 << 20)


async def _chunks(body: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(body), _CHUNK):
        yield body[at : at + _CHUNK]


def _usual_json(post: Post, size: tuple[int, int]) -> bytes:
    return _usual_picture(base64.b64decode(json.loads(post.body)["image"]), size)


def _usual_form(post: Post, size: tuple[int, int]) -> bytes:
    return _usual_picture(_done(_starlette_form(post)), size)


async def _starlette_form(post: Post) -> bytes:
    chunks = [post.body[at : at + _CHUNK] for at in range(0, len(post.body), _CHUNK)]
    messages = iter(chunks)

    async def receive() -> Message:
        chunk = next(messages, b"")
        return {"type": "http.request", "body": chunk, "more_body": bool(chunk)}

    headers = [(b"content-type", post.media_type.encode())]
    scope = {"type": "http", "method": "POST", "path": EDIT, "query_string": b"", "headers": headers}
    async with Request(scope, receive).form() as form:
        upload = form["image"]
        if isinstance(upload, str):
            raise BenchmarkError("The form's image is no file.")
        return await upload.read()


def _usual_picture(data: bytes, size: tuple[int, int]) -> bytes:
    """Decode, crop to the proportions, resize, write: Pillow with nothing said."""
    image = Image.open(BytesIO(data)).convert("RGB")
    width, height = image.size
    part = min(width / size[0], height / size[1])
    left, top = (width - part * size[0]) / 2, (height - part * size[1]) / 2
    box = (left, top, left + part * size[0], top + part * size[1])
    out = BytesIO()
    image.resize(size, Image.Resampling.BICUBIC, box=box).save(out, "PNG")
    return out.getvalue()


def _size(picture: bytes) -> tuple[int, int]:
    with Image.open(BytesIO(picture)) as image:
        return image.size


def _check_alike(ours: bytes, usual: bytes) -> None:
    with Image.open(BytesIO(ours)) as one, Image.open(BytesIO(usual)) as other:
        difference = max(ImageStat.Stat(ImageChops.difference(one.convert("RGB"), other)).mean)
    if difference > _ALIKE:
        raise BenchmarkError(f"The steps do not come to the same picture: {difference:.1f} of 255 apart.")


def fast_extra() -> bool:
    """Whether the ``fast`` extra is installed."""
    return find_spec("isal") is not None


_FUNCTION = "the same function in process, CPU"
_USUAL = "the same steps with stock settings: PNG level 6, stdlib base64 and json, Starlette's form()"
_STEPS = Goal(0.12 if fast_extra() else 0.25, "decode + resize + deflate")


def _edit(name: str, ours: str, picture: Callable[[Bench], Picture], operations: int) -> Case:
    def run(bench: Bench) -> Outcome:
        return over_http(bench, picture(bench), operations)

    return Case(name, ours, _FUNCTION, "seconds", run, Goal(1.15, "1.0"))


CASES = (
    _edit("http-1mp-jpeg", "uncached edit over HTTP, 1 MP JPEG", lambda bench: bench.pictures.photo, 8),
    _edit("http-1mp-png", "uncached edit over HTTP, 1 MP PNG", lambda bench: bench.pictures.photo_png, 8),
    _edit("http-33mp-png", "uncached edit over HTTP, 33 MP PNG", lambda bench: bench.pictures.large_png, 2),
    Case(
        "steps-json",
        "all but the painting of a 1K PNG, 1 MP JPEG in JSON",
        _USUAL,
        "seconds",
        lambda bench: steps(bench, json_edit(bench.pictures.photo), 5),
        _STEPS,
    ),
    Case(
        "steps-form",
        "the same as multipart/form-data",
        _USUAL,
        "seconds",
        lambda bench: steps(bench, form_edit(bench.pictures.photo), 5),
        _STEPS,
    ),
)
