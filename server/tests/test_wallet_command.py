"""``venice-mock wallet``: what it makes is accepted by the verifiers; what it cannot do is one sentence."""

from __future__ import annotations

import hashlib
import json
import socket
import stat
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import base58
import pytest
from eth_account import Account
from nacl.signing import SigningKey

from venice_mock.cli import main
from venice_mock.commands.offers import OfferError, ask_offers, read_url
from venice_mock.commands.wallet import VERBS
from venice_mock.commands.wallet_files import NOTE, wallet_text
from wallet_kit import BASE, EVM, NOW, OFFERS, OTHER, SOL, SOLANA, decode, encode, pay, sign_in, sign_in_code

Capture = pytest.CaptureFixture[str]
URL = "http://127.0.0.1:8402/api/v1/image/edit"
AT = ["--now", str(NOW)]
ACCEPTS = {"x402Version": 2, "accepts": list(OFFERS.values())}


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    (tmp_path / "evm.json").write_text(wallet_text(EVM), "utf-8")
    (tmp_path / "solana.json").write_text(wallet_text(SOL), "utf-8")
    (tmp_path / "402.json").write_text(json.dumps(ACCEPTS), "utf-8")


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """No socket can be made and no name be looked up."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the network was touched")

    for name in ("socket", "create_connection", "getaddrinfo"):
        monkeypatch.setattr(socket, name, refuse)


def said(capsys: Capture, *argv: str) -> str:
    """What a run that works prints, without the last line break."""
    capsys.readouterr()
    code = main(["wallet", *argv])
    shown = capsys.readouterr()
    assert (code, shown.err) == (0, "")
    return shown.out.removesuffix("\n")


def fault(capsys: Capture, code: int, *argv: str) -> str:
    """The one sentence of a run that ends with ``code``."""
    capsys.readouterr()
    assert main(["wallet", *argv]) == code
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.count("\n") == 1
    assert "Traceback" not in shown.err
    return shown.err.removesuffix("\n")


# ---- help and verbs -------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_with_examples_that_fits_80_columns(verb: str, capsys: Capture) -> None:
    shown = said(capsys, verb, "--help")
    assert f"venice-mock wallet {verb}" in shown.partition("examples:")[2]
    assert max(map(len, shown.splitlines())) <= 80
    assert f"\n  {verb} " in said(capsys, "--help")


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        ([], "venice-mock wallet: give a verb: new, sign, pay."),
        (["sing", "evm.json"], "venice-mock wallet: there is no verb 'sing'. Did you mean sign?"),
        (["xyz"], "venice-mock wallet: there is no verb 'xyz'. There are new, sign, pay."),
    ],
)
def test_a_missing_or_mistyped_verb_is_one_sentence(argv: list[str], sentence: str, capsys: Capture) -> None:
    assert fault(capsys, 2, *argv) == sentence


# ---- new ------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize("kind", ["evm", "solana"])
def test_a_new_wallet_is_json_and_another_each_time(kind: str, capsys: Capture) -> None:
    one, two = (json.loads(said(capsys, "new", "--kind", kind)) for _ in range(2))
    assert list(one) == ["kind", "address", "secret", "note"]
    assert (one["kind"], one["note"]) == (kind, NOTE)
    assert one["secret"] != two["secret"]
    if kind == "evm":
        assert Account.from_key(one["secret"]).address == one["address"]
    else:
        assert base58.b58encode(base58.b58decode(one["secret"])[32:]).decode() == one["address"]


def test_without_a_kind_a_wallet_is_evm(capsys: Capture) -> None:
    assert json.loads(said(capsys, "new"))["kind"] == "evm"


def test_a_seed_gives_the_wallet_of_its_sha256(capsys: Capture) -> None:
    digest = hashlib.sha256("früh am Morgen".encode()).digest()
    evm = json.loads(said(capsys, "new", "--seed", "früh am Morgen"))
    assert evm["address"] == Account.from_key(digest).address
    solana = json.loads(said(capsys, "new", "--seed", "früh am Morgen", "--kind", "solana"))
    assert base58.b58decode(solana["address"]) == bytes(SigningKey(digest).verify_key)


def test_a_wallet_in_a_file_can_be_read_by_its_owner_alone(tmp_path: Path, capsys: Capture) -> None:
    line = said(capsys, "new", "-o", "w.json")
    file = tmp_path / "w.json"
    wallet = json.loads(file.read_text("utf-8"))
    assert line == f"w.json  evm  {wallet['address']}"
    if sys.platform != "win32":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    sentence = "venice-mock wallet new: w.json exists and will not be overwritten; --force does."
    assert fault(capsys, 1, "new", "-o", "w.json") == sentence
    assert json.loads(file.read_text("utf-8")) == wallet
    file.chmod(0o644)
    said(capsys, "new", "-o", "w.json", "--force")
    assert json.loads(file.read_text("utf-8")) != wallet
    if sys.platform != "win32":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "cannot be written" in fault(capsys, 1, "new", "-o", "no/w.json")


# ---- sign -----------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize("flags", [[], ["--structured"]])
@pytest.mark.parametrize("kind", ["evm", "solana"])
def test_a_signed_header_is_accepted_as_its_wallet(kind: str, flags: list[str], capsys: Capture) -> None:
    header = said(capsys, "sign", f"{kind}.json", *AT, URL, *flags)
    name, _, value = header.partition(": ")
    assert name == "SIGN-IN-WITH-X"
    found = sign_in(value, NOW)
    assert found.address == (EVM.address.lower() if kind == "evm" else SOL.address)
    assert (found.issued_at, found.ends_at) == (NOW, NOW + 300)
    assert ("message" in decode(value)) is (flags == [])


def test_the_urls_own_host_and_port_are_signed(capsys: Capture) -> None:
    said_ = decode(
        said(capsys, "sign", "evm.json", "https://Mock.test:81/a?b=c#d", "--value", "--structured")
    )
    assert (said_["domain"], said_["uri"]) == ("Mock.test:81", "https://Mock.test:81/a?b=c")
    header = said(capsys, "sign", "evm.json", "http://[::1]:81/", "--value", *AT)
    assert sign_in_code(header, own_hosts={"[::1]:81"}) is None
    assert sign_in_code(header, own_hosts={"other"}) == "DOMAIN_MISMATCH"


def test_every_header_has_a_nonce_of_its_own_unless_one_is_given(capsys: Capture) -> None:
    free = [said(capsys, "sign", "evm.json", URL, *AT) for _ in range(2)]
    fixed = [said(capsys, "sign", "evm.json", URL, *AT, "--nonce", "abc12345") for _ in range(2)]
    assert free[0] != free[1]
    assert fixed[0] == fixed[1]
    assert sign_in(fixed[0].partition(": ")[2]).nonce == "abc12345"


def test_the_time_may_be_given_in_either_form(capsys: Capture) -> None:
    fixed = ["sign", "evm.json", URL, "--nonce", "abc12345", "--now"]
    assert said(capsys, *fixed, "1781870400.5") == said(capsys, *fixed, "2026-06-19T12:00:00.500Z")


def test_the_header_comes_by_its_older_name_bare_and_as_json(capsys: Capture) -> None:
    fixed = ["sign", "evm.json", URL, *AT, "--nonce", "abc12345"]
    value = said(capsys, *fixed, "--value")
    assert said(capsys, *fixed) == f"SIGN-IN-WITH-X: {value}"
    assert said(capsys, *fixed, "--legacy") == f"X-Sign-In-With-X: {value}"
    told = json.loads(said(capsys, *fixed, "--json"))
    expected = {"header": "SIGN-IN-WITH-X", "value": value, "address": EVM.address}
    assert told == {**expected, "domain": "127.0.0.1:8402", "nonce": "abc12345"}


def test_a_wallet_may_come_by_standard_input(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    with Path("evm.json").open(encoding="utf-8") as file:
        monkeypatch.setattr(sys, "stdin", file)
        assert sign_in_code(said(capsys, "sign", "-", URL, "--value", *AT)) is None


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["ftp://127.0.0.1/"], "URL: expected an address such as http://127.0.0.1:8402/api/v1/image/edit."),
        (["127.0.0.1:8402"], "URL: expected an address such as "),
        (["http://"], "URL: expected an address such as "),
        (["http://a b/"], "URL: expected an address such as "),
        (["http://a\nURI: b/"], "URL: expected an address such as "),
        (["http://a:99999/"], "URL: expected an address such as "),
        (["http://[::1/"], "URL: expected an address such as "),
        (["http://me:hunter2@a/"], "URL: a user name or password has no place in it."),
        ([URL, "--nonce", "a b"], "--nonce: expected 1 to 128 visible ASCII characters without spaces."),
        ([URL, "--nonce", ""], "--nonce: expected 1 to 128 "),
        ([URL, "--now", "noon"], "--now: expected Unix seconds or a time such as "),
        ([URL, "--now", "99999999999999"], "--now: expected Unix seconds or a time such as "),
        ([URL, "--now", "nan"], "--now: expected Unix seconds or a time such as "),
        ([URL, "--edition", "1999-01-01"], "Unknown edition '1999-01-01'."),
    ],
)
def test_what_cannot_be_signed_is_one_sentence_and_exit_code_2(
    flags: list[str], sentence: str, capsys: Capture
) -> None:
    told = fault(capsys, 2, "sign", "evm.json", *flags)
    assert told.startswith(f"venice-mock wallet: {sentence}")
    assert "hunter2" not in told


# ---- wallet files ---------------------------------------------------------------------------------------

SECRET = EVM.secret
GOOD = json.loads(wallet_text(EVM))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is none"),
        (SECRET, "is none"),
        (f'"{SECRET}"', "is none"),
        (f'["{SECRET}"]', "is none"),
        (json.dumps({"secret": int(SECRET, 16)}), "is none"),
        ("[" * 60_000, "is none"),
        (json.dumps({**GOOD, "more": " " * 70_000}), "is none"),
        (json.dumps({**GOOD, "secret": SECRET + "00"}), "its secret is no key"),
        (json.dumps({**GOOD, "secret": SECRET[2:]}), "its secret is no key"),
        (json.dumps({**GOOD, "secret": "0x" + "00" * 32}), "its secret is no key"),
        (json.dumps({**GOOD, "address": OTHER.address}), "its kind and address are not those"),
        (json.dumps({**GOOD, "kind": "solana"}), "its kind and address are not those"),
    ],
)
@pytest.mark.parametrize("verb", ["sign", "pay"])
def test_a_broken_wallet_file_is_told_without_its_secret(
    verb: str, text: str, words: str, capsys: Capture
) -> None:
    Path("broken.json").write_text(text, "utf-8")
    rest = [URL] if verb == "sign" else ["--offer", "402.json"]
    told = fault(capsys, 1, verb, "broken.json", *rest)
    assert told.startswith(
        f"venice-mock wallet {verb}: The wallet file broken.json is none: expected the JSON"
    )
    assert words in told
    assert SECRET[2:20] not in told


def test_a_missing_wallet_file_is_told(capsys: Capture) -> None:
    told = fault(capsys, 1, "sign", "absent.json", URL)
    assert told.startswith(
        "venice-mock wallet sign: The wallet file absent.json cannot be read: No such file"
    )
    assert "cannot be read" in fault(capsys, 1, "sign", ".", URL)


# ---- pay, from a file -----------------------------------------------------------------------------------


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize("shape", ["v2", "v1", "hybrid"])
@pytest.mark.parametrize("kind", ["evm", "solana"])
def test_a_payment_from_a_file_is_accepted_with_its_amount(kind: str, shape: str, capsys: Capture) -> None:
    words = ["pay", f"{kind}.json", "--offer", "402.json", "--usd", "7.654321", "--shape", shape, *AT]
    name, _, value = said(capsys, *words).partition(": ")
    assert name == "PAYMENT-SIGNATURE"
    paid = pay(value)
    assert (paid.network, paid.micro_usdc) == (BASE if kind == "evm" else SOLANA, 7_654_321)
    version = {"v2": 2, "v1": 1, "hybrid": 2}[shape]
    assert (decode(value)["x402Version"], "accepted" in decode(value)) == (version, shape == "v2")


@pytest.mark.parametrize("wrapped", [ACCEPTS, list(OFFERS.values()), OFFERS[BASE]])
def test_an_offer_file_may_hold_a_402_its_accepts_or_one_offer(wrapped: object, capsys: Capture) -> None:
    Path("offer.json").write_text(json.dumps(wrapped), "utf-8")
    value = said(capsys, "pay", "evm.json", "--offer", "offer.json", "--value", *AT)
    assert pay(value).micro_usdc == 10_000_000


def test_the_offer_may_come_by_standard_input(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    with Path("402.json").open(encoding="utf-8") as file:
        monkeypatch.setattr(sys, "stdin", file)
        told = json.loads(said(capsys, "pay", "evm.json", "--offer", "-", "--usd", "5", "--json", *AT))
    assert pay(told.pop("value")).micro_usdc == 5_000_000
    expected = {"header": "PAYMENT-SIGNATURE", "address": EVM.address, "network": BASE}
    assert told == {**expected, "micro_usdc": "5000000"}


def test_a_payment_has_a_nonce_of_its_own_unless_one_is_given(capsys: Capture) -> None:
    words = ["pay", "evm.json", "--offer", "402.json", *AT]
    assert said(capsys, *words) != said(capsys, *words)
    fixed = decode(said(capsys, *words, "--value", "--nonce", "0x" + "ab" * 32))
    assert fixed["payload"]["authorization"]["nonce"] == "0x" + "ab" * 32


@pytest.mark.parametrize("usd", ["5", "5.000000", "10000", "1e4"])
def test_both_ends_of_the_amount_are_included(usd: str, capsys: Capture) -> None:
    said(capsys, "pay", "evm.json", "--offer", "402.json", "--usd", usd)


@pytest.mark.parametrize(
    "usd", ["4.999999", "10000.000001", "0", "-5", "nan", "sNaN", "inf", "1e999999", "ten", ""]
)
def test_an_amount_outside_the_bounds_is_refused(usd: str, capsys: Capture) -> None:
    told = fault(capsys, 2, "pay", "evm.json", "--offer", "402.json", f"--usd={usd}")
    assert told == f"venice-mock wallet: --usd: expected dollars from 5 to 10000, got {usd!r}."


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        ([], "Give the URL to ask, or --offer FILE."),
        (["nowhere"], "URL: expected an address such as "),
        (
            ["--offer", "402.json", "--usd", "5.0000001"],
            "--usd: expected dollars from 5 to 10000 with at most 6",
        ),
        (["--offer", "402.json", "--nonce", "ab"], "--nonce: expected 64 hex digits."),
    ],
)
def test_what_cannot_be_paid_is_one_sentence_and_exit_code_2(
    flags: list[str], sentence: str, capsys: Capture
) -> None:
    assert fault(capsys, 2, "pay", "evm.json", *flags).startswith(f"venice-mock wallet: {sentence}")


def test_standard_input_cannot_be_wallet_and_offer_at_once(capsys: Capture) -> None:
    assert "only once" in fault(capsys, 2, "pay", "-", "--offer", "-")


@pytest.mark.parametrize(
    ("kind", "offers", "sentence"),
    [
        ("evm", {"accepts": []}, "The offer file offer.json holds no offer: "),
        ("evm", {"hello": 1}, "The offer file offer.json holds no offer: "),
        ("evm", [1], "An offer of the 402 cannot be read: Expected `object`, got `int`."),
        ("evm", [{**OFFERS[BASE], "payTo": 5}], "An offer of the 402 cannot be read: Expected `str`"),
        ("evm", [{**OFFERS[BASE], "maxTimeoutSeconds": 10**30}], "An offer of the 402 cannot be read: "),
        ("evm", [{**OFFERS[BASE], "payTo": "0x12"}], "The offer names an address that is none."),
        ("evm", [{**OFFERS[BASE], "asset": "USDC"}], "The offer names an address that is none."),
        ("evm", [{**OFFERS[BASE], "scheme": "upto"}], "A wallet of kind evm cannot pay here: "),
        ("evm", [{**OFFERS[BASE], "network": "eip155:1"}], "A wallet of kind evm cannot pay here: "),
        (
            "solana",
            [OFFERS[BASE]],
            f"A wallet of kind solana cannot pay here: the 402 asks for payment on '{BASE}'.",
        ),
        ("solana", [{**OFFERS[SOLANA], "extra": {}}], "The offer names an address that is none."),
        ("solana", [{**OFFERS[SOLANA], "payTo": "me"}], "The offer names an address that is none."),
    ],
)
def test_an_offer_that_cannot_be_paid_is_one_sentence_and_exit_code_1(
    kind: str, offers: object, sentence: str, capsys: Capture
) -> None:
    Path("offer.json").write_text(json.dumps(offers), "utf-8")
    told = fault(capsys, 1, "pay", f"{kind}.json", "--offer", "offer.json")
    assert told.startswith(f"venice-mock wallet pay: {sentence}")


def test_an_offer_file_that_is_missing_or_no_json_is_told(capsys: Capture) -> None:
    told = fault(capsys, 1, "pay", "evm.json", "--offer", "absent.json")
    assert "The offer file absent.json cannot be read" in told
    for text in (b"\xff\xfe", b"[" * 60_000, b"{"):
        Path("offer.json").write_bytes(text)
        assert "holds no offer" in fault(capsys, 1, "pay", "evm.json", "--offer", "offer.json")


# ---- pay, by asking -------------------------------------------------------------------------------------


@contextmanager
def canned(*parts: bytes, drip: bytes = b"") -> Iterator[tuple[str, list[bytes]]]:
    """A server for one connection: sends ``parts``, then ``drip`` for ten seconds or until the client leaves.

    Yields its origin and a list that gets the request's head.
    """
    seen: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            connection, _ = listening.accept()
            with connection:
                head = b""
                while b"\r\n\r\n" not in head and (more := connection.recv(65536)):
                    head += more
                seen.append(head)
                try:
                    for part in parts:
                        connection.sendall(part)
                    for _ in range(1000 if drip else 0):
                        connection.sendall(drip)
                        threading.Event().wait(0.01)
                except OSError:
                    pass

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}", seen
        finally:
            thread.join(30)
            assert not thread.is_alive()


def answered(status: str, body: object = None, headers: Sequence[str] = ()) -> bytes:
    raw = b"" if body is None else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(raw)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + raw


def test_the_url_is_asked_once_by_post_without_credentials(capsys: Capture) -> None:
    with canned(answered("402 Payment Required", ACCEPTS)) as (origin, seen):
        value = said(capsys, "pay", "evm.json", f"{origin}/top-up?a=b#c", "--value", *AT)
    assert pay(value).micro_usdc == 10_000_000
    (head,) = seen
    assert head.startswith(b"POST /top-up?a=b HTTP/1.1\r\n")
    assert b"payment" not in head.lower()
    assert b"authorization" not in head.lower()
    assert b"Content-Length: 0\r\n" in head


def test_the_requirements_may_stand_in_the_header_alone(capsys: Capture) -> None:
    said_ = [f"PAYMENT-REQUIRED: {encode(ACCEPTS)}"]
    with canned(answered("402 Payment Required", {"error": "pay"}, said_)) as (origin, _):
        assert pay(said(capsys, "pay", "evm.json", f"{origin}/", "--value", *AT)).network == BASE


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (answered("200 OK", ACCEPTS), " answered 200 instead of 402, so there is nothing to pay. "),
        (answered("302 Found", None, ["Location: http://127.0.0.1:1/"]), " answered 302 instead of 402"),
        (answered("402 Payment Required", {"accepts": []}), " offers no way to pay: "),
        (answered("402 Payment Required", {"accepts": "all"}), " offers no way to pay: "),
        (answered("402 Payment Required", 5, ["PAYMENT-REQUIRED: ***"]), " offers no way to pay: "),
        (answered("402 Payment Required", "x" * (1 << 20)), " offers no way to pay: "),
        (b"HTTP/1.1 402 Payment Required\r\n\r\n\xff\x00", " offers no way to pay: "),
        (b"HTTP/1.1 402 x\r\nContent-Length: 50\r\n\r\n{}", " offers no way to pay: "),
        (b"SSH-2.0-OpenSSH\r\n", " cannot be asked: BadStatusLine."),
        (b"", " cannot be asked: "),
    ],
)
def test_any_other_answer_is_one_sentence_and_exit_code_1(answer: bytes, words: str, capsys: Capture) -> None:
    with canned(answer) as (origin, _):
        told = fault(capsys, 1, "pay", "evm.json", f"{origin}/x")
    assert told.startswith(f"venice-mock wallet pay: {'The 402 of ' if ' offers' in words else ''}{origin}")
    assert words in told


def test_a_server_that_is_not_there_is_told(capsys: Capture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    told = fault(capsys, 1, "pay", "evm.json", f"http://127.0.0.1:{port}/x")
    sentence = f"No server answers at http://127.0.0.1:{port}. Is `venice-mock serve` running?"
    assert told == f"venice-mock wallet pay: {sentence}"


@pytest.mark.parametrize(
    ("parts", "drip"),
    [
        ([b"HTTP/1.1 402 Payment Required\r\n"], b"X-A: b\r\n"),
        ([b"HTTP/1.1 402 Payment Required\r\n\r\n"], b"x"),
        ([b"HTTP/1.1 402 Payment Required\r\nContent-Length: 99999999\r\n\r\n"], b"x"),
    ],
    ids=["headers", "body", "counted body"],
)
def test_a_server_that_drips_is_left_after_the_time_for_the_whole(parts: list[bytes], drip: bytes) -> None:
    began = time.monotonic()
    with canned(*parts, drip=drip) as (origin, _):
        with pytest.raises(OfferError, match=r" did not answer within 0\.3 seconds\."):
            ask_offers(read_url(f"{origin}/"), remote=None, patience_s=0.3)
    assert time.monotonic() - began < 5


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize("host", ["venice.test", "10.0.0.1", "128.0.0.1", "[2001:db8::1]", "127.0.0.1.test"])
@pytest.mark.parametrize("flags", [[], ["--yes-remote", "other.test"], ["--yes-remote", ""]])
def test_a_remote_server_is_not_asked_unless_it_is_named(
    host: str, flags: list[str], capsys: Capture
) -> None:
    told = fault(capsys, 2, "pay", "evm.json", f"http://{host}/x", *flags)
    bare = host.strip("[]")
    assert told == (
        f"venice-mock wallet: {bare} is not this machine. To ask it all the same, type --yes-remote {bare}"
    )


@pytest.mark.parametrize("typed", ["venice.test", "VENICE.test"])
def test_a_remote_server_that_is_named_is_asked(
    typed: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    real = socket.create_connection
    with canned(answered("402 Payment Required", ACCEPTS)) as (origin, seen):
        here = ("127.0.0.1", int(origin.rpartition(":")[2]))

        def connect(address: tuple[str, int], *rest: Any, **named: Any) -> socket.socket:
            asked.append(address)
            return real(here, *rest, **named)

        monkeypatch.setattr(socket, "create_connection", connect)
        said(capsys, "pay", "evm.json", "http://Venice.test:81/x", "--yes-remote", typed)
    assert asked == [("venice.test", 81)]
    assert len(seen) == 1


def test_a_name_that_cannot_be_one_is_told(capsys: Capture) -> None:
    told = fault(capsys, 1, "pay", "evm.json", "http://a..b/x", "--yes-remote", "a..b")
    assert told.startswith("venice-mock wallet pay: http://a..b cannot be asked: ")
