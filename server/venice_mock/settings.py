"""Flags, environment and file become one frozen ``Settings``. Nothing else reads the environment.

One table, ``OPTIONS``, drives all three sources and the help: the option ``max_inflight_pixels`` is the flag
``--max-inflight-pixels``, the variable ``VENICE_MOCK_MAX_INFLIGHT_PIXELS`` and the TOML key
``max_inflight_pixels``. A flag goes before a variable, that before the file, that before the default.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from venice_mock import settings_values as values
from venice_mock.settings_types import Latency, Settings

__all__ = [
    "CONFIG",
    "ENV_PREFIX",
    "OPTIONS",
    "Latency",
    "Option",
    "Settings",
    "SettingsError",
    "load_settings",
    "value_of",
]

ENV_PREFIX = "VENICE_MOCK_"


class SettingsError(ValueError):
    """A setting that cannot be understood. The text is one sentence that names where it came from."""


_SECRET = frozenset({"store", "control_token"})  # options whose values no message repeats


@dataclass(frozen=True, slots=True)
class Option:
    """One choice of the user. ``key`` is the field of ``Settings`` and the key in the TOML file."""

    key: str
    read: values.Reader
    metavar: str
    help: str
    group: str
    kind: Literal["value", "switch", "list", "path"] = "value"

    @property
    def flag(self) -> str:
        """The long flag; a switch has its ``--no-`` form as well."""
        return "--" + self.key.replace("_", "-")

    @property
    def variable(self) -> str:
        """The environment variable."""
        return ENV_PREFIX + self.key.upper()


CONFIG = Option("config", values.path, "FILE", "read options from this TOML file", "Where", "path")

OPTIONS: tuple[Option, ...] = (
    Option("host", values.host, "HOST", "address to listen on", "Where"),
    Option("port", values.whole(0, 65535), "PORT", "port to listen on; 0 picks a free one", "Where"),
    Option("port_file", values.path, "FILE", "write the port here while serving", "Where", "path"),
    Option(
        "edition", values.words, "DATE", "the contract at this date, or an edition file (*.json)", "Contract"
    ),
    Option(
        "behavior",
        values.choice("documented", "observed"),
        "WHICH",
        "documented, or observed: what the live server was measured to do",
        "Contract",
    ),
    Option("default_model", values.words, "MODEL", "model of a request that names none", "Contract"),
    Option(
        "pure", values.switch, "", "send no header that the real server would not send", "Contract", "switch"
    ),
    Option(
        "keys",
        values.path,
        "FILE",
        "accept only the API keys of this file (and magic ones)",
        "Accounts",
        "path",
    ),
    Option("balance", values.money, "USD", "balance of a new account", "Accounts"),
    Option(
        "limits", values.choice("off", "real"), "WHICH", "off, or real: enforce the rate limits", "Accounts"
    ),
    Option(
        "store",
        values.store,
        "URL",
        "where accounts, ledgers, limits, clocks, rules, sessions and the journal's records are: memory://, or"
        " redis://HOST:PORT/DB, which many servers may share (?namespace=NAME keeps apart those that shall"
        " not); ids are not repeatable by --seed then",
        "Scale",
    ),
    Option(
        "workers",
        values.whole(1, 64),
        "N",
        "serve with N processes, which share a store and are one server to clients; pictures of the journal"
        " that are not small stay in the process that made them",
        "Scale",
    ),
    Option(
        "wallets",
        values.path,
        "FILE",
        "smart wallets, USDC on chain and failing settlements",
        "Wallets",
        "path",
    ),
    Option("pay_to_base", values.words, "ADDRESS", "receiver of top-ups on Base", "Wallets"),
    Option("pay_to_solana", values.words, "ADDRESS", "receiver of top-ups on Solana", "Wallets"),
    Option("fee_payer", values.words, "ADDRESS", "payer of Solana's fees", "Wallets"),
    Option(
        "engine",
        values.choice("paint", "fast"),
        "WHICH",
        "paint, or fast: a flat card of the right size",
        "Picture",
    ),
    Option("caption", values.switch, "", "the strip that tells a mock picture", "Picture", "switch"),
    Option("seed", values.whole(0, 2**63 - 1), "N", "makes ids, delays and pictures repeatable", "Picture"),
    Option(
        "fetch",
        values.fetch,
        "FROM",
        "where image URLs may point: none, loopback, public or HOST,...",
        "Requests",
        "list",
    ),
    Option("latency", values.latency, "TIME", "delay each edit: 800ms, 0.5s, 200ms..2s", "Requests"),
    Option(
        "max_inflight_pixels",
        values.whole(1, 2**53),
        "N",
        "requests wait while more pixels than this are being worked on",
        "Requests",
    ),
    Option(
        "max_inflight_bytes",
        values.size(1, 2**53),
        "SIZE",
        "bodies over 1 MiB are not read while others of this many bytes are held",
        "Requests",
    ),
    Option(
        "cache_bytes",
        values.size(0, 2**40),
        "SIZE",
        "memory for pictures that were made before, so that the same edit is not painted twice; 0 keeps none",
        "Requests",
    ),
    Option(
        "body_timeout", values.patience, "TIME", "give up on a body that is silent for so long", "Requests"
    ),
    Option(
        "trust_proxy",
        values.switch,
        "",
        "believe X-Forwarded-Host and X-Forwarded-Proto",
        "Requests",
        "switch",
    ),
    Option(
        "cors",
        values.origins,
        "ORIGIN,...",
        "whose web pages may use the API: off, * or origins; never the control plane",
        "Requests",
        "list",
    ),
    Option(
        "prompt_magic",
        values.switch,
        "",
        "obey [[mock:...]] in prompts, as X-Mock is obeyed",
        "Control",
        "switch",
    ),
    Option("control", values.switch, "", "the control plane under /__mock", "Control", "switch"),
    Option(
        "control_token",
        values.words,
        "TOKEN",
        "wanted in X-Mock-Token by /__mock; needed beyond loopback and with --trust-proxy",
        "Control",
    ),
    Option(
        "control_hosts",
        values.hosts,
        "HOST,...",
        "further names under which the control plane may be called",
        "Control",
        "list",
    ),
    Option(
        "journal_bytes",
        values.size(0, 2**40),
        "SIZE",
        "memory for the requests that /__mock/requests tells of; 0 keeps none",
        "Control",
    ),
    Option("log_format", values.choice("text", "json"), "WHICH", "text or json", "Logging"),
    Option(
        "log_level",
        values.choice("debug", "info", "warning", "error"),
        "LEVEL",
        "debug, info, warning or error",
        "Logging",
    ),
)


def load_settings(flags: Mapping[str, str | bool], environ: Mapping[str, str]) -> Settings:
    """Merge the sources and check every value, also those that a stronger source overrides.

    ``flags`` maps option keys (and ``config``) to what the command line said; absent keys were not given. An
    empty variable counts as unset. Paths in the file are relative to the file's folder.
    Raises SettingsError naming the source of the first thing that cannot be understood.
    """
    by_variable = {option.variable: option for option in (*OPTIONS, CONFIG)}
    variables = {name: text for name, text in environ.items() if name.startswith(ENV_PREFIX)}
    for name in sorted(set(variables) - set(by_variable)):
        # A name of somebody else's with our prefix is none of our business; one that is nearly ours is a typo.
        del variables[name]
        suffixes = [known.removeprefix(ENV_PREFIX) for known in by_variable]
        if difflib.get_close_matches(name.removeprefix(ENV_PREFIX), suffixes, cutoff=0.7):
            raise SettingsError(f"Unknown environment variable {name}.{_meant(name, by_variable)}")
    if variables.get(ENV_PREFIX + "PORT", "").startswith("tcp://"):
        del variables[ENV_PREFIX + "PORT"]  # Kubernetes describes a service of our name so

    from_flags = {
        option.key: _value(option, flags[option.key], option.flag)
        for option in (*OPTIONS, CONFIG)
        if option.key in flags
    }
    from_environment = {
        by_variable[name].key: _value(by_variable[name], text, name)
        for name, text in variables.items()
        if text
    }
    config = from_flags.pop("config", None) or from_environment.pop("config", None)
    from_environment.pop("config", None)
    from_file = {} if config is None else _read_file(Path(config))
    return Settings(**{**from_file, **from_environment, **from_flags})


def _read_file(file: Path) -> dict[str, Any]:
    import tomllib  # here, because few have such a file, and every start would load it

    try:
        table = tomllib.loads(file.read_text("utf-8"), parse_float=Decimal)
    except OSError as error:
        raise SettingsError(f"The settings file {file} cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"The settings file {file} is not UTF-8 text.") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"The settings file {file} is not valid TOML: {error}.") from error
    by_key = {option.key: option for option in OPTIONS}
    for key in table:
        if key not in by_key:
            raise SettingsError(f"Unknown key {key!r} in {file}.{_meant(key, by_key)}")
    return {key: _file_value(by_key[key], entry, file) for key, entry in table.items()}


def _file_value(option: Option, entry: object, file: Path) -> Any:
    found = value_of(option, entry, f"{file}, key {option.key!r}")
    if option.kind == "path":
        return file.parent / found
    if option.key == "edition" and str(entry).endswith(".json"):
        return str(file.parent / found)
    return found


def value_of(option: Option, entry: object, source: str) -> Any:
    """The value that ``entry``, a value of TOML or JSON, means. Raises SettingsError that begins with ``source``."""
    if option.kind == "switch":
        if type(entry) is not bool:
            raise SettingsError(f"{source}: expected true or false without quotes.")
        return entry
    if option.kind == "list" and isinstance(entry, list) and all(type(item) is str for item in entry):
        entry = ",".join(entry)
    if type(entry) in (int, float, Decimal):
        entry = str(entry)
    if type(entry) is not str:
        raise SettingsError(f"{source}: expected a text or a number.")
    return _value(option, entry, source)


def _value(option: Option, text: str | bool, source: str) -> Any:
    if isinstance(text, bool):
        return text
    try:
        return option.read(text)
    except ValueError as error:
        if option.key in _SECRET:  # what cannot be read may still hold a password
            raise SettingsError(f"{source}: {error}.") from error
        shown = text if len(text) <= 60 else text[:57] + "..."
        raise SettingsError(f"{source}: {error}, got {shown!r}.") from error


def _meant(name: str, known: Mapping[str, object]) -> str:
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return f" Did you mean {close[0]}?" if close else ""
