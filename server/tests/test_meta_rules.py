"""Each rule of the editions that concerns what is built has a test, and each test's rule is a living one."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from venice_mock.contract import available_editions, load_edition

HERE = Path(__file__).parent


def numbered(prefix: str, *numbers: int) -> frozenset[str]:
    return frozenset(f"{prefix}-{number:03d}" for number in numbers)


# Rules of what is not built yet, by subject. A row that gets its test must leave; an empty subject must go.
NOT_YET: dict[str, frozenset[str]] = {
    "DIEM of a linked wallet": numbered("EDIT-PAY", 24),
}


Shown = dict[str, set[str]]


@pytest.fixture(scope="module")
def shown() -> Shown:
    """Rule id -> the tests that carry it in a ``rules`` mark, read from the source of every test file."""
    found: Shown = {}
    for file in sorted(HERE.glob("test_*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"), file.name)):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                continue
            for mark in node.decorator_list:
                if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.rules":
                    assert mark.args, f"{file.name}: {node.name} has a mark without a rule"
                    for argument in mark.args:
                        for rule in ids_of(argument):
                            found.setdefault(rule, set()).add(f"{file.name}::{node.name}")
    return found


def ids_of(argument: ast.expr) -> tuple[str, ...]:
    """The ids of one argument: a literal, or a literal tuple with a star."""
    if isinstance(argument, ast.Starred):
        return tuple(ast.literal_eval(argument.value))
    return (str(ast.literal_eval(argument)),)


def living() -> set[str]:
    """The rules that hold in some edition."""
    return {rule.id for name in available_editions() for rule in load_edition(name).active_rules}


def not_yet() -> set[str]:
    return {rule for rules in NOT_YET.values() for rule in rules}


def test_each_rule_of_what_is_built_has_a_test(shown: Shown) -> None:
    missing = sorted(living() - not_yet() - set(shown))
    assert not missing, f"{len(missing)} rules without a test: {' '.join(missing)}"


def test_each_mark_names_a_living_rule(shown: Shown) -> None:
    dead = {rule: tests for rule, tests in shown.items() if rule not in living()}
    assert not dead


def test_the_list_of_what_is_not_built_only_shrinks(shown: Shown) -> None:
    tested = not_yet() & set(shown)
    assert not tested, f"tested now, so take them off the list: {' '.join(sorted(tested))}"
    assert not_yet() <= living(), f"no longer rules: {' '.join(sorted(not_yet() - living()))}"
    assert all(NOT_YET.values())
    assert sum(map(len, NOT_YET.values())) == len(not_yet()), "a rule stands under two subjects"


def test_marks_are_found_by_reading_the_source(shown: Shown) -> None:
    assert "test_rules_transport.py::test_a_form_is_judged_like_json" in shown["EDIT-HTTP-002"]
