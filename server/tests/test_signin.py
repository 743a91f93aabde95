"""Sign-in headers: real ones, ones with every fault, and whatever else may arrive."""

from __future__ import annotations

import subprocess
import sys
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from venice_mock.wallet.messages import build_message, host_of
from venice_mock.wallet.signin import SignInFault, Why, verify_sign_in
from venice_mock.wallet.signing import Wallet, sign_in_header, sign_text
from wallet_kit import (
    EVM,
    ISSUED,
    NOW,
    OTHER,
    SIGN_IN,
    SIWX,
    SOL,
    any_header,
    decode,
    encode,
    sign_in,
    sign_in_code,
)

N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
ACCEPTED = [case for case in SIWX["cases"] if "expect" not in case]


def text_of(wallet: Wallet = EVM, **changes: Any) -> str:
    said: dict[str, Any] = {
        "kind": wallet.kind,
        "domain": "api.venice.ai",
        "address": wallet.address,
        "uri": "https://api.venice.ai",
        "chain": SIGN_IN.evm_chain if wallet.kind == "evm" else SIGN_IN.solana_chain,
        "nonce": "n0nc3n0nc3",
        "issued_at": ISSUED,
        "statement": "Sign in to Venice AI",
    }
    return build_message(**{**said, **changes})


def signed(text: str, wallet: Wallet = EVM, **changes: Any) -> str:
    payload = {"address": wallet.address, "message": text, "signature": sign_text(wallet, text), **changes}
    return encode({name: value for name, value in payload.items() if value is not ...})


def structured(wallet: Wallet = EVM, **changes: Any) -> str:
    """A structured header whose fields were changed after it was signed (``...`` removes one)."""
    header = sign_in_header(
        wallet,
        domain="api.venice.ai",
        uri="https://api.venice.ai/x",
        chain=SIGN_IN.evm_chain if wallet.kind == "evm" else SIGN_IN.solana_chain,
        now=NOW,
        nonce="n0nc3n0nc3",
        life_s=300,
        structured=True,
    )
    return encode({k: v for k, v in {**decode(header), **changes}.items() if v is not ...})


@pytest.mark.rules(
    *("X402-SIW-001", "X402-SIW-002", "X402-SIW-003", "X402-SIW-004", "X402-SIW-006", "X402-SIW-007"),
    *("X402-SIW-009", "X402-SIW-011", "X402-SIW-012", "X402-SIW-014", "X402-SIW-018", "X402-SIW-021"),
)
@pytest.mark.parametrize("case", SIWX["cases"], ids=[case["name"] for case in SIWX["cases"]])
def test_headers_of_real_clients_are_judged_as_expected(case: dict[str, Any]) -> None:
    if "expect" in case:
        with pytest.raises(SignInFault) as caught:
            sign_in(case["header"])
        assert caught.value.code == case["expect"]
        return
    kind = "solana" if case["name"].startswith("sol") else "evm"
    address = SIWX[kind]["address"]
    found = sign_in(case["header"])
    assert (found.kind, found.address) == (kind, address.lower() if kind == "evm" else address)
    assert found.nonce in str(case["decoded"])
    assert found.issued_at == NOW


@pytest.mark.rules("X402-SIW-011")
@pytest.mark.parametrize("case", ACCEPTED, ids=[case["name"] for case in ACCEPTED])
def test_an_accepted_header_expires_after_five_minutes_or_at_its_own_end(case: dict[str, Any]) -> None:
    ends_at = sign_in(case["header"]).ends_at
    assert ends_at == NOW + (240 if case["name"] == "evm-python-docs" else 300)
    assert sign_in_code(case["header"], ends_at - 0.001) is None
    assert sign_in_code(case["header"], ends_at + 0.001) == "EXPIRED"
    assert sign_in_code(case["header"], NOW + 301) == "EXPIRED"


def test_every_code_has_a_sentence_and_no_other_has() -> None:
    assert list(SIGN_IN.codes) == [f"X402_SIGN_IN_{why}" for why in get_args(Why)]
    assert len(SIGN_IN.codes) == 16


@pytest.mark.rules("X402-SIW-028")
def test_the_first_of_several_faults_is_reported_in_the_order_of_the_codes() -> None:
    said: dict[str, Any] = {
        "domain": "evil.example",
        "chain": "eip155:5",
        "nonce": None,
        "issued_at": "2026-09-01T13:00:00Z",
        "expiration_time": "2026-09-01T11:00:00Z",
        "not_before": "2026-09-01T13:00:00Z",
    }
    sent: dict[str, Any] = {"address": OTHER.address, "signature": ..., "chainId": "8453 ", "timestamp": 0}
    header, broken, seen = "%", True, []

    def judge() -> None:
        text = text_of(**said) + ("\n" if broken else "")
        seen.append(sign_in_code(header or signed(text, **sent), NOW))

    judge()
    header = ""
    judge()
    sent["signature"] = "0x" + "11" * 65
    judge()
    broken = False
    judge()
    del sent["address"]
    judge()
    sent["chainId"] = 8453
    judge()
    sent["chainId"] = 5
    judge()
    said["chain"], sent["chainId"] = "eip155:8453", "8453"
    judge()
    said["nonce"] = "abcdefgh"
    judge()
    said["domain"] = "venice.ai"
    judge()
    del sent["timestamp"]
    judge()
    del said["expiration_time"]
    judge()
    said["issued_at"] = ISSUED
    judge()
    del said["not_before"]
    judge()
    del sent["signature"]
    judge()
    order = [*get_args(Why)[:14], None]
    assert seen == order


@pytest.mark.rules("X402-SIW-015")
@pytest.mark.parametrize("address", ["0x1234", "alice.eth", EVM.address[2:], SOL.address[:-3], "1" * 44])
def test_an_address_of_no_known_kind_is_an_invalid_wallet(address: str) -> None:
    text = text_of(address=address)
    assert sign_in_code(signed(text, address=address)) == "INVALID_WALLET"


@pytest.mark.rules("X402-SIW-005")
@pytest.mark.parametrize(
    "chain", ["", "base", "0x2105", "eip155:", "eip155:8453:1", "8453 ", True, 8453.5, -1, [8453], {}, 10**40]
)
def test_a_chain_in_an_unknown_form_is_an_invalid_chain_id(chain: object) -> None:
    assert sign_in_code(signed(text_of(), chainId=chain)) == "INVALID_CHAIN_ID"
    assert sign_in_code(structured(chainId=chain)) == "INVALID_CHAIN_ID"


@pytest.mark.parametrize("chain", [8453, 8453.0, "8453", "eip155:8453", None, ...])
def test_the_known_forms_of_an_evm_chain_mean_the_same(chain: object) -> None:
    assert sign_in_code(signed(text_of(), chainId=chain)) is None


@pytest.mark.parametrize("chain", [SIGN_IN.solana_chain, SIGN_IN.solana_chain.partition(":")[2], None])
@pytest.mark.parametrize("prefix", ["", "solana:"])
def test_the_known_forms_of_the_solana_chain_mean_the_same(chain: object, prefix: str) -> None:
    text = text_of(SOL).replace("Chain ID: ", f"Chain ID: {prefix}")
    assert sign_in_code(signed(text, SOL, chainId=chain)) is None


@pytest.mark.rules("X402-SIW-006", "X402-SIW-007")
@pytest.mark.parametrize(
    ("wallet", "chain", "claimed", "code"),
    [
        (EVM, None, ..., "UNSUPPORTED_CHAIN"),
        (EVM, None, 8453, "CHAIN_MISMATCH"),
        (EVM, None, 1, "UNSUPPORTED_CHAIN"),
        (EVM, "eip155:1", 1, "UNSUPPORTED_CHAIN"),
        (EVM, "eip155:8453", SIGN_IN.solana_chain, "CHAIN_MISMATCH"),
        (SOL, None, ..., "UNSUPPORTED_CHAIN"),
        (SOL, "solana:8453", ..., "UNSUPPORTED_CHAIN"),
        (SOL, SIGN_IN.solana_chain, "eip155:8453", "CHAIN_MISMATCH"),
    ],
)
def test_the_chain_must_be_offered_and_told_alike(
    wallet: Wallet, chain: str | None, claimed: object, code: str
) -> None:
    assert sign_in_code(signed(text_of(wallet, chain=chain), wallet, chainId=claimed)) == code


@pytest.mark.rules("X402-SIW-008")
@pytest.mark.parametrize("nonce", [None, "", "  "])
@pytest.mark.parametrize("wallet", [EVM, SOL], ids=["evm", "solana"])
def test_a_message_without_a_nonce_says_so(wallet: Wallet, nonce: str | None) -> None:
    assert sign_in_code(signed(text_of(wallet, nonce=nonce), wallet)) == "MISSING_NONCE"


@pytest.mark.rules("X402-SIW-013")
def test_a_message_is_refused_before_its_not_before_and_taken_from_then_on() -> None:
    header = signed(text_of(not_before="2026-09-01T12:00:10Z"))
    assert sign_in_code(header, NOW + 9.999) == "NOT_BEFORE"
    assert sign_in_code(header, NOW + 10) is None


@pytest.mark.rules("X402-SIW-012")
def test_a_message_may_be_issued_thirty_seconds_ahead_and_no_more() -> None:
    assert sign_in_code(signed(text_of()), NOW - 30) is None
    assert sign_in_code(signed(text_of()), NOW - 30.001) == "FUTURE_TIMESTAMP"


@pytest.mark.rules("X402-SIW-010", "X402-SIW-019")
@pytest.mark.parametrize(
    ("timestamp", "code"),
    [
        (..., None),
        (None, None),
        (int(NOW * 1000) + 30_000, None),
        (NOW * 1000 - 30_000.0, None),
        ("2026-09-01T12:00:30.000Z", None),
        ("2026-09-01T14:00:00+02:00", None),
        (int(NOW * 1000) + 30_001, "TIMESTAMP_MISMATCH"),
        (int(NOW * 1000) - 30_001, "TIMESTAMP_MISMATCH"),
        ("2026-09-01T12:00:31Z", "TIMESTAMP_MISMATCH"),
        ("2026-09-01T12:00:00", "TIMESTAMP_MISMATCH"),
        (str(int(NOW * 1000)), "TIMESTAMP_MISMATCH"),
        (NOW, "TIMESTAMP_MISMATCH"),
        (True, "TIMESTAMP_MISMATCH"),
        ([], "TIMESTAMP_MISMATCH"),
        (10**300, "TIMESTAMP_MISMATCH"),
    ],
)
def test_a_timestamp_is_optional_and_within_thirty_seconds_of_issued_at(
    timestamp: object, code: str | None
) -> None:
    assert sign_in_code(signed(text_of(), timestamp=timestamp)) == code


@pytest.mark.rules("X402-SIW-009", "X402-SIW-020")
@pytest.mark.parametrize(
    ("domain", "code"),
    [
        ("venice.ai", None),
        ("https://api.venice.ai:8443/some/path?q", None),
        ("API.Venice.AI", None),
        ("localhost:1", None),
        ("http://127.0.0.1:8402", None),
        ("mock.test:9999", None),
        ("[::1]:8402", None),
        ("api.venice.ai.evil.example", "DOMAIN_MISMATCH"),
        ("evil.example/api.venice.ai", "DOMAIN_MISMATCH"),
        ("api.venice.ai@evil.example", "DOMAIN_MISMATCH"),
        ("api.venice.ai:x@evil.example", "DOMAIN_MISMATCH"),
        ("preview.venice.ai", "DOMAIN_MISMATCH"),
        (":8402", "DOMAIN_MISMATCH"),
    ],
)
def test_the_signed_host_must_be_on_the_list_or_the_mocks_own(domain: str, code: str | None) -> None:
    own = ("mock.test:8402", "http://[::1]:1")
    assert sign_in_code(signed(text_of(domain=domain)), own_hosts=own) == code


def test_the_host_of_a_domain_leaves_scheme_port_and_path_out() -> None:
    assert host_of("HTTPS://Api.Venice.ai:443/x") == "api.venice.ai"


@pytest.mark.rules("X402-SIW-003")
@pytest.mark.parametrize("wallet", [EVM, SOL], ids=["evm", "solana"])
@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text + "\n",
        lambda text: "\n" + text,
        lambda text: text.replace("Version: 1", "Version: 2"),
        lambda text: text.replace("\nVersion: 1", ""),
        lambda text: text.replace("URI: ", "Uri: "),
        lambda text: text.replace("Sign in to", "two\nlines"),
        lambda text: text.replace("\n\nSign", "\nSign"),
        lambda text: text.replace("Issued At: 2026-09-01T12:00:00.000Z", "Issued At: now"),
        lambda text: text.replace("12:00:00.000Z", "12:00:00.000"),
        lambda text: text.replace("2026-09-01", "2026-09-31"),
        lambda text: text.replace("2026-", "20260-"),
        lambda text: text.replace("\nIssued At: 2026-09-01T12:00:00.000Z", ""),
        lambda text: text.replace("Ethereum", "Bitcoin").replace("Solana", "Bitcoin"),
        lambda text: text.replace("Ethereum", "?").replace("Solana", "Ethereum").replace("?", "Solana"),
        lambda text: text.replace("Chain ID: ", "Chain ID: x:"),
        lambda text: text + "\nExpiration Time: soon",
        lambda text: text + "\nNot Before: soon",
        lambda text: text + "\nResources:\nhttps://a",
    ],
)
def test_a_text_that_strays_from_the_format_is_an_invalid_message(wallet: Wallet, spoil: Any) -> None:
    text = spoil(text_of(wallet))
    assert text != text_of(wallet)
    assert sign_in_code(signed(text, wallet)) == "INVALID_MESSAGE"


@pytest.mark.parametrize("wallet", [EVM, SOL], ids=["evm", "solana"])
@pytest.mark.parametrize(
    "shape",
    [
        lambda text: text,
        lambda text: text.replace("Sign in to Venice AI\n\n", ""),
        lambda text: text.replace("Sign in to Venice AI\n\n", "\n"),
        lambda text: text.replace("Sign in", "Einloggen für 1 €: \U0001f511"),
        lambda text: text.replace("Sign in", "URI: https://evil.example"),
        lambda text: text + "\nExpiration Time: 2026-09-01T12:01:00Z\nNot Before: 2026-09-01T11:59:00Z",
        lambda text: text + "\nRequest ID: 7\nResources:\n- https://a\n- https://b",
        lambda text: text + "\nResources:",
    ],
)
def test_every_layout_that_libraries_write_is_read(wallet: Wallet, shape: Any) -> None:
    assert sign_in_code(signed(shape(text_of(wallet)), wallet)) is None


@pytest.mark.rules("X402-SIW-002")
@pytest.mark.parametrize("payload", [[], "x", 1, None, {}, {"address": EVM.address}, {"signature": "0x"}])
def test_json_without_address_or_signature_is_an_invalid_payload(payload: object) -> None:
    assert sign_in_code(encode(payload)) == "INVALID_PAYLOAD"


@pytest.mark.rules("X402-SIW-002")
@pytest.mark.parametrize("name", ["address", "signature"])
@pytest.mark.parametrize("value", [..., None, "", 1, [], {}])
def test_an_address_or_signature_that_is_no_text_is_an_invalid_payload(name: str, value: object) -> None:
    assert sign_in_code(signed(text_of(), EVM, **{name: value})) == "INVALID_PAYLOAD"


@pytest.mark.rules("X402-SIW-001", "X402-SIW-025")
def test_what_is_not_base64_of_json_or_too_long_is_a_parse_error() -> None:
    header = signed(text_of())
    deep = encode("[" * 5000 + "]" * 5000).replace("=", "")
    long = signed(text_of(), padding="x" * SIGN_IN.max_header_bytes)
    for wrong in ("", "=", "====", header[:-9], " " + header, header + "é", long, "W1tb" * 3000, "____"):
        assert sign_in_code(wrong) == "PARSE_ERROR"
    assert sign_in_code(deep) == "INVALID_PAYLOAD"  # a text is JSON, brackets and all
    assert sign_in_code(header.rstrip("=")) is None


@pytest.mark.rules("X402-SIW-022", "X402-SIW-024", "X402-SIW-014")
def test_an_evm_signature_has_one_form() -> None:
    text = text_of()
    whole = sign_text(EVM, text)
    r, s, v = whole[2:66], int(whole[66:130], 16), int(whole[130:], 16)
    flipped = f"0x{r}{N - s:064x}{55 - v:02x}"
    other_v = {
        f"{whole[:130]}{byte:02x}": byte % 27 == v % 27 and byte in (0, 1, 27, 28) for byte in range(256)
    }
    wrapped = "0x" + "00" * 64 + whole[2:] + "6492" * 16
    compact = f"0x{r}{s | (v - 27) << 255:064x}"
    accepted = [whole, whole.upper().replace("0X", "0x"), *(k for k, good in other_v.items() if good)]
    assert len(accepted) == 4
    for signature in accepted:
        assert sign_in_code(signed(text, signature=signature)) is None
    refused = [flipped, wrapped, compact, whole[2:], "0X" + whole[2:], whole + "00", whole[:-2], " " + whole]
    refused += [f"0x{'0' * 64}{whole[66:]}", f"0x{r}{'0' * 64}{v:02x}", f"0x{'f' * 64}{whole[66:]}", "0x"]
    refused += [k for k, good in other_v.items() if not good][::16]
    for signature in refused:
        assert sign_in_code(signed(text, signature=signature)) == "INVALID_SIGNATURE"


@pytest.mark.rules("X402-SIW-014")
def test_a_solana_signature_is_base58_or_base64_and_belongs_to_the_address() -> None:
    import base64

    import base58

    text = text_of(SOL)
    raw = base58.b58decode(sign_text(SOL, text))
    assert sign_in_code(signed(text, SOL, signature=base64.b64encode(raw).decode())) is None
    order = 2**252 + 27742317777372353535851937790883648493
    stretched = raw[:32] + (int.from_bytes(raw[32:], "little") + order).to_bytes(32, "little")
    for wrong in (raw[:-1], raw + b"\0", bytes(64), raw[32:] + raw[:32], stretched):
        for signature in (base58.b58encode(wrong).decode(), base64.b64encode(wrong).decode()):
            assert sign_in_code(signed(text, SOL, signature=signature)) == "INVALID_SIGNATURE"
    for signature in ("0x" + raw.hex(), raw.hex(), "lIO0" * 22, base64.b64encode(raw).decode()[:-2]):
        assert sign_in_code(signed(text, SOL, signature=signature)) == "INVALID_SIGNATURE"


@pytest.mark.rules("X402-SIW-023")
def test_a_smart_wallet_is_accepted_only_with_its_configured_owners_signature() -> None:
    contract = "0x" + "C0" * 20
    text = text_of(address=contract)
    owned = signed(text, address=contract)
    assert sign_in_code(owned) == "INVALID_SIGNATURE"
    wallets = {contract.lower(): EVM.address.lower()}
    assert sign_in(owned, smart_wallets=wallets).address == contract.lower()
    theirs = signed(text, OTHER, address=contract)
    assert sign_in_code(theirs, smart_wallets=wallets) == "INVALID_SIGNATURE"
    of_another = {contract.lower(): EVM.address.lower(), "0x" + "dd" * 20: OTHER.address.lower()}
    assert sign_in_code(theirs, smart_wallets=of_another) == "INVALID_SIGNATURE"
    plain = signed(text_of(OTHER), EVM, address=OTHER.address)
    assert sign_in_code(plain, smart_wallets=wallets) == "INVALID_SIGNATURE"


@pytest.mark.rules("X402-SIW-021", "X402-SIW-029")
def test_letter_case_matters_to_solana_addresses_only() -> None:
    for written in (EVM.address, EVM.address.lower(), "0x" + EVM.address[2:].upper()):
        found = sign_in(signed(text_of(address=EVM.address.lower()), address=written))
        assert found.address == EVM.address.lower()
        assert sign_in(signed(text_of(address=written))).address == EVM.address.lower()
    assert sign_in(signed(text_of(SOL), SOL)).address == SOL.address
    assert sign_in_code(signed(text_of(SOL), SOL, address=SOL.address.swapcase())) == "ADDRESS_MISMATCH"


@pytest.mark.rules("X402-SIW-018")
@pytest.mark.parametrize("wallet", [EVM, SOL], ids=["evm", "solana"])
def test_structured_fields_stand_for_the_message_they_build(wallet: Wallet) -> None:
    assert sign_in_code(structured(wallet)) is None
    assert sign_in_code(structured(wallet, message=None)) is None
    assert sign_in_code(structured(wallet, version=...)) is None
    assert sign_in_code(structured(wallet, uri="https://api.venice.ai/y")) == "INVALID_SIGNATURE"
    assert sign_in_code(structured(wallet, statement="more")) == "INVALID_SIGNATURE"
    assert sign_in_code(structured(wallet, resources=["https://a"])) == "INVALID_SIGNATURE"
    assert sign_in_code(structured(wallet, nonce=...)) == "MISSING_NONCE"
    assert sign_in_code(structured(wallet, message=5)) == "INVALID_PAYLOAD"


@pytest.mark.rules("X402-SIW-018")
@pytest.mark.parametrize(
    "changes",
    [
        *({name: ...} for name in ("domain", "uri", "issuedAt", "chainId")),
        *(
            {name: 5}
            for name in ("domain", "uri", "issuedAt", "nonce", "statement", "expirationTime", "version")
        ),
        {"version": "2"},
        {"resources": "https://a"},
        {"resources": [5]},
        {"statement": "a\n\nURI: https://evil.example\nVersion: 1"},
        {"nonce": "abc\nIssued At: 2026-09-01T12:00:00Z\nX: y"},
        {"domain": "api.venice.ai wants"},
    ],
)
def test_structured_fields_that_build_no_message_are_an_invalid_message(changes: dict[str, Any]) -> None:
    assert sign_in_code(structured(EVM, **changes)) == "INVALID_MESSAGE"


@pytest.mark.rules("X402-SIW-025")
@settings(deadline=None, max_examples=400)
@given(any_header(SIWX), st.floats(0, 4e9))
def test_no_header_raises_anything_but_a_sign_in_fault(header: str, now: float) -> None:
    for moment in (NOW, now):
        try:
            found = sign_in(header, moment)
        except SignInFault as fault:
            seen = fault.code in SIGN_IN.codes and fault.code.endswith(str(fault))
        else:
            seen = found.address in (SIWX["evm"]["address"].lower(), SIWX["solana"]["address"])
        assert seen


def test_wallet_libraries_are_not_imported_before_a_header_is_judged() -> None:
    look = (
        "import sys, venice_mock.wallet.signin, venice_mock.wallet.payments, venice_mock.wallet.signing\n"
        "heavy = ('eth_keys', 'eth_hash', 'eth_utils', 'Crypto', 'base58', 'eth_account', 'nacl')\n"
        "print([name for name in heavy if name in sys.modules])\n"
        "from venice_mock.wallet import evm, solana\n"
        "print([name for name in heavy if name in sys.modules])\n"
    )
    seen = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert seen.stdout.splitlines() == ["[]", "['eth_keys', 'eth_hash', 'eth_utils', 'Crypto', 'base58']"]


def test_the_verifier_needs_nothing_but_its_arguments() -> None:
    header = signed(text_of())
    found = verify_sign_in(header, facts=SIGN_IN, now=NOW, own_hosts=(), smart_wallets={})
    assert found == sign_in(header)
