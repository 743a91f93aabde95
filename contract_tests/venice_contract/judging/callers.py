"""Who sends a request: nobody, a key, or a wallet; and where credentials come from."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Protocol

from venice_contract.judging.expect import UntestedCost, UntestedCredential
from venice_contract.wire.message import Headers
from venice_contract.wire.secrets import HEADERS, Redactor

if TYPE_CHECKING:
    from venice_contract.judging.control import Control
    from venice_contract.wallets import Wallet

KEY, EMPTY_KEY = "VENICE_API_KEY", "VENICE_EMPTY_API_KEY"
BAD_KEY = "mock_invalid_key"  # a plain 401 on the real server too


class Caller(Protocol):
    """Somebody who sends requests. ``funded``: an edit of theirs may succeed and cost money."""

    @property
    def funded(self) -> bool: ...

    def headers(self, path: str, *, now: float, domain: str, uri: str) -> Headers:
        """The credential headers of one request."""


@dataclass(frozen=True, slots=True)
class Nobody:
    """Sends no credentials."""

    funded: bool = False

    def headers(self, path: str, *, now: float, domain: str, uri: str) -> Headers:  # noqa: ARG002 - the protocol's
        return ()


@dataclass(frozen=True, slots=True)
class Key:
    """A Bearer token."""

    token: str = field(repr=False)
    funded: bool = True

    def headers(self, path: str, *, now: float, domain: str, uri: str) -> Headers:  # noqa: ARG002 - the protocol's
        return (("Authorization", f"Bearer {self.token}"),)


@dataclass(frozen=True, slots=True)
class WalletCaller:
    """A wallet that signs each request anew."""

    wallet: Wallet
    random: Random = field(repr=False)
    funded: bool = False
    header: str = "SIGN-IN-WITH-X"

    def headers(self, path: str, *, now: float, domain: str, uri: str) -> Headers:  # noqa: ARG002 - the protocol's
        from venice_contract.wallets import good_sign_in

        nonce = f"{self.random.getrandbits(128):032x}"
        signed = good_sign_in(self.wallet, domain=domain, uri=uri, now=now, nonce=nonce)
        return ((self.header, signed.header(self.wallet)),)


@dataclass
class Purse:
    """Hands out callers. A fresh one for each case, so that runs never spend each other's balance.

    On a server that can be steered accounts are made to measure. Elsewhere credentials come from the
    environment alone, and where none is given the case is told as untested. ``may_succeed`` false (the
    profile ``free``) hands out nobody whose edit could succeed, and does not even read such a key.
    """

    environ: Mapping[str, str] = field(repr=False)
    redactor: Redactor
    random: Random
    remote: bool
    may_succeed: bool = True
    _given: dict[str, str] = field(default_factory=dict, repr=False)  # credential -> variable it came from

    def key(self, control: Control | None, balance: str | None = None, spend_limit: str | None = None) -> Key:
        """A key with credit. Raises UntestedCost and UntestedCredential."""
        if not self.may_succeed:
            raise UntestedCost("this profile sends nothing that could succeed")
        if control is None and balance is None and spend_limit is None:
            token = self.environ.get(KEY, "")
            if not token:
                if self.remote:
                    raise UntestedCredential(f"no key in {KEY}")
                return Key(self._token())
            return self._from_environ(KEY, token, funded=True)
        if control is None:
            raise UntestedCredential("no key with such an account")
        key = Key(self._token())
        if balance is not None or spend_limit is not None:
            wanted = {"balance_usd": balance, "spend_limit_usd": spend_limit}
            control.set_account(key.token, {n: v for n, v in wanted.items() if v is not None})
        return key

    def poor_key(self, control: Control | None) -> Key:
        """A key whose edits are never paid. Raises UntestedCredential."""
        if control is not None:
            token = self._token()
            control.set_account(token, {"balance_usd": "0"})
            return Key(token, funded=False)
        token = self.environ.get(EMPTY_KEY, "")
        if not token:
            raise UntestedCredential(f"no key without credit in {EMPTY_KEY}")
        return self._from_environ(EMPTY_KEY, token, funded=False)

    def wallet(self, kind: str = "evm") -> WalletCaller:
        """A wallet that nobody ever used and that holds nothing."""
        from venice_contract.wallets import make_wallet

        # Its key protects nothing; but on another machine it must be nobody else's, so the seed alone won't do.
        entropy = secrets.token_bytes(32) if self.remote else self.random.randbytes(32)
        return WalletCaller(make_wallet("solana" if kind == "solana" else "evm", entropy), self.random)

    def funded_wallet(self, control: Control | None, usd: str | Decimal, kind: str = "evm") -> WalletCaller:
        """A wallet with so much credit. Raises UntestedCost and UntestedCredential."""
        if not self.may_succeed:
            raise UntestedCost("this profile sends nothing that could succeed")
        if control is None:
            raise UntestedCredential("no wallet with credit")
        fresh = self.wallet(kind)
        control.set_account(fresh.wallet.address, {"balance_usd": str(usd)}, kind="wallet")
        return WalletCaller(fresh.wallet, self.random, funded=True)

    def variable_of(self, headers: Headers) -> str | None:
        """The variable of the environment whose key alone these headers carry, sent as it should be."""
        sent = [value for name, value in headers if name.lower() in HEADERS]
        return self._given.get(sent[0]) if len(sent) == 1 else None

    def _from_environ(self, variable: str, token: str, *, funded: bool) -> Key:
        self.redactor.learn(token)
        self._given[f"Bearer {token}"] = variable
        return Key(token, funded=funded)

    def _token(self) -> str:
        token = f"venice-contract-{self.random.getrandbits(96):024x}"
        self.redactor.learn(token, passing=True)
        return token
