"""Mutants of the group ``control``: magic keys and the mock as a server."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from mutants.kit import Answer, Mutant, answering, replaced, with_data, wrapping
from venice_mock.accounts.keys import KeyAnswer, MagicKey, Opening
from venice_mock.accounts.steering import AS_USUAL, Steering

_RING = "venice_mock.accounts.keys.KeyRing"


# --- keys ---------------------------------------------------------------------------------------------------


def _magic(**changed: MagicKey | None) -> dict[str, MagicKey]:
    """The table with other rows; None takes one out."""
    from venice_mock.accounts import keys

    table = dict(keys._MAGIC) | changed
    return {name: row for name, row in table.items() if row is not None}


def _table(rule: str, text: str, *follows: str, **changed: MagicKey | None) -> Mutant:
    return replaced(rule, text, "venice_mock.accounts.keys._MAGIC", _magic(**changed), follows=follows)


def _answered(change: Callable[[str, KeyAnswer], KeyAnswer]) -> Callable[[Any], Any]:
    """What a token opens is altered."""

    def wrap(answer: Any) -> Any:
        return lambda ring, token: change(token, answer(ring, token))

    return wrap


def _one_purse(token: str, answer: KeyAnswer) -> KeyAnswer:
    """Keys of fewer than thirty characters are pooled."""
    if token.startswith("mock_") or answer.opens_nothing or len(token) >= 30:
        return answer
    return replace(answer, account="everybody")


def _known_words_only(token: str, answer: KeyAnswer) -> KeyAnswer:
    if token.startswith("mock_") or (token.isascii() and token.replace("-", "").isalnum()):
        return answer
    return replace(answer, opening=replace(answer.opening, status="invalid"))


def _forgiving(token: str, answer: KeyAnswer) -> KeyAnswer:
    """A token with a space is taken as it is."""
    return KeyAnswer("spaced", Opening(Decimal(100))) if " " in token else answer


def _falls_through(token: str, answer: KeyAnswer) -> KeyAnswer:
    """An unknown magic key is an ordinary word."""
    if token.startswith("mock_") and answer.opens_nothing:
        return KeyAnswer(answer.account, Opening(Decimal(100)))
    return answer


def _hint_of_nothing(token: str, answer: KeyAnswer) -> KeyAnswer:
    """The hint does not say which keys there are."""
    if token.startswith("mock_") and answer.opens_nothing:
        return replace(answer, hint="No such magic key.")
    return answer


def _whole_dollars(token: str, answer: KeyAnswer) -> KeyAnswer:
    if token.startswith("mock_balance_") and not answer.opens_nothing:
        return replace(answer, opening=Opening(Decimal(int(answer.opening.balance * 100)) / 100))
    return answer


def _works_late(_token: str, answer: KeyAnswer) -> KeyAnswer:
    """mock_flaky_N fails N times and not N - 1 times."""
    if answer.steering.times is None:
        return answer
    return replace(answer, steering=replace(answer.steering, times=answer.steering.times + 1))


# --- the server ---------------------------------------------------------------------------------------------


def _as(status: int) -> Callable[[Any, bytes, Answer], Answer]:
    return lambda _scope, _body, answer: answer.with_body(answer.body, status)


def _document(change: Callable[[dict[str, Any]], None]) -> Callable[[Any, bytes, Answer], Answer]:
    def altered(_scope: Any, _body: bytes, answer: Answer) -> Answer:
        said = answer.json()
        change(said)
        return answer.with_body(said)

    return altered


def _older(said: dict[str, Any]) -> None:
    said["openapi"] = "3.0.3"


def _dangling(said: dict[str, Any]) -> None:
    del said["components"]["schemas"]["PlainError"]


def _unlisted_model(said: dict[str, Any]) -> None:
    said["components"]["schemas"]["EditImageRequest"]["properties"]["modelId"]["enum"].pop()


def _without_billing(said: dict[str, Any]) -> None:
    del said["paths"]["/api/v1/billing/balance"]


def _same_names(said: dict[str, Any]) -> None:
    for item in said["paths"].values():
        for operation in item.values():
            operation["operationId"] = "call"


def _row(difference: str, side: str, value: Any) -> Callable[[dict[str, Any]], None]:
    """One side of a difference has another value."""

    def change(edition: dict[str, Any]) -> None:
        for row in edition["differences"]:
            if row["id"] == difference:
                row[side]["value"] = value

    return change


def _behaving(check: Any) -> Any:
    """The observed behaviour takes one ratio that the documented one refuses: a difference without a row."""

    def checked(contract: Any, raw: Any, default: str) -> Any:
        if contract.behavior == "observed" and raw.get("aspect_ratio") == "107:60":
            raw = {name: value for name, value in raw.items() if name != "aspect_ratio"}
        return check(contract, raw, default)

    return checked


def _another_rule(_scope: Any, _body: bytes, answer: Answer) -> Answer:
    return (
        answer if answer.header("x-mock-rule") is None else answer.with_header("x-mock-rule", "EDIT-ERR-001")
    )


def _no_rule(_scope: Any, _body: bytes, answer: Answer) -> Answer:
    return answer.with_header("x-mock-rule", None)


def _marked(_scope: Any, _body: bytes, answer: Answer) -> Answer:
    return answer.with_header("x-mock-version", "1") if answer.status == 200 else answer


MUTANTS: tuple[Mutant, ...] = (
    wrapping("MOCK-KEY-001", "short words share one account", f"{_RING}.answer", _answered(_one_purse)),
    wrapping(
        "MOCK-KEY-001",
        "only letters, digits and dashes are words",
        f"{_RING}.answer",
        _answered(_known_words_only),
    ),
    wrapping("MOCK-KEY-001", "a token with a space is an account", f"{_RING}.answer", _answered(_forgiving)),
    _table("MOCK-KEY-002", "mock_ok is unknown", mock_ok=None),
    _table("MOCK-KEY-002", "mock_ok has no money", mock_ok=MagicKey("", opening=Opening(Decimal(0)))),
    wrapping("MOCK-KEY-003", "mock_balance_X is cut to cents", f"{_RING}.answer", _answered(_whole_dollars)),
    _table(
        "MOCK-KEY-004",
        "mock_insufficient_balance has money",
        mock_insufficient_balance=MagicKey("", opening=Opening(Decimal(100))),
    ),
    _table(
        "MOCK-KEY-004",
        "mock_insufficient_balance is told of its spending limit",
        mock_insufficient_balance=MagicKey("", opening=Opening(Decimal(100), spend_limit=Decimal(0))),
    ),
    _table(
        "MOCK-KEY-005",
        "mock_spend_limit may spend a cent less than it has",
        "EDIT-PAY-028",
        mock_spend_limit=MagicKey("", opening=Opening(Decimal(100), spend_limit=Decimal("99.99"))),
    ),
    _table(
        "MOCK-KEY-005",
        "mock_spend_limit is told that its balance is short",
        "EDIT-PAY-028",
        mock_spend_limit=MagicKey("", opening=Opening(Decimal(0))),
    ),
    _table(
        "MOCK-KEY-006",
        "mock_invalid_key is 403",
        "EDIT-AUTH-002",
        "EDIT-AUTH-022",
        "BILL-002",
        mock_invalid_key=MagicKey("", opening=Opening(Decimal(0), status="disabled")),
    ),
    _table(
        "MOCK-KEY-007",
        "mock_inactive is told that it is unknown",
        "EDIT-AUTH-023",
        mock_inactive=MagicKey("", opening=Opening(Decimal(0), status="invalid")),
    ),
    _table("MOCK-KEY-008", "mock_disabled works", "EDIT-AUTH-024", mock_disabled=MagicKey("")),
    _table(
        "MOCK-KEY-008",
        "mock_disabled is 401",
        "EDIT-AUTH-024",
        mock_disabled=MagicKey("", opening=Opening(Decimal(0), status="inactive")),
    ),
    wrapping(
        "MOCK-KEY-009", "an unknown magic key is an account", f"{_RING}.answer", _answered(_falls_through)
    ),
    wrapping("MOCK-KEY-009", "the hint names no key", f"{_RING}.answer", _answered(_hint_of_nothing)),
    wrapping("MOCK-KEY-010", "mock_flaky_N fails once too often", f"{_RING}.answer", _answered(_works_late)),
    _table(
        "MOCK-KEY-010",
        "mock_at_capacity says that the model is offline",
        mock_at_capacity=MagicKey("", steering=Steering(error="MODEL_OFFLINE")),
    ),
    _table("MOCK-KEY-010", "mock_timeout works", mock_timeout=MagicKey("", steering=AS_USUAL)),
    answering("MOCK-SRV-001", "a server that can edit is not ready", _as(503), where="/readyz"),
    answering("MOCK-SRV-001", "no /livez", _as(404), where="/livez"),
    answering("MOCK-SRV-002", "the document is of OpenAPI 3.0", _document(_older), where="/openapi.json"),
    answering("MOCK-SRV-002", "a reference leads nowhere", _document(_dangling), where="/openapi.json"),
    answering(
        "MOCK-SRV-002", "a model is not in the document", _document(_unlisted_model), where="/openapi.json"
    ),
    answering(
        "MOCK-SRV-002", "a route is not in the document", _document(_without_billing), where="/openapi.json"
    ),
    answering("MOCK-SRV-002", "all operations have one name", _document(_same_names), where="/openapi.json"),
    with_data(
        "MOCK-SRV-003", "the observed behaviour sends the balance", _row("balance-header", "observed", True)
    ),
    with_data(
        "MOCK-SRV-003",
        "the observed behaviour takes quality",
        _row("quality-on-edit", "observed", "accepted"),
    ),
    with_data(
        "MOCK-SRV-003",
        "the observed behaviour tolerates 20 failures",
        _row("error-budget", "observed", {"failures": 20, "window_s": 30, "block_s": 30, "headers": True}),
    ),
    wrapping(
        "MOCK-SRV-003",
        "the observed behaviour ignores a bad ratio",
        "venice_mock.edit.endpoint.check_schema",
        _behaving,
    ),
    answering("MOCK-SRV-004", "every refusal names the same rule", _another_rule),
    answering("MOCK-SRV-004", "refusals name no rule", _no_rule),
    answering("MOCK-SRV-004", "a pure mock tells its version with every picture", _marked),
)

NO_MUTANT = {
    "MOCK-SRV-005": "a signal to the process is no request: the server's own tests send it and wait for the end",
}
