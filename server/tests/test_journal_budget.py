"""The journal's bytes: it never holds more than it may, whatever floods it; the oldest pictures go first."""

from __future__ import annotations

import gc
import itertools
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

import pytest

from asgi import Client
from conftest import MakeClient
from edits import flat_png
from journals import REQUESTS, entries, journal
from pictures import padded
from rulekit import good, server_of
from sessions import opened
from venice_mock.state.journal import Budget, Journal
from venice_mock.state.story import Input, Story
from wallets import control

MB = 1_000_000
MIB = 1 << 20
_numbers = itertools.count(1)


def story(size: int = 0, *, small: int = 0, prompt: str = "") -> Story:
    """A finished request with a picture of so many bytes."""
    number = next(_numbers)
    told = Story(f"req-{number:06d}", "default", "POST", "/api/v1/image/edit", 0.0, prompt=prompt)
    told.input = Input("upload", bytes(size) or None, size, thumbnail=bytes(small) or None)
    return told


def has_picture(told: Story) -> bool:
    return told.input is not None and told.input.data is not None


def has_thumbnail(told: Story) -> bool:
    return told.input is not None and told.input.thumbnail is not None


@contextmanager
def watched() -> Iterator[list[int]]:
    """Bytes that Python holds more at the end than at the beginning."""
    found: list[int] = []
    gc.collect()
    tracemalloc.start()
    try:
        yield found
        gc.collect()
        found.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()


def edit_with(client: Client, picture: bytes) -> None:
    reply = client.form([("prompt", "make it warm"), ("image", picture)])
    assert reply.status == 200, reply.body[:300]


# --- what goes first ---------------------------------------------------------------------------------------------


def test_pictures_go_before_small_ones_and_those_before_stories_and_the_oldest_first() -> None:
    kept = Journal(Budget(10 * MB), 10 * MB)
    told = [story(MB, small=100_000) for _ in range(20)]
    for each in told:
        kept.add(each)
    assert [has_picture(each) for each in told] == [False] * 13 + [True] * 7
    assert all(has_thumbnail(each) for each in told)
    assert (kept.dropped, kept.dropped_pictures, len(kept)) == (0, 13, 20)
    more = [story(small=100_000) for _ in range(100)]
    for each in more:
        kept.add(each)
    assert not any(has_picture(each) for each in told)
    assert [has_thumbnail(each) for each in more].index(True) == len(
        [e for e in more if not has_thumbnail(e)]
    )
    assert (kept.dropped, len(kept)) == (0, 120)
    for _ in range(2000):
        kept.add(story())
    assert kept.dropped > 0
    assert kept.dropped + len(kept) == 2120
    assert [each.number for each in kept] == list(range(kept.dropped + 1, 2121))
    assert kept.bytes <= 10 * MB


def test_one_picture_that_is_larger_than_the_journal_is_not_kept_and_its_story_is() -> None:
    kept = Journal(Budget(MB), MB)
    told = story(2 * MB)
    kept.add(told)
    assert not has_picture(told)
    assert list(kept) == [told]


def test_a_session_that_floods_pushes_out_its_own_and_not_what_others_keep() -> None:
    budget = Budget(10 * MB)
    quiet, loud = Journal(budget, 10 * MB), Journal(budget, 10 * MB)
    mine = [story(MB) for _ in range(3)]
    for each in mine:
        quiet.add(each)
    for _ in range(500):
        loud.add(story(MB))
    assert all(has_picture(each) for each in mine)
    assert (quiet.dropped, quiet.dropped_pictures) == (0, 0)
    assert loud.dropped_pictures > 490
    assert quiet.bytes + loud.bytes == budget.used <= 10 * MB


def test_what_an_ended_or_emptied_session_held_is_free_again() -> None:
    budget = Budget(10 * MB)
    one, two = Journal(budget, 10 * MB), Journal(budget, 10 * MB)
    one.add(story(MB))
    two.add(story(MB))
    one.clear()
    assert budget.used == two.bytes
    two.end()
    two.add(story(MB))
    assert (budget.used, len(two)) == (0, 0)


def test_two_thousand_stories_with_pictures_of_a_megabyte_stay_within_the_budget() -> None:
    with watched() as held:
        kept = Journal(Budget(64 * MIB), 64 * MIB)
        for _ in range(2000):
            kept.add(story(MB, prompt="x" * 500))
    assert held[0] < 64 * MIB
    assert kept.bytes > 60 * MIB  # it is used, too
    assert (len(kept), kept.dropped) == (2000, 0)


# --- through the server ------------------------------------------------------------------------------------------


def flood(client: Client, times: int, limit: int) -> None:
    """So many edits of about a megabyte each, no two alike; the memory that they leave behind is bounded."""
    server_of(client).session.journal.set_limit(limit)
    edit_with(client, padded(flat_png(256, 256), 4000))  # what the first edit imports is not the journal's
    with watched() as held:
        for number in range(times):
            edit_with(client, padded(flat_png(256 + number % 64, 256), MB + number))
    assert held[0] < limit + 2 * MIB  # beside it: accounts, ledger, counters
    told = journal(client, "?limit=1")
    assert told["bytes"] <= limit
    assert (told["kept"], told["dropped"]) == (times + 1, 0)
    assert told["dropped_pictures"] >= times - limit / MB


def test_memory_stays_within_the_budget_while_large_edits_pass(make_client: MakeClient) -> None:
    client = make_client(engine="fast")
    flood(client, 60, 16 * MIB)
    told = entries(client, "?limit=1000")
    with_picture = [entry["links"]["input"] is not None for entry in told]
    assert with_picture == sorted(with_picture, reverse=True)  # the newest
    assert 10 < sum(with_picture) < 17
    assert client.get(f"{REQUESTS}/req-000002/input").status == 404
    assert told[-2]["image"]["bytes"] == MB  # what is known of it stays


@pytest.mark.slow
def test_memory_stays_within_the_budget_while_two_thousand_large_edits_pass(make_client: MakeClient) -> None:
    flood(make_client(engine="fast", balance=Decimal(1000)), 2000, 64 * MIB)


def test_small_requests_weigh_no_more_than_they_are_counted(client: Client) -> None:
    client.edit(**good(resolution="9K"))
    before = journal(client)["bytes"]
    with watched() as held:
        for number in range(300):
            client.edit(**good(resolution="9K", prompt=f"{number} " * 100))
    assert held[0] < journal(client)["bytes"] - before


def test_the_budget_is_the_processs_whatever_a_session_asks_for(make_client: MakeClient) -> None:
    client = make_client(engine="fast", journal_bytes=4 * MB)
    sessions = [opened(client, f"s{number}", journal_bytes=64 * MB) for number in range(4)]
    for number in range(12):
        edit_with(sessions[number % 4], padded(flat_png(256, 256), MB + number))
    held = [journal(each)["bytes"] for each in sessions]
    assert sum(held) <= 4 * MB
    assert [journal(each)["kept"] for each in sessions] == [3, 3, 3, 3]


def test_a_smaller_share_takes_effect_at_once(make_client: MakeClient) -> None:
    client = make_client(engine="fast")
    for number in range(4):
        edit_with(client, padded(flat_png(256, 256), MB + number))
    assert journal(client)["bytes"] > 4 * MB
    control(client, "PATCH", "/__mock/config", journal_bytes=2 * MB)
    told = journal(client)
    assert told["bytes"] <= told["limit_bytes"] == 2 * MB
    assert (told["kept"], told["dropped_pictures"]) == (4, 3)
