"""What Schemathesis loads: explained failures are noted and dropped, and wallets sign in. Runs in its environment.

The runner tells by environment variables what to do: ``SECOND_OPINION_RUN`` is the run's name, ``..._SEEN`` the file
for explained failures, and ``..._SIGNED``, for a wallet, the file with a sign-in header value a line.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import schemathesis  # type: ignore[import-not-found]  # not in the project's own environment

from second_opinion.deviations import Failure, first_covering, load_deviations

_RUN = os.environ["SECOND_OPINION_RUN"]
_SEEN = Path(os.environ["SECOND_OPINION_SEEN"])
_DEVIATIONS = load_deviations()


def filter_failure(_context: Any, failure: Any, _case: Any, response: Any) -> bool:
    """False for a failure that the list explains: it fails nobody, and is noted with its number."""
    is_text = "json" in (response.headers.get("content-type") or [""])[0]
    said = f"{failure.message}\n{response.status_code}\n{response.text if is_text else ''}"
    found = Failure(failure.operation, failure.checks[0], said)
    known = first_covering(_DEVIATIONS, _RUN, found)
    if known is None:
        return True
    with _SEEN.open("a", encoding="utf-8") as seen:
        seen.write(json.dumps(_DEVIATIONS.index(known)) + "\n")
    return False


class SignsIn:
    """A header is good for one request, so each request takes the next of those that the runner signed."""

    def __init__(self) -> None:
        self._values = iter(Path(os.environ["SECOND_OPINION_SIGNED"]).read_text("ascii").split())

    def get(self, _case: Any, _context: Any) -> str:
        """The next value. Raises RuntimeError when all are used."""
        value = next(self._values, None)
        if value is None:
            raise RuntimeError("the runner signed too few sign-in headers")
        return value

    def set(self, case: Any, data: str, _context: Any) -> None:
        """Put it on the request."""
        case.headers = {**(case.headers or {}), "SIGN-IN-WITH-X": data}


schemathesis.hook(filter_failure)
if "SECOND_OPINION_SIGNED" in os.environ:
    schemathesis.auth(refresh_interval=None)(SignsIn)
