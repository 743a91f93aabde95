"""Requests that only read: models and their names, the API's own document, a key's balance."""

from __future__ import annotations

from venice_mock.accounts.keys import error_aliases
from venice_mock.catalogue import list_compatibility, list_models, list_traits
from venice_mock.contract import Contract
from venice_mock.openapi.refusals import error_body, refused
from venice_mock.postman import asserting as say
from venice_mock.postman.parts import Call, Folder

_UNKNOWN = "hats"  # no type of any edition
_LISTS = (
    ("/models", list_models),
    ("/models/traits", list_traits),
    ("/models/compatibility_mapping", list_compatibility),
)


def reading_folders(contract: Contract) -> list[Folder]:
    """All of them."""
    return [_models(contract), _balance(contract), _document(contract)]


def _models(contract: Contract) -> Folder:
    edition, calls = contract.edition, []
    for path, listing in _LISTS:
        kinds = edition.listing_types if listing is list_models else edition.model_types
        for kind in (None, *kinds):
            query = {} if kind is None else {"type": kind}
            name = path if kind is None else f"{path}?type={kind}"
            calls.append(_get(contract, name, path, 200, say.json_is(listing(contract, kind)), query))
        told = refused(lambda listing=listing: listing(contract, _UNKNOWN))  # type: ignore[misc]
        calls.append(
            _get(contract, f"{path}?type={_UNKNOWN}", path, 400, say.json_is(told), {"type": _UNKNOWN})
        )
    return Folder("Models", "The catalogue: models, traits, other vendors' names. No key is needed.", calls)


def _balance(contract: Contract) -> Folder:
    path = "/billing/balance"
    lines = say.json_where(
        "a balance in USD",
        'pm.expect(body).to.have.all.keys("canConsume", "consumptionCurrency", "balances", "diemEpochAllocation");',
        'pm.expect(body.canConsume).to.be.a("boolean");',
        'pm.expect(body.balances).to.have.all.keys("diem", "usd");',
        'pm.expect(body.balances.usd).to.be.a("number").that.is.at.least(0);',
    )
    calls = [Call("balance of the key", path, _told(contract, 200, lines), method="GET")]
    for alias in ("invalid_key", "inactive", "disabled"):
        name = error_aliases()[alias]
        lines = say.json_is(error_body(contract, name))
        status = contract.error(name).status
        calls.append(
            Call(
                f"key mock_{alias}",
                path,
                _told(contract, status, lines),
                method="GET",
                key=f"mock_{alias}",
                before=say.MOCK_ONLY,
            )
        )
    return Folder("Billing", "What is on the key's account.", calls)


def _document(contract: Contract) -> Folder:
    edit = contract.edition.path.removeprefix("/api/v1")
    lines = say.json_where(
        "an OpenAPI document with the edit in it",
        "pm.expect(body.openapi).to.match(/^3\\.1\\./);",
        f"const paths = Object.keys(body.paths).filter((path) => path.endsWith({say.js(edit)}));",
        "pm.expect(paths).to.have.lengthOf(1);",
        'pm.expect(body.paths[paths[0]]).to.have.property("post");',
    )
    calls = [_get(contract, "the mock's OpenAPI document", "/openapi.json", 200, lines, before=say.MOCK_ONLY)]
    return Folder("OpenAPI", "The API as the mock describes it.", calls)


def _get(
    contract: Contract,
    name: str,
    path: str,
    status: int,
    lines: list[str],
    query: dict[str, str] | None = None,
    before: say.Lines = (),
) -> Call:
    tests = _told(contract, status, lines)
    return Call(name, path, tests, method="GET", key=None, query=query or {}, before=before)


def _told(contract: Contract, status: int, lines: list[str]) -> list[str]:
    return [*say.status(status), *say.stamped(contract), *lines]
