"""API keys: which account a token opens and in what state. Magic keys are a table; nothing here keeps state."""

from __future__ import annotations

import difflib
import hashlib
import json
import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from venice_mock.accounts.faults import FAULTS, read_fault
from venice_mock.accounts.steering import AS_USUAL, Steering

Status = Literal["active", "inactive", "disabled", "invalid"]
_STATUSES: tuple[Status, ...] = ("active", "inactive", "disabled", "invalid")
_MAGIC_PREFIX = "mock_"
_MONEY = re.compile(r"[0-9]{1,12}(\.[0-9]{1,6})?")
_ANY = "*"
_ACCOUNT_ID = re.compile("key-[0-9a-f]{24}")
_SHOWN = 4  # characters of a key
_MOST_KEPT = 1000  # ours: answers to magic keys that name a number
_SECRET_FROM = 12  # ours: of a shorter key four characters would be too much


class Opening(msgspec.Struct, frozen=True):
    """How an account starts: USD balance, USD spend limit of the key (None: none), and the state of the key."""

    balance: Decimal
    spend_limit: Decimal | None = None
    status: Status = "active"


class KeyAnswer(msgspec.Struct, frozen=True):
    """What a token opens. ``cause`` names the magic key that decided; ``hint`` helps who mistyped one.

    ``steering`` is what the magic key orders.
    """

    account: str
    opening: Opening
    cause: str | None = None
    hint: str | None = None
    steering: Steering = AS_USUAL

    @property
    def opens_nothing(self) -> bool:
        """Whether there is no account behind the token, whatever was there under another config."""
        return self.hint is not None


class MagicKey(msgspec.Struct, frozen=True):
    """One row of the table. ``error``: the vendor's name of what it leads to, whether by ``opening`` or to order."""

    text: str
    error: str | None = None
    opening: Opening | None = None
    steering: Steering = AS_USUAL


def _orders(text: str, error: str, *, ends: bool = False) -> MagicKey:
    return MagicKey(text, error, steering=Steering(error=error, ends=ends))


_MAGIC: Mapping[str, MagicKey] = {
    "mock_ok": MagicKey("an ordinary account"),
    "mock_insufficient_balance": MagicKey(
        "402: the account is empty", "INSUFFICIENT_BALANCE", Opening(Decimal(0))
    ),
    "mock_spend_limit": MagicKey(
        "402: the key has reached its spend limit",
        "API_KEY_USD_SPEND_LIMIT_EXCEEDED",
        Opening(Decimal(100), spend_limit=Decimal(0)),
    ),
    "mock_invalid_key": MagicKey(
        "401: no such key", "AUTHENTICATION_FAILED", Opening(Decimal(0), status="invalid")
    ),
    "mock_inactive": MagicKey(
        "401: the subscription is inactive",
        "AUTHENTICATION_FAILED_INACTIVE_KEY",
        Opening(Decimal(100), status="inactive"),
    ),
    "mock_disabled": MagicKey(
        "403: API access is disabled", "API_ACCESS_DISABLED", Opening(Decimal(100), status="disabled")
    ),
    "mock_rate_limited": _orders(
        "429 until the time in Retry-After is over by the mock's clock; ten seconds later it begins again",
        "RATE_LIMIT_EXCEEDED",
        ends=True,
    ),
    "mock_overloaded": _orders("429: the model is overloaded, Retry-After: 30", "MODEL_OVERLOADED"),
    "mock_at_capacity": _orders("503: the model is at capacity, nothing charged", "MODEL_AT_CAPACITY"),
    "mock_offline": _orders("503: the model is offline, nothing charged", "MODEL_OFFLINE"),
    "mock_edit_error": _orders("500: the edit failed, nothing charged", "IMAGE_EDIT_ERROR"),
    "mock_timeout": _orders("504: the edit took too long, nothing charged", "REQUEST_TIMEOUT"),
    **{
        _MAGIC_PREFIX + kind: MagicKey(row.alone, steering=Steering(fault=read_fault(kind)))
        for kind, row in FAULTS.items()
    },
}
_BALANCE_STEM = "mock_balance_"
_FLAKY_STEM = "mock_flaky_"
_FLAKY = re.compile(r"[1-9][0-9]{0,3}")
_FLAKY_ERROR = "IMAGE_EDIT_ERROR"


def magic_keys() -> dict[str, str]:
    """Every magic key with what it does, for help texts and documentation. ``X`` and ``N`` stand for numbers."""
    return {
        **{name: key.text for name, key in _MAGIC.items()},
        _BALANCE_STEM + "X": "an account that starts with X dollars, e.g. mock_balance_0.05",
        _FLAKY_STEM
        + "N": "works from the Nth edit on, 500 before that; valid requests count, to each key its own",
    }


def error_aliases() -> dict[str, str]:
    """Short name of an error -> its name in the vendor's table: the magic keys without their beginning."""
    return {
        name.removeprefix(_MAGIC_PREFIX): key.error for name, key in _MAGIC.items() if key.error is not None
    }


class KeyRing:
    """Answers for tokens: magic keys first, then the keys file if there is one, else any token is an account."""

    def __init__(self, default: Opening, listed: Mapping[str, Opening] | None = None) -> None:
        self._default = default
        self._listed = listed
        self._magic_answers: dict[str, KeyAnswer] = {}

    def answer(self, token: str) -> KeyAnswer:
        """What ``token`` (without ``Bearer``) opens. Never raises: an unusable token has the status ``invalid``."""
        known = self._magic_answers.get(token)
        if known is not None:
            return known
        answer = self._answer(token)
        # Others may be secrets, which are not kept.
        if answer.cause is not None and len(self._magic_answers) < _MOST_KEPT:
            self._magic_answers[token] = answer
        return answer

    def _answer(self, token: str) -> KeyAnswer:
        account = account_id(token)
        invalid = Opening(Decimal(0), status="invalid")
        if token.split() != [
            token
        ]:  # asked of every request: many times faster than to look at each character
            return KeyAnswer(account, invalid, hint="A key is one word: Authorization: Bearer mock_ok")
        listed = self._listed_as(token, account)
        if listed is not None:
            return KeyAnswer(account, listed)
        if token.startswith(_MAGIC_PREFIX):
            return self._magic(token, account, invalid)
        if self._listed is not None:
            fallback = self._listed.get(_ANY)
            hint = None if fallback else "Neither the keys file nor the session's config lists this key."
            return KeyAnswer(account, fallback or invalid, hint=hint)
        return KeyAnswer(account, self._default)

    def lists(self, token: str) -> bool:
        """Whether just this token was named as a key."""
        return self._listed_as(token, account_id(token)) is not None

    def _listed_as(self, token: str, account: str) -> Opening | None:
        if self._listed is None:
            return None
        by_itself = None if is_account_id(token) else self._listed.get(token)
        return by_itself or self._listed.get(account)

    def _magic(self, token: str, account: str, invalid: Opening) -> KeyAnswer:
        cause = f"key:{token}"
        if token in _MAGIC:
            key = _MAGIC[token]
            return KeyAnswer(
                account, key.opening or self._default, cause, steering=replace(key.steering, cause=cause)
            )
        if token.startswith(_BALANCE_STEM):
            amount = _money(token.removeprefix(_BALANCE_STEM))
            if amount is not None:
                return KeyAnswer(account, Opening(amount), cause)
        if token.startswith(_FLAKY_STEM) and _FLAKY.fullmatch(number := token.removeprefix(_FLAKY_STEM)):
            order = Steering(error=_FLAKY_ERROR, times=int(number) - 1, cause=cause)
            return KeyAnswer(account, self._default, cause, steering=order)
        known = [*_MAGIC, _BALANCE_STEM + "0.05", _FLAKY_STEM + "3"]
        near = difflib.get_close_matches(token, known, n=3, cutoff=0.5) or known[:1]
        return KeyAnswer(account, invalid, hint=f"No such magic key. Nearest: {', '.join(near)}")


def account_id(token: str) -> str:
    """A name for the token's account that does not give the token away."""
    return "key-" + hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()[:24]


def is_account_id(text: str) -> bool:
    """Whether this is such a name. Listed, it stands for the token that it was made from, and is none itself."""
    return _ACCOUNT_ID.fullmatch(text) is not None


def last_characters(token: str) -> str | None:
    """What may be shown of a key: its last four characters, and nothing of one that is short."""
    return token[-_SHOWN:] if len(token) >= _SECRET_FROM else None


def _toml(text: str) -> dict[str, Any]:
    import tomllib  # here, because few have such a file, and every start would load it

    return tomllib.loads(text)


def load_keys(path: Path) -> dict[str, Opening]:
    """Read a keys file, JSON or TOML: ``{KEY: {"balance_usd": "5", "spend_limit_usd": "1", "status": "active"}}``.

    The key ``*`` stands for every other token. Raises ValueError with a sentence that names file and key.
    """
    try:
        text = path.read_text("utf-8")
        raw: Any = _toml(text) if path.suffix == ".toml" else json.loads(text)
    except (OSError, ValueError) as error:
        raise ValueError(f"The keys file {path} cannot be read: {error}") from error
    if not isinstance(raw, dict):
        raise ValueError(f"The keys file {path} must hold an object of keys.")  # noqa: TRY004 - a user's file
    where = f"The keys file {path}"
    return {key: read_opening(where, number, entry) for number, (key, entry) in enumerate(raw.items(), 1)}


def read_opening(where: str, number: int, entry: Any) -> Opening:
    """One entry of listed keys. Raises ValueError that names it by its place: keys are secrets."""
    where = f"{where}, entry {number}"
    if not isinstance(entry, dict) or (
        unknown := entry.keys() - {"balance_usd", "spend_limit_usd", "status"}
    ):
        extra = f": unknown {', '.join(sorted(unknown))}" if isinstance(entry, dict) else ""
        raise ValueError(f"{where}: expected balance_usd, spend_limit_usd, status{extra}.")
    status = entry.get("status", "active")
    balance = _money(str(entry.get("balance_usd", "100")))
    limit = None if entry.get("spend_limit_usd") is None else _money(str(entry["spend_limit_usd"]))
    if status not in _STATUSES:
        raise ValueError(f"{where}: status is one of {', '.join(_STATUSES)}.")
    if balance is None or (limit is None and entry.get("spend_limit_usd") is not None):
        raise ValueError(f"{where}: amounts are non-negative decimal numbers of dollars.")
    return Opening(balance, limit, status)


def _money(text: str) -> Decimal | None:
    # Six decimals, as money has on the wire: sums of such amounts stay exact and short.
    return Decimal(text) if _MONEY.fullmatch(text) else None
