"""Writes docs/steering.md from the data: ``python docs/make_steering_page.py [--check]``.

Everything that steers the mock, as ``steering_table`` lists it. ``--check`` writes nothing and ends with 1 when the
page is not what the data says.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from venice_mock.accounts.steering import Stage
from venice_mock.contract import load_contract
from venice_mock.control.steering import Kind, Row, steering_table
from venice_mock.control.verdict import WINDOW_S
from venice_mock.settings import Settings
from venice_mock.state.rules import MOST_RULES

OUT = Path(__file__).parent / "steering.md"
_INTRO = """\
# Steering the mock

Made from the data by `make docs`; do not edit. Everything here works on the mock alone: to the real server a magic key
is a wrong one, `X-Mock` is a header it does not know, and a directive is part of the prompt.

Whoever steers, in this order; the first that says how an edit ends (by an error or a fault) has said it, and what he
leaves open (a pause, a seed, whether the content is adult) the next may say:

1. the headers of the request, `X-Mock` before `Prefer`
2. a rule of the session, `/__mock/rules`
3. a directive in the prompt, with `--prompt-magic`
4. a magic key
5. the server's options, such as `--latency`

The answer's `X-Mock-Cause` tells who it was: `header:fault=cut`, `rule:rule-1`, `prompt:error=offline`,
`key:mock_flaky_3`; a refusal for a broken rule of the contract tells its id in `X-Mock-Rule`. `--pure` hides both.
Only `POST /image/edit` is steered. Nothing happens by chance: pauses that are ranges are drawn from the session's
seed, and are the same ones without any.
"""
_RETRIES = """\
## What a retrying client pays

The API has no idempotency key, so an edit whose answer was lost after the charge is paid for again. Lose one answer on
purpose, let your client do what it does, and read what the account paid:

```sh
curl -sS 127.0.0.1:8402/__mock/rules -H 'Content-Type: application/json' \\
  -d '{{"then": {{"fault": "charge_then_504"}}, "times": 1}}'
# ... your client makes one edit with the key mock_ok ...
curl -sS 127.0.0.1:8402/__mock/ledger/verdict         # "ok": false when one logical request was charged twice
curl -sS 127.0.0.1:8402/__mock/accounts/mock_ok/ledger
```

Attempts are one logical request when caller, fields and picture are the same and each begins within {window:g} seconds
of the one before it, by the session's clock or by the real one: a test may move its clock on instead of waiting, and
still sees that its client paid twice. `/__mock/ledger/verdict?window_s=600` asks for another window. Two edits that
somebody wanted twice look the same; `POST /__mock/reset` with `{{"only": ["journal"]}}` parts them.

| the first answer | payments of a client that sends the same again |
|---|---|
| `charge_then_reset`, `charge_then_504` | 2 |
| `reset`, `cut`, `stall`, `corrupt`, `wrong_media_type` | 2 |
| `reset_before_charge`, any error to order | 1 |"""
_KINDS: dict[Kind, tuple[str, str]] = {
    "key": (
        "Keys",
        "`Authorization: Bearer KEY`. They pass through any SDK and need nothing else. A mistyped one is a 401 that "
        "names the nearest in `X-Mock-Hint`; `KEY__NAME` is that key in the session NAME. Where that is not open, the "
        "whole word is the key, and `X-Mock-Hint` says so.",
    ),
    "header": (
        "The header X-Mock",
        "Items separated by semicolons, each once: `X-Mock: error=rate_limited; retry_after=2`. What cannot be read "
        "is a 400 that says what is known, and so is `retry_after` where nobody orders an error.",
    ),
    "fault": (
        "Faults",
        "What is done to an answer on its way, in `X-Mock`, as `fault` of a rule, as a directive, or by the key "
        "`mock_NAME`. `@headers` is after the headers, `@body` after half of the body, `@body:N` after N bytes of it; "
        "an answer that is not longer is whole. Refusals are spoilt, too, unless the row says otherwise. On a "
        "connection of `venice-mock serve` a reset is a real one; in process the application raises "
        "`ConnectionResetError`.",
    ),
    "error": (
        "Errors",
        "The vendor's, to the byte, and free of charge; each stands at its stage of an edit, so that what is wrong "
        "with the request before that stage is told first. The stages, in order: {stages}.",
    ),
    "prefer": (
        "The header Prefer",
        "For clients that know it from other mocks: the usual error of a status.",
    ),
    "directive": (
        "Prompt directives",
        "Only with `--prompt-magic` (or `prompt_magic` in a session's config): for user interfaces through which "
        "nothing but a prompt can be sent. The prompt stays as it is.",
    ),
    "match": (
        "Rules: whom they meet",
        '`POST /__mock/rules` with `{{"match": ..., "then": ..., "times": 1}}`. All members of `match` must fit. Of '
        "the rules that fit, the oldest that is not used up counts, so that rules with `times` are a script: first a "
        "429, then a 503, then as usual. `GET` tells how often each has `fired`: a request that was refused for "
        "another reason, or that somebody stronger steered, is not counted. `DELETE /__mock/rules/ID` takes one away, "
        '`DELETE /__mock/rules` all (no body, no Content-Type), and so does a reset of `"rules"`. At most {most} in a '
        "session; a used-up one makes room. A `key` is kept as its account's name, and told so.",
    ),
    "then": (
        "Rules: what they order",
        "The items of `X-Mock`, as JSON. A 429 by a rule without `times` is true to its `Retry-After`: who waits as "
        "long by the session's clock (`/__mock/clock/advance`) is served, and ten seconds later it begins again.",
    ),
}


def main(words: list[str]) -> int:
    """Write the page, or with ``--check`` compare it."""
    text = "\n".join(page()) + "\n"
    if words != ["--check"]:
        OUT.write_text(text, "utf-8")
    elif not OUT.is_file() or OUT.read_text("utf-8") != text:
        print("docs/steering.md is not what the data says: run make docs", file=sys.stderr)
        return 1
    return 0


def page() -> Iterator[str]:
    """The lines of the page."""
    rows = steering_table(load_contract(Settings().edition))
    facts = {"stages": ", ".join(get_args(Stage)).replace("_", " "), "most": MOST_RULES, "window": WINDOW_S}
    yield _INTRO
    for kind, (title, text) in _KINDS.items():
        yield f"## {title}"
        yield ""
        yield text.format(**facts)
        yield ""
        yield from table([row for row in rows if row.kind == kind])
        yield ""
    yield _RETRIES.format(**facts)


def table(rows: list[Row]) -> Iterator[str]:
    """One line a row; status and stage where the rows have them."""
    staged = rows[0].status is not None
    yield "| send | status | stage | what happens |" if staged else "| send | what happens |"
    yield "|---|---|---|---|" if staged else "|---|---|"
    for row in rows:
        sends = (
            ", ".join(f"`{cell(send)}`" for send in row.send.split(", ")) if staged else f"`{cell(row.send)}`"
        )
        if row.kind == "fault":
            sends = ", ".join(f"`{cell(send)}`" for send in row.send.split(", "))
        stage = [str(row.status), (row.stage or "").replace("_", " ")] if staged else []
        yield f"| {' | '.join([sends, *stage, cell(row.text)])} |"


def cell(text: str) -> str:
    """Text that stays inside its cell."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
