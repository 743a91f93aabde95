"""What a picture can say beside its pixels: EXIF, XMP, an ICC profile, the adult mark. Bytes only, no files.

Everything here is invented and easy to recognise, so that a check can ask whether it leaked into an answer.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from venice_contract.pictures.recipe import Picture

ADULT_MARK = "mock:adult"
CAMERA_MAKER = "Suitecam"
CAMERA_OWNER = "Owner Never To Be Told"
CAMERA_PLACE = "Cellar Behind The Old Mill"
CAMERA_WORDS = (CAMERA_MAKER, CAMERA_OWNER, CAMERA_PLACE)  # what a server must not pass on
LATITUDE = (12, 34, 56)  # degrees, minutes, seconds north
LONGITUDE = (65, 43, 21)  # east

_MAKE, _MODEL, _ORIENTATION, _ARTIST = 0x010F, 0x0110, 0x0112, 0x013B
_EXIF_IFD, _GPS_IFD = 0x8769, 0x8825
_TAKEN, _COMMENT, _OWNER = 0x9003, 0x9286, 0xA430


def exif_block(picture: Picture, *, mark: bool) -> bytes:
    """The TIFF structure of an EXIF block, without the ``Exif`` prefix; empty when there is nothing to say.

    ``mark``: the adult mark goes in here, as user comment, because the format has no better place.
    """
    exif = Image.Exif()
    if picture.orientation != 1:
        exif[_ORIENTATION] = picture.orientation
    details: dict[int, object] = {}
    if picture.camera:
        exif[_MAKE], exif[_MODEL], exif[_ARTIST] = CAMERA_MAKER, f"{CAMERA_MAKER} 9", CAMERA_OWNER
        details |= {_TAKEN: "2001:02:03 04:05:06", _OWNER: CAMERA_OWNER, _COMMENT: _comment(CAMERA_PLACE)}
        exif.get_ifd(_GPS_IFD).update({1: "N", 2: _degrees(LATITUDE), 3: "E", 4: _degrees(LONGITUDE)})
    if mark and picture.adult:
        details[_COMMENT] = _comment(ADULT_MARK)
    if details:
        exif.get_ifd(_EXIF_IFD).update(details)
    block = exif.tobytes() if len(exif) or details else b""
    return block.removeprefix(b"Exif\0\0")


def xmp_packet(picture: Picture) -> bytes:
    """An XMP packet that names owner and place; empty without ``camera``."""
    if not picture.camera:
        return b""
    return (
        '<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
        'xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" '
        f'photoshop:City="{CAMERA_PLACE}" photoshop:Credit="{CAMERA_OWNER}"/></rdf:RDF></x:xmpmeta>'
        '<?xpacket end="w"?>'
    ).encode("ascii")


def icc_profile(*, grey: bool) -> bytes:
    """A small version 2 profile with gamma 2.2; in colour with primaries wider than sRGB's."""
    curve = struct.pack(">4sIIH", b"curv", 0, 1, round(2.2 * 256))
    parts: dict[bytes, bytes] = {
        b"desc": _described("venice-contract test profile"),
        b"cprt": b"text\0\0\0\0no rights reserved\0",
        b"wtpt": _xyz(0.9642, 1.0, 0.8249),
    }
    if grey:
        parts |= {b"kTRC": curve}
    else:
        parts |= {
            b"rXYZ": _xyz(0.60974, 0.31111, 0.01947),
            b"gXYZ": _xyz(0.20528, 0.62567, 0.06087),
            b"bXYZ": _xyz(0.14919, 0.06322, 0.74457),
            b"rTRC": curve,
            b"gTRC": curve,
            b"bTRC": curve,
        }
    return _profile(b"GRAY" if grey else b"RGB ", parts)


def _comment(text: str) -> bytes:
    return b"ASCII\0\0\0" + text.encode("ascii")


def _degrees(place: tuple[int, int, int]) -> tuple[IFDRational, ...]:
    return tuple(IFDRational(number, 1) for number in place)


def _xyz(*values: float) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(value * 65536) for value in values))


def _described(text: str) -> bytes:
    """A textDescriptionType: the ASCII text, and empty Unicode and Macintosh ones."""
    line = text.encode("ascii") + b"\0"
    return b"desc\0\0\0\0" + struct.pack(">I", len(line)) + line + bytes(4 + 4 + 2 + 1 + 67)


def _profile(space: bytes, parts: Mapping[bytes, bytes]) -> bytes:
    """Header, table and tags, each tag at a multiple of four bytes."""
    at, table, body = 128 + 4 + 12 * len(parts), b"", b""
    for name, value in parts.items():
        table += struct.pack(">4sII", name, at + len(body), len(value))
        body += value + bytes(-len(value) % 4)
    size = at + len(body)
    header = struct.pack(">I4sI4s4s4s", size, b"\0\0\0\0", 0x02100000, b"mntr", space, b"XYZ ")
    header += struct.pack(">6H4s", 2001, 2, 3, 4, 5, 6, b"acsp")
    header = header.ljust(68, b"\0") + struct.pack(">3i", 0xF6D6, 0x10000, 0xD32D)
    return header.ljust(128, b"\0") + struct.pack(">I", len(parts)) + table + body
