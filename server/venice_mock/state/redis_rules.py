"""A session's rules on Redis or Valkey: made, fired and taken away by any process, and counted once for all.

Which rules fit a request is found out here, among those that were read last; that they are still the session's, and
which of them steers this request, is one step on the server. Rules are read again when another process changed them.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Container, Iterable, Sequence
from contextlib import suppress
from typing import Any, Protocol

import msgspec
from msgspec.structs import replace

from venice_mock.state.rules import Rule, checked, named, with_rule
from venice_mock.state.store import StoreUnavailable


class Run(Protocol):
    """Does a verb of ``shared.lua`` on a session's keys. ``again``: it may be sent twice. Raises StoreUnavailable."""

    async def __call__(self, verb: str, *arguments: str | int, again: bool, long: bool = False) -> Any:
        """What the verb answers."""
        ...


class RedisRules:
    """The RuleBook of one session."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._version: str | None = None  # of those that were read last; empty: there never were any
        self._rules: list[Rule] = []
        self._reading = asyncio.Lock()  # what was read later is not to be taken for older

    async def learn(self, version: str) -> None:
        """This is the version that they have now."""
        if version != self._version:
            await self.all()

    async def all(self) -> list[Rule]:
        """See RuleBook."""
        async with self._reading:
            version, text, flat = await self._run("rules", again=True)
            if version != self._version:
                self._version, self._rules = version, msgspec.json.decode(text, type=list[Rule])
        fired = dict(zip(flat[::2], map(int, flat[1::2]), strict=True))
        return [replace(rule, fired=fired.get(rule.mark, 0)) for rule in self._rules]

    async def get(self, name: str) -> Rule | None:
        """See RuleBook."""
        return named(await self.all(), name)

    async def free_id(self) -> str:
        """See RuleBook."""
        rules = await self.all()
        while True:
            name = f"rule-{await self._run('rule_number', again=True)}"
            if named(rules, name) is None:
                return name

    async def add(self, rule: Rule) -> None:
        """See RuleBook."""
        await self._change(lambda rules: with_rule(rules, _marked(rule)))

    async def remove(self, name: str) -> bool:
        """See RuleBook."""
        before, after = await self._change(lambda rules: [rule for rule in rules if rule.id != name])
        return len(after) < len(before)

    async def clear(self) -> None:
        """See RuleBook."""
        await self._change(lambda _: [])

    async def replace(self, rules: Iterable[Rule]) -> None:
        """See RuleBook."""
        found = [_marked(rule) for rule in checked(rules)]
        await self._change(lambda _: found)

    async def match(self, model: str, prompt: str, account: str, errors: Container[str]) -> Rule | None:
        """See RuleBook."""
        if self._version is None:
            await self.all()
        while True:
            fitting = {rule.mark: rule for rule in self._rules if rule.fits(model, prompt, account, errors)}
            if not fitting:
                return None  # as it was when the request came in, and their version was told
            asked = [("" if rule.times is None else rule.times) for rule in fitting.values()]
            pairs = [each for pair in zip(fitting, asked, strict=True) for each in pair]
            what, *told = await self._run("fire", self._version or "", *pairs, again=False)
            if what == "fired":
                mark, fired = told
                return replace(fitting[mark], fired=fired)
            if what == "none":
                return None
            await self.all()

    async def give_back(self, rule: Rule) -> None:
        """See RuleBook."""
        with suppress(StoreUnavailable):  # the request ends as it would have
            await self._run("give_back", rule.mark, again=False)

    async def _change(
        self, changed: Callable[[Sequence[Rule]], list[Rule]]
    ) -> tuple[Sequence[Rule], Sequence[Rule]]:
        """The rules before and after, in one step: asked again when another process was faster."""
        while True:
            before = await self.all()
            known = self._version or ""
            after, version = changed(before), secrets.token_hex(8)
            text = msgspec.json.encode([replace(rule, fired=0) for rule in after]).decode()
            counts = [each for rule in after for each in (rule.mark, rule.fired)]
            if await self._run("change_rules", known, version, text, *counts, again=False):
                return before, after


def _marked(rule: Rule) -> Rule:
    return replace(rule, mark=secrets.token_hex(8))
