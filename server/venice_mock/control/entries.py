"""How a story is told: one entry of the journal as JSON. Pure; no secret is in a story, and none comes out of one."""

from __future__ import annotations

from typing import Any

from venice_mock.contract import Contract
from venice_mock.control.curl import curl_line
from venice_mock.control.lint import advice_on
from venice_mock.logs import scrub
from venice_mock.state.story import Story
from venice_mock.times import iso_time

REQUESTS = "/__mock/requests"
_LONGEST_TEXT = 4000  # characters of a JSON answer that the entry itself repeats


def describe(contract: Contract, story: Story, base: str, *, with_token: bool) -> dict[str, Any]:
    """The entry. ``base``: scheme, host and what precedes the server's paths, for links and the curl line."""
    sender = story.sender
    return {
        "id": story.id,
        "number": story.number,
        "request_id": story.request_id,
        "session": story.session,
        "at": iso_time(story.started_at),
        "method": story.method,
        "path": story.path,
        "caller": {
            "kind": sender.kind,
            "account": sender.account,
            "last4": sender.last4,
            "magic_key": sender.magic,
            "address": sender.address,
        },
        "request": {
            "headers": story.request_headers,
            "query": story.query,
            "bytes": story.body_bytes,
            "body": story.body_kind,
            "fields": story.fields,
            "text": story.text,
        },
        "image": _image(story),
        "model": story.model,
        "prompt": story.prompt,
        "understood": story.understood or None,
        "status": story.status,
        "response": _response(story),
        "error": _error(contract, story),
        "rule": story.rule,
        "cause": None if story.cause is None else scrub(story.cause),
        "fault": story.fault,
        "charged": story.cost is not None,
        "cost_usd": None if story.cost is None else f"{story.cost:.6f}",
        "charge": story.charge,
        "timings_ms": {name: round(seconds * 1000, 3) for name, seconds in story.marks.items()},
        "fingerprint": story.fingerprint,
        "lint": [
            {"id": advice.id, "field": advice.field, "text": advice.text}
            for advice in advice_on(contract, story)
        ],
        "curl": curl_line(contract, story, base, with_token=with_token),
        "links": _links(story, base),
    }


def has_picture(story: Story) -> bool:
    """Whether the answer was a picture, to judge by what it said."""
    return dict(story.response_headers).get("content-type", "").startswith("image/")


def _image(story: Story) -> dict[str, Any] | None:
    picture = story.input
    if picture is None:
        return None
    return {
        "sent_as": picture.way,
        "url": picture.url,
        "bytes": picture.size,
        "sha256": picture.sha256,
        "format": picture.format,
        "width": picture.width,
        "height": picture.height,
        "mode": picture.mode,
        "orientation": picture.orientation,
        "exif": picture.exif,
        "gps": picture.gps,
        "icc": picture.icc,
        "adult": picture.adult,
    }


def _response(story: Story) -> dict[str, Any]:
    output, headers = story.output, dict[str, str]()
    for name, value in story.response_headers:
        headers[name] = f"{headers[name]}, {scrub(value)}" if name in headers else scrub(value)
    media_type = headers.get("content-type", "").partition(";")[0].strip() or None
    text = None
    if output.data and media_type == "application/json":
        text = output.data[:_LONGEST_TEXT].decode("utf-8", "replace")
    return {
        "headers": headers,
        "media_type": media_type,
        "bytes": output.size,
        "complete": output.sent_whole,
        "text": text,
    }


def _error(contract: Contract, story: Story) -> dict[str, Any] | None:
    if story.error is None:
        return None
    rule = next((each for each in contract.edition.rules if each.id == story.rule), None)
    told = None
    if rule is not None:
        told = {
            "id": rule.id,
            "text": rule.text,
            "source": rule.source,
            "level": rule.level,
            "certainty": rule.certainty,
        }
    return {"name": story.error, "hint": None if story.hint is None else scrub(story.hint), "rule": told}


def _links(story: Story, base: str) -> dict[str, str | None]:
    """Where the entry and its pictures are; null for what is not kept, or never was."""
    place = f"{base}{story.prefix}{REQUESTS}/{story.id}"
    picture, output = story.input, story.output
    has_input = picture is not None and picture.data is not None
    large = output.pieces and has_picture(story) and (story.fault is None or story.fault.startswith("slow"))
    small = picture is not None and (picture.thumbnail is not None or picture.data is not None)
    return {
        "self": place,
        "input": f"{place}/input" if has_input else None,
        "output": f"{place}/output" if output.pieces else None,
        "input_thumbnail": f"{place}/thumbnail?of=input" if small else None,
        "output_thumbnail": f"{place}/thumbnail?of=output" if large or output.thumbnail is not None else None,
    }
