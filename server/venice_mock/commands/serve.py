"""``venice-mock serve``: the options of the server process. What serving is stands in ``serving.py``."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from venice_mock.commands.options import add_settings, command_parser, settings

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from venice_mock.settings import Settings

EXAMPLES = """\
  venice-mock serve
  venice-mock serve --port 0 --port-file port.txt
  venice-mock serve --behavior observed --limits real
  venice-mock serve --latency 200ms..2s --seed 7
  VENICE_MOCK_PORT=9000 VENICE_MOCK_CAPTION=false venice-mock serve
  venice-mock serve --config venice-mock.toml

every option has three spellings; a flag wins over the environment, which wins
over the file:
  --max-inflight-pixels N                  the flag
  VENICE_MOCK_MAX_INFLIGHT_PIXELS=N        the environment (empty: not set)
  max_inflight_pixels = N                  the TOML file; paths in it are
                                           relative to the file
switches take true or false there: VENICE_MOCK_CAPTION=false, caption = false

a SIZE is a whole number of bytes, or one with kB, MB, GB, KiB, MiB or GiB:
--cache-bytes 64MiB, VENICE_MOCK_CACHE_BYTES=64MiB, cache_bytes = "64MiB"

once it answers, one line of JSON on standard output says where; the port file
holds the port number and goes away at the end. Ctrl-C finishes what is in
flight and exits with 0; a second Ctrl-C leaves at once.
"""


def parser() -> argparse.ArgumentParser:
    """The parser of this command."""
    made = command_parser("serve", "Answer the API on this machine until Ctrl-C.", EXAMPLES)
    add_settings(made)
    return made


def run(arguments: argparse.Namespace) -> int:
    """Serve. Raises SettingsError for what cannot be served."""
    chosen = settings(arguments)
    from venice_mock.serving import serve

    return serve(chosen, _create_app)


def _create_app(chosen: Settings) -> ASGIApp:
    from venice_mock.app import create_app  # only now: a taken port is told before the long import

    return create_app(chosen)
