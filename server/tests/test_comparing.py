"""Comparing editions: nothing is missed, nothing is invented, and the list of changes leads from one to the other."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import venice_mock
from rulekit import TEST_EDITION
from venice_mock.contract import load_edition
from venice_mock.contract.comparing import Change, compare

FOLDER = Path(venice_mock.__file__).parent / "contract" / "editions"
JUNE, AUGUST = load_edition("2026-06-19"), load_edition("2026-08-22")


def edition_with(tmp_path: Path, table: Any) -> Any:
    file = tmp_path / "changed.json"
    file.write_text(json.dumps(table), "utf-8")
    return load_edition(str(file))


def found(changes: list[Change], section: str, item: str) -> dict[str, tuple[str, Any, Any]]:
    return {c.member: (c.kind, c.before, c.after) for c in changes if (c.section, c.item) == (section, item)}


@pytest.mark.parametrize("name", ["2026-06-19", "2026-08-22", str(TEST_EDITION)])
def test_an_edition_does_not_differ_from_itself(name: str) -> None:
    assert compare(load_edition(name), load_edition(name)) == []


def test_the_way_back_is_the_way_there_turned_round() -> None:
    def keys(changes: list[Change], turned: bool) -> set[str]:
        kinds = {"new": "gone", "gone": "new", "changed": "changed"}
        return {
            json.dumps([c.section, c.item, c.member, kinds[c.kind], c.after, c.before])
            if turned
            else json.dumps([c.section, c.item, c.member, c.kind, c.before, c.after])
            for c in changes
        }

    there, back = compare(JUNE, AUGUST), compare(AUGUST, JUNE)
    assert len(there) == len(back) > 50
    assert keys(there, turned=True) == keys(back, turned=False)


def test_models_that_came_and_went_are_told_whole() -> None:
    changes = [c for c in compare(JUNE, AUGUST) if c.section == "models" and not c.member]
    assert [c.item for c in changes if c.kind == "gone"] == ["qwen-edit"]
    ids = {model.id for model in JUNE.models}
    assert [c.item for c in changes if c.kind == "new"] == [m.id for m in AUGUST.models if m.id not in ids]
    (luma,) = (c for c in changes if c.item == "luma-uni-1-edit")
    assert luma.before is None
    assert luma.after["pricing"]["inpaint"] == "0.06"
    assert "note" not in luma.after


def test_a_model_is_told_member_by_member_with_money_as_text() -> None:
    assert found(compare(JUNE, AUGUST), "models", "flux-2-max-edit") == {
        "pricing.inpaint": ("changed", "0.19", "0.12"),
        "pricing.input_images.included": ("new", None, 1),
        "pricing.input_images.additional": ("new", None, "0.0345"),
        "constraints.max_input_images": ("new", None, 6),
        "supports_optimize_prompt_thinking": ("new", None, False),
    }


def test_fields_headers_differences_and_rules_are_told() -> None:
    changes = compare(JUNE, AUGUST)
    assert found(changes, "headers", "enhanced_prompt") == {"": ("new", None, "x-venice-enhanced-prompt")}
    known = found(changes, "fields", "known")[""]
    assert set(known[2]) - set(known[1]) == {"enhance_prompt", "disable_prompt_optimization_thinking"}
    assert found(changes, "differences", "default-model")["documented.value"][1:] == (
        "qwen-edit",
        "firered-image-edit",
    )
    rules = {(c.item, c.kind) for c in changes if c.section == "rules" and not c.member}
    assert rules == {
        ("EDIT-ENH-001", "new"), ("EDIT-ENH-002", "new"), ("EDIT-OPT-001", "new"), ("MODELS-015", "new"),
        ("EDIT-SAFE-010", "gone"),
    }  # fmt: skip
    untouched = {"limits", "errors", "messages", "formats", "tiers", "x402", "words", "general"}
    assert not untouched & {c.section for c in changes}


def leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The places of all numbers and sentences of a file, lists entered only where rows have ids."""
    if isinstance(value, dict):
        for key, entry in value.items():
            yield from leaves(entry, (*path, key))
    elif isinstance(value, list) and value and isinstance(value[0], dict) and "id" in value[0]:
        for number, entry in enumerate(value):
            yield from leaves(entry, (*path, number))
    elif isinstance(value, str | int) and not isinstance(value, bool):
        yield path


SILENT = {"note", "confidence", "since", "until", "id", "edition", "title", "stamp"}


def test_every_number_and_sentence_that_is_changed_is_found_once_where_it_stands(tmp_path: Path) -> None:
    table = json.loads((FOLDER / "2026-08-22.json").read_text("utf-8"))
    table["rules"] = table["rules"][:2]
    plain = edition_with(tmp_path, table)
    tried = 0
    for path in leaves(table):
        changed = copy.deepcopy(table)
        at = changed
        for key in path[:-1]:
            at = at[key]
        last, old = path[-1], at[path[-1]]
        if last in SILENT or (path[0] == "models" and last == "type"):
            continue
        if isinstance(old, int):
            at[last] = old + 1
        elif old.replace(".", "").isdigit():
            at[last] = "7.77"
        elif last in ("level", "certainty", "cost", "difference", "rail"):
            continue  # closed lists
        else:
            at[last] = old + " and more"
        (change,) = compare(plain, edition_with(tmp_path, changed))
        assert change.kind == "changed"
        told = change.section + change.item + change.member
        assert str(path[0]) in told or change.section == "general", path
        assert str(last) in told, path
        assert str(change.after) == str(at[last])
        tried += 1
    assert tried > 300


def test_a_row_that_is_dropped_and_a_list_in_another_order_are_changes(tmp_path: Path) -> None:
    table = json.loads((FOLDER / "2026-06-19.json").read_text("utf-8"))
    del table["errors"]["MODEL_OFFLINE"]
    table["fields"]["qualities"].reverse()
    changes = compare(JUNE, edition_with(tmp_path, table))
    assert [(c.section, c.item, c.kind) for c in changes] == [
        ("fields", "qualities", "changed"),
        ("errors", "MODEL_OFFLINE", "gone"),
    ]
    assert changes[0].after == ["high", "medium", "low"]
