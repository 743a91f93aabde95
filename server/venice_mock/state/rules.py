"""A session's rules: whose edits, with what model or prompt, are steered how, and how often each did. No HTTP here.

Of a key only its account's name is kept. Who shares a store with other processes shares the rules with them.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from itertools import count
from typing import Any, Protocol

import msgspec

from venice_mock.accounts.steering import Steering

MOST_RULES = 200  # ours, of one session


class RuleExists(Exception):
    """There is a rule of that id."""


class TooManyRules(Exception):
    """As many rules are in force as may be."""


class Rule(msgspec.Struct):
    """``model``, ``prompt_contains`` and ``account`` must all fit; None fits all. ``then``: the order as it was said.

    ``times``: so many requests are steered, None: all. ``fired``: how many were. ``mark`` tells a rule from
    another that had its id before, where that matters.
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
    mark: str = ""

    @property
    def is_used_up(self) -> bool:
        """Whether it steers nothing any more."""
        return self.times is not None and self.fired >= self.times

    def fits(self, model: str, prompt: str, account: str, errors: Container[str]) -> bool:
        """Whether a request is one of those that are meant. Words of the prompt in any case.

        ``errors``: those of the edition that is served now; a rule that orders another waits for its own.
        """
        return (
            (self.steering.error is None or self.steering.error in errors)
            and self.model in (None, model)
            and self.account in (None, account)
            and (self.prompt_contains is None or self.prompt_contains.casefold() in prompt.casefold())
        )


class RuleBook(Protocol):
    """The rules in the order in which they were made; of those that fit, the first that is not used up counts.

    One that is outside the process may raise StoreUnavailable.
    """

    async def all(self) -> list[Rule]:
        """Every rule, with how often it fired."""
        ...

    async def get(self, name: str) -> Rule | None:
        """The rule of that id, if there is one."""
        ...

    async def free_id(self) -> str:
        """An id that no rule has."""
        ...

    async def add(self, rule: Rule) -> None:
        """Put a rule behind the others; the oldest that is used up makes room. Raises RuleExists, TooManyRules."""
        ...

    async def remove(self, name: str) -> bool:
        """Take a rule away; whether there was one."""
        ...

    async def clear(self) -> None:
        """Take all away."""
        ...

    async def replace(self, rules: Iterable[Rule]) -> None:
        """These instead of all. Raises RuleExists, TooManyRules, and then nothing is changed."""
        ...

    async def match(self, model: str, prompt: str, account: str, errors: Container[str]) -> Rule | None:
        """The rule that steers this request, counted as fired in the same step. ``errors``: see Rule.fits."""
        ...

    async def give_back(self, rule: Rule) -> None:
        """The request was not steered by the rule after all."""
        ...


class Rules:
    """The rules of a session in this process: no verb lets another request in between."""

    def __init__(self) -> None:
        self._rules: list[Rule] = []
        self._numbers = count(1)

    async def all(self) -> list[Rule]:
        """See RuleBook."""
        return list(self._rules)

    async def get(self, name: str) -> Rule | None:
        """See RuleBook."""
        return named(self._rules, name)

    async def free_id(self) -> str:
        """See RuleBook."""
        return next(name for name in map("rule-{}".format, self._numbers) if named(self._rules, name) is None)

    async def add(self, rule: Rule) -> None:
        """See RuleBook."""
        self._rules = with_rule(self._rules, rule)

    async def remove(self, name: str) -> bool:
        """See RuleBook."""
        before, self._rules = self._rules, [rule for rule in self._rules if rule.id != name]
        return len(self._rules) < len(before)

    async def clear(self) -> None:
        """See RuleBook."""
        self._rules = []

    async def replace(self, rules: Iterable[Rule]) -> None:
        """See RuleBook."""
        self._rules = checked(rules)

    async def match(self, model: str, prompt: str, account: str, errors: Container[str]) -> Rule | None:
        """See RuleBook."""
        for rule in self._rules:
            if not rule.is_used_up and rule.fits(model, prompt, account, errors):
                rule.fired += 1
                return rule
        return None

    async def give_back(self, rule: Rule) -> None:
        """See RuleBook."""
        rule.fired -= 1


def named(rules: Iterable[Rule], name: str) -> Rule | None:
    """The rule of that id, if it is among these."""
    return next((rule for rule in rules if rule.id == name), None)


def with_rule(rules: Sequence[Rule], rule: Rule) -> list[Rule]:
    """These and one more, the oldest that is used up left out if they are too many.

    Raises RuleExists, TooManyRules.
    """
    kept = list(rules)
    if named(kept, rule.id) is not None:
        raise RuleExists
    if len(kept) >= MOST_RULES:
        done = next((old for old in kept if old.is_used_up), None)
        if done is None:
            raise TooManyRules
        kept.remove(done)
    return [*kept, rule]


def checked(rules: Iterable[Rule]) -> list[Rule]:
    """These, if they can stand together. Raises RuleExists, TooManyRules."""
    found = list(rules)
    if len({rule.id for rule in found}) < len(found):
        raise RuleExists
    if len(found) > MOST_RULES:
        raise TooManyRules
    return found
