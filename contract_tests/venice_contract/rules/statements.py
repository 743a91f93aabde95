"""Checks of the group ``x402`` that are about what a wallet may read of itself: its balance and its transactions.

That the rows add up whatever a wallet does is in ``ledgers``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from hypothesis import strategies as st

from venice_contract.judging.callers import Caller, WalletCaller
from venice_contract.judging.check import check
from venice_contract.judging.expect import (
    NotApplicable,
    at,
    equal,
    error_text,
    expect,
    json_of,
    list_at,
    number_at,
    object_at,
    text_at,
)
from venice_contract.judging.facts import Facts
from venice_contract.judging.probe import NOBODY, Probe
from venice_contract.wire.message import Headers, Reply
from venice_contract.wire.target import API

_MICRO = Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class _Forger:
    """Signs in for a wallet with one bit of the signature turned over."""

    true: WalletCaller
    funded: bool = False

    def headers(self, path: str, *, now: float, domain: str, uri: str) -> Headers:  # noqa: ARG002 - the protocol's
        from venice_contract.wallets import good_sign_in

        nonce = f"{self.true.random.getrandbits(128):032x}"
        signed = good_sign_in(self.true.wallet, domain=domain, uri=uri, now=now, nonce=nonce)
        return ((self.true.header, replace(signed, flipped_bit=77).header(self.true.wallet)),)


def balance_path(facts: Facts, address: str) -> str:
    """Where a wallet reads its balance, below the API's base."""
    return f"{facts.edition.x402.statements.balance_path.removeprefix(API)}/{address}"


def transactions_path(facts: Facts, address: str, **query: object) -> str:
    """Where a wallet reads its transactions, below the API's base."""
    path = f"{facts.edition.x402.statements.transactions_path.removeprefix(API)}/{address}"
    return f"{path}?{urlencode(query)}" if query else path


def read_balance(probe: Probe, who: WalletCaller) -> Any:
    """The decoded answer to a wallet that reads its own balance."""
    reply = probe.get(balance_path(probe.facts, who.wallet.address), caller=who)
    return json_of(probe.status(reply, 200))


def read_page(probe: Probe, who: WalletCaller, **query: object) -> Any:
    """The decoded answer to a wallet that reads its own transactions."""
    reply = probe.get(transactions_path(probe.facts, who.wallet.address, **query), caller=who)
    return json_of(probe.status(reply, 200))


def dollars_at(value: Any, *path: str | int) -> Decimal:
    """An amount of dollars, exact as it was written."""
    return Decimal(str(number_at(value, *path)))


# --- the balance --------------------------------------------------------------------------------------------


@check("X402-BAL-001", witnesses=("evm", "solana"))
def a_fresh_wallet_reads_that_it_has_nothing(probe: Probe, kind: str) -> None:
    """All five members, with 0 and false."""
    who = probe.wallet(kind)
    data = _told_of_balance(read_balance(probe, who))
    address = text_at(data, "walletAddress")
    equal(address.lower(), who.wallet.address.lower(), "walletAddress")
    equal(data["balanceUsd"], 0, "balanceUsd of a fresh wallet")
    equal(data["canConsume"], False, "canConsume of a fresh wallet")


@check("X402-BAL-001", witnesses=("4.23", "0.000001", "12"))
def a_wallet_reads_what_it_has(probe: Probe, usd: str) -> None:
    """The balance is that of its account, to the micro-dollar."""
    probe.steering  # noqa: B018 - elsewhere no wallet has a balance that is known
    data = _told_of_balance(read_balance(probe, probe.funded_wallet(usd)))
    equal(dollars_at(data, "balanceUsd"), Decimal(usd), "balanceUsd")


def _told_of_balance(body: Any) -> dict[str, Any]:
    equal(at(body, "success"), True, "success")
    data = object_at(body, "data")
    for name in ("balanceUsd", "minimumTopUpUsd", "suggestedTopUpUsd"):
        number_at(data, name)
    expect(isinstance(at(data, "canConsume"), bool), f"canConsume is {data['canConsume']!r}")
    text_at(data, "walletAddress")
    return data


@check("X402-BAL-002", witnesses=("nobody", "a forger", "another wallet", "a malformed address"))
def a_balance_is_its_owners_alone(probe: Probe, who: str) -> None:
    """402 without a sign-in, 401 with a bad one, 403 for another wallet, 400 for what is no address."""
    reply = _asked_as(probe, who, lambda address: balance_path(probe.facts, address))
    if who == "nobody":
        equal(at(json_of(reply), "accepts"), [], "accepts, where nothing is sold")


def _asked_as(probe: Probe, who: str, path_of: Any) -> Reply:
    owner = probe.wallet()
    address = owner.wallet.address
    ways: dict[str, tuple[Caller, int]] = {
        "nobody": (NOBODY, 402),
        "a forger": (_Forger(owner), 401),
        "another wallet": (probe.wallet(), 403),
        "a malformed address": (owner, 400),
    }
    caller, status = ways[who]
    if who == "a malformed address":
        address = address[:-1]
    return probe.status(probe.get(path_of(address), caller=caller), status)


@check("X402-BAL-003", witnesses=("lower", "mixed", "upper"))
def letters_of_an_address_are_recorded(probe: Probe, spelling: str) -> None:
    """The mock takes every spelling and answers in lower case."""
    who = probe.wallet()
    digits = who.wallet.address.removeprefix("0x")
    spelt = "0x" + {"lower": digits.lower(), "mixed": digits, "upper": digits.upper()}[spelling]
    reply = probe.unmasked(probe.get(balance_path(probe.facts, spelt), caller=who))
    expect(reply.status < 500, f"an address in {spelling} case is answered {reply.status}")
    if reply.status != 200:
        expect(not probe.steerable, f"an address in {spelling} case is answered {reply.status}")
        probe.note(f"an address in {spelling} case is answered {reply.status}")
        return
    told = text_at(json_of(reply), "data", "walletAddress")
    probe.note(f"walletAddress comes in {'lower' if told == told.lower() else 'mixed'} case")
    if probe.steerable:
        equal(told, who.wallet.address.lower(), "walletAddress")


def _micro_dollars(facts: Facts) -> st.SearchStrategy[str]:
    floor = int(facts.edition.x402.floor_usd * _MICRO)
    near = st.integers(-3, 3).map(lambda off: floor + off)
    return st.one_of(near, st.integers(0, 10 * floor)).map(lambda micro: f"{Decimal(micro) / _MICRO:f}")


@check(
    "X402-BAL-004",
    witnesses=("0", "0.099999", "0.1", "0.09", "0.100001", "25"),
    strategy=_micro_dollars,
)
def a_wallet_may_consume_from_the_floor_up(probe: Probe, usd: str) -> None:
    """canConsume is true exactly where the balance reaches the floor or there is DIEM."""
    if Decimal(usd) and not probe.steerable:
        raise NotApplicable("no wallet has a balance that is known")
    who = probe.funded_wallet(usd, "solana") if Decimal(usd) else probe.wallet("solana")
    data = object_at(read_balance(probe, who), "data")
    floor = probe.facts.edition.x402.floor_usd
    has_diem = "diemBalanceUsd" in data and dollars_at(data, "diemBalanceUsd") > 0
    equal(at(data, "canConsume"), Decimal(usd) >= floor or has_diem, f"canConsume of a wallet with {usd} USD")


@check("X402-BAL-005")
def balances_are_limited_by_the_minute(probe: Probe, _value: None) -> None:
    """The last request within the limit is served, the next refused; another wallet and the next minute are free."""
    limit = probe.facts.edition.x402.statements.balance_per_minute
    _limited(probe, limit, lambda who: balance_path(probe.facts, who.wallet.address))


def _limited(probe: Probe, limit: int, path_of: Any) -> None:
    limited = probe.session(limits="real")
    limited.freeze(float(int(limited.now())))
    who = limited.wallet("solana")

    def status_of(caller: WalletCaller) -> int:
        return limited.get(path_of(caller), caller=caller).status

    for number in range(1, limit + 1):
        equal(status_of(who), 200, f"the status of request {number} within a minute")
    equal(status_of(who), 429, f"the status of request {limit + 1} within a minute")
    equal(status_of(limited.wallet("solana")), 200, "the status of another wallet's first request")
    limited.advance(61)
    equal(status_of(who), 200, "the status of a request in the next minute")


@check("X402-BAL-006")
def who_asks_without_a_sign_in_is_challenged(probe: Probe, _value: None) -> None:
    """The 402 tells what to sign and on which chains."""
    reply = probe.status(probe.get(balance_path(probe.facts, probe.wallet().wallet.address)), 402)
    challenge = object_at(json_of(reply), "extensions", "sign-in-with-x")
    for name in ("domain", "uri", "version", "nonce", "issuedAt"):
        text_at(challenge, "info", name)
    chains = list_at(challenge, "supportedChains")
    expect(bool(chains), "supportedChains is empty")
    for number, _ in enumerate(chains):
        text_at(challenge, "supportedChains", number, "chainId")
        text_at(challenge, "supportedChains", number, "type")


# --- the transactions ---------------------------------------------------------------------------------------

_QUERIES: tuple[dict[str, str], ...] = (
    {"limit": "101"}, {}, {"limit": "0"}, {"limit": "1"}, {"limit": "100"}, {"limit": "-1"}, {"limit": "abc"},
    {"offset": "0"}, {"offset": "-1"}, {"offset": "abc"}, {"limit": "7", "offset": "3"},
)  # fmt: skip


def _queries(_facts: Facts) -> st.SearchStrategy[dict[str, str]]:
    numbers = st.one_of(st.integers(-2, 3), st.integers(97, 104), st.integers(-1000, 1000)).map(str)
    words = st.text("abcdefgh", min_size=1, max_size=5)
    return st.fixed_dictionaries({}, optional={"limit": numbers | words, "offset": numbers | words})


@check("X402-TXN-001", witnesses=_QUERIES, strategy=_queries)
def a_page_is_asked_for_by_limit_and_offset(probe: Probe, query: Mapping[str, str]) -> None:
    """Numbers in their range are obeyed and everything else is refused with 400."""
    facts = probe.facts.edition.x402.statements
    who = probe.wallet("solana")
    reply = probe.get(transactions_path(probe.facts, who.wallet.address, **query), caller=who)
    limit, offset = query.get("limit", str(facts.page_default)), query.get("offset", "0")
    if not (_within(limit, 1, facts.page_max) and _within(offset, 0, None)):
        probe.refused(reply, 400)
        return
    pagination = json_of(probe.status(reply, 200)).get("data", {}).get("pagination", {})
    for name, wanted in (("limit", limit), ("offset", offset)):
        if name in pagination:  # that it is told at all is another rule
            equal(pagination[name], int(wanted), f"{name} of the page")


def _within(text: str, least: int, most: int | None) -> bool:
    if not text.removeprefix("-").isdecimal():
        return False
    return least <= int(text) and (most is None or int(text) <= most)


@check("X402-TXN-001", witnesses=(1, 2))
def a_page_has_as_many_rows_as_it_was_asked_for(probe: Probe, limit: int) -> None:
    """Of a wallet with three rows, with and without an offset."""
    who = _wallet_with_rows(probe, ("1", "2", "3"))
    for offset, wanted in ((0, limit), (3 - limit, limit), (2, 1), (3, 0)):
        rows = list_at(read_page(probe, who, limit=limit, offset=offset), "data", "transactions")
        equal(len(rows), wanted, f"the number of rows for limit {limit} and offset {offset}")


def _wallet_with_rows(probe: Probe, balances: tuple[str, ...]) -> WalletCaller:
    """A wallet whose balance was set again and again: one row for each."""
    who = probe.wallet("solana")
    for usd in balances:
        probe.steering.set_account(who.wallet.address, {"balance_usd": usd}, kind="wallet")
    return who


@check("X402-TXN-002", witnesses=("no row", "rows"))
def a_page_has_its_documented_shape(probe: Probe, kind: str) -> None:
    """Every member of page and rows, of its type."""
    who = _wallet_with_rows(probe, ("5", "2.5")) if kind == "rows" else probe.wallet()
    body = read_page(probe, who, limit=7)
    equal(at(body, "success"), True, "success")
    data = object_at(body, "data")
    text_at(data, "walletAddress")
    number_at(data, "currentBalance")
    equal(number_at(data, "pagination", "limit"), 7, "pagination.limit")
    equal(number_at(data, "pagination", "offset"), 0, "pagination.offset")
    equal(at(data, "pagination", "hasMore"), False, "pagination.hasMore")
    rows = list_at(data, "transactions")
    equal(len(rows) > 0, kind == "rows", "whether there are rows")
    for row in rows:
        _is_row(row)


def _is_row(row: Any) -> None:
    text_at(row, "id")
    text_at(row, "type")
    expect(number_at(row, "amount") != 0, "an amount is 0")
    number_at(row, "balanceAfter")
    created = text_at(row, "createdAt")
    try:
        zoned = datetime.fromisoformat(created).tzinfo is not None
    except ValueError:
        zoned = False
    expect(zoned, f"createdAt is {created!r}, expected an ISO 8601 time with its zone")
    for name in ("requestId", "modelId"):
        value = at(row, name)
        expect(value is None or (isinstance(value, str) and value != ""), f"{name} is {value!r}")


@check("X402-TXN-004")
def transactions_come_newest_first(probe: Probe, _value: None) -> None:
    """Three rows that are a minute apart, each of a higher balance than the last."""
    timed = probe.session()
    timed.freeze(float(int(timed.now())))
    who = timed.wallet("solana")
    for usd in ("1", "2", "3"):
        timed.steering.set_account(who.wallet.address, {"balance_usd": usd}, kind="wallet")
        timed.advance(60)
    rows = list_at(read_page(timed, who), "data", "transactions")
    times = [datetime.fromisoformat(text_at(row, "createdAt")) for row in rows]
    expect(times == sorted(times, reverse=True), "createdAt does not fall from row to row")
    equal([dollars_at(row, "balanceAfter") for row in rows], [3, 2, 1], "the list of balances")


@check("X402-TXN-005")
def transactions_are_limited_by_the_minute(probe: Probe, _value: None) -> None:
    """The last request within the limit is served, the next refused; another wallet and the next minute are free."""
    limit = probe.facts.edition.x402.statements.transactions_per_minute
    _limited(probe, limit, lambda who: transactions_path(probe.facts, who.wallet.address))


@check("X402-TXN-006", witnesses=("another wallet", "nobody"))
def transactions_are_their_owners_alone(probe: Probe, who: str) -> None:
    """403 for another wallet, 402 without a sign-in."""
    reply = _asked_as(probe, who, lambda address: transactions_path(probe.facts, address))
    expect(error_text(reply) is not None or who == "nobody", "the refusal has no text under error")
