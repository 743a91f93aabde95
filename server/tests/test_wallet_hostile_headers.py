"""Whatever stands in a wallet's headers, the server answers like a server; and what it costs who has no wallet."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asgi import Client, Reply, request
from rulekit import EDIT, good_body
from venice_mock.app import create_app
from venice_mock.settings import Settings
from wallet_kit import PAID, SIWX, any_header, encode
from wallets import (
    ALICE,
    BALANCE,
    BOTH_NAMES,
    SOLANGE,
    TOKEN,
    TOP_UP,
    TRANSACTIONS,
    X402,
    MakeClient,
    Purse,
    freeze,
    signed,
    text_of,
)

PLACES = [
    ("POST", EDIT),
    ("GET", BALANCE + ALICE.address),
    ("GET", TRANSACTIONS + ALICE.address),
    ("POST", TOP_UP),
]
NAMES = [*BOTH_NAMES, *X402.payment_headers]
FURTHER = ["authorization", "content-type", "host", "x-forwarded-host", "x-forwarded-proto", "accept"]
LATIN = st.text(st.characters(max_codepoint=255), max_size=60)


def latin(value: str) -> str:
    """What can stand in a header at all."""
    return value.encode("latin-1", "replace").decode("latin-1")


def answered(reply: Reply) -> None:
    assert reply.status in (200, 400, 401, 402, 403, 415, 422), (reply.status, reply.body[:300])
    if reply.status != 200:
        assert isinstance(json.loads(reply.body).get("error", ""), str)
        assert reply.headers["content-type"] == "application/json"


@pytest.mark.rules("X402-SIW-025", "X402-TOP-003")
def test_no_header_leads_to_a_5xx(make_client: MakeClient) -> None:
    clients = [
        freeze(make_client(engine="fast", trust_proxy=trust, control_token=TOKEN)) for trust in (False, True)
    ]
    values = any_header(SIWX) | any_header(PAID)

    @settings(max_examples=250, deadline=None, database=None)
    @given(
        st.sampled_from(PLACES),
        st.dictionaries(st.sampled_from(NAMES), values, max_size=3),
        st.dictionaries(st.sampled_from(FURTHER), LATIN, max_size=2),
        st.sampled_from(clients),
    )
    def check(place: tuple[str, str], first: dict[str, str], more: dict[str, str], client: Client) -> None:
        method, path = place
        said = {"content-type": "application/json", **first, **more}
        headers = [(name.lower(), latin(value)) for name, value in said.items()]
        answered(client.runner.run(request(client.app, method, path, headers, [good_body()])))

    check()


@pytest.mark.rules("X402-SIW-025", "X402-TOP-003")
@pytest.mark.parametrize(("method", "path"), PLACES)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "value",
    [
        *("A" * 100_000, "=" * 70_000, "%" * 200_000, encode("x" * 100_000)),
        *(
            encode(json.loads("[" * 500 + "]" * 500)),
            "W1tb" * 4000,
            encode({"address": {"a": []}, "signature": [1]}),
        ),
        *(
            encode({"x402Version": 10**30, "payload": {}}),
            encode({"message": None, "address": "", "signature": ""}),
        ),
    ],
    ids=["long", "padding", "percent", "long text", "nested", "unclosed", "shapes", "number", "empty"],
)
def test_huge_and_deep_headers_are_answered_at_once(
    client: Client, method: str, path: str, name: str, value: str
) -> None:
    reply = client.send(good_body(), method=method, path=path, headers={name: value}, key=None)
    answered(reply)
    assert len(reply.body) < 10_000
    assert value[:200] not in reply.body.decode()  # nothing is sent back


@pytest.mark.rules("X402-SIW-025")
def test_the_longest_good_header_passes_and_one_byte_more_does_not(client: Client) -> None:
    freeze(client)
    most = X402.sign_in.max_header_bytes
    room = (most - len(signed(text_of(), padding=""))) * 3 // 4
    fitting = [signed(text_of(nonce="n" * 16), padding="x" * (room + more)) for more in range(-6, 7)]
    lengths = {len(header): header for header in fitting}
    assert most in lengths
    for length, header in lengths.items():
        reply = client.edit(key=None, headers={BOTH_NAMES[0]: header}, image="", prompt="")
        if length > most:
            assert reply.json["code"] == "X402_SIGN_IN_PARSE_ERROR"
        else:
            assert reply.status == 400 or reply.json["code"] == "X402_SIGN_IN_NONCE_REUSED"


HEAVY = ("eth_keys", "eth_hash", "eth_utils", "Crypto", "base58")
LOOK = """
import json, sys
from asgi import Client
from rulekit import good
from venice_mock.app import create_app
from venice_mock.settings import Settings
heavy = {heavy!r}
def seen():
    return [name for name in heavy if name in sys.modules]
client = Client(create_app(Settings(engine="fast")))
steps = [seen()]
assert client.edit(key="mock_ok", **good()).status == 200
steps.append(seen())
assert client.edit(key=None, **good()).status == 402
assert client.send(path="/api/v1/x402/top-up", key=None).status == 402
assert client.send(path={balance!r}, method="GET", key=None).status == 402
steps.append(seen())
assert client.{last}.status in (200, 401)
steps.append(seen())
print(json.dumps(steps))
client.close()
"""


@pytest.mark.parametrize(("what", "wanted"), [("sign-in", HEAVY), ("payment", ("Crypto", "base58"))])
def test_wallet_libraries_are_loaded_by_the_first_wallet_header_and_not_before(
    client: Client, what: str, wanted: tuple[str, ...]
) -> None:
    if what == "sign-in":
        last = f"edit(key=None, headers={ {BOTH_NAMES[0]: signed(text_of())}!r}, **good())"
    else:
        said = {NAMES[2]: Purse(client, SOLANGE).payment()}
        last = f"send(path={TOP_UP!r}, headers={said!r}, key=None)"
    look = LOOK.format(heavy=HEAVY, balance=BALANCE + ALICE.address, last=last)
    folders = (Path(__file__).parent, Path(__file__).parents[1])
    seen = subprocess.run(
        [sys.executable, "-c", look],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, folders))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert seen.returncode == 0, seen.stderr
    before, *between, after = json.loads(seen.stdout)
    assert [before, *between] == [[]] * 3
    assert set(wanted) <= set(after)


def test_the_check_of_5xx_can_fail() -> None:
    with pytest.raises(AssertionError):
        answered(Reply(500, {"content-type": "application/json"}, b"{}"))
    client = Client(create_app(Settings()))
    answered(client.edit(key=None))
    client.close()
