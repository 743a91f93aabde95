"""The wallet side of a request: signing in, and the 402s that only wallets and strangers see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from venice_mock.accounts.callers import Caller
from venice_mock.accounts.keys import Opening
from venice_mock.errors import ApiError
from venice_mock.state.session import Session
from venice_mock.state.store import Account
from venice_mock.wallet.discovery import (
    payment_discovery,
    payment_offers,
    resource_of,
    sign_in_challenge,
)
from venice_mock.wallet.encoded import encode_header
from venice_mock.wallet.signin import SignIn, SignInFault, verify_sign_in
from venice_mock.wallet.world import World

_MICRO = Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class WalletDesk:
    """Sign-in and 402s of one session."""

    session: Session
    world: World

    async def discovery(self, origin: str, path: str) -> ApiError:
        """402 for a request without credentials."""
        return await payment_discovery(self.session, self.world, origin, path)

    async def sign_in(self, headers: Mapping[str, str], origin: str) -> Caller:
        """The wallet behind the sign-in header of an inference route. Raises ApiError 401 with the code."""
        facts = self.session.contract.edition.x402.sign_in
        try:
            signed = await self.verified(headers, origin)
        except SignInFault as fault:
            body = {"error": facts.codes[fault.code], "code": fault.code}
            rule = (
                f"X402-SIW-{[*facts.codes].index(fault.code) + 1:03d}"  # rules and codes stand in one order
            )
            raise ApiError(401, body, name=fault.code, rule=rule) from fault
        account = wallet_account(signed.address)
        opening = Opening(self.world.opening_balance(signed.address))
        await self.session.store.open_account(account, opening)
        return Caller("wallet", account, address=signed.address)

    async def verified(self, headers: Mapping[str, str], origin: str) -> SignIn:
        """Verify the header and use its nonce up, whatever comes of the request. Raises SignInFault."""
        contract, now = self.session.contract, await self.session.now()
        facts = contract.edition.x402.sign_in
        value = next(
            value for name in contract.edition.x402.sign_in_headers if (value := headers.get(name.lower()))
        )
        signed = verify_sign_in(
            value,
            facts=facts,
            now=now,
            own_hosts={origin.partition("://")[2]},
            smart_wallets=self.world.smart_wallets,
        )
        if not await self.session.store.claim_nonce(
            signed.address, signed.nonce, life_s=facts.nonce_life_s, now=now
        ):
            raise SignInFault("NONCE_REUSED")
        return signed

    async def short(self, account: Account, price: Decimal, origin: str, path: str) -> ApiError:
        """402 PAYMENT_REQUIRED for a wallet whose balance does not admit the request."""
        contract = self.session.contract
        x402 = contract.edition.x402
        texts, rail = x402.texts, x402.rails[0]
        receiver = self.world.receivers[rail.caip2]
        clamps = contract.way("wallet-admission") == "floor"
        needed = x402.floor_usd if clamps else max(price, x402.floor_usd)
        challenge = await sign_in_challenge(self.session, origin, path)
        minimum = dollars(Decimal(x402.minimum_amount) / _MICRO)
        body: dict[str, Any] = {
            "error": texts.payment_required,
            "code": texts.payment_required_code,
            "reason": texts.insufficient_reason,
            "message": texts.insufficient_message,
            "currentBalanceUsd": dollars(account.available),
            "minimumBalanceUsd": dollars(needed),
            "description": x402.description,
            "suggestedTopUpUsd": dollars(Decimal(x402.suggested_amount) / _MICRO),
            "minimumTopUpUsd": minimum,
            "supportedTokens": list(texts.tokens),
            "supportedChains": list(texts.chains),
            "topUpInstructions": {
                **{f"step{number}": step for number, step in enumerate(texts.steps, 1)},
                "receiverWallet": receiver.pay_to,
                "tokenAddress": rail.asset,
                "tokenDecimals": x402.payments.networks[0].decimals,
                "network": rail.caip2,
                "minimumAmountUsd": minimum,
            },
            "siwxChallenge": challenge,
        }
        offer = {
            "x402Version": x402.version,
            "error": texts.payment_required,
            "resource": resource_of(contract, origin, path),
            "accepts": payment_offers(contract, self.world, x402.suggested_amount),
            "extensions": {"sign-in-with-x": challenge},
        }
        header = contract.edition.headers["payment_required"]
        return ApiError(
            402,
            body,
            name="PAYMENT_REQUIRED",
            rule="EDIT-PAY-002",
            hint=f"The edit costs {price} USD; {account.available} is available.",
            headers={header: encode_header(offer)},
        )


def wallet_account(address: str) -> str:
    """The name of a wallet's account in the store."""
    return f"wallet-{address}"


def dollars(amount: Decimal) -> int | float:
    """A JSON number: whole where the amount is."""
    return int(amount) if amount == amount.to_integral_value() else float(amount)
