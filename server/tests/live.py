"""A server as a real process, as users start it: ``with running("--limits", "real") as origin: ...``."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def running(*options: str) -> Iterator[str]:
    """Start ``venice-mock serve --port 0``, wait for its ready line, yield the origin, and end it cleanly."""
    command = [sys.executable, "-m", "venice_mock", "serve", "--port", "0", "--log-level", "error", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            ready = json.loads(process.stdout.readline())
            yield ready["base_url"].removesuffix("/api/v1")
        finally:
            process.terminate()
            assert process.wait(30) == 0, "the server did not end cleanly"
