"""A server as a real process, as users start it: ``with running("--limits", "real") as origin: ...``.

Where REDIS is in the environment the server has an empty store there.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

REDIS = "VENICE_MOCK_TEST_REDIS"  # redis://HOST:PORT/DB


@contextmanager
def running(*options: str) -> Iterator[str]:
    """Start ``venice-mock serve --port 0``, wait for its ready line, yield the origin, and end it cleanly."""
    store = (
        ["--store", f"{os.environ[REDIS]}?namespace={secrets.token_hex(8)}"] if REDIS in os.environ else []
    )
    command = [sys.executable, "-m", "venice_mock", "serve", "--port", "0", "--log-level", "error"]
    with subprocess.Popen([*command, *store, *options], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            ready = json.loads(process.stdout.readline())
            yield ready["base_url"].removesuffix("/api/v1")
        finally:
            process.terminate()
            assert process.wait(30) == 0, "the server did not end cleanly"
