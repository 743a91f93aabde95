"""Runs made by hand for the tests of reports: all eleven verdicts, hostile texts, pictures, a blanked secret."""

from __future__ import annotations

import base64
import hashlib
import io
import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Literal

from PIL import Image

from venice_contract.running.results import CaseResult, RuleResult, RunResult, Verdict
from venice_contract.wire.message import (
    Exchange,
    Headers,
    Part,
    Reply,
    Request,
    form_request,
    json_request,
)
from venice_mock.contract import Rule

# Derived from a public sentence, so that it is plainly nobody's.
SECRET = "key_" + hashlib.sha256(b"a key that opens nothing, for tests of reports").hexdigest()
SCRIPT = "<script>document.title='owned'</script>"
HOSTILE = (
    f'{SCRIPT} <img src=x onerror=alert(1)> " onmouseover="alert(2)" \' &amp; ]]> --> </style></script> '
    "\x1b[31mred\x1b[0m \x00 \x07 \x9b31m \ud800 \ufffe \u202eevil\u202c | `tick` ```fence``` **bold** "
    "[link](https://example.invalid) @someone #12 www.example.invalid 画像が大きすぎます\r\nsecond line"
)


def rule(
    name: str,
    group: str = "image-input",
    level: Literal["must", "should", "may", "observe"] = "must",
    text: str = "",
    difference: str | None = None,
) -> Rule:
    """A rule with this id."""
    return Rule(
        id=name, group=group, level=level, text=text or f"What {name} says.", check="One request.",
        source="schema, error table", certainty="documented", cost="free", since="2026-06-19",
        difference=difference,
    )  # fmt: skip


def picture(colour: str = "orange", side: tuple[int, int] = (64, 48), kind: str = "PNG") -> bytes:
    """A small picture file."""
    out = io.BytesIO()
    image = Image.linear_gradient("L").resize(side)
    Image.merge("RGB", [image, Image.new("L", side, 90), Image.new("L", side, len(colour) * 20)]).save(
        out, kind
    )
    return out.getvalue()


def reply(status: int = 200, body: bytes | dict[str, Any] = b"", media: str = "", **headers: str) -> Reply:
    """An answer; a dict becomes JSON."""
    if isinstance(body, dict):
        body, media = json.dumps(body).encode(), media or "application/json"
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Reply(status, (("content-type", media), *named), body, 0.042)


def exchange(request: Request, answer: Reply | None, label: str = "", fault: str | None = None) -> Exchange:
    """An exchange with a credential in its request."""
    headers: Headers = (("Authorization", f"Bearer {SECRET}"), *request.headers)
    sent = Request(request.method, "/__s/t1/api/v1" + request.path, headers, request.body, absolute=True)
    return Exchange(sent, answer, fault, label)


def edit(prompt: str = "make it a sunset", answer: Reply | None = None) -> Exchange:
    """An edit with a picture in base64, answered by a picture."""
    body = {"prompt": prompt, "image": base64.b64encode(picture()).decode()}
    return exchange(json_request(body), answer or reply(200, picture("violet"), "image/png"))


def form_edit(answer: Reply | None = None) -> Exchange:
    """An edit as a form."""
    parts = [Part("prompt", b"night"), Part("image", picture("red"), "in.png", "image/png")]
    return exchange(form_request(parts), answer or reply(200, picture("blue", kind="WEBP"), "image/webp"))


def case(
    name: str, verdict: Verdict, *exchanges: Exchange, sentence: str = "", value: Any = None, **more: Any
) -> CaseResult:
    """A case of the rule of this name."""
    return CaseResult(
        f"{name}/{more.pop('check', 'it_is_so')}", name, value, verdict, sentence,
        exchanges=exchanges, seconds=0.05, **more,
    )  # fmt: skip


def single(
    name: str, verdict: Verdict, reason: str = "", *cases: CaseResult, of: Verdict | None = None, **about: Any
) -> RuleResult:
    """A rule with this verdict; one case of ``of`` when none is given."""
    made = cases or (case(name, of or verdict, edit(), sentence=reason),)
    return RuleResult(rule(name, **about), verdict, made, reason)


def run(rules: Sequence[RuleResult], **more: Any) -> RunResult:
    """A run of these rules."""
    shape: dict[str, Any] = {
        "target": "http://127.0.0.1:8402/api/v1", "server": "venice-mock 0.1.0", "edition": "2026-06-19",
        "accepted": "any", "profile": "ci", "seed": 7, "started": "2026-06-20T12:00:00Z", "seconds": 93.4,
        "spent": Decimal("0.0400"), "budget": Decimal("0.50"), "requests": 1204,
    }  # fmt: skip
    return RunResult(rules=tuple(rules), **{**shape, **more})


def clean_run() -> RunResult:
    """Everything passes or is not applicable."""
    passed = single("EDIT-FMT-001", Verdict.PASS, group="output-format")
    return run(
        [passed, RuleResult(rule("EDIT-X402-001", "x402"), Verdict.NA, (), "nothing in this run shows it")]
    )


def full_run() -> RunResult:
    """All eleven verdicts, with hostile texts, pictures both ways, several failing cases of one rule."""
    refused = reply(
        400,
        {"error": HOSTILE.encode("utf-8", "replace").decode(), "details": {"image": ["too <b>large</b>"]}},
        x_request_id=SCRIPT, set_cookie=SECRET,
    )  # fmt: skip
    failing = [
        case("EDIT-IMG-014", Verdict.FAIL, edit("first"), form_edit(), sentence=HOSTILE,
             value={"width": 4096, "note": HOSTILE}, source="generated", spent=Decimal("0.04")),
        case("EDIT-IMG-014", Verdict.FAIL, edit("prepares"), exchange(json_request({"prompt": SCRIPT}), refused),
             sentence="expected 413, got 400", value={"megabytes": 26}),
        case("EDIT-IMG-014", Verdict.PASS, edit(), form_edit(), value=[1, 2]),
    ]  # fmt: skip
    warned = case(
        "EDIT-HTTP-004", Verdict.FAIL,
        exchange(json_request(b"\xff\xfe broken"), None, fault="the connection was closed"),
        sentence="no answer came", value=None,
    )  # fmt: skip
    noted = case("EDIT-OBS-001", Verdict.OBSERVED, edit(), notes=("the header is there", HOSTILE))
    sided = case("EDIT-FMT-002", Verdict.PASS, edit(), sides={"wrong-content-type": ("observed",)})
    rules = [
        RuleResult(rule("EDIT-IMG-014", text="A picture of more than 25 MB is refused with 413."), Verdict.FAIL,
                   tuple(failing), HOSTILE),
        single("EDIT-IMG-015", Verdict.STALE, "listed as a deviation (fixed?), and passes", of=Verdict.PASS),
        single("EDIT-ERR-001", Verdict.HARNESS, "KeyError: 'data' (look, line 12)", group="response"),
        single("EDIT-ERR-002", Verdict.MASKED, "402 came first", group="response"),
        RuleResult(rule("EDIT-AUTH-002", "authentication"), Verdict.UNTESTED_CREDENTIAL, (), "no VENICE_API_KEY"),
        RuleResult(rule("EDIT-BILL-001", "billing"), Verdict.UNTESTED_COST, (), "the profile spends nothing"),
        RuleResult(rule("EDIT-HTTP-004", "transport", "should"), Verdict.WARN, (warned,), "no answer came"),
        single("EDIT-HTTP-005", Verdict.XFAIL, "known since May; got 404", of=Verdict.FAIL, group="transport"),
        RuleResult(rule("EDIT-OBS-001", "response", "observe"), Verdict.OBSERVED, (noted,)),
        RuleResult(rule("EDIT-FMT-002", "output-format"), Verdict.PASS, (sided,)),
        RuleResult(rule("EDIT-X402-009", "x402"), Verdict.NA, (), "nothing in this run shows it"),
    ]  # fmt: skip
    sides = {
        "wrong-content-type": ("observed",),
        "quality-on-edit": ("documented", "observed"),
        "no-such-row": (),
    }
    return run(rules, server=HOSTILE, sides=sides, waited_s=12.0)
