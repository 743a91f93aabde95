"""The profiles: which rules a run tries, how hard, and how carefully."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from venice_mock.contract import Rule

ProfileName = Literal["mock", "ci", "free", "real"]
NAMES: tuple[ProfileName, ...] = ("mock", "ci", "free", "real")


@dataclass(frozen=True, slots=True)
class Profile:
    """``costs``: the cost classes that are tried. ``examples``: Hypothesis examples a check, 0 for witnesses
    alone. ``most_witnesses``: of each check, in their order. ``careful``: a foreign server's limits are kept."""

    name: ProfileName
    text: str
    costs: frozenset[str]
    examples: int
    heavy: bool
    derandomized: bool = False
    careful: bool = False
    may_succeed: bool = True
    engine: str | None = None
    most_witnesses: int | None = None

    def tries(self, rule: Rule) -> bool:
        """Whether the profile tries rules of this cost class."""
        return rule.cost in self.costs


_FREE = frozenset({"free", "free-wallet"})
_PLAYED = _FREE | {"free-refusal", "paid"}

PROFILES: dict[ProfileName, Profile] = {
    "mock": Profile(
        "mock", "everything, with random search; for a mock or a local server",
        _PLAYED | {"mock"}, examples=60, heavy=True,
    ),
    "ci": Profile(
        "ci", "everything, derandomised and quick; a mock that can be steered draws flat cards",
        _PLAYED | {"mock"}, examples=12, heavy=True, derandomized=True, engine="fast",
    ),
    "free": Profile(
        "free", "only what cannot succeed, so nothing can be charged; for the real server",
        _FREE, examples=0, heavy=False, careful=True, may_succeed=False, most_witnesses=3,
    ),
    "real": Profile(
        "real", "refusals and paid edits, within --budget-usd; for the real server",
        _PLAYED, examples=0, heavy=False, careful=True, most_witnesses=3,
    ),
}  # fmt: skip
