"""Whether a file carries EXIF, a place and a colour profile, in every format; broken files say nothing."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms

from pictures import SIGNATURE, png, saved, scene
from venice_mock.edit.facts import Facts, facts_of

PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def exif(*, gps: bool) -> bytes:
    """An EXIF block as Pillow writes it."""
    block = Image.Exif()
    block[0x0131] = "a camera"
    if gps:
        block[0x8825] = {1: "N", 2: (52.0, 30.0, 0.0)}
    return block.tobytes()


@pytest.mark.parametrize("fmt", ["PNG", "JPEG", "WEBP", "AVIF"])
@pytest.mark.parametrize("icc", [False, True])
@pytest.mark.parametrize(("has_exif", "gps"), [(False, False), (True, False), (True, True)])
def test_every_format_that_can_carry_them_is_read(fmt: str, icc: bool, has_exif: bool, gps: bool) -> None:
    options: dict[str, object] = {"exif": exif(gps=gps)} if has_exif else {}
    if icc:
        options["icc_profile"] = PROFILE
    data = saved(scene((64, 64)), fmt, **options)
    found = facts_of(data)
    assert found.format == fmt
    assert (found.exif, found.gps) == (has_exif, gps)
    assert found.icc is icc or (fmt == "AVIF" and not icc)  # an AVIF always says its colours somehow


@pytest.mark.parametrize("fmt", ["GIF", "BMP", "TIFF"])
def test_the_others_are_known_by_name(fmt: str) -> None:
    assert facts_of(saved(scene((64, 64)), fmt)) == Facts(fmt)


def test_a_tiff_with_a_place_says_so() -> None:
    entry = struct.pack("<HHII", 0x8825, 4, 1, 26)
    data = b"II*\0" + struct.pack("<IH", 8, 1) + entry + bytes(20)
    assert facts_of(data) == Facts("TIFF", exif=True, gps=True)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"RIFF",
        b"\xff\xd8\xff",
        SIGNATURE,
        b"II*\0",
        b"MM\0*\xff\xff\xff\xff",
        b"\0\0\0\x18ftyp",
        b"GIF8",
    ],
)
def test_a_broken_file_says_nothing_and_raises_nothing(data: bytes) -> None:
    found = facts_of(data)
    assert (found.exif, found.gps, found.icc) == (False, False, False)


@given(st.sampled_from(["PNG", "JPEG", "WEBP", "TIFF", "AVIF", "GIF", "BMP"]), st.data())
def test_no_bytes_make_it_fail(fmt: str, draw: st.DataObject) -> None:
    whole = _WHOLE[fmt]
    at = draw.draw(st.integers(0, min(len(whole) - 1, 400)))
    spoilt = whole[:at] + draw.draw(st.binary(max_size=12)) + whole[draw.draw(st.integers(at, len(whole))) :]
    facts_of(spoilt)


def _with_everything(fmt: str) -> bytes:
    options: dict[str, object] = {"exif": exif(gps=True)} if fmt in ("PNG", "JPEG", "WEBP", "AVIF") else {}
    return saved(scene((32, 32)), fmt, **options)


_WHOLE = {fmt: _with_everything(fmt) for fmt in ("PNG", "JPEG", "WEBP", "TIFF", "AVIF", "GIF", "BMP")}


def test_a_png_of_ours_has_none() -> None:
    assert facts_of(png()) == Facts("PNG")
