"""How a comparison is told: by rule, each difference once with the number of cases that show it."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from venice_contract.reports.wording import check_name, count, value_text, visible
from venice_contract.running.projection import Comparison, Difference

_MOST_VALUE = 100  # characters of a case's value


def tell(found: Comparison, left: str, right: str, *, as_json: bool) -> int:
    """Print, and return 1 when anything differs."""
    if as_json:
        told = {
            "compared": found.compared,
            "only_left": found.left_only,
            "only_right": found.right_only,
            "differences": [asdict(row) for row in found.differences],
        }
        print(json.dumps(told, indent=2, ensure_ascii=False))
        return 1 if found.differences else 0
    print(f"A: {left}\nB: {right}\n")
    by_rule: dict[str, dict[str, list[Difference]]] = {}
    for row in found.differences:
        by_rule.setdefault(row.rule, {}).setdefault(_sentence(row), []).append(row)
    for rule, groups in sorted(by_rule.items()):
        print(rule)
        for sentence, rows in groups.items():
            cases = len({(row.check, json.dumps(row.value, sort_keys=True)) for row in rows})
            many = f" ({cases} cases)" if cases > 1 else ""
            print(f"  {sentence}{many}\n    {'for example ' if cases > 1 else ''}{_place(rows[0])}")
        print()
    differences = count(sum(map(len, by_rule.values())), "difference")
    print(f"{count(found.compared, 'case')} compared, {differences} in {count(len(by_rule), 'rule')}.")
    for one, other, alone in (("A", "B", found.left_only), ("B", "A", found.right_only)):
        if alone:
            rules = ", ".join(f"{rule} ({cases})" for rule, cases in sorted(alone.items()))
            print(
                f"{count(sum(alone.values()), 'case')} only {one} answered; {other} was not asked, or lacked a "
                f"credential, money or what the rule is about. By rule: {rules}."
            )
    return 1 if found.differences else 0


def _sentence(row: Difference) -> str:
    if row.what == "headers":
        sides = (("A", row.left), ("B", row.right))
        return "headers: " + "; ".join(
            f"only {side} has {', '.join(names)}" for side, names in sides if names
        )
    return f"{row.what.replace('_', ' ')}: A {_shown(row.left)} | B {_shown(row.right)}"


def _place(row: Difference) -> str:
    """Which case, and which of its answers where one answer is meant."""
    value = value_text(row.value, _MOST_VALUE)
    parts = [check_name(row.check), *([f"with {value}"] if value else [])]
    return ", ".join([*parts, *([f"answer {row.step} of the case"] if row.step else [])])


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    return visible(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False), "")
