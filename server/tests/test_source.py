"""Bytes of the image out of base64, data URLs and uploads."""

from __future__ import annotations

import asyncio
import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from venice_mock.contract import load_contract
from venice_mock.edit.fields import Text, Upload
from venice_mock.edit.source import decode_base64, image_bytes
from venice_mock.errors import ApiError

CONTRACT = load_contract("2026-06-19")


def bytes_of(image: Upload | Text) -> bytes:
    return bytes(asyncio.run(image_bytes(CONTRACT, image, ("none",))))


@pytest.mark.rules("EDIT-IMG-002", "EDIT-IMG-027")
@given(st.binary(min_size=1), st.integers(1, 80))
def test_base64_is_read_in_every_dialect_that_node_reads(data: bytes, width: int) -> None:
    plain = base64.b64encode(data)
    lines = b"\r\n".join(plain[i : i + width] for i in range(0, len(plain), width))
    for text in (plain, plain.rstrip(b"="), base64.urlsafe_b64encode(data), lines, b" " + plain + b"\n"):
        assert decode_base64(text) == data
        assert bytes_of(Text(memoryview(text))) == data


@pytest.mark.rules("EDIT-IMG-008")
@pytest.mark.parametrize(
    "text",
    [
        b"not base64!",
        b"A",
        b"====",
        b"QUJD=QUJD",
        b"QUJD trailing!",
        "QUJDé".encode(),
        b"\xff\xfe",
        b"ftp://host/a.png",
        b"file:///etc/passwd",
        b"//host/xyz.png",
        b"javascript:alert(1)",
        b"data:image/png;base64,",
        b"data:image/png;base64,***",
        b"data:nothing",
    ],
)
def test_a_string_that_holds_no_image_is_a_fault_at_image(text: bytes) -> None:
    with pytest.raises(ApiError) as caught:
        bytes_of(Text(text))
    assert caught.value.status == 400
    assert list(caught.value.body["details"]) == ["_errors", "image"]
    assert caught.value.rule == "EDIT-IMG-008"


@pytest.mark.rules("EDIT-IMG-004")
@pytest.mark.parametrize(
    "start", [b"data:image/png;base64,", b"DATA:image/jpeg;name=a.jpg;BASE64,", b"data:;base64,"]
)
def test_a_data_url_is_read_whatever_type_it_claims(start: bytes) -> None:
    assert bytes_of(Text(start + b"QUJD")) == b"ABC"


@pytest.mark.rules("EDIT-IMG-004")
def test_a_data_url_without_base64_is_percent_decoded() -> None:
    assert bytes_of(Text(b"data:image/svg+xml,%3Csvg%3E")) == b"<svg>"


@pytest.mark.rules("EDIT-IMG-004")
def test_a_long_percent_encoded_data_url_is_refused_rather_than_undone() -> None:
    with pytest.raises(ApiError) as caught:
        bytes_of(Text(b"data:image/png," + b"%41" * 100_000))
    assert caught.value.status == 400


@pytest.mark.rules("EDIT-IMG-016", "EDIT-IMG-018")
@pytest.mark.parametrize("wrap", [Upload, lambda data: Text(base64.b64encode(data))])
def test_the_size_limit_counts_decoded_bytes(wrap: object) -> None:
    assert callable(wrap)
    limit = CONTRACT.edition.limits.max_file_bytes_exclusive
    assert len(bytes_of(wrap(bytes(limit - 1)))) == limit - 1
    with pytest.raises(ApiError) as caught:
        bytes_of(wrap(bytes(limit)))
    assert caught.value.status == 413
    assert caught.value.body == {
        "code": "PAYLOAD_TOO_LARGE",
        "error": "File exceeds the maximum allowed size of 25 MB.",
    }


@pytest.mark.rules("EDIT-IMG-003")
def test_a_url_is_not_fetched_when_fetching_is_off() -> None:
    with pytest.raises(ApiError) as caught:
        bytes_of(Text(b"HTTP://127.0.0.1:9/a.png"))
    assert caught.value.status == 400
    assert "not allowed" in str(caught.value.body["details"])
