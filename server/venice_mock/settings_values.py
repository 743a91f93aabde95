"""Text of a flag, variable or file entry -> one checked value, or ValueError saying what was expected."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

from venice_mock.settings_types import IN_PROCESS, Latency

Reader = Callable[[str], object]

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s)", re.ASCII)
_MONEY = re.compile(r"\d{1,9}(?:\.\d{1,6})?", re.ASCII)
_SIZE = re.compile(r"(\d{1,4}(?:_?\d{1,4}){0,5})\s*([kmg]i?b)?", re.ASCII | re.IGNORECASE)
_UNITS = {"": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30}
_HOST_NAME = re.compile(
    r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*", re.ASCII
)
_STORE = re.compile(
    r"rediss?://([^\s/@]*@)?([^\s/@:?#\[\]]+|\[[0-9a-fA-F:]+\])(:\d{1,5})?(/\d{0,4})?", re.ASCII
)
_MOST_PORT = 65535
_LONGEST_DELAY_S = Decimal(600)
_SWITCH = {
    "1": True,
    "true": True,
    "yes": True,
    "on": True,
    "0": False,
    "false": False,
    "no": False,
    "off": False,
}


def whole(low: int, high: int) -> Reader:
    """Whole numbers of ``low..high``; digits may be grouped with ``_``."""

    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = low - 1
        if not low <= number <= high:
            raise ValueError(f"expected a whole number from {low} to {high}")
        return number

    return read


def size(low: int, high: int) -> Reader:
    """Bytes, ``low..high``: a whole number, alone or with kB, MB, GB, KiB, MiB or GiB in any case."""

    def read(text: str) -> int:
        match = _SIZE.fullmatch(text.strip())
        number = low - 1 if match is None else int(match[1]) * _UNITS[(match[2] or "").lower()]
        if not low <= number <= high:
            raise ValueError(
                f"expected a whole number of bytes from {low} to {high}, or one with kB, MB, GB, KiB, MiB or GiB,"
                " such as 64MiB"
            )
        return number

    return read


def size_text(number: int) -> str:
    """Bytes as ``size`` reads them, in the largest unit that leaves a whole number."""
    unit = (
        max((each for each in _UNITS if number % _UNITS[each] == 0), key=_UNITS.__getitem__) if number else ""
    )
    return f"{number // _UNITS[unit]}{unit.upper().replace('KB', 'kB').replace('I', 'i')}"


def choice(*allowed: str) -> Reader:
    """One word of a closed list, in lower case."""

    def read(text: str) -> str:
        if text not in allowed:
            raise ValueError(f"expected {', '.join(allowed[:-1])} or {allowed[-1]}")
        return text

    return read


def switch(text: str) -> bool:
    """``true``/``false`` and their usual spellings, in any case."""
    try:
        return _SWITCH[text.strip().lower()]
    except KeyError:
        raise ValueError("expected true or false") from None


def words(text: str) -> str:
    """Any text that is not blank."""
    if not text.strip():
        raise ValueError("expected a name")
    return text.strip()


def path(text: str) -> Path:
    """A path, with a leading ``~`` expanded. Whether it exists is for its user to find out."""
    if not text.strip():
        raise ValueError("expected a path")
    try:
        return Path(text).expanduser()
    except RuntimeError:  # ~somebody who is no user here
        raise ValueError("expected a path") from None


def host(text: str) -> str:
    """A host name or an IP address; IPv6 with or without brackets."""
    bare = text.strip().removeprefix("[").removesuffix("]").lower()
    if not _is_host(bare):
        raise ValueError("expected a host name or an IP address, without scheme and port")
    return bare


def money(text: str) -> Decimal:
    """US dollars with at most six decimals, exactly."""
    if not _MONEY.fullmatch(text):
        raise ValueError("expected US dollars with at most six decimals, such as 100 or 4.23")
    return Decimal(text)


def fetch(text: str) -> tuple[str, ...]:
    """``none``, or a comma-separated list of ``loopback``, ``public`` and host names."""
    sources = tuple(dict.fromkeys(part.strip().lower() for part in text.split(",") if part.strip()))
    if not sources or ("none" in sources and len(sources) > 1) or not all(_is_place(s) for s in sources):
        raise ValueError("expected none, loopback, public or host names (not URLs), separated by commas")
    return sources


def hosts(text: str) -> tuple[str, ...]:
    """A comma-separated list of host names, each with or without a port."""
    names = tuple(dict.fromkeys(part.strip().lower() for part in text.split(",") if part.strip()))
    if not names or not all(_is_place(name) for name in names):
        raise ValueError("expected host names, separated by commas")
    return names


def origins(text: str) -> tuple[str, ...]:
    """``off``, ``*``, or a comma-separated list of origins as browsers send them: ``http://localhost:3000``."""
    listed = tuple(dict.fromkeys(part.strip().lower() for part in text.split(",") if part.strip()))
    if listed == ("off",):
        return ()
    if not listed or (listed != ("*",) and not all(map(_is_origin, listed))):
        raise ValueError("expected off, * or origins such as http://localhost:3000, separated by commas")
    return listed


def store(text: str) -> str:
    """``memory://``, or the address of a Redis or Valkey server: ``redis://host:port/db?namespace=NAME``."""
    address, _, query = text.partition("?")
    named = re.fullmatch("namespace=[A-Za-z0-9._-]{1,64}", query) is not None
    parts = _STORE.fullmatch(address)
    reachable = parts is not None and int((parts[3] or ":0")[1:]) <= _MOST_PORT
    if text == IN_PROCESS or (reachable and (named or "?" not in text)):
        return text
    raise ValueError(
        "expected memory:// or redis://host:port/db, rediss:// with TLS, ?namespace=NAME at most"
    )


def latency(text: str) -> Latency:
    """A duration or a range of two: ``800ms``, ``0.5s``, ``200ms..2s``. Seconds in the result."""
    low, dots, high = text.partition("..")
    try:
        value = Latency(_seconds(low), _seconds(high if dots else low))
    except ValueError:
        value = Latency(1.0, 0.0)
    if value.low > value.high:
        raise ValueError("expected a time such as 800ms, 0.5s or 200ms..2s, at most 600s")
    return value


def patience(text: str) -> float:
    """A duration above zero, in seconds."""
    try:
        value = _seconds(text)
    except ValueError:
        value = 0.0
    if value <= 0:
        raise ValueError("expected a time such as 30s or 500ms, at most 600s")
    return value


def _seconds(text: str) -> float:
    text = text.strip()
    if text == "0":
        return 0.0
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(text)
    seconds = Decimal(match[1]) / (1000 if match[2] == "ms" else 1)
    if seconds > _LONGEST_DELAY_S:
        raise ValueError(text)
    return float(seconds)


def _is_place(text: str) -> bool:
    """A host, or HOST:PORT; IPv6 in brackets where a port follows."""
    name, colon, port = text.rpartition(":")
    if text.startswith("["):
        bare, _, port = text[1:].partition("]")
        return _is_host(bare) and (not port or _is_port(port.removeprefix(":")))
    return _is_host(text) or (bool(colon) and _is_host(name) and _is_port(port))


def _is_origin(text: str) -> bool:
    scheme, _, place = text.partition("://")
    return scheme in ("http", "https") and _is_place(place)


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdecimal() and 0 < int(text) < 65536


def _is_host(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return _HOST_NAME.fullmatch(text) is not None
    return True
