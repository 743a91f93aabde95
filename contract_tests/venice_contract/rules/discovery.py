"""Checks of the group ``payment``: the 402 of a stranger, which tells how to pay, and the addresses in any 402."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from hypothesis import strategies as st

from venice_contract.judging.bench import EDIT
from venice_contract.judging.callers import Caller
from venice_contract.judging.check import check, invariant
from venice_contract.judging.expect import (
    Broken,
    NotApplicable,
    equal,
    expect,
    header_of,
    json_of,
    list_at,
    members,
    number_at,
    object_at,
    packed_json,
    text_at,
)
from venice_contract.judging.facts import Facts
from venice_contract.judging.probe import NOBODY, Probe
from venice_contract.wire.message import BadReply, Exchange, Headers, Reply

SIGN_IN_EXTENSION = "sign-in-with-x"
_ADDRESSES = {"eip155": r"0x[0-9a-fA-F]{40}", "solana": r"[1-9A-HJ-NP-Za-km-z]{32,44}"}


def no_credit(probe: Probe, caller: Caller, headers: Headers = (), *, form: bool = False) -> Reply:
    """The 402 that this caller's edit gets. Raises NotApplicable where it gets none, which other rules judge."""
    reply = probe.edit(caller=caller, headers=headers, form=form)
    if reply.status != 402:
        probe.unmasked(reply)
        raise NotApplicable(f"answered {reply.status}: there is no 402 to look at")
    return reply


def discovery(probe: Probe, headers: Headers = ()) -> Any:
    """The body of the 402 that a stranger gets."""
    return json_of(no_credit(probe, NOBODY, headers))


def requirements(probe: Probe, reply: Reply) -> Any:
    """What the header PAYMENT-REQUIRED holds."""
    name = probe.facts.edition.headers["payment_required"]
    return packed_json(header_of(reply, name), name)


# --- the body -----------------------------------------------------------------------------------------------


@check("EDIT-PAY-007")
def discovery_tells_the_ways_in(probe: Probe, _value: None) -> None:
    """x402Version 2, the resource, accepts, and how to authenticate with a key or a wallet."""
    body = discovery(probe)
    equal(number_at(body, "x402Version"), probe.facts.edition.x402.version, "x402Version")
    for name in ("url", "description", "mimeType"):
        text_at(body, "resource", name)
    list_at(body, "accepts")
    for name in probe.facts.edition.x402.auth_options:
        expect(bool(object_at(body, "authOptions", name)), f"authOptions.{name} is empty")


def _networks(facts: Facts) -> list[str]:
    return [network.caip2 for network in facts.edition.x402.payments.networks]


@check("EDIT-PAY-008", witnesses=_networks)
def discovery_accepts_payment_on_both_networks(probe: Probe, network: str) -> None:
    """A whole entry for the network, with addresses as they are written there."""
    offer = offer_on(probe.facts, list_at(discovery(probe), "accepts"), network)
    kind, where = network.partition(":")[0], f"of the entry for {network}"
    equal(text_at(offer, "scheme"), probe.facts.edition.x402.scheme, f"the scheme {where}")
    amount = text_at(offer, "amount")
    expect(re.fullmatch("[1-9][0-9]*", amount) is not None, f"the amount {where} is {amount!r}")
    expect(number_at(offer, "maxTimeoutSeconds") > 0, f"maxTimeoutSeconds {where} is not above 0")
    addresses = {name: text_at(offer, name) for name in ("asset", "payTo")}
    extra = object_at(offer, "extra")
    if kind == "solana":
        addresses["extra.feePayer"] = text_at(extra, "feePayer")
    for name, address in addresses.items():
        expect(re.fullmatch(_ADDRESSES[kind], address) is not None, f"{name} {where} is {address!r}")


def offer_on(facts: Facts, accepts: list[Any], network: str) -> Any:
    """The entry for a network, under whichever of its names."""
    known = next(each for each in facts.edition.x402.payments.networks if each.caip2 == network)
    for offer in accepts:
        if isinstance(offer, dict) and offer.get("network") in known.names:
            return offer
    named = [offer.get("network") if isinstance(offer, dict) else offer for offer in accepts]
    raise Broken(f"accepts has no entry for {network}, only for {named}")


@check("EDIT-PAY-009")
def discovery_carries_a_challenge(probe: Probe, _value: None) -> None:
    """What to sign, and on which chains."""
    challenge = object_at(discovery(probe), "extensions", SIGN_IN_EXTENSION)
    expect(bool(object_at(challenge, "info")), "the challenge's info is empty")
    expect(bool(list_at(challenge, "supportedChains")), "the challenge supports no chain")


@check("EDIT-PAY-012", witnesses=("json", "form"))
def discovery_names_the_address_that_was_asked(probe: Probe, encoding: str) -> None:
    """The path of resource.url is the one that was called, however the body was encoded."""
    reply = no_credit(probe, NOBODY, form=encoding == "form")
    url = text_at(json_of(reply), "resource", "url")
    expect(urlsplit(url).path.endswith(EDIT), f"resource.url is {url!r}, and {EDIT} was asked")


@check("EDIT-PAY-035")
def discovery_asks_for_ten_dollars(probe: Probe, _value: None) -> None:
    """The same on every network."""
    for offer in list_at(discovery(probe), "accepts"):
        asked = text_at(offer, "amount")
        equal(asked, probe.facts.edition.x402.suggested_amount, f"the amount on {offer.get('network')}")


# --- the header ---------------------------------------------------------------------------------------------


@check("EDIT-PAY-010")
def discovery_repeats_its_requirements_in_a_header(probe: Probe, _value: None) -> None:
    """Base64 of JSON whose accepts are those of the body."""
    reply = no_credit(probe, NOBODY)
    packed = requirements(probe, reply)
    equal(list_at(packed, "accepts"), list_at(json_of(reply), "accepts"), "accepts in the header")


@check("EDIT-PAY-010")
def a_wallet_without_credit_is_told_requirements_in_a_header(probe: Probe, _value: None) -> None:
    """Base64 of JSON with the version and what is accepted, which its body tells in other words."""
    packed = requirements(probe, no_credit(probe, probe.wallet()))
    number_at(packed, "x402Version")
    expect(bool(list_at(packed, "accepts")), "accepts in the header is empty")


@check("EDIT-PAY-036")
def what_the_header_leaves_out_is_recorded(probe: Probe, _value: None) -> None:
    """The mock's header has no authOptions; another server's is noted."""
    packed = requirements(probe, no_credit(probe, NOBODY))
    expect(isinstance(packed, dict), "the header holds no object")
    has = "authOptions" in packed
    probe.note(f"PAYMENT-REQUIRED {'has' if has else 'has no'} authOptions")
    if probe.steerable:
        expect(not has, "the header has authOptions")


# --- one kind of body at a time -----------------------------------------------------------------------------

_STRANGERS = (("x402Version", "accepts"), ("error", "resource", "extensions", "authOptions"))
_WALLETS = (
    (
        "error", "code", "reason", "suggestedTopUpUsd", "minimumTopUpUsd", "supportedTokens", "supportedChains",
        "topUpInstructions", "siwxChallenge",
    ),
    ("message", "currentBalanceUsd", "minimumBalanceUsd", "description"),
)  # fmt: skip
_KEYS = (("error",), ("code",))


@invariant("EDIT-PAY-011")
def every_402_of_an_edit_is_of_one_kind(exchange: Exchange, facts: Facts) -> bool:
    """Chosen by its members, the body has what that kind must have, and nothing that no such kind has."""
    request, reply = exchange.request, exchange.reply
    if reply is None or reply.status != 402 or not request.path.partition("?")[0].endswith(EDIT):
        return False
    try:
        _is_of_one_kind(reply.json(), facts)
    except BadReply:
        return False  # another rule wants JSON
    return True


@check("EDIT-PAY-011", witnesses=("stranger", "wallet", "key"))
def a_402_is_of_one_kind(probe: Probe, who: str) -> None:
    """A stranger's, a wallet's and a key's, each with the members of its kind."""
    if who == "key" and not probe.steerable:
        raise NotApplicable("a key's is looked at wherever one is refused")
    caller: Caller = NOBODY
    if who != "stranger":
        caller = probe.wallet() if who == "wallet" else probe.poor_key()
    _is_of_one_kind(json_of(no_credit(probe, caller)), probe.facts)


def _is_of_one_kind(body: Any, facts: Facts) -> None:
    expect(isinstance(body, dict), "the body of a 402 is no object")
    if "x402Version" in body:
        members(body, *_STRANGERS, what="a discovery body")
    elif body.get("code") == facts.edition.x402.texts.payment_required_code:
        members(body, *_WALLETS, what="a wallet's body")
    else:
        members(body, *_KEYS, what="a plain error")


# --- who may pay to whom, and where -------------------------------------------------------------------------

_CONFIGURED = {
    "pay_to_base": "0x00000000000000000000000000000000000000c1",
    "pay_to_solana": "ContractSuiteReceiver1111111111111111111112",
    "fee_payer": "ContractSuiteFeePayer1111111111111111111112",
}


@check("EDIT-PAY-040")
def money_can_only_be_sent_to_fakes(probe: Probe, _value: None) -> None:
    """Unless told otherwise the mock advertises its edition's receivers, on the real chains and for real USDC."""
    unset = dict.fromkeys(_CONFIGURED)
    body = discovery(probe.session(**unset))
    for rail in probe.facts.edition.x402.rails:
        offer = offer_on(probe.facts, list_at(body, "accepts"), rail.caip2)
        equal(text_at(offer, "payTo"), rail.pay_to, f"payTo on {rail.caip2}")
        equal(text_at(offer, "asset"), rail.asset, f"the asset on {rail.caip2}")
        fee_payer = object_at(offer, "extra").get("feePayer")
        equal(fee_payer, rail.extra.get("feePayer"), f"feePayer on {rail.caip2}")
        for address in filter(None, (rail.pay_to, fee_payer)):
            expect(
                _is_fake(address), f"{address} on {rail.caip2} may be an address that somebody can be paid at"
            )


def _is_fake(address: str) -> bool:
    """Nobody holds the key of an address that repeats two bytes, or that spells a sentence."""
    return re.fullmatch(r"0x([0-9a-f]{4})\1{9}", address) is not None or "DoNotPay" in address


@check("EDIT-PAY-040")
def receivers_that_are_configured_are_advertised(probe: Probe, _value: None) -> None:
    """Each of the three where it belongs."""
    accepts = list_at(discovery(probe.session(**_CONFIGURED)), "accepts")
    base, solana = (offer_on(probe.facts, accepts, network) for network in _networks(probe.facts))
    equal(text_at(base, "payTo"), _CONFIGURED["pay_to_base"], "payTo on Base")
    equal(text_at(solana, "payTo"), _CONFIGURED["pay_to_solana"], "payTo on Solana")
    equal(text_at(solana, "extra", "feePayer"), _CONFIGURED["fee_payer"], "feePayer on Solana")


def _hosts(_facts: Facts) -> st.SearchStrategy[list[str]]:
    names = st.sampled_from(["localhost", "127.0.0.1", "[::1]", "mock.test", "a-b.example"])
    hosts = st.one_of(names, st.builds("{}:{}".format, names, st.integers(1, 65535)))
    return st.tuples(st.sampled_from(["stranger", "wallet"]), hosts).map(list)


@check(
    "EDIT-PAY-037",
    witnesses=(
        ["stranger", "mock.test:9000"],
        ["wallet", "mock.test:9000"],
        ["stranger", ""],
        ["wallet", ""],
    ),
    strategy=_hosts,
)
def addresses_are_those_that_the_client_called(probe: Probe, value: tuple[str, str]) -> None:
    """The host as it was sent (empty: as usual), in the resource and in the challenge, of body and header alike."""
    who, host = value
    headers = (("Host", host),) if host else ()
    reply = no_credit(probe, NOBODY if who == "stranger" else probe.wallet(), headers)
    origin = f"http://{host}" if host else probe.origin
    _has_origin(probe, reply, origin)


def _has_origin(probe: Probe, reply: Reply, origin: str) -> None:
    """Every address in a 402 begins with this origin."""
    asked = origin + urlsplit(probe.edit_url)._replace(scheme="", netloc="").geturl()
    told = {"body": json_of(reply)}
    with contextlib.suppress(Broken):  # of a header that cannot be read, which another rule judges
        told["header"] = requirements(probe, reply)
    seen = 0
    for where, found in told.items():
        if "resource" in found:
            equal(text_at(found, "resource", "url"), asked, f"resource.url of the {where}")
            seen += 1
        info = challenge_of(found).get("info")
        if isinstance(info, dict):
            equal(info.get("domain"), origin.partition("://")[2], f"the challenge's domain in the {where}")
            equal(info.get("uri"), asked, f"the challenge's uri in the {where}")
            seen += 1
    expect(seen > 0, "the 402 names no address at all")


def challenge_of(body: Any) -> Mapping[str, Any]:
    """The sign-in challenge of a 402, under whichever of its two names; empty where there is none."""
    if not isinstance(body, dict):
        return {}
    extensions = body.get("extensions")
    offered = extensions.get(SIGN_IN_EXTENSION) if isinstance(extensions, dict) else None
    found = body.get("siwxChallenge", offered)
    return found if isinstance(found, dict) else {}


@check("EDIT-PAY-042", witnesses=("untrusted", "trusted"))
def only_a_trusted_proxy_names_the_host(probe: Probe, proxy: str) -> None:
    """X-Forwarded-Host and -Proto are followed by a mock that was told to trust, and by no other."""
    trusting = proxy == "trusted"
    steering = probe.steering
    if trusting and not steering.token and not steering.config()["trust_proxy"]:
        raise NotApplicable("only a mock with a control token can be told to trust a proxy")
    session = probe.session(trust_proxy=trusting)
    forwarded = (("X-Forwarded-Host", "proxy.test"), ("X-Forwarded-Proto", "https"))
    for caller in (NOBODY, session.wallet()):
        reply = no_credit(session, caller, forwarded)
        _has_origin(session, reply, "https://proxy.test" if trusting else session.origin)
