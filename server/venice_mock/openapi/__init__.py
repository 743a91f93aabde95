"""The mock's own OpenAPI 3.1 document, made from the edition's data. Only the frame and the list of parts live here.

A new group of routes is one more builder in ``_PATHS`` and, if it has bodies of its own, one in ``_SCHEMAS``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from venice_mock import __version__
from venice_mock.contract import Contract
from venice_mock.openapi.editing import edit_paths
from venice_mock.openapi.parts import Node, Site, header_components, security_schemes
from venice_mock.openapi.payment import payment_schemas
from venice_mock.openapi.reading import (
    account_paths,
    catalogue_paths,
    reading_schemas,
    server_paths,
)
from venice_mock.openapi.refusals import refusal_schemas
from venice_mock.openapi.requesting import edit_schemas
from venice_mock.openapi.wallets import statement_paths, top_up_paths, wallet_schemas

__all__ = ["describe"]

_PATHS: tuple[Callable[[Contract, Site], Node], ...] = (
    edit_paths,
    catalogue_paths,
    account_paths,
    top_up_paths,
    statement_paths,
    server_paths,
)
_SCHEMAS: tuple[Callable[[Contract], Node], ...] = (
    edit_schemas,
    reading_schemas,
    refusal_schemas,
    payment_schemas,
    wallet_schemas,
)


def describe(contract: Contract, origin: str, prefix: str = "") -> dict[str, Any]:
    """The document as JSON values. ``origin`` (``http://host:port``) with ``prefix`` becomes the server's URL.

    Raises KeyError for an edition with a request field or a header that has no description here.
    """
    edition, site = contract.edition, Site(origin, prefix)
    paths: Node = {}
    for build_paths in _PATHS:
        paths |= build_paths(contract, site)
    schemas: Node = {}
    for build_schemas in _SCHEMAS:
        schemas |= build_schemas(contract)
    return {
        "openapi": "3.1.0",
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "info": {
            "title": "venice-mock",
            "version": __version__,
            "summary": edition.title,
            "description": _introduction(contract),
            "license": {"name": "MIT", "identifier": "MIT"},
            "x-edition": edition.edition,
            "x-behavior": contract.behavior,
        },
        "servers": [{"url": origin + prefix, "description": "This mock"}],
        "tags": [
            {"name": "Image", "description": "The edit itself."},
            {"name": "Models", "description": "What can edit, and within which bounds."},
            {"name": "Account", "description": "What is left to spend."},
            {"name": "Wallet", "description": "Credit for wallets, which sign in and pay by x402."},
            {"name": "Server", "description": "The mock about itself."},
        ],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "headers": header_components(contract),
            "securitySchemes": security_schemes(contract),
        },
    }


def _introduction(contract: Contract) -> str:
    rows = "\n".join(
        f"| `{row.id}` | {row.matter} | {getattr(row, contract.behavior).text} |"
        for row in contract.edition.differences
    )
    return (
        "A local stand-in for the image edit API. No picture leaves the machine and no money is spent. "
        "This document is generated from the data by which the server judges requests: edition "
        f"`{contract.edition.edition}`, behaviour `{contract.behavior}`.\n\n"
        "Unless the server was started with `--pure`, refusals carry `X-Mock-Rule`, `X-Mock-Cause` and "
        "`X-Mock-Hint`, which the real server does not send.\n\n"
        "Where documentation and measurement of the real API disagree, this server does the following.\n\n"
        f"| difference | matter | here |\n| --- | --- | --- |\n{rows}\n"
    )
