"""How a comparison is told: by rule, each difference once with the number of cases that show it."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from venice_contract.running.projection import Comparison, Difference

_MOST_CASES = 3  # of one difference


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
    by_rule: dict[str, list[Difference]] = {}
    for row in found.differences:
        by_rule.setdefault(row.rule, []).append(row)
    for rule, rows in sorted(by_rule.items()):
        print(rule)
        groups: dict[str, list[Difference]] = {}
        for row in rows:
            groups.setdefault(f"{row.what}: A {_shown(row.left)} | B {_shown(row.right)}", []).append(row)
        for sentence, same in groups.items():
            print(f"  {sentence}")
            for row in same[:_MOST_CASES]:
                print(f"    {row.check.partition('/')[2]}, {_shown(row.value)}, answer {row.step}")
            if len(same) > _MOST_CASES:
                print(f"    and {len(same) - _MOST_CASES} more")
        print()
    print(f"{found.compared} cases compared, {len(found.differences)} differences in {len(by_rule)} rules.")
    if found.left_only or found.right_only:
        print(f"{found.left_only} cases only A answered, {found.right_only} only B.")
    return 1 if found.differences else 0


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 100 else text[:97] + "..."
