"""What the wallet tests share: facts, vectors, and wallets whose keys come from a public sentence."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from venice_mock.contract import load_contract
from venice_mock.wallet.payments import Payment, PaymentFault, Receiver, verify_payment
from venice_mock.wallet.signin import SignIn, SignInFault, verify_sign_in
from venice_mock.wallet.signing import Wallet, new_wallet

_X402 = load_contract("2026-06-19").edition.x402
SIGN_IN = _X402.sign_in
PAYMENTS = _X402.payments

_VECTORS = Path(__file__).parents[2] / "fixtures" / "vectors"
SIWX: dict[str, Any] = json.loads((_VECTORS / "vectors-siwx.json").read_bytes())
PAID: dict[str, Any] = json.loads((_VECTORS / "vectors-payments.json").read_bytes())
NOW = SIWX["now_ms"] / 1000
ISSUED = SIWX["now"]

OFFERS = {offer["network"]: offer for offer in PAID["accepts"]}
BASE, SOLANA = OFFERS
RECEIVERS = {
    network: Receiver(offer["payTo"], offer["extra"].get("feePayer")) for network, offer in OFFERS.items()
}


def entropy(number: int) -> bytes:
    """32 bytes anyone can derive: wallets made of them must never hold anything."""
    return hashlib.sha256(f"venice-mock test wallet {number}".encode()).digest()


EVM = new_wallet("evm", entropy=entropy(1))
SOL = new_wallet("solana", entropy=entropy(1))
OTHER = new_wallet("evm", entropy=entropy(2))


def wallet_on(network: str) -> Wallet:
    return EVM if network == BASE else SOL


def encode(value: object) -> str:
    return base64.b64encode(json.dumps(value).encode()).decode()


def decode(header: str) -> Any:
    return json.loads(base64.b64decode(header))


def sign_in(header: str, now: float = NOW, **given: Any) -> SignIn:
    return verify_sign_in(header, **{"own_hosts": (), "smart_wallets": {}, **given}, facts=SIGN_IN, now=now)


def sign_in_code(header: str, now: float = NOW, **given: Any) -> str | None:
    """The code that refuses a header, less its common prefix; None when it is accepted."""
    try:
        sign_in(header, now, **given)
    except SignInFault as fault:
        return fault.code.removeprefix("X402_SIGN_IN_")
    return None


def pay(header: str, now: float = NOW) -> Payment:
    return verify_payment(header, facts=PAYMENTS, receivers=RECEIVERS, now=now)


def pay_code(header: str, now: float = NOW) -> str | None:
    """The code that refuses a payment, with its reason if there is one; None when it is accepted."""
    try:
        pay(header, now)
    except PaymentFault as fault:
        return fault.code if fault.details is None else f"{fault.code} {fault.details['reason']}"
    return None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, each in inner for place in _places(each, (*path, key)))]


@st.composite
def spoilt(draw: st.DrawFn, vectors: dict[str, Any]) -> str:
    """A real header with one value, anywhere in it, replaced by any JSON or removed, or a text in it edited."""
    header = draw(st.sampled_from([case["header"] for case in vectors["cases"] if "decoded" in case]))
    whole = {"root": decode(header)}
    path = draw(st.sampled_from(_places(whole)[1:]))
    holder: Any = whole
    for key in path[:-1]:
        holder = holder[key]
    old = holder[path[-1]]
    if isinstance(old, str) and draw(st.booleans()):
        at = draw(st.integers(0, len(old)))
        holder[path[-1]] = old[:at] + draw(st.text(max_size=3)) + old[at + draw(st.integers(0, 3)) :]
    elif draw(st.booleans()):
        holder[path[-1]] = draw(JSON)
    elif path != ("root",):
        del holder[path[-1]]
    return encode(whole.get("root"))


def any_header(vectors: dict[str, Any]) -> st.SearchStrategy[str]:
    """Garbage, base64 of garbage, JSON of any shape, real headers cut short, real headers with one fault."""
    real = st.sampled_from([case["header"] for case in vectors["cases"]])
    return st.one_of(
        st.text(),
        st.binary(max_size=200).map(lambda raw: base64.b64encode(raw).decode()),
        JSON.map(encode),
        st.tuples(real, st.integers(0, 800)).map(lambda pair: pair[0][: pair[1]]),
        spoilt(vectors),
    )
