"""venice-mock: a local server that answers the Venice.ai image edit API as the real one does.

``edit_bytes`` edits a picture without a server, ``read_request`` reads back from an edited picture what was
understood; the errors are those of ``venice_mock.testing``. All are imported when they are first used, so that
``import venice_mock`` costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from venice_mock.edit.local import edit_bytes
    from venice_mock.edit.metadata import Understood, read_request
    from venice_mock.testing.calling import ControlError
    from venice_mock.testing.sentences import VerificationError

__version__ = "0.1.0"
__all__ = ["ControlError", "Understood", "VerificationError", "__version__", "edit_bytes", "read_request"]

_HOMES = {
    "edit_bytes": "venice_mock.edit.local",
    "read_request": "venice_mock.edit.metadata",
    "Understood": "venice_mock.edit.metadata",
    "ControlError": "venice_mock.testing.calling",
    "VerificationError": "venice_mock.testing.sentences",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_HOMES[name]), name)
