"""A wallet's whole life against a server process: no credit, top-up, edit, balance, and no second use of anything."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from live import running
from tools import tool
from venice_mock.cli import main

BIN = Path(sys.executable).parent
EDIT, TOP_UP = "/api/v1/image/edit", "/api/v1/x402/top-up"
HTTP = "http://127.0.0.1:8402"
# The README's lines, as a user types them.
LINES = f"""\
.venv/bin/venice-mock wallet new --seed "no money here" > wallet.json
curl -sS -X POST {HTTP}/api/v1/x402/top-up \
 -H "$(.venv/bin/venice-mock wallet pay wallet.json {HTTP}/api/v1/x402/top-up --usd 10)"
curl -sS {HTTP}/api/v1/image/edit -F prompt='at night' -F image={HTTP}/__mock/sample.png -o night.png -D - \
 -H "$(.venv/bin/venice-mock wallet sign wallet.json {HTTP}/api/v1/image/edit)"
curl -sS {HTTP}/api/v1/x402/balance/0xE3da89409Ff4D4E8033D1207815a208cC4e9a591 \
 -H "$(.venv/bin/venice-mock wallet sign wallet.json {HTTP}/api/v1/x402/balance)"
"""


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    with running() as origin:
        yield origin


def send(origin: str, method: str, path: str, header: str, body: bytes | None = None) -> tuple[int, Any, Any]:
    """Status, headers and body, JSON decoded, of a request with one ``Name: value`` header."""
    connection = http.client.HTTPConnection(origin.partition("://")[2], timeout=30)
    try:
        name, _, value = header.partition(": ")
        kind = {} if body is None else {"Content-Type": "application/json"}
        connection.request(method, path, body, {name: value, **kind})
        with connection.getresponse() as answer:
            raw = answer.read()
            as_json = answer.headers["Content-Type"].startswith("application/json")
            return answer.status, answer.headers, json.loads(raw) if as_json else raw
    finally:
        connection.close()


def edit_of(origin: str) -> bytes:
    said = {"prompt": "at night", "image": f"{origin}/__mock/sample.png", "output_format": "png"}
    return json.dumps(said).encode()


@pytest.mark.rules("X402-TOP-006", "X402-SIW-016", "X402-BAL-001")
@pytest.mark.parametrize("shape", ["v2", "v1", "hybrid"])
@pytest.mark.parametrize("kind", ["evm", "solana"])
def test_a_wallet_tops_up_and_edits_and_nothing_counts_twice(
    kind: str, shape: str, origin: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def printed(*words: str) -> str:
        assert main(["wallet", *words]) == 0
        return capsys.readouterr().out.removesuffix("\n")

    file = str(tmp_path / "wallet.json")
    printed("new", "--kind", kind, "-o", file)
    address = json.loads(Path(file).read_text("utf-8"))["address"]

    status, _, body = send(origin, "POST", EDIT, printed("sign", file, origin + EDIT), edit_of(origin))
    assert (status, body["code"], body["currentBalanceUsd"]) == (402, "PAYMENT_REQUIRED", 0)

    payment = printed("pay", file, origin + TOP_UP, "--usd", "12.5", "--shape", shape)
    status, headers, body = send(origin, "POST", TOP_UP, payment)
    assert (status, body["data"]["amountCredited"], body["data"]["newBalance"]) == (200, 12.5, 12.5)
    assert headers["PAYMENT-RESPONSE"]
    status, _, _ = send(origin, "POST", TOP_UP, payment)
    assert status == 409

    signed = printed("sign", file, origin + EDIT, "--structured", "--legacy")
    status, headers, picture = send(origin, "POST", EDIT, signed, edit_of(origin))
    assert (status, headers["X-Balance-Remaining"]) == (200, "12.460000")
    assert picture.startswith(b"\x89PNG")
    status, _, body = send(origin, "POST", EDIT, signed, edit_of(origin))
    assert (status, body["code"]) == (401, "X402_SIGN_IN_NONCE_REUSED")

    path = f"/api/v1/x402/balance/{address}"
    status, _, body = send(origin, "GET", path, printed("sign", file, origin + path))
    assert (status, body["data"]["balanceUsd"]) == (200, 12.46)


def test_a_url_that_asks_for_no_payment_is_answered_with_the_one_that_does(
    origin: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(tmp_path / "wallet.json")
    assert main(["wallet", "new", "-o", file]) == 0
    capsys.readouterr()
    assert main(["wallet", "pay", file, f"{origin}/api/v1/x402/topup"]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.endswith(
        "answered 404 instead of 402, so there is nothing to pay. Top-ups are at /api/v1/x402/top-up.\n"
    )


def test_the_lines_of_the_readme_play_the_flow_with_curl(origin: str, tmp_path: Path) -> None:
    tool("curl")
    tool("bash")
    answers = []
    for line in LINES.splitlines():
        typed = line.replace(HTTP, origin).replace(".venv/bin/", f"{BIN}/")
        done = subprocess.run(
            ["bash", "-c", typed], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
        )
        assert (done.returncode, done.stderr) == (0, ""), line
        answers.append(done.stdout)
    assert json.loads(answers[1])["data"]["newBalance"] == 10
    assert "x-balance-remaining: 9.960000" in answers[2].lower()
    assert (tmp_path / "night.png").read_bytes().startswith(b"\x89PNG")
    assert json.loads(answers[3])["data"]["balanceUsd"] == 9.96
