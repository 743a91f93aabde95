"""Credentials are blanked wherever they stand; those of the environment for the whole run."""

from __future__ import annotations

from venice_contract.wire.message import Exchange, Reply, Request
from venice_contract.wire.secrets import BLANK, Redactor

OURS = "a-key-from-the-environment"
MADE_UP = "made-up-for-one-case"


def told() -> Redactor:
    redactor = Redactor()
    redactor.learn(OURS)
    redactor.learn(MADE_UP, passing=True)
    return redactor


def test_a_value_is_blanked_in_every_part_of_an_exchange() -> None:
    request = Request(
        "POST", f"/x?k={OURS}", (("Authorization", f"Bearer {OURS}"), ("X-Other", OURS)), OURS.encode()
    )
    reply = Reply(200, (("x-echo", MADE_UP),), b"you sent " + OURS.encode())
    shown = repr(told().exchange(Exchange(request, reply, f"closed after {OURS}", "")))
    assert OURS not in shown
    assert MADE_UP not in shown
    assert f"Bearer {BLANK}" in shown
    assert "you sent" in shown


def test_a_header_that_carries_credentials_is_blanked_even_when_nobody_told_of_the_value() -> None:
    headers = (("SIGN-IN-WITH-X", "eyJ-unknown"), ("payment-signature", "unknown"), ("Accept", "*/*"))
    assert Redactor().headers(headers) == (
        ("SIGN-IN-WITH-X", BLANK), ("payment-signature", BLANK), ("Accept", "*/*")
    )  # fmt: skip


def test_a_value_that_holds_another_is_blanked_whole() -> None:
    redactor = Redactor()
    redactor.learn("secret")
    redactor.learn("secret-and-more")
    assert redactor.text("secret-and-more secret") == f"{BLANK} {BLANK}"


def test_what_was_made_up_for_a_case_is_forgotten_and_what_is_the_users_is_not() -> None:
    redactor = told()
    redactor.forget()
    assert redactor.text(f"{OURS} {MADE_UP}") == f"{BLANK} {MADE_UP}"


def test_a_users_key_stays_known_when_it_is_sent_in_a_case() -> None:
    redactor = told()
    redactor.learn(OURS, passing=True)
    redactor.forget()
    assert redactor.text(OURS) == BLANK


def test_a_word_that_could_stand_anywhere_is_no_secret() -> None:
    redactor = Redactor()
    redactor.learn("ok")
    assert redactor.text("ok") == "ok"
