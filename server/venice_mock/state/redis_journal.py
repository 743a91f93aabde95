"""A session's journal on Redis or Valkey: every process writes its stories there, and reads those of the others.

Each keeps what it read as any journal does, and its own stories with their pictures beside; whoever looks refreshes
that first. What is on the server is bounded by bytes and expires. The numbers of all stories are one sequence.
"""

from __future__ import annotations

from venice_mock.state.journal import Budget, Journal
from venice_mock.state.records import numbered, record_of, story_of
from venice_mock.state.redis_rules import Run
from venice_mock.state.store import StoreUnavailable
from venice_mock.state.story import Story

_MOST_BYTES = 16 << 20  # ours: of one session's records on the server
_PAGE = 200  # records that are read in one step
_MICRO = 1_000_000


class RedisJournal(Journal):
    """What this process knows of the stories of all. ``dropped``: stories that are not there any more."""

    look_again_s = 0.25

    def __init__(self, run: Run, budget: Budget, limit: int) -> None:
        super().__init__(budget, limit)
        self._run = run
        self._read = 0  # the number of the last story up to which all are known here
        self._epoch = ""  # another one: the server lost its memory, and numbers begin again
        self._lost = 0  # stories that could not be written since one was

    async def write(self, story: Story) -> None:
        """See Journal. While the store is lost the story is not kept; that it was dropped is told afterwards."""
        if not self.is_on:
            return
        lost, self._lost = self._lost, 0
        took = round(story.marks.get("total", 0.0) * _MICRO)
        most = min(self.limit, _MOST_BYTES)
        try:
            told = await self._run("write", record_of(story), took, most, lost, again=False)
        except StoreUnavailable:
            self._lost += lost + 1
            return
        if not self._ended:
            epoch, number, began = told
            self._begin(epoch)
            numbered(story, number, int(began))
            if number == self._read + 1:
                self._read = number
            self._put(story)

    async def refresh(self) -> None:
        """See Journal."""
        if not self.is_on:
            return
        while True:
            asked = self._read
            epoch, last, first, facts, rows = await self._run("stories", asked, _PAGE, again=True, long=True)
            cleared, charges_from, lost = (int(fact or 0) for fact in facts)
            if self._ended:
                return
            if self._begin(epoch) and asked:
                continue
            for name, (_, began, _, record) in rows:
                number = _number(name)
                if number > self._read:
                    self._read = number
                    if f"req-{number:06d}" not in self._stories:
                        self._put(story_of(record, number=number, arrival=int(began)))
            if len(rows) == _PAGE:
                continue
            self._read = max(self._read, int(last))
            self._forget_before(max(_number(first) if first else int(last) + 1, cleared + 1), int(last))
            self._stories = dict(sorted(self._stories.items(), key=lambda item: item[1].number))
            self.charges_from = charges_from
            self.dropped = max(0, int(last) - cleared - len(self)) + lost
            return

    async def wipe(self) -> None:
        """See Journal."""
        await self._run("wipe", again=True)
        self.clear()

    async def charge_from_here(self) -> None:
        """See Journal."""
        await self._run("charge_from_here", again=True)

    def _begin(self, epoch: str) -> bool:
        """Whether this is another epoch than before, of which nothing is known."""
        if epoch == self._epoch:
            return False
        self._epoch, self._read = epoch, 0
        self.clear()
        return True

    def _put(self, story: Story) -> None:
        if story.id in self._stories:
            self._lose(story.id)
        self._finished = max(self._finished, story.number)
        self._keep(story)

    def _forget_before(self, first: int, last: int) -> None:
        """Whatever is not on the server any more; what came after ``last`` was not looked at."""
        gone = [story.id for story in self if story.number < first and story.number <= last]
        for name in gone:
            self._lose(name)


def _number(name: str) -> int:
    """Of an entry in the stream."""
    return int(name.partition("-")[0])
