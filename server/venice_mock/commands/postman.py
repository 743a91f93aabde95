"""``venice-mock postman``: a Postman collection of the API and an environment for the mock, as files."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from venice_mock.commands.files import STREAM, JobError
from venice_mock.commands.options import add_settings, command_parser, settings
from venice_mock.commands.writing import write_new
from venice_mock.settings import SettingsError

EXAMPLES = """\
  venice-mock postman -o venice.json --environment mock.json
  newman run venice.json -e mock.json
  venice-mock postman --edition 2026-08-22 > venice.json
  venice-mock postman -o venice.json --environment mock.json \\
    --base-url http://127.0.0.1:8402/__s/t17/api/v1

serve the same edition and behaviour. Requests that sign in or pay are skipped
unless the run has a wallet. Their headers are good for one run:

  url=http://127.0.0.1:8402/api/v1
  wallet=$(venice-mock wallet new --force -o wallet.json | awk '{print $3}')
  payment=$(venice-mock wallet pay wallet.json $url/x402/top-up --value)
  set -- --env-var "wallet=$wallet" --env-var "payment=$payment"
  for name in $(venice-mock postman --sign-ins); do set -- "$@" --env-var \\
    "$name=$(venice-mock wallet sign wallet.json $url/image/edit --value)"; done
  newman run venice.json -e mock.json "$@"
"""


def parser() -> argparse.ArgumentParser:
    """The parser of this command."""
    about = (
        "Write a Postman Collection v2.1 of the whole API, made from the edition's data: each request with "
        "assertions on status, headers and body. Postman imports it, newman runs it."
    )
    made = command_parser("postman", about, EXAMPLES)
    made.add_argument(
        "-o", "--output", metavar="FILE", default=STREAM, help="file to write (default - is standard output)"
    )
    made.add_argument("--environment", metavar="FILE", help="write an environment for the mock, too")
    made.add_argument(
        "--base-url", metavar="URL", help="of the environment (default http://127.0.0.1:8402/api/v1)"
    )
    made.add_argument("--force", action="store_true", help="overwrite files that exist")
    made.add_argument(
        "--sign-ins", action="store_true", help="only list the variables that want a signed header each"
    )
    add_settings(made, {"edition", "behavior"})
    return made


def run(arguments: argparse.Namespace) -> int:
    """Write the files; 1 when one cannot be written. Raises SettingsError and ContractError."""
    chosen = settings(arguments)
    base_url = (arguments.base_url or f"http://127.0.0.1:{chosen.port}/api/v1").rstrip("/")
    _check(base_url)

    from venice_mock.contract import load_contract
    from venice_mock.postman import collection, environment
    from venice_mock.postman.paying import SIGN_INS

    if arguments.sign_ins:
        print("\n".join(SIGN_INS))
        return 0
    contract = load_contract(chosen.edition, chosen.behavior)
    made = collection(contract)
    try:
        if arguments.environment is not None:
            _write(arguments.environment, environment(contract, base_url), force=arguments.force)
        _write(arguments.output, made, force=arguments.force)
    except JobError as error:
        print(f"venice-mock postman: {error}", file=sys.stderr)
        return 1
    if arguments.output != STREAM:
        count = sum(len(folder["item"]) for folder in made["item"])
        print(f"{arguments.output}  {count} requests in {len(made['item'])} folders")
    return 0


def _check(base_url: str) -> None:
    from venice_mock.commands.offers import read_url

    try:
        read_url(base_url)
    except SettingsError as error:
        raise SettingsError(f"--base-url: {error}") from error
    if not base_url.endswith("/api/v1"):
        raise SettingsError(f"--base-url: expected an address that ends in /api/v1, got {base_url[:60]!r}.")


def _write(name: str, document: dict[str, Any], *, force: bool) -> None:
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    if name == STREAM:
        sys.stdout.write(text)
    else:
        write_new(Path(name), text.encode(), force=force)
