"""What the endpoint tells a request's story: the caller, the fields, the picture, what was understood.

Every function takes None for a request whose story is not written. Nothing here refuses anything.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from venice_mock.accounts.callers import Caller
from venice_mock.edit.facts import facts_of
from venice_mock.edit.fields import RawFields, Text, Upload
from venice_mock.edit.headers import BrokenHeader, Header, read_header
from venice_mock.edit.source import decode_text
from venice_mock.state.story import HIDDEN, Data, Input, Sender, Story, Way, told_fields, told_prompt

if TYPE_CHECKING:  # stories are also of requests that are no edits: they load no Pillow
    from venice_mock.edit.making import Order
    from venice_mock.edit.results import Result

_URL = re.compile(rb"https?://", re.IGNORECASE)
_LONGEST_URL = 2000  # ours
_SORTED = json.JSONEncoder(sort_keys=True, separators=(",", ":"))


def tell_caller(story: Story | None, caller: Caller) -> None:
    """Who calls, now that it was proved."""
    if story is not None and caller.kind == "wallet":
        story.sender = Sender("wallet", caller.account, address=caller.address)


def tell_fields(
    story: Story | None, kind: str, raw: RawFields, model_id: str, known: Known | None = None
) -> None:
    """The body's fields, before anything judges them. ``known``: what ``known_fields`` found out of them before."""
    if story is None:
        return
    story.model = model_id[:_LONGEST_URL]
    if known is None:
        story.read(kind, raw)
        story.input = _input_of(raw)
        return
    story.body_kind, story.fields, story.prompt = kind, dict(known.fields), known.prompt
    if known.picture is not None:
        story.input = replace(known.picture)  # its own: the journal strips it


class Known:
    """What a story tells of a body's fields and its picture."""

    __slots__ = ("fields", "picture", "prompt")  # no dataclass: every start loads this

    def __init__(self, fields: Mapping[str, Any], prompt: str | None, picture: Input | None) -> None:
        self.fields = fields
        self.prompt = prompt
        self.picture = picture


def known_fields(raw: Mapping[str, Any]) -> Known:
    """What there is to find out about a body, as far as nobody need fetch its picture."""
    picture = _input_of(raw)
    if picture is not None:
        _look_at(picture)
        picture.looked_at = picture.url is None
    return Known(told_fields(raw), told_prompt(raw), picture)


def _input_of(raw: Mapping[str, Any]) -> Input | None:
    image = raw.get("image")
    if isinstance(image, Upload):
        return Input("upload", image.data, len(image.data))
    if not isinstance(image, Text):
        return None
    way = _way(image.data)
    if way == "url":
        url = _without_secrets(bytes(image.data[:_LONGEST_URL]))
        return Input(way, url=url + (HIDDEN if len(image.data) > _LONGEST_URL else ""))
    if image.file is not None:
        return Input(way, image.file, len(image.file))
    return Input(way, text=image.data)


def tell_image(story: Story | None, data: Data, sha256: str) -> None:
    """The file's bytes and their hash, in the place of the text that brought them."""
    if story is not None and story.input is not None:
        story.input.data, story.input.size, story.input.text = data, len(data), None
        story.input.sha256 = sha256


def tell_order(story: Story | None, order: Order) -> None:
    """What was understood, and what it costs."""
    if story is None:
        return
    request, plan, probe = order.request, order.plan, order.probe
    if story.input is not None:
        _tell_header(story.input, probe.header)
    story.model = request.model.id
    story.understood = {
        "model": request.model.id,
        "prompt": request.prompt,
        "aspect_ratio": plan.ratio,
        "resolution": request.resolution,
        "width": plan.size[0],
        "height": plan.size[1],
        "output_format": plan.output_format,
        "quality": plan.quality,
        "safe_mode": request.safe_mode,
        "enhanced_prompt": plan.enhanced_prompt,
        "price_usd": f"{plan.price:f}",
        "seed": order.seed,
        "adult": order.content.adult,
        "violation": order.violation,
        "blurred": order.blurred,
    }


def tell_result(story: Story | None, result: Result) -> None:
    """The small pictures that were made beside the large one."""
    if story is not None and story.input is not None:
        story.input.thumbnail, story.output.thumbnail = result.before, result.after


def finish_story(story: Story) -> None:
    """What is found out once the answer is ready, also of a request that was refused early. May take a moment.

    The fingerprint is the same for every attempt at one logical request: caller, path, fields and picture are.
    A retry of a form has another boundary, and JSON may come with its members in another order; neither counts.
    """
    if story.fields is None:
        return
    picture, digest = story.input, None
    if picture is not None:
        if not picture.looked_at:
            _look_at(picture)
        digest = picture.sha256 or picture.url
    text = _SORTED.encode([story.sender.account, story.method, story.path, story.fields, digest])
    story.fingerprint = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _look_at(picture: Input) -> None:
    if picture.text is not None:
        picture.data, picture.text = decode_text(picture.text), None
        picture.size = len(picture.data or b"")
    if picture.data is not None:
        _tell_file(picture, picture.data)


def _tell_file(picture: Input, data: Data) -> None:
    if picture.sha256 is None:
        picture.sha256 = hashlib.sha256(data).hexdigest()
    facts = facts_of(data)
    picture.exif, picture.gps, picture.icc = facts.exif, facts.gps, facts.icc
    if picture.format is None:
        picture.format = facts.format
        with contextlib.suppress(BrokenHeader):
            header = read_header(data)
            if header is not None:
                _tell_header(picture, header)


def _tell_header(picture: Input, header: Header) -> None:
    """The facts of a header, sides as they are displayed."""
    picture.format, picture.mode, picture.adult = header.format, header.mode, header.adult
    picture.orientation, picture.width, picture.height = header.orientation, header.width, header.height
    if header.orientation >= 5:
        picture.width, picture.height = header.height, header.width


def _way(text: Data) -> Way:
    if _URL.match(text):
        return "url"
    return "data_url" if bytes(text[:5]).lower() == b"data:" else "base64"


def _without_secrets(url: bytes) -> str:
    """The address without user, password and query, where signed addresses carry what opens them."""
    scheme, _, rest = url.decode("utf-8", "replace").partition("://")
    place, question, _ = rest.partition("?")
    host, slash, path = place.partition("/")
    user, at, host = host.rpartition("@")
    path = path.partition("#")[0]
    return f"{scheme}://{HIDDEN if user else ''}{at}{host}{slash}{path}{'?' + HIDDEN if question else ''}"
