"""Which request of a failure a person should send again, and how it reads as a curl line. Nothing is sent here."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from venice_contract.reports.figures import failing_cases
from venice_contract.running.results import CaseResult, RuleResult
from venice_contract.wire.curl import curl_line, fits_in_line
from venice_contract.wire.message import Exchange, Request
from venice_contract.wire.secrets import Redactor
from venice_contract.wire.target import API, ASGI

_SESSION = re.compile(r"/__s/[^/?]+(?=/)")
# For an application in process. The shell refuses a line that is pasted without it, and tells the reason.
_SERVED = "${BASE_URL:?address where the application is served, with /api/v1}"
_SERVED_ORIGIN = "${BASE_URL%/api/v1}"
_MOST_IN_LINE = 1500  # bytes of a body
_WORD = re.compile(r"""(?:'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^\s'"\\])+""", re.DOTALL)
_STARTS = frozenset({"-H", "--data-binary"})


@dataclass(frozen=True, slots=True)
class Address:
    """Where curl lines go: the API's base, and the server's origin for paths that have it all."""

    base_url: str
    origin: str


def address_of(target: str) -> Address:
    """The address of a run's target. An application in process has none: its lines need ``$BASE_URL``."""
    if target.startswith(ASGI) or "://" not in target:
        return Address(_SERVED, _SERVED_ORIGIN)
    parts = urlsplit(target)
    return Address(target.rstrip("/"), f"{parts.scheme}://{parts.netloc}")


def judged(case: CaseResult) -> Exchange | None:
    """The exchange that decided a case: the last one, for a check stops at the first answer that it refuses.

    What came before it only prepared it, and is in the case file.
    """
    return case.exchanges[-1] if case.exchanges else None


def smallest(rule: RuleResult) -> CaseResult | None:
    """The failing case with the least to send again: the shortest judged request, in bytes. The first of equals.

    None when no case failed. One without any exchange is taken only where no other is.
    """

    def length(case: CaseResult) -> tuple[bool, int]:
        last = judged(case)
        return (last is None, 0 if last is None else _length(last.request))

    return min(failing_cases(rule), key=length, default=None)


def curl(request: Request, address: Address, body_file: str = "body.bin") -> str:
    """One shell command, credentials blanked. A mock's session in the path is left out: it ended with its case."""
    request = replace(
        request, headers=Redactor().headers(request.headers), path=_without_session(request.path, address)
    )
    if request.body and not stands_in_line(request.body):
        request = replace(request, body=b"\0")  # whatever it is, it will be read from the file
    if address.base_url == _SERVED and request.absolute and request.path.startswith(f"{API}/"):
        request = replace(request, path=request.path.removeprefix(API), absolute=False)
    return curl_line(request, address.base_url, address.origin, body_file)


def stands_in_line(body: bytes) -> bool:
    """Whether a curl line shows the body itself. A carriage return would not survive being pasted, and a picture in
    base64 would bury the line."""
    return len(body) <= _MOST_IN_LINE and fits_in_line(body) and b"\r" not in body


def in_session(request: Request, address: Address) -> bool:
    """Whether it went to a session of its own, which the curl line does not."""
    return _without_session(request.path, address) != request.path


def folded(line: str, width: int = 100) -> str:
    """A curl line with one option a line, still fit to paste; as it is where it fits into ``width``."""
    if len(line) <= width:
        return line
    rows: list[list[str]] = [[]]
    for word in _WORD.findall(line):
        if word in _STARTS and rows[-1]:
            rows.append([])
        rows[-1].append(word)
    return " \\\n  ".join(" ".join(row) for row in rows)


def safe(exchange: Exchange) -> Exchange:
    """The exchange with every header that is known to carry a credential blanked, should one be left."""
    return Redactor().exchange(exchange)


def _without_session(path: str, address: Address) -> str:
    found = _SESSION.match(path)
    if found is None or urlsplit(address.base_url).path.startswith(found[0] + "/"):
        return path
    return path[found.end() :]


def _length(request: Request) -> int:
    heads = sum(len(name) + len(value) + 4 for name, value in request.headers)
    return len(request.method) + len(request.path) + heads + len(request.body)
