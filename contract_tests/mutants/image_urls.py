"""Mutants of the group ``image``: pictures by address."""

from __future__ import annotations

import functools
from dataclasses import replace
from ipaddress import IPv4Address
from typing import Any

from mutants.kit import Mutant, replaced, wrapping
from venice_mock.edit.addresses import reach
from venice_mock.edit.fetching import FetchPolicy


def _passing_on(judge: Any) -> Any:
    def judged(response: Any, limit: int) -> Any:
        if response.status_code >= 500:
            raise RuntimeError("the host failed")
        return judge(response, limit)

    return judged


def _unspecified_is_public(address: Any) -> str:
    return "public" if address == IPv4Address("0.0.0.0") else reach(address)


def _to_this_machine(join: Any) -> Any:
    def joined(url: str, location: bytes) -> str:
        return str(join(url, location)).replace("//0.0.0.0", "//127.0.0.1")

    return joined


def _public_is_all(permitted: Any) -> Any:
    async def judged(target: Any, policy: Any, resolve: Any) -> Any:
        if "public" in policy.allow:
            policy = replace(policy, allow=(*policy.allow, "loopback"))
        return await permitted(target, policy, resolve)

    return judged


def _by_name(connect: Any) -> Any:
    async def connected(target: Any, addresses: Any, policy: Any) -> Any:
        import asyncio

        if target.literal is not None:
            return await connect(target, addresses, policy)
        found = await asyncio.get_running_loop().getaddrinfo(target.host, target.port)
        return await connect(target, [found[0][4][0]], policy)

    return connected


def _with_a_line_end(fetched: Any) -> Any:
    async def more(contract: Any, url: bytes, fetch: Any) -> bytes:
        return bytes(await fetched(contract, url, fetch)) + b"\n"

    return more


MUTANTS: tuple[Mutant, ...] = (
    replaced(
        "EDIT-IMG-003",
        "https addresses are called without TLS",
        "venice_mock.edit.fetching._tls_context",
        lambda: None,
    ),
    wrapping(
        "EDIT-IMG-025",
        "a host's own failure is passed on",
        "venice_mock.edit.fetching._judge_head",
        _passing_on,
    ),
    replaced(
        "EDIT-IMG-026",
        "0.0.0.0 is taken for a public address",
        "venice_mock.edit.fetching.reach",
        _unspecified_is_public,
    ),
    wrapping(
        "EDIT-IMG-026",
        "a redirect to 0.0.0.0 is followed to this machine",
        "venice_mock.edit.fetching._join",
        _to_this_machine,
    ),
    replaced(
        "EDIT-IMG-029",
        "the fourth redirect is followed",
        "venice_mock.edit.fetching.FetchPolicy",
        functools.partial(FetchPolicy, max_redirects=4),
    ),
    replaced(
        "EDIT-IMG-029",
        "a fetch is given a minute",
        "venice_mock.edit.fetching.FetchPolicy",
        functools.partial(FetchPolicy, timeout_s=60.0),
    ),
    wrapping(
        "EDIT-IMG-030",
        "whoever allows the public network allows loopback too",
        "venice_mock.edit.fetching._permitted",
        _public_is_all,
    ),
    wrapping(
        "EDIT-IMG-031",
        "the name that was judged is resolved again to be called",
        "venice_mock.edit.fetching._connect",
        _by_name,
    ),
    wrapping(
        "EDIT-IMG-035",
        "a fetched picture has a line end added to it",
        "venice_mock.edit.source._fetched",
        _with_a_line_end,
    ),
)
