"""What the tests of this example share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from venice_ai import SyncVeniceClient

from venice_mock.testing import VeniceMock


@pytest.fixture
def client(venice_mock: VeniceMock) -> Iterator[SyncVeniceClient]:
    """A client by another author (``pip install venice-py``), pointed at the test's own mock."""
    with SyncVeniceClient(api_key=venice_mock.api_key, base_url=venice_mock.base_url, max_retries=0) as made:
        yield made
