"""Mutants of the rules that are seen on every exchange."""

from __future__ import annotations

from starlette.types import Scope

from mutants.kit import Answer, Mutant, answering


def _obeys_if_match(scope: Scope, _body: bytes, answer: Answer) -> Answer:
    if not _said(scope, b"if-match"):
        return answer
    return answer.with_body({"error": "Precondition failed"}, 412).with_header(
        "content-type", "application/json"
    )


def _page_for_415(scope: Scope, _body: bytes, answer: Answer) -> Answer:
    if answer.status != 415 or _said(scope, b"x-mock"):
        return answer
    return answer.with_body(b"<h1>Unsupported Media Type</h1>").with_header("content-type", "text/html")


def _said(scope: Scope, name: bytes) -> bool:
    return any(key.lower() == name for key, _ in scope["headers"])


MUTANTS: tuple[Mutant, ...] = (
    answering("EDIT-HTTP-015", "If-Match is obeyed, with 412", _obeys_if_match),
    answering("EDIT-ERR-001", "a 415 is a page of HTML", _page_for_415),
)
