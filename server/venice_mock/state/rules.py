"""A session's rules: whose edits, with what model or prompt, are steered how, and how often each did. No HTTP here.

Of a key only its account's name is kept.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

from venice_mock.accounts.steering import Steering

MOST_RULES = 200  # ours, of one session


class RuleExists(Exception):
    """There is a rule of that id."""


class TooManyRules(Exception):
    """As many rules are in force as may be."""


@dataclass(slots=True)
class Rule:
    """``model``, ``prompt_contains`` and ``account`` must all fit; None fits all. ``then``: the order as it was said.

    ``times``: so many requests are steered, None: all. ``fired``: how many were.
    """

    id: str
    model: str | None
    prompt_contains: str | None
    account: str | None
    last4: str | None
    then: Mapping[str, Any]
    steering: Steering
    times: int | None = None
    fired: int = 0

    @property
    def is_used_up(self) -> bool:
        """Whether it steers nothing any more."""
        return self.times is not None and self.fired >= self.times

    def fits(self, model: str, prompt: str, account: str) -> bool:
        """Whether a request is one of those that are meant. Words of the prompt in any case."""
        return (
            self.model in (None, model)
            and self.account in (None, account)
            and (self.prompt_contains is None or self.prompt_contains.casefold() in prompt.casefold())
        )


class Rules:
    """The rules in the order in which they were made; of those that fit, the first that is not used up counts."""

    def __init__(self) -> None:
        self._rules: dict[str, Rule] = {}
        self._numbers = count(1)

    def __iter__(self) -> Iterator[Rule]:
        return iter(tuple(self._rules.values()))

    def get(self, name: str) -> Rule | None:
        """The rule of that id, if there is one."""
        return self._rules.get(name)

    def free_id(self) -> str:
        """An id that no rule has."""
        return next(name for name in map("rule-{}".format, self._numbers) if name not in self._rules)

    def add(self, rule: Rule) -> None:
        """Put a rule behind the others; the oldest that is used up makes room. Raises RuleExists, TooManyRules."""
        if rule.id in self._rules:
            raise RuleExists
        if len(self._rules) >= MOST_RULES:
            done = next((old.id for old in self if old.is_used_up), None)
            if done is None:
                raise TooManyRules
            del self._rules[done]
        self._rules[rule.id] = rule

    def remove(self, name: str) -> bool:
        """Take a rule away; whether there was one."""
        return self._rules.pop(name, None) is not None

    def clear(self) -> None:
        """Take all away."""
        self._rules.clear()

    def replace(self, rules: Iterable[Rule]) -> None:
        """These instead of all. Raises RuleExists, TooManyRules, and then nothing is changed."""
        found = list(rules)
        by_id = {rule.id: rule for rule in found}
        if len(by_id) < len(found):
            raise RuleExists
        if len(found) > MOST_RULES:
            raise TooManyRules
        self._rules = by_id

    def match(self, model: str, prompt: str, account: str, errors: Container[str]) -> Rule | None:
        """The rule that steers this request, counted as fired in the same step.

        ``errors``: those of the edition that is served now; a rule that orders another waits for its own.
        """
        for rule in self._rules.values():
            served = rule.steering.error is None or rule.steering.error in errors
            if served and not rule.is_used_up and rule.fits(model, prompt, account):
                rule.fired += 1
                return rule
        return None

    def give_back(self, rule: Rule) -> None:
        """The request was not steered by the rule after all."""
        rule.fired -= 1
