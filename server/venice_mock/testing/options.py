"""What can be chosen for a mock in Python: the settings of the server and the config of a session, as typed keywords.

They are read as the entries of a settings file are. The environment is never asked: a test says what it needs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, TypedDict

Money = str | int | Decimal


class CommonOptions(TypedDict, total=False):
    """What server and session have in common, as ``venice-mock serve --help`` tells it."""

    edition: str
    behavior: Literal["documented", "observed"]
    default_model: str | None
    pure: bool
    prompt_magic: bool
    limits: Literal["off", "real"]
    balance: Money
    engine: Literal["paint", "fast"]
    caption: bool
    seed: int | None
    fetch: str | Sequence[str]
    latency: str
    journal_bytes: int | str
    body_timeout: str
    trust_proxy: bool
    pay_to_base: str | None
    pay_to_solana: str | None
    fee_payer: str | None


class ServerOptions(CommonOptions, total=False):
    """The settings of a server."""

    host: str
    port: int
    keys: str | Path
    wallets: str | Path
    cors: str | Sequence[str]
    control_token: str
    control_hosts: str | Sequence[str]
    store: str
    max_inflight_pixels: int
    cache_bytes: int | str
    max_inflight_bytes: int | str


class SessionOptions(CommonOptions, total=False):
    """The config of a session: instead of files, keys and wallets themselves, and other facts about models."""

    keys: Mapping[str, Any] | None
    wallets: Mapping[str, Any] | None
    models: Mapping[str, Any] | None


def plain_values(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options as JSON has them."""
    return {name: _plain(value) for name, value in options.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal | Path):
        return str(value)
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value
