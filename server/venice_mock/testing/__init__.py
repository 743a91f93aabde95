"""A mock for tests, with or without pytest: ``serve`` runs a server in a thread, ``in_process`` an ASGI application.

::

    from venice_mock.testing import serve

    with serve() as mock:
        edit = my_client(mock.base_url, mock.api_key)
        mock.fail_next("rate_limited", retry_after=2)
        ...
        mock.verify(prompt_contains="sunset", exactly=1)

``connect`` steers a server that was started elsewhere. With pytest the fixture ``venice_mock`` is such a mock, in a
session of the test's own. Nothing of the server is imported before it is started.
"""

from __future__ import annotations

from venice_mock.testing.calling import ControlError
from venice_mock.testing.mock import Account, Clock, Rule, VeniceMock
from venice_mock.testing.options import ServerOptions, SessionOptions
from venice_mock.testing.records import Advice, Booking, Input, Request, Verdict
from venice_mock.testing.running import ConnectedMock, InProcessMock, connect, in_process, serve
from venice_mock.testing.sentences import UnusedFailureWarning, VerificationError

__all__ = [
    "Account",
    "Advice",
    "Booking",
    "Clock",
    "ConnectedMock",
    "ControlError",
    "InProcessMock",
    "Input",
    "Request",
    "Rule",
    "ServerOptions",
    "SessionOptions",
    "UnusedFailureWarning",
    "VeniceMock",
    "Verdict",
    "VerificationError",
    "connect",
    "in_process",
    "serve",
]
