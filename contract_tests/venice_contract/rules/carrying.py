"""How a picture travels in a request: as an upload, as text in JSON, as text in a form. Sends; judges nothing."""

from __future__ import annotations

import base64
import json
from typing import Any

from venice_contract.judging.expect import fail
from venice_contract.judging.probe import Probe
from venice_contract.pictures.look import NotAPicture, Seen, probe_image
from venice_contract.pictures.recipe import Picture
from venice_contract.wire.message import Part, Reply, form_request


def uploaded(probe: Probe, picture: bytes | Picture, **changes: Any) -> Reply:
    """The answer to an edit of an uploaded file, which is called what it is; bytes are called PNG."""
    if isinstance(picture, bytes):
        return uploaded_as(probe, picture, "picture.png", "image/png", **changes)
    name = f"picture.{picture.format}"
    return uploaded_as(probe, probe.picture(picture), name, picture.media_type, **changes)


def uploaded_as(
    probe: Probe, body: bytes, filename: str | None, media_type: str | None, **changes: Any
) -> Reply:
    """The answer to an edit of these bytes in a part of a form; ``filename`` None makes it a text part."""
    fields = probe.good(image=..., **changes)
    texts = [
        Part(name, (value if isinstance(value, str) else json.dumps(value)).encode())
        for name, value in fields.items()
    ]
    request = form_request([*texts, Part("image", body, filename, media_type)])
    return probe.send(request, caller=probe.key(), price=probe.facts.price(fields))


def in_json(probe: Probe, image: Any, **changes: Any) -> Reply:
    """The answer to an edit with this ``image`` in JSON; a Picture or bytes become base64."""
    return probe.edit(probe.good(image=image, **changes))


def in_text_part(probe: Probe, text: str) -> Reply:
    """The answer to an edit with base64 or an address in a part of a form that is no file."""
    return uploaded_as(probe, text.encode("ascii"), None, None)


def data_url(data: bytes, media_type: str = "image/png") -> str:
    """A data URL of base64."""
    return f"data:{media_type};base64,{base64.b64encode(data).decode('ascii')}"


def picture_of(reply: Reply) -> Seen:
    """What the header of an answer's picture says; bytes that are no picture break the rule."""
    try:
        return probe_image(reply.body)
    except NotAPicture as fault:
        fail(f"the answer is no picture: {fault}")
