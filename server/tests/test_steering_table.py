"""The table of everything that steers the mock: complete, on its page, and each row does as it says."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from asgi import Client
from conftest import MakeClient
from faulting import heard, told
from live import running
from rulekit import good, good_body
from venice_mock.accounts.faults import FAULTS, read_fault
from venice_mock.accounts.keys import magic_keys
from venice_mock.accounts.ordering import ITEMS, error_named
from venice_mock.accounts.steering import Stage
from venice_mock.contract import load_contract
from venice_mock.control.steering import HEADER, Kind, Row, steering_table
from wallets import control

HOME = load_contract("2026-06-19")
ROWS = steering_table(HOME)
GENERATOR = Path(__file__).parents[2] / "docs" / "make_steering_page.py"
DEFAULT = str(HOME.way("default-model"))


def of(*kinds: Kind) -> list[Row]:
    return [row for row in ROWS if row.kind in kinds]


def rows(*kinds: Kind) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("row", of(*kinds), ids=lambda row: row.send)


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    with running("--engine", "fast", "--seed", "1") as address:
        yield address


@pytest.fixture
def client(make_client: MakeClient) -> Client:
    return make_client(engine="fast")


def test_the_page_is_what_the_data_says() -> None:
    done = subprocess.run(
        [sys.executable, GENERATOR, "--check"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_table_names_everything_that_steers() -> None:
    assert {row.kind for row in ROWS} == set(get_args(Kind))
    assert {row.send for row in of("key")} == {"any other word", *magic_keys()}
    assert [row.send.partition("=")[0] for row in of("header")] == [f"{HEADER}: {name}" for name in ITEMS]
    assert {row.send.partition(",")[0] for row in of("fault")} == {f"fault={kind}" for kind in FAULTS}
    assert {error_named(HOME, row.send.partition(",")[0][6:]) for row in of("error")} == set(
        HOME.edition.errors
    )
    statuses = {spec.status for spec in HOME.edition.errors.values()}
    assert [row.status for row in of("prefer")] == sorted(statuses)
    assert {row.send[2:].partition('"')[0] for row in of("then")} == {*ITEMS, "latency_ms"}
    assert len({(row.kind, row.send) for row in ROWS}) == len(ROWS)
    assert all(row.stage in get_args(Stage) for row in of("error", "prefer"))


ENDS = {"reset": "reset", "cut": "closed", "stall": "silent"}


def ending(fault: str) -> str:
    """How the connection of a good edit ends."""
    kind = read_fault(fault).kind
    return ENDS.get(kind) or ("reset" if "reset" in kind else "complete")


@rows("key")
def test_a_key_does_as_its_row_says(origin: str, row: Row) -> None:
    key = row.send.replace("_X", "_1").replace("_N", "_2").replace(" ", "-")
    got = heard(origin, key=key, patience=0.5 if "stall" in key else 30)
    kind = key.removeprefix("mock_")
    if kind in FAULTS:
        wanted = (
            504 if kind == "charge_then_504" else 0 if kind in ("stall", "reset") or "_reset" in kind else 200
        )
        wanted = 0 if kind == "reset_before_charge" else wanted
        assert (got.end, got.status) == (ending(kind), wanted)
    elif key == "mock_flaky_2":
        assert [got.status, heard(origin, key=key).status] == [500, 200]
    else:
        status = row.text.partition(" ")[0].strip(":")
        assert got.status == (int(status) if status.isdecimal() else 200)


@rows("header")
def test_an_item_of_the_header_does_as_its_row_says(origin: str, row: Row) -> None:
    order = row.send.removeprefix(f"{HEADER}: ")
    alone = order if "retry_after" not in order else f"error=overloaded; {order}"
    got = heard(origin, order=alone)
    expected: dict[str, tuple[str, int]] = {"error": ("complete", 429), "retry_after": ("complete", 429)}
    if order.startswith("fault"):
        assert (got.end, len(got.body)) == ("reset", 1024)
    else:
        assert (got.end, got.status) == expected.get(order.partition("=")[0], ("complete", 200))
    assert got.headers["x-mock-cause"] == f"header:{alone}"
    if order.startswith("retry_after"):
        assert got.headers["retry-after"] == "2"
    if order.startswith("adult"):
        assert got.headers["x-venice-is-blurred"] == "true"
    if order.startswith("seed"):
        assert got.body != heard(origin).body


@pytest.mark.parametrize("order", [form for row in of("fault") for form in row.send.split(", ")])
def test_a_fault_does_as_its_row_says(origin: str, order: str) -> None:
    fault = read_fault(order.removeprefix("fault="))
    got = heard(origin, order=order, patience=0.5 if fault.kind == "stall" else 30)
    assert got.end == ending(fault.text)
    if fault.kind in ("reset", "cut") and fault.after is not None and fault.after > 0:
        assert len(got.body) == fault.after


@rows("error")
def test_an_error_can_be_ordered_by_every_name_of_its_row(client: Client, row: Row) -> None:
    for order in row.send.split(", "):
        reply = client.edit(headers={HEADER: order}, **good())
        assert reply.status == row.status
        assert reply.headers["x-mock-cause"] == f"header:{order}"


@rows("prefer")
def test_a_status_leads_to_the_error_of_its_row(client: Client, row: Row) -> None:
    reply = client.edit(headers={"Prefer": row.send.removeprefix("Prefer: ")}, **good())
    assert (reply.status, row.text in HOME.edition.errors) == (row.status, True)


@rows("directive")
def test_a_directive_does_as_its_row_says(make_client: MakeClient, row: Row) -> None:
    client = make_client(engine="fast", prompt_magic=True)
    if "reset" in row.send:
        with pytest.raises(ConnectionResetError):
            client.edit(**good(prompt=row.send))
    else:
        reply = client.edit(**good(prompt=row.send))
        assert reply.status == (422 if "violation" in row.send else 429)


@rows("match")
def test_a_match_does_as_its_row_says(client: Client, row: Row) -> None:
    match = json.loads(row.send)
    assert control(client, "POST", "/__mock/rules", match=match, then={"error": "offline"}).status == 201
    meant: dict[str, Any] = {"model": match.get("model", DEFAULT), "prompt": "a Sunset"}
    others: dict[str, tuple[str, dict[str, Any]]] = {
        "model": ("mock_ok", {**meant, "model": "firered-image-edit"}),
        "prompt_contains": ("mock_ok", {**meant, "prompt": "a cat"}),
        "key": ("another-key", meant),
    }
    assert client.edit(key="mock_ok", **good(**meant)).status == 503
    for name in match:
        key, fields = others[name]
        assert client.edit(key=key, **good(**fields)).status == 200


@rows("then")
def test_what_a_rule_orders_is_what_the_header_orders(origin: str, row: Row) -> None:
    then = json.loads(row.send)
    if "retry_after" in then:
        then = {"error": "overloaded", **then}
    (name, value), *_ = then.items()
    session = "-".join(then).replace("_", "-")
    told(origin, "POST", "/__mock/sessions", name=session)
    told(origin, "POST", f"/__s/{session}/__mock/rules", then=then)
    got = heard(origin, path=f"/__s/{session}/api/v1/image/edit", body=good_body())
    order = {"latency_ms": "latency=800ms", "adult": "adult=yes"}.get(name, f"{name}={value}")
    order = "error=overloaded; retry_after=2" if "retry_after" in then else order
    by_header = heard(origin, key=f"a-key-for-{session}", order=order)
    assert (got.end, got.status, got.body) == (by_header.end, by_header.status, by_header.body)
    assert got.headers["x-mock-cause"] == "rule:rule-1"
    assert got.headers.get("retry-after") == by_header.headers.get("retry-after")


def test_the_page_lists_every_row() -> None:
    page = (GENERATOR.parent / "steering.md").read_text("utf-8")
    for row in ROWS:
        assert f"`{row.send.partition(', ')[0]}" in page, row
