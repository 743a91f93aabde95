"""Every rule of every edition is seen by a check, or it is told why it cannot be."""

from __future__ import annotations

import json

import pytest

from venice_contract.judging.facts import Facts
from venice_contract.rules import all_checks, all_invariants
from venice_mock.contract import available_editions, load_edition

EDITIONS = available_editions()
# Rules that nobody sees from outside, each with the test of the mock that shows it instead.
UNSEEN = {
    "MOCK-SRV-005": "a run must not end the server it judges",
}


@pytest.mark.parametrize("edition", EDITIONS)
def test_every_rule_has_a_check_or_a_reason(edition: str) -> None:
    facts = Facts(load_edition(edition))
    seen = {check.rule for check in all_checks()} | {look.rule for look in all_invariants()}
    missing = {rule.id for rule in facts.edition.active_rules} - seen
    assert missing <= set(UNSEEN), sorted(missing - set(UNSEEN))


def test_only_rules_without_a_check_are_listed_as_unseen() -> None:
    seen = {check.rule for check in all_checks()} | {look.rule for look in all_invariants()}
    assert not seen & set(UNSEEN)


def test_every_check_is_of_a_rule_that_exists() -> None:
    known = {rule.id for name in EDITIONS for rule in load_edition(name).rules}
    assert {check.rule for check in all_checks()} <= known
    assert {look.rule for look in all_invariants()} <= known


def test_names_of_checks_are_unique_and_each_says_what_it_shows() -> None:
    names = [check.id for check in all_checks()] + [look.id for look in all_invariants()]
    assert len(names) == len(set(names))
    for check in all_checks():
        assert check.text.strip(), check.id


@pytest.mark.parametrize("edition", EDITIONS)
@pytest.mark.parametrize("accepted", ["documented", "observed", "any"])
def test_fixed_values_are_ones_that_a_case_file_can_hold(edition: str, accepted: str) -> None:
    facts = Facts(load_edition(edition), accepted)  # type: ignore[arg-type]
    living = {rule.id for rule in facts.edition.active_rules}
    for check in all_checks():
        if check.rule not in living:
            continue
        values = list(check.witnesses(facts))
        assert values, f"{check.id} is tried with nothing"
        for value in values:
            assert json.loads(json.dumps(value)) is not None or value is None, check.id
            assert check.spends(facts, value) >= 0


@pytest.mark.parametrize("edition", EDITIONS)
def test_no_rule_that_counts_as_a_free_refusal_has_a_check_that_spends(edition: str) -> None:
    facts = Facts(load_edition(edition))
    refused = {rule.id for rule in facts.edition.active_rules if rule.cost in ("free", "free-refusal")}
    tried = [
        (check, value) for check in all_checks() if check.rule in refused for value in check.witnesses(facts)
    ]
    assert [check.id for check, value in tried if check.spends(facts, value)] == []
