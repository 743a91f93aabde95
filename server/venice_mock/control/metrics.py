"""What the process counts, and how Prometheus reads it: counters, one histogram, and gauges read when asked.

Written out by hand: eight families do not pay for a library whose registry is global and whose import takes
longer than that of the web framework. Label values come from closed lists (routes, the edition's error names and
rule ids), never from a request.
"""

from __future__ import annotations

import json
import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

import msgspec

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
UNMATCHED = "unmatched"  # the path of requests that no route takes
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_OTHER = "other"
_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)  # seconds
_MOST_REFUSALS = 1000  # ours: more pairs of error and rule than an edition has
_PREFIX = "venice_mock_"
_CACHE = (
    ("hits", "Edits whose picture was kept, or just being made."),
    ("misses", "Edits whose picture had to be made."),
    ("evictions", "Pictures that had to make room."),
)
_LEVELS = (
    ("pictures_in_work", "Pictures in the hands of worker threads."),
    ("pictures_waiting", "Pictures that wait to be admitted."),
    ("pixels_in_work", "Pixels that are admitted."),
    ("cache_entries", "Pictures that are kept."),
    ("cache_bytes", "Memory of the pictures that are kept."),
    ("bodies_waiting", "Large bodies that wait to be received."),
    ("body_bytes", "Bytes of large bodies that are admitted."),
    ("journal_bytes", "Memory of all sessions' journals."),
    ("sessions", "Open sessions, the default one included."),
    ("processes", "Processes that are counted together here."),
)

Labels = tuple[tuple[str, str], ...]


class Family(msgspec.Struct, frozen=True):
    """One metric: its name without our prefix, its kind, its help, and its samples by suffix and labels."""

    name: str
    kind: str
    help: str
    samples: Sequence[tuple[str, Labels, int | float | Decimal]]


class Durations(msgspec.Struct):
    """How long things took, in buckets."""

    counts: list[int] = msgspec.field(default_factory=lambda: [0] * (len(_BOUNDS) + 1))
    sum: float = 0.0

    def add(self, seconds: float) -> None:
        """One more."""
        self.counts[bisect_left(_BOUNDS, seconds)] += 1
        self.sum += seconds

    def samples(self, labels: Labels) -> Iterable[tuple[str, Labels, int | float]]:
        """Cumulative buckets, sum and count."""
        seen = 0
        for bound, count in zip((*_BOUNDS, float("inf")), self.counts, strict=True):
            seen += count
            yield "_bucket", (*labels, ("le", "+Inf" if bound == float("inf") else repr(bound))), seen
        yield "_sum", labels, self.sum
        yield "_count", labels, seen


class Metrics(msgspec.Struct):
    """The counts of one application, since its start.

    ``started_at``: Unix seconds. ``cache``: ``hits``, ``misses`` and ``evictions`` of the results that are kept.
    """

    requests: Counter[tuple[str, str, str]] = msgspec.field(default_factory=Counter)  # method, path, status
    edits: dict[str, Durations] = msgspec.field(default_factory=dict)  # by class of status
    refusals: Counter[tuple[str, str]] = msgspec.field(default_factory=Counter)  # error, rule
    charged: Decimal = Decimal(0)
    cache: Counter[str] = msgspec.field(default_factory=Counter)
    started_at: float = math.inf

    def answered(self, method: str, template: str, status: int | None) -> None:
        """A request is over; ``template`` is the path as the route has it. None: nothing was answered."""
        known = method if method in _METHODS else _OTHER
        self.requests[known, template, "none" if status is None else str(status)] += 1

    def edited(self, status: int | None, seconds: float) -> None:
        """A request to the edit endpoint is over."""
        kind = "none" if status is None else f"{status // 100}xx"
        self.edits.setdefault(kind, Durations()).add(seconds)

    def refused(self, error: str, rule: str | None) -> None:
        """A refusal became the answer."""
        pair = (error, rule or "")
        if pair in self.refusals or len(self.refusals) < _MOST_REFUSALS:
            self.refusals[pair] += 1
        else:
            self.refusals[_OTHER, ""] += 1

    def packed(self) -> str:
        """The counts as text, for ``add``."""
        return json.dumps(
            {
                "requests": [(*names, count) for names, count in self.requests.items()],
                "edits": {kind: (took.counts, took.sum) for kind, took in self.edits.items()},
                "refusals": [(*names, count) for names, count in self.refusals.items()],
                "charged": f"{self.charged:f}",
                "cache": self.cache,
                "started_at": self.started_at,
            }
        )

    def add(self, packed: str) -> None:
        """Count what another process counted, too; the start is that of the first of them."""
        told = json.loads(packed)
        for method, path, status, count in told["requests"]:
            self.requests[method, path, status] += count
        for kind, (counts, seconds) in told["edits"].items():
            took = self.edits.setdefault(kind, Durations())
            took.counts = [mine + other for mine, other in zip(took.counts, counts, strict=True)]
            took.sum += seconds
        for error, rule, count in told["refusals"]:
            self.refusals[error, rule] += count
        self.charged += Decimal(told["charged"])
        self.cache.update(told["cache"])
        self.started_at = min(self.started_at, told["started_at"])

    def families(self) -> list[Family]:
        """The counts as metrics."""
        return [
            gauge(
                "start_time_seconds",
                "When the first application of all that are counted here was made, in Unix seconds.",
                self.started_at,
            ),
            Family(
                "requests_total",
                "counter",
                "Requests by method, route and status; none: the client left before it was answered.",
                [
                    ("", (("method", method), ("path", path), ("status", status)), count)
                    for (method, path, status), count in sorted(self.requests.items())
                ],
            ),
            Family(
                "edit_seconds",
                "histogram",
                "Seconds from the first line of a request to the edit endpoint to the last byte of its answer.",
                [
                    sample
                    for kind, took in sorted(self.edits.items())
                    for sample in took.samples((("status", kind),))
                ],
            ),
            Family(
                "charged_usd_total",
                "counter",
                "US dollars that were charged for edits, in all sessions together.",
                [("", (), self.charged)],
            ),
            Family(
                "refusals_total",
                "counter",
                "Refusals by the error's name and the id of the rule that was broken, where one was.",
                [
                    ("", (("error", error), ("rule", rule)), count)
                    for (error, rule), count in sorted(self.refusals.items())
                ],
            ),
            *(
                Family(f"cache_{name}_total", "counter", text, [("", (), self.cache[name])])
                for name, text in _CACHE
            ),
        ]


def gauge(name: str, help_text: str, value: int | float, labels: Mapping[str, str] | None = None) -> Family:
    """Something that is as it is now."""
    return Family(name, "gauge", help_text, [("", tuple((labels or {}).items()), value)])


def gauges(levels: Mapping[str, int]) -> list[Family]:
    """What is in work, kept and waiting now, by the names of their metrics."""
    return [gauge(name, text, levels.get(name, 0)) for name, text in _LEVELS]


def exposition(families: Iterable[Family]) -> str:
    """The text format 0.0.4."""
    lines: list[str] = []
    for family in families:
        name = _PREFIX + family.name
        lines += [f"# HELP {name} {_escaped(family.help)}", f"# TYPE {name} {family.kind}"]
        for suffix, labels, value in family.samples:
            pairs = ",".join(f'{label}="{_escaped(text, quotes=True)}"' for label, text in labels)
            number = f"{value:f}" if isinstance(value, Decimal) else repr(value)
            lines.append(f"{name}{suffix}{'{' + pairs + '}' if pairs else ''} {number}")
    return "\n".join(lines) + "\n"


def _escaped(text: str, *, quotes: bool = False) -> str:
    text = text.replace("\\", r"\\").replace("\n", r"\n")
    return text.replace('"', r"\"") if quotes else text
