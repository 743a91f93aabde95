"""What a user may say of the simulated chain, in a file: smart wallets, funds, settlements that fail, balances."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import msgspec

from venice_mock.contract import Contract
from venice_mock.contract.wallet_types import WalletKind
from venice_mock.wallet.payments import Receiver

_EVERYONE = "*"
_MOST_USD = Decimal(10) ** 12  # ours, the same as for keys
_LEAST_EXPONENT = -18  # ours: written out, 1e-999999 is a megabyte of zeros


@dataclass(frozen=True, slots=True)
class World:
    """The chain as the mock simulates it. EVM addresses are in lower case.

    ``smart_wallets``: contract -> owner whose signature counts. ``funds``: USD on chain by wallet, without an
    entry endless. ``settlements``: code with which settling a wallet's payments fails. ``balances``: USD of
    credit that a wallet starts with. ``receivers``: who is paid, by CAIP-2 network.
    """

    receivers: Mapping[str, Receiver]
    smart_wallets: Mapping[str, str] = field(default_factory=dict)
    funds: Mapping[str, Decimal] = field(default_factory=dict)
    settlements: Mapping[str, str] = field(default_factory=dict)
    balances: Mapping[str, Decimal] = field(default_factory=dict)

    def funds_of(self, wallet: str) -> Decimal | None:
        """USD on chain, or None without end."""
        return self.funds.get(wallet, self.funds.get(_EVERYONE))

    def settlement_of(self, wallet: str) -> str | None:
        """The code with which this wallet's settlements fail, or None."""
        return self.settlements.get(wallet, self.settlements.get(_EVERYONE))

    def opening_balance(self, wallet: str) -> Decimal:
        """USD of credit that the wallet starts with."""
        return self.balances.get(wallet, self.balances.get(_EVERYONE, Decimal(0)))


class WalletTables(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a user says of wallets, as it is written; ``*`` stands for every wallet that is not named."""

    smart_wallets: dict[str, str] = {}
    usdc_onchain: dict[str, int] = {}  # micro-USDC
    settlements: dict[str, str] = {}
    balances_usd: dict[str, Decimal] = {}


def make_world(
    contract: Contract,
    *,
    file: Path | None = None,
    tables: WalletTables | None = None,
    pay_to_base: str | None = None,
    pay_to_solana: str | None = None,
    fee_payer: str | None = None,
) -> World:
    """The edition's receivers, unless others are named, and what ``tables`` say, or else ``file`` (JSON or TOML).

    Raises ValueError with a sentence for what cannot be used.
    """
    where = "wallets" if file is None else f"The wallets file {file}"
    chosen = {"evm": (pay_to_base, None), "solana": (pay_to_solana, fee_payer)}
    rails = {network.caip2: network.rail for network in contract.edition.x402.payments.networks}
    receivers = {}
    for rail in contract.edition.x402.rails:
        pay_to, fees = chosen[rails[rail.caip2]]
        for address in (pay_to, fees):
            if address is not None and not _is_address(rails[rail.caip2], address):
                raise ValueError(f"{address} is no address on {rail.network}.")
        receivers[rail.caip2] = Receiver(pay_to or rail.pay_to, fees or rail.extra.get("feePayer"))
    read = tables or (WalletTables() if file is None else load_wallets(file))
    unknown = set(read.settlements.values()) - set(contract.edition.x402.top_up.settlements)
    if unknown:
        known = ", ".join(contract.edition.x402.top_up.settlements)
        raise ValueError(f"{where}: unknown settlement {min(unknown)}. Known: {known}.")
    if any(amount < 0 for amount in read.usdc_onchain.values()) or any(
        not amount.is_finite() or not 0 <= amount <= _MOST_USD or amount.adjusted() < _LEAST_EXPONENT
        for amount in read.balances_usd.values()
    ):
        raise ValueError(f"{where}: amounts run from 0 to {_MOST_USD:f} dollars.")
    owners = {*read.smart_wallets, *read.smart_wallets.values()}
    named = {*read.usdc_onchain, *read.settlements, *read.balances_usd} - {_EVERYONE}
    pattern = contract.edition.x402.statements.address_pattern
    wrong = {name for name in named if not re.fullmatch(pattern, name)}
    wrong |= {name for name in owners if not (name.startswith("0x") and re.fullmatch(pattern, name))}
    if wrong:
        raise ValueError(f"{where}: {min(wrong)!r} is no address of a wallet.")
    return World(
        receivers=receivers,
        smart_wallets={normal(k): normal(v) for k, v in read.smart_wallets.items()},
        funds={normal(k): Decimal(v).scaleb(-6) for k, v in read.usdc_onchain.items()},
        settlements={normal(k): v for k, v in read.settlements.items()},
        balances={normal(k): v for k, v in read.balances_usd.items()},
    )


def normal(address: str) -> str:
    """An address as it is stored: EVM in lower case, Solana as it is."""
    return address.lower() if address.startswith("0x") else address


def _is_address(kind: WalletKind, text: str) -> bool:
    if kind == "evm":
        from venice_mock.wallet import evm

        return evm.is_address(text)
    from venice_mock.wallet import solana

    return solana.decode_address(text) is not None


def load_wallets(file: Path) -> WalletTables:
    """Read a wallets file, JSON or TOML. Raises ValueError with a sentence that names it."""
    try:
        text = file.read_text("utf-8")
        if file.suffix == ".toml":
            import tomllib

            return msgspec.convert(tomllib.loads(text, parse_float=Decimal), WalletTables, strict=False)
        return msgspec.json.decode(text, type=WalletTables, strict=False)
    except (OSError, ValueError) as error:
        raise ValueError(f"The wallets file {file} cannot be used: {error}") from error
