"""The listening socket: had before anything long is loaded, or refused with one sentence. Nothing is served here."""

from __future__ import annotations

import errno
import socket
import sys

from venice_mock.settings import SettingsError


def bind(host: str, port: int) -> socket.socket:
    """A listening TCP socket. Raises SettingsError with one sentence when the address cannot be had."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (socket.gaierror, UnicodeError) as error:
        raise SettingsError(f"The host {host} cannot be resolved to an address of this machine.") from error
    family, _, _, _, place = min(found, key=lambda entry: entry[0] != socket.AF_INET)
    # asyncio sets TCP_NODELAY only on sockets made with TCP's number; without it an answer takes 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if sys.platform == "win32":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if host == "::":
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listener.bind(place)
        listener.listen(2048)  # now rather than by uvicorn: only listening makes the port surely ours
    except OSError as error:
        listener.close()
        raise SettingsError(_bind_sentence(host, port, error)) from error
    return listener


def _bind_sentence(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE or getattr(error, "winerror", None) == 10048:
        return f"Port {port} on {host} is already in use; choose another with --port (0: any free one)."
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"This user may not listen on port {port} of {host}; choose another with --port."
    if error.errno == errno.EADDRNOTAVAIL:
        return f"The host {host} is not an address of this machine; choose another with --host."
    return f"Cannot listen on {host} port {port}: {error.strerror or error}."
