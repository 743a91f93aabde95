"""The strip that says what made the picture, so that nobody takes a mock's answer for the real thing.

Pillow's own bitmap font, scaled by whole numbers: the same pixels on every machine.
"""

from __future__ import annotations

import unicodedata

from PIL import Image, ImageFont

_INK = (255, 255, 255)
_SHADE = (12, 14, 20)
_SHADE_STRENGTH = 168  # of 255
_PADDING = 5  # around and between lines, in pixels of the unscaled font
_MIN_CHARACTERS = 12


def draw_caption(image: Image.Image, title: str, prompt: str) -> Image.Image:
    """``title`` and, where there is room, the beginning of ``prompt`` on a strip along the lower edge.

    Drawn in place and returned. Left out when a readable strip would not fit.
    """
    font = ImageFont.load_default_imagefont()
    _, _, glyph_width, glyph_height = (int(edge) for edge in font.getbbox("M"))
    width, height = image.size
    scale = max(1, min(width // 512, height // 320))
    columns = (width // scale - 2 * _PADDING) // glyph_width
    rows_free = height // scale // 5 // (glyph_height + _PADDING)  # at most a fifth of the picture
    if columns < _MIN_CHARACTERS or rows_free < 1:
        return image
    text = [_cut(printable(title), columns)]
    if rows_free > 1 and (words := printable(prompt)):
        text.append(_cut(words, columns))
    strip_height = (len(text) * (glyph_height + _PADDING) + _PADDING) * scale
    top = height - strip_height
    image.paste(_SHADE, (0, top, width, height), Image.new("L", (width, strip_height), _SHADE_STRENGTH))
    for row, line in enumerate(text):
        glyphs = Image.new("1", (len(line) * glyph_width, glyph_height))
        mask = font.getmask(line)
        glyphs.im.paste(mask, (0, 0, *mask.size))
        ink = glyphs.convert("L").resize(
            (glyphs.width * scale, glyphs.height * scale), Image.Resampling.NEAREST
        )
        if row:  # the prompt a little fainter than the title
            ink = ink.point([v * 200 // 255 for v in range(256)])
        y = top + (_PADDING + row * (glyph_height + _PADDING)) * scale
        image.paste(_INK, (_PADDING * scale, y, _PADDING * scale + ink.width, y + ink.height), ink)
    return image


def printable(text: str) -> str:
    """``text`` in the font's characters (Latin-1): accents it lacks are dropped, the rest becomes ``?``,
    and every run of spaces and control characters is one space."""
    plain: list[str] = []
    for character in text[:400]:  # no strip is longer
        if unicodedata.category(character) in ("Cc", "Zs", "Zl", "Zp"):
            plain.append(" ")
        elif character <= "\xff":
            plain.append(character)
        elif unicodedata.category(character) not in ("Mn", "Cf", "Me"):
            base = unicodedata.normalize("NFKD", character)
            kept = "".join(c for c in base if c <= "\xff")
            plain.append(_PUNCTUATION.get(character) or kept or "?")
    return " ".join("".join(plain).split())


_PUNCTUATION = {"‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "...", "×": "x"}


def _cut(text: str, columns: int) -> str:
    return text if len(text) <= columns else text[: columns - 3] + "..."
