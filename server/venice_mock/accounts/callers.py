"""Who calls: from credentials to a caller, with the refusals that need no body. Precedence follows the contract."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Literal, Protocol

import msgspec

from venice_mock.accounts.keys import KeyAnswer
from venice_mock.accounts.steering import AS_USUAL, Steering
from venice_mock.contract import Contract
from venice_mock.errors import ApiError, refuse
from venice_mock.state.session import Session
from venice_mock.state.store import Account


class Caller(msgspec.Struct, frozen=True):
    """An authenticated caller: the account that pays, the magic key and what it orders, the wallet's address."""

    kind: Literal["key", "wallet"]
    account: str
    cause: str | None = None
    address: str | None = None
    steering: Steering = AS_USUAL


class WalletDesk(Protocol):
    """What the core asks of the wallet side, which stands outside it: signing in, and the 402s of x402."""

    async def discovery(self, origin: str, path: str) -> ApiError:
        """402 for a request without credentials."""
        ...

    async def sign_in(self, headers: Mapping[str, str], origin: str) -> Caller:
        """The wallet behind a sign-in header. Raises ApiError 401."""
        ...

    async def short(self, account: Account, price: Decimal, origin: str, path: str) -> ApiError:
        """402 for a wallet whose balance does not admit an edit of this price."""
        ...


def bearer_token(headers: Mapping[str, str]) -> str | None:
    """The token after ``Bearer``; None without that scheme. An empty token is returned as it is."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip(" ") if scheme.lower() == "bearer" else None


def has_credentials(contract: Contract, headers: Mapping[str, str]) -> bool:
    """Whether the request carries an Authorization header or a sign-in header that is not empty."""
    return signs_in(contract, headers) or "authorization" in headers


def signs_in(contract: Contract, headers: Mapping[str, str]) -> bool:
    """Whether a wallet signs in; it then goes before any key."""
    return any(headers.get(name.lower()) for name in contract.edition.x402.sign_in_headers)


def refuse_payment_header(contract: Contract, headers: Mapping[str, str]) -> None:
    """Raise ApiError 400 when a payment header is sent to a route that sells nothing."""
    for name in contract.edition.x402.payment_headers:
        if name.lower() in headers:
            raise refuse(contract, "PAYMENT_HEADER_NOT_ACCEPTED", rule="EDIT-PAY-033")


async def authenticate_key(session: Session, headers: Mapping[str, str]) -> Caller:
    """The caller behind a Bearer key. Raises ApiError 401 or 403."""
    contract = session.contract
    token = bearer_token(headers)
    if token is None:
        hint = "A key comes after the word Bearer: Authorization: Bearer mock_ok"
        raise refuse(contract, "AUTHENTICATION_FAILED", rule="EDIT-AUTH-002", hint=hint)
    answer = session.keys.answer(token)
    if answer.opens_nothing:
        _check_status(contract, answer.opening.status, answer)
    account = await session.store.open_account(answer.account, answer.opening)
    _check_status(contract, account.status, answer)
    return Caller("key", answer.account, answer.cause, steering=answer.steering)


def _check_status(contract: Contract, status: str, answer: KeyAnswer) -> None:
    names = {
        "invalid": ("AUTHENTICATION_FAILED", "EDIT-AUTH-002"),
        "inactive": ("AUTHENTICATION_FAILED_INACTIVE_KEY", "EDIT-AUTH-023"),
        "disabled": ("API_ACCESS_DISABLED", "EDIT-AUTH-024"),
    }
    if status in names:
        name, rule = names[status]
        error: ApiError = refuse(contract, name, rule=rule, hint=answer.hint)
        error.cause = answer.cause
        raise error
