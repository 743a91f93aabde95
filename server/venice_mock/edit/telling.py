"""What the endpoint tells a request's story: the caller, the fields, the picture, what was understood.

Every function takes None for a request whose story is not written. Nothing here refuses anything.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from venice_mock.accounts.callers import Caller
from venice_mock.edit.facts import facts_of
from venice_mock.edit.fields import RawFields, Text
from venice_mock.edit.making import Notes, Order
from venice_mock.edit.request import EditRequest
from venice_mock.state.story import Data, Input, Sender, Story, Way

_URL = re.compile(rb"https?://", re.IGNORECASE)
_LONGEST_URL = 2000  # ours


def tell_caller(story: Story | None, caller: Caller) -> None:
    """Who calls, now that it was proved."""
    if story is not None and caller.kind == "wallet":
        story.sender = Sender("wallet", caller.account, address=caller.address)


def tell_fields(story: Story | None, kind: str, raw: RawFields, model_id: str) -> None:
    """The body's fields, before anything judges them."""
    if story is None:
        return
    story.read(kind, raw)
    story.model = model_id[:_LONGEST_URL]
    image = raw.get("image")
    if isinstance(image, Text) and _URL.match(image.data):
        story.input = Input("url", None, 0, url=_without_secrets(bytes(image.data[:_LONGEST_URL])))


def tell_image(story: Story | None, request: EditRequest, data: Data) -> None:
    """The picture's bytes; a retry is known by them even if they turn out to be no picture."""
    if story is None:
        return
    url = None if story.input is None else story.input.url
    story.input = Input(_way(request), data, len(data), url=url)
    facts = facts_of(data)
    story.input.format, story.input.exif = facts.format, facts.exif
    story.input.gps, story.input.icc = facts.gps, facts.icc


def tell_order(story: Story | None, order: Order) -> Order:
    """What was understood, and what it costs. The order, with room for what its making finds out."""
    if story is None:
        return order
    request, plan, probe = order.request, order.plan, order.probe
    if story.input is not None:
        story.input.format, story.input.mode = probe.format, probe.mode
        story.input.width, story.input.height = probe.width, probe.height
        story.input.orientation, story.input.adult = probe.orientation, probe.adult
    story.model = request.model.id
    understood: dict[str, Any] = {
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
    story.understood = understood
    return replace(order, notes=Notes())


def tell_picture(story: Story | None, order: Order) -> None:
    """What was found out while the picture was made, so far as that came."""
    if story is None or order.notes is None or story.input is None:
        return
    story.input.sha256 = order.notes.sha256
    story.input.thumbnail, story.output.thumbnail = order.notes.before, order.notes.after


def _way(request: EditRequest) -> Way:
    if not isinstance(request.image, Text):
        return "upload"
    if _URL.match(request.image.data):
        return "url"
    return "data_url" if bytes(request.image.data[:5]).lower() == b"data:" else "base64"


def _without_secrets(url: bytes) -> str:
    """The address without user, password and query, where signed addresses carry what opens them."""
    scheme, _, rest = url.decode("utf-8", "replace").partition("://")
    place, question, _ = rest.partition("?")
    host, slash, path = place.partition("/")
    host = host.rpartition("@")[2]
    return f"{scheme}://{host}{slash}{path.partition('#')[0]}{'?[hidden]' if question else ''}"
