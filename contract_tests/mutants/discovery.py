"""Mutants of the group ``payment``: the 402 bodies and who gets which."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from mutants.kit import Answer, Mutant, answering, replaced, with_data, wrapping
from venice_mock.state.memory import MemoryStore
from venice_mock.state.store import Hold, NoHold
from venice_mock.wallet.desk import WalletDesk

_REQUIRED = "payment-required"
_DISCOVERY = "venice_mock.wallet.discovery"
Change = Callable[[dict[str, Any]], Any]


def _bodies(is_meant: Callable[[dict[str, Any]], bool], change: Change) -> Callable[..., Answer]:
    """Alters the body of those 402s that are meant; ``change`` works in place, or returns another body."""

    def altered(_scope: Any, _body: bytes, answer: Answer) -> Answer:
        said = answer.json() if answer.status == 402 else None
        if not isinstance(said, dict) or not is_meant(said):
            return answer
        other = change(said)
        return answer.with_body(said if other is None else other)

    return altered


def _is_strangers(body: dict[str, Any]) -> bool:
    return "x402Version" in body


def _is_wallets(body: dict[str, Any]) -> bool:
    return "siwxChallenge" in body


def _is_keys(body: dict[str, Any]) -> bool:
    return not _is_strangers(body) and not _is_wallets(body)


def _stranger(rule: str, text: str, change: Change, *follows: str) -> Mutant:
    return answering(rule, text, _bodies(_is_strangers, change), follows=follows)


def _wallet(rule: str, text: str, change: Change, *follows: str) -> Mutant:
    return answering(rule, text, _bodies(_is_wallets, change), follows=follows)


def _key(rule: str, text: str, change: Change, *follows: str) -> Mutant:
    return answering(rule, text, _bodies(_is_keys, change), follows=follows)


def _set(value: Any, *path: str) -> Change:
    """Sets a member, or drops it where the value is ``...``."""

    def change(body: dict[str, Any]) -> None:
        here: Any = body
        for step in path[:-1]:
            here = here[step]
        if value is ...:
            del here[path[-1]]
        else:
            here[path[-1]] = value

    return change


def _header(change: Callable[[str], str | None]) -> Callable[..., Answer]:
    """Alters PAYMENT-REQUIRED; None drops it."""

    def altered(_scope: Any, _body: bytes, answer: Answer) -> Answer:
        said = answer.header(_REQUIRED)
        return answer if said is None else answer.with_header(_REQUIRED, change(said))

    return altered


def _packed(change: Callable[[dict[str, Any]], None]) -> Callable[..., Answer]:
    """Alters what PAYMENT-REQUIRED holds."""

    def other(text: str) -> str:
        held = json.loads(base64.b64decode(text))
        change(held)
        return base64.b64encode(json.dumps(held).encode()).decode()

    return _header(other)


def _cheaper(held: dict[str, Any]) -> None:
    for offer in held["accepts"]:
        offer["amount"] = "5000000"


def _urlsafe(text: str) -> str:
    raw = base64.b64decode(text) + b" " * (2 - len(base64.b64decode(text)) % 3)
    return base64.urlsafe_b64encode(raw).decode().rstrip("=") + "_"


def _offers(change: Callable[[dict[str, Any]], None]) -> Callable[[Any], Any]:
    """Alters each offer of discovery, in body and header alike."""

    def wrap(original: Any) -> Any:
        def offering(*args: Any, **more: Any) -> Any:
            found = original(*args, **more)
            for offer in found:
                change(offer)
            return found

        return offering

    return wrap


def _only_base(original: Any) -> Any:
    return lambda *args, **more: original(*args, **more)[:1]


def _test_token(offer: dict[str, Any]) -> None:
    if offer["network"].startswith("eip155"):
        offer["asset"] = "0x036cbd53842c5426634e7929541ec2318f3dcf7e"


def _without_fee_payer(offer: dict[str, Any]) -> None:
    offer["extra"].pop("feePayer", None)


# --- who is refused how -------------------------------------------------------------------------------------


def _forms_are_forbidden(_scope: Any, body: bytes, answer: Answer) -> Answer:
    poor = answer.status == 402 and answer.header("x-venice-balance-usd") is not None
    return answer.with_body({"error": "This key has no credit"}, 403) if poor and body[:1] == b"-" else answer


def _partly_paid(original: Any) -> Any:
    """An account with some credit pays with all of it, whatever the price."""

    async def hold(
        self: MemoryStore, account: str, amount: Decimal, *, floor: Decimal = Decimal(0), clamp: bool = False
    ) -> Hold | NoHold:
        available = (await self.account(account)).available
        partly = account.startswith("key-") and 0 < available < amount
        held: Hold | NoHold = await original(
            self, account, available if partly else amount, floor=floor, clamp=clamp
        )
        return held

    return hold


def _price_is_enough(original: Any) -> Any:
    """Whoever has the floor is promised the edit at no more than the balance: the observed way, as documented."""

    async def hold(self: MemoryStore, account: str, amount: Decimal, **more: Any) -> Any:
        return await original(self, account, amount, **{**more, "clamp": account.startswith("wallet-")})

    return hold


def _whole_price(original: Any) -> Any:
    async def hold(self: MemoryStore, account: str, amount: Decimal, **more: Any) -> Any:
        return await original(self, account, amount, **{**more, "clamp": False})

    return hold


def _only_the_first_name(original: Any) -> Any:
    def refuse(contract: Any, headers: Any) -> None:
        if "payment-signature" in headers:
            original(contract, headers)

    return refuse


def _nothing(*_args: Any) -> None:
    return None


# --- addresses ----------------------------------------------------------------------------------------------


def _vendors_resource(original: Any) -> Any:
    def resource(contract: Any, _origin: str, path: str) -> Any:
        return original(contract, "https://api.venice.ai", path)

    return resource


def _challenge_without_port(original: Any) -> Any:
    async def challenge(*args: Any) -> Any:
        found = await original(*args)
        found["info"]["domain"] = found["info"]["domain"].rpartition(":")[0] or found["info"]["domain"]
        return found

    return challenge


def _trusting(original: Any) -> Any:
    def origin(request: Any) -> str:
        host = request.headers.get("x-forwarded-host")
        proto = request.headers.get("x-forwarded-proto", "http")
        return f"{proto}://{host}" if host else str(original(request))

    return origin


def _with_receiver(place: int, name: str, address: str) -> Callable[[dict[str, Any]], None]:
    def change(edition: dict[str, Any]) -> None:
        rail = edition["x402"]["rails"][place]
        (rail["extra"] if name == "feePayer" else rail)[name] = address

    return change


def _shortened(edition: dict[str, Any]) -> None:
    edition["errors"]["INSUFFICIENT_BALANCE"]["text"] = "Insufficient balance"


def _unconfigured(original: Any) -> Any:
    def world(contract: Any, **more: Any) -> Any:
        return original(contract, **{**more, "fee_payer": None})

    return world


def _told_balance(original: Any) -> Any:
    async def short(self: WalletDesk, *args: Any) -> Any:
        error = await original(self, *args)
        error.body["currentBalanceUsd"] = 0
        return error

    return short


def _needed(original: Any) -> Any:
    async def short(self: WalletDesk, *args: Any) -> Any:
        error = await original(self, *args)
        error.body["minimumBalanceUsd"] = 0.1
        return error

    return short


def _expired(body: dict[str, Any]) -> None:
    info = body["siwxChallenge"]["info"]
    info["issuedAt"], info["expirationTime"] = info["expirationTime"], info["issuedAt"]


def _with_chains(kinds: Sequence[str]) -> Change:
    def change(body: dict[str, Any]) -> None:
        challenge = body["siwxChallenge"]
        challenge["supportedChains"] = [c for c in challenge["supportedChains"] if c["type"] in kinds]

    return change


def _foreign_domain(body: dict[str, Any]) -> None:
    body["siwxChallenge"]["info"]["domain"] = "elsewhere.test"


_ONE_NONCE = "0123456789abcdef0123456789abcdef"

MUTANTS: tuple[Mutant, ...] = (
    _key("EDIT-PAY-001", "a key's 402 has a code of its own", _set("NO_CREDIT", "code"), "EDIT-ERR-015"),
    answering("EDIT-PAY-001", "a key without credit that sends a form is answered 403", _forms_are_forbidden),
    _wallet("EDIT-PAY-002", "the reason is insufficient_funds", _set("insufficient_funds", "reason")),
    _wallet("EDIT-PAY-003", "the third step is missing", _set(..., "topUpInstructions", "step3")),
    _wallet("EDIT-PAY-003", "the token has 18 decimals", _set(18, "topUpInstructions", "tokenDecimals")),
    _wallet("EDIT-PAY-004", "Solana is not named", _set(["base"], "supportedChains")),
    _wallet("EDIT-PAY-004", "the minimum is told in micro-dollars", _set(5_000_000, "minimumTopUpUsd")),
    _wallet(
        "EDIT-PAY-005", "the challenge has no statement", _set(..., "siwxChallenge", "info", "statement")
    ),
    _wallet("EDIT-PAY-005", "the challenge expires before it is issued", _expired),
    _wallet("EDIT-PAY-005", "Solana wallets cannot sign", _with_chains(("eip191", "eip1271"))),
    _wallet(
        "EDIT-PAY-005",
        "the challenge is made out to a foreign domain",
        _foreign_domain,
        "EDIT-PAY-037",
        "EDIT-PAY-042",
    ),
    _wallet("EDIT-PAY-006", "wallets share one nonce", _set(_ONE_NONCE, "siwxChallenge", "info", "nonce")),
    _stranger(
        "EDIT-PAY-006",
        "strangers share one nonce",
        _set(_ONE_NONCE, "extensions", "sign-in-with-x", "info", "nonce"),
    ),
    _stranger("EDIT-PAY-007", "wallets are no way in", _set(..., "authOptions", "x402Wallet")),
    _stranger("EDIT-PAY-007", "the resource has no media type", _set(..., "resource", "mimeType")),
    wrapping(
        "EDIT-PAY-008",
        "only Base is accepted",
        f"{_DISCOVERY}.payment_offers",
        _only_base,
        follows=("EDIT-PAY-040",),
    ),
    wrapping(
        "EDIT-PAY-008",
        "nobody pays Solana's fees",
        f"{_DISCOVERY}.payment_offers",
        _offers(_without_fee_payer),
        follows=("EDIT-PAY-040",),
    ),
    wrapping(
        "EDIT-PAY-008",
        "maxTimeoutSeconds is text",
        f"{_DISCOVERY}.payment_offers",
        _offers(_set("300", "maxTimeoutSeconds")),
    ),
    _stranger("EDIT-PAY-009", "discovery has no challenge", _set({}, "extensions")),
    answering("EDIT-PAY-010", "there is no PAYMENT-REQUIRED header", _header(lambda _text: None)),
    answering("EDIT-PAY-010", "the header is base64url without padding", _header(_urlsafe)),
    answering("EDIT-PAY-010", "the header asks for another amount", _packed(_cheaper)),
    _stranger("EDIT-PAY-011", "discovery has a message of its own", _set("Pay first", "message")),
    _wallet("EDIT-PAY-011", "a wallet's body has accepts as well", _set([], "accepts")),
    _key(
        "EDIT-PAY-011", "a key's body has what a wallet's has", _set(0, "currentBalanceUsd"), "EDIT-PAY-032"
    ),
    _stranger(
        "EDIT-PAY-012",
        "the resource is the API, not the edit",
        _set("http://127.0.0.1:8402/api/v1", "resource", "url"),
        "EDIT-PAY-037",
        "EDIT-PAY-042",
    ),
    wrapping(
        "EDIT-PAY-021",
        "every wallet is told a balance of 0",
        "venice_mock.wallet.desk.WalletDesk.short",
        _told_balance,
    ),
    wrapping(
        "EDIT-PAY-030",
        "a key with some credit is served for what it has",
        "venice_mock.state.memory.MemoryStore.hold",
        _partly_paid,
        follows=("MOCK-KEY-003",),
    ),
    with_data(
        "EDIT-PAY-032",
        "the sentence is shortened",
        _shortened,
        follows=("EDIT-ERR-015", "MOCK-KEY-004"),
    ),
    replaced(
        "EDIT-PAY-033",
        "payment headers are ignored",
        "venice_mock.edit.endpoint.refuse_payment_header",
        _nothing,
    ),
    wrapping(
        "EDIT-PAY-033",
        "only the newest payment header is refused",
        "venice_mock.edit.endpoint.refuse_payment_header",
        _only_the_first_name,
    ),
    wrapping(
        "EDIT-PAY-034",
        "ten cents are always said to be enough",
        "venice_mock.wallet.desk.WalletDesk.short",
        _needed,
    ),
    wrapping(
        "EDIT-PAY-034",
        "a wallet is served for what it has",
        "venice_mock.state.memory.MemoryStore.hold",
        _price_is_enough,
    ),
    wrapping(
        "EDIT-PAY-034",
        "a wallet must have the whole price",
        "venice_mock.state.memory.MemoryStore.hold",
        _whole_price,
        behavior="observed",
    ),
    wrapping(
        "EDIT-PAY-035",
        "discovery asks for the minimum",
        f"{_DISCOVERY}.payment_offers",
        _offers(_set("5000000", "amount")),
    ),
    wrapping(
        "EDIT-PAY-037",
        "the resource is the vendor's",
        f"{_DISCOVERY}.resource_of",
        _vendors_resource,
        follows=("EDIT-PAY-042",),
    ),
    wrapping(
        "EDIT-PAY-037",
        "a wallet's challenge forgets the port",
        "venice_mock.wallet.desk.sign_in_challenge",
        _challenge_without_port,
        follows=("EDIT-PAY-042",),
    ),
    _wallet("EDIT-PAY-039", "amounts are text", _set("0.00", "currentBalanceUsd")),
    _wallet("EDIT-PAY-039", "the minimum is text", _set("5", "topUpInstructions", "minimumAmountUsd")),
    with_data(
        "EDIT-PAY-040",
        "somebody could be paid on Base",
        _with_receiver(0, "pay_to", "0x7d1c5b0e1fa94ab2c54c1a3b8f9e6d2075a4c3e1"),
    ),
    wrapping(
        "EDIT-PAY-040",
        "Base's token is a test token",
        f"{_DISCOVERY}.payment_offers",
        _offers(_test_token),
    ),
    wrapping("EDIT-PAY-040", "--fee-payer is ignored", "venice_mock.tenant.make_world", _unconfigured),
    wrapping("EDIT-PAY-042", "every forwarded host is believed", "venice_mock.web.api.origin_of", _trusting),
)
