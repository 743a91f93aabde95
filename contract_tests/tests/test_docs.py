"""The pages in docs/ say what the data says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from mutants.listing import all_mutants, never_mutated

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_of_the_contract_is_what_the_data_says() -> None:
    command = [sys.executable, str(DOCS / "make_contract_page.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_no_difference_is_listed_twice_without_saying_of_which_edition_it_is() -> None:
    lines = (
        (DOCS / "contract.md")
        .read_text("utf-8")
        .partition("| difference |")[2]
        .partition("\n## ")[0]
        .splitlines()
    )
    first = [line.split(" | ")[0] for line in lines if line.startswith("| `")]
    assert len(first) > 5
    assert sorted(set(first)) == sorted(first)
    assert sum("`default-model`" in each and "(edition " in each for each in first) == 2


def test_the_kill_table_lists_every_mutant_and_none_that_survived() -> None:
    table = (DOCS / "mutants.md").read_text("utf-8")
    rows = [
        line.split(" | ") for line in table.splitlines() if line.startswith("| ") and line.count("|") == 5
    ]
    listed = {(row[0].strip("| "), row[1]) for row in rows[1:]}
    assert listed == {(mutant.rule, mutant.text) for mutant in all_mutants()}
    assert "**no**" not in table
    assert all(rule in table for rule in never_mutated())
