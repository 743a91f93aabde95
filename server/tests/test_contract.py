"""Edition files: they load whole, a slip in one is refused by name, and behaviours differ where the rows say so."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

import venice_mock
from conftest import MakeClient
from rulekit import TEST_EDITION, good, good_body
from venice_mock.contract import (
    Behavior,
    Contract,
    ContractError,
    available_editions,
    load_contract,
    load_edition,
)

HOME = "2026-06-19"
SOURCE = Path(venice_mock.__file__).parent


def edited(tmp_path: Path, change: Callable[[Any], None]) -> str:
    """The path of a copy of the test edition with one change."""
    table = json.loads(TEST_EDITION.read_text("utf-8"))
    change(table)
    file = tmp_path / "edition.json"
    file.write_text(json.dumps(table), "utf-8")
    return str(file)


# --- loading ---------------------------------------------------------------------------------------------------


def test_the_home_edition_is_there_and_loads() -> None:
    assert HOME in available_editions()
    edition = load_edition(HOME)
    assert (edition.edition, edition.stamp, len(edition.models)) == (HOME, "20260619.153236", 15)
    assert len(edition.differences) == 9


def test_every_edition_that_ships_loads_under_its_own_name() -> None:
    assert [load_edition(name).edition for name in available_editions()] == list(available_editions())


def test_the_test_edition_loads_by_its_path_and_has_what_tests_need() -> None:
    contract = load_contract(str(TEST_EDITION))
    models = contract.edition.models
    assert {model.type for model in models} == {"inpaint", "image", "text", "video", "upscale"}
    retiring = [model for model in models if model.deprecation is not None]
    assert len(retiring) == 1
    assert retiring[0].deprecation is not None
    assert all(
        (retiring[0].deprecation.date, retiring[0].deprecation.warning, retiring[0].deprecation.replacement)
    )
    assert [m.id for m in models if m.offline] == ["sleeping-edit"]
    kept = [m.id for m in models if m.constraints and m.constraints.single_image_aspect_ratio is False]
    assert kept == ["same-size-edit"]
    assert contract.edition.traits
    assert contract.edition.compatibility


def test_the_test_edition_differs_from_the_home_edition_only_where_it_must() -> None:
    home, other = load_edition(HOME), load_edition(str(TEST_EDITION))
    own = {"edition", "title", "stamp", "models", "traits", "compatibility", "rules", "fields"}
    for name in home.__struct_fields__:
        if name not in own:
            assert getattr(home, name) == getattr(other, name), name
    assert msgspec.structs.replace(other.fields, model_ids=home.fields.model_ids) == home.fields
    assert available_editions() == tuple(n for n in available_editions() if n != other.edition)


@pytest.mark.parametrize("name", ["2026-06-20", "", "2026-06-19/", "../2026-06-19"])
def test_an_unknown_edition_is_refused_with_the_known_ones(name: str) -> None:
    with pytest.raises(ContractError, match=rf"Unknown edition .*Known: .*{HOME}"):
        load_edition(name)


def test_a_file_that_is_not_there_or_no_json_is_refused_by_its_path(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match=r"no edition file at .*missing\.json"):
        load_edition(str(tmp_path / "missing.json"))
    file = tmp_path / "broken.json"
    file.write_text("{", "utf-8")
    with pytest.raises(ContractError, match=r"broken\.json"):
        load_edition(str(file))


SLIPS: dict[str, tuple[Callable[[Any], None], str]] = {
    "a key at the top": (lambda t: t.update(modles=[]), "unknown field `modles`"),
    "a key of a model": (lambda t: t["models"][0].update(ofline=True), "`ofline`.*models"),
    "a key of constraints": (
        lambda t: t["models"][0]["constraints"].update(ratios=[]),
        "`ratios`.*constraints",
    ),
    "a key of the limits": (lambda t: t["limits"].update(max_pixel=5), r"`max_pixel`.*limits"),
    "a key of a difference": (lambda t: t["differences"][0].update(garde="x"), "`garde`.*differences"),
    "a missing limit": (lambda t: t["limits"].pop("max_pixels"), "missing required field `max_pixels`"),
    "a missing table": (lambda t: t.pop("errors"), "missing required field `errors`"),
    "a wrong type": (lambda t: t["limits"].update(max_pixels="many"), r"Expected `int`.*max_pixels"),
    "a price that is no number": (
        lambda t: t["models"][0].update(pricing={"inpaint": "cheap"}),
        r"Invalid decimal.*pricing",
    ),
    "a model twice": (lambda t: t["models"].append(t["models"][0]), "model given twice: qwen-edit"),
    "a difference twice": (lambda t: t["differences"].append(t["differences"][0]), "difference given twice"),
    "an unknown type": (lambda t: t["models"][0].update(type="inpiant"), "unknown type inpiant"),
    "an edit model without a price": (lambda t: t["models"][0].pop("pricing"), "qwen-edit cannot be priced"),
    "a modelId without a model": (
        lambda t: t["fields"]["model_ids"].append("ghost"),
        "modelId ghost is not a model",
    ),
    "a key for rewrites without the rest": (
        lambda t: t["fields"]["known"].append("enhance_prompt"),
        "enhancement, its field and its header go together",
    ),
    "a required field that is not known": (
        lambda t: t["fields"]["required"].append("ghost"),
        "required field ghost is not known",
    ),
}


@pytest.mark.parametrize(("change", "told"), SLIPS.values(), ids=SLIPS)
def test_a_slip_in_an_edition_file_is_refused_by_name(
    tmp_path: Path, change: Callable[[Any], None], told: str
) -> None:
    with pytest.raises(ContractError, match=told):
        load_edition(edited(tmp_path, change))


def test_a_rule_that_names_a_difference_which_is_not_there_is_refused(tmp_path: Path) -> None:
    rule = msgspec.to_builtins(load_edition(HOME).rules[0]) | {"difference": "ghost"}
    with pytest.raises(ContractError, match="names the difference ghost"):
        load_edition(edited(tmp_path, lambda table: table["rules"].append(rule)))


def test_a_server_with_a_broken_edition_or_a_wrong_default_model_does_not_start(
    make_client: MakeClient, tmp_path: Path
) -> None:
    with pytest.raises(ContractError, match="`modles`"):
        make_client(edition=edited(tmp_path, lambda table: table.update(modles=[])))
    for model in ("ghost", "painter"):
        with pytest.raises(ValueError, match=f"{model} is no edit model"):
            make_client(edition=str(TEST_EDITION), default_model=model)


# --- behaviours ------------------------------------------------------------------------------------------------


@pytest.mark.rules("MOCK-SRV-003")
@pytest.mark.parametrize("behavior", ["documented", "observed"])
def test_each_difference_is_read_by_its_id_in_both_behaviours(behavior: Behavior) -> None:
    loaded = load_contract(HOME, behavior)
    for row in loaded.edition.differences:
        side = row.observed if behavior == "observed" else row.documented
        assert loaded.way(row.id) == side.value
        assert side.text
        assert row.matter
    with pytest.raises(KeyError):
        loaded.way("no-such-row")


@pytest.mark.rules("MOCK-SRV-003")
def test_the_rows_are_those_of_the_contract(contract: Contract, observed: Contract) -> None:
    rows = [row.id for row in contract.edition.differences]
    assert {row: (contract.way(row), observed.way(row)) for row in rows} == {
        "default-model": ("qwen-edit", "firered-image-edit"),
        "quality-on-edit": ("accepted", "unrecognized"),
        "wrong-content-type": ("INVALID_CONTENT_TYPE", "INVALID_CONTENT_TYPE_OBSERVED"),
        "balance-header": (True, False),
        "ratelimit-reset": ("s", "ms"),
        "error-budget": (
            {"failures": 20, "window_s": 30, "block_s": 30, "headers": False},
            {"failures": 50, "window_s": 30, "block_s": 30, "headers": True},
        ),
        "violation-body": ("blurred", "placeholder"),
        "wallet-admission": ("price", "floor"),
        "topup-resubmitted": (409, 409),
    }


def rows_read_by_code() -> set[str]:
    """Ids that the code hands to ``way``, and a check that it never asks for the behaviour by name."""
    found = set()
    for file in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "way"
            ):
                (argument,) = node.args
                assert isinstance(argument, ast.Constant), f"{file}: the id must stand in the code"
                found.add(str(argument.value))
            if isinstance(node, ast.Compare) and "contract" not in file.parts:
                assert "behavior" not in ast.unparse(node), f"{file}: read a difference, not the behaviour"
    return found


@pytest.mark.rules("MOCK-SRV-003")
def test_code_reads_every_row_by_its_id_and_no_row_that_is_not_there(contract: Contract) -> None:
    rows = {row.id for row in contract.edition.differences}
    read = rows_read_by_code()
    assert read == rows


@pytest.mark.rules("MOCK-SRV-003")
def test_the_two_behaviours_answer_alike_but_for_the_rows(make_client: MakeClient) -> None:
    settings: dict[str, Any] = {
        "engine": "fast",
        "default_model": "flux-2-max-edit",
        "wall_clock": lambda: 0.0,
    }
    documented, observing = (make_client(behavior=b, **settings) for b in ("documented", "observed"))
    bodies = [
        good_body(), good_body(prompt=""), good_body(n=1), good_body(model="nope"), good_body(resolution="4K"),
        good_body(image="x"), b"{", b"[]", good_body(aspect_ratio="1:2"), good_body(safe_mode=False),
    ]  # fmt: skip
    for body in bodies:
        for key in ("a-key", "mock_invalid_key", "mock_insufficient_balance"):
            one, two = documented.send(body, key=key), observing.send(body, key=key)
            assert one.status == two.status
            if one.status != 200:  # a picture names its behaviour in its metadata
                assert one.body == two.body
            different = {name for name in one.headers if one.headers[name] != two.headers.get(name)}
            assert different <= {"x-ratelimit-reset-requests", "content-length", "x-mock-request-id"}
    assert documented.edit(**good(quality="low")).status != observing.edit(**good(quality="low")).status
