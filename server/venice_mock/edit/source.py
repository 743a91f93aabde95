"""The image's bytes, wherever the client put them: a file part, base64, a data URL, or a URL to fetch."""

from __future__ import annotations

import asyncio
import binascii
import hashlib
import re
from urllib.parse import unquote_to_bytes

import pybase64

from venice_mock.contract import Contract
from venice_mock.edit.fields import Text, Upload
from venice_mock.errors import ApiError, Issue, invalid, refuse

_URL = re.compile(rb"https?://", re.IGNORECASE)
_DATA_URL = re.compile(rb"data:([^,]{0,200}),", re.IGNORECASE)
_PERCENT_LIMIT = 1 << 18  # ours: percent-encoding is for small things, and slow to undo
_LARGE = 4 << 20  # ours: bytes that are not hashed while others wait
_URL_LIMIT = 8192  # ours: longer than any server's line limit


async def image_bytes(
    contract: Contract, image: Upload | Text, fetch: tuple[str, ...]
) -> bytes | bytearray | memoryview:
    """The file's bytes. Raises ApiError: 400 at ``image`` when there is no way to them, 413 when too many."""
    if isinstance(image, Upload):
        data: bytes | bytearray | memoryview = image.data
    elif image.file is not None:
        data = image.file
    elif is_url(image):
        data = await _fetched(contract, bytes(image.data), fetch)
    else:
        data = _decoded(contract, image.data)
    if len(data) >= contract.edition.limits.max_file_bytes_exclusive:
        raise refuse(contract, "PAYLOAD_TOO_LARGE", rule="EDIT-IMG-016")
    return data


def is_url(image: Upload | Text) -> bool:
    """Whether the file is still to be fetched."""
    return isinstance(image, Text) and _URL.match(image.data) is not None


async def digest_of(data: bytes | bytearray | memoryview) -> str:
    """The file's SHA-256 in hex; of a large file in a thread, while other requests go on."""
    if len(data) > _LARGE:
        return await asyncio.to_thread(_sha256, data)
    return _sha256(data)


def _sha256(data: bytes | bytearray | memoryview) -> str:
    return hashlib.sha256(data).hexdigest()


def _decoded(contract: Contract, text: bytes | bytearray | memoryview) -> bytes:
    data = decode_text(text)
    if not data:
        raise _at_image(contract, contract.edition.messages.image_not_base64, "EDIT-IMG-008")
    return data


def decode_text(text: bytes | bytearray | memoryview) -> bytes | None:
    """What base64 or a data URL holds; None for anything else."""
    start = _DATA_URL.match(text)
    if start is None:
        return decode_base64(text)
    rest = memoryview(text)[start.end() :]
    if start.group(1).lower().endswith(b";base64"):
        return decode_base64(rest)
    return unquote_to_bytes(bytes(rest)) if len(rest) <= _PERCENT_LIMIT else None


def decode_base64(text: bytes | bytearray | memoryview) -> bytes | None:
    """Bytes of standard base64; white space, the URL-safe alphabet and missing padding are tolerated as Node does.

    None for anything else.
    """
    try:
        return pybase64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        pass
    bare = bytes(text).translate(_TO_STANDARD, b" \t\r\n").rstrip(b"=")
    try:
        return pybase64.b64decode(bare + b"=" * (-len(bare) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


_TO_STANDARD = bytes.maketrans(b"-_", b"+/")


async def _fetched(contract: Contract, url: bytes, fetch: tuple[str, ...]) -> bytes:
    # Most clients never send a URL: what fetching needs is imported when one does.
    from venice_mock.edit.fetching import FetchFault, FetchPolicy
    from venice_mock.edit.fetching import fetch as fetch_url

    words = contract.edition.messages
    limit = contract.edition.limits.max_file_bytes_exclusive
    if len(url) > _URL_LIMIT:
        message = words.image_url_failed.format(reason="the URL is too long")
        raise _at_image(contract, message, "EDIT-IMG-025")
    try:
        address = url.decode("ascii")
    except UnicodeDecodeError:
        address = url.decode("utf-8", "replace")
    try:
        return await fetch_url(address, FetchPolicy(allow=fetch, max_bytes_exclusive=limit))
    except FetchFault as fault:
        if fault.kind == "too_large":
            raise refuse(contract, "PAYLOAD_TOO_LARGE", rule="EDIT-IMG-016") from fault
        refused = fault.kind == "refused"
        text = words.image_url_refused if refused else words.image_url_failed
        rule = "EDIT-IMG-026" if refused else "EDIT-IMG-025"
        raise _at_image(contract, text.format(reason=fault.reason), rule) from fault


def _at_image(contract: Contract, message: str, rule: str) -> ApiError:
    return invalid(contract, [Issue("custom", "image", message, rule)])
