"""A session's journal: the stories of its finished requests, bounded by bytes, and who waits for the next one.

One budget serves all sessions of a process. When it is used up, the session that holds most gives way: first its
oldest pictures go, then its oldest thumbnails, then its oldest stories. What went is counted.

Whoever reads calls ``refresh`` before: where processes share a journal, it brings what the others wrote since.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Iterator

from venice_mock.state.story import Story

MOST_LISTENERS = 64  # ours, of one session


class TooManyListeners(Exception):
    """As many listen to a session as may."""


class Budget:
    """The bytes that all journals of a process may hold together."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.used = 0
        self._holders: dict[int, Journal] = {}  # those that hold anything

    def count(self, holder: Journal, difference: int) -> None:
        """Count what a journal took or gave back."""
        self.used += difference
        if holder.bytes:
            self._holders[id(holder)] = holder
        else:
            self._holders.pop(id(holder), None)

    def make_room(self) -> None:
        """Let go of what is too much."""
        while self.used > self.limit and self._holders:
            max(self._holders.values(), key=lambda journal: journal.bytes).give_way()


class Journal:
    """Stories, oldest first. ``limit``: this session's own share of the budget; 0 keeps no journal.

    ``look_again_s``: how long who listens may wait before it refreshes.
    """

    look_again_s = math.inf

    def __init__(self, budget: Budget, limit: int) -> None:
        self.limit = limit
        self.bytes = 0
        self.dropped = 0  # stories
        self.dropped_pictures = 0  # stories that are kept without the pictures they had
        self.charges_from = 0  # stories up to this number tell of money that a reset took back
        self._budget = budget
        self._ended = False
        self._begun = 0
        self._finished = 0
        self._stories: dict[str, Story] = {}
        self._sizes: dict[str, tuple[int, int, int]] = {}  # pictures, thumbnails, the rest
        self._with_pictures: deque[str] = deque()
        self._with_thumbnails: deque[str] = deque()
        self._listeners: set[asyncio.Event] = set()

    @property
    def is_on(self) -> bool:
        """Whether requests are to be written down."""
        return self.limit > 0 and not self._ended

    @property
    def last(self) -> int:
        """The number of the story that was finished last; 0 before any."""
        return self._finished

    def __len__(self) -> int:
        return len(self._stories)

    def __iter__(self) -> Iterator[Story]:
        """All stories, the oldest first."""
        return iter(tuple(self._stories.values()))

    def get(self, name: str) -> Story | None:
        """The story of that id, if it is here."""
        return self._stories.get(name)

    def after(self, number: int) -> list[Story]:
        """The stories that were finished after the one of that number, the oldest first."""
        found = []
        for story in reversed(self._stories.values()):
            if story.number <= number:
                break
            found.append(story)
        return found[::-1]

    def next_arrival(self) -> int:
        """The number of a request that begins."""
        self._begun += 1
        return self._begun

    async def refresh(self) -> None:
        """Learn what was written elsewhere. Raises StoreUnavailable where that is outside the process."""

    async def write(self, story: Story) -> None:
        """Keep a finished story, whoever else may read it. Never fails, as its answer is not sent yet."""
        self.add(story)

    async def wipe(self) -> None:
        """``clear``, for all processes. Raises as ``refresh``."""
        self.clear()

    async def charge_from_here(self) -> None:
        """What was charged so far was given back. Raises as ``refresh``."""
        self.charges_from = self._finished

    def add(self, story: Story) -> None:
        """Keep a finished story, and wake who listens."""
        if not self.is_on:
            return
        self._finished += 1
        story.number = self._finished
        self._keep(story)

    def weigh(self, story: Story) -> None:
        """Count a story that was added, or changed since: its thumbnails may be made late."""
        if story.id in self._sizes:
            self._measure(story)
            self._make_room()

    def give_way(self) -> None:
        """Drop the oldest of what is dearest to keep."""
        for waiting, at in ((self._with_pictures, 0), (self._with_thumbnails, 1)):
            while waiting:
                story = self._stories.get(waiting.popleft())
                if story is not None and self._sizes[story.id][at]:
                    self._strip(story, at)
                    return
        self._lose(next(iter(self._stories)))
        self.dropped += 1

    def clear(self) -> None:
        """Forget every story and what was dropped; requests in work are written down when they finish."""
        held = self.bytes
        self.dropped = self.dropped_pictures = 0
        for kept in (self._stories, self._sizes, self._with_pictures, self._with_thumbnails):
            kept.clear()
        self._count(-held)

    def end(self) -> None:
        """The session is over: nothing is kept any more, and nobody listens."""
        self._ended = True
        self.clear()
        self.stop_listening()

    def set_limit(self, limit: int) -> None:
        """Another share of the budget."""
        self.limit = limit
        self._make_room()

    def listen(self) -> asyncio.Event:
        """An event that is set whenever a story was added. Raises TooManyListeners."""
        if len(self._listeners) >= MOST_LISTENERS:
            raise TooManyListeners
        listener = asyncio.Event()
        self._listeners.add(listener)
        return listener

    def leave(self, listener: asyncio.Event) -> None:
        """Not interested any more."""
        self._listeners.discard(listener)

    def stop_listening(self) -> None:
        """Wake all listeners; they see that they are none any more."""
        listeners, self._listeners = self._listeners, set()
        for listener in listeners:
            listener.set()

    def is_listening(self, listener: asyncio.Event) -> bool:
        """Whether the listener is still told of stories."""
        return listener in self._listeners

    def _keep(self, story: Story) -> None:
        self._stories[story.id] = story
        self._with_pictures.append(story.id)
        self._with_thumbnails.append(story.id)
        self._sizes[story.id] = (0, 0, 0)
        self.weigh(story)
        for listener in self._listeners:
            listener.set()

    def _lose(self, name: str) -> None:
        del self._stories[name]
        self._count(-sum(self._sizes.pop(name)))

    def _strip(self, story: Story, at: int) -> None:
        if at == 0:
            story.output.pieces = None
            if story.input is not None:
                story.input.data = None
            self.dropped_pictures += 1
        else:
            story.output.thumbnail = None
            if story.input is not None:
                story.input.thumbnail = None
        sizes = list(self._sizes[story.id])
        self._count(-sizes[at])
        sizes[at] = 0
        self._sizes[story.id] = (sizes[0], sizes[1], sizes[2])

    def _measure(self, story: Story) -> None:
        sizes = (story.picture_bytes, story.thumbnail_bytes, story.record_bytes)
        before = sum(self._sizes[story.id])
        self._sizes[story.id] = sizes
        self._count(sum(sizes) - before)

    def _count(self, difference: int) -> None:
        self.bytes += difference
        self._budget.count(self, difference)

    def _make_room(self) -> None:
        while self.bytes > self.limit and self._stories:
            self.give_way()
        self._budget.make_room()
