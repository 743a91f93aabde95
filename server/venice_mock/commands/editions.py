"""``venice-mock editions``: the editions of the contract, and what changed from one to another."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from itertools import groupby
from typing import Any

from venice_mock.commands.options import command_parser, settings
from venice_mock.contract import Contract, ModelSpec, available_editions, load_edition
from venice_mock.contract.comparing import Change, compare
from venice_mock.settings import SettingsError

EXAMPLES = """\
  venice-mock editions
  venice-mock editions diff 2026-06-19 2026-08-22
  venice-mock editions diff 2026-06-19 my-edition.json --json
  venice-mock serve --edition 2026-08-22
"""
TITLES = {
    "general": "Path and listings",
    "models": "Models",
    "limits": "Limits",
    "fields": "Fields of the request",
    "enhancement": "Rewriting of prompts",
    "formats": "Output formats",
    "tiers": "Output sizes",
    "errors": "Errors",
    "messages": "Wording of validation errors",
    "headers": "Headers",
    "traits": "Traits",
    "compatibility": "Names of other vendors",
    "words": "Words that classify a prompt",
    "x402": "Wallets and x402",
    "differences": "Differences between documentation and measurement",
    "rules": "Rules",
}
_INDENT = " " * 9
_SEVERAL = 5  # items with one change in common
_SHORT = 40  # characters of a value that goes on one line with the other


def parser() -> argparse.ArgumentParser:
    """The parser of this command."""
    made = command_parser(
        "editions",
        "List the editions of the contract, or tell what changed from edition A to edition B. An edition is named "
        "by its date or by the path of a file (*.json).",
        EXAMPLES,
    )
    made.usage = "venice-mock editions [diff A B] [--json]"
    made.add_argument("words", nargs="*", metavar="diff A B", help="compare two editions")
    made.add_argument("--json", action="store_true", help="the same as JSON")
    return made


def run(arguments: argparse.Namespace) -> int:
    """Print the list or the changes. Raises SettingsError and ContractError."""
    default = settings(arguments).edition
    match arguments.words:
        case []:
            _list(default, as_json=arguments.json)
        case ["diff", old, new]:
            _diff(old, new, as_json=arguments.json)
        case _:
            raise SettingsError("Say nothing more for the list, or diff and two editions.")
    return 0


def _list(default: str, *, as_json: bool) -> None:
    editions = [load_edition(name) for name in available_editions()]
    if as_json:
        rows = [
            {
                "edition": edition.edition,
                "title": edition.title,
                "stamp": edition.stamp,
                "models": len(Contract(edition, "documented").inpaint_models),
                "rules": len(edition.active_rules),
            }
            for edition in editions
        ]
        print(json.dumps({"default": default, "editions": rows}, indent=2, ensure_ascii=False))
        return

    from venice_mock.commands.tables import paragraph, table, terminal_width

    width = terminal_width()
    cells = [
        (
            edition.edition + (" *" if edition.edition == default else ""),
            str(len(Contract(edition, "documented").inpaint_models)),
            str(len(edition.active_rules)),
            edition.stamp,
            edition.title,
        )
        for edition in editions
    ]
    print(table(("EDITION", "MODELS", "RULES", "VERSION", "ABOUT"), cells, width, right=(1, 2)))
    print()
    print(paragraph("MODELS counts those that edit. * the edition unless --edition names another.", width))


def _diff(old_name: str, new_name: str, *, as_json: bool) -> None:
    import msgspec

    old, new = load_edition(old_name), load_edition(new_name)
    changes = compare(old, new)
    if as_json:
        told = {"from": old.edition, "to": new.edition, "changes": msgspec.to_builtins(changes)}
        print(json.dumps(told, indent=2, ensure_ascii=False))
        return

    from venice_mock.commands.tables import paragraph, terminal_width

    width = terminal_width()
    models = {model.id: model for model in new.models}
    tier = new.fields.default_resolution
    for section, title in TITLES.items():
        found = [change for change in changes if change.section == section]
        if not found:
            continue
        print(f"{title}\n{'-' * len(title)}")
        for change, items in _shared(found):
            print(paragraph(f"{change.member}: {_told(change)}", width, _INDENT + "  ", first="changed  "))
            print(paragraph(f"with {', '.join(items)}", width, _INDENT + "  ", first=_INDENT))
            found = [other for other in found if _sense(other) != _sense(change)]
        for item, group in groupby(found, key=lambda change: change.item):
            parts = list(group)
            if parts[0].member:
                print(f"changed  {item}")
                for text in (f"{change.member}{line}" for change in parts for line in _lines(change)):
                    print(paragraph(text, width, _INDENT + "  ", first=_INDENT))
            elif _is_new_model(parts[0]):
                about = _about_model(models[item], tier)
                print(paragraph(f"new      {item}: {about}", width, _INDENT + "  ", first=""))
            else:
                lines = [f"{item}{line}" for line in _lines(parts[0])]
                print(paragraph(f"{parts[0].kind:<7}  {lines[0]}", width, _INDENT + "  ", first=""))
                for text in lines[1:]:
                    print(paragraph(text, width, _INDENT + "  ", first=_INDENT))
        print()
    if changes:
        touched = {change.section for change in changes}
        alike = [title for section, title in TITLES.items() if section not in touched]
        print(paragraph(f"Nothing changed in: {'; '.join(alike).lower()}.", width, "  ", first=""))
    counted = f"{len(changes)} change{'' if len(changes) == 1 else 's'}" if changes else "No change"
    print(f"{counted} from edition {old.edition} to {new.edition}.")


def _shared(changes: list[Change]) -> list[tuple[Change, list[str]]]:
    """Changes of a member that several items have alike, each with those items, so that it is told once."""
    alike: dict[str, list[Change]] = {}
    for change in changes:
        if change.member:
            alike.setdefault(_sense(change), []).append(change)
    return [(same[0], [c.item for c in same]) for same in alike.values() if len(same) >= _SEVERAL]


def _sense(change: Change) -> str:
    """What a change says, whatever it says it of."""
    return json.dumps((change.member, change.kind, change.before, change.after))


def _is_new_model(change: Change) -> bool:
    return change.section == "models" and change.kind == "new"


def _about_model(model: ModelSpec, only_tier: str) -> str:
    """A new model in a line: its prices, tiers and longest prompt."""
    from venice_mock.commands.models import price_range

    if model.constraints is None:
        return f"type {model.type}"
    tiers = " ".join(model.constraints.resolutions) or only_tier
    limit = model.constraints.prompt_character_limit
    return f"{price_range(model, only_tier)} USD, {tiers}, prompts to {limit}"


def _lines(change: Change) -> list[str]:
    """What follows the name of an item or member: one line, or two for long values."""
    before, after = change.before, change.after
    if isinstance(before, str) and isinstance(after, str) and max(len(before), len(after)) > _SHORT:
        return [f", before: {before}", f", now: {after}"]
    told = _told(change)
    return [f": {told}" if told else ""]


def _told(change: Change) -> str:
    """A change in words; a row that went is told by its name alone."""
    before, after = change.before, change.after
    if change.kind == "gone":
        return "" if isinstance(before, dict) else f"was {_plain(before)}"
    if change.kind == "new":
        return _plain(after)
    if isinstance(before, list) and isinstance(after, list):
        added, dropped = _without(after, before), _without(before, after)
        parts = [f"added {_plain(added)}"] if added else []
        parts += [f"dropped {_plain(dropped)}"] if dropped else []
        return "; ".join(parts) or f"now in the order {_plain(after)}"
    return f"{_plain(before)} -> {_plain(after)}"


def _without(entries: Iterable[Any], others: list[Any]) -> list[Any]:
    return [entry for entry in entries if entry not in others]


def _plain(value: Any) -> str:
    """A value for people: of a row its sentence, of a list its entries."""
    if isinstance(value, dict):
        sentence = next((value[key] for key in ("text", "matter") if key in value), None)
        return str(sentence) if sentence is not None else json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return ", ".join(_plain(entry) for entry in value) or "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "nothing" if value is None else str(value)
