"""What is to be paid: a 402's ``accepts``, asked of the one URL that the user typed, or read from a file.

The only module of the commands that uses the network.
"""

from __future__ import annotations

import contextlib
import http.client
import re
import socket
import threading
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec

from venice_mock.contract.wallet_types import PaymentFacts, WalletKind
from venice_mock.control.guard import is_loopback
from venice_mock.settings import SettingsError
from venice_mock.wallet.encoded import decode_header

_VISIBLE = re.compile(r"[!-~]{1,2000}")
_PATIENCE_S = 10.0  # for the whole exchange
_MOST_BYTES = 1 << 20
_MOST_HEADER = 1 << 16


class OfferError(Exception):
    """There is nothing to pay, or no way to. The text is one sentence."""


@dataclass(frozen=True, slots=True)
class Target:
    """A URL that the user typed. ``domain``: host and port as typed; ``uri``: the URL without its fragment."""

    uri: str
    domain: str
    host: str
    port: int | None
    secure: bool
    path: str


class _Offer(msgspec.Struct):
    """What signing reads of one entry of ``accepts``. Other members are welcome."""

    scheme: str
    network: str
    asset: str
    payTo: str
    maxTimeoutSeconds: Annotated[int, msgspec.Meta(ge=0, le=1 << 32)]
    extra: dict[str, Any] = {}


def read_url(text: str) -> Target:
    """Take a URL apart. Raises SettingsError, quoting no user name or password that it holds."""
    wrong = SettingsError("URL: expected an address such as http://127.0.0.1:8402/api/v1/image/edit.")
    if not _VISIBLE.fullmatch(text):
        raise wrong
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise wrong from None
    if parts.scheme not in ("http", "https") or not host:
        raise wrong
    if "@" in parts.netloc:
        raise SettingsError("URL: a user name or password has no place in it.")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(text.partition("#")[0], parts.netloc, host, port, parts.scheme == "https", path)


def ask_offers(target: Target, *, remote: str | None, patience_s: float = _PATIENCE_S) -> list[Any]:
    """POST to the URL without a payment and return the offers of its 402.

    Raises SettingsError for a host that is not this machine and not ``remote``, OfferError for whatever
    the server does instead, within ``patience_s`` seconds.
    """
    if not is_loopback(target.host) and (remote or "").strip("[]").lower() != target.host:
        raise SettingsError(
            f"{target.host} is not this machine. To ask it all the same, type --yes-remote {target.host}"
        )
    status, header, body = _asked(target, patience_s)
    if status != 402:
        raise OfferError(
            f"{target.uri} answered {status} instead of 402, so there is nothing to pay. "
            "Top-ups are at /api/v1/x402/top-up."
        )
    found = offers_in(body)
    if not found and header:
        with contextlib.suppress(ValueError):  # x402 version 2 may say it in the header alone
            found = _accepts(decode_header(header, _MOST_HEADER))
    if not found:
        raise OfferError(f"The 402 of {target.uri} offers no way to pay: its accepts is empty or missing.")
    return found


def offers_in(text: bytes) -> list[Any]:
    """The offers in the JSON of a 402, of its ``accepts``, or of one offer; none when it is none of these."""
    try:
        return _accepts(msgspec.json.decode(text))
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return []


def choose_offer(offers: list[Any], kind: WalletKind, facts: PaymentFacts) -> dict[str, Any]:
    """The first offer that a wallet of ``kind`` can pay. Raises OfferError."""
    names = {name for network in facts.networks if network.rail == kind for name in network.names}
    asked = []
    for offer in offers:
        try:
            read = msgspec.convert(offer, _Offer)
        except msgspec.ValidationError as error:
            raise OfferError(f"An offer of the 402 cannot be read: {error}.") from error
        asked.append(ascii(read.network[:60]))
        if read.network not in names or read.scheme != facts.scheme:
            continue
        if not _is_payable(read, kind):
            raise OfferError("The offer names an address that is none.")
        return dict(offer)
    raise OfferError(
        f"A wallet of kind {kind} cannot pay here: the 402 asks for payment on {', '.join(asked[:5])}."
    )


def _is_payable(offer: _Offer, kind: WalletKind) -> bool:
    if kind == "evm":
        from venice_mock.wallet import evm

        return evm.is_address(offer.payTo) and evm.is_address(offer.asset)
    from venice_mock.wallet import solana

    addresses = (offer.payTo, offer.asset, offer.extra.get("feePayer"))
    return all(isinstance(each, str) and solana.decode_address(each) is not None for each in addresses)


def _accepts(said: Any) -> list[Any]:
    if isinstance(said, dict) and "accepts" in said:
        said = said["accepts"]
    elif isinstance(said, dict) and "payTo" in said:
        said = [said]
    return said if isinstance(said, list) else []


def _asked(target: Target, patience_s: float) -> tuple[int, str, bytes]:
    """Status, PAYMENT-REQUIRED header and body. No proxy, no redirect, no second try."""
    kind = http.client.HTTPSConnection if target.secure else http.client.HTTPConnection
    connection = kind(target.host, target.port, timeout=patience_s)
    late = threading.Event()
    held: list[socket.socket] = []  # the connection forgets its socket when an answer has no length

    def hang_up() -> None:
        # A socket's timeout counts from byte to byte; a server that drips would hold us for ever.
        late.set()
        for each in held:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(patience_s, hang_up)
    timer.daemon = True
    timer.start()
    where = f"{'https' if target.secure else 'http'}://{target.domain}"
    try:
        connection.connect()
        held.append(connection.sock)
        if late.is_set():  # several addresses, each tried for as long: nothing was there to hang up
            raise TimeoutError
        connection.request("POST", target.path, headers={"Accept": "application/json", "Content-Length": "0"})
        with connection.getresponse() as answer:
            got = answer.status, answer.getheader("PAYMENT-REQUIRED", ""), answer.read(_MOST_BYTES)
    except ConnectionRefusedError as error:
        raise OfferError(f"No server answers at {where}. Is `venice-mock serve` running?") from error
    except (OSError, http.client.HTTPException, UnicodeError) as error:  # the last: no host name
        if late.is_set() or isinstance(error, TimeoutError):
            raise OfferError(f"{where} did not answer within {patience_s:g} seconds.") from error
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise OfferError(f"{where} cannot be asked: {reason}.") from error
    finally:
        timer.cancel()
        connection.close()
    if late.is_set():
        raise OfferError(f"{where} did not answer within {patience_s:g} seconds.")
    return got
