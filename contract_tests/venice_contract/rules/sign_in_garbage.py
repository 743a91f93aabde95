"""Checks of sign-in headers that are no sign-ins: no base64 of JSON, and whatever else can stand in a header."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from venice_contract.judging.check import check
from venice_contract.judging.expect import expect
from venice_contract.judging.facts import Facts
from venice_contract.judging.probe import Probe
from venice_contract.judging.signing_in import ask, good, turned_away, with_members
from venice_contract.wallets import base64_json

_SEEN = "".join(chr(code) for code in range(0x21, 0x7F))  # what stands in a header as it is, spaces aside


def _no_base64_of_json(_facts: Facts) -> st.SearchStrategy[str]:
    """Words of any visible characters, and base64 of bytes, that are no base64 of JSON however it is read."""
    words = st.text(_SEEN, min_size=1, max_size=60)
    packed = st.binary(min_size=1, max_size=60).map(lambda raw: base64.b64encode(raw).decode("ascii"))
    return st.one_of(words, packed).filter(lambda text: not _is_json(text))


def _is_json(text: str) -> bool:
    """Whether it decodes to JSON in the most lenient reading: any alphabet, padding or none, stray characters."""
    kept = "".join(c for c in text.translate(str.maketrans("-_", "+/")) if c.isalnum() or c in "+/")
    try:
        json.loads(base64.b64decode(kept + "=" * (-len(kept) % 4)))
    except (ValueError, RecursionError):
        return False
    return True


@check(
    "X402-SIW-001",
    witnesses=(
        "@@@ this is no base64 @@@",
        base64.b64encode(b'{"address": ').decode("ascii"),
        base64.b64encode(b"\xff\xfe\x00").decode("ascii"),
        "x",
    ),
    strategy=_no_base64_of_json,
)
def what_is_no_base64_of_json_is_refused(probe: Probe, header: str) -> None:
    """401 PARSE_ERROR."""
    turned_away(probe, header, "PARSE_ERROR")


_NAMES = ("address", "message", "signature", "chainId", "type", "timestamp", "domain", "uri", "nonce", "issuedAt",
          "version", "statement", "expirationTime", "notBefore", "requestId", "resources")  # fmt: skip
_LONG, _DEEP = 20_000, 3_000  # characters; arrays within arrays


def _malformed(_facts: Facts) -> st.SearchStrategy[list[Any]]:
    """Words, bytes, JSON of any shape, and real sign-ins with one part that is something else."""
    value = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_NAMES), inner, max_size=4),
        max_leaves=8,
    )  # fmt: skip
    text = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)
    return st.one_of(
        st.tuples(st.just("words"), st.text(_SEEN, min_size=1, max_size=200)),
        st.tuples(st.just("bytes"), st.binary(max_size=200).map(lambda raw: raw.decode("latin-1"))),
        st.tuples(st.just("JSON"), value),
        st.tuples(st.just("signed text"), text),
        st.tuples(st.just("chain line"), text),
        st.tuples(st.just("issued at"), text),
        st.tuples(st.sampled_from(_NAMES), value),
        st.tuples(st.sampled_from([f"structured {name}" for name in _NAMES]), value),
    ).map(list)


@check(
    "X402-SIW-025",
    witnesses=(
        ["long", "A"],
        ["long", "@"],
        ["deep", "["],
        ["deep", '{"address":'],
        ["bytes", "\x00\xff\xfe"],
        ["words", "===="],
        ["JSON", [[], {}, None, 1e308]],
        ["signature", "0x" + "f" * 130],
        ["signature", "0x" + "0" * 130],
        ["signature", "1" * 88],
        ["timestamp", 10**30],
        ["timestamp", "9999-99-99T99:99:99Z"],
        ["chainId", 10**40],
        ["chainId", {"eip155": 8453}],
        ["issued at", "0000-00-00T00:00:00Z"],
        ["issued at", "9999-12-31T23:59:59+00:00"],
        ["chain line", "9" * 5000],
        ["structured resources", {"a": [1]}],
        ["structured issuedAt", 12],
        ["signed text", "\U0001f600 wants you to sign in with your Ethereum account:\n\n\n"],
    ),
    strategy=_malformed,
)
def no_header_makes_a_server_fail(probe: Probe, value: tuple[str, Any]) -> None:
    """Whatever stands in it, it is refused, and never with a 5xx."""
    reply = probe.unmasked(ask(probe, _header(probe, *value)))
    expect(400 <= reply.status < 500, f"answered {reply.status}")


def _header(probe: Probe, part: str, said: Any) -> str:
    """A header of that kind, or a good sign-in whose ``part`` is something else."""
    if part == "words":
        return str(said)
    if part == "long":
        return str(said) * _LONG
    if part == "deep":
        return base64.b64encode(str(said).encode() * _DEEP).decode("ascii")
    if part == "bytes":
        return base64.b64encode(str(said).encode("latin-1")).decode("ascii")
    if part == "JSON":
        return base64_json(said)
    wallet = probe.wallet().wallet
    signed = good(probe, wallet, structured=part.startswith("structured "))
    if part == "signed text":
        return replace(signed, words=said).header(wallet)
    if part == "chain line":
        return replace(signed, chain=said).header(wallet)
    if part == "issued at":
        return replace(signed, issued_at=said).header(wallet)
    return with_members(signed, **{part.removeprefix("structured "): said}).header(wallet)
