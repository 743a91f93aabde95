"""``venice-mock wallet``: throwaway wallets and the headers that they sign, so that curl can play a wallet.

Options and output; the signing stands in ``venice_mock.wallet.signing``, the asking in ``offers``.
"""

from __future__ import annotations

import argparse
import difflib
import hashlib
import json
import os
import re
import sys
import time
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from venice_mock.commands.files import STREAM, JobError, read_input
from venice_mock.commands.offers import OfferError, ask_offers, choose_offer, offers_in, read_url
from venice_mock.commands.options import add_settings, command_parser, settings
from venice_mock.commands.wallet_files import load_wallet, wallet_text
from venice_mock.commands.writing import PRIVATE, write_new
from venice_mock.contract.wallet_types import PaymentFacts
from venice_mock.settings import SettingsError

VERBS = {
    "new": "make a throwaway wallet",
    "sign": "print a signed sign-in header for a URL",
    "pay": "print a signed top-up payment for a URL",
}

EXAMPLES = """\
  venice-mock wallet new -o wallet.json
  venice-mock wallet sign wallet.json http://127.0.0.1:8402/api/v1/image/edit
  venice-mock wallet pay wallet.json http://127.0.0.1:8402/api/v1/x402/top-up
  venice-mock wallet VERB --help
"""
NEW_EXAMPLES = """\
  venice-mock wallet new > wallet.json
  venice-mock wallet new -o wallet.json        only you may read the file
  venice-mock wallet new --kind solana
  venice-mock wallet new --seed "alice"        the same wallet every time

never fund such a wallet: its secret lies in plain text, and that of --seed is
the sha256 of the sentence, which anybody can compute.
"""
SIGN_EXAMPLES = """\
  curl -sS http://127.0.0.1:8402/api/v1/image/edit -F image=@photo.jpg \\
    -F prompt=sunset -o edited.png -H "$(venice-mock wallet sign wallet.json \\
    http://127.0.0.1:8402/api/v1/image/edit)"
  venice-mock wallet sign wallet.json URL --value
  venice-mock wallet sign wallet.json URL --structured --json

a header is good for one request and five minutes. Nothing is sent anywhere.
"""
PAY_EXAMPLES = """\
  curl -sS -X POST http://127.0.0.1:8402/api/v1/x402/top-up \\
    -H "$(venice-mock wallet pay wallet.json \\
    http://127.0.0.1:8402/api/v1/x402/top-up --usd 25)"
  venice-mock wallet pay wallet.json URL --shape v1 --value
  curl -sS -X POST URL | venice-mock wallet pay wallet.json --offer -

the URL is asked by a POST for what it wants; the payment is printed, not sent.
No server but one on this machine is asked unless --yes-remote names it.
"""

_SIGN_IN_NONCE = re.compile(r"[!-~]{1,128}")
_PAYMENT_NONCE = re.compile(r"(?:0x)?([0-9a-fA-F]{64})")
_SECONDS = re.compile(r"[0-9]{1,11}(\.[0-9]{1,9})?")
_LAST_SECOND = 253_402_300_799  # the year 9999, where dates end


class _Verbs(argparse.ArgumentParser):
    """The parser of the whole command: its first word chooses the parser of the rest.

    ``add_subparsers`` is not used because its parsers do not take options between the positionals.
    """

    def parse_intermixed_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse with the parser of the verb, or end with help or a usage error."""
        if args and args[0] in VERBS:
            return _PARSERS[args[0]]().parse_intermixed_args(args[1:], namespace)
        words = list(args or ())[:1]
        if not words or words[0].startswith("-"):
            self.parse_args(words)  # ends here for help, and for an option that there is not
            fault = f"give a verb: {', '.join(VERBS)}."
        else:
            near = difflib.get_close_matches(words[0], VERBS, n=1)
            fault = f"there is no verb {words[0][:60]!r}. "
            fault += f"Did you mean {near[0]}?" if near else f"There are {', '.join(VERBS)}."
        print(f"{self.prog}: {fault}", file=sys.stderr)
        raise SystemExit(2)


def parser() -> argparse.ArgumentParser:
    """The parser of this command."""
    listed = "\n".join(f"  {verb:<6} {summary}" for verb, summary in VERBS.items())
    about = "Throwaway wallets that sign in and pay, so that plain curl can play an x402 client offline."
    styled = command_parser("wallet", about, EXAMPLES)
    return _Verbs(
        prog=styled.prog,
        usage="venice-mock wallet VERB [OPTIONS]",
        description=f"{styled.description}\n\nverbs:\n{listed}",
        epilog=styled.epilog,
        formatter_class=styled.formatter_class,
        allow_abbrev=False,
    )


def run(arguments: argparse.Namespace) -> int:
    """Do what the verb says; 1 when it cannot be done. Raises SettingsError and ContractError."""
    try:
        if arguments.verb == "new":
            _new(arguments)
        elif arguments.verb == "sign":
            _sign(arguments)
        else:
            _pay(arguments)
    except (JobError, OfferError) as error:
        print(f"venice-mock wallet {arguments.verb}: {error}", file=sys.stderr)
        return 1
    return 0


# ---- new ------------------------------------------------------------------------------------------------


def _new_parser() -> argparse.ArgumentParser:
    made = command_parser("wallet new", "Make a wallet and print it as JSON, with its secret.", NEW_EXAMPLES)
    made.set_defaults(verb="new")
    made.add_argument("--kind", choices=("evm", "solana"), default="evm", help="whose wallet (default evm)")
    made.add_argument("--seed", metavar="SENTENCE", help="derive it from a public sentence, for tests")
    made.add_argument("-o", "--output", metavar="FILE", default=STREAM, help="file to write, mode 0600")
    made.add_argument("--force", action="store_true", help="overwrite FILE if it exists")
    return made


def _new(arguments: argparse.Namespace) -> None:
    from venice_mock.wallet.signing import new_wallet

    seed = arguments.seed
    entropy = os.urandom(32) if seed is None else hashlib.sha256(seed.encode("utf-8", "replace")).digest()
    wallet = new_wallet(arguments.kind, entropy=entropy)
    if arguments.output == STREAM:
        print(wallet_text(wallet), end="")
        return
    out = Path(arguments.output)
    write_new(out, wallet_text(wallet).encode(), force=arguments.force, mode=PRIVATE)
    print(f"{out}  {wallet.kind}  {wallet.address}")


# ---- sign -----------------------------------------------------------------------------------------------


def _sign_parser() -> argparse.ArgumentParser:
    about = "Print a sign-in header for one request to URL, as curl's -H wants it."
    made = command_parser("wallet sign", about, SIGN_EXAMPLES)
    made.set_defaults(verb="sign")
    made.add_argument("wallet", metavar="WALLET", help="file of wallet new (- is standard input)")
    made.add_argument("url", metavar="URL", help="the address that the request will go to")
    made.add_argument("--structured", action="store_true", help="send fields in place of the signed text")
    made.add_argument("--legacy", action="store_true", help="use the older name of the header")
    _add_output(made)
    made.add_argument("--nonce", metavar="TEXT", help="instead of a random one")
    add_settings(made, {"edition"})
    return made


def _sign(arguments: argparse.Namespace) -> None:
    from venice_mock.contract import load_edition
    from venice_mock.wallet.signing import sign_in_header

    x402 = load_edition(settings(arguments).edition).x402
    target = read_url(arguments.url)
    nonce = os.urandom(16).hex() if arguments.nonce is None else arguments.nonce
    if not _SIGN_IN_NONCE.fullmatch(nonce):
        raise SettingsError("--nonce: expected 1 to 128 visible ASCII characters without spaces.")
    now = _now(arguments.now)
    wallet = load_wallet(arguments.wallet)
    value = sign_in_header(
        wallet,
        domain=target.domain,
        uri=target.uri,
        chain=x402.sign_in.evm_chain if wallet.kind == "evm" else x402.sign_in.solana_chain,
        now=now,
        nonce=nonce,
        statement=x402.statement,
        life_s=x402.challenge_life_s,
        structured=arguments.structured,
    )
    name = x402.sign_in_headers[-1 if arguments.legacy else 0]
    _show(arguments, name, value, {"address": wallet.address, "domain": target.domain, "nonce": nonce})


# ---- pay ------------------------------------------------------------------------------------------------


def _pay_parser() -> argparse.ArgumentParser:
    about = "Ask URL what it wants to be paid, and print the signed payment as curl's -H wants it."
    made = command_parser("wallet pay", about, PAY_EXAMPLES)
    made.set_defaults(verb="pay")
    made.add_argument("wallet", metavar="WALLET", help="file of wallet new (- is standard input)")
    made.add_argument("url", metavar="URL", nargs="?", help="where to ask by POST; not needed with --offer")
    made.add_argument("--usd", metavar="AMOUNT", default="10", help="dollars to pay (default 10)")
    made.add_argument(
        "--shape", choices=("v2", "v1", "hybrid"), default="v2", help="form of the payment (default v2)"
    )
    made.add_argument("--offer", metavar="FILE", help="JSON of a 402 or of one offer (-: standard input)")
    made.add_argument("--yes-remote", metavar="HOST", help="this HOST may be asked though it is remote")
    _add_output(made)
    made.add_argument("--nonce", metavar="HEX", help="32 bytes instead of random ones")
    add_settings(made, {"edition"})
    return made


def _pay(arguments: argparse.Namespace) -> None:
    from venice_mock.contract import load_edition
    from venice_mock.wallet.signing import payment_header

    x402 = load_edition(settings(arguments).edition).x402
    amount = _micro_usdc(arguments.usd, x402.payments)
    nonce = _payment_nonce(arguments.nonce)
    now = _now(arguments.now)
    target = None if arguments.url is None else read_url(arguments.url)
    if target is None and arguments.offer is None:
        raise SettingsError("Give the URL to ask, or --offer FILE.")
    if arguments.wallet == arguments.offer == STREAM:
        raise SettingsError("Standard input (-) can be read only once.")
    wallet = load_wallet(arguments.wallet)
    if arguments.offer is not None:
        offers = _offers_of_file(arguments.offer)
    else:
        assert target is not None
        offers = ask_offers(target, remote=arguments.yes_remote)
    offer = choose_offer(offers, wallet.kind, x402.payments)
    value = payment_header(
        wallet,
        offer=offer,
        facts=x402.payments,
        micro_usdc=amount,
        now=now,
        nonce=nonce,
        shape=arguments.shape,
    )
    paid = {"address": wallet.address, "network": offer["network"], "micro_usdc": str(amount)}
    _show(arguments, x402.payment_headers[0], value, paid)


def _offers_of_file(name: str) -> list[Any]:
    try:
        data = read_input(None if name == STREAM else Path(name))
    except JobError as error:
        raise JobError(f"The offer file {name} {error}.") from error
    found = offers_in(data)
    if not found:
        raise OfferError(f"The offer file {name} holds no offer: expected the JSON of a 402 with accepts.")
    return found


# ---- what they share ------------------------------------------------------------------------------------


def _add_output(made: argparse.ArgumentParser) -> None:
    form = made.add_mutually_exclusive_group()
    form.add_argument("--value", action="store_true", help="only the value, without the header's name")
    form.add_argument("--json", action="store_true", help="name, value and what was signed, as JSON")
    made.add_argument("--now", metavar="TIME", help="Unix seconds or ISO 8601, instead of the clock")


def _show(arguments: argparse.Namespace, name: str, value: str, signed: dict[str, str]) -> None:
    if arguments.json:
        print(json.dumps({"header": name, "value": value, **signed}, indent=2))
    else:
        print(value if arguments.value else f"{name}: {value}")


def _now(text: str | None) -> float:
    if text is None:
        return time.time()
    from venice_mock.wallet.encoded import parse_instant

    try:
        found = float(text) if _SECONDS.fullmatch(text) else parse_instant(text)
    except ValueError:
        found = -1.0
    if not 0 <= found <= _LAST_SECOND:
        raise SettingsError(
            f"--now: expected Unix seconds or a time such as 2026-06-19T12:00:00Z, got {text[:60]!r}."
        )
    return found


def _micro_usdc(text: str, facts: PaymentFacts) -> int:
    """Dollars as micro-USDC. Raises SettingsError."""
    least, most = (Decimal(end).scaleb(-6) for end in (facts.min_micro_usdc, facts.max_micro_usdc))
    expected = f"--usd: expected dollars from {least.normalize():f} to {most.normalize():f}"
    try:
        amount = Decimal(text)
        if not least <= amount <= most:
            raise SettingsError(f"{expected}, got {text[:60]!r}.")
    except InvalidOperation:  # no number, or one that cannot be compared
        raise SettingsError(f"{expected}, got {text[:60]!r}.") from None
    micro = amount.scaleb(6)
    if micro != micro.to_integral_value():
        raise SettingsError(f"{expected} with at most 6 decimals, got {text[:60]!r}.")
    return int(micro)


def _payment_nonce(text: str | None) -> bytes:
    if text is None:
        return os.urandom(32)
    found = _PAYMENT_NONCE.fullmatch(text)
    if found is None:
        raise SettingsError("--nonce: expected 64 hex digits.")
    return bytes.fromhex(found[1])


_PARSERS = {"new": _new_parser, "sign": _sign_parser, "pay": _pay_parser}
