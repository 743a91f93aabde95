"""The way to Redis or Valkey: one address, connections, bounded time. Knows scripts, but not what is in them.

Nothing waits longer than ``patience_s`` for an answer. Who finds the server lost spares others the wait: for a
moment they are told so at once. What may be sent twice without harm is sent again while there is time for it.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

from venice_mock.logs import LOGGER
from venice_mock.state.redis_faults import Fault, fault_of
from venice_mock.state.store import StoreUnavailable

PATIENCE_S = 2.0  # ours
_LONG_S = 30.0  # ours: for a whole state of many megabytes
_SPARED_S = 0.2  # ours: so long others are told at once what one found out
_PAUSE_S = 0.05  # ours: between two tries
_GRACE_S = 0.05  # ours: for reading what came while the process itself had no time
_CONNECTIONS = 16  # ours, of one process: a command takes well under a millisecond
_NAMESPACE = "default"


class Script:
    """A Lua script and the name by which the server knows it once it has run."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.digest = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


Call = tuple[Script, str, Sequence[str | int]]  # the script, its key, its arguments


class RedisLink:
    """Connections to ``url``, made when they are needed, on the event loop that needs them. Close it there.

    Raises ValueError with a sentence when the client library is missing or the address is none.
    """

    def __init__(self, url: str, *, patience_s: float = PATIENCE_S) -> None:
        try:
            from redis import asyncio as client
            from redis import exceptions
            from redis.asyncio.retry import Retry
            from redis.backoff import NoBackoff
        except ModuleNotFoundError as error:
            raise ValueError("A shared store needs the redis client: pip install 'redis>=7'.") from error
        bare, _, query = url.partition("?")
        self.namespace = parse_qs(query).get("namespace", [_NAMESPACE])[0]
        self.place = place_of(url)
        self._tls = url.startswith("rediss:")
        self.patience_s = patience_s
        self._errors = exceptions
        self.fault: Fault | None = None  # what is wrong with it, as far as it was found out
        self._met = False  # whether it ever did what it was asked for
        self._logger = logging.getLogger(LOGGER)
        self._spared_until = 0.0
        self._closed = False
        self._turns = asyncio.Semaphore(_CONNECTIONS)  # to wait for one is no fault of the server
        self._client: Any = client.Redis.from_pool(
            client.ConnectionPool.from_url(
                bare,
                max_connections=2 * _CONNECTIONS,  # more than may be wanted at once
                socket_timeout=None,  # how long an answer may take is known here
                socket_connect_timeout=patience_s,
                retry=Retry(NoBackoff(), 0),  # what may be sent again is known here, not there
                decode_responses=True,
                encoding_errors="surrogatepass",
            )
        )

    async def run(
        self,
        script: Script,
        key: str,
        *arguments: str | int,
        again: bool,
        long: bool = False,
        writes: bool = False,
    ) -> Any:
        """What the script answers. ``again``: it may be sent twice. ``long``: it may take its time.

        ``writes``: that it was done shows that the store takes writes. Raises StoreUnavailable.
        """

        async def once() -> Any:
            return await self._told((script, key, arguments))

        async with self._turns:
            patience_s = max(self.patience_s, _LONG_S) if long else self.patience_s
            return await self._within(once, again, patience_s, writes=writes)

    async def run_both(self, one: Call, other: Call) -> tuple[Any, Any]:
        """What two scripts answer that may be sent twice, in one round trip. Raises StoreUnavailable."""

        async def once() -> tuple[Any, Any]:
            both = self._client.pipeline(transaction=False)
            for script, key, arguments in (one, other):
                both.execute_command("EVALSHA", script.digest, 1, key, *arguments)
            try:
                first, second = await both.execute()
            except self._errors.NoScriptError:
                first, second = await self._told(one), await self._told(other)
            return first, second

        async with self._turns:
            done: tuple[Any, Any] = await self._within(once, True, self.patience_s)
            return done

    async def _told(self, call: Call) -> Any:
        script, key, arguments = call
        try:
            return await self._client.execute_command("EVALSHA", script.digest, 1, key, *arguments)
        except self._errors.NoScriptError:  # a server that was started since, and has not run it
            return await self._client.execute_command("EVAL", script.text, 1, key, *arguments)

    async def _within(
        self, once: Callable[[], Awaitable[Any]], again: bool, patience_s: float, *, writes: bool = False
    ) -> Any:
        if self._closed:
            raise StoreUnavailable(f"The store at {self.place} is not asked any more.")
        if self.fault is not None and time.monotonic() < self._spared_until:
            raise StoreUnavailable(f"The store at {self.place} {self._told_of(self.fault)}.")
        fault: Fault | None = None
        try:
            async with _patience(patience_s):
                while True:
                    try:
                        answer = await once()
                        break
                    except (self._errors.RedisError, OSError) as error:
                        fault = fault_of(error, self._errors, tls=self._tls)
                        if fault is None or not fault.passes or not again:
                            raise
                    await asyncio.sleep(_PAUSE_S)
        except (self._errors.RedisError, OSError, TimeoutError) as error:
            # Of several tries the last one told what is wrong, not the end of the patience.
            fault = fault or fault_of(error, self._errors, tls=self._tls)
            if fault is None:
                raise
            self._lose(fault)
            raise StoreUnavailable(f"The store at {self.place} {self._told_of(fault)}.") from error
        if self.fault is not None and (writes or not self.fault.reads):
            self._logger.info("the store at %s %s", self.place, "is well again" if self._met else "answers")
            self.fault = None
        self._met = True
        return answer

    def _lose(self, fault: Fault) -> None:
        """Note it, and tell it once, not for every request."""
        if not fault.reads:  # questions may be answered meanwhile
            self._spared_until = time.monotonic() + _SPARED_S
        known = self.fault
        # Once met, a store that is lost may be refused, reset and silent in turn: that is one loss.
        alike = known is not None and (fault.passes, fault.reads) == (known.passes, known.reads)
        other = not alike if self._met else fault != known
        if other:
            waits = fault.passes and not self._met
            what = "waiting for the store at %s: it %s" if waits else "the store at %s %s"
            self._logger.warning(what, self.place, self._told_of(fault))
        self.fault = fault

    def _told_of(self, fault: Fault) -> str:
        return f"{fault.text}: {fault.guess}" if fault.guess and not self._met else fault.text

    async def close(self) -> None:
        """Close all connections, and open none any more."""
        self._closed = True
        await self._client.aclose()
        await self._client.connection_pool.aclose()


@asynccontextmanager
async def _patience(seconds: float) -> AsyncIterator[None]:
    """Raises TimeoutError after so many seconds, and once more what has arrived was read.

    On an event loop that comes back late the time is over before anybody looked: that is no fault of the server.
    """
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(None) as limit:
        due = loop.call_later(seconds, lambda: limit.reschedule(loop.time() + _GRACE_S))
        try:
            yield
        finally:
            due.cancel()


def place_of(url: str) -> str:
    """The address without name and password, fit to be shown."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
