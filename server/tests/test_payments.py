"""Top-up payment headers: real ones, ones with every fault, and whatever else may arrive."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any, get_args

import base58
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from venice_mock.wallet import solana, transactions
from venice_mock.wallet.payments import PaymentFault, Why, verify_payment
from venice_mock.wallet.signing import payment_header, secret_bytes
from venice_mock.wallet.transactions import Instruction, MessageV0
from wallet_kit import (
    BASE,
    EVM,
    NOW,
    OFFERS,
    OTHER,
    PAID,
    PAYMENTS,
    RECEIVERS,
    SOL,
    SOLANA,
    any_header,
    decode,
    encode,
    entropy,
    pay,
    pay_code,
    wallet_on,
)

FEE_PAYER = base58.b58decode(OFFERS[SOLANA]["extra"]["feePayer"])
MINT = base58.b58decode(OFFERS[SOLANA]["asset"])
PAY_TO = base58.b58decode(OFFERS[SOLANA]["payTo"])
REAL_TRANSACTION = next(
    base64.b64decode(case["decoded"]["payload"]["transaction"])
    for case in PAID["cases"]
    if case["name"] == "svm-x402-v2"
)


def header_on(network: str = BASE, micro_usdc: int = 10_000_000, **given: Any) -> str:
    arguments: dict[str, Any] = {
        "offer": OFFERS[network],
        "facts": PAYMENTS,
        "micro_usdc": micro_usdc,
        "now": NOW,
        "nonce": entropy(9),
        **given,
    }
    return payment_header(wallet_on(network), **arguments)


def edited(header: str, *path: str, value: object) -> str:
    """The header with the value at ``path`` replaced, or removed by ``...``, after it was signed."""
    whole = decode(header)
    holder = whole
    for key in path[:-1]:
        holder = holder[key]
    if value is ...:
        del holder[path[-1]]
    else:
        holder[path[-1]] = value
    return encode(whole)


def transfer(**changes: Any) -> MessageV0:
    authority = base58.b58decode(SOL.address)
    given: dict[str, Any] = {
        "fee_payer": FEE_PAYER,
        "authority": authority,
        "source": solana.token_account(authority, MINT),
        "destination": solana.token_account(PAY_TO, MINT),
        "mint": MINT,
        "amount": 5_000_000,
        "decimals": 6,
        "blockhash": entropy(8),
        "memo": b"m",
    }
    return transactions.transfer_message(**{**given, **changes})


def sent(message: MessageV0, *signatures: bytes) -> str:
    """A Solana payment of any message, signed by the test wallet as its second signer."""
    signed = transactions.serialise_message(message)
    made = signatures or (bytes(64), solana.sign(signed, secret_bytes(SOL)))
    raw = transactions.serialise_transaction(made, signed)
    return carrying(base64.b64encode(raw).decode())


def carrying(transaction: object) -> str:
    return encode({"x402Version": 2, "accepted": OFFERS[SOLANA], "payload": {"transaction": transaction}})


@pytest.mark.rules(
    *("X402-TOP-007", "X402-TOP-009", "X402-TOP-010", "X402-TOP-012", "X402-TOP-013", "X402-TOP-015"),
    *("X402-TOP-018", "X402-TOP-019", "X402-TOP-020", "X402-TOP-027", "X402-TOP-030"),
)
@pytest.mark.parametrize("case", PAID["cases"], ids=[case["name"] for case in PAID["cases"]])
def test_payments_of_real_clients_are_judged_as_expected(case: dict[str, Any]) -> None:
    if "expect" in case:
        with pytest.raises(PaymentFault) as caught:
            pay(case["header"])
        assert caught.value.code == case["expect"]
        assert caught.value.message == PAYMENTS.refusals[case["expect"]]
        return
    found = pay(case["header"])
    if case["name"].startswith("svm"):
        assert (found.rail, found.network, found.payer) == ("solana", SOLANA, PAID["solana"]["address"])
        assert found.micro_usdc == 5_000_000
        assert len(base58.b58decode(found.transaction)) == 64
    else:
        assert (found.rail, found.network, found.payer) == ("evm", BASE, PAID["evm"]["address"].lower())
        assert str(found.micro_usdc) == case["decoded"]["payload"]["authorization"]["value"]
        assert re.fullmatch("0x[0-9a-f]{64}", found.transaction)
    assert re.fullmatch("x402-[0-9a-f]{32}", found.payment_id)


def test_every_code_has_a_sentence_and_no_other_has() -> None:
    assert list(PAYMENTS.refusals) == list(get_args(Why))


@pytest.mark.rules("X402-TOP-007", "X402-TOP-006")
@pytest.mark.parametrize("network", [BASE, SOLANA])
def test_one_payment_in_any_shape_and_under_any_name_of_its_network_is_one_payment(network: str) -> None:
    headers = [header_on(network, shape=shape) for shape in ("v1", "hybrid", "v2")]
    assert [decode(header)["x402Version"] for header in headers] == [1, 2, 2]
    headers += [edited(header, "network", value=network) for header in headers[:2]]
    headers += [edited(headers[2], "accepted", "network", value=decode(headers[0])["network"])]
    assert len(set(headers)) == 6
    assert len({pay(header) for header in headers}) == 1
    assert pay(headers[0]).micro_usdc == 10_000_000


@pytest.mark.rules("X402-TOP-006")
def test_payment_ids_follow_what_the_chain_lets_happen_once() -> None:
    one = pay(header_on(nonce=entropy(1)))
    assert pay(header_on(nonce=entropy(1), now=NOW - 1)).payment_id == one.payment_id
    assert pay(header_on(nonce=entropy(1), micro_usdc=6_000_000)).payment_id == one.payment_id
    theirs = payment_header(
        OTHER, offer=OFFERS[BASE], facts=PAYMENTS, micro_usdc=10_000_000, now=NOW, nonce=entropy(1)
    )
    others = [pay(header_on(nonce=entropy(2))), pay(theirs), pay(header_on(SOLANA, nonce=entropy(1)))]
    others += [pay(header_on(SOLANA, nonce=entropy(2))), pay(header_on(SOLANA, 6_000_000, nonce=entropy(1)))]
    assert len({found.payment_id for found in [one, *others]}) == 6
    assert len({found.transaction for found in [one, *others]}) == 6


@pytest.mark.rules("X402-TOP-009", "X402-TOP-018", "X402-TOP-019")
@pytest.mark.parametrize("network", [BASE, SOLANA])
def test_any_amount_from_five_to_ten_thousand_dollars_is_credited(network: str) -> None:
    for amount in (5_000_000, 5_000_001, 10_000_000_000):
        assert pay(header_on(network, amount)).micro_usdc == amount
    for amount, code in ((0, "LOW"), (4_999_999, "LOW"), (10_000_000_001, "HIGH"), (2**64 - 1, "HIGH")):
        assert pay_code(header_on(network, amount)) == f"AMOUNT_TOO_{code}"


@pytest.mark.rules("X402-TOP-016")
@pytest.mark.parametrize(
    "value",
    ["", "5e6", "5000000.0", "-5000000", "0x4c4b40", " 5000000", "٥٠٠٠٠٠٠", str(2**256), 5000000, None, ...],
)
def test_an_amount_that_is_no_whole_number_is_an_invalid_amount(value: object) -> None:
    header = edited(header_on(), "payload", "authorization", "value", value=value)
    assert pay_code(header) == "INVALID_AMOUNT"


@pytest.mark.rules("X402-TOP-017")
@pytest.mark.parametrize("value", ["", "0x12", EVM.address[2:], SOL.address, 5, None, [], ...])
def test_a_payment_that_does_not_tell_who_pays_is_an_invalid_payer(value: object) -> None:
    header = edited(header_on(), "payload", "authorization", "from", value=value)
    assert pay_code(header) == "INVALID_PAYMENT_PAYER"


@pytest.mark.rules("X402-TOP-017")
def test_a_solana_payer_who_is_no_signer_is_an_invalid_payer() -> None:
    message = transfer()
    calls = message.instructions
    unsigned = replace(calls[2], accounts=(2, 4, 3, 4))
    assert pay_code(sent(replace(message, instructions=(*calls[:2], unsigned)))) == "INVALID_PAYMENT_PAYER"


@pytest.mark.rules("X402-TOP-013")
def test_a_payment_to_anyone_else_is_an_invalid_recipient() -> None:
    stranger = OTHER.address
    assert pay_code(header_on(offer={**OFFERS[BASE], "payTo": stranger})) == "INVALID_PAYMENT_RECIPIENT"
    for value in (stranger, "", 5, None, ...):
        header = edited(header_on(), "payload", "authorization", "to", value=value)
        assert pay_code(header) == "INVALID_PAYMENT_RECIPIENT"
    for network in (BASE, SOLANA):
        for wrong in (stranger, SOL.address, 5, None):
            header = edited(header_on(network), "accepted", "payTo", value=wrong)
            assert pay_code(header) == "INVALID_PAYMENT_RECIPIENT"
    for account in (PAY_TO, solana.token_account(PAY_TO, entropy(3)), entropy(4)):
        assert pay_code(sent(transfer(destination=account))) == "INVALID_PAYMENT_RECIPIENT"


@pytest.mark.rules("X402-TOP-014", "X402-TOP-030")
def test_a_wrong_token_is_told_by_name_where_it_is_named() -> None:
    wrong = {**OFFERS[BASE], "asset": OTHER.address}
    assert pay_code(header_on(offer=wrong)) == "UNSUPPORTED_TOKEN"
    assert pay_code(header_on(offer=wrong, shape="v1")) == "PAYMENT_VERIFICATION_FAILED signature_mismatch"
    for network in (BASE, SOLANA):
        for value in (OTHER.address, SOL.address, 5, None):
            header = edited(header_on(network), "accepted", "asset", value=value)
            assert pay_code(header) == "UNSUPPORTED_TOKEN"
    checksummed = edited(
        header_on(), "accepted", "asset", value=OFFERS[BASE]["asset"].upper().replace("X", "x")
    )
    assert pay_code(checksummed) is None
    coin = entropy(5)
    elsewhere = transfer(mint=coin, destination=solana.token_account(PAY_TO, coin))
    assert pay_code(sent(elsewhere)) == "PAYMENT_VERIFICATION_FAILED asset_mismatch"
    assert pay_code(sent(transfer(decimals=9))) == "PAYMENT_VERIFICATION_FAILED asset_mismatch"


@pytest.mark.rules("X402-TOP-012", "X402-TOP-015")
@pytest.mark.parametrize("value", ["base-sepolia", "eip155:1", "Base", "", 5, None, [], {}, ...])
def test_another_network_or_scheme_is_unsupported(value: object) -> None:
    for header, path in ((header_on(), ("accepted",)), (header_on(shape="v1"), ())):
        assert pay_code(edited(header, *path, "network", value=value)) == "UNSUPPORTED_NETWORK"
        assert pay_code(edited(header, *path, "scheme", value=value)) == "UNSUPPORTED_SCHEME"


@pytest.mark.rules("X402-TOP-012")
def test_a_network_without_a_receiver_or_an_evm_token_without_a_domain_is_unsupported() -> None:
    base = msgspec.structs.replace(PAYMENTS.networks[0], domain=None)
    domainless = msgspec.structs.replace(PAYMENTS, networks=(base,))
    for header, facts in ((header_on(SOLANA), PAYMENTS), (header_on(), domainless)):
        with pytest.raises(PaymentFault) as caught:
            verify_payment(header, facts=facts, receivers={BASE: RECEIVERS[BASE]}, now=NOW)
        assert caught.value.code == "UNSUPPORTED_NETWORK"


@pytest.mark.rules("X402-TOP-010")
def test_what_is_not_base64_of_an_object_with_a_payload_is_an_invalid_format() -> None:
    header = header_on()
    wrong = ["", "=", header[:-9], "é" + header, "W1tb" * 3000]
    bodies: list[Any] = [[], "x", 1, None, {}, {"x402Version": 2}]
    spoilt: dict[str, list[Any]] = {
        "payload": [..., None, [], "x"],
        "x402Version": [..., None, 0, 3, True, "2", []],
        "accepted": [[], "x", 5],
    }
    wrong += [encode(body) for body in bodies]
    wrong += [edited(header, name, value=value) for name, values in spoilt.items() for value in values]
    wrong += [edited(header, "padding", value="x" * PAYMENTS.max_header_bytes)]
    for each in wrong:
        assert pay_code(each) == "INVALID_PAYMENT_FORMAT", each[:80]


@pytest.mark.rules("X402-TOP-011")
def test_a_payload_without_what_its_network_needs_is_an_invalid_payment() -> None:
    spoilt: list[Any] = [..., None, "", 5, []]
    for value in spoilt:
        assert pay_code(edited(header_on(), "payload", "signature", value=value)) == "INVALID_PAYMENT"
        assert pay_code(edited(header_on(), "payload", "authorization", value=value)) == "INVALID_PAYMENT"
        assert pay_code(edited(header_on(SOLANA), "payload", "transaction", value=value)) == "INVALID_PAYMENT"
    for name in ("validAfter", "validBefore", "nonce"):
        for value in (..., None, "", 5, "0x", "-1", "1.5", str(2**256)):
            header = edited(header_on(), "payload", "authorization", name, value=value)
            assert pay_code(header) == "INVALID_PAYMENT"
    for value in ("%", "é", "AAAA", "AQ==", base64.b64encode(bytes(1300)).decode()):
        assert pay_code(carrying(value)) == "INVALID_PAYMENT"


@pytest.mark.rules("X402-TOP-020")
def test_an_authorization_must_have_begun_and_last_six_seconds_more() -> None:
    header = header_on()
    for now, code in (
        (NOW - 600, None),
        (NOW - 600.1, "PAYMENT_VERIFICATION_FAILED not_yet_valid"),
        (NOW + 294, None),
        (NOW + 294.1, "PAYMENT_VERIFICATION_FAILED expired"),
    ):
        assert pay_code(header, now) == code


@pytest.mark.rules("X402-TOP-020")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("value", "9000000"),
        ("validAfter", "1"),
        ("validBefore", "1999999999"),
        ("nonce", "0x" + entropy(3).hex()),
        ("from", OTHER.address),
    ],
)
def test_an_authorization_changed_after_signing_does_not_verify(name: str, value: str) -> None:
    header = edited(header_on(), "payload", "authorization", name, value=value)
    assert pay_code(header) == "PAYMENT_VERIFICATION_FAILED signature_mismatch"


@pytest.mark.rules("X402-TOP-020")
@pytest.mark.parametrize(
    "spoil",
    [
        lambda s: s[2:],
        lambda s: s[:-2],
        lambda s: s + "00",
        lambda s: s[:-2] + "1d",
        lambda s: "0x" + "00" * (len(s) // 2 - 1),
        lambda s: s[:10] + ("0" if s[10] != "0" else "1") + s[11:],
        lambda s: "0x" + "00" * 64 + s[2:] + "6492" * 16,
    ],
)
def test_a_spoilt_evm_signature_does_not_verify(spoil: Callable[[str], str]) -> None:
    header = header_on()
    spoilt = edited(header, "payload", "signature", value=spoil(decode(header)["payload"]["signature"]))
    assert pay_code(spoilt) == "PAYMENT_VERIFICATION_FAILED signature_mismatch"


@pytest.mark.rules("X402-TOP-027")
def test_a_solana_transfer_in_the_allowed_layout_is_accepted_with_or_without_what_may_follow() -> None:
    message = transfer()
    calls = message.instructions
    memo = calls[3]
    for length in (3, 4, 5, 6):
        assert pay_code(sent(replace(message, instructions=(*calls[:3], *[memo] * (length - 3))))) is None
    wordy = replace(memo, data=b"m" * 300)
    assert pay_code(sent(replace(message, instructions=(*calls[:3], wordy)))) is None
    lighthouse = replace(message, accounts=(*message.accounts[:7], transactions.LIGHTHOUSE_PROGRAM))
    assert pay_code(sent(lighthouse)) is None


@pytest.mark.rules("X402-TOP-027")
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda calls: calls[:2], "instruction_count"),
        (lambda calls: (*calls, *[calls[3]] * 3), "instruction_count"),
        (lambda calls: (calls[1], calls[0], calls[2]), "compute_budget"),
        (lambda calls: (calls[2], *calls[1:]), "compute_budget"),
        (lambda calls: (replace(calls[0], data=b"\x02\0"), *calls[1:]), "compute_budget"),
        (lambda calls: (replace(calls[0], program=7), *calls[1:]), "compute_budget"),
        (lambda calls: (*calls[:2], calls[3]), "no_transfer_checked"),
        (lambda calls: (*calls[:2], replace(calls[2], data=b"\x03" + bytes(9))), "no_transfer_checked"),
        (lambda calls: (*calls[:2], replace(calls[2], data=calls[2].data + b"\0")), "no_transfer_checked"),
        (lambda calls: (*calls[:2], replace(calls[2], accounts=(2, 4, 3, 1, 1))), "transfer_accounts"),
        (lambda calls: (*calls[:3], calls[2]), "extra_instruction"),
        (lambda calls: (*calls[:2], replace(calls[2], accounts=(2, 4, 3, 0))), "fee_payer_in_instruction"),
        (lambda calls: (*calls[:3], replace(calls[3], accounts=(0,))), "fee_payer_in_instruction"),
    ],
)
def test_a_solana_transaction_of_another_layout_does_not_verify(
    change: Callable[[tuple[Instruction, ...]], tuple[Instruction, ...]], reason: str
) -> None:
    message = transfer()
    spoilt = replace(message, instructions=change(message.instructions))
    assert pay_code(sent(spoilt)) == f"PAYMENT_VERIFICATION_FAILED {reason}"


@pytest.mark.rules("X402-TOP-027")
def test_a_solana_transaction_needs_the_fee_payer_named_and_every_other_signature() -> None:
    failed = "PAYMENT_VERIFICATION_FAILED "
    assert pay_code(sent(transfer(fee_payer=entropy(6)))) == failed + "fee_payer_mismatch"
    message = transfer()
    signed = transactions.serialise_message(message)
    good = solana.sign(signed, secret_bytes(SOL))
    theirs = solana.sign(signed, entropy(2))
    assert (
        pay_code(sent(message, b"\1" * 64, good)) is None
    )  # what stands in the fee payer's place is not read
    for wrong in (bytes(64), theirs, good[:63] + bytes([good[63] ^ 1])):
        assert pay_code(sent(message, bytes(64), wrong)) == failed + "signature_mismatch"
    accounts = (
        message.accounts[0],
        message.accounts[1],
        solana.public_key_of(entropy(2)),
        *message.accounts[2:],
    )
    shifted = tuple(
        Instruction(call.program + 1, tuple(i + (i > 1) for i in call.accounts), call.data)
        for call in message.instructions
    )
    three = replace(message, required_signatures=3, accounts=accounts, instructions=shifted)
    signed = transactions.serialise_message(three)
    both = [solana.sign(signed, secret_bytes(SOL)), solana.sign(signed, entropy(2))]
    assert pay_code(sent(three, bytes(64), *both)) is None
    assert pay_code(sent(three, bytes(64), both[0], bytes(64))) == failed + "signature_mismatch"


@pytest.mark.rules("X402-TOP-003", "X402-TOP-010")
@settings(deadline=None, max_examples=400)
@given(any_header(PAID), st.floats(0, 4e9))
def test_no_header_raises_anything_but_a_payment_fault(header: str, now: float) -> None:
    for moment in (NOW, now):
        try:
            found = pay(header, moment)
        except PaymentFault as fault:
            seen = fault.message == PAYMENTS.refusals[fault.code]
        else:
            seen = found.payer in (PAID["evm"]["address"].lower(), PAID["solana"]["address"])
        assert seen


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_no_solana_transaction_raises_anything_but_a_payment_fault(data: st.DataObject) -> None:
    raw = bytearray(REAL_TRANSACTION)
    for at, byte in data.draw(
        st.lists(st.tuples(st.integers(0, len(raw) - 1), st.integers(0, 255)), max_size=4)
    ):
        raw[at] = byte
    cut = data.draw(st.integers(0, len(raw)) | st.just(len(raw)))
    code = pay_code(carrying(base64.b64encode(bytes(raw[:cut])).decode()))
    assert code is None or code.partition(" ")[0] in PAYMENTS.refusals
