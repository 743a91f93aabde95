"""Recipes against Pillow as reader: what is built is what was asked for, byte by byte the same each time."""

from __future__ import annotations

import io
import json
import time
import zipfile
from dataclasses import replace
from typing import Any, get_args

import pytest
from PIL import Image, ImageCms

from venice_contract.pictures import png
from venice_contract.pictures.build import PictureCache, build
from venice_contract.pictures.impostors import IMPOSTORS, impostor
from venice_contract.pictures.look import NotAPicture, decode, metadata_of, probe_image
from venice_contract.pictures.painting import paint
from venice_contract.pictures.recipe import MODES, VARIANTS, WITH_EXIF, Defect, Format, Mode, Picture, Variant
from venice_contract.pictures.tags import ADULT_MARK, CAMERA_WORDS, icc_profile


def recipe(fmt: Format, **rest: Any) -> Picture:
    """A picture of that format, of a size and mode that it has."""
    sides = {"width": 256, "height": 256} if fmt == "ico" else {}
    return Picture(**{"format": fmt, "mode": MODES[fmt][-1] if fmt == "gif" else "RGB", **sides, **rest})


def kinds() -> list[tuple[Format, Mode, Variant]]:
    """Every format, mode and variant that go together."""
    found: list[tuple[Format, Mode, Variant]] = []
    for fmt in MODES:
        for mode in MODES[fmt]:
            for variant in VARIANTS[fmt]:
                try:
                    recipe(fmt, mode=mode, variant=variant)
                except ValueError:
                    continue
                found.append((fmt, mode, variant))
    return found


def opened(data: bytes) -> Image.Image:
    """As Pillow alone reads it."""
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


@pytest.mark.parametrize(("fmt", "mode", "variant"), kinds())
def test_every_format_mode_and_variant_is_readable_by_pillow(
    fmt: Format, mode: Mode, variant: Variant
) -> None:
    picture = recipe(fmt, mode=mode, variant=variant)
    image = opened(build(picture))
    assert image.format == fmt.upper()
    assert image.size == picture.stored
    assert decode(build(picture)).size == picture.stored


LOSSLESS = [
    kind for kind in kinds() if kind[0] in ("png", "bmp", "tiff", "gif", "ico") or kind[2] == "lossless"
]


@pytest.mark.parametrize("pattern", ["flat", "gradient", "checker", "detail"])
@pytest.mark.parametrize(("fmt", "mode", "variant"), LOSSLESS)
def test_lossless_files_hold_the_very_pixels_that_were_painted(
    fmt: Format, mode: Mode, variant: Variant, pattern: str
) -> None:
    picture = recipe(fmt, mode=mode, variant=variant, pattern=pattern, seed=3)
    painted, read = paint(picture), opened(build(picture))
    if mode == "I;16":
        assert read.tobytes() == painted.tobytes()
    elif mode in ("1", "L", "LA", "RGBA", "CMYK") or fmt == "ico":
        assert read.convert("RGBA").tobytes() == painted.convert("RGBA").tobytes()
    else:
        assert read.convert("RGB").tobytes() == painted.convert("RGB").tobytes()


@pytest.mark.parametrize(
    ("mode", "depth", "colour"), [("1", 1, 0), ("LA", 8, 4), ("P", 8, 3), ("I;16", 16, 0), ("RGB;16", 16, 2)]
)
def test_a_png_has_the_depth_and_colour_type_of_its_mode(mode: Mode, depth: int, colour: int) -> None:
    assert tuple(build(Picture(mode=mode))[24:26]) == (depth, colour)


def test_an_interlaced_png_says_so_and_a_progressive_jpeg_too() -> None:
    assert build(Picture(variant="interlaced"))[28] == 1
    assert opened(build(Picture(format="jpeg", variant="progressive"))).info["progressive"]
    assert b"VP8L" in build(Picture(format="webp", variant="lossless"))[:64]


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (5, 5), (9, 1), (1, 9), (17, 33)])
def test_interlacing_is_right_at_sizes_that_leave_passes_empty(size: tuple[int, int]) -> None:
    plain = Picture(*size, pattern="detail", seed=9)
    assert opened(build(replace(plain, variant="interlaced"))).tobytes() == opened(build(plain)).tobytes()


@pytest.mark.parametrize("fmt", ["png", "gif", "webp", "tiff", "avif"])
def test_animations_have_two_frames_of_different_colour(fmt: Format) -> None:
    variant = "multipage" if fmt == "tiff" else "animated"
    mode = "P" if fmt == "gif" else "RGB"
    image = Image.open(io.BytesIO(build(recipe(fmt, mode=mode, variant=variant, pattern="flat", seed=4))))
    assert getattr(image, "n_frames", 1) == 2
    first = image.convert("RGB").getpixel((5, 5))
    image.seek(1)
    second = image.convert("RGB").getpixel((5, 5))
    assert isinstance(first, tuple)
    assert isinstance(second, tuple)
    assert all(abs(a - b) > 20 for a, b in zip(first, second, strict=True))


def test_both_kinds_of_cmyk_jpeg_show_the_same_picture_and_differ_in_adobes_segment() -> None:
    plain, adobe = (build(Picture(format="jpeg", mode=mode)) for mode in ("CMYK", "CMYK-adobe"))
    assert b"Adobe" not in plain[:200]
    assert b"Adobe" in adobe[:200]
    one, other = (decode(data).convert("RGB").getpixel((300, 20)) for data in (plain, adobe))
    assert isinstance(one, tuple)
    assert isinstance(other, tuple)
    assert max(abs(a - b) for a, b in zip(one, other, strict=True)) < 8


@pytest.mark.parametrize(
    ("width", "height"), [(7680, 4320), (5760, 5760), (5759, 5761), (255, 257), (5761, 5760), (16, 2_073_600)]
)
def test_pictures_at_the_pixel_edges_are_small_and_quick(width: int, height: int) -> None:
    picture = Picture(width, height, mode="1", pattern="flat")
    build(picture)
    start = time.process_time()
    data = build(picture)
    spent = time.process_time() - start
    assert probe_image(data).size == (width, height)
    assert len(data) < 40_000
    assert spent < 0.5  # about 15 ms on an idle machine


def test_flat_and_checkered_pictures_are_the_same_whether_rows_repeat_or_not() -> None:
    for pattern in ("flat", "checker"):
        tall = Picture(40, 100, mode="RGB", pattern=pattern, seed=2)
        assert opened(build(tall)).tobytes() == paint(tall).tobytes()


@pytest.mark.parametrize("padding", ["zeros", "noise"])
@pytest.mark.parametrize("length", [400, 2**20, 2**20 + 200, 24_999_999, 26_214_400])
def test_padding_gives_the_exact_size_and_a_picture_that_still_reads(length: int, padding: Any) -> None:
    picture = Picture(256, 256, mode="1", pattern="flat", pad_to=length, padding=padding)
    data = build(picture)
    assert len(data) == length
    assert opened(data).size == (256, 256)
    assert all(end - start <= 2**20 + 12 for _, start, end in png.chunks(data))


@pytest.mark.parametrize("over", range(12, 40))
def test_padding_is_exact_for_the_smallest_amounts(over: int) -> None:
    bare = build(Picture(8, 8))
    assert len(build(Picture(8, 8, pad_to=len(bare) + over))) == len(bare) + over


def test_padding_less_than_a_chunk_is_refused() -> None:
    bare = build(Picture(8, 8))
    with pytest.raises(ValueError, match="cannot be padded"):
        build(Picture(8, 8, pad_to=len(bare) + 11))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("fmt", sorted(WITH_EXIF))
def test_the_orientation_is_where_readers_look_for_it(fmt: Format, orientation: int) -> None:
    picture = recipe(fmt, orientation=orientation)
    data = build(picture)
    assert metadata_of(data).get("exif", {}).get("Orientation", "1") == str(orientation)
    assert picture.displayed == ((256, 320) if orientation >= 5 else (320, 256))
    if fmt == "jpeg":
        assert Image.open(io.BytesIO(data)).getexif().get(0x0112, 1) == orientation


@pytest.mark.parametrize("fmt", sorted(WITH_EXIF))
def test_camera_place_and_owner_are_told_and_only_when_asked_for(fmt: Format) -> None:
    data = build(recipe(fmt, camera=True))
    told = metadata_of(data)
    assert told["gps"]["GPSLatitude"] == "12.0, 34.0, 56.0"
    assert all(word in json.dumps(told) for word in CAMERA_WORDS)
    assert all(word.encode() in data for word in CAMERA_WORDS)
    assert ("xmp" in told) == (fmt != "tiff")
    assert metadata_of(build(recipe(fmt))) == {}


@pytest.mark.parametrize("fmt", [*sorted(WITH_EXIF), "gif"])
def test_the_adult_mark_lies_in_the_metadata(fmt: Format) -> None:
    told = metadata_of(build(recipe(fmt, adult=True)))
    assert ADULT_MARK in json.dumps(told)
    assert ADULT_MARK.encode() not in build(recipe(fmt))
    if fmt == "png":
        assert told == {"text": {"Comment": ADULT_MARK}}


@pytest.mark.parametrize(("grey", "space"), [(False, "RGB"), (True, "GRAY")])
def test_the_profiles_are_valid(grey: bool, space: str) -> None:
    profile = ImageCms.ImageCmsProfile(io.BytesIO(icc_profile(grey=grey)))
    assert profile.profile.xcolor_space.strip() == space
    inside = "L" if grey else "RGB"
    to_srgb = ImageCms.buildTransform(profile, ImageCms.createProfile("sRGB"), inside, "RGB")
    assert to_srgb.apply(Image.new(inside, (2, 2), 0)).getpixel((0, 0)) == (0, 0, 0)


@pytest.mark.parametrize("fmt", sorted(WITH_EXIF))
def test_the_profile_is_embedded(fmt: Format) -> None:
    data = build(recipe(fmt, profile=True))
    assert opened(data).info["icc_profile"] == icc_profile(grey=False)
    assert metadata_of(data) == {"icc_bytes": len(icc_profile(grey=False))}


def broken() -> list[Picture]:
    """Every format with every defect that makes it unreadable."""
    found = []
    for fmt in MODES:
        for defect in get_args(Defect):
            for variant in VARIANTS[fmt]:
                claimed = (50_000, 50_000) if defect == "lying-header" else None
                try:
                    picture = recipe(
                        fmt,
                        mode="P" if fmt == "gif" else "RGB",
                        variant=variant,
                        defect=defect,
                        claimed=claimed,
                    )
                except ValueError:
                    continue
                found += [] if picture.readable else [picture]
    return found


@pytest.mark.parametrize(
    "picture", broken(), ids=lambda picture: f"{picture.format}-{picture.variant}-{picture.defect}"
)
def test_a_picture_with_a_defect_cannot_be_decoded(picture: Picture) -> None:
    with pytest.raises(NotAPicture):
        decode(build(picture))
    assert decode(build(replace(picture, defect="none", claimed=None))).size == picture.stored


@pytest.mark.parametrize("keep", range(10, 100, 10))
@pytest.mark.parametrize("fmt", sorted(MODES))
def test_a_file_cut_at_any_tenth_cannot_be_decoded(fmt: Format, keep: int) -> None:
    whole = recipe(fmt, pattern="detail")
    data = build(replace(whole, defect="truncated", keep_percent=keep))
    assert data == build(whole)[: len(data)]
    with pytest.raises(NotAPicture):
        decode(data)


@pytest.mark.parametrize(("fmt", "variant"), [("png", "plain"), ("jpeg", "plain"), ("webp", "lossless")])
def test_broken_pixels_stand_behind_a_good_header(fmt: Format, variant: Variant) -> None:
    data = build(recipe(fmt, variant=variant, defect="broken-pixels"))
    assert probe_image(data).size == (320, 256)
    with pytest.raises(OSError, match=r"broken data|failed to read"):
        opened(data)


@pytest.mark.parametrize("fmt", ["png", "jpeg", "bmp"])
def test_a_lying_header_claims_its_size_and_is_never_unpacked(fmt: Format) -> None:
    data = build(recipe(fmt, defect="lying-header", claimed=(50_000, 40_000)))
    assert probe_image(data).size == (50_000, 40_000)
    with pytest.raises(NotAPicture, match="50000x40000"):
        decode(data)


@pytest.mark.parametrize("fmt", sorted(MODES))
def test_harmless_additions_leave_the_picture_as_it_was(fmt: Format) -> None:
    whole = recipe(fmt)
    for defect in ("trailing-data", "polyglot"):
        data = build(replace(whole, defect=defect))
        assert data.startswith(build(whole))
        assert opened(data).tobytes() == opened(build(whole)).tobytes()
    with zipfile.ZipFile(io.BytesIO(build(replace(whole, defect="polyglot")))) as archive:
        assert archive.namelist() == ["page.html"]


@pytest.mark.parametrize("kind", IMPOSTORS)
def test_an_impostor_is_no_picture(kind: Any) -> None:
    assert impostor(kind) == impostor(kind)
    with pytest.raises(NotAPicture):
        probe_image(impostor(kind))
    with pytest.raises(OSError, match="cannot identify"):
        Image.open(io.BytesIO(impostor(kind)))


def test_equal_recipes_give_equal_bytes_and_seeds_other_pictures() -> None:
    for fmt in MODES:
        assert build(recipe(fmt, pattern="detail")) == build(recipe(fmt, pattern="detail"))
        assert build(recipe(fmt, pattern="detail")) != build(recipe(fmt, pattern="detail", seed=1))


def test_the_cache_gives_what_build_gives_and_keeps_within_its_bound() -> None:
    cache = PictureCache(max_bytes=20_000)
    for seed in range(30):
        picture = Picture(seed=seed)
        assert cache.build(picture) == build(picture)
        assert cache.build(picture) is cache.build(picture)
        assert cache.held_bytes <= 20_000
    big = Picture(pad_to=30_000)
    assert len(cache.build(big)) == 30_000
    assert cache.held_bytes <= 20_000


@pytest.mark.parametrize(
    "picture",
    [
        Picture(),
        Picture(5, 7, format="jpeg", orientation=6, camera=True, adult=True, profile=True),
        Picture(9, 9, defect="lying-header", claimed=(50_000, 50_000), pad_to=4000, padding="noise"),
    ],
)
def test_a_recipe_survives_json(picture: Picture) -> None:
    told = json.loads(json.dumps(picture.to_json()))
    assert Picture.from_json(told) == picture
    assert hash(Picture.from_json(told)) == hash(picture)


def test_json_says_only_what_is_not_plain() -> None:
    assert Picture(mode="L").to_json() == {"width": 320, "height": 256, "mode": "L"}


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ({"width": 0}, "width cannot be 0"),
        ({"width": True}, "width cannot be True"),
        ({"colour": "red"}, "a picture has no colour"),
        ({"format": "heic"}, "format cannot be 'heic'"),
        ({"format": "gif"}, "gif has no mode RGB"),
        ({"format": "jpeg", "mode": "RGBA"}, "jpeg has no mode RGBA"),
        ({"format": "bmp", "orientation": 6}, "bmp carries no EXIF"),
        ({"orientation": 9}, "orientation cannot be 9"),
        ({"format": "ico", "width": 257}, "ico has no side longer than 256"),
        ({"format": "jpeg", "pad_to": 9000}, "only png can be padded"),
        ({"defect": "lying-header"}, "claimed and lying-header go together"),
        ({"defect": "lying-header", "claimed": [1]}, "claimed cannot be"),
        ({"format": "jpeg", "defect": "bad-checksum"}, "only png has checksums"),
        ({"variant": "animated", "defect": "truncated"}, "first frame"),
        ({"format": "avif", "variant": "animated", "orientation": 6}, "turned animations"),
        ({"keep_percent": 100}, "keep_percent"),
    ],
)
def test_a_recipe_that_cannot_be_built_is_refused_in_a_sentence(told: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Picture.from_json(told)
