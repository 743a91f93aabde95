"""A Postman Collection v2.1 of the whole API, and an environment for the mock, made from the edition's data.

Only the two documents' frames live here; a new group of requests is one more folder.
"""

from __future__ import annotations

import base64
import uuid
from typing import Any
from urllib.parse import urlsplit

from venice_mock.contract import Contract
from venice_mock.postman.editing import SOURCE, Edits
from venice_mock.postman.parts import (
    KEY,
    SCHEMA,
    Folder,
    bearer,
    environment_value,
    folder_node,
    variable,
)
from venice_mock.postman.paying import PAYMENT, SIGN_INS, WALLET, Payments
from venice_mock.postman.reading import reading_folders
from venice_mock.postman.refusing import Refusals
from venice_mock.sample import sample_jpeg

__all__ = ["RUN_VARIABLES", "collection", "environment"]

RUN_VARIABLES = (WALLET, PAYMENT, *SIGN_INS)  # made anew for each run
# A magic key with enough for many runs on one server.
_RICH_KEY = "mock_balance_100000"


def collection(contract: Contract) -> dict[str, Any]:
    """The collection as JSON values. It is for servers of this contract with the contract's own default model."""
    edition, edits = contract.edition, Edits(contract)
    folders: list[Folder] = [
        *edits.folders(),
        *Refusals(edits).folders(),
        *reading_folders(contract),
        Payments(edits).folder(),
    ]
    picture = base64.b64encode(sample_jpeg(SOURCE)).decode("ascii")
    size = "x".join(map(str, SOURCE))
    return {
        "info": {
            "_postman_id": _id(contract, "collection"),
            "name": f"Venice.ai image edit {edition.edition} ({contract.behavior})",
            "description": (
                f"{edition.title}. Every request asserts status, headers and body. One run takes "
                f"{edits.cost()} USD from the key and a few cents from the wallet: simulated ones on the mock. "
                "Made by `venice-mock postman` from the contract's data."
            ),
            "schema": SCHEMA,
        },
        "auth": bearer(KEY),
        "variable": [
            variable("image", picture, f"The picture that is edited: a JPEG of {size} pixels as base64."),
        ],
        "item": [folder_node(folder) for folder in folders],
    }


def environment(contract: Contract, base_url: str) -> dict[str, Any]:
    """The environment of a mock at ``base_url``, which ends in /api/v1. Variables of a run are empty in it."""
    parts = urlsplit(base_url)
    return {
        "id": _id(contract, f"environment {base_url}"),
        "name": f"venice-mock {parts.netloc}",
        "values": [
            environment_value("base_url", base_url),
            environment_value("key", _RICH_KEY, secret=True),
            environment_value("image_url", f"{parts.scheme}://{parts.netloc}/__mock/sample.png"),
            environment_value("mock", "true"),
            *(environment_value(name, "", secret=name != WALLET) for name in RUN_VARIABLES),
        ],
        "_postman_variable_scope": "environment",
    }


def _id(contract: Contract, what: str) -> str:
    """The same for the same contract, so that importing again replaces."""
    sentence = f"venice-mock {contract.edition.edition} {contract.behavior} {what}"
    return str(uuid.uuid5(uuid.NAMESPACE_URL, sentence))
