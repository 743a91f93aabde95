"""The edits of a soak: which pictures, models and forms, what each costs, and how they are written on the wire."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from io import BytesIO
from typing import Any

from PIL import Image

from benchmarks.pictures import Pictures
from benchmarks.soak.asking import Reply

EDIT = "/api/v1/image/edit"
_BOUNDARY = "soak-boundary-51c7"
_PROMPTS = (
    "make it a sunset",
    "a pencil sketch",
    "at night",
    "grayscale",
    "add a balloon",
    "blur the background",
)
_RATIOS = ("1:1", "16:9", "3:2")
_HUGE_SHARE = 0.01  # of the pictures are the largest that there may be
_MAGIC = {"image/png": b"\x89PNG", "image/jpeg": b"\xff\xd8\xff", "image/webp": b"RIFF"}


@dataclass(frozen=True, slots=True)
class Upload:
    """A picture that is sent. ``name`` tells it from the others."""

    name: str
    data: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class Model:
    """``prices`` in USD by tier, "" where none is named."""

    id: str
    prices: Mapping[str, Decimal]
    ratios: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Edit:
    """One request. ``price`` in USD, ``name`` the same for requests that must get the same picture."""

    name: str
    model: str
    price: Decimal
    body: bytes
    media_type: str

    def headers(self, **more: str) -> dict[str, str]:
        """Its own headers, and more with underscores for hyphens."""
        return {"Content-Type": self.media_type} | {n.replace("_", "-"): value for n, value in more.items()}

    def raw(self, headers: Mapping[str, str]) -> bytes:
        """Head and body as they go over the wire."""
        said = {"Host": "127.0.0.1", "Content-Length": str(len(self.body)), **headers}
        head = "".join(f"{name}: {value}\r\n" for name, value in said.items())
        return f"POST {EDIT} HTTP/1.1\r\n{head}\r\n".encode() + self.body


def uploads(kept: Pictures) -> tuple[Upload, ...]:
    """Small, middle and, last, the largest pictures, in every format that is taken."""
    photo = kept.photo
    with Image.open(BytesIO(photo.data)) as opened:
        opened.load()
        small = opened.resize((320, 240))
        made = []
        for picture, file_format in ((small, "PNG"), (small, "WEBP"), (opened.resize((640, 640)), "WEBP")):
            out = BytesIO()
            picture.save(out, file_format)
            name = f"{file_format.lower()}-{picture.width}"
            made.append(Upload(name, out.getvalue(), f"image/{file_format.lower()}"))
    large = kept.large_jpeg
    return (
        *made,
        Upload("jpeg-1mp", photo.data, "image/jpeg"),
        Upload("jpeg-33mp", large.data, "image/jpeg"),
    )


def models_of(listing: bytes) -> tuple[Model, ...]:
    """The models of ``GET /models?type=inpaint`` but those that are priced by quality. 4K is left out: all painting."""
    found = []
    for told in json.loads(listing, parse_float=Decimal, parse_int=Decimal)["data"]:
        pricing, constraints = told["model_spec"]["pricing"], told["model_spec"]["constraints"]
        if "quality" in pricing:
            continue
        tiers = {tier: price["usd"] for tier, price in pricing.get("resolutions", {}).items() if tier != "4K"}
        ratios = tuple(ratio for ratio in _RATIOS if ratio in constraints.get("aspectRatios", ()))
        found.append(Model(told["id"], {"": pricing["inpaint"]["usd"], **tiers}, ratios))
    return tuple(found)


@dataclass(frozen=True)
class Maker:
    """Draws edits out of a client's own randomness."""

    uploads: tuple[Upload, ...]
    models: tuple[Model, ...]

    def draw(self, chance: random.Random, *, small: bool = False, prompt: str | None = None) -> Edit:
        """An edit that succeeds. ``prompt``: one that nobody else asks for."""
        upload = chance.choice(self.uploads[: 2 if small else -1])
        if not small and chance.random() < _HUGE_SHARE:
            upload = self.uploads[-1]
        model = chance.choice(self.models)
        tier, price = chance.choice(sorted(model.prices.items()))
        fields = {"model": model.id, "prompt": prompt or chance.choice(_PROMPTS)}
        if tier:
            fields["resolution"] = tier
        if model.ratios and chance.random() < 0.3:
            fields["aspect_ratio"] = chance.choice(model.ratios)
        name = json.dumps([upload.name, fields])
        body, media_type = _form(fields, upload) if chance.random() < 0.5 else _json(fields, upload)
        return Edit(name, model.id, price, body, media_type)


def is_picture(reply: Reply) -> bool:
    """Whether the answer begins as its type says, and is as long as it says."""
    expected = _MAGIC.get(reply.headers.get("content-type", ""))
    whole = str(len(reply.body)) == reply.headers.get("content-length")
    return expected is not None and reply.body.startswith(expected) and whole


def _json(fields: Mapping[str, str], upload: Upload) -> tuple[bytes, str]:
    said: dict[str, Any] = {**fields, "image": base64.b64encode(upload.data).decode("ascii")}
    return json.dumps(said).encode(), "application/json"


def _form(fields: Mapping[str, str], upload: Upload) -> tuple[bytes, str]:
    parts = [
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    head = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="image"; filename="{upload.name}"\r\n'
    picture = f"{head}Content-Type: {upload.media_type}\r\n\r\n".encode() + upload.data
    body = b"".join((*parts, picture, f"\r\n--{_BOUNDARY}--\r\n".encode()))
    return body, f"multipart/form-data; boundary={_BOUNDARY}"
