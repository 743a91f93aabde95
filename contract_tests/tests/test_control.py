"""The suite's own view of a mock's control plane."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from venice_contract.judging.control import Control, ControlError
from venice_contract.wire.asgi import AsgiTransport
from venice_mock.asgi import make_app


@pytest.fixture
def control() -> Iterator[Control]:
    transport = AsgiTransport(make_app())
    yield Control(transport)
    transport.close()


def test_a_closed_session_is_gone(control: Control) -> None:
    session = control.open_session({"seed": 1})
    assert session.config()["seed"] == 1
    session.close_session()
    with pytest.raises(ControlError, match="answered 404"):
        session.config()


def test_the_default_session_stays_when_it_is_closed(control: Control) -> None:
    control.close_session()
    assert control.config()["edition"]
