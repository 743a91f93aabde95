"""Writes docs/contract.md from the data: ``python docs/make_contract_page.py [--check]``.

The rules of all editions by group, the differences between documented and observed, what is unverified.
``--check`` writes nothing and ends with 1 when the page is not what the data says.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from venice_mock.contract import Edition, Rule, available_editions, load_edition

OUT = Path(__file__).parent / "contract.md"
_CERTAINTY = {
    "documented": "the vendor's documentation or schema says it",
    "observed": "it was measured on the live server, and no page says it",
    "assumed": "nobody says it and nobody measured it: what we decided, or what follows from other rules",
}
_LEVEL = {
    "must": "a server that does otherwise is not conforming",
    "should": "a server that does otherwise gets a warning",
    "may": "either way is right, and which is recorded",
    "observe": "nothing is demanded, and what is seen is recorded",
}
_COST = {
    "free": "without credentials, nothing can succeed",
    "free-wallet": "with an unfunded wallet or a key without credit",
    "free-refusal": "with a funded key, free because it is refused",
    "paid": "edits that succeed and cost money",
    "mock": "only on a mock that can be steered",
}


@dataclass(frozen=True)
class Row:
    """A rule, and in which editions it stands so."""

    rule: Rule
    editions: tuple[str, ...]


def main(words: list[str]) -> int:
    """Write the page, or with ``--check`` compare it."""
    text = "\n".join(page([load_edition(name) for name in available_editions()])) + "\n"
    if words != ["--check"]:
        OUT.write_text(text, "utf-8")
    elif not OUT.is_file() or OUT.read_text("utf-8") != text:
        print("docs/contract.md is not what the data says: run make docs", file=sys.stderr)
        return 1
    return 0


def rows_of(editions: Sequence[Edition]) -> list[Row]:
    """Every rule once; one that an edition tells otherwise once more."""
    found: dict[tuple[str, ...], Row] = {}
    for edition in editions:
        for rule in edition.active_rules:
            same = (rule.id, rule.level, rule.text, rule.certainty, rule.cost, rule.source)
            before = found[same].editions if same in found else ()
            found[same] = Row(rule, (*before, edition.edition))
    return sorted(found.values(), key=lambda row: (row.rule.group, row.rule.id, row.editions))


def page(editions: Sequence[Edition]) -> Iterator[str]:
    """The lines of the page."""
    rows = rows_of(editions)
    rules = list({row.rule.id: row.rule for row in rows}.values())
    names = [edition.edition for edition in editions]
    yield "# The contract"
    yield ""
    yield "Made from the editions' data by `make docs`; do not edit. Editions: " + ", ".join(names) + "."
    yield "`venice-contract explain ID` shows one rule in full, `venice-contract list --cost` what trying them on a"
    yield "paid server would cost."
    yield ""
    yield from legend("Level", _LEVEL, [rule.level for rule in rules])
    yield from legend("Certainty", _CERTAINTY, [rule.certainty for rule in rules])
    yield from legend("Cost", _COST, [rule.cost for rule in rules])
    yield "## Where documented and observed differ"
    yield ""
    yield "`--behavior documented` (the default) does the one, `--behavior observed` the other; the suite accepts both"
    yield "from a foreign server and tells which it saw."
    yield ""
    yield "| difference | documented | observed | how sure |"
    yield "|---|---|---|---|"
    yield from differences(editions)
    yield ""
    for group, of_group in groupby(rows, key=lambda row: row.rule.group):
        yield f"## {group}"
        yield ""
        yield from table(list(of_group), names)
    unverified = [rule for rule in rules if rule.certainty == "assumed" and rule.cost != "mock"]
    yield "## What is unverified"
    yield ""
    yield f"{len(unverified)} rules about the server itself are assumed. A run with `--profile real` that sees one of"
    yield "them broken warns and does not fail; please tell us what you saw."
    yield ""
    for rule in unverified:
        yield f"- {rule.id}: {cell(rule.text)}"


def differences(editions: Sequence[Edition]) -> Iterator[str]:
    """One line a difference; those that are not the same in all editions say of which they are."""
    told: dict[tuple[str, ...], list[str]] = {}
    for edition in editions:
        for row in edition.differences:
            cells = (f"`{row.id}`: {row.matter}", row.documented.text, row.observed.text, row.grade)
            told.setdefault(cells, []).append(edition.edition)
    for (what, *others), names in sorted(told.items(), key=lambda each: (each[0][0], each[1])):
        only = "" if len(names) == len(editions) else f" (edition {', '.join(names)})"
        yield f"| {' | '.join(map(cell, (what + only, *others)))} |"


def legend(title: str, words: dict[str, str], used: list[str]) -> Iterator[str]:
    """What the words of one column mean and how often each occurs."""
    yield f"| {title.lower()} | rules | means |"
    yield "|---|---|---|"
    for word, meaning in words.items():
        yield f"| {word} | {used.count(word)} | {meaning} |"
    yield ""


def table(rows: list[Row], names: list[str]) -> Iterator[str]:
    """One line a rule."""
    yield "| rule | level | certainty | cost | text | source |"
    yield "|---|---|---|---|---|---|"
    for row in rows:
        rule = row.rule
        difference = f" (difference `{rule.difference}`)" if rule.difference else ""
        only = "" if list(row.editions) == names else f" (edition {', '.join(row.editions)})"
        cells = (rule.id, rule.level, rule.certainty, rule.cost, rule.text + difference + only, rule.source)
        yield f"| {' | '.join(map(cell, cells))} |"
    yield ""


def cell(text: str) -> str:
    """Text that stays inside its cell."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
