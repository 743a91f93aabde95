"""One run: a mock of its own on a free port, Schemathesis against it, and what came of it. Nothing is left behind."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

from venice_mock.contract import Behavior, Contract, load_contract
from venice_mock.wallet.signing import Wallet, new_wallet, sign_in_header

HERE = Path(__file__).parent
_KEY = "mock_ok"
_TIMEOUT_S = 300
_SIGN_INS = 2_000  # more than the requests of a run


@dataclass(frozen=True, slots=True)
class Run:
    """Which contract the mock serves, and who asks it: an API key, or a wallet."""

    edition: str
    behavior: Behavior
    asker: str

    @property
    def name(self) -> str:
        """As ``runs`` in the list of deviations knows it."""
        return f"{self.edition} {self.behavior} {self.asker}"

    @property
    def contract(self) -> Contract:
        """What the mock serves."""
        return load_contract(self.edition, self.behavior)


@dataclass(frozen=True, slots=True)
class Outcome:
    """``unexplained``: failures with all that is known of them. ``broken``: why the run shows less than it should.

    ``seen`` counts the explained failures by their place in the list.
    """

    run: Run
    requests: int
    seconds: float
    unexplained: tuple[str, ...]
    broken: tuple[str, ...]
    seen: tuple[int, ...]


def conduct(run: Run, schemathesis: Path) -> Outcome:
    """Serve, ask, and read the reports."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="second-opinion-") as folder, _mock(run, Path(folder)) as url:
        there = Path(folder)
        ended = _ask(run, schemathesis, url, there)
        report, tests = there / "report.json", there / "junit.xml"
        if not report.exists() or not tests.exists():
            return Outcome(run, 0, time.monotonic() - began, (), (ended or "there is no report",), ())
        told = json.loads(report.read_bytes())
        unexplained = tuple(read_failures(tests.read_text("utf-8")))
        seen = (there / "seen").read_text("ascii").split() if (there / "seen").exists() else []
    return Outcome(
        run,
        told["test_cases"]["generated"],
        time.monotonic() - began,
        unexplained,
        tuple(shortcomings(told, _must_accept(run), unexplained)) + ((ended,) if ended else ()),
        tuple(map(int, seen)),
    )


def read_failures(junit: str) -> Iterator[str]:
    """Every failure and error of a JUnit report, under the operation's name."""
    for case in ElementTree.fromstring(junit).iter("testcase"):
        for kind in ("failure", "error"):
            for each in case.iter(kind):
                yield f"{case.get('name')}\n{each.text or each.get('message')}"


def shortcomings(
    told: dict[str, Any], accepted: tuple[str, ...], unexplained: tuple[str, ...]
) -> Iterator[str]:
    """What keeps a run from meaning something: operations left out, or never asked so that they answer."""
    operations = told["operations"] or {"selected": 0, "tested": 0}
    if not told["complete"] or not operations["selected"] or operations["tested"] != operations["selected"]:
        yield f"{operations['tested']} of {operations['selected']} operations were tested ({told['stop_reason']})"
    for error in told["errors"]:
        yield f"{error['title']}: {error['count']}"
    if told["failures"] and not unexplained:
        yield f"failures that the JUnit report lacks: {told['failures']}"
    for label in accepted:
        if not any(rate["accepted"] for rate in told["valid_rates"].get(label, {}).values()):
            yield f"{label} accepted nothing"


def _must_accept(run: Run) -> tuple[str, ...]:
    edition = run.contract.edition
    statements = edition.x402.statements
    edit = f"POST {edition.path}"
    if run.asker == "key":
        return (edit, "GET /api/v1/billing/balance", "GET /api/v1/models")
    return edit, *(f"GET {p}/{{wallet}}" for p in (statements.balance_path, statements.transactions_path))


# --- the two processes ---------------------------------------------------------------------------------------


@contextmanager
def _mock(run: Run, folder: Path) -> Iterator[str]:
    """The mock's base URL. Only the magic keys open accounts, so that an invented key is refused."""
    keys, wallets = folder / "keys.json", folder / "wallets.json"
    keys.write_text("{}")
    wallets.write_text(json.dumps({"balances_usd": {_wallet().address: "1000000"}}))
    words = f"--port 0 --engine fast --log-level error --balance 1000000 --edition {run.edition}"
    files = ["--keys", str(keys), "--wallets", str(wallets)]
    command = [
        sys.executable,
        "-m",
        "venice_mock",
        "serve",
        *words.split(),
        "--behavior",
        run.behavior,
        *files,
    ]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("VENICE_MOCK_")}
    with (
        (folder / "mock.log").open("wb") as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, env=clean, text=True) as server,
    ):
        try:
            ready = server.stdout.readline() if server.stdout else ""
            if not ready:
                raise RuntimeError(f"the mock did not start:\n{(folder / 'mock.log').read_text('utf-8')}")
            yield json.loads(ready)["base_url"]
        finally:
            server.terminate()


def _ask(run: Run, schemathesis: Path, url: str, folder: Path) -> str:
    """Run Schemathesis; what to say when it did not end as it should, else nothing."""
    config = (HERE / "schemathesis.toml").read_text("utf-8")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("SCHEMATHESIS_")},
        "PYTHONPATH": str(HERE.parent),
        "PYTHONDONTWRITEBYTECODE": "1",
        "SECOND_OPINION_RUN": run.name,
        "SECOND_OPINION_SEEN": str(folder / "seen"),
    }
    credentials = ["--header", f"Authorization: Bearer {_KEY}"]
    if run.asker == "wallet":
        credentials = ["--include-path-regex", "/x402/|/image/"]  # the others do not look for a wallet
        signed = folder / "signed"
        signed.write_text("\n".join(_sign_ins(run, url)), "ascii")
        environment["SECOND_OPINION_SIGNED"] = str(signed)
        config += f'\n[parameters]\n"path.wallet" = "{_wallet().address}"\n'
    (folder / "schemathesis.toml").write_text(config, "utf-8")
    options = [
        "--report",
        "junit,json",
        "--report-junit-path",
        "junit.xml",
        "--report-json-path",
        "report.json",
    ]
    command = [str(schemathesis), "--no-color", "run", f"{url}/openapi.json", *credentials, *options]
    try:
        ended = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_TIMEOUT_S,
            check=False,
            text=True,
            encoding="utf-8",
        )
    except subprocess.TimeoutExpired:
        return f"Schemathesis took more than {_TIMEOUT_S} s"
    # 1 means that checks failed, and the report tells which.
    return (
        "" if ended.returncode in (0, 1) else f"Schemathesis ended with {ended.returncode}:\n{ended.stdout}"
    )


def _wallet() -> Wallet:
    return new_wallet("solana", entropy=hashlib.sha256(b"venice-mock second opinion").digest())


def _sign_ins(run: Run, url: str) -> Iterator[str]:
    wallet, now, place = _wallet(), time.time(), urlsplit(url)
    for number in range(_SIGN_INS):
        yield sign_in_header(
            wallet,
            domain=place.netloc,
            uri=f"{place.scheme}://{place.netloc}",
            chain=run.contract.edition.x402.sign_in.solana_chain,
            now=now,
            nonce=f"secondopinion{number:06d}",
        )
