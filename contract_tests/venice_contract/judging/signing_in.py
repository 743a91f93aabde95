"""Signing in to the server of a probe: good sign-ins, how one is sent, and what its answer says of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from venice_contract.judging.callers import Caller
from venice_contract.judging.expect import equal, expect
from venice_contract.judging.probe import NOBODY, Probe
from venice_contract.wallets import ABSENT, SignIn, Wallet, good_sign_in
from venice_contract.wire.message import BadReply, Reply, shown

PREFIX = "X402_SIGN_IN_"  # of every code that refuses a sign-in
_FAR = 20.0  # seconds from a limit that are safe on a server whose clock is only known by its answers


def good(probe: Probe, wallet: Wallet, **given: Any) -> SignIn:
    """A sign-in without fault for this server, now, with a nonce of its own; ``given`` as for good_sign_in."""
    said = {
        "domain": probe.domain,
        "uri": probe.edit_url,
        "now": probe.now(),
        "nonce": f"{probe.random.getrandbits(128):032x}",
    }
    return good_sign_in(wallet, **{**said, **given})


def with_members(signed: SignIn, **members: Any) -> SignIn:
    """The same with further members of the finished payload replaced; ABSENT drops one."""
    return replace(signed, members={**signed.members, **members})


def without_member(signed: SignIn, name: str) -> SignIn:
    """The same without a member of the finished payload."""
    return with_members(signed, **{name: ABSENT})


def ask(
    probe: Probe,
    header: str,
    *,
    name: str = "SIGN-IN-WITH-X",
    caller: Caller = NOBODY,
    whole: bool = True,
    host: str | None = None,
) -> Reply:
    """Send an edit under this header. It is one that would succeed if it were paid, or lacks its prompt."""
    fields = probe.good() if whole else probe.good(prompt=...)
    called = () if host is None else (("Host", host),)
    return probe.edit(fields, caller=caller, headers=((name, header), *called))


def let_in(
    probe: Probe,
    header: str,
    *,
    name: str = "SIGN-IN-WITH-X",
    caller: Caller = NOBODY,
    host: str | None = None,
) -> Reply:
    """The sign-in is taken: its request, which lacks a prompt, is refused for that or for want of money."""
    return is_let_in(probe, ask(probe, header, name=name, caller=caller, whole=False, host=host))


def is_let_in(probe: Probe, reply: Reply) -> Reply:
    """The answer is one to somebody who is known: 400, or a 402 that does not ask who is there."""
    if reply.status == 402:
        expect(not is_discovery(reply), "answered 402 as if no credentials had been sent")
        return reply
    return probe.status(reply, 400)


def is_discovery(reply: Reply) -> bool:
    """Whether this is the 402 for those who send no credentials: the only body that names an x402 version."""
    body = _object(reply)
    return reply.status == 402 and body is not None and "x402Version" in body


def turned_away(probe: Probe, header: str, why: str, *, host: str | None = None) -> Reply:
    """The sign-in is refused: 401 with the code that ends in ``why``."""
    reply = probe.refused(ask(probe, header, host=host), 401)
    equal(code_of(reply), PREFIX + why, "the code")
    return reply


def code_of(reply: Reply) -> str | None:
    """The text under ``code``; None when there is none."""
    body = _object(reply)
    code = None if body is None else body.get("code")
    return code if isinstance(code, str) else None


def told(reply: Reply) -> str:
    """Status and code, for a note."""
    return f"{reply.status} {code_of(reply) or shown(reply.body, 60)}"


def on_time(probe: Probe) -> tuple[Probe, float]:
    """A probe whose server's clock stands still, where that can be had, and how near a limit it may be asked."""
    if not probe.steerable:
        return probe, _FAR
    still = probe.session()
    still.freeze(float(int(probe.now())))
    return still, 1.0


def _object(reply: Reply) -> dict[str, Any] | None:
    try:
        body = reply.json()
    except BadReply:
        return None
    return body if isinstance(body, dict) else None
