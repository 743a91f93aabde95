"""The options that commands share, and how they become ``Options`` and ``Scope``. No printing here."""

from __future__ import annotations

import argparse
import re
import tomllib
from decimal import Decimal, InvalidOperation
from pathlib import Path

from venice_contract.judging.facts import Facts
from venice_contract.running.judging import Scope
from venice_contract.running.opening import HOME_EDITION, Options
from venice_contract.running.profiles import NAMES, PROFILES
from venice_contract.wire.target import read_target
from venice_mock.contract import available_editions, load_edition


class UsageError(ValueError):
    """An option that cannot be understood. The text is one sentence."""


def command_parser(name: str, text: str, examples: str) -> argparse.ArgumentParser:
    """A parser in the one style of all commands."""
    return argparse.ArgumentParser(
        prog=f"venice-contract {name}",
        description=text,
        epilog="examples:\n" + examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )


def add_contract(parser: argparse.ArgumentParser) -> None:
    """Which rules are meant."""
    group = parser.add_argument_group("contract")
    group.add_argument(
        "--edition",
        metavar="DATE",
        help=f"one of {', '.join(available_editions())}; else the mock's own, or {HOME_EDITION}",
    )
    group.add_argument(
        "--behavior",
        choices=("documented", "observed", "any"),
        help="what is accepted where documentation and measurement differ; any: both, and which is "
        "reported (default: a mock's own, else any)",
    )
    group.add_argument(
        "--level",
        choices=("must", "should", "all"),
        default="all",
        help="only MUST, MUST and SHOULD, or all (default)",
    )
    group.add_argument(
        "--only",
        metavar="PATTERN",
        action="append",
        default=[],
        help="only rules whose id matches, such as 'EDIT-FMT-*'; may be given again",
    )


def add_target(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    """Which server is meant."""
    parser.add_argument(
        "--base-url",
        metavar="URL",
        required=required,
        help="the API's base, such as http://127.0.0.1:8402/api/v1, or asgi:MODULE:ATTRIBUTE",
    )


def add_limits(parser: argparse.ArgumentParser) -> None:
    """How much a run may do, how it searches, and what is known to fail."""
    group = add_care(parser)
    group.add_argument(
        "--seed", metavar="N", default="0", help="makes keys, nonces and searches repeatable (default 0)"
    )
    group.add_argument(
        "--deviations",
        metavar="FILE",
        help='rules that may fail, in TOML: "EDIT-FMT-002" = "why, and since when"',
    )


def add_care(parser: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """How much may be sent and spent."""
    listed = "; ".join(f"{name}: {profile.text}" for name, profile in PROFILES.items())
    group = parser.add_argument_group("how much it may do")
    group.add_argument(
        "--profile", choices=NAMES, help=f"{listed}. Default: ci on this machine, free elsewhere"
    )
    group.add_argument(
        "--budget-usd", metavar="USD", help="spend no more than this; needed by --profile real"
    )
    group.add_argument(
        "--confirm-host",
        metavar="HOST",
        help="the host of --base-url typed in full; needed by --profile real",
    )
    group.add_argument("--yes", action="store_true", help="do not ask before money is spent")
    group.add_argument(
        "--rate",
        metavar="N/SECONDS",
        help="at most N failing requests in so many seconds (careful profiles: 15/30s)",
    )
    group.add_argument("--timeout", metavar="SECONDS", default="30", help="for one request (default 30)")
    return group


def options_of(given: argparse.Namespace) -> Options:
    """The options of a run. Raises UsageError, TargetError and AppError."""
    return Options(
        target=read_target(given.base_url),
        profile=given.profile,
        edition=edition_name(given.edition),
        accepted=given.behavior,
        budget=None if given.budget_usd is None else _money(given.budget_usd),
        failures=None if given.rate is None else _rate(given.rate),
        seed=_whole("--seed", given.seed),
        timeout_s=_seconds(given.timeout),
        confirm_host=given.confirm_host,
    )


def scope_of(given: argparse.Namespace, *, edition: str | None = None) -> Scope:
    """What is run. Raises UsageError for patterns without a rule and for a deviations file that is wrong."""
    facts = Facts(load_edition(edition_name(given.edition) or edition or HOME_EDITION))
    known = {rule.id for rule in facts.edition.rules}
    from venice_contract.running.plan import chosen_rules

    for pattern in given.only:
        if not chosen_rules(facts, "all", [pattern]) and given.edition is not None:
            raise UsageError(f"--only {pattern}: no rule of edition {facts.edition.edition} matches.")
    deviations = {} if given.deviations is None else read_deviations(Path(given.deviations), known)
    return Scope(level=given.level, only=tuple(given.only), deviations=deviations)


def edition_name(text: str | None) -> str | None:
    """The edition that was asked for. Raises UsageError."""
    if text is not None and text not in available_editions():
        raise UsageError(f"--edition {text}: known are {', '.join(available_editions())}.")
    return text


def read_deviations(file: Path, known: set[str]) -> dict[str, str]:
    """Rule -> why it may fail. Raises UsageError."""
    try:
        table = tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        raise UsageError(f"--deviations {file}: {error.strerror or error}.") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"--deviations {file}: {error}.") from error
    for rule, why in table.items():
        if rule not in known:
            raise UsageError(f"--deviations {file}: there is no rule {rule!r}.")
        if not isinstance(why, str) or not why.strip():
            raise UsageError(f"--deviations {file}: {rule} needs a sentence that says why.")
    return dict(table)


def _money(text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise UsageError(f"--budget-usd {text}: expected dollars such as 0.50.") from None
    if not amount.is_finite() or amount < 0:
        raise UsageError(f"--budget-usd {text}: expected dollars such as 0.50.")
    return amount


def _rate(text: str) -> tuple[int, float]:
    found = re.fullmatch(r"([0-9]{1,6})/([0-9]+(?:\.[0-9]+)?)s?", text)
    if found is None or int(found[1]) < 1 or float(found[2]) <= 0:
        raise UsageError(f"--rate {text}: expected a number and seconds such as 15/30s.")
    return int(found[1]), float(found[2])


def _seconds(text: str) -> float:
    try:
        seconds = float(text.removesuffix("s"))
    except ValueError:
        raise UsageError(f"--timeout {text}: expected seconds such as 30.") from None
    if not 0 < seconds <= 3600:
        raise UsageError(f"--timeout {text}: expected seconds from above 0 to 3600.")
    return seconds


def _whole(flag: str, text: str) -> int:
    if not re.fullmatch("[0-9]{1,18}", text):
        raise UsageError(f"{flag} {text}: expected a whole number.")
    return int(text)
