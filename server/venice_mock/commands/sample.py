"""``venice-mock sample``: the package's own picture as a file. What it shows is drawn in ``venice_mock.sample``."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from venice_mock.commands.files import STREAM, JobError
from venice_mock.commands.options import command_parser
from venice_mock.commands.writing import write_new
from venice_mock.settings import SettingsError

EXAMPLES = """\
  venice-mock sample
  venice-mock sample photo.jpg --size 1920x1080
  venice-mock sample marked.png --adult-mark
  venice-mock sample - | venice-mock edit - "at night" -o night.png

the ending of OUT chooses the format: .png, .jpg or .jpeg. The picture is the
same every time. With the mark in its metadata the server treats it as adult
content: it looks no different.
"""

_SIZE = re.compile(r"([1-9][0-9]{0,4})x([1-9][0-9]{0,4})")
_MOST_PIXELS = 40_000_000  # ours: some more than the API takes, so that its limit can be met
_JPEG_ENDINGS = (".jpg", ".jpeg")


def parser() -> argparse.ArgumentParser:
    """The parser of this command."""
    made = command_parser("sample", "Write a sample picture, a harbour, for first tries and tests.", EXAMPLES)
    made.add_argument(
        "out",
        nargs="?",
        default="sample.png",
        metavar="OUT",
        help="file to write (default sample.png; - is standard output, as PNG)",
    )
    made.add_argument("--size", default="1024x768", metavar="WxH", help="pixels (default 1024x768)")
    made.add_argument("--adult-mark", action="store_true", help="put the mark of adult content into it")
    made.add_argument("--force", action="store_true", help="overwrite OUT if it exists")
    return made


def run(arguments: argparse.Namespace) -> int:
    """Write the picture; 1 when the file cannot be written. Raises SettingsError."""
    size = _size(arguments.size)
    out = Path(arguments.out)
    ending = ".png" if arguments.out == STREAM else out.suffix.lower()
    if ending not in (".png", *_JPEG_ENDINGS):
        raise SettingsError(f"The ending of {out} must be .png, .jpg or .jpeg.")

    from venice_mock.sample import sample_jpeg, sample_png

    draw = sample_jpeg if ending in _JPEG_ENDINGS else sample_png
    picture = draw(size, adult_mark=arguments.adult_mark)
    if arguments.out == STREAM:
        sys.stdout.buffer.write(picture)
        sys.stdout.buffer.flush()
        return 0
    try:
        write_new(out, picture, force=arguments.force)
    except JobError as error:
        print(f"venice-mock sample: {error}", file=sys.stderr)
        return 1
    marked = "  marked as adult" if arguments.adult_mark else ""
    print(f"{out}  {size[0]}x{size[1]} {'jpeg' if ending in _JPEG_ENDINGS else 'png'}{marked}")
    return 0


def _size(text: str) -> tuple[int, int]:
    found = _SIZE.fullmatch(text)
    if found is None:
        raise SettingsError(f"--size: expected width and height such as 1024x768, got {text[:60]!r}.")
    wide, high = int(found[1]), int(found[2])
    if wide * high > _MOST_PIXELS:
        raise SettingsError(f"--size: at most {_MOST_PIXELS:,} pixels, got {wide * high:,}.")
    return wide, high
