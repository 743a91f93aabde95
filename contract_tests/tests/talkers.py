"""Servers on a real socket that say exactly what a test tells them: half answers, silence, another protocol."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

Talk = Callable[[socket.socket, bytes], None]


@contextlib.contextmanager
def talking(talk: Talk, *, reads: bytes = b"\r\n\r\n", drains: bool = True) -> Iterator[int]:
    """A server that reads one request's head on each connection and lets ``talk`` answer; yields its port.

    It reads until ``reads`` came, and, unless told not to, what the client still sends before it closes.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    ended = threading.Event()
    threads: list[threading.Thread] = []

    def serve() -> None:
        while not ended.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=answer, args=(connection,), daemon=True)
            threads.append(thread)
            thread.start()

    def answer(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.settimeout(10)
            head = b""
            while reads not in head or not head:
                got = connection.recv(65536)
                if not got:
                    return
                head += got
            talk(connection, head)
            connection.shutdown(socket.SHUT_WR)
            # A socket closed with unread bytes is reset, and the client may never see the answer.
            while drains and connection.recv(1 << 20):
                pass

    acceptor = threading.Thread(target=serve, daemon=True)
    acceptor.start()
    try:
        yield listener.getsockname()[1]
    finally:
        ended.set()
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        acceptor.join(5)


def says(answer: bytes) -> Talk:
    """Answer with these bytes and close."""
    return lambda connection, _head: connection.sendall(answer)


def silent(connection: socket.socket, _head: bytes) -> None:
    """Never answer; end when the client hangs up."""
    with contextlib.suppress(OSError):
        while connection.recv(65536):
            pass


def answer_of(status: int, body: bytes, content_type: str = "application/json") -> bytes:
    """A whole HTTP answer."""
    head = f"HTTP/1.1 {status} Told\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body
