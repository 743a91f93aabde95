"""Which file becomes which in ``venice-mock edit``, and reading and writing them without harm to an input."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from venice_mock.contract import load_edition
from venice_mock.settings import SettingsError

STREAM = "-"


class JobError(Exception):
    """A file that cannot be read or written. The text is one line."""


@dataclass(frozen=True, slots=True)
class Job:
    """One picture to make. ``source`` None is standard input.

    ``target`` None is standard output; with ``in_folder`` it has no ending yet and gets that of the format.
    ``inputs`` are the resolved inputs of the whole run, none of which may be written to.
    """

    source: Path | None
    target: Path | None
    in_folder: bool
    inputs: frozenset[Path]

    @property
    def name(self) -> str:
        """What the user called the input."""
        return STREAM if self.source is None else str(self.source)


@dataclass(frozen=True, slots=True)
class Jobs:
    """All pictures of one run, and the format that the output's ending asks for, if it does."""

    list: list[Job]
    output_format: str | None


def plan_jobs(inputs: Sequence[str], output: str, edition_name: str, format_given: bool) -> Jobs:
    """Decide names before any work. Raises SettingsError for what cannot be meant."""
    if not inputs:
        raise SettingsError(
            'Give at least one picture and then the prompt, such as: photo.jpg "make it a sunset".'
        )
    if inputs.count(STREAM) > 1:
        raise SettingsError("Standard input (-) can be read only once.")
    sources = [None if name == STREAM else Path(name) for name in inputs]
    own = frozenset(source.resolve() for source in sources if source is not None)
    many = len(sources) > 1
    if output == STREAM:
        if many:
            raise SettingsError("Several pictures cannot go to standard output; give a folder with -o.")
        return Jobs([Job(sources[0], None, False, own)], None)

    target = Path(output)
    if many and target.suffix and not target.is_dir() and not output.endswith(("/", os.sep)):
        raise SettingsError(
            f"Several pictures need a folder; {output} reads like one file (add a / if it is meant)."
        )
    if many or target.is_dir() or output.endswith(("/", os.sep)):
        return Jobs(_into_folder(sources, target, own), None)
    if _is_one_of(target, own):
        raise SettingsError(f"{output} is the input and will not be overwritten; give another name with -o.")
    return Jobs(
        [Job(sources[0], target, False, own)], None if format_given else _format_of(target, edition_name)
    )


def _into_folder(sources: Sequence[Path | None], folder: Path, own: frozenset[Path]) -> list[Job]:
    if folder.exists() and not folder.is_dir():
        raise SettingsError(f"{folder} is a file; several pictures need a folder.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"The folder {folder} cannot be made: {error.strerror or error}.") from error
    taken: set[str] = set()
    jobs = []
    for source in sources:
        stem = "stdin" if source is None else source.stem
        # Two inputs of one name, and inputs that lie in the folder themselves, must not meet.
        clash = any(path.parent == folder.resolve() and path.stem == stem for path in own)
        base = f"{stem}-edited" if clash else stem
        name, number = base, 1
        while name.casefold() in taken:
            number += 1
            name = f"{base}-{number}"
        taken.add(name.casefold())
        jobs.append(Job(source, folder / name, True, own))
    return jobs


def _format_of(target: Path, edition_name: str) -> str | None:
    ending = target.suffix.lower().removeprefix(".")
    if not ending:
        return None
    fields = load_edition(edition_name).fields
    known = (*fields.output_formats, *fields.format_aliases)
    if ending not in known:
        raise SettingsError(
            f"The ending of {target} names no format of the API ({', '.join(known)}); "
            "use one of these or give --output-format."
        )
    return ending


def read_input(source: Path | None) -> bytes:
    """The bytes of one input. Raises JobError."""
    try:
        return sys.stdin.buffer.read() if source is None else source.read_bytes()
    except OSError as error:
        raise JobError(f"cannot be read: {error.strerror or error}") from error


def write_output(job: Job, image: bytes, media_type: str) -> Path | None:
    """Write one picture, whole or not at all; None when it went to standard output. Raises JobError."""
    if job.target is None:
        sys.stdout.buffer.write(image)
        sys.stdout.buffer.flush()
        return None
    target = job.target
    if job.in_folder:
        target = target.with_name(f"{target.name}.{media_type.removeprefix('image/').replace('jpeg', 'jpg')}")
    if _is_one_of(target, job.inputs):
        raise JobError(f"{target} is an input and will not be overwritten")
    try:
        _write_whole(target.resolve(), image)
    except OSError as error:
        raise JobError(f"{target} cannot be written: {error.strerror or error}") from error
    return target


def _write_whole(target: Path, image: bytes) -> None:
    if target.exists() and not target.is_file():  # a device or a pipe is written to, never replaced
        target.write_bytes(image)
        return
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        part.write_bytes(image)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _is_one_of(target: Path, inputs: frozenset[Path]) -> bool:
    """Whether writing to ``target`` would harm an input, however either is spelled."""
    return target.exists() and any(path.exists() and path.samefile(target) for path in inputs)
