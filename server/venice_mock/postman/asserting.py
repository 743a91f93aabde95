"""Assertions as lines of JavaScript for Postman's sandbox: status, headers, pictures, JSON. No request lives here."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from venice_mock.contract import Contract
from venice_mock.contract.types import Size

Lines = Sequence[str]

_MICRO = 1_000_000
# How each format says its width and height; every line reads `bytes`, a Buffer.
_READERS: Mapping[str, tuple[str, ...]] = {
    "image/png": (
        'pm.expect(bytes.toString("latin1", 0, 4)).to.equal("\\x89PNG");',
        "const size = [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];",
    ),
    "image/jpeg": (
        "pm.expect(bytes.readUInt16BE(0)).to.equal(0xffd8);",
        "let at = 2;",
        "const isFrame = (m) => m >= 0xc0 && m <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(m);",
        "while (!isFrame(bytes[at + 1])) at += 2 + bytes.readUInt16BE(at + 2);",
        "const size = [bytes.readUInt16BE(at + 7), bytes.readUInt16BE(at + 5)];",
    ),
    "image/webp": (
        'pm.expect(bytes.toString("latin1", 0, 4) + bytes.toString("latin1", 8, 12)).to.equal("RIFFWEBP");',
        'const kind = bytes.toString("latin1", 12, 16);',
        'const word = kind === "VP8L" ? bytes.readUInt32LE(21) : 0;',
        'const size = kind === "VP8X" ? [1 + bytes.readUIntLE(24, 3), 1 + bytes.readUIntLE(27, 3)]',
        '  : kind === "VP8L" ? [1 + (word & 0x3fff), 1 + ((word >> 14) & 0x3fff)]',
        "  : [bytes.readUInt16LE(26) & 0x3fff, bytes.readUInt16LE(28) & 0x3fff];",
    ),
}


def js(value: Any) -> str:
    """A value as a JavaScript literal, in ASCII."""
    return json.dumps(value)


def test(name: str, *lines: str) -> list[str]:
    """One assertion of that name."""
    return [f"pm.test({js(name)}, () => {{", *(f"  {line}" for line in lines), "});"]


def status(code: int) -> list[str]:
    """The status is ``code``."""
    return test(f"status {code}", f"pm.response.to.have.status({code});")


def stamped(contract: Contract) -> list[str]:
    """The two headers of every answer under /api/v1."""
    edition = contract.edition
    version, moment = edition.headers["version"], edition.headers["timestamp"]
    return test(
        f"headers {version} and {moment}",
        *_is(version, edition.stamp),
        *_matches(moment, r"/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/"),
    )


def headers(values: Mapping[str, str]) -> list[str]:
    """These headers with exactly these values."""
    lines = [line for name, value in values.items() for line in _is(name, value)]
    return test(f"headers {', '.join(values)}", *lines)


def header_matches(name: str, pattern: str) -> list[str]:
    """A header that the JavaScript expression ``pattern`` matches."""
    return test(f"header {name}", *_matches(name, pattern))


def content_type(media_type: str) -> list[str]:
    """The header says that type."""
    return test(f"content type {media_type}", *_is("Content-Type", media_type))


def picture(media_type: str, size: Size) -> list[str]:
    """The body is a picture of that type, by its header and by its bytes, and of that size in pixels."""
    return [
        *content_type(media_type),
        *test(
            f"the body is {media_type} of {size[0]}x{size[1]} pixels",
            "const bytes = pm.response.stream;",
            *_READERS[media_type],
            f"pm.expect(size).to.eql({js(list(size))});",
        ),
    ]


def limits(contract: Contract) -> list[str]:
    """The headers that tell how many image requests are left."""
    names = contract.edition.headers
    digits = 13 if contract.way("ratelimit-reset") == "ms" else 10
    return test(
        f"headers {names['limit_requests']}, -remaining- and -reset-",
        *_is(names["limit_requests"], str(contract.edition.limits.image_requests_per_minute)),
        *_matches(names["remaining_requests"], r"/^\d+$/"),
        *_matches(names["reset_requests"], rf"/^\d{{{digits}}}$/"),
    )


def balance(contract: Contract) -> list[str]:
    """The headers with the balance of a key's account."""
    names = contract.edition.headers
    return test(
        f"headers {names['balance_usd']} and {names['balance_diem']}",
        *_matches(names["balance_usd"], r"/^\d+(\.\d+)?$/"),
        *_matches(names["balance_diem"], r"/^\d+(\.\d+)?$/"),
    )


def price(contract: Contract, usd: Decimal) -> list[str]:
    """The edit cost so much; ``PRICED`` ran before it."""
    name = contract.edition.headers["balance_usd"]
    return test(
        f"the price is {usd} USD",
        f"const left = Number(pm.response.headers.get({js(name)}));",
        f'const spent = Math.round(pm.variables.get("usd_before") * {_MICRO}) - Math.round(left * {_MICRO});',
        f"pm.expect(spent).to.equal({int(usd * _MICRO)});",
    )


# Before an edit whose price is asserted: what is on the key's account.
PRICED: Lines = (
    "pm.sendRequest({",
    '  url: pm.variables.replaceIn("{{base_url}}/billing/balance"),',
    '  header: { Authorization: pm.variables.replaceIn("Bearer {{key}}") },',
    '}, (error, answer) => pm.variables.set("usd_before", error ? NaN : answer.json().balances.usd));',
)


def needs(name: str) -> list[str]:
    """Lines that skip the request unless the variable is set."""
    return [f"if (!pm.variables.get({js(name)})) pm.execution.skipRequest();"]


# Lines that skip a request which no real server can answer, or should be sent.
MOCK_ONLY: Lines = ('if (pm.variables.get("mock") !== "true") pm.execution.skipRequest();',)


def json_is(body: Any) -> list[str]:
    """The body is exactly this JSON."""
    return [*_json_type(), *test("the body", f"pm.expect(pm.response.json()).to.eql({js(body)});")]


def json_where(name: str, *lines: str) -> list[str]:
    """The body is JSON of which ``lines`` hold; they read ``body``."""
    return [*_json_type(), *test(f"the body: {name}", "const body = pm.response.json();", *lines)]


def told_in_header(name: str, *lines: str) -> list[str]:
    """The header is base64 of JSON of which ``lines`` hold; they read ``told``."""
    read = f'JSON.parse(Buffer.from(pm.response.headers.get({js(name)}), "base64").toString("utf8"))'
    return test(f"header {name}", f"const told = {read};", *lines)


def _json_type() -> list[str]:
    return test("content type application/json", *_matches("Content-Type", r"/^application\/json\b/"))


def _is(name: str, value: str) -> list[str]:
    return [f"pm.expect(pm.response.headers.get({js(name)}), {js(name)}).to.equal({js(value)});"]


def _matches(name: str, pattern: str) -> list[str]:
    return [f"pm.expect(pm.response.headers.get({js(name)}), {js(name)}).to.match({pattern});"]
