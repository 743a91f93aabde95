"""The part of report.html that repeats: a rule with its cases, a case with its requests, answers and pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from venice_contract.reports.bodies import body_text
from venice_contract.reports.case_files import FOLDER, CaseFile, replay_command
from venice_contract.reports.figures import WRONG, failing_cases
from venice_contract.reports.markup import Markup, Room, join, tag
from venice_contract.reports.requests import Address, curl, folded, in_session, safe, smallest, stands_in_line
from venice_contract.reports.thumbnails import Gallery, Shot, kind_of
from venice_contract.reports.wording import (
    COSTS,
    READING_ORDER,
    check_name,
    count,
    dollars,
    duration,
    shortened,
    size,
    value_text,
    visible,
)
from venice_contract.running.results import CaseResult, RuleResult, Verdict
from venice_contract.wire.message import Exchange, Reply

_MOST_CASES = 30  # of one rule, that did not fail
_MOST_FAILED = 3  # of one rule, shown with their requests and answers
_MOST_LISTED = 20  # failing cases of one rule beyond them, of which only the files are named
_MOST_SENTENCE, _MOST_NOTE = 2000, 400  # characters
_MOST_REASON = 600  # of a rule; the whole sentence stands in its case
_MOST_HEADERS, _MOST_VALUE = 4000, 240  # characters: of all headers, of one of them


@dataclass
class Drawing:
    """What drawing the rules of one page needs and uses up."""

    target: str
    address: Address
    files: Mapping[int, CaseFile]  # by id() of the case: two cases may be equal
    gallery: Gallery
    failed: Room
    others: Room


@dataclass(frozen=True, slots=True)
class Detail:
    """How much of a case is shown: its first or its last exchanges, and so many characters of a body."""

    exchanges: int
    body: int
    last: bool = True  # a failure is seen in the last one, a success in the first


_FAILED = (Detail(4, 4000), Detail(2, 500))  # the first that fits into a rule's share of the room
_LEAN, _OTHER = Detail(1, 500), Detail(2, 900, last=False)


def rule_card(rule: RuleResult, drawing: Drawing) -> Markup:
    """A rule, closed unless it is wrong; its cases those that failed first."""
    wrong = rule.verdict in WRONG and bool(rule.cases)
    about = rule.rule
    head = tag(
        "summary",
        tag(
            "span",
            tag("code", about.id, cls="id"),
            tag("span", about.level, cls="level"),
            tag("span", about.group, cls="group"),
            cls="line",
        ),
        tag("span", about.text, cls="text"),
        _reason(rule),
    )
    return tag(
        "details",
        head,
        tag("div", _facts(rule), _notes(rule.notes), _cases(rule, drawing), cls="inside"),
        cls=f"rule {css_name(rule.verdict)}",
        id=about.id,
        data_verdict=str(rule.verdict),
        data_group=about.group,
        data_level=about.level,
        open=wrong,
    )


def css_name(verdict: Verdict) -> str:
    """The class that colours a verdict."""
    return "v-" + str(verdict).lower().replace("/", "")


def _reason(rule: RuleResult) -> Markup:
    if not rule.reason or rule.verdict is Verdict.PASS:
        return Markup("")
    return tag("span", shortened(rule.reason, _MOST_REASON), cls="reason")


def _facts(rule: RuleResult) -> Markup:
    about = rule.rule
    span = f"since {about.since}" + (f", until {about.until}" if about.until else "")
    rows = [
        ("Source", f"{about.source} ({about.certainty})"),
        ("Shown by", about.check), ("Cost", COSTS[about.cost]), ("Editions", span),
    ]  # fmt: skip
    if about.difference is not None:
        rows.append(("Difference", about.difference))
    return tag(
        "dl", *(tag("div", tag("dt", name), tag("dd", value)) for name, value in rows if value), cls="facts"
    )


def _notes(notes: Sequence[str]) -> Markup:
    if not notes:
        return Markup("")
    return tag("ul", *(tag("li", shortened(note, _MOST_NOTE)) for note in notes[:40]), cls="notes")


def _cases(rule: RuleResult, drawing: Drawing) -> Markup:
    if not rule.cases:
        return tag("p", "No case of this rule was sent.", cls="quiet")
    failed = failing_cases(rule)
    drawn = _failing(rule, failed, drawing) if failed else []
    # By identity: two cases may be equal.
    seen = {id(case) for case in failed}
    rest = sorted(
        (case for case in rule.cases if id(case) not in seen),
        key=lambda case: READING_ORDER.index(case.verdict),
    )
    out: list[Markup] = []
    share = drawing.others.share() if rest else 0
    for case in rest[:_MOST_CASES]:
        piece = _case(case, drawing, _OTHER, is_open=False)
        if not drawing.others.take(piece, share):
            drawing.others.left_out += not out
            break
        share -= len(piece)
        out.append(piece)
    if missing := len(rest) - len(out):
        more = "more case" if drawn or out else "case"
        out.append(tag("p", f"{count(missing, more)} that did not fail in report.json.", cls="quiet more"))
    return join(*drawn, *out)


def _failing(rule: RuleResult, failed: Sequence[CaseResult], drawing: Drawing) -> list[Markup]:
    """The failing cases, the smallest first: some in full, within the rule's share of the room, the others by name."""
    chosen = smallest(rule)
    ordered = sorted(failed, key=lambda case: case is not chosen)
    share = drawing.failed.share()
    out: list[Markup] = []
    for case in ordered[:_MOST_FAILED]:
        is_open = case is chosen and rule.verdict in WRONG
        pieces = (_case(case, drawing, detail, is_open=is_open) for detail in _FAILED)
        piece = next((piece for piece in pieces if drawing.failed.take(piece, share)), None)
        if piece is None and not out:  # every rule shows one, if at all possible
            piece = _case(case, drawing, _LEAN, is_open=is_open)
            if not drawing.failed.take(piece):
                drawing.failed.left_out += 1
                break
        if piece is None:
            break
        share -= len(piece)
        out.append(piece)
    missing = ordered[len(out) :]
    if missing:
        out.append(_listed(missing, drawing, is_more=bool(out)))
    return out


def _listed(cases: Sequence[CaseResult], drawing: Drawing, *, is_more: bool) -> Markup:
    files = [drawing.files[id(case)].path for case in cases[:_MOST_LISTED]]
    many = f"And {len(cases)} more failed:" if is_more else f"{len(cases)} failed:"
    items = [tag("li", tag("code", path)) for path in files]
    if unnamed := len(cases) - len(files):
        items.append(tag("li", f"and {unnamed} more in {FOLDER}"))
    return tag("div", tag("p", many), tag("ul", *items), cls="quiet more")


def _case(case: CaseResult, drawing: Drawing, detail: Detail, *, is_open: bool) -> Markup:
    value = value_text(case.value)
    origin = {"generated": "found by search", "invariant": "seen on every exchange"}.get(case.source, "")
    told = [origin, dollars(case.spent) if case.spent else "", duration(case.seconds) if case.seconds else ""]
    head = tag(
        "summary",
        tag("span", str(case.verdict), cls=f"verdict {css_name(case.verdict)}"),
        tag("span", check_name(case.check), cls="check"),
        tag("code", shortened(value, 120), cls="value") if value else "",
        tag("span", ", ".join(word for word in told if word), cls="quiet"),
    )
    return tag(
        "details",
        head,
        tag("div", *_case_body(case, value, drawing, detail), cls="inside"),
        cls="case",
        open=is_open,
    )


def _case_body(case: CaseResult, value: str, drawing: Drawing, detail: Detail) -> list[Markup]:
    out = []
    if case.sentence:
        out.append(tag("p", shortened(case.sentence, _MOST_SENTENCE), cls="sentence"))
    if len(value) > 120:
        out.append(tag("pre", value, tabindex=0))
    if case.sides:
        sides = "; ".join(f"{name}: {', '.join(seen) or 'neither'}" for name, seen in case.sides.items())
        out.append(tag("p", f"Agrees with {sides}", cls="quiet"))
    out.append(_notes(case.notes))
    file = drawing.files.get(id(case))
    if file is not None:
        out.append(
            tag("p", "Send it again: ", tag("code", replay_command(file.path, drawing.target)), cls="quiet")
        )
    of = len(case.exchanges)
    first = max(of - detail.exchanges, 0) if detail.last else 0
    shown = case.exchanges[first : first + detail.exchanges]
    missing = of - len(shown)
    where = "report.json" if file is None else "the case file"
    if missing and first:
        out.append(tag("p", f"{count(missing, 'exchange')} before this in {where}.", cls="quiet"))
    for number, exchange in enumerate(shown, first + 1):
        last = number == of
        body_file = file.body_path if file is not None and last and file.body is not None else ""
        out.append(_exchange(safe(exchange), drawing, number, of, most_body=detail.body, body_file=body_file))
    if missing and not first:
        out.append(tag("p", f"{count(missing, 'more exchange')} in {where}.", cls="quiet"))
    if not case.exchanges:
        out.append(tag("p", "No exchange was kept.", cls="quiet"))
    return out


def _exchange(
    exchange: Exchange, drawing: Drawing, number: int, of: int, *, most_body: int, body_file: str
) -> Markup:
    sent, got = exchange.request, exchange.reply
    title = f"Request {number} of {of}" if of > 1 else "Request"
    about = [exchange.label, "sent to a session of its own" if in_session(sent, drawing.address) else ""]
    about += [f"only the first {size(sent.sends)} of the body were sent" if sent.sends is not None else ""]
    out = [
        tag("h4", title, _aside(about)),
        tag("pre", folded(curl(sent, drawing.address, body_file or "body.bin"), 88), cls="curl", tabindex=0),
    ]
    if sent.body and not stands_in_line(sent.body):
        out.append(tag("pre", body_text(sent.body, sent.header("content-type") or "", most_body), tabindex=0))
    out += _answer(got, exchange.fault, most_body)
    shots = _pictures(drawing.gallery.sent(sent), "sent")
    shots += _pictures([] if got is None else drawing.gallery.answered(got), "answered")
    if shots:
        out.append(tag("div", *shots, cls="pictures"))
    return tag("div", *out, cls="exchange")


def _answer(got: Reply | None, fault: str | None, most: int) -> list[Markup]:
    if got is None:
        return [
            tag("h4", "No answer"),
            tag("p", fault or "The client left before an answer came.", cls="sentence"),
        ]
    media = got.media_type or "no media type"
    about = [media, size(len(got.body)), duration(got.seconds)]
    headers = "\n".join(
        f"{name}: {shortened(visible(value, ''), _MOST_VALUE)}" for name, value in got.headers
    )
    out = [
        tag("h4", "Answer ", tag("span", str(got.status), cls=f"status s{got.status // 100}"), _aside(about))
    ]
    body = body_text(got.body, got.header("content-type") or "", most)
    if body and kind_of(got.body) is None:  # a picture is shown below
        out.append(tag("pre", body, tabindex=0))
    if headers:
        shown = tag("pre", shortened(headers, _MOST_HEADERS), tabindex=0)
        out.append(tag("details", tag("summary", count(len(got.headers), "header")), shown, cls="headers"))
    return out


def _aside(words: Sequence[str]) -> Markup:
    told = ", ".join(word for word in words if word)
    return tag("span", told, cls="quiet") if told else Markup("")


def _pictures(shots: Sequence[Shot], what: str) -> list[Markup]:
    out = []
    for shot in shots:
        caption = tag("figcaption", tag("b", what), f" {shot.caption}")
        if shot.uri is None:
            out.append(tag("figure", tag("div", "no picture", cls="blank"), caption))
            continue
        image = tag(
            "svg",
            tag("use", href=f"#{shot.name}"),
            width=shot.width,
            height=shot.height,
            viewBox=f"0 0 {shot.width} {shot.height}",
            role="img",
            aria_label=f"{what}: {shot.caption}",
        )
        out.append(tag("figure", image, caption))
    return out
