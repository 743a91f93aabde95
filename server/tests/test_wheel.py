"""What is shipped: the wheel, installed in an empty environment outside the repository."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.request
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(*command: str | Path, cwd: Path) -> str:
    """Standard output of a command that must succeed."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from this tree."""
    out = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, ROOT, cwd=out)
    (built,) = out.glob("*.whl")
    return built


def test_the_wheel_holds_the_package_its_data_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert "venice_mock/contract/editions/2026-06-19.json" in names
    assert "venice_mock/edit/verbs.json" in names
    assert "venice_mock/py.typed" in names
    assert {"venice_mock/state/store.lua", "venice_mock/state/sessions.lua"} <= set(names)
    assert {"index.html", "inspector.css", "inspector.js"} <= {
        name.removeprefix("venice_mock/inspector/") for name in names
    }
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"venice_contract", "venice_mock"}


def test_the_installed_package_serves_edits_reads_back_and_judges_far_from_the_repository(
    wheel: Path, tmp_path: Path
) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[tool.pytest.ini_options]\naddopts = "--no-such-option"\n', "utf-8"
    )
    venv.create(tmp_path / "env", with_pip=True)
    binaries = tmp_path / "env" / ("Scripts" if sys.platform == "win32" else "bin")
    run(binaries / "python", "-m", "pip", "install", "--quiet", wheel, cwd=tmp_path)
    mock = binaries / "venice-mock"

    run(mock, "sample", "in.png", cwd=tmp_path)
    run(mock, "edit", "in.png", "make it a sunset", "-o", "local.png", cwd=tmp_path)
    understood = json.loads(run(mock, "read", "local.png", "--json", cwd=tmp_path))
    assert understood["prompt"] == "make it a sunset"

    with subprocess.Popen(
        [mock, "serve", "--port", "0", "--log-level", "error"], stdout=subprocess.PIPE, cwd=tmp_path
    ) as server:
        try:
            assert server.stdout is not None
            base = json.loads(server.stdout.readline())["base_url"]
            body = {
                "prompt": "make it a sunset",
                "image": base.removesuffix("/api/v1") + "/__mock/sample.png",
            }
            request = urllib.request.Request(
                base + "/image/edit",
                json.dumps(body).encode(),
                {"Authorization": "Bearer mock_ok", "Content-Type": "application/json"},
            )
            with urllib.request.urlopen(request, timeout=60) as answer:
                served = answer.read()
            assert served == (tmp_path / "local.png").read_bytes()
            judged = run(
                *(binaries / "venice-contract", "run", "--base-url", base),
                *("--only", "EDIT-FMT-*", "--only", "EDIT-PAY-01*", "--report", "report"),
                cwd=tmp_path,
            )
            assert "Conforming." in judged
            assert "EDIT-FMT-001" in (tmp_path / "report" / "report.html").read_text("utf-8")
        finally:
            server.send_signal(signal.SIGTERM)
            assert server.wait(30) == 0
    in_process = "asgi:venice_mock.asgi:make_app"
    told = run(
        binaries / "venice-contract", "run", "--base-url", in_process, "--only", "MODELS-*", cwd=tmp_path
    )
    assert "Conforming." in told
