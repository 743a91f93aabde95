"""The two libraries that pack PNGs: the same pixels from both, and a server that says which it has."""

from __future__ import annotations

import subprocess
import sys
import zlib
from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

import pictures
from conftest import MakeClient
from tools import missing
from venice_mock import edit_bytes, read_request
from venice_mock.edit.deflate import FASTEST, INSTALLED, ZLIB, Deflate
from venice_mock.sample import sample_png

WITHOUT = """
import sys
sys.modules["isal"] = None  # as if it were not there
from venice_mock.edit.deflate import FASTEST, INSTALLED, ZLIB
assert FASTEST is ZLIB and INSTALLED == (ZLIB,)
from venice_mock import edit_bytes
from venice_mock.sample import sample_png
sys.stdout.buffer.write(edit_bytes(sample_png(), prompt="make it a sunset").image)
"""


def isal() -> Deflate:
    """ISA-L, if it is there."""
    if FASTEST.name != "isal":
        missing("isal is not installed (pip install isal), so ISA-L was not tried")
    return FASTEST


def packed(library: Deflate, pieces: Iterable[bytes]) -> bytes:
    stream = library.stream()
    return b"".join([*map(stream.compress, pieces), stream.flush()])


@given(st.lists(st.binary(max_size=3000), max_size=5), st.integers(1, 60))
def test_whoever_packs_the_same_bytes_come_out_and_checksums_agree(pieces: list[bytes], times: int) -> None:
    library = isal()
    pieces = [piece * times for piece in pieces]
    whole = b"".join(pieces)
    assert zlib.decompress(packed(library, pieces)) == zlib.decompress(packed(ZLIB, pieces)) == whole
    assert library.crc32(whole, 7) == zlib.crc32(whole, 7)
    assert packed(library, pieces) == packed(library, pieces)


def test_without_isal_zlib_packs_the_same_pixels_and_the_same_request() -> None:
    words = [sys.executable, "-W", "error", "-c", WITHOUT]
    without = subprocess.run(words, stdout=subprocess.PIPE, check=True, timeout=60).stdout
    ours = edit_bytes(sample_png(), prompt="make it a sunset").image
    assert pictures.opened(without).tobytes() == pictures.opened(ours).tobytes()
    assert read_request(without).prompt == read_request(ours).prompt


def test_isal_packs_where_it_is_installed() -> None:
    assert isal() is INSTALLED[0]


def test_the_server_says_what_packs_its_pictures(make_client: MakeClient) -> None:
    assert make_client().get("/__mock").json["png_writer"] == FASTEST.name
