"""Ranges of a file as a file: exactly their bytes, however they are read."""

from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st

import pictures
from venice_mock.edit.opening import decode, probe
from venice_mock.edit.pieces import occurrences, stream_of

RANGES = (
    st.lists(st.integers(0, 300), max_size=8)
    .map(sorted)
    .map(lambda cuts: list(zip(cuts[::2], cuts[1::2], strict=False)))
)
STEPS = st.lists(
    st.tuples(st.sampled_from(["read", "start", "here", "end"]), st.integers(0, 120)), max_size=20
)


@given(st.binary(min_size=300, max_size=300), RANGES, STEPS)
def test_a_file_of_pieces_reads_as_the_pieces_joined_do(
    data: bytes, ranges: list[tuple[int, int]], steps: list[tuple[str, int]]
) -> None:
    joined = io.BytesIO(b"".join(data[start:end] for start, end in ranges) if ranges else data)
    file = stream_of(bytearray(data), ranges)
    for kind, number in steps:
        if kind == "read":
            assert file.read(number) == joined.read(number)
        elif kind == "start":
            assert file.seek(number) == joined.seek(number)
        elif kind == "here":
            assert file.seek(number, io.SEEK_CUR) == joined.seek(number, io.SEEK_CUR)
        else:
            assert file.seek(0, io.SEEK_END) == joined.seek(0, io.SEEK_END)
        assert file.tell() == joined.tell()
    assert file.read() == joined.read()


@given(st.lists(st.sampled_from([b"\xff", b"\xda", b"x"]), min_size=20, max_size=20), st.integers(0, 20))
def test_marks_are_counted_within_the_pieces_alone(letters: list[bytes], cut: int) -> None:
    data = b"".join(letters)
    pieces = [(0, cut), (cut, 20)]
    expected = data[:cut].count(b"\xff\xda") + data[cut:].count(b"\xff\xda")
    for kind in (bytes, bytearray, memoryview):
        assert occurrences(kind(data), pieces, b"\xff\xda") == expected
        assert occurrences(kind(data), (), b"\xff\xda") == data.count(b"\xff\xda")


def test_the_same_picture_comes_of_bytes_of_whatever_kind() -> None:
    for data in (pictures.png((300, 200)), pictures.jpeg(comment=b"at home")):
        made = set()
        for kind in (bytes, bytearray, memoryview):
            found = probe(kind(data), min_pixels=1, max_pixels=1 << 20)
            made.add(decode(kind(data), found, cover=(100, 80)).tobytes())
        assert len(made) == 1
