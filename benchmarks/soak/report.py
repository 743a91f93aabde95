"""What a soak tells: a page for the terminal, and the same as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from benchmarks.report import machine
from benchmarks.soak.books import Account, Claim
from benchmarks.soak.memory import Growth
from benchmarks.soak.notes import Notes

_SHOWN = 30
_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Outcome:
    """A run that is over. ``seconds``: of the load. ``restarted``: whether the store was ended and started amid it."""

    seconds: float
    workers: int
    clients: int
    seed: int
    restarted: bool
    notes: Notes
    accounts: Sequence[Account]
    memory: Mapping[int, Growth]
    violations: Sequence[str]

    @property
    def visits(self) -> int:
        """How often something came of something."""
        return sum(self.notes.counts.values())


def text(outcome: Outcome) -> str:
    """The page."""
    o = outcome
    lines = [
        f"{o.visits} requests in {o.seconds:.0f} s ({o.visits / o.seconds:.1f}/s), {o.clients} clients,"
        f" {o.workers} workers, seed {o.seed}" + (", the store restarted amid it" if o.restarted else ""),
        "",
        *_counts(o.notes),
        "",
        *_books(o),
        *_memory(o.memory),
        "",
    ]
    if not o.violations:
        return "\n".join([*lines, "All is accounted for."])
    more = len(o.violations) - _SHOWN
    lines += [f"Violations, {len(o.violations)}:", *(f"  {each}" for each in o.violations[:_SHOWN])]
    return "\n".join([*lines, f"  and {more} more"] if more > 0 else lines)


def record(outcome: Outcome) -> dict[str, Any]:
    """The whole as JSON holds it; money as text."""
    o = outcome
    return {
        "machine": machine(),
        "seconds": round(o.seconds, 1),
        "requests": o.visits,
        "workers": o.workers,
        "clients": o.clients,
        "seed": o.seed,
        "store_restarted": o.restarted,
        "outcomes": {kind: _of_kind(o.notes, kind) for kind in _kinds(o.notes)},
        "money": {name: str(value) for name, value in _money(o).items()},
        "memory": {str(pid): asdict(growth) | {"flat": growth.is_flat} for pid, growth in o.memory.items()},
        "violations": list(o.violations),
        "ok": not o.violations,
    }


def _kinds(notes: Notes) -> list[str]:
    return sorted({kind for kind, _ in notes.counts})


def _of_kind(notes: Notes, kind: str) -> dict[str, int]:
    return {outcome: count for (name, outcome), count in sorted(notes.counts.items()) if name == kind}


def _counts(notes: Notes) -> list[str]:
    return [
        f"  {kind:<37}" + ", ".join(f"{count} x {what}" for what, count in _of_kind(notes, kind).items())
        for kind in _kinds(notes)
    ]


def _money(outcome: Outcome) -> dict[str, Decimal | int]:
    rows = [row for account in outcome.accounts for row in account.rows]
    charges = [-row.amount for row in rows if row.amount < 0]
    paid_in = [row.amount for row in rows if row.amount > 0]
    return {
        "accounts": len(outcome.accounts),
        "charges": len(charges),
        "charged_usd": sum(charges, Decimal(0)),
        "top_ups": len(paid_in),
        "topped_up_usd": sum(paid_in, Decimal(0)),
        "held_usd": sum((account.held for account in outcome.accounts), Decimal(0)),
        "told_with_balance": _number(outcome.notes.claims, told=True),
        "sure_without": _number(outcome.notes.claims, told=False),
        "unsure": sum(not claim.sure for claim in outcome.notes.claims),
    }


def _number(claims: Sequence[Claim], *, told: bool) -> int:
    return sum(claim.sure and (claim.balance_after is not None) == told for claim in claims)


def _books(outcome: Outcome) -> list[str]:
    m = _money(outcome)
    return [
        f"{m['accounts']} accounts: {m['charges']} charges of ${m['charged_usd']}, {m['top_ups']} top-ups of"
        f" ${m['topped_up_usd']}, ${m['held_usd']} held.",
        f"Of these bookings clients were told {m['told_with_balance']} with the balance, know of {m['sure_without']}"
        f" more, and left or lost the store before {m['unsure']} that may have been made.",
    ]


def _memory(memory: Mapping[int, Growth]) -> list[str]:
    lines = []
    for pid, each in memory.items():
        change = (each.after - each.before) / _MIB
        verdict = (
            "too short a run to judge" if each.allowed is None else f"{each.allowed / _MIB:.0f} MiB allowed"
        )
        lines.append(
            f"Memory of worker {pid}: {each.before / _MIB:.0f} MiB after warm-up, {each.after / _MIB:.0f} MiB at the"
            f" end ({change:+.1f} MiB, {verdict}), {each.highest / _MIB:.0f} MiB at its highest."
        )
    return lines
