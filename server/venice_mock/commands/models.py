"""``venice-mock models``: the catalogue of an edition as a table or as JSON."""

from __future__ import annotations

import argparse
import json
from decimal import Decimal

from venice_mock.commands.options import add_settings, command_parser, settings
from venice_mock.contract import Contract, ContractError, ModelSpec, load_contract

EXAMPLES = """\
  venice-mock models
  venice-mock models --type all
  venice-mock models --edition 2026-06-19 --json
"""


def parser() -> argparse.ArgumentParser:
    """The parser of this command."""
    made = command_parser(
        "models", "List the models, what each accepts, and the prices of one edit.", EXAMPLES
    )
    made.add_argument(
        "--type", metavar="TYPE", help="inpaint (the models that edit), all, text, ... (default inpaint)"
    )
    made.add_argument("--json", action="store_true", help="the edition's rows as JSON")
    add_settings(made, {"edition", "behavior"})
    return made


def run(arguments: argparse.Namespace) -> int:
    """Print the list. Raises SettingsError and ContractError."""
    chosen = settings(arguments)
    contract = load_contract(chosen.edition, chosen.behavior)
    edition = contract.edition
    kind = arguments.type or edition.listing_default
    if kind not in edition.listing_types:
        raise ContractError(
            f"There is no model type {kind!r}. Known: {', '.join(sorted(edition.listing_types))}."
        )
    models = [model for model in edition.models if kind in ("all", model.type)]
    if arguments.json:
        import msgspec

        rows = msgspec.to_builtins(models)
        print(
            json.dumps(
                {"edition": edition.edition, "type": kind, "models": rows}, indent=2, ensure_ascii=False
            )
        )
        return 0
    if not models:
        print(f"Edition {edition.edition} has no models of type {kind}.")
        return 0
    print(_table(contract, models, chosen.default_model or contract.way("default-model")))
    return 0


def _table(contract: Contract, models: list[ModelSpec], default: str) -> str:
    from venice_mock.commands.tables import paragraph, table, terminal_width

    width = terminal_width()
    tier = contract.edition.fields.default_resolution
    rows = [_row(model, tier, model.id == default) for model in models]
    shown = table(("MODEL", "USD", "PROMPT", "TIERS", "RATIOS"), rows, width, right=(2,))
    note = (
        f"Edition {contract.edition.edition}, {contract.behavior} behaviour. USD is the price of one edit, "
        "from the cheapest tier and quality to the dearest; PROMPT is the longest prompt in characters. "
        "* the model of a request that names none."
    )
    return f"{shown}\n\n{paragraph(note, width)}"


def _row(model: ModelSpec, only_tier: str, default: bool) -> tuple[str, str, str, str, str]:
    name = model.id + (" *" if default else "")
    if model.constraints is None:
        return name, "", "", "", f"type {model.type}"
    limits = model.constraints
    return (
        name,
        price_range(model, only_tier),
        str(limits.prompt_character_limit),
        " ".join(limits.resolutions) or only_tier,
        " ".join(limits.aspect_ratios),
    )


def price_range(model: ModelSpec, only_tier: str) -> str:
    """The price of an edit in USD, or the cheapest and the dearest; ``only_tier`` is that of a model without."""
    from venice_mock.accounts.pricing import price_of

    if model.constraints is None or model.pricing is None:
        return ""
    qualities: tuple[str | None, ...] = model.constraints.qualities or (None,)
    tiers = model.constraints.resolutions or (only_tier,)
    prices: list[Decimal] = sorted(
        {price_of(model, tier, quality) for tier in tiers for quality in qualities}
    )
    return str(prices[0]) if len(prices) == 1 else f"{prices[0]}-{prices[-1]}"
