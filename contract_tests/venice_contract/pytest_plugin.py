"""The pytest plugin: options that begin with ``--contract-``, and the fixtures of ``test_contract.py``.

For ``pytest --pyargs venice_contract --contract-base-url URL``. It is loaded into every pytest run of whoever
installed the package, so it imports nothing of the suite until a contract test is collected.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from venice_contract.running.single import SingleRules

_RULE, _RUN = "contract_rule", "contract_run"
_URL = "--contract-base-url"


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of ``venice-contract run``, under names that nobody else uses."""
    group = parser.getgroup("venice-contract", "conformance to the image edit contract")
    group.addoption(_URL, metavar="URL", help="the server to judge: its API base, or asgi:MODULE:ATTRIBUTE")
    group.addoption("--contract-edition", metavar="DATE", help="the edition to judge by")
    group.addoption("--contract-behavior", choices=("documented", "observed", "any"), help="what is accepted")
    group.addoption("--contract-profile", choices=("mock", "ci", "free", "real"), help="how much is tried")
    group.addoption("--contract-level", choices=("must", "should", "all"), default="all", help="which rules")
    group.addoption("--contract-only", metavar="PATTERN", action="append", default=[], help="rule ids")
    group.addoption("--contract-budget-usd", metavar="USD", help="spend no more than this")
    group.addoption("--contract-confirm-host", metavar="HOST", help="needed by the profile real")
    group.addoption("--contract-deviations", metavar="FILE", help="rules that may fail")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each rule; those that are seen on every exchange come last."""
    if _RULE not in metafunc.fixturenames:
        return
    from venice_contract.running.single import rules_in_order

    config = metafunc.config
    edition = _edition_of(config)
    rules = rules_in_order(edition, config.getoption("--contract-level"), config.getoption("--contract-only"))
    metafunc.parametrize(_RULE, rules)


@pytest.fixture(scope="session")
def contract_run(request: pytest.FixtureRequest) -> Iterator[SingleRules]:
    """The connection to the server that is judged."""
    from venice_contract.commands.options import UsageError, options_of, scope_of
    from venice_contract.running.opening import OpeningError
    from venice_contract.running.single import SingleRules
    from venice_contract.wire.asgi import AppError
    from venice_contract.wire.target import TargetError

    config = request.config
    url = config.getoption(_URL)
    if not url:
        pytest.exit(f"{_URL} is needed: which server is to be judged?", returncode=4)
    given = argparse.Namespace(
        base_url=url,
        profile=config.getoption("--contract-profile"),
        edition=_edition_of(config),
        behavior=config.getoption("--contract-behavior"),
        budget_usd=config.getoption("--contract-budget-usd"),
        confirm_host=config.getoption("--contract-confirm-host"),
        deviations=config.getoption("--contract-deviations"),
        level=config.getoption("--contract-level"),
        only=config.getoption("--contract-only"),
        rate=None,
        timeout="30",
        seed="0",
    )
    try:
        with SingleRules.open(options_of(given), scope_of(given)) as run:
            yield run
    except (OpeningError, UsageError, TargetError, AppError) as error:
        pytest.exit(f"venice-contract: {error}", returncode=4)


def _edition_of(config: pytest.Config) -> str:
    from venice_contract.running.opening import HOME_EDITION

    return str(config.getoption("--contract-edition") or HOME_EDITION)
