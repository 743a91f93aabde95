"""The Postman collection: what is in it, and newman's judgment on a real server, on broken ones and on a mute one."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from pathlib import Path
from typing import Any

import httpx
import pytest

from live import running
from newman import REPORT, broken, newman, node_environment, report
from tools import tool
from venice_mock.cli import main
from venice_mock.commands.postman import EXAMPLES
from venice_mock.contract import Behavior, load_contract
from venice_mock.postman import RUN_VARIABLES, collection, environment
from venice_mock.postman.editing import Edits

JUNE, AUGUST = "2026-06-19", "2026-08-22"
WAYS: list[tuple[str, Behavior]] = [
    (JUNE, "documented"),
    (AUGUST, "documented"),
    (JUNE, "observed"),
    (AUGUST, "observed"),
]
EVERY_WAY = pytest.mark.parametrize(("edition", "behavior"), WAYS)
Node = dict[str, Any]


def items_of(made: Node) -> dict[str, Node]:
    """The requests under the names that newman gives them."""
    return {f"{folder['name']} / {item['name']}": item for folder in made["item"] for item in folder["item"]}


def script_of(item: Node, listen: str = "test") -> str:
    return "\n".join(
        line
        for event in item.get("event", [])
        if event["listen"] == listen
        for line in event["script"]["exec"]
    )


def bodies_of(made: Node, folder: str) -> list[Node]:
    """The JSON bodies of a folder."""
    items = next(each["item"] for each in made["item"] if each["name"] == folder)
    return [json.loads(item["request"]["body"]["raw"]) for item in items]


def write_both(folder: Path, base_url: str, *options: str) -> None:
    names = ("-o", str(folder / "venice.json"), "--environment", str(folder / "mock.json"))
    assert main(["postman", *names, "--base-url", base_url, "--force", *options]) == 0


def run_the_recipe(folder: Path, base_url: str) -> None:
    """The lines of the help by which a run with a wallet is made, with this server's address and a report."""
    recipe = EXAMPLES.partition("  url=")[2].partition("\n")[2]
    script = f"set -e\nurl={base_url}\n{recipe.rstrip()} {' '.join(REPORT)}\n"
    done = subprocess.run(
        [tool("sh"), "-c", script],
        cwd=folder,
        env=node_environment(),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    assert (folder / "report.xml").exists(), done.stdout + done.stderr


# ---- newman --------------------------------------------------------------------------------------------------


def judge(folder: Path, edition: str, behavior: Behavior, runs: int) -> None:
    options = ("--edition", edition, "--behavior", behavior)
    with running(*options, "--engine", "fast") as origin:
        write_both(folder, f"{origin}/api/v1", *options)
        made = json.loads((folder / "venice.json").read_text())
        for _ in range(runs):
            run_the_recipe(folder, f"{origin}/api/v1")
            found = report(folder / "report.xml")
            assert broken(found) == {}
            assert set(found) == set(items_of(made)), "not every request was sent"
        key = {"Authorization": "Bearer mock_balance_100000"}
        left = httpx.get(f"{origin}/api/v1/billing/balance", headers=key).json()["balances"]["usd"]
    cost = Edits(load_contract(edition, behavior)).cost()
    assert Decimal(str(left)) == 100_000 - runs * cost
    assert f"One run takes {cost} USD" in made["info"]["description"]


@pytest.mark.parametrize("edition", [JUNE, pytest.param(AUGUST, marks=pytest.mark.slow)])
def test_every_assertion_of_every_request_holds_on_the_mock(tmp_path: Path, edition: str) -> None:
    judge(tmp_path, edition, "documented", 1)


@pytest.mark.slow
@pytest.mark.parametrize("edition", [JUNE, AUGUST])
def test_the_observed_behaviour_has_its_own_assertions_and_they_hold_twice_on_one_server(
    tmp_path: Path, edition: str
) -> None:
    judge(tmp_path, edition, "observed", 2)


def test_without_a_wallet_its_requests_are_skipped_and_the_others_of_the_folder_hold(tmp_path: Path) -> None:
    with running("--engine", "fast") as origin:
        write_both(tmp_path, f"{origin}/api/v1")
        found = newman(tmp_path, "venice.json", "mock.json", "--folder", "Wallets (x402)")
    made = items_of(json.loads((tmp_path / "venice.json").read_text()))
    sent = {
        name
        for name, item in made.items()
        if name.startswith("Wallets") and "skipRequest" not in script_of(item, "prerequest")
    }
    assert set(found) == sent
    assert len(sent) == 10
    assert broken(found) == {}


@pytest.mark.slow
def test_the_collection_is_good_for_a_session_as_well(tmp_path: Path) -> None:
    with running("--engine", "fast") as origin:
        httpx.post(f"{origin}/__mock/sessions", json={"name": "t17"}).raise_for_status()
        write_both(tmp_path, f"{origin}/__s/t17/api/v1")
        found = newman(tmp_path, "venice.json", "mock.json", "--folder", "Edit: ways to send one")
        journal = httpx.get(f"{origin}/__s/t17/__mock/requests").json()
    assert broken(found) == {}
    assert len(found) == 7
    assert len(journal["requests"]) >= 7


def test_requests_for_mocks_only_are_skipped_elsewhere(tmp_path: Path) -> None:
    with running("--engine", "fast") as origin:
        write_both(tmp_path, f"{origin}/api/v1")
        found = newman(
            tmp_path,
            "venice.json",
            "mock.json",
            *("--env-var", "mock=false"),
            *("--folder", "Errors to order", "--folder", "Edit: safe mode", "--folder", "Billing"),
        )
    assert set(found) == {"Billing / balance of the key"}
    assert broken(found) == {}


# ---- broken servers ------------------------------------------------------------------------------------------


def larger_pictures(edition: Node) -> None:
    edition["tiers"]["base"] = 1040


def another_text(edition: Node) -> None:
    edition["errors"]["MODEL_OFFLINE"]["text"] += "!"


def another_price(edition: Node) -> None:
    next(m for m in edition["models"] if m["id"] == "flux-2-max-edit")["pricing"]["inpaint"] = "0.20"


def another_header(edition: Node) -> None:
    edition["headers"]["model_id"] = "x-venice-model"


def another_default_format(edition: Node) -> None:
    edition["tiers"]["default_formats"]["1K"] = "webp"


def patience_forgotten(edition: Node) -> None:
    del edition["errors"]["MODEL_OVERLOADED"]["retry_after_s"]


def dearer_top_up(edition: Node) -> None:
    edition["x402"]["minimum_amount"] = "6000000"


MODEL_HEADERS = (
    "headers x-venice-model-id, x-venice-model-name, x-venice-is-content-violation, x-venice-is-blurred"
)
# What breaks the server, the folder that is run, and what must not hold any more: request -> assertion.
FAULTS: list[tuple[Callable[[Node], None], str, dict[str, str]]] = [
    (
        larger_pictures,
        "Edit: formats",
        {
            f"output_format {name}": f"the body is image/{kind} of 1264x848 pixels"
            for name, kind in {"png": "png", "jpeg": "jpeg", "jpg": "jpeg", "webp": "webp"}.items()
        },
    ),
    (
        another_text,
        "Errors to order",
        {"X-Mock: error=model_offline": "the body", "Prefer: code=503": "the body"},
    ),
    (
        patience_forgotten,
        "Errors to order",
        {"X-Mock: error=model_overloaded": "headers Retry-After"},
    ),
    (
        another_price,
        "Edit: models, tiers, qualities, prices",
        {"flux-2-max-edit 1K": "the price is 0.19 USD"},
    ),
    (
        another_header,
        "Edit: aspect ratios",
        dict.fromkeys(("auto", "1:1", "3:2", "16:9", "21:9", "9:16", "2:3", "3:4", "4:5"), MODEL_HEADERS),
    ),
    (
        dearer_top_up,
        "Wallets (x402)",
        {"top-up without a payment": "the body: what a top-up accepts"},
    ),
]


@pytest.mark.parametrize(
    ("fault", "folder", "expected"),
    [
        pytest.param(*each, id=each[0].__name__, marks=[pytest.mark.slow] if number > 1 else [])
        for number, each in enumerate(FAULTS)
    ],
)
def test_a_server_that_is_broken_in_one_place_breaks_the_assertions_of_that_place(
    tmp_path: Path, fault: Callable[[Node], None], folder: str, expected: dict[str, str]
) -> None:
    edition = json.loads((resources.files("venice_mock.contract") / "editions" / f"{JUNE}.json").read_text())
    fault(edition)
    (tmp_path / "broken.json").write_text(json.dumps(edition))
    with running("--edition", str(tmp_path / "broken.json"), "--engine", "fast") as origin:
        write_both(tmp_path, f"{origin}/api/v1")
        found = newman(tmp_path, "venice.json", "mock.json", "--folder", folder)
    assert broken(found) == {f"{folder} / {name}": [test] for name, test in expected.items()}


class _Mute(BaseHTTPRequestHandler):
    """Answers everything with an empty 200."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        left = int(self.headers.get("Content-Length", 0))
        while left > 0:
            left -= len(self.rfile.read(min(left, 1 << 20)))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def mute_server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Mute) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.slow
def test_no_assertion_but_that_of_the_status_holds_for_an_empty_answer(tmp_path: Path) -> None:
    given = [part for name in RUN_VARIABLES for part in ("--env-var", f"{name}=anything")]
    with mute_server() as origin:
        write_both(tmp_path, f"{origin}/api/v1", "--edition", AUGUST)
        found = newman(tmp_path, "venice.json", "mock.json", *given)
    made = items_of(json.loads((tmp_path / "venice.json").read_text()))
    assert set(found) == set(made)
    for name, cases in found.items():
        held = {test for test, holds in cases.items() if holds and not test.startswith("no header ")}
        assert held <= {"status 200"}, name
        assert len(cases) >= 3, name


# ---- the documents -------------------------------------------------------------------------------------------


def test_every_request_asserts_its_status_its_headers_and_its_body() -> None:
    for edition, behavior in WAYS:
        for name, item in items_of(collection(load_contract(edition, behavior))).items():
            script = script_of(item)
            assert "pm.response.to.have.status(" in script, name
            assert 'pm.test("headers x-venice-version' in script, name
            assert "pm.response.json()" in script or '"content type image/' in script, name


def test_names_are_told_apart() -> None:
    for edition, behavior in WAYS:
        made = collection(load_contract(edition, behavior))
        assert len(items_of(made)) == sum(len(folder["item"]) for folder in made["item"])


@EVERY_WAY
def test_nothing_that_a_model_offers_is_left_out(edition: str, behavior: Behavior) -> None:
    contract = load_contract(edition, behavior)
    made = collection(contract)
    priced = bodies_of(made, "Edit: models, tiers, qualities, prices")
    seen = {(body["model"], body["resolution"], body.get("quality")) for body in priced}
    for model in contract.inpaint_models:
        limits = model.constraints
        assert limits is not None
        qualities = limits.qualities if behavior == "documented" else ()
        for tier in limits.resolutions or ("1K",):
            assert {(model.id, tier, quality) for quality in qualities or (None,)} <= seen
    ratios = {body["aspect_ratio"] for body in bodies_of(made, "Edit: aspect ratios")}
    assert ratios == set(contract.edition.fields.aspect_ratios)
    formats = {body["output_format"] for body in bodies_of(made, "Edit: formats")}
    assert formats == {"png", "jpeg", "jpg", "webp"}
    safe = {body.get("safe_mode") for body in bodies_of(made, "Edit: safe mode")}
    assert safe == {True, False, None}
    names = items_of(made)
    assert all(f"Errors to order / X-Mock: error={row.lower()}" in names for row in contract.edition.errors)


@EVERY_WAY
def test_the_collection_is_valid_by_postmans_own_schema(
    tmp_path: Path, edition: str, behavior: Behavior
) -> None:
    file = tmp_path / "venice.json"
    made = collection(load_contract(edition, behavior))
    file.write_text(json.dumps(made))
    spoilt = tmp_path / "spoilt.json"
    made["item"][0]["item"][0]["event"][0]["listen"] = 7
    spoilt.write_text(json.dumps(made))
    script = Path(__file__).parent / "clients" / "valid_collection.mjs"

    def judged(each: Path) -> str:
        command = [tool("node"), str(script), str(each)]
        done = subprocess.run(
            command, env=node_environment(), capture_output=True, text=True, timeout=60, check=False
        )
        return done.stdout + done.stderr

    assert judged(file) == f"PASS {file}\n"
    assert judged(spoilt).startswith(f"FAIL {spoilt}")


def test_the_same_data_give_the_same_documents() -> None:
    contract = load_contract(JUNE)
    assert collection(contract) == collection(contract)
    assert environment(contract, "http://a/api/v1") == environment(contract, "http://a/api/v1")
    assert (
        collection(contract)["info"]["_postman_id"]
        != collection(load_contract(AUGUST))["info"]["_postman_id"]
    )


def test_an_environment_has_every_variable_that_the_collection_reads() -> None:
    contract = load_contract(AUGUST)
    text = json.dumps(collection(contract))
    told = {row["key"]: row["value"] for row in environment(contract, "http://127.0.0.1:9/api/v1")["values"]}
    assert told["base_url"] == "http://127.0.0.1:9/api/v1"
    assert told["image_url"] == "http://127.0.0.1:9/__mock/sample.png"
    assert all(f"{{{{{name}}}}}" in text or f'\\"{name}\\"' in text for name in told)
    assert {name for name, value in told.items() if value == ""} == set(RUN_VARIABLES)


# ---- the command ---------------------------------------------------------------------------------------------

Capture = pytest.CaptureFixture[str]


def test_the_collection_goes_to_standard_output_when_no_file_is_named(capsys: Capture) -> None:
    assert main(["postman", "--edition", AUGUST]) == 0
    assert json.loads(capsys.readouterr().out) == collection(load_contract(AUGUST))


def test_files_are_not_overwritten_unless_asked(tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "venice.json"
    assert main(["postman", "-o", str(file)]) == 0
    assert capsys.readouterr().out == f"{file}  201 requests in 15 folders\n"
    assert main(["postman", "-o", str(file)]) == 1
    assert "exists and will not be overwritten; --force does." in capsys.readouterr().err
    assert main(["postman", "-o", str(file), "--force"]) == 0


@pytest.mark.parametrize("url", ["venice", "ftp://127.0.0.1/api/v1", "http://127.0.0.1:8402/api/v2"])
def test_a_base_url_that_cannot_be_meant_is_one_sentence(url: str, capsys: Capture) -> None:
    assert main(["postman", "--base-url", url]) == 2
    shown = capsys.readouterr()
    assert shown.err.startswith("venice-mock postman: --base-url: ")
    assert shown.err.count("\n") == 1
    assert shown.out == ""
