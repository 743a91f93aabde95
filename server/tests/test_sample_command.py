"""``venice-mock sample``: the sample picture as a file of the user's choice, and nobody's file lost."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from venice_mock.cli import main
from venice_mock.edit.opening import probe
from venice_mock.sample import sample_jpeg, sample_png

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_without_a_name_it_is_sample_png(tmp_path: Path, capsys: Capture) -> None:
    assert main(["sample"]) == 0
    assert capsys.readouterr().out == "sample.png  1024x768 png\n"
    assert [path.name for path in tmp_path.iterdir()] == ["sample.png"]
    assert (tmp_path / "sample.png").read_bytes() == sample_png()


@pytest.mark.parametrize(
    ("name", "format_"), [("a.png", "PNG"), ("a.PNG", "PNG"), ("a.jpg", "JPEG"), ("a.JPEG", "JPEG")]
)
def test_the_ending_chooses_the_format_and_the_size_is_the_one_asked_for(name: str, format_: str) -> None:
    assert main(["sample", "--size", "320x256", name]) == 0
    with Image.open(name) as made:
        assert (made.format, made.size) == (format_, (320, 256))


@pytest.mark.parametrize("name", ["a.png", "a.jpg"])
@pytest.mark.parametrize("mark", [True, False])
def test_the_mark_is_there_when_it_is_asked_for(name: str, mark: bool, capsys: Capture) -> None:
    assert main(["sample", name, "--size", "320x256", *(["--adult-mark"] if mark else [])]) == 0
    found = probe(Path(name).read_bytes(), min_pixels=1, max_pixels=1 << 20)
    assert found.adult is mark
    assert ("marked as adult" in capsys.readouterr().out) is mark


def test_standard_output_gets_the_png_and_nothing_else(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "venice_mock", "sample", "-", "--size", "64x48"]
    ran = subprocess.run(command, capture_output=True, check=True)
    assert ran.stdout == sample_png((64, 48))
    assert ran.stderr == b""
    assert list(tmp_path.iterdir()) == []
    with Image.open(io.BytesIO(ran.stdout)) as made:
        made.load()


def test_a_file_that_exists_is_kept_unless_it_is_forced(tmp_path: Path, capsys: Capture) -> None:
    precious = tmp_path / "a.jpg"
    precious.write_bytes(b"precious")
    (tmp_path / "link.jpg").symlink_to(precious)
    (tmp_path / "dangling.jpg").symlink_to(tmp_path / "elsewhere.jpg")
    for name in ("a.jpg", "link.jpg", "dangling.jpg"):
        assert main(["sample", name, "--size", "64x48"]) == 1
        sentence = f"venice-mock sample: {name} exists and will not be overwritten; --force does.\n"
        assert capsys.readouterr().err == sentence
    assert precious.read_bytes() == b"precious"
    assert not (tmp_path / "elsewhere.jpg").exists()
    assert main(["sample", "link.jpg", "--size", "64x48", "--force"]) == 0
    assert precious.read_bytes() == sample_jpeg((64, 48))
    assert (tmp_path / "link.jpg").is_symlink()
    assert len(list(tmp_path.iterdir())) == 3


def test_force_makes_a_new_file_too_and_a_missing_folder_is_told(tmp_path: Path, capsys: Capture) -> None:
    assert main(["sample", "new.png", "--size", "64x48", "--force"]) == 0
    assert (tmp_path / "new.png").read_bytes() == sample_png((64, 48))
    for flags in ([], ["--force"]):
        assert main(["sample", "no/such.png", "--size", "64x48", *flags]) == 1
        assert "cannot be written: No such file" in capsys.readouterr().err


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are a matter of Unix")
def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    pipe, copy = tmp_path / "pipe.png", tmp_path / "copy.png"
    os.mkfifo(pipe)
    with copy.open("wb") as sink, subprocess.Popen(["cat", str(pipe)], stdout=sink) as reader:
        try:
            assert main(["sample", str(pipe), "--size", "64x48", "--force"]) == 0
            assert reader.wait(60) == 0
        finally:
            reader.kill()
    assert copy.read_bytes() == sample_png((64, 48))
    assert pipe.is_fifo()


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["a.gif"], "The ending of a.gif must be .png, .jpg or .jpeg."),
        (["picture"], "The ending of picture must be .png, .jpg or .jpeg."),
        (["--size", "big"], "--size: expected width and height such as 1024x768, got 'big'."),
        (["--size", "0x48"], "--size: expected width and height such as 1024x768, got '0x48'."),
        (["--size", "64x48x3"], "--size: expected width and height such as 1024x768, got '64x48x3'."),
        (["--size", "40000x1001"], "--size: at most 40,000,000 pixels, got 40,040,000."),
    ],
)
def test_what_cannot_be_meant_is_one_sentence_and_exit_code_2(
    argv: list[str], sentence: str, tmp_path: Path, capsys: Capture
) -> None:
    assert main(["sample", *argv]) == 2
    assert capsys.readouterr().err == f"venice-mock sample: {sentence}\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("size", ["1x1", "1x3000", "3000x1"])
def test_even_the_smallest_pictures_can_be_drawn(size: str) -> None:
    assert main(["sample", "a.png", "--size", size]) == 0
    with Image.open("a.png") as made:
        assert "x".join(map(str, made.size)) == size
