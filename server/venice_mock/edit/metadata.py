"""What the server understood, written into the picture it gives, and read back. No pixels, no decisions.

A PNG carries a text chunk, JPEG and WebP an EXIF user comment; each holds one JSON object. A picture whose
request was classified adult carries the adult mark too, so that it is known again when it is fed back in.
"""

from __future__ import annotations

import hashlib
import json
import struct
from dataclasses import asdict, dataclass
from typing import Any

import msgspec

from venice_mock import __version__
from venice_mock.edit.headers import ADULT_MARK, BrokenHeader, metadata_blocks

PROMPT_KEPT = 1000  # characters: a JPEG segment ends near 64 kB
PNG_KEYWORD = b"venice-mock"
_OPENING = b'{"venice_mock":'


@dataclass(frozen=True, slots=True)
class Understood:
    """One request as the server took it. ``prompt`` holds the first PROMPT_KEPT characters; sides in pixels."""

    edition: str
    behavior: str
    model: str
    prompt: str
    prompt_length: int
    prompt_sha256: str
    aspect_ratio: str
    resolution: str
    width: int
    height: int
    output_format: str
    quality: str | None
    safe_mode: bool
    price_usd: str
    input_sha256: str
    input_width: int
    input_height: int
    seed: int
    adult: bool
    violation: bool
    blurred: bool
    version: str = __version__
    enhanced_prompt: str | None = None  # the whole rewrite: it is never as long as a prompt that is kept

    @classmethod
    def of(cls, *, prompt: str, **rest: Any) -> Understood:
        """From the whole prompt, which is cut, measured (in characters) and hashed (as UTF-8) here."""
        digest = hashlib.sha256(prompt.encode("utf-8", "surrogatepass")).hexdigest()
        kept = prompt[:PROMPT_KEPT]
        return cls(prompt=kept, prompt_length=len(prompt), prompt_sha256=digest, **rest)


def read_request(data: bytes) -> Understood:
    """What the server understood when it made this PNG, JPEG or WebP.

    Raises ValueError("not a venice-mock picture") for any other bytes.
    """
    try:
        for block in metadata_blocks(data):
            start = block.find(_OPENING)
            if start >= 0:
                text = block[start:].split(b"\0", 1)[0].decode("ascii")
                return msgspec.convert(json.loads(text)["venice_mock"], Understood)
    except (BrokenHeader, ValueError, KeyError, TypeError, RecursionError):
        pass  # msgspec.ValidationError is a ValueError
    raise ValueError("not a venice-mock picture")


def as_text(understood: Understood) -> str:
    """The JSON object, in ASCII. A prompt that merely speaks of the adult mark does not carry it."""
    mark = ADULT_MARK.decode("ascii")
    told = asdict(understood)
    if understood.enhanced_prompt is None:  # so that a picture of June has the bytes that it always had
        del told["enhanced_prompt"]
    text = json.dumps({"venice_mock": told}, separators=(",", ":"))
    text = text.replace(mark, mark.replace(":", "\\u003a"))
    return f'{text[:-1]},"mark":"{mark}"}}' if understood.adult else text


def as_exif(understood: Understood) -> bytes:
    """A minimal EXIF block: the software's name, and the JSON as user comment."""
    software = f"venice-mock {__version__}".encode("ascii") + b"\0"
    comment = b"ASCII\0\0\0" + as_text(understood).encode("ascii") + b"\0"
    # Little-endian TIFF: header, directory with two entries, sub-directory with one, then the values.
    first, second = 8, 8 + 2 + 2 * 12 + 4
    values = second + 2 + 12 + 4
    root = struct.pack("<HHHIIHHIII", 2, 0x0131, 2, len(software), values, 0x8769, 4, 1, second, 0)
    sub = struct.pack("<HHHIII", 1, 0x9286, 7, len(comment), values + len(software), 0)
    return b"Exif\0\0" + struct.pack("<2sHI", b"II", 42, first) + root + sub + software + comment
