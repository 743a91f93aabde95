"""Frozen types of what an edition says about wallets: sign-in headers and top-up payments. Shapes only."""

from __future__ import annotations

from typing import Literal

from venice_mock.contract.base import Data

WalletKind = Literal["evm", "solana"]


class SignInFacts(Data, frozen=True):
    """How a sign-in header is judged. Seconds and bytes; chains in CAIP-2 form.

    ``default_chain`` is what a message without a Chain ID line means. ``codes`` maps every refusal code to
    the sentence that goes with it.
    """

    life_s: int
    skew_s: int
    nonce_life_s: int
    max_header_bytes: int
    domains: tuple[str, ...]
    evm_chain: str
    solana_chain: str
    default_chain: str
    codes: dict[str, str]


class TypedDataDomain(Data, frozen=True):
    """The EIP-712 domain of an EVM token, less the contract's address, which is the network's ``asset``."""

    name: str
    version: str
    chain_id: int


class PaymentNetwork(Data, frozen=True):
    """A network that top-ups may use, and its one token.

    ``names`` are the spellings a payment may carry, the shortest (x402 version 1's) first; ``caip2`` is the
    one that answers use. Only EVM networks have a ``domain``.
    """

    caip2: str
    names: tuple[str, ...]
    rail: WalletKind
    asset: str
    decimals: int
    domain: TypedDataDomain | None = None


class PaymentFacts(Data, frozen=True):
    """How a top-up payment is judged. Amounts in micro-USDC, both ends included; ``margin_s`` is how long an
    authorization must still be valid. ``refusals`` maps every code of a 400 to its sentence."""

    versions: tuple[int, ...]
    scheme: str
    networks: tuple[PaymentNetwork, ...]
    min_micro_usdc: int
    max_micro_usdc: int
    margin_s: int
    max_header_bytes: int
    refusals: dict[str, str]


class Settlement(Data, frozen=True):
    """One way in which settling a verified payment fails."""

    status: int
    message: str


class TopUpFacts(Data, frozen=True):
    """POST /x402/top-up: its path, requests a minute per address, and how a settlement may fail, by code."""

    path: str
    requests_per_minute: int
    duplicate_code: str
    settlements: dict[str, Settlement]


class StatementFacts(Data, frozen=True):
    """Balance and transactions of a wallet: paths before the address, limits a minute, and page sizes."""

    balance_path: str
    transactions_path: str
    balance_per_minute: int
    transactions_per_minute: int
    page_default: int
    page_max: int
    address_pattern: str


class WalletTexts(Data, frozen=True):
    """Wording of the wallet answers. ``steps`` are the three of topUpInstructions, in order."""

    payment_required: str
    payment_required_code: str
    insufficient_reason: str
    insufficient_message: str
    steps: tuple[str, str, str]
    tokens: tuple[str, ...]
    chains: tuple[str, ...]
    bad_sign_in: str
    not_own_balance: str
    not_own_transactions: str
    rate_limited: str
    bad_address: str
