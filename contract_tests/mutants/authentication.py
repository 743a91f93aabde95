"""Mutants of the group ``authentication``: of keys, of wallets as callers, and of what nobody is told."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from mutants.kit import API_EDIT, Answer, Mutant, answering, with_data, wrapping
from venice_mock.wallet.signin import SignInFault

_SIGN_IN = "venice_mock.wallet.signin"
_LARGEST = 36_700_160  # bytes of a JSON body
_PLAIN = {"error": "Authentication failed"}


def _header(scope: Any, name: bytes) -> bytes:
    return next((bytes(value) for key, value in scope["headers"] if key == name), b"")


# --- keys ---------------------------------------------------------------------------------------------------


def _empty_requests_unknown(scope: Any, body: bytes, answer: Answer) -> Answer:
    keyed = _header(scope, b"authorization") != b""
    return answer.with_body(_PLAIN, 401) if keyed and answer.status == 400 and body == b"{}" else answer


def _first_word(token: Any) -> Any:
    def read(headers: Any) -> Any:
        found = token(headers)
        return found if not found else found.split()[0]

    return read


def _code_for_bad_keys(_scope: Any, _body: bytes, answer: Answer) -> Answer:
    return answer.with_body({**_PLAIN, "code": "UNAUTHORIZED"}) if answer.json() == _PLAIN else answer


def _key_in_header(scope: Any, _body: bytes, answer: Answer) -> Answer:
    token = _header(scope, b"authorization").decode("latin-1").partition(" ")[2]
    return answer.with_header("x-denied-key", token) if answer.status == 401 and token else answer


def _text_of_inactive(edition: dict[str, Any]) -> None:
    edition["errors"]["AUTHENTICATION_FAILED_INACTIVE_KEY"]["text"] = "Authentication failed"


def _text_of_disabled(edition: dict[str, Any]) -> None:
    edition["errors"]["API_ACCESS_DISABLED"]["text"] = "Forbidden"


# --- nobody -------------------------------------------------------------------------------------------------


def _unauthorized_without_body(scope: Any, _body: bytes, answer: Answer) -> Answer:
    asks = answer.status == 402 and "x402Version" in (answer.json() or {})
    empty = _header(scope, b"content-length") in (b"", b"0")
    return answer.with_body(_PLAIN, 401) if asks and empty else answer


def _payment_is_a_credential(known: Any) -> Any:
    def has(contract: Any, headers: Any) -> Any:
        names = contract.edition.x402.payment_headers
        return known(contract, headers) or any(name.lower() in headers for name in names)

    return has


def _size_first(scope: Any, _body: bytes, answer: Answer) -> Answer:
    announced = _header(scope, b"content-length")
    if answer.status == 402 and announced and int(announced) > _LARGEST:
        return answer.with_body({"error": "Payload too large"}, 413)
    return answer


# --- wallets ------------------------------------------------------------------------------------------------


def _plain_statements_only(parse: Any) -> Any:
    def read(text: str) -> Any:
        if "%" in text:
            raise ValueError("a statement has letters and digits")
        return parse(text)

    return read


def _one_header_name(edition: dict[str, Any]) -> None:
    del edition["x402"]["sign_in_headers"][1:]


def _own_domain_by_default(rebuilt: Any) -> Any:
    return lambda payload: rebuilt({"domain": "127.0.0.1:8402", **payload})


def _wrong_signature_is_a_wrong_payload(verify: Any) -> Any:
    def verified(header: str, **given: Any) -> Any:
        try:
            return verify(header, **given)
        except SignInFault as fault:
            if fault.code == "X402_SIGN_IN_INVALID_SIGNATURE":
                raise SignInFault("INVALID_PAYLOAD") from fault
            raise

    return verified


def _life_as_long_as_it_says(check: Any) -> Any:
    def checked(payload: Any, message: Any, facts: Any, now: float) -> Any:
        if message.expires_at is not None and message.expires_at > message.issued_at + facts.life_s + 1:
            message = replace(message, issued_at=message.expires_at - facts.life_s)
        return check(payload, message, facts, now)

    return checked


def _any_domain_of_that_ending(host: Any) -> Any:
    return lambda domain: "venice.ai" if host(domain).endswith("venice.ai") else host(domain)


def _no_digits_as_text(normalise: Any) -> Any:
    def normal(value: object) -> Any:
        if isinstance(value, str) and value.isdigit():
            raise ValueError("a number or a CAIP-2 id")
        return normalise(value)

    return normal


def _base58_only(decode: Any) -> Any:
    return lambda text: None if text.endswith("==") else decode(text)


def _keys_go_first(signs_in: Any) -> Any:
    return lambda contract, headers: "authorization" not in headers and signs_in(contract, headers)


def _short_memory(edition: dict[str, Any]) -> None:
    edition["x402"]["sign_in"]["nonce_life_s"] = 60


MUTANTS: tuple[Mutant, ...] = (
    answering("EDIT-AUTH-001", "a key that asks for nothing is told that it is unknown", _empty_requests_unknown),
    wrapping("EDIT-AUTH-002", "of a key with a space in it the first word counts",
             "venice_mock.accounts.callers.bearer_token", _first_word, follows=("MOCK-KEY-001",)),
    wrapping("EDIT-AUTH-003", "a statement with a percent sign is no message", f"{_SIGN_IN}.parse_message",
             _plain_statements_only),
    with_data("EDIT-AUTH-004", "the older header name is not read any more", _one_header_name,
              follows=("EDIT-AUTH-013", "EDIT-AUTH-017")),
    wrapping("EDIT-AUTH-005", "fields without a domain are taken for the server's own", f"{_SIGN_IN}._rebuilt",
             _own_domain_by_default),
    wrapping("EDIT-AUTH-006", "a wrong signature is told as an incomplete payload",
             "venice_mock.wallet.desk.verify_sign_in", _wrong_signature_is_a_wrong_payload,
             follows=("X402-SIW-014", "X402-SIW-023", "X402-SIW-024")),
    wrapping("EDIT-AUTH-007", "a late Expiration Time makes a sign-in live longer", f"{_SIGN_IN}._check_times",
             _life_as_long_as_it_says),
    wrapping("EDIT-AUTH-008", "any domain that ends in the vendor's is taken", f"{_SIGN_IN}.host_of",
             _any_domain_of_that_ending),
    wrapping("EDIT-AUTH-010", "digits in a text are no chain", f"{_SIGN_IN}.normalise_chain", _no_digits_as_text),
    wrapping("EDIT-AUTH-011", "signatures of Solana wallets are read as base58 alone",
             "venice_mock.wallet.solana.decode_signature", _base58_only),
    answering("EDIT-AUTH-012", "who sends nothing at all gets 401", _unauthorized_without_body),
    wrapping("EDIT-AUTH-013", "a key goes before a wallet", "venice_mock.edit.endpoint.signs_in", _keys_go_first),
    with_data("EDIT-AUTH-015", "a nonce is forgotten after a minute", _short_memory),
    wrapping("EDIT-AUTH-016", "a payment header passes for a credential",
             "venice_mock.edit.endpoint.has_credentials", _payment_is_a_credential),
    answering("EDIT-AUTH-019", "a refused key comes back in a header", _key_in_header, where=API_EDIT),
    answering("EDIT-AUTH-021", "the size is looked at before anybody is asked who they are", _size_first),
    answering("EDIT-AUTH-022", "a bad key is told a code as well", _code_for_bad_keys,
              follows=("EDIT-ERR-015",)),
    with_data("EDIT-AUTH-023", "an inactive subscription is told as a bad key", _text_of_inactive,
              follows=("EDIT-ERR-015", "MOCK-KEY-007")),
    with_data("EDIT-AUTH-024", "a disabled account is told in one word", _text_of_disabled,
              follows=("EDIT-ERR-015", "MOCK-KEY-008")),
)  # fmt: skip

NO_MUTANT: dict[str, str] = {
    "EDIT-AUTH-017": "ASGI hands every header name over in lower case: no application can tell how it was sent.",
}
