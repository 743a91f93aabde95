"""The suite as pytest tests, one a rule: ``pytest --pyargs venice_contract --contract-base-url URL``.

Collected only when it is asked for by name; the options and fixtures are in ``pytest_plugin``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from venice_contract.running.single import SingleRules


def test_rule(
    contract_rule: str, contract_run: SingleRules, record_property: Callable[[str, object], None]
) -> None:
    """A MUST or SHOULD that is broken fails; what was not seen is skipped with its reason, never passed."""
    from venice_contract.pytest_plugin import UNSEEN
    from venice_contract.reports.single import rule_text

    found = contract_run.judge(contract_rule)
    verdict, told = found.verdict, rule_text(found, contract_run.ready.bench.target.name)
    if found.is_untested:
        record_property(UNSEEN, str(verdict))
    if verdict in ("FAIL", "WARN", "STALE", "HARNESS"):
        pytest.fail(f"{verdict}: {told}", pytrace=False)
    if verdict == "XFAIL":
        pytest.xfail(told)
    if verdict not in ("PASS", "OBSERVED"):
        pytest.skip(f"{verdict}: {told}")
