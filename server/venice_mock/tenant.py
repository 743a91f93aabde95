"""One session of a process: what can be chosen for it, what belongs to it, and how it is built from its plan.

A ``Tenant`` is frozen: another plan makes another tenant over the same accounts, ledger, nonces and clock. The
workshop, with its threads and its budget of pixels, belongs to the process. No HTTP here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from venice_mock.accounts.keys import KeyRing, Opening, load_keys
from venice_mock.contract import Contract, Editions, with_models
from venice_mock.edit.workshop import Workshop
from venice_mock.settings import Settings
from venice_mock.state.journal import Budget, Journal
from venice_mock.state.rules import RuleBook
from venice_mock.state.session import Session, open_session, reopen_session
from venice_mock.state.sharing import SharedStore
from venice_mock.wallet.desk import WalletDesk
from venice_mock.wallet.world import WalletTables, World, load_wallets, make_world

if TYPE_CHECKING:  # each is loaded by its first request, so that the process answers early
    from venice_mock.edit.endpoint import EditService
    from venice_mock.wallet.statements import StatementService
    from venice_mock.wallet.topup import TopUpService


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that can be chosen for a session. Immutable, and comparable.

    ``keys``: the only API keys that are accepted beside magic ones; None: any. ``wallets``: the simulated chain.
    ``models``: members that differ from the edition's catalogue, by model id. ``said``: what the session itself
    was told, in the JSON it came as; the rest is the server's.
    """

    settings: Settings
    keys: Mapping[str, Opening] | None = None
    wallets: WalletTables = field(default_factory=WalletTables)
    models: Mapping[str, Any] = field(default_factory=dict)
    said: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Tenant:
    """One session under one plan. ``beginning``: the plan it was opened with."""

    id: str
    plan: Plan
    beginning: Plan
    contract: Contract
    session: Session
    world: World
    workshop: Workshop
    desk: WalletDesk

    @property
    def edit(self) -> EditService:
        """What answers its edits."""
        from venice_mock.edit.endpoint import EditService

        return EditService(self.session, self.workshop, self.settings, self.desk)

    @property
    def statements(self) -> StatementService:
        """What answers for its wallets' balances and bookings."""
        from venice_mock.wallet.statements import StatementService

        return StatementService(self.session, self.desk, limited=self.settings.limits == "real")

    @property
    def top_ups(self) -> TopUpService:
        """What takes its payments."""
        from venice_mock.wallet.topup import TopUpService

        return TopUpService(self.session, self.world)

    @property
    def settings(self) -> Settings:
        """The settings of the plan."""
        return self.plan.settings

    @property
    def journal(self) -> Journal:
        """The stories of its requests."""
        return self.session.journal

    @property
    def rules(self) -> RuleBook:
        """What steers its edits."""
        return self.session.rules


def plan_of_server(settings: Settings) -> Plan:
    """What a session gets that asks for nothing, with the files of the settings read.

    Raises ValueError with a sentence for a file that cannot be used.
    """
    return Plan(
        settings,
        keys=load_keys(settings.keys) if settings.keys else None,
        wallets=load_wallets(settings.wallets) if settings.wallets else WalletTables(),
    )


@dataclass(frozen=True, slots=True)
class Builder:
    """Makes tenants: what all of them share."""

    workshop: Workshop
    editions: Editions
    wall_clock: Callable[[], float]
    budget: Budget

    def build(
        self,
        name: str,
        plan: Plan,
        before: Tenant | None = None,
        *,
        anew: bool = False,
        store: SharedStore | None = None,
    ) -> Tenant:
        """The session ``name`` under ``plan``, with the state of ``before`` where it was open before.

        ``anew``: its stream of ids and delays begins again. ``store``: the shared one of a session that was not
        open here before. Raises ContractError or ValueError, each with a
        sentence, for a plan that cannot be served.
        """
        settings = plan.settings
        contract = self._contract(plan)
        if settings.default_model is not None and settings.default_model not in {
            model.id for model in contract.inpaint_models
        }:
            edition = contract.edition.edition
            raise ValueError(f"The default model {settings.default_model} is no edit model of {edition}.")
        if settings.fetch != Settings().fetch:  # a wrong entry is told now, not at the first URL
            from venice_mock.edit.fetching import FetchPolicy

            FetchPolicy(allow=settings.fetch, max_bytes_exclusive=1)
        world = make_world(
            contract,
            file=settings.wallets,
            tables=plan.wallets,
            pay_to_base=settings.pay_to_base,
            pay_to_solana=settings.pay_to_solana,
            fee_payer=settings.fee_payer,
        )
        keys = KeyRing(Opening(settings.balance), plan.keys)
        if before is None:
            session = open_session(
                contract,
                settings,
                name=name,
                wall_clock=self.wall_clock,
                keys=keys,
                budget=self.budget,
                store=store,
            )
        else:
            reseeded = anew or settings.seed != before.settings.seed
            session = reopen_session(before.session, contract, settings, keys, anew=reseeded)
        return Tenant(
            id=name,
            plan=plan,
            beginning=plan if before is None else before.beginning,
            contract=contract,
            session=session,
            world=world,
            workshop=self.workshop,
            desk=WalletDesk(session, world),
        )

    def _contract(self, plan: Plan) -> Contract:
        contract = self.editions.contract(plan.settings.edition, plan.settings.behavior)
        if not plan.models:
            return contract
        return Contract(with_models(contract.edition, plan.models), contract.behavior)


def same_paths(one: Contract, other: Contract) -> bool:
    """Whether two editions are served under the same paths."""

    def paths(contract: Contract) -> tuple[str, ...]:
        x402 = contract.edition.x402
        facts = x402.statements
        return (contract.edition.path, x402.top_up.path, facts.balance_path, facts.transactions_path)

    return paths(one) == paths(other)
