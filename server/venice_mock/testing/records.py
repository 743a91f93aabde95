"""What the control plane tells, as frozen objects: requests, bookings, verdict, advice. Only shapes, and reading."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True)
class Input:
    """The picture that was sent. What could not be read of it is None."""

    sent_as: str  # upload, base64, data_url or url
    bytes: int
    sha256: str | None
    format: str | None
    width: int | None
    height: int | None
    exif: bool
    gps: bool
    icc: bool


@dataclass(frozen=True, slots=True)
class Request:
    """One request as the journal tells it. What it did not get to is None.

    ``sent``: the fields as they came, without the picture. ``understood``: what became of them. ``error`` names the
    refusal and ``rule`` the rule of the contract that was broken; ``cause`` says who steered the mock, and ``fault``
    what was spoilt of the answer. ``complete``: whether the whole answer was sent.
    ``request_id``: the client's ``X-Request-Id``, or the one it was told. ``raw``: the entry in full.
    """

    id: str
    at: datetime
    method: str
    path: str
    status: int | None
    model: str | None
    prompt: str | None
    sent: Mapping[str, Any]
    headers: Mapping[str, str]
    image: Input | None
    understood: Mapping[str, Any]
    error: str | None
    hint: str | None
    rule: str | None
    cause: str | None
    fault: str | None
    complete: bool
    cost_usd: Decimal | None
    account: str | None
    advice: tuple[str, ...]
    curl: str
    request_id: str | None
    raw: Mapping[str, Any] = field(repr=False)

    @property
    def charged(self) -> bool:
        """Whether it was paid for."""
        return self.cost_usd is not None

    def __str__(self) -> str:
        parts = [
            self.id,
            self.method,
            self.path.removeprefix("/api/v1"),
            "->",
            str(self.status or "no answer"),
        ]
        parts += [part for part in (self.error, self.rule) if part]
        if self.model:
            parts.append(self.model)
        if self.prompt is not None:
            parts.append(repr(self.prompt if len(self.prompt) <= 60 else self.prompt[:57] + "..."))
        if self.cost_usd is not None:
            parts.append(f"${self.cost_usd:.2f}")
        parts += [f"{name}={value}" for name, value in (("fault", self.fault), ("by", self.cause)) if value]
        return " ".join(parts)


@dataclass(frozen=True, slots=True)
class Booking:
    """One row of an account's ledger. ``type``: CHARGE, TOP_UP, REFUND or ADJUSTMENT."""

    id: str
    type: str
    amount_usd: Decimal
    balance_after_usd: Decimal
    at: datetime
    model: str | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether anybody paid twice for one logical request.

    ``complete``: whether the journal still has everything. ``window_s``: what parts two attempts at most.
    """

    ok: bool
    charged_more_than_once: int
    overcharged_usd: Decimal
    complete: bool
    window_s: float
    logical_requests: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Advice:
    """What a client could do better. ``requests``: ids of the newest that it is about."""

    id: str
    field: str
    text: str
    count: int
    requests: tuple[str, ...]


def request_of(entry: Mapping[str, Any]) -> Request:
    """An entry of the journal."""
    error, image = entry["error"] or {}, entry["image"]
    return Request(
        id=entry["id"],
        at=moment(entry["at"]),
        method=entry["method"],
        path=entry["path"],
        status=entry["status"],
        model=entry["model"],
        prompt=entry["prompt"],
        sent=entry["request"]["fields"] or {},
        headers=entry["request"]["headers"],
        image=None if image is None else Input(**{name: image[name] for name in Input.__slots__}),
        understood=entry["understood"] or {},
        error=error.get("name"),
        hint=error.get("hint"),
        rule=entry["rule"],
        cause=entry["cause"],
        fault=entry["fault"],
        complete=entry["response"]["complete"],
        cost_usd=None if entry["cost_usd"] is None else Decimal(entry["cost_usd"]),
        account=entry["caller"]["account"],
        advice=tuple(each["text"] for each in entry["lint"]),
        curl=entry["curl"],
        request_id=entry["request_id"],
        raw=entry,
    )


def booking_of(row: Mapping[str, Any]) -> Booking:
    """A row of a ledger."""
    return Booking(
        id=row["id"],
        type=row["type"],
        amount_usd=Decimal(row["amount_usd"]),
        balance_after_usd=Decimal(row["balance_after_usd"]),
        at=moment(row["created_at"]),
        model=row["model_id"],
    )


def verdict_of(answer: Mapping[str, Any]) -> Verdict:
    """The ledger's verdict."""
    return Verdict(
        ok=answer["ok"],
        charged_more_than_once=answer["charged_more_than_once"],
        overcharged_usd=Decimal(answer["overcharged_usd"]),
        complete=answer["complete"],
        window_s=answer["window_s"],
        logical_requests=tuple(answer["logical_requests"]),
    )


def advice_of(each: Mapping[str, Any]) -> Advice:
    """One piece of advice."""
    return Advice(each["id"], each["field"], each["text"], each["count"], tuple(each["requests"]))


def moment(text: str) -> datetime:
    """A time of the control plane, in UTC."""
    return datetime.fromisoformat(text)
