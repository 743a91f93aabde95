"""Mutants of the rules X402-SIW. Most change one step of how the server judges a sign-in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec.structs import replace

from mutants.kit import Answer, Mutant, answering, with_data, wrapping
from venice_mock.wallet.signin import SignInFault, Why

_SIGN_IN = "venice_mock.wallet.signin"
_LAX_S = 60  # seconds where the contract allows thirty
_ERC6492_LENGTH = 200  # characters: longer than any plain signature


def _told_as(rule: str, text: str, why: Why, other: Why, follows: tuple[str, ...] = ()) -> Mutant:
    """Sign-ins are judged as they should be, and one fault is told by the code of another."""

    def wrap(verify: Callable[..., Any]) -> Callable[..., Any]:
        def verified(header: str, **given: Any) -> Any:
            try:
                return verify(header, **given)
            except SignInFault as fault:
                if fault.code == f"X402_SIGN_IN_{why}":
                    raise SignInFault(other) from fault
                raise

        return verified

    return wrapping(rule, text, "venice_mock.wallet.desk.verify_sign_in", wrap, follows=follows)


def _judged(rule: str, text: str, step: str, wrap: Callable[[Any], Any], *follows: str) -> Mutant:
    """One function of the server's judgement of sign-ins is another one."""
    return wrapping(rule, text, f"{_SIGN_IN}.{step}", wrap, follows=follows)


# --- payload and message ------------------------------------------------------------------------------------


def _address_of_message(message: Any) -> Any:
    from venice_mock.wallet.messages import parse_message

    def read(text: str, address: str) -> Any:
        try:
            address = parse_message(text).address
        except ValueError:
            return message(text, address)
        return message(text, address)

    return read


def _same_letters(message: Any) -> Any:
    def read(text: str, address: str) -> Any:
        found = message(text, address)
        if found.address != address:
            raise SignInFault("ADDRESS_MISMATCH")
        return found

    return read


def _checksummed_only(message: Any) -> Any:
    def read(text: str, address: str) -> Any:
        found = message(text, address)
        if found.kind == "evm" and found.address[2:] in (
            found.address[2:].lower(),
            found.address[2:].upper(),
        ):
            raise SignInFault("INVALID_MESSAGE")
        return found

    return read


def _nonce_made_up(message: Any) -> Any:
    def read(text: str, address: str) -> Any:
        found = message(text, address)
        return found if found.nonce else replace(found, nonce="none")

    return read


def _always_two_blank_lines(build: Any) -> Any:
    def built(**parts: Any) -> Any:
        text = build(**parts)
        missing = parts["statement"] is None and parts["kind"] == "solana"
        return text.replace("\n\nURI: ", "\n\n\nURI: ") if missing else text

    return built


def _short_signatures_only(payload: Any) -> Any:
    def read(header: str, facts: Any) -> Any:
        found = payload(header, facts)
        if len(found["signature"]) > _ERC6492_LENGTH:
            raise SignInFault("INVALID_PAYLOAD")
        return found

    return read


def _fails_on_long_headers(decode: Any) -> Any:
    def decoded(header: str, most: int) -> Any:
        if len(header) > most:
            raise RuntimeError("the header is too long")
        return decode(header, most)

    return decoded


# --- chain, domain and time ---------------------------------------------------------------------------------


def _knows_base(normalise: Any) -> Any:
    return lambda value: "eip155:8453" if value == "base" else normalise(value)


def _chain_id_unread(check: Any) -> Any:
    def checked(payload: Any, message: Any, facts: Any) -> None:
        try:
            check(payload, message, facts)
        except SignInFault as fault:
            if fault.code != "X402_SIGN_IN_CHAIN_MISMATCH":
                raise
            check({}, message, facts)

    return checked


def _port_counts(host: Any) -> Any:
    def authority(domain: str) -> str:
        rest: str = domain.partition("://")[2] or domain
        return str(host(domain)) + rest.partition("/")[0].partition(":")[2]

    return authority


def _times(change: Callable[[Any, Any, Any, float], tuple[Any, Any, Any]]) -> Callable[[Any], Any]:
    """The check of times, with payload, message and facts changed before."""

    def wrap(check: Any) -> Any:
        def checked(payload: Any, message: Any, facts: Any, now: float) -> Any:
            return check(*change(payload, message, facts, now), now)

        return checked

    return wrap


def _lax_timestamp(payload: Any, message: Any, facts: Any, _now: float) -> tuple[Any, Any, Any]:
    from venice_mock.wallet.signin import _seconds

    sent = None if payload.get("timestamp") is None else _seconds(payload["timestamp"])
    near = sent is not None and abs(sent - message.issued_at) <= _LAX_S
    return {} if near else payload, message, facts


def _lax_future(payload: Any, message: Any, facts: Any, now: float) -> tuple[Any, Any, Any]:
    ahead = message.issued_at > now
    return payload, message, msgspec.structs.replace(facts, skew_s=_LAX_S) if ahead else facts


def _no_expiration(payload: Any, message: Any, facts: Any, _now: float) -> tuple[Any, Any, Any]:
    return payload, replace(message, expires_at=None), facts


def _no_beginning(payload: Any, message: Any, facts: Any, _now: float) -> tuple[Any, Any, Any]:
    return payload, replace(message, not_before=None), facts


def _milliseconds_only(seconds: Any) -> Any:
    return lambda timestamp: None if isinstance(timestamp, str) else seconds(timestamp)


# --- signatures and nonces ----------------------------------------------------------------------------------


def _any_solana_signature(signed_by: Any) -> Any:
    return lambda kind, *rest: kind == "solana" or signed_by(kind, *rest)


def _bare_hex_too(signed_by: Any) -> Any:
    def signed(kind: str, address: str, text: str, signature: str, smart: Any) -> Any:
        whole = signature if kind != "evm" or signature.startswith("0x") else "0x" + signature
        return signed_by(kind, address, text, whole, smart)

    return signed


def _smart_wallets_unsigned(signed_by: Any) -> Any:
    def signed(kind: str, address: str, text: str, signature: str, smart: Any) -> Any:
        return address in smart or signed_by(kind, address, text, signature, smart)

    return signed


def _solana_nonces_forgotten(claim: Any) -> Any:
    async def claimed(store: Any, owner: str, nonce: str, **given: Any) -> Any:
        return await claim(store, owner, nonce, **given) or not owner.startswith("0x")

    return claimed


def _nonce_given_back(short: Any) -> Any:
    async def told(desk: Any, account: Any, *rest: Any) -> Any:
        known = desk.session.store._nonces
        for owner, nonce in [each for each in known if account.id.endswith(each[0])]:
            del known[owner, nonce]
        return await short(desk, account, *rest)

    return told


# --- answers ------------------------------------------------------------------------------------------------


def _code_on_statements(scope: Any, _body: bytes, answer: Answer) -> Answer:
    said = answer.json()
    if answer.status != 401 or "/x402/" not in scope["path"] or not isinstance(said, dict):
        return answer
    return answer.with_body({**said, "code": "X402_INVALID_SIGN_IN"})


def _code_without_prefix(_scope: Any, _body: bytes, answer: Answer) -> Answer:
    said = answer.json()
    if not isinstance(said, dict) or said.get("code") != "X402_SIGN_IN_NOT_BEFORE":
        return answer
    return answer.with_body({**said, "code": "NOT_BEFORE"})


def _domain_listed(edition: dict[str, Any]) -> None:
    edition["x402"]["sign_in"]["domains"].append("evil.example")


def _chain_by_default(edition: dict[str, Any]) -> None:
    edition["x402"]["sign_in"]["default_chain"] = "eip155:8453"


MUTANTS: tuple[Mutant, ...] = (
    _told_as("X402-SIW-001", "garbage is told as a payload that lacks something", "PARSE_ERROR", "INVALID_PAYLOAD"),
    _told_as("X402-SIW-002", "a payload without an address is told as one that cannot be parsed",
             "INVALID_PAYLOAD", "PARSE_ERROR"),
    _told_as("X402-SIW-003", "a text of another format is told as a payload that lacks something",
             "INVALID_MESSAGE", "INVALID_PAYLOAD"),
    _judged("X402-SIW-004", "the address beside the message is only compared with the signer", "_message",
            _address_of_message),
    _judged("X402-SIW-005", "the chain may be given by its short name", "normalise_chain", _knows_base),
    _judged("X402-SIW-006", "chainId is not compared with the message", "_check_chain", _chain_id_unread),
    with_data("X402-SIW-007", "a message without a chain means Base", _chain_by_default),
    _judged("X402-SIW-008", "a message may lack its nonce", "_message", _nonce_made_up),
    with_data("X402-SIW-009", "a foreign domain is on the list", _domain_listed, follows=("EDIT-AUTH-008",)),
    _judged("X402-SIW-010", "a timestamp may be a minute off", "_check_times", _times(_lax_timestamp)),
    _judged("X402-SIW-011", "Expiration Time is only informational", "_check_times", _times(_no_expiration),
            "EDIT-AUTH-007"),
    _judged("X402-SIW-012", "a message may come from a minute ahead", "_check_times", _times(_lax_future)),
    _judged("X402-SIW-013", "Not Before is not read", "_check_times", _times(_no_beginning)),
    _judged("X402-SIW-014", "signatures of Solana wallets are not verified", "_signed_by", _any_solana_signature),
    _told_as("X402-SIW-015", "an address of no known kind is told as a wrong signature",
             "INVALID_WALLET", "INVALID_SIGNATURE"),
    wrapping("X402-SIW-016", "nonces of Solana wallets are forgotten at once",
             "venice_mock.state.memory.MemoryStore.claim_nonce", _solana_nonces_forgotten),
    wrapping("X402-SIW-017", "who is told to top up gets the nonce back",
             "venice_mock.wallet.desk.WalletDesk.short", _nonce_given_back),
    _judged("X402-SIW-018", "the text of a Solana wallet's fields is built as Ethereum's is", "build_message",
            _always_two_blank_lines),
    _judged("X402-SIW-019", "a timestamp is read as milliseconds alone", "_seconds", _milliseconds_only,
            "X402-SIW-010"),
    _judged("X402-SIW-020", "the port of a domain counts", "host_of", _port_counts),
    _judged("X402-SIW-021", "addresses are compared letter by letter", "_message", _same_letters),
    _judged("X402-SIW-022", "a signature may lack its 0x", "_signed_by", _bare_hex_too),
    _judged("X402-SIW-023", "anybody signs for a smart wallet", "_signed_by", _smart_wallets_unsigned),
    _judged("X402-SIW-024", "a wrapped signature is told as no signature", "_payload", _short_signatures_only),
    _judged("X402-SIW-025", "a header that is too long makes the server fail", "decode_header",
            _fails_on_long_headers),
    answering("X402-SIW-026", "statements tell the code of a bad sign-in", _code_on_statements, where=""),
    answering("X402-SIW-027", "one code lacks its prefix", _code_without_prefix, follows=("X402-SIW-013",)),
    _judged("X402-SIW-029", "a signed address must be checksummed", "_message", _checksummed_only,
            "X402-SIW-015"),
)  # fmt: skip
