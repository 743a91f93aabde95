"""The frozen ``Settings`` and what they are made of. Only shapes and defaults live here; nothing is read."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:  # the contract costs 50 ms to import, which `venice-mock --help` need not pay
    from venice_mock.contract import Behavior


IN_PROCESS = "memory://"  # the store that no other process has


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds added to every edit: drawn evenly from ``low`` to ``high`` by the session's seed."""

    low: float = 0.0
    high: float = 0.0


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a user may choose, in its final type. Defaults are those of ``venice-mock serve``."""

    host: str = "127.0.0.1"
    port: int = 8402
    port_file: Path | None = None
    edition: str = "2026-06-19"
    behavior: Behavior = "documented"
    default_model: str | None = None  # None: what the behaviour says
    keys: Path | None = None
    balance: Decimal = Decimal("100")
    fetch: tuple[str, ...] = ("loopback",)  # "none", "loopback", "public", or host names
    engine: Literal["paint", "fast"] = "paint"
    caption: bool = True
    seed: int | None = None  # None: nonces and request ids are random; pictures are drawn with seed 0
    limits: Literal["off", "real"] = "off"
    store: str = IN_PROCESS
    workers: int = 1
    wallets: Path | None = None  # smart wallets, funds on chain, failing settlements
    pay_to_base: str | None = None  # None: the edition's receivers, which are clearly fake
    pay_to_solana: str | None = None
    fee_payer: str | None = None
    trust_proxy: bool = False
    cors: tuple[str, ...] = ()  # origins whose pages may read the API's answers; "*": any
    control: bool = True
    control_token: str | None = None
    control_hosts: tuple[str, ...] = ()
    journal_bytes: int = 64 << 20  # of all sessions together; 0: no journal
    latency: Latency = Latency()
    max_inflight_pixels: int = (
        76_000_000  # two of the largest inputs at once, each with what a 1K output takes
    )
    max_inflight_bytes: int = 72_000_000  # two of the largest files, both still as base64
    cache_bytes: int = 64 << 20  # of pictures that were made before; 0: each is made anew
    body_timeout: float = 30.0  # seconds without a byte of the body, and four times that for the whole
    pure: bool = False
    prompt_magic: bool = False  # whether [[mock:...]] in a prompt is an order
    log_format: Literal["text", "json"] = "text"
    log_level: str = "info"
