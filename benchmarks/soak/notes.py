"""What one client noted: what it paid, what it asked for, and what came that it did not ask for."""

from __future__ import annotations

import hashlib
import threading
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from benchmarks.soak.asking import Caller, Reply
from benchmarks.soak.books import Claim

_MOST_FINDINGS = 50  # of one client: what goes wrong each time needs no thousand lines


@dataclass
class Pictures:
    """The answer to each edit that is asked for again and again: on every worker, every time, the same bytes."""

    _known: dict[str, bytes] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def is_the_same(self, edit: str, answer: bytes) -> bool:
        """Whether this edit was never answered otherwise."""
        digest = hashlib.sha256(answer).digest()
        with self._lock:
            return self._known.setdefault(edit, digest) == digest


@dataclass
class Notes:
    """One client's. ``counts``: how often what came of each kind of visit. ``findings``: sentences."""

    claims: list[Claim] = field(default_factory=list)
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)

    def came(self, kind: str, outcome: str) -> None:
        """One more visit of this kind."""
        self.counts[kind, outcome] += 1

    def found(self, sentence: str) -> None:
        """Something is wrong."""
        if len(self.findings) < _MOST_FINDINGS:
            self.findings.append(sentence)

    def expected(self, kind: str, reply: Reply, caller: Caller, statuses: Collection[int]) -> bool:
        """Note the visit; whether its answer has one of the statuses.

        Another is wrong, unless it is the 503 of a store that was away.
        """
        if reply.status in statuses:
            self.came(kind, str(reply.status))
            return True
        if caller.refused_for_the_store(reply):
            self.came(kind, "503, the store was away")
            return False
        self.came(kind, f"{reply.status}!")
        asked = "a failure" if reply.status >= 500 else "an answer"
        body = reply.body[:160].decode("utf-8", "replace")
        self.found(
            f"{kind}: {asked} that was not asked for: {reply.status}, expected {sorted(statuses)}: {body}"
        )
        return False


def together(all_notes: Iterable[Notes]) -> Notes:
    """The notes of all clients as one."""
    whole = Notes()
    for each in all_notes:
        whole.claims += each.claims
        whole.counts += each.counts
        whole.findings += each.findings
    return whole
