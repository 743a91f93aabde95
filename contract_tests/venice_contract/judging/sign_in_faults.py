"""The faults of a sign-in that have a code of their own, one function each. They can be laid over each other.

Applied to a good sign-in from the last to the first in the order of the codes, a fault that comes earlier wins
where two would change the same part.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from venice_contract.judging.probe import Probe
from venice_contract.judging.signing_in import with_members, without_member
from venice_contract.wallets import SignIn, iso

FOREIGN_DOMAIN = "evil.example"
Fault = Callable[[Probe, SignIn], SignIn]
_LATE = 90.0  # seconds: further from now than any limit but the sign-in's life


def _no_message(_probe: Probe, signed: SignIn) -> SignIn:
    return replace(signed, words="Please let me in. " + signed.text().replace("\n", " "))


def _another_address(probe: Probe, signed: SignIn) -> SignIn:
    return with_members(signed, address=probe.wallet(signed.kind).wallet.address)


def _unknown_form_of_chain(_probe: Probe, signed: SignIn) -> SignIn:
    return replace(signed, chain_id="base")


def _another_chain_id(_probe: Probe, signed: SignIn) -> SignIn:
    return replace(signed, chain_id=1)


def _unsupported_chain(_probe: Probe, signed: SignIn) -> SignIn:
    return signed.on_chain("eip155:137")


def _another_timestamp(probe: Probe, signed: SignIn) -> SignIn:
    return replace(signed, timestamp=int((probe.now() - _LATE) * 1000))


def _expired(probe: Probe, signed: SignIn) -> SignIn:
    return replace(signed, expiration_time=iso(probe.now() - _LATE))


def _issued_in_the_future(probe: Probe, signed: SignIn) -> SignIn:
    return replace(signed, issued_at=iso(probe.now() + _LATE))


def _not_valid_yet(probe: Probe, signed: SignIn) -> SignIn:
    return replace(signed, not_before=iso(probe.now() + _LATE))


FAULTS: Mapping[str, Fault] = {
    "INVALID_PAYLOAD": lambda _probe, signed: without_member(signed, "signature"),
    "INVALID_MESSAGE": _no_message,
    "ADDRESS_MISMATCH": _another_address,
    "INVALID_CHAIN_ID": _unknown_form_of_chain,
    "CHAIN_MISMATCH": _another_chain_id,
    "UNSUPPORTED_CHAIN": _unsupported_chain,
    "MISSING_NONCE": lambda _probe, signed: replace(signed, nonce=None),
    "DOMAIN_MISMATCH": lambda _probe, signed: replace(signed, domain=FOREIGN_DOMAIN),
    "TIMESTAMP_MISMATCH": _another_timestamp,
    "EXPIRED": _expired,
    "FUTURE_TIMESTAMP": _issued_in_the_future,
    "NOT_BEFORE": _not_valid_yet,
    "INVALID_SIGNATURE": lambda _probe, signed: replace(signed, flipped_bit=13),
}
"""By the end of its code, in the order of the codes; EVM sign-ins with a literal message.

Those that are no change of one sign-in are not among them: a header that is no sign-in at all, an address of
no known kind, a nonce that was used.
"""

_SAME_PART = ({"INVALID_CHAIN_ID", "CHAIN_MISMATCH"},)  # of these pairs only one fault can be shown


def pairs() -> list[list[str]]:
    """Every two faults that one sign-in can have, the earlier in the order of the codes first."""
    names = list(FAULTS)
    every = [[one, other] for at, one in enumerate(names) for other in names[at + 1 :]]
    return [pair for pair in every if set(pair) not in _SAME_PART]


NEIGHBOURS = [
    [one, other] for one, other in pairs() if list(FAULTS).index(other) == list(FAULTS).index(one) + 1
]
"""The pairs that stand side by side in the order of the codes."""


def faulty(probe: Probe, signed: SignIn, *names: str) -> SignIn:
    """The sign-in with these faults."""
    for name in sorted(names, key=list(FAULTS).index, reverse=True):
        signed = FAULTS[name](probe, signed)
    return signed
