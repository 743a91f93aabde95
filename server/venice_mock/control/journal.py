"""The routes under /__mock/requests: what was sent, understood, answered and charged. No HTTP here."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from venice_mock.control.entries import describe, has_picture
from venice_mock.control.reading import bad
from venice_mock.errors import ApiError, plain
from venice_mock.state.story import Input, Output, Story
from venice_mock.tenant import Tenant

_WHAT = "Requests"
_PAGE, _MOST = 50, 1000
_FILTERS = ("status", "model", "rule", "request_id", "since", "limit")
_MEDIA_TYPES = {
    "PNG": "png",
    "JPEG": "jpeg",
    "WEBP": "webp",
    "GIF": "gif",
    "BMP": "bmp",
    "TIFF": "tiff",
    "AVIF": "avif",
}
_PICTURES = frozenset(("image/png", "image/jpeg", "image/webp"))
_ANY = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class File:
    """Bytes to send, and a media type that makes no browser run them."""

    data: bytes
    media_type: str


def list_requests(tenant: Tenant, query: Mapping[str, str], base: str) -> dict[str, Any]:
    """The newest first. ``status`` (404 or 4xx), ``model``, ``rule``, ``request_id`` as the client knows it.

    ``since``: an id, of which only later ones. Raises ApiError 400 for other filters.
    """
    journal = tenant.journal
    unknown = [name for name in query if name not in _FILTERS]
    if unknown:
        raise bad(_WHAT, f"there is no filter {unknown[0][:40]!r}; known: {', '.join(_FILTERS)}")
    limit, keep = _limit(query.get("limit")), _keep(query)
    since = query.get("since")
    stories = list(journal) if since is None else journal.after(_number(tenant, since))
    found = [story for story in reversed(stories) if keep(story)]
    return {
        "requests": [entry_of(tenant, story, base) for story in found[:limit]],
        "count": len(found),
        "kept": len(journal),
        "bytes": journal.bytes,
        "limit_bytes": journal.limit,
        "dropped": journal.dropped,
        "dropped_pictures": journal.dropped_pictures,
    }


def read_request(tenant: Tenant, name: str, base: str) -> dict[str, Any]:
    """One entry. Raises ApiError 404."""
    return entry_of(tenant, story_named(tenant, name), base)


async def clear_requests(tenant: Tenant) -> dict[str, Any]:
    """Forget all of them."""
    cleared = len(tenant.journal)
    await tenant.journal.wipe()
    return {"cleared": cleared}


def entry_of(tenant: Tenant, story: Story, base: str) -> dict[str, Any]:
    """A story of this session as JSON."""
    with_token = tenant.settings.control_token is not None
    return describe(tenant.contract, story, base, with_token=with_token)


def story_named(tenant: Tenant, name: str) -> Story:
    """The story of that id. Raises ApiError 404."""
    story = tenant.journal.get(name)
    if story is None:
        text = "There is no such request in the journal; it may have been dropped."
        raise plain(404, text, name="CONTROL_NOT_FOUND")
    return story


def input_of(tenant: Tenant, name: str) -> File:
    """The picture that was sent. Raises ApiError 404."""
    story = story_named(tenant, name)
    picture = story.input
    if picture is None or picture.data is None:
        raise _not_kept("picture", story)
    kind = _MEDIA_TYPES.get(picture.format or "")
    return File(bytes(picture.data), _ANY if kind is None else f"image/{kind}")


def output_of(tenant: Tenant, name: str) -> File:
    """The body that was sent back. Raises ApiError 404."""
    story = story_named(tenant, name)
    data = story.output.data
    if data is None or not story.output.size:
        raise _not_kept("answer", story)
    said = dict(story.response_headers).get("content-type", "").partition(";")[0]
    return File(data, said if said in _PICTURES or said == "application/json" else _ANY)


def thumbnail_of(tenant: Tenant, name: str, which: str | None) -> File:
    """Either picture in small, by default the answer's if that is one; takes a moment. Raises ApiError 400, 404."""
    from venice_mock.edit.thumbs import MEDIA_TYPE, small_from_file  # Pillow's readers: not part of the start

    if which not in (None, "input", "output"):
        raise bad(_WHAT, "of is input or output")
    story = story_named(tenant, name)
    side = _side(story, which)
    if side.thumbnail is None and side.data is not None:
        side.thumbnail = small_from_file(tenant.contract, side.data)
    if side.thumbnail is None:
        raise _not_kept("picture", story)
    return File(side.thumbnail, MEDIA_TYPE)


def pixels_of(tenant: Tenant, story: Story, which: str | None) -> int:
    """How many pixels making that thumbnail takes; none where it is there already."""
    side = _side(story, which)
    if side.thumbnail is not None or side.data is None:
        return 0
    known = (side.width or 0) * (side.height or 0) if isinstance(side, Input) else 0
    return known or tenant.contract.edition.limits.max_pixels


def _side(story: Story, which: str | None) -> Input | Output:
    if which is None:
        which = "output" if has_picture(story) else "input"
    return story.output if which == "output" else story.input or Input("upload")


def _keep(query: Mapping[str, str]) -> Callable[[Story], bool]:
    status, model, rule = query.get("status"), query.get("model"), query.get("rule")
    request_id = query.get("request_id")
    if status is not None and not re.fullmatch("[1-5]([0-9]{2}|xx)", status, re.IGNORECASE):
        raise bad(_WHAT, "status is a number such as 404, or a class such as 4xx")

    def keep(story: Story) -> bool:
        code = "" if story.status is None else str(story.status)
        return (
            (status is None or code == status or (status[1:].lower() == "xx" and code[:1] == status[0]))
            and (model is None or story.model == model)
            and (rule is None or story.rule == rule)
            and (request_id is None or story.request_id == request_id)
        )

    return keep


def _number(tenant: Tenant, since: str) -> int:
    """The number of a story; one that was dropped is older than all that are here. Raises ApiError 400."""
    story = tenant.journal.get(since)
    if story is not None:
        return story.number
    if not re.fullmatch("req-[0-9]{6,12}", since):
        raise bad(_WHAT, "since is the id of a request, such as req-000017")
    return 0


def _limit(text: str | None) -> int:
    if text is None:
        return _PAGE
    if not re.fullmatch("[0-9]{1,10}", text) or not 1 <= int(text) <= _MOST:
        raise bad(_WHAT, f"limit is a whole number from 1 to {_MOST}")
    return int(text)


def _not_kept(what: str, story: Story) -> ApiError:
    text = f"The {what} of this request is not kept any more, or there was none."
    if story.elsewhere:
        text = (
            f"The {what} of this request is not here: another process answered it, and pictures that are not small"
            " stay where they were made. Serve with one worker to have all of them."
        )
    return plain(404, text, name="CONTROL_NOT_FOUND")
