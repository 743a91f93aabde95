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
_GAP, _LABEL = 10, 26


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
    """The input, wide as two, and the edits in rows of two, each under its prompt."""
    width, height = SIZE[0] * 5 // 8, SIZE[1] * 5 // 8
    rows = -(-(len(tiles) + 1) // 2)
    sheet = Image.new("RGB", (2 * width + 3 * _GAP, rows * (height + _LABEL + _GAP) + _GAP), "white")
    for index, (label, picture) in enumerate(tiles):
        place = index if index == 0 else index + 1
        left = _GAP + (place % 2) * (width + _GAP)
        top = _GAP + (place // 2) * (height + _LABEL + _GAP)
        if index == 0:
            left = (sheet.width - width) // 2
        sheet.paste(picture.resize((width, height), Image.Resampling.BICUBIC), (left, top + _LABEL))
        write_label(sheet, label, left, top + 2)
    return sheet


def write_label(sheet: Image.Image, text: str, left: int, top: int) -> None:
    """Text in the captions' font at twice its size."""
    font = ImageFont.load_default_imagefont()
    size = font.getbbox(text)
    glyphs = Image.new("L", (int(size[2]), int(size[3])))
    ImageDraw.Draw(glyphs).text((0, 0), text, fill=255, font=font)
    large = glyphs.resize((glyphs.width * 2, glyphs.height * 2), Image.Resampling.NEAREST)
    sheet.paste((40, 44, 52), (left, top, left + large.width, top + large.height), large)


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
