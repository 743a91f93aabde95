"""Makes the pictures of docs/gallery: ``python docs/make_gallery.py``. The same files every time."""

from __future__ import annotations

import hashlib
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from venice_mock.edit.encoding import encode
from venice_mock.edit.metadata import Understood
from venice_mock.edit.opening import decode, probe
from venice_mock.edit.painting import Brief, paint
from venice_mock.sample import sample_jpeg

OUT = Path(__file__).parent / "gallery"
MODEL = "qwen-edit"
SIZE = (640, 480)
EDITS = {
    "sunset": "make it a sunset",
    "night": "turn day into a starry night",
    "sketch": "make it a pencil sketch",
    "pixels": "16 bit pixel art",
    "balloon": "add a red balloon in the sky",
    "winter": "make it winter with snow",
}
ALSO = "an old photo in sepia"  # on the sheet only, so that its rows are full
_GAP, _LABEL, _COLUMNS, _TILE = 10, 28, 4, (300, 225)


def main() -> None:
    """Write the input, one before/after pair for each edit, and the contact sheet."""
    data = sample_jpeg(SIZE)
    found = probe(data, min_pixels=65_536, max_pixels=33_177_600)
    before = decode(data, found, cover=SIZE)
    digest = hashlib.sha256(data).hexdigest()
    OUT.mkdir(exist_ok=True)
    tiles = [("the input", before)]
    for name, prompt in EDITS.items():
        brief = Brief(prompt, MODEL, SIZE, "1K", None, digest, seed=0)
        after = paint(before, brief)
        tiles.append((prompt, after))
        write(
            OUT / f"{name}.jpg",
            beside(before, after).resize((840 + _GAP, 315), Image.Resampling.BICUBIC),
            brief,
        )
    brief = Brief(ALSO, MODEL, SIZE, "1K", None, digest, seed=0)
    tiles.append((ALSO, paint(before, brief)))
    write(
        OUT / "gallery.jpg", contact_sheet(tiles), Brief("gallery", MODEL, SIZE, "1K", None, digest, seed=0)
    )


def beside(before: Image.Image, after: Image.Image) -> Image.Image:
    """Two pictures in a row."""
    pair = Image.new("RGB", (before.width + after.width + _GAP, before.height), "white")
    pair.paste(before, (0, 0))
    pair.paste(after, (before.width + _GAP, 0))
    return pair


def contact_sheet(tiles: list[tuple[str, Image.Image]]) -> Image.Image:
    """The input and the edits in rows of four, each under its prompt."""
    width, height = _TILE
    rows = -(-len(tiles) // _COLUMNS)
    sheet = Image.new(
        "RGB", (_COLUMNS * (width + _GAP) + _GAP, rows * (height + _LABEL + _GAP) + _GAP), "white"
    )
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(16)
    for index, (label, picture) in enumerate(tiles):
        left = _GAP + (index % _COLUMNS) * (width + _GAP)
        top = _GAP + (index // _COLUMNS) * (height + _LABEL + _GAP)
        pen.text((left, top + 4), label, fill=(40, 44, 52), font=font)
        sheet.paste(picture.resize(_TILE, Image.Resampling.LANCZOS), (left, top + _LABEL))
    return sheet


def write(path: Path, picture: Image.Image, brief: Brief) -> None:
    """One JPEG with the request in it."""
    said = Understood.of(
        prompt=brief.prompt,
        edition="2026-06-19",
        behavior="documented",
        model=brief.model,
        aspect_ratio="auto",
        resolution=brief.tier,
        width=picture.width,
        height=picture.height,
        output_format="jpeg",
        quality=None,
        safe_mode=True,
        price_usd="0.04",
        input_sha256=brief.input_sha256,
        input_width=SIZE[0],
        input_height=SIZE[1],
        seed=brief.seed,
        adult=False,
        violation=False,
        blurred=False,
    )
    data = encode(picture, "jpeg", said)
    path.write_bytes(data)
    print(f"{path.name}: {picture.width}x{picture.height}, {len(data) // 1000} kB")


if __name__ == "__main__":
    main()
