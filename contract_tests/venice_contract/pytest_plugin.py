"""The pytest plugin: options that begin with ``--contract-``, and the fixtures of ``test_contract.py``.

For ``pytest --pyargs venice_contract --contract-base-url URL``. It is loaded into every pytest run of whoever
installed the package, so it imports nothing of the suite until a contract test is collected or rules are named.
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
_ALLOW = "--contract-allow-untested"
UNSEEN = "contract_unseen"  # the property of a test whose rule must be kept and was not seen


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
    group.addoption(
        _ALLOW, action="store_true", help="required rules that are not seen do not fail the session"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Refuse what names no rule before anything is collected; count what is not seen."""
    config.pluginmanager.register(_Unseen(allowed=config.getoption(_ALLOW)), "venice-contract-unseen")
    only = config.getoption("--contract-only")
    if not only and config.getoption("--contract-edition") is None:
        return
    from venice_contract.commands.options import UsageError, edition_name
    from venice_contract.running.single import rules_in_order

    try:
        edition = edition_name(_edition_of(config)) or ""
    except UsageError as error:
        raise pytest.UsageError(f"--contract{str(error).removeprefix('-')}") from error
    level = config.getoption("--contract-level")
    for pattern in only:
        if not rules_in_order(edition, level, [pattern]):
            wanted = "" if level == "all" else f" of level {level}"
            raise pytest.UsageError(
                f"--contract-only {pattern}: no rule{wanted} of edition {edition} matches."
            )


class _Unseen:
    """Keeps a session from passing in silence when MUST or SHOULD rules were not seen."""

    def __init__(self, *, allowed: bool) -> None:
        self.allowed = allowed
        self.count = 0

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count one; with pytest-xdist too, where the tests run in other processes."""
        if report.when == "call" and any(name == UNSEEN for name, _ in report.user_properties):
            self.count += 1

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """What the command tells with exit code 3 is a failed session here."""
        if self.count and not self.allowed and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """One line."""
        if not self.count:
            return
        told = (
            "1 required rule was not seen"
            if self.count == 1
            else f"{self.count} required rules were not seen"
        )
        how = "" if self.allowed else f", which is no pass (see -rs; {_ALLOW} lets it be one)"
        terminalreporter.write_line(f"venice-contract: {told}{how}.", yellow=True)


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
