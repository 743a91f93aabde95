"""venice-py from PyPI, a client of another author: edits with a key and with a wallet, and its typed errors.

BASE_URL is the origin, SEED a PNG to edit. Prints one PASS or FAIL line; the exit code is 0 or 1.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import warnings
from collections.abc import Awaitable
from pathlib import Path

warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)

import venice_ai  # noqa: E402 - after its warnings are silenced
from eth_account import Account  # noqa: E402
from venice_ai import VeniceClient  # noqa: E402
from venice_ai import exceptions as errors  # noqa: E402
from venice_ai.auth.x402 import X402Auth  # noqa: E402

BASE = os.environ["BASE_URL"]
SEED = Path(os.environ["SEED"])
IMAGE = SEED.read_bytes()
KEY = os.environ.get("VENICE_API_KEY", "mock-key")
steps: list[str] = []


def need(condition: object, step: str) -> None:
    """Note a step that succeeded, or end with it."""
    if not condition:
        raise AssertionError(step)
    steps.append(step)


def is_image(data: bytes) -> bool:
    """Whether the bytes begin as PNG, JPEG or WebP do."""
    return (
        data[:4] == b"\x89PNG" or data[:2] == b"\xff\xd8" or (data[:4] == b"RIFF" and data[8:12] == b"WEBP")
    )


async def raised(call: Awaitable[object], kind: type[Exception]) -> Exception | None:
    """The error of ``kind`` that the call ended with, if any."""
    try:
        await call
    except kind as error:
        return error
    return None


async def with_a_key() -> None:
    """Lists models and edits by bytes and by path."""
    async with VeniceClient(api_key=KEY, base_url=BASE) as client:
        listed = await client.models.list(type="inpaint")
        need(len(listed.data) > 0, f"models parsed: {len(listed.data)}")
        out = await client.image.edit(prompt="sunset sky", image=IMAGE, model="firered-image-edit")
        need(is_image(out), "edit of bytes")
        out = await client.image.edit(
            prompt="sunset sky",
            image=str(SEED),
            aspect_ratio="16:9",
            resolution="1K",
            output_format="webp",
            safe_mode=False,
            model="nano-banana-2-edit",
        )
        need(is_image(out) and out[:4] == b"RIFF", "edit of a path, as WebP")
        unknown = client.image.edit(prompt="x", image=IMAGE, model="no-such-edit-model")
        error = await raised(unknown, Exception)
        need(getattr(error, "status_code", None) == 404, f"unknown model: {type(error).__name__} 404")


async def with_bad_keys() -> None:
    """The client's own exceptions for a wrong key and for an empty account."""
    async with VeniceClient(api_key="mock_invalid_key", base_url=BASE) as client:
        edit = client.image.edit(prompt="x", image=IMAGE)
        need(await raised(edit, errors.AuthenticationError), "wrong key: AuthenticationError")
    async with VeniceClient(api_key="mock_insufficient_balance", base_url=BASE) as client:
        edit = client.image.edit(prompt="x", image=IMAGE)
        need(await raised(edit, errors.PaymentRequiredError), "empty account: PaymentRequiredError")


async def with_a_wallet() -> None:
    """Balance, top-up, transactions and an edit signed by a fresh wallet; another without credit."""
    auth, broke = (X402Auth(private_key=Account.create().key.hex()) for _ in range(2))
    async with VeniceClient(api_key=KEY, base_url=BASE) as client:
        balance = await client.x402.balance(auth=auth)
        own = balance.data.walletAddress.lower() == auth.wallet_address.lower()
        need(balance.success and own and balance.data.balanceUsd == 0, "balance of a fresh wallet")
        credited = await client.x402.top_up_with(auth=auth, amount_usdc=5.0)
        need(credited.data.amountCredited == 5, "top_up_with 5")
        listed = await client.x402.transactions(auth=auth, limit=5)
        need(listed.success and len(listed.data.transactions) == 1, "transactions")
    async with VeniceClient(base_url=BASE, auth=auth, api_key="") as client:
        out = await client.image.edit(prompt="x", image=IMAGE)
        need(is_image(out), "edit signed by the wallet")
    async with VeniceClient(base_url=BASE, auth=broke, api_key="") as client:
        edit = client.image.edit(prompt="x", image=IMAGE)
        error = await raised(edit, errors.PaymentRequiredError)
        need(
            (getattr(error, "body", None) or {}).get("code") == "PAYMENT_REQUIRED",
            "no credit: PAYMENT_REQUIRED",
        )


async def main() -> None:
    """All of it."""
    await with_a_key()
    await with_bad_keys()
    await with_a_wallet()


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except Exception as error:  # noqa: BLE001 - whatever a foreign client raises is a FAIL line
        print(f"FAIL venice-py after [{'; '.join(steps)}]: {type(error).__name__}: {str(error)[:600]}")
        sys.exit(1)
    print(f"PASS venice-py {getattr(venice_ai, '__version__', '?')}: {'; '.join(steps)}")
