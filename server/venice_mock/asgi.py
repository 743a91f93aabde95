"""The application for in-process clients and foreign servers: ``uvicorn --factory venice_mock.asgi:make_app``."""

from __future__ import annotations

import os

from starlette.applications import Starlette

from venice_mock.app import create_app
from venice_mock.settings import load_settings


def make_app() -> Starlette:
    """A fresh application as the ``VENICE_MOCK_*`` variables of the environment say.

    Host, port and log settings are the foreign server's own affair; whoever comes from beyond loopback needs the
    control token in any case. Raises SettingsError, ContractError or ValueError with a sentence.
    """
    return create_app(load_settings({}, os.environ))
