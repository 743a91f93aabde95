"""Orders in prompts, [[mock:...]]: with --prompt-magic alone, and what they can say."""

from __future__ import annotations

import pytest

from asgi import Client, Reply
from conftest import MakeClient
from edits import understood
from rulekit import good, ledger_of, png
from sessions import opened
from venice_mock.accounts.ordering import directive_of
from venice_mock.accounts.steering import AS_USUAL, Steering
from venice_mock.contract import Contract
from venice_mock.errors import ApiError
from venice_mock.web.faulting import AnswerLost


@pytest.fixture
def client(make_client: MakeClient) -> Client:
    return make_client(engine="fast", prompt_magic=True)


def edit(client: Client, prompt: str) -> Reply:
    return client.edit(**good(prompt=prompt))


def test_without_the_option_a_users_own_text_triggers_nothing(make_client: MakeClient) -> None:
    reply = edit(make_client(engine="fast"), "[[mock:offline]] [[mock:nonsense")
    assert reply.status == 200
    assert "x-mock-cause" not in reply.headers


def test_a_directive_orders_an_error_by_its_short_or_long_name(client: Client) -> None:
    for word in ("content_violation", "CONTENT_POLICY_VIOLATION", " Content_Violation "):
        reply = edit(client, f"a cat [[mock:{word}]] at night")
        assert reply.status == 422
        assert reply.headers["x-mock-cause"] == f"prompt:error={word.strip().lower()}"
    assert ledger_of(client, "a-test-key") == []


def test_a_directive_orders_a_fault_by_its_bare_name(client: Client) -> None:
    with pytest.raises(AnswerLost):
        edit(client, "[[mock:reset]]")
    with pytest.raises(AnswerLost):
        edit(client, "[[mock:cut@body:10]]")
    assert edit(client, "[[mock:charge_then_504]]").status == 504
    assert len(ledger_of(client, "a-test-key")) == 3


def test_a_directive_takes_items_as_the_header_does(client: Client) -> None:
    reply = edit(client, "[[mock:error=rate_limited; retry_after=2]]")
    assert (reply.status, reply.headers["retry-after"]) == (429, "2")
    reply = edit(client, "[[mock:seed=7]] and [[MOCK:adult=yes]]")
    assert (reply.status, reply.headers["x-mock-cause"]) == (200, "prompt:seed=7; adult=yes")
    assert (understood(reply).seed, understood(reply).adult) == (7, True)


def test_the_prompt_stays_as_it_was_sent(client: Client) -> None:
    assert understood(edit(client, "a [[mock:seed=7]] cat")).prompt == "a [[mock:seed=7]] cat"


def test_a_form_can_carry_a_directive_too(client: Client) -> None:
    assert client.form([("image", png()), ("prompt", "[[mock:offline]]")]).status == 503


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[[mock:]]", "there is no error ''"),
        ("[[mock:offlin]]", "Did you mean offline"),
        ("[[mock:reset@nowhere]]", "reset@body:BYTES"),
        ("[[mock:colour=red]]", "Known: error=rate_limited"),
        ("[[mock:seed=1]][[mock:seed=2]]", "seed is given twice"),
        ("[[mock:latency=2]]", "800ms"),
        ("[[mock:offline]]" * 21, "more than 20"),
    ],
)
def test_a_directive_that_cannot_be_read_is_a_400_that_says_so(
    client: Client, text: str, sentence: str
) -> None:
    reply = edit(client, text)
    assert (reply.status, list(reply.json)) == (400, ["error"])
    assert reply.json["error"].startswith("[[mock:...]] in the prompt: ")
    assert sentence in reply.json["error"]


@pytest.mark.parametrize(
    "text",
    ["[mock:offline]", "[[mock offline]]", "[[mock:off[line]]", "mock:offline", "[[mock:" + "x" * 501 + "]]"],
)
def test_what_only_looks_like_one_is_none(contract: Contract, text: str) -> None:
    assert directive_of(contract, text) == AS_USUAL


def test_a_prompt_full_of_brackets_is_read_in_no_time(contract: Contract) -> None:
    for text in ("[[mock:" * 10_000, "[" * 1_000_000, "[[mock:" + "x" * 1_000_000):
        assert directive_of(contract, text) == Steering()
    with pytest.raises(ApiError):
        directive_of(contract, "[[mock:x]]" * 10_000)


def test_a_session_may_have_it_for_itself(make_client: MakeClient) -> None:
    client = make_client(engine="fast")
    magic = opened(client, "magic", prompt_magic=True)
    assert [edit(each, "[[mock:offline]]").status for each in (magic, client)] == [503, 200]
