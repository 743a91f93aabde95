"""Checks of the group ``image``: how a picture may be sent, and which files are pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote_from_bytes

from hypothesis import strategies as st
from PIL import Image, ImageStat

from venice_contract.judging.check import check
from venice_contract.judging.expect import NotApplicable, equal, error_text, expect, faults_told
from venice_contract.judging.facts import Facts
from venice_contract.judging.probe import Probe
from venice_contract.pictures.impostors import IMPOSTORS, Impostor, impostor
from venice_contract.pictures.look import decode
from venice_contract.pictures.painting import paint
from venice_contract.pictures.recipe import MODES, Format, Mode, Picture
from venice_contract.pictures.strategies import broken_pictures, plain_sizes, sound_pictures
from venice_contract.rules.carrying import data_url, in_json, in_text_part, picture_of, uploaded, uploaded_as

Told = dict[str, Any]  # a recipe as JSON

SMALL = Picture(8, 8)  # too small: refused once somebody has looked at it
_USUAL: tuple[Format, ...] = ("jpeg", "png", "webp")


def told(*pictures: Picture) -> list[Told]:
    """Recipes as case files hold them."""
    return [picture.to_json() for picture in pictures]


# --- how a picture is sent ----------------------------------------------------------------------------------


@check(
    "EDIT-IMG-001",
    witnesses=(
        ("picture.png", "image/png"),
        ("blob", "application/octet-stream"),
        ("my picture.png", None),
    ),
    spends=1,
)
def an_uploaded_file_is_edited(probe: Probe, value: Sequence[str | None]) -> None:
    """A part named image with a file name, whatever media type it declares or none."""
    filename, media_type = value
    probe.succeeds(uploaded_as(probe, probe.picture(), filename, media_type))


_LENGTHS = (4001, 900_000, 4002, 4000)  # bytes: with each padding, and longer than many a limit on JSON


@check(
    "EDIT-IMG-002",
    witnesses=told(*(Picture(256, 256, pad_to=length, padding="noise") for length in _LENGTHS)),
    spends=1,
)
def base64_in_json_is_edited(probe: Probe, value: Told) -> None:
    """Standard base64 with one, with two and without padding characters, short and long."""
    probe.succeeds(in_json(probe, Picture.from_json(value)))


@check(
    "EDIT-IMG-004",
    witnesses=(
        "data:image/png;base64,", "data:image/jpeg;base64,", "data:image/webp;base64,",
        "data:;base64,", "DATA:image/png;base64,", "data:image/png,",
    ),
)  # fmt: skip
def a_data_url_stands_for_its_picture(probe: Probe, head: str) -> None:
    """On the mock it is judged as the picture inside, here one that is too small."""
    data = probe.picture(SMALL)
    plain = probe.unmasked(in_json(probe, SMALL))
    text = data_url(data).partition(",")[2] if "base64" in head else quote_from_bytes(data)
    reply = probe.unmasked(in_json(probe, head + text))
    expect(reply.status < 500, f"{head} is answered {reply.status}")
    same = (reply.status, error_text(reply)) == (plain.status, error_text(plain))
    probe.note(f"{head} {'is read as the picture inside' if same else f'is answered {reply.status}'}")
    expect(same or not probe.steerable, f"{head} is not read as the picture inside: {error_text(reply)}")


@check("EDIT-IMG-005", witnesses=(10_000, 900_000), spends=1)
def base64_in_a_text_part_is_edited(probe: Probe, length: int) -> None:
    """On the mock a part without a file name may hold base64, of less and of more than 1 MiB."""
    text = probe.image_text(Picture(256, 256, pad_to=length, padding="noise"))
    reply = probe.unmasked(in_text_part(probe, text))
    expect(reply.status < 500, f"{len(text)} characters of base64 in a text part are answered {reply.status}")
    probe.note(f"{len(text)} characters of base64 in a text part are answered {reply.status}")
    expect(reply.status == 200 or not probe.steerable, f"answered {reply.status}, expected 200")


_SPELLINGS: dict[str, Callable[[str], str]] = {
    "line breaks": lambda text: "\r\n".join(text[i : i + 76] for i in range(0, len(text), 76)),
    "spaces": lambda text: f" {text[:10]} {text[10:]} ",
    "the URL-safe alphabet": lambda text: text.replace("+", "-").replace("/", "_"),
    "missing padding": lambda text: text.rstrip("="),
    "trailing text": lambda text: f"{text}!trailing",
}


@check("EDIT-IMG-027", witnesses=tuple(_SPELLINGS))
def other_spellings_of_base64_are_recorded(probe: Probe, spelling: str) -> None:
    """Each is answered without a 5xx; whether it is read as the same picture is noted."""
    picture = Picture(16, 16, pattern="detail", pad_to=1000, padding="noise")  # too small
    plain = probe.unmasked(in_json(probe, picture))
    reply = probe.unmasked(in_json(probe, _SPELLINGS[spelling](probe.image_text(picture))))
    expect(400 <= reply.status < 500, f"base64 with {spelling} is answered {reply.status}")
    passes = (reply.status, error_text(reply)) == (plain.status, error_text(plain))
    probe.note(f"base64 with {spelling} {'passes' if passes else 'is refused'}")


# --- what is no picture -------------------------------------------------------------------------------------


@check("EDIT-IMG-006", witnesses=("json", "form"))
def a_picture_is_required(probe: Probe, encoding: str) -> None:
    """Without one: 400, at fault is the image."""
    reply = probe.refused(probe.edit(probe.good(image=...), form=encoding == "form"))
    named = faults_told(reply)
    if named is not None:
        expect("image" in named, f"the details name {sorted(named)} and not image")


@check("EDIT-IMG-007", witnesses=("", None, 5, ["x"], {"url": "x"}, True, 1.5, []))
def what_is_no_text_is_no_picture(probe: Probe, image: Any) -> None:
    """400 for each."""
    probe.refused(in_json(probe, image))


@check("EDIT-IMG-007", witnesses=("picture.png", None))
def an_empty_part_is_no_picture(probe: Probe, filename: str | None) -> None:
    """400 for a file and for a text of no bytes."""
    probe.refused(uploaded_as(probe, b"", filename, None))


_NO_ADDRESSES = (
    "not a picture at all!",
    "file:///picture.png",
    "ftp://localhost/picture.png",
    "javascript:alert(1)",
    "//localhost/picture.png?",
    "http:/localhost/picture.png",
    "httpx://localhost/picture.png",
    "C:\\pictures\\picture.png",
)


def _no_base64(_facts: Facts) -> st.SearchStrategy[str]:
    """Texts that are neither base64 in any spelling nor begin as an address does."""
    letters = st.characters(codec="utf-8")
    return st.text(letters, min_size=1, max_size=40).map(lambda text: f"{text}!").filter(
        lambda text: not text.lower().lstrip().startswith(("http://", "https://", "data:"))
    )  # fmt: skip


@check("EDIT-IMG-008", witnesses=_NO_ADDRESSES, strategy=_no_base64)
def a_text_that_is_no_picture_is_refused(probe: Probe, text: str) -> None:
    """400 for words and for addresses of other kinds."""
    probe.refused(in_json(probe, text))


@check("EDIT-IMG-009", witnesses=IMPOSTORS)
def other_files_are_refused(probe: Probe, kind: Impostor) -> None:
    """400 for a whole and valid file of another kind, uploaded and as base64."""
    data = impostor(kind)
    probe.refused(uploaded(probe, data))
    probe.refused(in_json(probe, data))


_DAMAGED = (
    Picture(256, 256, pattern="detail", defect="bad-checksum"),
    Picture(256, 256, format="jpeg", pattern="detail", defect="truncated", keep_percent=50),
    Picture(256, 256, pattern="detail", defect="truncated", keep_percent=90),
    *(Picture(256, 256, format=fmt, defect="header-only") for fmt in _USUAL),
    Picture(256, 256, pattern="detail", defect="broken-pixels"),
    Picture(256, 256, format="jpeg", defect="broken-pixels"),
    Picture(256, 256, format="webp", variant="lossless", defect="broken-pixels"),
    *(
        Picture(256, 256, format=fmt, pattern="detail", defect="truncated", keep_percent=percent)
        for fmt in _USUAL
        for percent in range(10, 100, 10)
        if (fmt, percent) not in (("jpeg", 50), ("png", 90))
    ),
)


@check(
    "EDIT-IMG-010",
    witnesses=told(*_DAMAGED),
    strategy=lambda facts: broken_pictures(plain_sizes(facts.edition.limits)).map(Picture.to_json),
)
def a_damaged_picture_is_refused(probe: Probe, value: Told) -> None:
    """400 for a file that is cut short, fails a checksum or cannot be unpacked."""
    probe.refused(uploaded(probe, Picture.from_json(value)))


# --- formats and modes --------------------------------------------------------------------------------------

_VARIANTS = (
    Picture(256, 256, format="jpeg"),
    Picture(256, 256, format="webp"),
    Picture(256, 256),
    Picture(256, 256, format="jpeg", variant="progressive"),
    Picture(256, 256, variant="interlaced"),
    Picture(256, 256, format="webp", variant="lossless"),
    Picture(256, 256, format="webp", variant="lossless", mode="RGBA"),
    Picture(257, 259, format="jpeg", mode="L"),
    Picture(256, 256, mode="RGBA"),
)  # fmt: skip


@st.composite
def _usual_variants(draw: st.DrawFn, facts: Facts) -> Told:
    """Any of the witnesses' kinds, with other contents and at other sizes."""
    kind = draw(st.sampled_from(_VARIANTS))
    width, height = draw(plain_sizes(facts.edition.limits))
    pattern = draw(st.sampled_from(("gradient", "flat", "checker", "detail")))
    seed = draw(st.integers(0, 9))
    return kind.to_json() | {"width": width, "height": height, "pattern": pattern, "seed": seed}


@check("EDIT-IMG-019", witnesses=told(*_VARIANTS), strategy=_usual_variants, spends=1)
def usual_pictures_are_edited(probe: Probe, value: Told) -> None:
    """200 for JPEG, PNG and WebP as cameras and programs write them."""
    probe.succeeds(uploaded(probe, Picture.from_json(value)))


_ALSO_BY_THE_MOCK = (
    Picture(256, 256, format="gif", mode="P"),
    Picture(256, 256, format="bmp"),
    Picture(256, 256, format="tiff"),
    Picture(256, 256, format="avif"),
)


@check("EDIT-IMG-020", witnesses=told(*_ALSO_BY_THE_MOCK), spends=1)
def other_formats_are_edited_by_the_mock(probe: Probe, value: Told) -> None:
    """200 there; elsewhere the status is noted."""
    reply = probe.unmasked(uploaded(probe, Picture.from_json(value)))
    expect(reply.status < 500, f"{value['format']} is answered {reply.status}")
    probe.note(f"{value['format']} is answered {reply.status}")
    expect(reply.status == 200 or not probe.steerable, f"answered {reply.status}, expected 200")


_HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(4096)


@check("EDIT-IMG-020", witnesses=("ico", "heic"), spends=1)
def rare_formats_are_recorded(probe: Probe, kind: str) -> None:
    """Any answer but a 5xx."""
    data = probe.picture(Picture(256, 256, format="ico")) if kind == "ico" else _HEIC
    reply = probe.unmasked(uploaded_as(probe, data, f"picture.{kind}", None))
    expect(reply.status < 500, f"{kind} is answered {reply.status}")
    probe.note(f"{kind} is answered {reply.status}")


_FIRST_MODES: tuple[tuple[Format, Mode], ...] = (
    ("jpeg", "CMYK-adobe"),
    ("png", "I;16"),
    ("png", "P+transparency"),
)
_MODES = (
    *(Picture(256, 256, format=fmt, mode=mode) for fmt, mode in _FIRST_MODES),
    *(
        Picture(256, 256, format=fmt, mode=mode)
        for fmt in _USUAL
        for mode in MODES[fmt]
        if (fmt, mode) not in _FIRST_MODES
    ),
    *(Picture(256, 256, format=fmt, profile=True) for fmt in _USUAL),
    Picture(256, 256, mode="LA", profile=True),
)
_OF_THE_MOCK: tuple[Format, ...] = (*_USUAL, "gif", "bmp", "tiff", "avif")


def _any_picture(facts: Facts) -> st.SearchStrategy[Told]:
    sizes = plain_sizes(facts.edition.limits)
    return sound_pictures(sizes, formats=_OF_THE_MOCK, turned=True, said=True).map(Picture.to_json)


@check("EDIT-IMG-021", witnesses=told(*_MODES), strategy=_any_picture, spends=1)
def no_colour_mode_breaks_the_server(probe: Probe, value: Told) -> None:
    """No 5xx, whatever the pixels are made of and whatever the file says beside them."""
    picture = Picture.from_json(value)
    reply = probe.unmasked(uploaded(probe, picture))
    expect(reply.status < 500, f"{picture.format} of mode {picture.mode} is answered {reply.status}")


# --- what decides -------------------------------------------------------------------------------------------


@check("EDIT-IMG-024", witnesses=("jpeg", "webp", "png"), spends=1)
def the_bytes_decide_what_an_upload_is(probe: Probe, fmt: Format) -> None:
    """A picture that is called another one is edited all the same."""
    called = "image/png" if fmt != "png" else "image/jpeg"
    data = probe.picture(Picture(256, 256, format=fmt))
    reply = uploaded_as(probe, data, f"picture.{called[6:]}", called)
    equal(probe.unmasked(reply).status, 200, f"the status of a {fmt} that is called {called}")


@check("EDIT-IMG-024", witnesses=("image/png", "text/html", "image/svg+xml"), spends=1)
def the_bytes_decide_what_a_data_url_is(probe: Probe, media_type: str) -> None:
    """The data URL of a JPEG is taken under any name by a mock, which takes data URLs at all."""
    if not probe.steerable:
        raise NotApplicable("only the mock promises to take data URLs")
    data = probe.picture(Picture(256, 256, format="jpeg"))
    reply = in_json(probe, data_url(data, media_type))
    equal(reply.status, 200, f"the status of a JPEG in a data URL of {media_type}")


# --- which pixels count -------------------------------------------------------------------------------------


def _both_ways(facts: Facts) -> str:
    """The cheapest model that has one ratio both lying and standing."""
    ratios = {"16:9", "9:16"}
    able = [m for m in facts.models if m.constraints and ratios <= set(m.constraints.aspect_ratios)]
    return facts.cheapest(able or None).id


@check(
    "EDIT-IMG-022",
    witnesses=told(
        *(Picture(640, 360, format=fmt, orientation=6) for fmt in _USUAL),
        *(Picture(640, 360, format="jpeg", orientation=turn) for turn in (1, 2, 3, 4, 5, 7, 8)),
    ),
    spends=lambda facts, _value: facts.price({"model": _both_ways(facts)}),
)
def a_picture_is_turned_as_exif_says(probe: Probe, value: Told) -> None:
    """On the mock the answer stands or lies as the picture is displayed; elsewhere what it does is noted."""
    picture = Picture.from_json(value)
    reply = probe.succeeds(uploaded(probe, picture, model=_both_ways(probe.facts)))
    width, height = picture_of(reply).size
    sees = f"640x360 with orientation {picture.orientation} gives {width}x{height}"
    probe.note(sees)
    displayed = picture.displayed
    fits = (width > height) == (displayed[0] > displayed[1])
    expect(fits or not probe.steerable, f"{sees}, and it is displayed as {displayed[0]}x{displayed[1]}")


_MOVING = (
    Picture(256, 256, format="gif", mode="P", variant="animated", pattern="flat"),
    Picture(256, 256, format="webp", variant="animated", pattern="flat"),
    Picture(256, 256, variant="animated", pattern="flat"),
    Picture(256, 256, format="tiff", variant="multipage", pattern="flat"),
)


@check("EDIT-IMG-023", witnesses=told(*_MOVING), spends=1, needs={"paint"})
def the_first_frame_is_edited(probe: Probe, value: Told) -> None:
    """The answer's colour is nearer to the first frame than to the second, which is its negative."""
    picture = Picture.from_json(value)
    reply = probe.unmasked(uploaded(probe.painted(), picture, prompt="as it is"))
    expect(reply.status < 500, f"answered {reply.status}")
    if reply.status != 200:
        probe.note(f"{picture.format} with two frames is answered {reply.status}")
        expect(not probe.steerable, f"answered {reply.status}, expected 200")
        return
    shown = _colour(reply.body)
    far = [_distance(shown, _colour(paint(picture, frame))) for frame in (0, 1)]
    probe.note(f"of {picture.format} the {'first' if far[0] < far[1] else 'second'} frame is edited")
    expect(far[0] < far[1] or not probe.steerable, "the second frame is edited")


def _colour(picture: bytes | Image.Image) -> list[float]:
    """The mean of red, green and blue."""
    image = picture if isinstance(picture, Image.Image) else decode(picture)
    return ImageStat.Stat(image.convert("RGB")).mean


def _distance(one: Sequence[float], other: Sequence[float]) -> float:
    return sum(abs(a - b) for a, b in zip(one, other, strict=True))
