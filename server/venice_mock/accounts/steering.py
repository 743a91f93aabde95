"""What a caller orders of the mock: one frozen value, and the stage of an edit at which each error belongs.

How an order is written (keys, headers) is none of this module's business, nor is what is done about it.
"""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec.structs import replace

from venice_mock.accounts.faults import Fault
from venice_mock.contract import Contract
from venice_mock.settings_types import Latency

Stage = Literal[
    "media_type",
    "payment_header",
    "credentials",
    "rate",
    "body",
    "schema",
    "model",
    "image",
    "policy",
    "balance",
    "work",
]
# In the order of edit/endpoint.py. A row of the error table stands where its status does, unless it is named.
_STAGES: dict[int, Stage] = {
    415: "media_type",
    401: "credentials",
    403: "credentials",
    429: "rate",
    413: "body",
    400: "schema",
    404: "model",
    422: "image",
    402: "balance",
}
_STAGES_OF_NAMES: dict[str, Stage] = {
    "INVALID_CONTENT_TYPE_OBSERVED": "media_type",
    "PAYMENT_HEADER_NOT_ACCEPTED": "payment_header",
    "CORRUPTED_IMAGE": "image",
    "IMAGE_TOO_SMALL": "image",
    "CONTENT_POLICY_VIOLATION": "policy",
}


class Steering(msgspec.Struct, frozen=True):
    """An order, empty by default. ``cause`` says who gave it, for ``X-Mock-Cause``.

    ``error``: a name of the edition's table. ``times``: only the account's first so many edits fail.
    ``ends``: who waits as long as a 429 tells is served. ``retry_after``: whole seconds to tell instead of the
    usual ones. ``latency``: seconds, instead of the server's. ``seed``: of the picture. ``fault``: what is done to
    the answer on its way. ``adult``: whether the content counts as adult, whatever its signs say.
    """

    error: str | None = None
    times: int | None = None
    ends: bool = False
    retry_after: int | None = None
    latency: Latency | None = None
    seed: int | None = None
    fault: Fault | None = None
    adult: bool | None = None
    cause: str | None = None

    @property
    def cause_of_success(self) -> str | None:
        """The cause, unless a 200 is the same without the order."""
        # An error that ended, or that was waited for, is a change, too.
        changes = (self.error, self.latency, self.seed, self.fault, self.adult)
        return None if all(change is None for change in changes) else self.cause

    def over(self, weaker: Steering) -> Steering:
        """Both orders as one: where they disagree, this one counts, and only who counts is a cause.

        How a request ends is one choice: who names an error or a fault has made it.
        """
        if weaker is AS_USUAL:
            return self
        if self is AS_USUAL:
            return weaker
        ending = weaker if (self.error, self.fault) == (None, None) else self
        together = replace(
            ending,
            retry_after=ending.retry_after if self.retry_after is None else self.retry_after,
            latency=weaker.latency if self.latency is None else self.latency,
            seed=weaker.seed if self.seed is None else self.seed,
            adult=weaker.adult if self.adult is None else self.adult,
            cause=self.cause,
        )
        if together == self:
            return self
        causes = [cause for cause in (self.cause, weaker.cause) if cause is not None]
        return replace(together, cause=", ".join(causes) or None)


AS_USUAL = Steering()


def stage_of(contract: Contract, error: str) -> Stage:
    """Where in an edit the row ``error`` of the table belongs. Raises KeyError for an unknown name."""
    status = contract.error(error).status
    return _STAGES_OF_NAMES.get(error) or _STAGES.get(status, "work")
