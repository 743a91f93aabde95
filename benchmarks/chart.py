"""The figures as one picture: for each goal a bar of how much of what it allows was used. SVG, written by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

# One bar for each case with a goal, in the order of the run; {} is what a case of this name measures.
_TITLES = {
    "http-1mp-jpeg": "Uncached edit, HTTP / in process: 1 MP JPEG",
    "http-1mp-png": "Uncached edit, HTTP / in process: 1 MP PNG",
    "http-33mp-png": "Uncached edit, HTTP / in process: 33 MP PNG",
    "steps-json": "All but painting / stock settings: JSON",
    "steps-form": "All but painting / stock settings: form",
    "cached-28k": "Cached edits/s / bare Starlette: 28 kB",
    "cached-220k": "Cached edits/s / bare Starlette: 220 kB",
    "cached-1700k": "Cached edits/s / bare Starlette: 1.7 MB",
    "refusal": "Refusals/s / bare Starlette: 73 bytes",
    "refusal-300k": "Refusals/s / bare Starlette: 300 kB",
    "cold-start": "Start to first 200 / importing Starlette",
    "memory-33mp": "Peak memory, a 33 MP edit / theory",
    "memory-16": "Peak memory, 16 at once / theory of two",
    "two-cores": "Uncached edits/s, two cores / one",
    "memory-growth": "Memory after 20,000 requests / before",
}
_WIDTH, _ROW, _TOP, _BOTTOM = 860, 26, 74, 34
_LEFT, _GOAL_AT, _BARS = (
    320,
    0.68,
    390,
)  # pixels: where bars begin, how far along the goal is, how far bars reach
_STYLE = """\
text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328 }
.small { font-size: 12px; fill: #59636e }
.title { font-size: 16px; font-weight: 600 }
.good { fill: #2da44e } .bad { fill: #bc4c00 } .none { fill: #8c959f }
.goal { stroke: #1f2328; stroke-width: 1.5 } .back { fill: #eaeef2 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .small { fill: #9198a1 } .back { fill: #262c36 } .goal { stroke: #e6edf3 }
  .good { fill: #3fb950 } .bad { fill: #f0883e } .none { fill: #656c76 }
}
"""


def drawn(whole: Mapping[str, Any]) -> str:
    """The SVG of a run as it is written to JSON."""
    cases = [case for case in whole["cases"] if case["goal"] is not None]
    height = _TOP + _ROW * len(cases) + _BOTTOM
    goal = _LEFT + _BARS * _GOAL_AT
    facts = whole["machine"]
    where = f"{facts['cores']} cores, Python {facts['python']}, Pillow {facts['pillow']}"
    extra = ", with the fast extra" if facts["fast_extra"] else ""
    reached = sum(case["reached"] is True for case in cases)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" '
        f'height="{height}" role="img" aria-label="{reached} of {len(cases)} goals are reached">',
        f"<style>\n{_STYLE}</style>",
        _text(16, 26, f"make bench: {reached} of {len(cases)} goals reached", "title"),
        _text(16, 46, f"medians of {whole['rounds']} interleaved rounds; {where}{extra}", "small"),
        _text(goal, 64, "goal", "small", "middle"),
        _text(_LEFT, 64, "shorter is better", "small"),
    ]
    for number, case in enumerate(cases):
        parts += _bar(case, _TOP + number * _ROW)
    bottom = _TOP + _ROW * len(cases)
    parts.append(f'<line class="goal" x1="{goal:.0f}" x2="{goal:.0f}" y1="{_TOP - 4}" y2="{bottom}"/>')
    parts.append(
        _text(16, bottom + 22, "A bar is ratio / goal, or goal / ratio where more is better.", "small")
    )
    parts.append("</svg>")
    return "\n".join(parts) + "\n"


def _bar(case: Mapping[str, Any], top: float) -> Sequence[str]:
    goal, judged, reached = case["goal"], case["judged"], case["reached"]
    sign = "≥" if goal["more"] else "≤"
    title = _text(16, top + 16, _TITLES.get(case["name"], case["name"]), "")
    back = f'<rect class="back" x="{_LEFT}" y="{top + 3}" width="{_BARS}" height="17" rx="3"/>'
    if judged is None:
        return [
            title,
            back,
            _text(_LEFT + _BARS + 10, top + 16, f"not measured ({sign} {goal['bound']:g})", "small"),
        ]
    used = goal["bound"] / judged["median"] if goal["more"] else judged["median"] / goal["bound"]
    length = min(_BARS, used * _GOAL_AT * _BARS)
    kind = "good" if reached else "bad"
    beyond = " »" if length == _BARS else ""  # the bar would be longer
    shown = _text(_LEFT + _BARS + 10, top + 16, f"{judged['median']:.2f}{beyond}", "")
    bound = _text(_LEFT + _BARS + 66, top + 16, f"{sign} {goal['bound']:g}", "small")
    bar = f'<rect class="{kind}" x="{_LEFT}" y="{top + 3}" width="{length:.1f}" height="17" rx="3"/>'
    return [title, back, bar, shown, bound]


def _text(x: float, y: float, words: str, kind: str, anchor: str = "start") -> str:
    look = f' class="{kind}"' if kind else ""
    place = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text x="{x:.0f}" y="{y:.0f}"{look}{place}>{escape(words)}</text>'
