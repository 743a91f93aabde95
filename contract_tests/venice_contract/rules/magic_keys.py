"""Checks of the group ``control`` that are about a mock's keys: any word is an account, and some words are magic."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import strategies as st

from venice_contract.judging.callers import Key
from venice_contract.judging.check import check
from venice_contract.judging.expect import equal, error_text, expect
from venice_contract.judging.facts import Facts
from venice_contract.judging.probe import Probe
from venice_contract.rules.billing import BALANCE
from venice_contract.wire.message import Reply

_MAGIC = "mock_"
_PRINTABLE = "".join(map(chr, range(33, 127)))


def mock_headers(reply: Reply) -> list[str]:
    """The headers of an answer that only a mock sends."""
    return [name for name, _ in reply.headers if "mock" in name]


# --- ordinary words -----------------------------------------------------------------------------------------


def _words(_facts: Facts) -> st.SearchStrategy[str]:
    return st.text(_PRINTABLE, min_size=1, max_size=20).filter(lambda word: not word.startswith(_MAGIC))


@check("MOCK-KEY-001", witnesses=("any-word", "Mock_ok", "a/b?c=d&e#f%25", "mock"), strategy=_words, spends=1)
def any_word_is_an_account_of_its_own(probe: Probe, word: str) -> None:
    """Of two words that nobody used, each has what an account begins with, and only who edits pays."""
    fresh = probe.session(keys=None)
    begins = Decimal(str(fresh.steering.config()["balance"]))
    tokens = [f"{word}-{number}-{probe.random.getrandbits(64):016x}" for number in (1, 2)]
    editor, other = (Key(token) for token in tokens)
    fields = fresh.good()
    fresh.status(fresh.edit(fields, caller=editor), 200)
    equal(fresh.balance_of(editor), begins - probe.facts.price(fields), "the balance of who edited")
    equal(fresh.balance_of(other), begins, "the balance of another key")


@check("MOCK-KEY-001", witnesses=("", "two words"))
def what_is_no_word_is_no_key(probe: Probe, token: str) -> None:
    """401 for nothing and for a token with a space."""
    fresh = probe.session(keys=None)
    fresh.status(fresh.edit(fresh.good(), caller=Key(token, funded=False)), 401)


# --- accounts of a certain kind -----------------------------------------------------------------------------


@check("MOCK-KEY-002", spends=1)
def mock_ok_works(probe: Probe, _value: None) -> None:
    """One edit succeeds."""
    fresh = probe.session()
    fresh.status(fresh.edit(fresh.good(), caller=Key("mock_ok")), 200)


def _amounts(_facts: Facts) -> st.SearchStrategy[str]:
    micro = st.one_of(st.integers(0, 100_000), st.integers(0, 10**12))
    return micro.map(lambda amount: f"{Decimal(amount).scaleb(-6):f}")


@check("MOCK-KEY-003", witnesses=("0.05", "0", "7", "1234.000001"), strategy=_amounts)
def a_balance_key_has_its_dollars(probe: Probe, usd: str) -> None:
    """The account of mock_balance_X begins with X dollars."""
    equal(
        probe.session().balance_of(Key(f"mock_balance_{usd}")),
        Decimal(usd),
        f"the balance of mock_balance_{usd}",
    )


@check("MOCK-KEY-003", witnesses=("0.01", "0"), spends=1)
def a_balance_key_pays_while_it_can(probe: Probe, more: str) -> None:
    """With the price of one edit and a little more, one edit passes and the next is 402."""
    fresh = probe.session()
    fields = fresh.good()
    key = Key(f"mock_balance_{probe.facts.price(fields) + Decimal(more)}")
    fresh.status(fresh.edit(fields, caller=key), 200)
    fresh.status(fresh.edit(fields, caller=key), 402)
    equal(fresh.balance_of(key), Decimal(more), "what is left")


@check("MOCK-KEY-004")
def mock_insufficient_balance_has_no_credit(probe: Probe, _value: None) -> None:
    """402 with the text for want of credit, and 400 for a request that is not valid."""
    _refused_as(probe, "mock_insufficient_balance", "INSUFFICIENT_BALANCE")
    fresh = probe.session()
    fresh.status(fresh.edit(fresh.good(prompt=""), caller=Key("mock_insufficient_balance")), 400)


@check("MOCK-KEY-005")
def mock_spend_limit_has_reached_its_limit(probe: Probe, _value: None) -> None:
    """402 with the text for the limit in dollars, and 400 for a request that is not valid."""
    _refused_as(probe, "mock_spend_limit", "API_KEY_USD_SPEND_LIMIT_EXCEEDED")
    fresh = probe.session()
    fresh.status(fresh.edit(fresh.good(prompt=""), caller=Key("mock_spend_limit")), 400)


def _refused_as(probe: Probe, token: str, error: str) -> None:
    """The key's edit has status and text of that row of the error table."""
    fresh = probe.session()
    spec = probe.facts.edition.errors[error]
    reply = fresh.edit(fresh.good(), caller=Key(token), label=f"told to fail by {token}")
    equal(reply.status, spec.status, f"the status for {token}")
    equal(error_text(reply), spec.text, f"the text for {token}")


@check("MOCK-KEY-006", witnesses=("an edit", "an edit that is not valid", "billing"))
def mock_invalid_key_is_no_key(probe: Probe, kind: str) -> None:
    """401, whatever it asks for."""
    key = Key("mock_invalid_key", funded=False)
    if kind == "billing":
        reply = probe.get(BALANCE, caller=key)
    else:
        reply = probe.edit(probe.good() if kind == "an edit" else {}, caller=key)
    probe.status(reply, 401)


@check("MOCK-KEY-007")
def mock_inactive_is_of_an_inactive_subscription(probe: Probe, _value: None) -> None:
    """401 with the text of the table."""
    _refused_as(probe, "mock_inactive", "AUTHENTICATION_FAILED_INACTIVE_KEY")


@check("MOCK-KEY-008")
def mock_disabled_is_of_a_disabled_account(probe: Probe, _value: None) -> None:
    """403 with the text of the table."""
    _refused_as(probe, "mock_disabled", "API_ACCESS_DISABLED")


# --- words that are nearly magic ----------------------------------------------------------------------------

_NEARLY = (
    ("mock_insufficient_balnce", "mock_insufficient_balance"),
    ("mock_okay", "mock_ok"),
    ("mock_rate_limit", "mock_rate_limited"),
    ("mock_flaky_0", "mock_flaky_"),
    ("mock_balance_much", "mock_balance_"),
)


@check("MOCK-KEY-009", witnesses=_NEARLY)
def a_mistyped_magic_key_is_told_the_nearest(probe: Probe, value: tuple[str, str]) -> None:
    """401, and a header of the mock names the key that was meant."""
    token, meant = value
    told = probe.session(pure=False)
    reply = told.status(told.edit(told.good(), caller=Key(token, funded=False)), 401)
    hints = [text for name, text in reply.headers if "mock" in name]
    expect(any(meant in text for text in hints), f"no header of the mock names {meant} for {token}: {hints}")


@check("MOCK-KEY-009")
def a_pure_mock_says_nothing_of_keys(probe: Probe, _value: None) -> None:
    """401 and no header that the real server lacks."""
    pure = probe.session(pure=True)
    reply = pure.status(pure.edit(pure.good(), caller=Key(_NEARLY[0][0], funded=False)), 401)
    equal(mock_headers(reply), [], "the list of headers of the mock")


# --- keys that order faults ---------------------------------------------------------------------------------

_FAULTS = (
    ("mock_rate_limited", "RATE_LIMIT_EXCEEDED"),
    ("mock_overloaded", "MODEL_OVERLOADED"),
    ("mock_at_capacity", "MODEL_AT_CAPACITY"),
    ("mock_offline", "MODEL_OFFLINE"),
    ("mock_edit_error", "IMAGE_EDIT_ERROR"),
    ("mock_timeout", "REQUEST_TIMEOUT"),
)


@check("MOCK-KEY-010", witnesses=_FAULTS)
def a_fault_key_gives_the_error_that_it_names(probe: Probe, value: tuple[str, str]) -> None:
    """Status and text of the table."""
    _refused_as(probe, *value)


@check("MOCK-KEY-010", witnesses=(3, 1), strategy=lambda _facts: st.integers(1, 6), spends=1)
def a_flaky_key_works_at_last(probe: Probe, number: int) -> None:
    """The Nth edit is the first that succeeds, and 500 comes before it."""
    fresh = probe.session()
    key = Key(f"mock_flaky_{number}")
    for attempt in range(1, number + 1):
        reply = fresh.edit(fresh.good(), caller=key, label=f"told to fail by {key.token}")
        wanted = 200 if attempt == number else 500
        equal(reply.status, wanted, f"the status of attempt {attempt} with mock_flaky_{number}")
