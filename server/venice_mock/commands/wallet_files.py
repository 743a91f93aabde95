"""A throwaway wallet as a small JSON file. No error here ever quotes what stands in one."""

from __future__ import annotations

import json
from pathlib import Path

from venice_mock.commands.files import STREAM, JobError, read_input
from venice_mock.wallet.signing import Wallet, open_wallet

NOTE = "throwaway: never fund it"
_MOST_BYTES = 1 << 16


def wallet_text(wallet: Wallet) -> str:
    """The JSON of a wallet, its secret included."""
    shown = {"kind": wallet.kind, "address": wallet.address, "secret": wallet.secret, "note": NOTE}
    return json.dumps(shown, indent=2) + "\n"


def load_wallet(name: str) -> Wallet:
    """The wallet in a file, or in standard input (``-``). Raises JobError."""
    try:
        data = read_input(None if name == STREAM else Path(name))
    except JobError as error:
        raise JobError(f"The wallet file {name} {error}.") from error
    broken = f"The wallet file {name} is none: expected the JSON that `venice-mock wallet new` writes"
    try:
        said = json.loads(data) if len(data) <= _MOST_BYTES else None
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict) or not isinstance(said.get("secret"), str):
        raise JobError(f"{broken}.")
    try:
        wallet = open_wallet(said["secret"])
    except ValueError:
        raise JobError(f"{broken}, and its secret is no key.") from None
    if (said.get("kind"), said.get("address")) != (wallet.kind, wallet.address):
        raise JobError(f"{broken}, and its kind and address are not those of its secret.")
    return wallet
