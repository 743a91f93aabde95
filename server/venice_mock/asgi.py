"""The application for an ASGI server: ``uvicorn --factory venice_mock.asgi:make_app``. Settings come from the environment."""

from __future__ import annotations

import os

from starlette.applications import Starlette

from venice_mock.app import create_app
from venice_mock.settings import load_settings


def make_app() -> Starlette:
    """The application with the settings of the VENICE_MOCK_* variables. Raises SettingsError and ContractError."""
    return create_app(load_settings({}, os.environ))
