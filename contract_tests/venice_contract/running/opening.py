"""Opens a bench: reads what the user asked for, knocks at the server, and sets the limits that fit it.

Everything that can be wrong before the first case is told here, in one sentence.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from email.utils import parsedate_to_datetime
from random import Random

from venice_contract.judging.bench import Bench
from venice_contract.judging.callers import Purse
from venice_contract.judging.control import TOKEN, Control, ControlError
from venice_contract.judging.facts import Accepted, Facts
from venice_contract.running.limits import Meter, Pacer
from venice_contract.running.profiles import PROFILES, Profile, ProfileName
from venice_contract.wire.message import BadReply, Reply, Request, TransportFault, shown
from venice_contract.wire.secrets import Redactor
from venice_contract.wire.target import API, Target, Transport
from venice_mock.contract import load_edition

HOME_EDITION = "2026-06-19"
_MODELS = "/models"
_PER_MINUTE = 18  # below the 20 image requests a minute of the contract
_TOP_UPS_PER_MINUTE = 9  # below the 10 of the contract
_FAILURES = (15, 30.0)  # below the 20 failures in 30 s that block a caller


class OpeningError(Exception):
    """The run cannot begin. ``code``: 2 for wrong usage or a wrong address, 4 for a server that cannot be judged."""

    def __init__(self, sentence: str, code: int = 4) -> None:
        super().__init__(sentence)
        self.code = code


@dataclass(frozen=True, slots=True)
class Options:
    """What the user asked for. None: what fits the server. ``confirm_host``: the host, typed in full."""

    target: Target
    profile: ProfileName | None = None
    edition: str | None = None
    accepted: Accepted | None = None
    budget: Decimal | None = None
    failures: tuple[int, float] | None = None
    seed: int = 0
    timeout_s: float = 30.0
    confirm_host: str | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """A bench that is ready, the profile that fits, and the server in its own words."""

    bench: Bench
    profile: Profile
    server: str


@contextmanager
def opened(
    options: Options,
    *,
    environ: Mapping[str, str] = os.environ,
    wall_clock: Callable[[], float] = time.time,
    monotonic: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Opened]:
    """A bench for one run; its connection and its session end with the block. Raises OpeningError."""
    target = options.target
    profile = profile_for(options)
    _check_usage(options, profile)
    transport = target.open(options.timeout_s)
    try:
        reply = _knock(target, transport)
        control = None if profile.careful else _control(target, transport, environ)
        about = control.about() if control is not None else None
        if about is None:
            control = None
        facts = Facts(
            load_edition(options.edition or _told(about, "edition") or HOME_EDITION),
            options.accepted or _behavior(about),
        )
        prefix, session = target.prefix, None
        if control is not None and not target.session_prefix:
            session = control = _own_session(control, facts, profile)
            prefix = control.prefix + API
        redactor, random = Redactor(), Random(options.seed)
        if control is not None and control.token:
            redactor.learn(control.token)
        limited = profile.careful
        pacer = Pacer(
            monotonic,
            sleep,
            per_minute=_PER_MINUTE if limited else None,
            failures=options.failures or (_FAILURES if limited else None),
            guarded=limited,
            top_ups_per_minute=_TOP_UPS_PER_MINUTE if limited else None,
        )
        drift = _drift(reply, wall_clock()) if limited else 0.0
        bench = Bench(
            target=target,
            transport=transport,
            facts=facts,
            purse=Purse(environ, redactor, random, remote=limited, may_succeed=profile.may_succeed),
            meter=Meter(options.budget),
            pacer=pacer,
            redactor=redactor,
            random=random,
            wall_clock=lambda: wall_clock() + drift,
            control=control,
            prefix=prefix,
        )
        try:
            yield Opened(bench, profile, _server(about, reply))
        finally:
            if session is not None:
                session.close_session()
    except TransportFault as fault:
        raise OpeningError(str(fault)) from fault
    finally:
        transport.close()


def profile_for(options: Options) -> Profile:
    """The profile that was asked for, or the one that fits the server."""
    return PROFILES[options.profile or ("free" if options.target.is_remote else "ci")]


def _check_usage(options: Options, profile: Profile) -> None:
    target = options.target
    if profile.name == "real" and options.budget is None:
        raise OpeningError("--profile real needs --budget-usd: what may this run spend?", 2)
    if profile.name == "real" and (options.confirm_host or "").lower() != target.host.lower():
        raise OpeningError(
            f"--profile real spends money at {target.host}: type --confirm-host {target.host} to mean it.", 2
        )
    if target.is_remote and not profile.careful:
        raise OpeningError(
            f"{target.host} is not this machine: --profile {profile.name} is for mocks and local servers. "
            "Use --profile free, or real with a budget.",
            2,
        )


def _knock(target: Target, transport: Transport) -> Reply:
    """GET /models: needs no key, costs nothing, and tells whether this is the API at all.

    An address where something else answers is the user's to mend (code 2); an API that is broken is not.
    """
    reply = transport.send(Request("GET", target.prefix + _MODELS, absolute=True))
    if reply is None:
        raise OpeningError("the server did not answer.")
    where = f"{target.base_url}{_MODELS}" if target.app is None else f"{target.name}: GET {API}{_MODELS}"
    told, is_broken = "", False
    try:
        reply.json()
    except BadReply as bad:
        told = "it is an HTML page, not JSON" if reply.media_type == "text/html" else str(bad)
        is_broken = reply.status >= 500 or reply.media_type == "application/json"
    if is_broken:
        raise OpeningError(f"{where} answered {reply.status}, and {told}. Is this the API?")
    if reply.status == 404:
        told = shown(reply.body)
        raise OpeningError(f"{where} answered 404: {told}.{_hint(target, transport)}", 2)
    if told:
        raise OpeningError(f"{where} answered {reply.status}, and {told}.{_hint(target, transport)}", 2)
    return reply


def _hint(target: Target, transport: Transport) -> str:
    """What the user may have meant: an address is only named when the API answers there."""
    if target.app is not None:
        return f" The suite asks an application for {API}{_MODELS} and {API}/image/edit: does it serve them there?"
    for prefix in dict.fromkeys((target.prefix + API, API)):
        if prefix != target.prefix and _answers(transport, prefix):
            return f" The API answers below {API}: --base-url {target.origin}{prefix}"
    if target.prefix.endswith(API):
        return " Is this the API?"
    return f" The API is usually below {API}, but there is none at {target.base_url}{API} either."


def _answers(transport: Transport, prefix: str) -> bool:
    try:
        reply = transport.send(Request("GET", prefix + _MODELS, absolute=True))
        return reply is not None and reply.status != 404 and isinstance(reply.json(), dict)
    except (TransportFault, BadReply):
        return False


def _control(target: Target, transport: Transport, environ: Mapping[str, str]) -> Control | None:
    """Only a server on this machine, and no careful run, asks whether it can be steered."""
    if target.is_remote or not target.prefix.endswith(API):
        return None
    return Control(transport, target.session_prefix, environ.get(TOKEN, ""))


def _own_session(control: Control, facts: Facts, profile: Profile) -> Control:
    config: dict[str, str] = {"edition": facts.edition.edition}
    if facts.accepted != "any":
        config["behavior"] = facts.accepted
    if profile.engine is not None:
        config["engine"] = profile.engine
    try:
        return control.open_session(config)
    except ControlError as error:
        raise OpeningError(f"the mock refuses a session of its own: {error}") from error


def _behavior(about: Mapping[str, object] | None) -> Accepted:
    told = _told(about, "behavior")
    return "documented" if told == "documented" else "observed" if told == "observed" else "any"


def _told(about: Mapping[str, object] | None, name: str) -> str | None:
    value = (about or {}).get(name)
    return value if isinstance(value, str) else None


def _server(about: Mapping[str, object] | None, reply: Reply) -> str:
    if about is not None:
        return f"venice-mock {about.get('version')}"
    stamp = reply.header("x-venice-version")
    return f"version {stamp}" if stamp else reply.header("server") or "unknown"


def _drift(reply: Reply, now: float) -> float:
    """How far the server's clock is from ours, by its Date header; differences of a second are none."""
    try:
        theirs = parsedate_to_datetime(reply.header("date") or "").timestamp()
    except ValueError:
        return 0.0
    return theirs - now if abs(theirs - now) > 2 else 0.0
