"""What goes wrong in the core, as one exception. Only ``app.py`` turns it into HTTP; nothing here knows Starlette."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from venice_mock.contract import Contract


@dataclass(frozen=True, slots=True)
class Issue:
    """One fault of a request, in the shape of a Zod v3 issue.

    ``field`` is the key at fault, or None for the whole object. ``extra`` holds the members that go before
    ``code``/``path``/``message``, in the vendor's order. ``rule`` is the id of the rule that was broken.
    """

    code: str
    field: str | None
    message: str
    rule: str
    extra: Mapping[str, Any] = dataclasses.field(default_factory=dict)


class ApiError(Exception):
    """A refusal or failure with its exact body. ``rule`` and ``hint`` go to the log and to mock-only headers."""

    def __init__(
        self,
        status: int,
        body: Mapping[str, Any],
        *,
        name: str,
        rule: str | None = None,
        hint: str | None = None,
        headers: Mapping[str, str] | None = None,
        close: bool = False,
    ) -> None:
        super().__init__(f"{status} {name}")
        self.status = status
        self.body = dict(body)
        self.name = name
        self.rule = rule
        self.hint = hint
        self.headers = dict(headers or {})
        self.cause: str | None = None  # what steered the mock here: a magic key, a rule, a header
        self.close = close  # the rest of the request's body is not wanted: answer, then close

    def again(self) -> ApiError:
        """The same refusal for another request, as it was before anything was added to it for this one."""
        return ApiError(
            self.status,
            self.body,
            name=self.name,
            rule=self.rule,
            hint=self.hint,
            headers=self.headers,
            close=self.close,
        )


def refuse(
    contract: Contract,
    name: str,
    *,
    rule: str | None = None,
    hint: str | None = None,
    headers: Mapping[str, str] | None = None,
    close: bool = False,
) -> ApiError:
    """The error ``name`` of the vendor's table as an exception to raise."""
    spec = contract.error(name)
    body: dict[str, Any] = {"error": spec.text}
    if spec.code is not None:
        body = {"code": spec.code, **body}
    sent = dict(headers or {})
    if spec.retry_after_s is not None:
        sent.setdefault(contract.edition.headers["retry_after"], str(spec.retry_after_s))
    return ApiError(spec.status, body, name=name, rule=rule, hint=hint, headers=sent, close=close)


def invalid(contract: Contract, issues: Sequence[Issue]) -> ApiError:
    """All faults of one request as the vendor's 400: ``details`` by field and the list of ``issues``."""
    details: dict[str, Any] = {"_errors": [i.message for i in issues if i.field is None]}
    for issue in issues:
        if issue.field is not None:
            details.setdefault(issue.field, {"_errors": []})["_errors"].append(issue.message)
    listed = [
        {
            **_ordered(issue),
            "path": [] if issue.field is None else [issue.field],
            "message": issue.message,
        }
        for issue in issues
    ]
    body = {"error": contract.edition.messages.envelope, "details": details, "issues": listed}
    return ApiError(400, body, name="INVALID_REQUEST", rule=issues[0].rule, hint=issues[0].message)


def plain(status: int, text: str, *, name: str, rule: str | None = None, close: bool = False) -> ApiError:
    """A body of nothing but ``error``, for answers that the vendor's table does not name."""
    return ApiError(status, {"error": text}, name=name, rule=rule, close=close)


def store_refusal(error: Exception) -> ApiError:
    """503: the mock's shared store is lost. The vendor has no such error; its shape is that of its other 503s."""
    refusal = plain(503, "The mock cannot reach its store. Please try again later.", name="STORE_UNAVAILABLE")
    refusal.headers["Retry-After"], refusal.hint = "1", str(error)
    return refusal


def _ordered(issue: Issue) -> dict[str, Any]:
    # Zod puts what was received before the code of an enum issue and after it everywhere else.
    if issue.code == "invalid_enum_value":
        received = {"received": issue.extra["received"]}
        rest = {k: v for k, v in issue.extra.items() if k != "received"}
        return {**received, "code": issue.code, **rest}
    return {"code": issue.code, **issue.extra}
