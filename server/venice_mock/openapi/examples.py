"""Wallet answers as the real code gives them, in sessions made for the document. Nothing is signed here.

The clock stands shortly after the Unix epoch and the address belongs to no key: nobody can mistake an example
for something to sign or to pay.
"""

from __future__ import annotations

import hashlib
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Literal, TypeVar

from venice_mock.accounts.keys import Opening
from venice_mock.accounts.pricing import price_of
from venice_mock.contract import Contract
from venice_mock.errors import ApiError
from venice_mock.openapi.parts import Site
from venice_mock.settings import Settings
from venice_mock.state.session import Session, open_session
from venice_mock.state.store import Account, NoHold
from venice_mock.wallet.desk import WalletDesk, wallet_account
from venice_mock.wallet.payments import Payment
from venice_mock.wallet.signin import SignIn
from venice_mock.wallet.statements import StatementService, limit_requests
from venice_mock.wallet.topup import TopUpAnswer, TopUpService
from venice_mock.wallet.world import World, make_world

T = TypeVar("T")
Body = dict[str, Any]
Statement = Literal["balance", "transactions"]
SignInState = Literal["good", "bad", "none"]

WALLET = "0x" + hashlib.sha256(b"venice-mock: an address in an example").hexdigest()[:40]
OTHER_WALLET = "0x" + "0" * 40
_NOW = 86_400.0


@dataclass(frozen=True, slots=True)
class WalletExamples:
    """What one wallet is told at ``site``. Each example has a session of its own, so none depends on another."""

    contract: Contract
    site: Site
    world: World

    def discovery(self, path: str) -> Body:
        """402 of an inference route for a request without credentials."""
        desk, site = WalletDesk(self._session(), self.world), self.site
        return at_once(desk.discovery(site.origin, site.prefix + path)).body

    def short(self, path: str) -> Body:
        """402 of an inference route for a wallet without credit."""
        session = self._session()
        desk, site = WalletDesk(session, self.world), self.site
        return at_once(desk.short(_account(session), self._price(), site.origin, site.prefix + path)).body

    def requirements(self) -> Body:
        """402 of a top-up without a payment."""
        return _refusal(TopUpService(self._session(), self.world).top_up({})).body

    def paid(self) -> Body:
        """200 of a top-up of the suggested amount."""
        return at_once(self._top_up(self._session())).body

    def unreadable_payment(self) -> Body:
        """400 of a top-up whose payment is no payment."""
        return _refusal(TopUpService(self._session(), self.world).top_up(self._paying())).body

    def unsettled(self, code: str) -> ApiError:
        """A top-up of which the settlement fails with ``code``."""
        session, world = self._session(), self.world
        if code == self.contract.edition.x402.top_up.duplicate_code:
            at_once(self._top_up(session))
        else:
            world = replace(world, settlements={"*": code})
        return _refusal(_TrustingTopUp(session, world).top_up(self._paying()))

    def balance(self) -> Body:
        """200 of the balance after a top-up and an edit."""
        service = self._statements(_TrustingDesk(self._with_a_history(), self.world))
        return at_once(service.balance(WALLET, self._signing(), self.site.origin, self.site.prefix))

    def transactions(self) -> Body:
        """200 of the transactions: an edit and a top-up."""
        service = self._statements(_TrustingDesk(self._with_a_history(), self.world))
        return at_once(service.transactions(WALLET, {}, self._signing(), self.site.origin, self.site.prefix))

    def statement_refusal(
        self,
        kind: Statement,
        *,
        wallet: str = WALLET,
        sign_in: SignInState = "good",
        query: Mapping[str, str] | None = None,
    ) -> Body:
        """The body with which the balance or the transactions refuse such a request."""
        desk = WalletDesk if sign_in == "bad" else _TrustingDesk
        service = self._statements(desk(self._session(), self.world))
        headers = {} if sign_in == "none" else self._signing()
        if kind == "balance":
            return _refusal(service.balance(wallet, headers, self.site.origin, self.site.prefix)).body
        return _refusal(
            service.transactions(wallet, query or {}, headers, self.site.origin, self.site.prefix)
        ).body

    def too_many(self) -> Body:
        """429 of the wallet routes."""
        return _refusal(limit_requests(self._session(), "example", 0, "", enforced=True)).body

    def _session(self) -> Session:
        return open_session(self.contract, Settings(seed=0), wall_clock=lambda: _NOW)

    def _with_a_history(self) -> Session:
        session, model = self._session(), str(self.contract.way("default-model"))
        at_once(self._top_up(session))
        hold = at_once(session.store.hold(_account(session).id, self._price()))
        if isinstance(hold, NoHold):
            raise ValueError("the suggested top-up does not pay for an edit")  # noqa: TRY004 - the edition's fault
        at_once(session.store.settle(hold, now=_NOW, request_id=session.token(32), model_id=model))
        return session

    def _price(self) -> Decimal:
        model = next(m for m in self.contract.inpaint_models if m.id == self.contract.way("default-model"))
        return price_of(model, self.contract.edition.fields.default_resolution, None)

    def _top_up(self, session: Session) -> Coroutine[Any, Any, TopUpAnswer]:
        return _TrustingTopUp(session, self.world).top_up(self._paying())

    def _statements(self, desk: WalletDesk) -> StatementService:
        return StatementService(desk.session, desk, limited=False)

    def _signing(self) -> dict[str, str]:
        return {self.contract.edition.x402.sign_in_headers[0].lower(): "-"}

    def _paying(self) -> dict[str, str]:
        return {self.contract.edition.x402.payment_headers[0].lower(): "-"}


def wallet_examples(contract: Contract, site: Site) -> WalletExamples:
    """Examples of a server at ``site`` with the edition's own receivers."""
    return WalletExamples(contract, site, make_world(contract))


def at_once(work: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that never waits, as none does on the store in process. RuntimeError if it waits."""
    try:
        work.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    work.close()
    raise RuntimeError("an example may not wait")


def _account(session: Session) -> Account:
    return at_once(session.store.open_account(wallet_account(WALLET), Opening(Decimal(0))))


def _refusal(work: Coroutine[Any, Any, object]) -> ApiError:
    try:
        at_once(work)
    except ApiError as error:
        return error
    raise ValueError("the example of a refusal was accepted")


class _TrustingDesk(WalletDesk):
    """Takes any sign-in for the example's wallet: examples need no cryptography, and its import is slow."""

    async def verified(self, headers: Mapping[str, str], origin: str) -> SignIn:  # noqa: ARG002 - the desk's
        return SignIn("evm", WALLET, self.session.token(32), _NOW, _NOW)


class _TrustingTopUp(TopUpService):
    """Takes any payment for the suggested amount from the example's wallet."""

    async def _verified(self, value: str) -> Payment:  # noqa: ARG002 - the service's
        x402 = self.session.contract.edition.x402
        network = next(each for each in x402.payments.networks if each.rail == "evm")
        made = hashlib.sha256(b"venice-mock: a payment in an example").hexdigest()
        return Payment(
            WALLET, network.caip2, network.rail, int(x402.suggested_amount), f"x402-{made[:32]}", f"0x{made}"
        )
