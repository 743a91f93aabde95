"""The wallets file: JSON and TOML that say the same, and a sentence for each way to get it wrong."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from venice_mock.app import create_app
from venice_mock.contract import Contract
from venice_mock.settings import Settings
from venice_mock.wallet.world import make_world
from wallets import ALICE, BOB, SOLANGE, X402, MakeClient, Purse, offers_of, wallet_of

CONTRACT = "0x" + "C0" * 20
FEES = wallet_of("venice-mock test: whoever pays the fees", "solana")
JSON = f"""{{
    "smart_wallets": {{"{CONTRACT}": "{ALICE.address}"}},
    "usdc_onchain": {{"{BOB.address}": 7500000, "*": 0}},
    "settlements": {{"{SOLANGE.address}": "SETTLEMENT_FAILED"}},
    "balances_usd": {{"{ALICE.address}": 0.1, "{SOLANGE.address}": "0.30"}}
}}"""
TOML = f"""
[smart_wallets]
"{CONTRACT}" = "{ALICE.address}"
[usdc_onchain]
"{BOB.address}" = 7_500_000
"*" = 0
[settlements]
{SOLANGE.address} = "SETTLEMENT_FAILED"
[balances_usd]
"{ALICE.address}" = 0.1
{SOLANGE.address} = "0.30"
"""


def written(folder: Path, name: str, text: str | bytes) -> Path:
    file = folder / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


@pytest.mark.parametrize(("name", "text"), [("wallets.json", JSON), ("wallets.toml", TOML)])
def test_json_and_toml_say_the_same_exactly(contract: Contract, tmp_path: Path, name: str, text: str) -> None:
    world = make_world(contract, file=written(tmp_path, name, text))
    alice, bob = ALICE.address.lower(), BOB.address.lower()
    assert world.smart_wallets == {CONTRACT.lower(): alice}
    assert (world.funds_of(bob), world.funds_of(alice)) == (Decimal("7.5"), Decimal(0))
    assert (world.settlement_of(SOLANGE.address), world.settlement_of(bob)) == ("SETTLEMENT_FAILED", None)
    told = [world.opening_balance(wallet) for wallet in (alice, SOLANGE.address, bob)]
    assert told == [Decimal("0.1"), Decimal("0.3"), Decimal(0)]


@pytest.mark.parametrize("text", ["{}", '{"balances_usd": {}}'])
def test_an_empty_file_is_a_world_without_limits(contract: Contract, tmp_path: Path, text: str) -> None:
    for world in (make_world(contract), make_world(contract, file=written(tmp_path, "w.json", text))):
        assert (world.funds_of("x"), world.settlement_of("x"), world.opening_balance("x")) == (
            None,
            None,
            Decimal(0),
        )
        assert world.smart_wallets == {}


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("w.json", b"{", "cannot be used"),
        ("w.json", b"[]", "cannot be used"),
        ("w.json", b"\xff", "cannot be used"),
        ("w.toml", b"[[", "cannot be used"),
        ("w.json", b'{"walets": {}}', "walets"),
        ("w.json", b'{"usdc_onchain": {"*": 0.5}}', "cannot be used"),
        ("w.json", b'{"usdc_onchain": {"*": -1}}', "amounts run from 0"),
        ("w.json", b'{"balances_usd": {"*": -0.01}}', "amounts run from 0"),
        ("w.json", b'{"balances_usd": {"*": "NaN"}}', "amounts run from 0"),
        ("w.json", b'{"balances_usd": {"*": "Infinity"}}', "amounts run from 0"),
        ("w.json", b'{"balances_usd": {"*": "1e999999"}}', "amounts run from 0"),
        ("w.toml", b'[balances_usd]\n"*" = nan', "amounts run from 0"),
        (
            "w.json",
            b'{"settlements": {"*": "SETTLEMENT_FALED"}}',
            "SETTLEMENT_FALED. Known: SETTLEMENT_FAILED",
        ),
        ("w.json", b'{"settlements": {"0x12": "SETTLEMENT_FAILED"}}', "'0x12' is no address"),
        ("w.json", b'{"balances_usd": {"alice.eth": 1}}', "'alice.eth' is no address"),
        ("w.json", b'{"usdc_onchain": {"": 1}}', "'' is no address"),
        ("w.json", f'{{"smart_wallets": {{"*": "{ALICE.address}"}}}}'.encode(), r"'\*' is no address"),
        ("w.json", json.dumps({"smart_wallets": {CONTRACT: SOLANGE.address}}).encode(), "is no address"),
    ],
)
def test_a_file_that_is_wrong_is_told_at_the_start_in_one_sentence(
    tmp_path: Path, name: str, text: bytes, says: str
) -> None:
    file = written(tmp_path, name, text)
    with pytest.raises(ValueError, match=says) as caught:
        create_app(Settings(wallets=file))
    assert str(file) in str(caught.value)


def test_a_file_that_is_not_there_is_told_too(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"none\.json cannot be used"):
        create_app(Settings(wallets=tmp_path / "none.json"))


@pytest.mark.rules("EDIT-PAY-040")
@pytest.mark.parametrize(
    "options",
    [
        {"pay_to_base": "foo"},
        {"pay_to_base": SOLANGE.address},
        {"pay_to_solana": BOB.address},
        {"fee_payer": "1111"},
    ],
)
def test_a_receiver_that_is_no_address_of_its_chain_is_refused_at_the_start(
    make_client: MakeClient, options: dict[str, str]
) -> None:
    with pytest.raises(ValueError, match="is no address on"):
        make_client(**options)


def test_receivers_are_the_editions_fakes_unless_others_are_named(make_client: MakeClient) -> None:
    assert [offer["payTo"] for offer in offers_of(make_client())] == [rail.pay_to for rail in X402.rails]
    named = make_client(pay_to_base=BOB.address, pay_to_solana=SOLANGE.address, fee_payer=FEES.address)
    base, solana = offers_of(named)
    assert (base["payTo"], "feePayer" in base["extra"]) == (BOB.address, False)
    assert (solana["payTo"], solana["extra"]["feePayer"]) == (SOLANGE.address, FEES.address)
    assert (base["asset"], solana["asset"]) == tuple(rail.asset for rail in X402.rails)


def test_an_opening_balance_is_a_wallets_own_or_everyones(make_client: MakeClient, tmp_path: Path) -> None:
    file = written(tmp_path, "w.json", json.dumps({"balances_usd": {ALICE.address: "4.25", "*": 1}}))
    client = make_client(wallets=file)
    assert [Purse(client, wallet).balance() for wallet in (ALICE, BOB, SOLANGE)] == [Decimal("4.25"), 1, 1]
