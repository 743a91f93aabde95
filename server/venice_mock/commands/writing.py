"""Writing a file that did not exist before, whole or not at all. No command's own matters live here."""

from __future__ import annotations

import os
from pathlib import Path

from venice_mock.commands.files import JobError

PRIVATE = 0o600
_USUAL = 0o666  # less the user's umask


def write_new(target: Path, data: bytes, *, force: bool = False, mode: int = _USUAL) -> None:
    """Write ``data`` to ``target`` with permissions ``mode``; with ``force`` also over an existing file.

    Raises JobError with a sentence, and then the old file, if there was one, is as before.
    """
    try:
        if force and target.exists() and not target.is_file():  # a device is written to, never replaced
            target.write_bytes(data)
        elif force:
            part = target.resolve().with_name(f".{target.name}.{os.getpid()}.part")
            _write_exclusively(part, data, mode)
            part.replace(target.resolve())
        else:
            _write_exclusively(target, data, mode)
    except FileExistsError as error:
        raise JobError(f"{target} exists and will not be overwritten; --force does.") from error
    except OSError as error:
        raise JobError(f"{target} cannot be written: {error.strerror or error}.") from error


def _write_exclusively(target: Path, data: bytes, mode: int) -> None:
    """Create ``target``, which must not exist, not even as a dangling link; nothing stays of a failed try."""
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
    except OSError:
        target.unlink(missing_ok=True)
        raise
