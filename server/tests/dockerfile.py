"""Reading a Dockerfile as far as ours goes, and telling what a .dockerignore leaves of a tree. No tests."""

from __future__ import annotations

import json
import re
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

_ASSIGNED = re.compile(r"""(\w[\w.]*)=("[^"]*"|\S+)""")


@dataclass(frozen=True, slots=True)
class Step:
    """One instruction: its word in capitals, and the rest of its line, continued lines joined."""

    word: str
    rest: str

    @property
    def words(self) -> list[str]:
        """The rest as a list: of JSON in the exec form, else split at spaces."""
        found: list[str] = json.loads(self.rest) if self.rest.startswith("[") else self.rest.split()
        return found


@dataclass(frozen=True, slots=True)
class Stage:
    """What follows one FROM."""

    steps: tuple[Step, ...]

    def all(self, word: str) -> list[Step]:
        """Its instructions of this word."""
        return [step for step in self.steps if step.word == word]

    def one(self, word: str) -> Step:
        """Its only instruction of this word."""
        (step,) = self.all(word)
        return step

    def environment(self, before: Mapping[str, str]) -> dict[str, str]:
        """The variables of a process of this stage."""
        found = dict(before)
        for step in self.all("ENV"):
            assigned = {name: value.strip('"') for name, value in _ASSIGNED.findall(step.rest)}
            found |= {name: string.Template(value).substitute(found) for name, value in assigned.items()}
        return found


def steps_of(text: str) -> list[Step]:
    """The instructions in their order."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [
        Step(word.upper(), rest.strip())
        for word, _, rest in (each.partition(" ") for each in joined.splitlines())
    ]


def stages_of(steps: Sequence[Step]) -> list[Stage]:
    """The stages; what stands before the first FROM is of none."""
    starts = [place for place, step in enumerate(steps) if step.word == "FROM"]
    ends = [*starts[1:], len(steps)]
    return [Stage(tuple(steps[start:end])) for start, end in zip(starts, ends, strict=True)]


@dataclass(frozen=True, slots=True)
class Ignored:
    """The patterns of a .dockerignore: the last that fits a path or a folder above it decides."""

    patterns: tuple[str, ...]

    @classmethod
    def read(cls, file: Path) -> Ignored:
        """The patterns of a file."""
        lines = (line.strip() for line in file.read_text("utf-8").splitlines())
        return cls(tuple(line for line in lines if line and not line.startswith("#")))

    def leaves(self, path: str) -> bool:
        """Whether the path, relative to the context, is sent to the builder."""
        parts = path.split("/")
        names = ["/".join(parts[:end]) for end in range(1, len(parts) + 1)]
        kept = True
        for pattern in self.patterns:
            bare = pattern.removeprefix("!").rstrip("/")
            anywhere = bare.removeprefix("**/")
            for name in names:
                in_depth = anywhere != bare and fnmatch(name.rpartition("/")[2], anywhere)
                if in_depth or (name.count("/") == bare.count("/") and fnmatch(name, bare)):
                    kept = pattern.startswith("!")
        return kept
