"""Which part of the suite may import which, and that it shares the mock's data and none of its reasoning."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import venice_contract

ROOT = Path(venice_contract.__file__).parent
FILES = sorted(file.relative_to(ROOT).as_posix() for file in ROOT.rglob("*.py"))
OURS = "venice_contract."
LONGEST = 400
# A room, and what of ours it may not import.
FORBIDDEN: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("wire/", ("judging", "running", "rules", "reports", "commands", "pictures", "wallets")),
    ("pictures/", ("judging", "running", "rules", "reports", "commands", "wallets")),
    ("wallets/", ("judging", "running", "rules", "reports", "commands", "pictures")),
    ("judging/", ("rules", "reports", "commands")),
    ("rules/", ("running", "reports", "commands")),
    ("running/", ("reports", "commands")),
    ("reports/", ("commands",)),
)


def tree_of(file: str) -> ast.Module:
    return ast.parse((ROOT / file).read_text("utf-8"), file)


def imports_of(file: str) -> Iterator[str]:
    """Every module that a file imports, wherever in it, but for typing alone."""
    tree = tree_of(file)
    typing_only = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if node in typing_only:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names if node.module in PACKAGES)


PACKAGES = ("venice_contract", "venice_mock")


@pytest.mark.parametrize("file", FILES)
def test_of_the_mock_only_the_contracts_data_is_shared(file: str) -> None:
    for module in imports_of(file):
        if module.partition(".")[0] == "venice_mock" and module != "venice_mock":
            assert module in ("venice_mock.contract", "venice_mock.contract.types"), (
                f"{file} imports {module}"
            )


@pytest.mark.parametrize("file", FILES)
def test_imports_go_in_one_direction(file: str) -> None:
    for module in imports_of(file):
        for room, banned in FORBIDDEN:
            if file.startswith(room):
                assert not module.startswith(tuple(OURS + name for name in banned)), (
                    f"{file} imports {module}"
                )


@pytest.mark.parametrize("file", FILES)
def test_a_module_says_what_it_is_and_why_it_is_long(file: str) -> None:
    said = ast.get_docstring(tree_of(file)) or ""
    assert said, f"{file} has no docstring"
    if len((ROOT / file).read_text("utf-8").splitlines()) > LONGEST:
        assert "over 400 lines because" in " ".join(said.split()), f"{file} is long and does not say why"


@pytest.mark.parametrize("file", FILES)
def test_nothing_writes_a_global(file: str) -> None:
    assert not any(isinstance(node, ast.Global) for node in ast.walk(tree_of(file))), file


def test_the_pytest_plugin_imports_nothing_of_the_suite_until_it_is_used() -> None:
    """Whoever installed the package has it in every pytest run."""
    code = "import sys, venice_contract.pytest_plugin; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    loaded = set(done.stdout.split())
    assert "venice_contract.pytest_plugin" in loaded
    assert not loaded & {"hypothesis", "PIL", "venice_mock", "msgspec", "venice_contract.rules"}
