"""A client's TCP connection, which can be broken to order. Knows nothing of HTTP."""

from __future__ import annotations

import asyncio
import socket
import struct
import sys

EXTENSION = "venice_mock.connection"  # of the ASGI scope, where the server has real connections
_POLL_S = 0.002
_PATIENCE_S = 5.0  # ours: so long a client may take to fetch what goes before the break
_SHORT_PAUSE_S = 0.05  # where the system does not tell what is still under way
_LINGER = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)


class Connection:
    """One connection. What was written before is let arrive first."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    async def reset(self) -> None:
        """End it so that the client's next read or write fails with a reset (RST)."""
        await self._arrived()
        end: socket.socket | None = self._transport.get_extra_info("socket")
        if end is not None:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
        self._transport.abort()

    async def close(self) -> None:
        """End it as if all had been said (FIN)."""
        await asyncio.sleep(0)
        self._transport.close()

    async def _arrived(self) -> None:
        """Until the client's system has all that was written: a reset throws away what is still on this side."""
        await asyncio.sleep(0)  # uvloop writes at the end of its turn
        loop = asyncio.get_running_loop()
        end = loop.time() + _PATIENCE_S
        while not self._transport.is_closing() and loop.time() < end:
            waiting = self._transport.get_write_buffer_size()
            under_way = self._under_way()
            if not waiting and not under_way:
                if under_way is None:
                    await asyncio.sleep(_SHORT_PAUSE_S)
                return
            await asyncio.sleep(_POLL_S)

    def _under_way(self) -> int | None:
        """Bytes that the client's system has not confirmed; None where that cannot be told."""
        end: socket.socket | None = self._transport.get_extra_info("socket")
        try:
            import fcntl
            import termios

            if end is None:
                return None
            told = fcntl.ioctl(end.fileno(), termios.TIOCOUTQ, bytes(4))
            return int(struct.unpack("i", told)[0])
        except (ImportError, OSError, ValueError):
            return None
