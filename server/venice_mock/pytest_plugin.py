"""The pytest plugin: the fixture ``venice_mock``, a mock server that starts with the first test that asks for it.

One server for each process (so one for each worker of pytest-xdist), one session of it for each test. It is loaded
into every pytest run of whoever installed the package, so it imports nothing until the fixture is used.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from venice_mock.testing import VeniceMock

_NAME = "venice_mock"
_SHOWN = 20  # requests of a failed test
_FAILED = pytest.StashKey[bool]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """One setting, with all of the server's in it."""
    text = "settings of the mock server, one NAME=VALUE a line, as in: venice-mock serve --help"
    parser.addini(_NAME, text, type="linelist", default=[])


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    text = f"{_NAME}(**config): config of the test's own mock session: edition=..., behavior=..., balance=..."
    config.addinivalue_line("markers", text)


@pytest.fixture(scope="session")
def venice_mock_server(pytestconfig: pytest.Config) -> Iterator[VeniceMock]:
    """The mock server of this process, which all its tests share: its default session."""
    from venice_mock.settings import SettingsError
    from venice_mock.testing import serve

    settings = _settings(pytestconfig)
    try:
        server = serve(**settings)
        mock = server.__enter__()
    except (SettingsError, TypeError) as error:
        pytest.exit(f"The setting {_NAME} of pytest: {error}", returncode=4)
    try:
        yield mock
    finally:
        server.__exit__(None, None, None)


@pytest.fixture
def venice_mock(request: pytest.FixtureRequest, venice_mock_server: VeniceMock) -> Iterator[VeniceMock]:
    """A mock of the test's own: ``venice_mock.base_url``, ``.fail_next(...)``, ``.verify(...)`` and more."""
    from venice_mock.testing import ControlError

    session = venice_mock_server.session(**_marked(request.node))
    try:
        mock = session.__enter__()
    except ControlError as error:
        pytest.fail(f"@pytest.mark.{_NAME}: {error}", pytrace=False)
    try:
        yield mock
        if not request.node.stash.get(_FAILED, False):
            _warn_of_unused(mock)
    finally:
        session.__exit__(None, None, None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Tell in the report of a failed test what reached its mock."""
    report: pytest.TestReport = yield
    mock: VeniceMock | None = getattr(item, "funcargs", {}).get(_NAME)
    if call.when == "call" and report.failed and mock is not None and type(mock).__module__.startswith(_NAME):
        item.stash[_FAILED] = True
        report.sections.append((f"Requests to {_NAME}", _told(mock)))
    return report


def _warn_of_unused(mock: VeniceMock) -> None:
    """Warn of a test that passed without the failure that it ordered."""
    from venice_mock.testing import UnusedFailureWarning

    try:
        unused = mock.unused_failures()
    except (OSError, ValueError):  # the test ended its session, or the server
        return
    for what in unused:
        text = f"fail_next({what!r}) was never used: no edit that fits reached the mock afterwards."
        warnings.warn(UnusedFailureWarning(text), stacklevel=2)


def _told(mock: VeniceMock) -> str:
    try:
        requests = mock.requests
    except (OSError, ValueError) as error:
        return f"They cannot be read: {error}"
    left_out = len(requests) - _SHOWN
    lines = [f"({left_out} before these)"] if left_out > 0 else []
    return "\n".join(lines + [str(each) for each in requests[-_SHOWN:]]) or "none"


def _settings(config: pytest.Config) -> dict[str, Any]:
    """The lines of the setting. Paths are relative to the folder of pytest's settings."""
    from venice_mock.settings import OPTIONS

    kinds = {option.key: option for option in OPTIONS}
    found: dict[str, Any] = {}
    for line in config.getini(_NAME):
        name, equals, value = (part.strip() for part in line.partition("="))
        if not equals:
            pytest.exit(f"The setting {_NAME} of pytest: expected NAME=VALUE, got {line!r}.", returncode=4)
        option = kinds.get(name)
        found[name] = value
        if option is not None and option.kind == "switch" and value.lower() in ("true", "false"):
            found[name] = value.lower() == "true"
        elif option is not None and (option.kind == "path" or value.endswith(".json")):
            found[name] = str(_home(config) / value)
    return found


def _home(config: pytest.Config) -> Path:
    return config.rootpath if config.inipath is None else config.inipath.parent


def _marked(item: pytest.Item) -> dict[str, Any]:
    """The config of all markers, those nearer to the test over the others'."""
    found: dict[str, Any] = {}
    for mark in reversed(list(item.iter_markers(_NAME))):
        if mark.args:
            pytest.fail(f"@pytest.mark.{_NAME} takes keywords only: behavior='observed'", pytrace=False)
        found |= mark.kwargs
    return found
