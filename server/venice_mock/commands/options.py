"""What the commands' parsers share: help with examples, and options out of the settings' table."""

from __future__ import annotations

import argparse
import difflib
import os
import textwrap
from collections.abc import Collection
from typing import NoReturn, cast

from venice_mock.settings import CONFIG, OPTIONS, Option, Settings, load_settings
from venice_mock.settings_values import size_text


def command_parser(name: str, description: str, examples: str) -> argparse.ArgumentParser:
    """A parser for ``venice-mock NAME`` whose help ends with ``examples`` as they stand."""
    return _Parser(
        prog=f"venice-mock {name}",
        description=textwrap.fill(description, 79),
        epilog=f"examples:\n{examples.rstrip()}\n",
        formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(prog, max_help_position=30),
        allow_abbrev=False,
    )


class _Parser(argparse.ArgumentParser):
    """Tells a usage error in one line, with the option that was probably meant."""

    def error(self, message: str) -> NoReturn:
        words = message.removeprefix("unrecognized arguments: ").split()
        flag = words[0].partition("=")[0] if words else ""
        near = difflib.get_close_matches(flag, self._option_string_actions, n=1)
        meant = f" Did you mean {near[0]}?" if message.startswith("unrecognized") and near else ""
        self.exit(2, f"{self.prog}: {message}.{meant} See {self.prog} --help.\n")


def add_settings(parser: argparse.ArgumentParser, keys: Collection[str] | None = None) -> None:
    """Add the options of the settings' table, all or those in ``keys``; ``settings`` judges their texts."""
    wanted = [option for option in OPTIONS if keys is None or option.key in keys]
    for title in dict.fromkeys(option.group for option in wanted):
        group = parser.add_argument_group(title)
        for option in wanted:
            if option.group == title:
                _add(group, option)
        if title == CONFIG.group:
            _add(group, CONFIG)


def settings(arguments: argparse.Namespace) -> Settings:
    """The settings of one run out of flags, environment and file. Raises SettingsError."""
    known = {option.key for option in (*OPTIONS, CONFIG)}
    return load_settings({k: v for k, v in vars(arguments).items() if k in known}, os.environ)


def _add(group: argparse._ArgumentGroup, option: Option) -> None:
    default = getattr(Settings(), option.key, None)
    shown = "" if default is None or option.kind == "switch" else f" (default {_shown(option, default)})"
    if option.kind == "switch":
        group.add_argument(
            option.flag,
            dest=option.key,
            action=argparse.BooleanOptionalAction,
            default=argparse.SUPPRESS,
            help=f"{option.help} (default {'yes' if default else 'no'})",
        )
    else:
        group.add_argument(
            option.flag,
            dest=option.key,
            metavar=option.metavar,
            default=argparse.SUPPRESS,
            help=option.help + shown,
        )


def _shown(option: Option, default: object) -> str:
    if isinstance(default, tuple):
        return ",".join(default) or ("off" if option.key == "cors" else "none")
    if option.key == "latency":
        return "0"
    if option.metavar == "SIZE":
        return size_text(cast(int, default))
    if option.key == "body_timeout":
        return f"{default:g}s"
    return str(default)
