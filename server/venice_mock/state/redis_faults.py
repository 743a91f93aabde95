"""What is wrong with a store, in words for who has to mend it, and whether waiting can help. No secret is in them."""

from __future__ import annotations

import socket
import ssl
from typing import Any, NamedTuple


class Fault(NamedTuple):
    """``text`` goes on after the name of the store.

    ``passes``: it may be well again without anybody's doing. ``reads``: questions are answered meanwhile. ``guess``:
    what it may be where the store never answered before.
    """

    text: str
    passes: bool = True
    reads: bool = False
    guess: str = ""


_SILENT = Fault("does not answer in time")
_SILENT_TO_TLS = Fault("does not answer TLS in time", guess="its address may begin with redis://")
_CLOSING = Fault("closes connections", guess="it may be no Redis or Valkey server")
_PASSWORD = Fault("refuses this user or password", passes=False)
_NO_PASSWORD = Fault("asks for a password", passes=False)
_PERMISSION = Fault("does not permit this user what the mock does", passes=False)
_DATABASE = Fault("has no database of that number", passes=False)
# What the system or TLS said, at the bottom of what the client raises; the first that fits.
_BELOW: tuple[tuple[type[BaseException], Fault], ...] = (
    (ConnectionRefusedError, Fault("refuses connections: nothing listens there")),
    (socket.gaierror, Fault("has a host name that cannot be resolved")),
    (
        ssl.SSLCertVerificationError,
        Fault("shows a certificate that is not trusted here", passes=False),
    ),
    (ssl.SSLError, Fault("does not speak TLS as it should", guess="its address may begin with redis://")),
    (ConnectionResetError, Fault("breaks connections off", guess="its address may begin with rediss://")),
)
# How Redis begins what it says where the client has no type for it.
_SAID = (
    ("MISCONF", Fault("takes no writes: it cannot save its data to disk", reads=True)),
    ("BUSY ", Fault("is busy with a script")),
    ("NOREPLICAS", Fault("takes no writes: it has too few replicas", reads=True)),
    ("DB index is out of range", _DATABASE),
    ("WRONGPASS", _PASSWORD),
    ("NOAUTH", _NO_PASSWORD),
    ("NOPERM", _PERMISSION),
    ("The user executing the script", _PERMISSION),
    ("max number of clients", Fault("has no connection left: too many clients have one")),
)


def fault_of(error: BaseException, known: Any, *, tls: bool = False) -> Fault | None:
    """What is wrong; None: the store is well, and we or its client are not.

    ``known``: ``redis.exceptions``. ``tls``: the connection was to be one.
    """
    for start, fault in _SAID:
        if str(error).startswith(start):
            return fault
    # The client's types, from the narrow to the wide: some of them are ConnectionErrors too.
    kinds = (
        (
            known.AuthenticationError,
            _NO_PASSWORD if "HELLO" in str(error) else _PASSWORD,
        ),
        (known.AuthorizationError, _PERMISSION),
        (known.NoPermissionError, _PERMISSION),
        (known.BusyLoadingError, Fault("is still loading its data")),
        (known.OutOfMemoryError, Fault("is out of memory", reads=True)),
        (known.ReadOnlyError, Fault("takes no writes: it is a read-only replica", reads=True)),
        (known.MasterDownError, Fault("is a replica that has lost its master")),
        (known.ClusterDownError, Fault("is a cluster that is down")),
    )
    for kind, fault in kinds:
        if isinstance(error, kind):
            return fault
    if isinstance(error, known.ConnectionError | known.TimeoutError | OSError):
        return _of_the_way(error, tls=tls)
    return None


def _of_the_way(error: BaseException, *, tls: bool) -> Fault:
    """Why there is no connection, or not any more."""
    below: BaseException | None = error
    for _ in range(5):  # deep enough, and no chain that bites its own tail is followed for ever
        if below is None:
            break
        for kind, fault in _BELOW:
            if isinstance(below, kind):
                return fault
        below = below.__cause__ or below.__context__
    if isinstance(error, TimeoutError) or "imeout" in type(error).__name__:
        return _SILENT_TO_TLS if tls else _SILENT
    return _CLOSING if "closed" in str(error) else _SILENT
