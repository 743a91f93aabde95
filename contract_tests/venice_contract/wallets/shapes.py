"""What both kinds of payment share: choosing an entry of a server's accepts, and x402's three shapes of header."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from venice_contract.wallets.envelope import altered
from venice_contract.wallets.keys import Kind

Shape = Literal["v1", "v2", "hybrid"]
"""``v1``: x402 version 1. ``v2``: version 2 with the chosen requirement as ``accepted``. ``hybrid``: version 1's
flat shape labelled 2, as Venice's documents and its own client send it."""

SHAPES: tuple[Shape, ...] = ("v1", "v2", "hybrid")

_FLAT_NAMES: dict[Kind, str] = {"evm": "base", "solana": "solana"}
_NAMESPACES: dict[Kind, str] = {"evm": "eip155", "solana": "solana"}


def choose_offer(accepts: Iterable[Mapping[str, Any]], kind: Kind) -> Mapping[str, Any]:
    """The first entry of a server's accepts that such a wallet can pay. Raises ValueError when none is."""
    for offer in accepts:
        if str(offer.get("network")).partition(":")[0] == _NAMESPACES[kind]:
            return offer
    raise ValueError(f"nothing in accepts can be paid from a wallet of kind {kind}")


def in_shape(
    shape: Shape,
    version: Any,
    chosen: Mapping[str, Any],
    accepted: Mapping[str, Any],
    payload: Mapping[str, Any],
    changes: Mapping[str, Any],
) -> dict[str, Any]:
    """A payload in its envelope. ``chosen`` (scheme and network) goes flat, or over ``accepted`` in v2."""
    if shape == "v2":
        whole = {"x402Version": version, "payload": payload, "accepted": altered(accepted, chosen)}
    else:
        whole = {"x402Version": version, **altered({}, chosen), "payload": payload}
    return altered(whole, changes)


def version_of(shape: Shape) -> int:
    """The x402Version that a shape is labelled with."""
    return 1 if shape == "v1" else 2


def network_name(shape: Shape, kind: Kind, offer: Mapping[str, Any]) -> Any:
    """How a client of that shape names the offer's network."""
    return offer.get("network") if shape == "v2" else _FLAT_NAMES[kind]
