"""What a picture is to be, as a small value: drawn small, kept in case files, built late. No bytes here.

A recipe that could not be built is refused when it is made, so whoever holds one may build it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

Format = Literal["png", "jpeg", "webp", "gif", "bmp", "tiff", "avif", "ico"]
# P+transparency: one palette entry is see-through. RGB;16: 16 bits a channel. CMYK: inks as they are, without
# Adobe's segment; CMYK-adobe: with it, the inks inverted, as Photoshop writes them.
Mode = Literal["1", "L", "LA", "P", "P+transparency", "RGB", "RGBA", "I;16", "RGB;16", "CMYK", "CMYK-adobe"]
Variant = Literal["plain", "interlaced", "progressive", "lossless", "animated", "multipage"]
Pattern = Literal["flat", "gradient", "checker", "detail"]
Padding = Literal["zeros", "noise"]
Defect = Literal[
    "none",
    "truncated",  # only ``keep_percent`` of the file is left
    "bad-checksum",  # the pixels' CRC is wrong and all else right
    "header-only",  # nothing behind the part that tells the size
    "broken-pixels",  # a good header and pixels that cannot be unpacked
    "lying-header",  # the header says ``claimed``, the pixels are ``width`` x ``height``
    "wrong-magic",  # the first bytes are no format's
    "trailing-data",  # harmless: text behind the end
    "polyglot",  # harmless: the file is a ZIP archive too
]

MODES: Mapping[Format, tuple[Mode, ...]] = {
    "png": ("1", "L", "LA", "P", "P+transparency", "RGB", "RGBA", "I;16", "RGB;16"),
    "jpeg": ("L", "RGB", "CMYK", "CMYK-adobe"),
    "webp": ("RGB", "RGBA"),
    "gif": ("P", "P+transparency"),
    "bmp": ("1", "L", "P", "RGB"),
    "tiff": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16", "CMYK"),
    "avif": ("RGB", "RGBA"),
    "ico": ("RGB", "RGBA"),
}
VARIANTS: Mapping[Format, tuple[Variant, ...]] = {
    "png": ("plain", "interlaced", "animated"),
    "jpeg": ("plain", "progressive"),
    "webp": ("plain", "lossless", "animated"),
    "gif": ("plain", "animated"),
    "bmp": ("plain",),
    "tiff": ("plain", "multipage"),
    "avif": ("plain", "animated"),
    "ico": ("plain",),
}
LONGEST_SIDE: Mapping[Format, int] = {
    "png": 2**31 - 1,
    "jpeg": 65_500,
    "webp": 16_383,
    "gif": 65_535,
    "bmp": 2**31 - 1,
    "tiff": 2**31 - 1,
    "avif": 16_384,
    "ico": 256,
}
MEDIA_TYPES: Mapping[Format, str] = {
    "png": "image/png",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "gif": "image/gif",
    "bmp": "image/bmp",
    "tiff": "image/tiff",
    "avif": "image/avif",
    "ico": "image/x-icon",
}
WITH_EXIF: frozenset[Format] = frozenset({"png", "jpeg", "webp", "tiff", "avif"})
HARMLESS: frozenset[Defect] = frozenset({"none", "trailing-data", "polyglot"})
_GREY_OR_COLOUR: frozenset[Mode] = frozenset(
    {"L", "LA", "RGB", "RGBA", "P"}
)  # what our two ICC profiles describe


@dataclass(frozen=True)
class Picture:
    """One picture file. Sides in stored pixels; raises ValueError, in one sentence, for what no file can be.

    ``orientation`` is EXIF's, 1..8. ``camera``: EXIF with a camera, a place (GPS) and an owner, and XMP where the
    format has it. ``adult``: the mark by which the mock knows an adult picture. ``profile``: an embedded ICC profile.
    ``keep_percent`` belongs to ``truncated``, ``claimed`` (width, height) to ``lying-header``. ``pad_to`` is the exact
    size of the file in bytes, before a defect is added (PNG only); too small a number is found out by ``build``.
    """

    width: int = 320
    height: int = 256
    format: Format = "png"
    mode: Mode = "RGB"
    variant: Variant = "plain"
    pattern: Pattern = "gradient"
    seed: int = 0
    orientation: int = 1
    camera: bool = False
    adult: bool = False
    profile: bool = False
    defect: Defect = "none"
    keep_percent: int = 50
    claimed: tuple[int, int] | None = None
    pad_to: int | None = None
    padding: Padding = "zeros"

    def __post_init__(self) -> None:
        for problem in _problems(self):
            raise ValueError(problem)

    @property
    def stored(self) -> tuple[int, int]:
        """Width and height as they lie in the file."""
        return self.width, self.height

    @property
    def displayed(self) -> tuple[int, int]:
        """Width and height once the EXIF orientation is applied."""
        return (self.height, self.width) if self.orientation >= 5 else (self.width, self.height)

    @property
    def media_type(self) -> str:
        """What an honest client calls it."""
        return MEDIA_TYPES[self.format]

    @property
    def readable(self) -> bool:
        """Whether a decoder can make pixels of it: no defect, or a harmless one."""
        return self.defect in HARMLESS

    def to_json(self) -> dict[str, Any]:
        """Width, height and whatever differs from the defaults."""
        told: dict[str, Any] = {"width": self.width, "height": self.height}
        for field in fields(self):
            value = getattr(self, field.name)
            if value != field.default:
                told[field.name] = list(value) if isinstance(value, tuple) else value
        return told

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Picture:
        """The recipe that ``to_json`` told. Raises ValueError for anything else."""
        unknown = sorted(set(told) - {field.name for field in fields(cls)})
        if unknown:
            raise ValueError(f"a picture has no {', '.join(map(str, unknown))}")
        values = dict(told)
        claimed = values.get("claimed")
        if isinstance(claimed, list | tuple):
            values["claimed"] = tuple(claimed)
        return cls(**values)


_CHOICES: Mapping[str, tuple[object, ...]] = {
    "format": get_args(Format),
    "mode": get_args(Mode),
    "variant": get_args(Variant),
    "pattern": get_args(Pattern),
    "defect": get_args(Defect),
    "padding": get_args(Padding),
}


def _problems(picture: Picture) -> list[str]:
    """What is wrong with a recipe, first things first."""
    wrong = [
        f"{name} cannot be {getattr(picture, name)!r}"
        for name, choices in _CHOICES.items()
        if getattr(picture, name) not in choices
    ]
    for name in ("width", "height", "seed", "orientation", "keep_percent"):
        value = getattr(picture, name)
        if type(value) is not int or value < (0 if name == "seed" else 1):
            wrong.append(f"{name} cannot be {value!r}")
    for name in ("camera", "adult", "profile"):
        if type(getattr(picture, name)) is not bool:
            wrong.append(f"{name} cannot be {getattr(picture, name)!r}")
    return wrong or _form_problems(picture) or _extra_problems(picture)


def _form_problems(picture: Picture) -> list[str]:
    """Mode, variant and sides that the format does not have."""
    fmt, wrong = picture.format, []
    if picture.mode not in MODES[fmt]:
        wrong.append(f"{fmt} has no mode {picture.mode}")
    if picture.variant not in VARIANTS[fmt]:
        wrong.append(f"{fmt} has no {picture.variant} variant")
    if max(picture.stored) > LONGEST_SIDE[fmt]:
        wrong.append(f"{fmt} has no side longer than {LONGEST_SIDE[fmt]}")
    if picture.variant == "interlaced" and picture.mode == "1":
        wrong.append("interlaced pictures of 1 bit are not written here")
    if picture.variant == "animated" and picture.mode == "P+transparency":
        wrong.append("animations with a transparent palette entry are not written here")
    return wrong


def _extra_problems(picture: Picture) -> list[str]:
    """Metadata, padding and defects that do not go with the format."""
    fmt, wrong = picture.format, []
    if not 1 <= picture.orientation <= 8:
        wrong.append(f"orientation cannot be {picture.orientation}")
    if fmt == "avif" and picture.variant == "animated" and picture.orientation != 1:
        wrong.append("turned animations in avif are not written here: libavif 1.4 crashes on them")
    if fmt not in WITH_EXIF:
        if picture.orientation != 1 or picture.camera:
            wrong.append(f"{fmt} carries no EXIF")
        if picture.adult and fmt != "gif":
            wrong.append(f"{fmt} carries no mark")
    if picture.profile and (fmt not in WITH_EXIF or picture.mode not in _GREY_OR_COLOUR):
        wrong.append(f"{fmt} of mode {picture.mode} gets no profile")
    if picture.pad_to is not None:
        if fmt != "png":
            wrong.append("only png can be padded")
        elif type(picture.pad_to) is not int or picture.pad_to < 1:
            wrong.append(f"pad_to cannot be {picture.pad_to!r}")
    if picture.keep_percent > 99:
        wrong.append("keep_percent goes from 1 to 99")
    return wrong + _defect_problems(picture)


def _defect_problems(picture: Picture) -> list[str]:
    """Defects that this kind of file cannot have."""
    fmt, wrong = picture.format, []
    if picture.defect == "bad-checksum" and fmt != "png":
        wrong.append("only png has checksums")
    if picture.defect == "truncated" and picture.variant in ("animated", "multipage"):
        wrong.append("a cut might leave the first frame whole")
    if picture.defect == "broken-pixels":
        lossless = fmt == "webp" and picture.variant == "lossless"
        if fmt not in ("png", "jpeg") and not lossless:
            wrong.append("broken-pixels goes with png, jpeg and lossless webp")
    if (picture.claimed is not None) != (picture.defect == "lying-header"):
        wrong.append("claimed and lying-header go together")
    elif picture.claimed is not None:
        longest = {"png": 2**31 - 1, "jpeg": 65_535, "bmp": 2**31 - 1}.get(fmt)
        sides = picture.claimed
        if longest is None:
            wrong.append("lying-header goes with png, jpeg and bmp")
        elif len(sides) != 2 or any(type(side) is not int or not 0 <= side <= longest for side in sides):
            wrong.append(f"claimed cannot be {sides!r}")
    return wrong
