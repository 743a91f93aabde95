"""The code that is tested: an application that edits pictures with venice-py, once carelessly and once with care."""

from __future__ import annotations

from venice_ai import SyncVeniceClient
from venice_ai.exceptions import APIError, VeniceError

MODEL = "qwen-edit"
NOT_DONE = (429, 503)  # refused before any work


def edit_at_any_price(client: SyncVeniceClient, picture: bytes, prompt: str, attempts: int = 3) -> bytes:
    """Try again whatever happened. The API has no idempotency key: each attempt may be charged."""
    for _ in range(attempts - 1):
        try:
            return _edit(client, picture, prompt)
        except VeniceError:
            continue
    return _edit(client, picture, prompt)


def edit_once(client: SyncVeniceClient, picture: bytes, prompt: str, attempts: int = 3) -> bytes:
    """Try again only where the server has said that nothing was done; somebody else decides about the rest."""
    for _ in range(attempts - 1):
        try:
            return _edit(client, picture, prompt)
        except APIError as error:
            if error.status_code not in NOT_DONE:
                raise
    return _edit(client, picture, prompt)


def _edit(client: SyncVeniceClient, picture: bytes, prompt: str) -> bytes:
    edited: bytes = client.image.edit(prompt=prompt, image=picture, model=MODEL)
    return edited
