"""How verdicts, costs, amounts, times and foreign text are written, the same in every report. No layout here."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from typing import Any

from venice_contract.running.profiles import PROFILES
from venice_contract.running.results import RunResult, Verdict

# The order in which people want to read: what is wrong, what nobody knows, what is merely noted, what is well.
READING_ORDER = (
    Verdict.FAIL, Verdict.STALE, Verdict.HARNESS, Verdict.MASKED, Verdict.UNTESTED_CREDENTIAL,
    Verdict.UNTESTED_COST, Verdict.WARN, Verdict.XFAIL, Verdict.OBSERVED, Verdict.PASS, Verdict.NA,
)  # fmt: skip
MEANINGS = {
    Verdict.FAIL: "the server breaks a rule that it must keep",
    Verdict.STALE: "listed as a deviation, but the server keeps the rule: take it off the list",
    Verdict.HARNESS: "the suite itself failed, or did not come to it, so nothing is known",
    Verdict.MASKED: "a 402, 503 or twice a 429 came first, so nothing is known",
    Verdict.UNTESTED_CREDENTIAL: "no credential was given that could show it",
    Verdict.UNTESTED_COST: "showing it would cost more than this run may spend",
    Verdict.WARN: "it should hold and does not; nobody promised it",
    Verdict.XFAIL: "it fails, and the list of deviations says so",
    Verdict.OBSERVED: "seen and noted, not judged",
    Verdict.PASS: "it held in every case",
    Verdict.NA: "nothing in this run can show it",
}
COSTS = {
    "free": "free, without credentials",
    "free-wallet": "free, with an unfunded wallet or a key without credit",
    "free-refusal": "free if refusals are free",
    "paid": "paid: an edit succeeds",
    "mock": "only a mock that can be steered shows it",
}  # of trying a rule
_STATES = {0: "Conforming", 1: "Not conforming", 2: "Not judged", 3: "Incomplete", 4: "Not judged"}
_CAREFUL = frozenset(name for name, profile in PROFILES.items() if profile.careful)
_STALE = "Stale deviations"  # exit code 1 as well, but the server has broken nothing


def state(result: RunResult) -> str:
    """The run in one or two words. A run that left required rules unseen is never called conforming."""
    counts = result.counts
    if result.exit_code == 1 and not counts[Verdict.FAIL]:
        return _STALE
    return _STATES[result.exit_code]


def conclusion(result: RunResult) -> str:
    """What stands below ``state``: the run in one sentence that does not say it again."""
    sentence = result.conclusion.removeprefix(state(result)).lstrip(":. ")
    if not sentence:
        counts = result.counts
        passed, observed = counts[Verdict.PASS], counts[Verdict.OBSERVED]
        sentence = f"{count(passed, 'rule')} passed{f', {observed} observed' if observed else ''}."
    return sentence[:1].upper() + sentence[1:]


def count(number: int, noun: str, plural: str = "") -> str:
    """``1 rule``, ``1,204 rules``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def dollars(amount: Decimal) -> str:
    """USD with two decimals, or as many as it takes."""
    text = f"{amount.normalize():f}"
    whole, _, cents = text.partition(".")
    return f"${whole}.{cents.ljust(2, '0')}"


def spending(result: RunResult) -> str:
    """What was spent, and of how much. Profiles that may meet another machine are careful; the others play."""
    of = "" if result.budget is None else f" of {dollars(result.budget)}"
    if result.profile in _CAREFUL:
        return f"{dollars(result.spent)}{of} spent"
    if not result.spent:
        return "nothing spent"
    return f"nothing spent (it would have cost {dollars(result.spent)}{of} on the paid server)"


def duration(seconds: float) -> str:
    """A time as people say it: ``38 ms``, ``4.2 s``, ``2 min 05 s``, ``1 h 02 min``."""
    if seconds < 0.9995:
        return f"{max(seconds, 0) * 1000:.0f} ms"
    if seconds < 59.5:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"


def size(length: int) -> str:
    """A number of bytes: ``1 byte``, ``812 bytes``, ``12.3 kB``, ``4.1 MB``."""
    if length < 1000:
        return count(length, "byte")
    return f"{length / 1000:,.1f} kB" if length < 999_950 else f"{length / 1_000_000:,.1f} MB"


def visible(text: str, keep: str = "\n\t") -> str:
    """The text with everything that could act instead of being read (escapes, bidi marks, lone surrogates)
    written as ``\\x1b`` or ``\\u202e``; ``keep`` stays. Where lines are kept, CR LF is one line's end."""
    if text.isprintable():
        return text
    if "\n" in keep:
        text = text.replace("\r\n", "\n")
    return "".join(c if c.isprintable() or c in keep else _escaped(c) for c in text)


def one_line(text: str) -> str:
    """The text on one line, safe to show."""
    return visible(" ".join(text.split()), "")


def shortened(text: str, most: int) -> str:
    """The beginning of a text, and how much is missing, where it is longer than ``most`` characters."""
    return text if len(text) <= most else f"{text[:most]}… ({len(text) - most:,} more characters)"


def value_text(value: Any, most: int = 400) -> str:
    """A case's value as one line of JSON; empty for a check that takes none."""
    if value is None:
        return ""
    return shortened(visible(json.dumps(plain(value), ensure_ascii=False), ""), most)


def plain(value: Any) -> Any:
    """Any value as JSON that every reader accepts: no NaN, no keys but strings, odd objects as their text."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, dict):
        return {str(key): plain(member) for key, member in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(member) for member in value]
    return str(value)


def check_name(check: str) -> str:
    """``EDIT-IMG-014/a_large_one_is_refused`` as ``a large one is refused``."""
    return one_line(check.rpartition("/")[2].replace("_", " "))


def _escaped(char: str) -> str:
    point = ord(char)
    return f"\\x{point:02x}" if point < 0x100 else f"\\u{point:04x}" if point < 0x10000 else f"\\U{point:08x}"
