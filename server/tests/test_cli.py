"""The command line: help, exit codes, output for people and for scripts."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from venice_mock import __version__
from venice_mock.cli import COMMANDS, main
from venice_mock.contract import load_edition

EDITION = load_edition("2026-06-19")
Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def quiet_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("VENICE_MOCK_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "80")


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    return picture(tmp_path / "photo.png")


def picture(path: Path, size: tuple[int, int] = (300, 260)) -> Path:
    path.parent.mkdir(exist_ok=True)
    Image.radial_gradient("L").resize(size).convert("RGB").save(path)
    return path


# ---- help and errors ------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_examples_that_fits_80_columns(command: str, capsys: Capture) -> None:
    assert main([command, "--help"]) == 0
    shown = capsys.readouterr().out
    assert "examples:" in shown
    assert f"venice-mock {command}" in shown
    assert max(len(line) for line in shown.splitlines()) <= 80


@pytest.mark.parametrize("argv", [["--help"], ["-h"], ["help"]])
def test_help_lists_every_command(argv: list[str], capsys: Capture) -> None:
    assert main(argv) == 0
    shown = capsys.readouterr().out
    assert all(f"\n  {command} " in shown for command in COMMANDS)
    assert "examples:" in shown


def test_help_leaves_no_default_empty(capsys: Capture) -> None:
    for command in COMMANDS:
        assert main([command, "--help"]) == 0
        words = " ".join(capsys.readouterr().out.split())
        assert "(default )" not in words
        assert "(default None)" not in words
        if command == "serve":
            for shown in ("held (default 72MB)", "keeps none (default 64MiB)", "control plane (default off)"):
                assert shown in words


def test_help_command_shows_the_help_of_a_command(capsys: Capture) -> None:
    assert main(["help", "serve"]) == 0
    assert "--port-file" in capsys.readouterr().out


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from venice_mock.cli import main; main(['--help'])\n"
        "print(sorted({'PIL', 'msgspec', 'starlette', 'uvicorn', 'asyncio'} & set(sys.modules)))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.splitlines()[-1] == "[]"


def test_version_is_told(capsys: Capture) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"venice-mock {__version__}\n"


def test_python_dash_m_is_the_same_program() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "venice_mock", "--version"], capture_output=True, text=True, check=True
    )
    assert ran.stdout == f"venice-mock {__version__}\n"


def test_without_a_command_the_help_goes_to_stderr_and_the_code_is_2(capsys: Capture) -> None:
    assert main([]) == 2
    assert "commands:" in capsys.readouterr().err


def test_a_mistyped_command_is_one_sentence_with_the_likely_one(capsys: Capture) -> None:
    assert main(["serv"]) == 2
    assert capsys.readouterr().err == "venice-mock: there is no command 'serv'. Did you mean serve?\n"


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["serve", "--port", "x"], "--port: expected a whole number from 0 to 65535, got 'x'."),
        (["models", "--edition", "1999-01-01"], "Unknown edition '1999-01-01'. Known: 2026-06-19"),
        (["models", "--type", "hats"], "There is no model type 'hats'. Known: all, "),
        (["rules", "--group", "hats"], "There is no group 'hats'. Known: "),
        (
            ["rules", "EDIT-PAY-01"],
            "There is no rule 'EDIT-PAY-01' in edition 2026-06-19. Did you mean EDIT-",
        ),
        (["edit", "only.png", "-o", "x.png"], "Give at least one picture and then the prompt"),
        (["edit", "-", "-", "p", "-o", "x"], "Standard input (-) can be read only once."),
        (["edit", "a", "b", "p", "-o", "-"], "Several pictures cannot go to standard output"),
        (["edit", "a.png", "p", "-o", "x.xcf"], "The ending of x.xcf names no format of the API"),
    ],
)
def test_what_cannot_be_meant_is_one_sentence_and_exit_code_2(
    argv: list[str], sentence: str, capsys: Capture
) -> None:
    assert main(argv) == 2
    shown = capsys.readouterr()
    assert shown.err.startswith(f"venice-mock {argv[0]}: {sentence}")
    assert shown.err.count("\n") == 1
    assert shown.out == ""


def test_a_mistyped_variable_stops_every_command(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VENICE_MOCK_EDITON", "2026-06-19")
    for argv in (["serve"], ["models"], ["differences"], ["rules"], ["edit", "a", "p", "-o", "b.png"]):
        assert main(argv) == 2
        assert "VENICE_MOCK_EDITON. Did you mean VENICE_MOCK_EDITION?" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="closed pipes are told otherwise on Windows")
@pytest.mark.parametrize("command", ["models", "differences", "--help"])
def test_a_closed_pipe_leaves_no_trace(command: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)  # nobody will ever read, so the first write fails
    ran = subprocess.run(
        [sys.executable, "-m", "venice_mock", command], stdout=writing, stderr=subprocess.PIPE, check=False
    )
    os.close(writing)
    assert (ran.returncode, ran.stderr) == (0, b"")


# ---- the lists ------------------------------------------------------------------------------------------


def test_models_fit_80_columns_and_tell_limits_and_price_range(capsys: Capture) -> None:
    assert main(["models"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    row = next(line for line in lines if line.startswith("gpt-image-2-edit"))
    assert row.split()[:6] == ["gpt-image-2-edit", "0.03-0.86", "10000", "1K", "2K", "4K"]
    assert sum(line.split()[0] in {m.id for m in EDITION.models} for line in lines if line.strip()) == 15


@pytest.mark.parametrize(
    ("behavior", "model"), [("documented", "qwen-edit"), ("observed", "firered-image-edit")]
)
def test_models_marks_the_default_of_the_behaviour(behavior: str, model: str, capsys: Capture) -> None:
    assert main(["models", "--behavior", behavior]) == 0
    starts = [line.split()[:2] for line in capsys.readouterr().out.splitlines()]
    ids = {model.id for model in EDITION.models}
    assert [start[0] for start in starts if start and start[0] in ids and start[1] == "*"] == [model]


def test_models_json_carries_the_rows_of_the_edition(capsys: Capture) -> None:
    assert main(["models", "--json", "--type", "all"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert (listed["edition"], listed["type"]) == ("2026-06-19", "all")
    assert [row["id"] for row in listed["models"]] == [model.id for model in EDITION.models]


def test_a_type_without_models_says_so(capsys: Capture) -> None:
    assert main(["models", "--type", "video"]) == 0
    assert capsys.readouterr().out == "Edition 2026-06-19 has no models of type video.\n"


def test_differences_show_both_sides_of_every_row(capsys: Capture) -> None:
    assert main(["differences"]) == 0
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= 80
    words = " ".join(shown.split())
    for row in EDITION.differences:
        for text in (row.id, row.matter, row.documented.text, row.observed.text):
            assert " ".join(text.split()) in words


def test_differences_json_carries_the_values(capsys: Capture) -> None:
    assert main(["differences", "--json"]) == 0
    rows = {row["id"]: row for row in json.loads(capsys.readouterr().out)["differences"]}
    assert rows["default-model"]["observed"]["value"] == "firered-image-edit"


def small_edition(tmp_path: Path) -> Path:
    """The home edition with three rules of its own."""
    source = Path(sys.modules["venice_mock.contract"].__path__[0]) / "editions" / "2026-06-19.json"
    data = json.loads(source.read_text("utf-8"))
    data["rules"] = [
        {
            "id": id_,
            "group": group,
            "level": level,
            "text": "A sentence that is long enough to need a second line in a terminal of eighty columns.",
            "check": "c",
            "source": "the source",
            "certainty": "documented",
            "cost": "free",
            "since": "2026-06-19",
        }
        for id_, group, level in (("A-1", "ALPHA", "must"), ("B-1", "BETA", "may"), ("A-2", "ALPHA", "may"))
    ]
    path = tmp_path / "edition.json"
    path.write_text(json.dumps(data), "utf-8")
    return path


@pytest.mark.parametrize(
    ("flags", "ids"),
    [
        ([], ["A-1", "A-2", "B-1"]),
        (["--level", "may"], ["A-2", "B-1"]),
        (["--group", "alpha"], ["A-1", "A-2"]),
        (["--level", "must", "--group", "BETA"], []),
        (["A-2"], ["A-2"]),
        (["b-1", "a-2"], ["A-2", "B-1"]),
        (["A-*", "--level", "must"], ["A-1"]),
    ],
)
def test_rules_are_filtered_by_id_level_and_group(
    flags: list[str], ids: list[str], tmp_path: Path, capsys: Capture
) -> None:
    edition = ["--edition", str(small_edition(tmp_path))]
    assert main(["rules", *edition, *flags, "--json"]) == 0
    assert [rule["id"] for rule in json.loads(capsys.readouterr().out)["rules"]] == ids
    assert main(["rules", *edition, *flags]) == 0
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= 80
    assert [line.split()[0] for line in shown.splitlines() if " (m" in line] == ids
    assert f"{len(ids)} of 3 rules" in shown


# ---- edit and read --------------------------------------------------------------------------------------


def test_an_edit_writes_a_picture_and_says_what_it_would_cost(
    photo: Path, tmp_path: Path, capsys: Capture
) -> None:
    out = tmp_path / "edited.png"
    assert main(["edit", str(photo), "make it a sunset", "-o", str(out)]) == 0
    with Image.open(out) as made:
        assert made.format == "PNG"
        size = "x".join(map(str, made.size))
    line = capsys.readouterr().out
    assert line == f"{out}  {size} png  qwen-edit  free here, $0.04 on the real API\n"


def test_the_prompt_may_stand_after_the_options(photo: Path, tmp_path: Path) -> None:
    out = tmp_path / "edited.png"
    assert main(["edit", str(photo), "-o", str(out), "--seed", "3", "sepia"]) == 0
    assert out.is_file()


@pytest.mark.parametrize(
    ("ending", "format_"), [("png", "PNG"), ("JPG", "JPEG"), ("jpeg", "JPEG"), ("webp", "WEBP")]
)
def test_the_ending_of_the_output_chooses_the_format(
    ending: str, format_: str, photo: Path, tmp_path: Path
) -> None:
    out = tmp_path / f"edited.{ending}"
    assert main(["edit", str(photo), "sepia", "-o", str(out)]) == 0
    with Image.open(out) as made:
        assert made.format == format_


def test_a_format_that_is_asked_for_goes_before_the_ending(photo: Path, tmp_path: Path) -> None:
    out = tmp_path / "edited.png"
    assert main(["edit", str(photo), "sepia", "-o", str(out), "--output-format", "webp"]) == 0
    with Image.open(out) as made:
        assert made.format == "WEBP"


def test_without_an_ending_the_tier_chooses_the_format(photo: Path, tmp_path: Path) -> None:
    out = tmp_path / "edited"
    flags = ["--model", "nano-banana-2-edit", "--resolution", "2K", "--engine", "fast"]
    assert main(["edit", str(photo), "sepia", "-o", str(out), *flags]) == 0
    with Image.open(out) as made:
        assert made.format == "JPEG"


def test_the_fields_reach_the_request_and_read_tells_them_back(
    photo: Path, tmp_path: Path, capsys: Capture
) -> None:
    out = tmp_path / "edited.png"
    flags = ["--model", "gpt-image-2-edit", "--aspect-ratio", "16:9", "--quality", "low", "--no-safe-mode"]
    assert main(["edit", str(photo), "a red hat", "-o", str(out), *flags, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["model"], told["real_price_usd"], told["charged_usd"]) == ("gpt-image-2-edit", "0.03", "0")
    assert (told["width"], told["height"]) == (1536, 864)
    assert main(["read", str(out), "--json"]) == 0
    read = json.loads(capsys.readouterr().out)
    assert read["prompt"] == "a red hat"
    assert read["model"] == "gpt-image-2-edit"
    assert main(["read", str(out)]) == 0
    assert "a red hat" in capsys.readouterr().out


def test_the_same_edit_twice_gives_the_same_bytes(photo: Path, tmp_path: Path) -> None:
    for name in ("one.png", "two.png"):
        assert main(["edit", str(photo), "a red hat", "-o", str(tmp_path / name), "--seed", "5"]) == 0
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


def test_no_caption_and_the_environment_mean_the_same(
    photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flag, variable, plain = (tmp_path / name for name in ("flag.png", "variable.png", "plain.png"))
    assert main(["edit", str(photo), "sepia", "-o", str(plain)]) == 0
    assert main(["edit", str(photo), "sepia", "-o", str(flag), "--no-caption"]) == 0
    monkeypatch.setenv("VENICE_MOCK_CAPTION", "false")
    assert main(["edit", str(photo), "sepia", "-o", str(variable)]) == 0
    with Image.open(flag) as one, Image.open(variable) as two, Image.open(plain) as three:
        assert one.tobytes() == two.tobytes() != three.tobytes()


def test_a_batch_makes_the_good_ones_and_reports_the_bad_ones(tmp_path: Path, capsys: Capture) -> None:
    good = [picture(tmp_path / f"{n}.png") for n in range(3)]
    tiny, text = picture(tmp_path / "tiny.png", (8, 8)), tmp_path / "text.png"
    text.write_text("not a picture")
    inputs = [good[0], tiny, good[1], text, tmp_path / "absent.png", good[2]]
    out = tmp_path / "out"
    assert main(["edit", *map(str, inputs), "sepia", "-o", str(out)]) == 1
    shown = capsys.readouterr()
    assert sorted(path.name for path in out.iterdir()) == ["0.png", "1.png", "2.png"]
    assert [line.split()[0] for line in shown.out.splitlines()] == [str(out / f"{n}.png") for n in range(3)]
    errors = shown.err.splitlines()
    assert errors[:2] == [
        f"{tiny}: Image dimensions are too small: 8x8: width times height must be at least 65536",
        f"{text}: The image file is corrupted or unreadable",
    ]
    assert errors[2].startswith(f"{tmp_path / 'absent.png'}: cannot be read: ")
    assert errors[3].startswith("3 of 6 pictures edited, 3 failed in ")
    assert errors[3].endswith("; the real API would charge $0.12.")


def test_a_batch_in_json_is_one_object_a_line_in_the_order_of_the_inputs(
    tmp_path: Path, capsys: Capture
) -> None:
    inputs = [picture(tmp_path / "a.png"), picture(tmp_path / "b.png", (8, 8)), picture(tmp_path / "c.png")]
    assert main(["edit", *map(str, inputs), "sepia", "-o", str(tmp_path / "out"), "--json"]) == 1
    shown = capsys.readouterr()
    entries = [json.loads(line) for line in shown.out.splitlines()]
    assert [entry["input"] for entry in entries] == [str(path) for path in inputs]
    assert entries[1]["status"] == 400
    assert entries[1]["output"] is None
    assert shown.err == ""


def test_a_refusal_names_every_field_at_fault(photo: Path, tmp_path: Path, capsys: Capture) -> None:
    flags = ["--aspect-ratio", "7:5", "--quality", "best"]
    assert main(["edit", str(photo), "sepia", "-o", str(tmp_path / "x.png"), *flags]) == 1
    shown = capsys.readouterr().err
    assert shown.startswith(f"{photo}: Invalid request parameters: ")
    assert "aspect_ratio: Invalid enum value." in shown
    assert "quality: Invalid enum value." in shown
    assert not (tmp_path / "x.png").exists()


def test_inputs_of_one_name_get_outputs_of_two(tmp_path: Path) -> None:
    inputs = [picture(tmp_path / folder / "cat.png") for folder in ("a", "b")]
    assert main(["edit", *map(str, inputs), "sepia", "-o", str(tmp_path / "out")]) == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["cat-2.png", "cat.png"]


def test_an_input_is_never_overwritten(photo: Path, tmp_path: Path, capsys: Capture) -> None:
    before = photo.read_bytes()
    link = tmp_path / "link.png"
    link.symlink_to(photo)
    hard = tmp_path / "hard.png"
    hard.hardlink_to(photo)
    for out in (photo, link, hard, tmp_path / "." / "photo.png"):
        assert main(["edit", str(photo), "sepia", "-o", str(out)]) == 2
        assert "will not be overwritten" in capsys.readouterr().err
    assert main(["edit", str(photo), "sepia", "-o", str(tmp_path)]) == 0
    assert (tmp_path / "photo-edited.png").is_file()
    assert photo.read_bytes() == before


def test_a_forgotten_prompt_is_noticed(photo: Path, tmp_path: Path, capsys: Capture) -> None:
    other = picture(tmp_path / "other.png")
    assert main(["edit", str(photo), str(other), "-o", str(tmp_path / "out")]) == 2
    assert "Was the prompt forgotten?" in capsys.readouterr().err


def test_no_half_written_file_stays_when_the_folder_is_missing(
    photo: Path, tmp_path: Path, capsys: Capture
) -> None:
    assert main(["edit", str(photo), "sepia", "-o", str(tmp_path / "no" / "x.png")]) == 1
    assert "cannot be written: No such file" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["photo.png"]


def test_streams_are_an_input_and_an_output(photo: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "venice_mock", "edit", "-", "sepia", "-o", "-"],
        input=photo.read_bytes(),
        capture_output=True,
        check=True,
    )
    with Image.open(io.BytesIO(ran.stdout)) as made:
        assert made.format == "PNG"
    assert ran.stderr.decode().startswith("-  ")
    assert "$0.04 on the real API" in ran.stderr.decode()


def test_a_device_is_written_to_and_not_replaced(photo: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.png"
    os.mkfifo(pipe)
    copy = tmp_path / "copy.png"
    with copy.open("wb") as sink, subprocess.Popen(["cat", str(pipe)], stdout=sink) as reader:
        try:
            assert main(["edit", str(photo), "sepia", "-o", str(pipe)]) == 0
            assert reader.wait(60) == 0
        finally:
            reader.kill()
    assert copy.read_bytes().startswith(b"\x89PNG")
    assert pipe.is_fifo()


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_a_batch_shows_progress_on_a_terminal_only(tmp_path: Path) -> None:
    import pty

    inputs = [str(picture(tmp_path / f"{n}.png")) for n in range(3)]
    command = [sys.executable, "-m", "venice_mock", "edit", *inputs, "sepia", "-o", str(tmp_path / "out")]
    terminal, end = pty.openpty()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=end, check=True)
    shown = os.read(terminal, 65536).decode()
    os.close(end)
    os.close(terminal)
    assert "] 1/3" in shown
    plain = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "] 1/3" not in plain.stderr
    assert "3 of 3 pictures edited" in plain.stderr


def test_read_refuses_a_foreign_picture(photo: Path, tmp_path: Path, capsys: Capture) -> None:
    text = tmp_path / "text.png"
    text.write_text("not a picture")
    for path in (photo, text):
        assert main(["read", str(path)]) == 1
        assert f"{path}: not a venice-mock picture\n" == capsys.readouterr().err
    assert main(["read", str(tmp_path / "absent.png")]) == 1
    assert "cannot be read" in capsys.readouterr().err
