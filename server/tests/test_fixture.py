"""The pytest plugin in somebody else's project: each test is a pytest run in a folder with settings of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

EDIT = """
import httpx

def edit(mock, prompt="make it a sunset", key=None, **fields):
    return httpx.post(
        mock.base_url + "/image/edit",
        headers={"Authorization": f"Bearer {key or mock.api_key}"},
        data={"prompt": prompt, **fields},
        files={"image": mock.sample_png},
    )
"""


def pytest_run(folder: Path, *options: str) -> tuple[int, str]:
    """Exit code and output of pytest there, every warning being an error."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV_"))}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-W", "error", "-q", *options]
    done = subprocess.run(
        command, cwd=folder, env=kept, capture_output=True, text=True, timeout=120, check=False
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a helper that edits, and with the fast engine."""
    (tmp_path / "helper.py").write_text(EDIT, "utf-8")
    settings = "[pytest]\naddopts = --strict-markers --strict-config\npythonpath = .\nvenice_mock =\n    engine=fast\n"
    (tmp_path / "pytest.ini").write_text(settings, "utf-8")
    return tmp_path


def write(project: Path, text: str, name: str = "test_it.py") -> None:
    """A test file of that project."""
    (project / name).write_text("from helper import edit\nimport pytest\n" + text, "utf-8")


def test_each_test_has_a_session_of_its_own_on_one_server(project: Path) -> None:
    write(
        project,
        """
seen = []

@pytest.mark.parametrize("number", range(3))
def test_edits(venice_mock, number):
    assert edit(venice_mock).headers["x-venice-balance-usd"] == "99.96"
    assert [request.id for request in venice_mock.requests] == ["req-000001"]
    seen.append((venice_mock.origin, venice_mock.base_url))

def test_they_are_one_server_and_three_sessions(venice_mock_server):
    assert {origin for origin, _ in seen} == {venice_mock_server.origin}
    assert len({base for _, base in seen}) == 3
    assert edit(venice_mock_server).status_code == 200

def test_what_is_over_is_forgotten(venice_mock_server):
    import httpx
    assert httpx.get(seen[0][1] + "/models").status_code == 404
""",
    )
    code, told = pytest_run(project)
    assert code == 0, told
    assert "5 passed" in told


def test_a_marker_configures_the_tests_session_over_that_of_its_module(project: Path) -> None:
    write(
        project,
        """
pytestmark = pytest.mark.venice_mock(edition="2026-08-22", balance="7")

@pytest.mark.venice_mock(behavior="observed", balance=5)
def test_both(venice_mock):
    config = venice_mock.config
    assert (config["edition"], config["behavior"], config["balance"]) == ("2026-08-22", "observed", "5")
    assert config["engine"] == "fast"
""",
    )
    code, told = pytest_run(project)
    assert code == 0, told


def test_a_marker_that_cannot_be_obeyed_fails_the_test_with_a_sentence(project: Path) -> None:
    write(
        project,
        """
@pytest.mark.venice_mock(behaviour="observed")
def test_name(venice_mock): ...

@pytest.mark.venice_mock(behavior="odd")
def test_value(venice_mock): ...

@pytest.mark.venice_mock("observed")
def test_positional(venice_mock): ...
""",
    )
    code, told = pytest_run(project)
    assert code == 1, told
    assert "@pytest.mark.venice_mock: Config: there is no 'behaviour'. Did you mean behavior?" in told
    assert "@pytest.mark.venice_mock: Config: behavior: expected documented or observed, got 'odd'" in told
    assert "@pytest.mark.venice_mock takes keywords only" in told
    assert "3 errors" in told
    assert "Traceback" not in told


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("engine=slow", "The setting venice_mock of pytest: engine: expected paint or fast, got 'slow'."),
        ("fast", "The setting venice_mock of pytest: expected NAME=VALUE, got 'fast'."),
        (
            "caption=maybe",
            "The setting venice_mock of pytest: caption: expected true or false without quotes.",
        ),
    ],
)
def test_a_setting_that_cannot_be_obeyed_ends_the_run_with_a_sentence(
    project: Path, line: str, sentence: str
) -> None:
    (project / "pytest.ini").write_text(f"[pytest]\npythonpath = .\nvenice_mock =\n    {line}\n", "utf-8")
    write(project, "def test_it(venice_mock): ...\n")
    code, told = pytest_run(project)
    assert code == 4, told
    assert sentence in told


def test_settings_of_every_kind_reach_the_server_and_files_are_found_beside_them(project: Path) -> None:
    (project / "keys.json").write_text('{"team-a": {"balance_usd": "5.50"}}', "utf-8")
    (project / "pyproject.toml").write_text(
        "[tool.pytest.ini_options]\npythonpath = ['.']\n"
        "venice_mock = ['keys=keys.json', 'caption=false', 'seed=7', 'fetch=none', 'engine=fast']\n",
        "utf-8",
    )
    (project / "pytest.ini").unlink()
    (project / "below").mkdir()
    write(
        project,
        """
def test_all(venice_mock):
    config = venice_mock.config
    assert (config["caption"], config["seed"], config["fetch"]) == (False, 7, ["none"])
    assert edit(venice_mock, key="team-a").headers["x-venice-balance-usd"] == "5.46"
    assert edit(venice_mock, key="team-b").status_code == 401
""",
        "below/test_it.py",
    )
    code, told = pytest_run(project, "below")
    assert code == 0, told


def test_what_reached_the_mock_stands_in_the_report_of_a_failed_test(project: Path) -> None:
    write(
        project,
        """
def test_it(venice_mock):
    edit(venice_mock, "make it a sunset")
    venice_mock.verify(prompt_contains="sunrise", status=200)

def test_silence(venice_mock):
    venice_mock.verify()

def test_many(venice_mock):
    for number in range(22):
        edit(venice_mock, f"number {number}")
    assert 0
""",
    )
    code, told = pytest_run(project)
    assert code == 1, told
    error = "E       venice_mock.VerificationError: "
    expected = [
        error + "Expected at least 1 request with prompt_contains='sunrise', status=200; there were none.",
        "E       Closest of 1:",
        "E         req-000001 POST /image/edit -> 200 qwen-edit 'make it a sunset' $0.04",
        "E             prompt_contains: expected 'sunrise', got 'make it a sunset'",
    ]
    assert "\n".join(expected) in told
    assert "- Requests to venice_mock -" in told
    assert "\nreq-000001 POST /image/edit -> 200 qwen-edit 'make it a sunset' $0.04\n" in told
    assert "The mock has had no request at all: does the client use its base_url?" in told
    assert "(2 before these)\nreq-000003" in told
    assert "calling.py" not in told


def test_a_refused_order_is_told_at_the_tests_own_line(project: Path) -> None:
    write(
        project,
        """
def test_it(venice_mock):
    venice_mock.fail_next("rate_limted")

def test_account(venice_mock):
    venice_mock.account().set(balance_usd="much")
""",
    )
    code, told = pytest_run(project)
    assert code == 1, told
    assert 'venice_mock.fail_next("rate_limted")' in told
    assert "E       venice_mock.ControlError: Rule: " in told
    assert "Did you mean rate_limited" in told
    assert "Reply(" not in told
    for hidden in ("mock.py", "calling.py"):
        assert hidden not in told


def test_a_failure_that_no_edit_met_is_warned_of_in_a_test_that_passed(project: Path) -> None:
    write(
        project,
        """
def test_unused(venice_mock):
    venice_mock.fail_next("rate_limited")
    venice_mock.fail_next("reset", key="another")

def test_used(venice_mock):
    venice_mock.fail_next("model_at_capacity", times=3)
    assert edit(venice_mock).status_code == 503

def test_taken_back(venice_mock):
    venice_mock.fail_next("reset").delete()
    venice_mock.rule(error="rate_limited")

def test_failed(venice_mock):
    venice_mock.fail_next("reset")
    assert 0
""",
    )
    code, told = pytest_run(project, "-W", "default::venice_mock.testing.UnusedFailureWarning")
    assert code == 1, told
    assert "1 failed, 3 passed, 2 warnings" in told
    assert "UnusedFailureWarning: fail_next('rate_limited') was never used: no edit" in told
    code, told = pytest_run(project, "-k", "not failed")
    assert "1 error" in told
    ignored = "ignore::venice_mock.testing.UnusedFailureWarning"
    assert pytest_run(project, "-k", "not failed", "-W", ignored)[0] == 0


def test_it_works_on_both_workers_of_xdist(project: Path) -> None:
    write(
        project,
        """
@pytest.mark.parametrize("number", range(8))
def test_edits(venice_mock, number, worker_id):
    venice_mock.fail_next("model_at_capacity")
    assert [edit(venice_mock).status_code for _ in range(2)] == [503, 200]
    venice_mock.verify(status=200, exactly=1)
    with open(f"{worker_id}.seen", "a") as file:
        file.write(venice_mock.origin + "\\n")
""",
    )
    code, told = pytest_run(project, "-n", "2")
    assert code == 0, told
    assert "8 passed" in told
    origins = [set(file.read_text("utf-8").split()) for file in project.glob("*.seen")]
    assert len(origins) == 2
    assert all(len(of_one_worker) == 1 for of_one_worker in origins)
    assert not set.intersection(*origins)


def test_it_works_inside_a_running_event_loop(project: Path) -> None:
    write(
        project,
        """
import asyncio
import httpx

def test_coroutines(venice_mock):
    async def work():
        image = venice_mock.sample_png
        async with httpx.AsyncClient(base_url=venice_mock.base_url) as client:
            async def one(number):
                key = {"Authorization": f"Bearer key-{number}"}
                reply = await client.post(
                    "/image/edit", headers=key, data={"prompt": f"number {number}"}, files={"image": image}
                )
                venice_mock.verify(prompt=f"number {number}", status=200, exactly=1)
                return reply.status_code
            return await asyncio.gather(*map(one, range(10)))

    assert asyncio.run(work()) == [200] * 10
    assert len(venice_mock.requests) == 10

@pytest.mark.anyio
async def test_a_plugin_of_others(venice_mock, anyio_backend):
    venice_mock.clock.advance(60)
    async with httpx.AsyncClient(base_url=venice_mock.base_url) as client:
        assert (await client.get("/models")).status_code == 200
    venice_mock.verify(path="/models", exactly=1)

@pytest.fixture
def anyio_backend():
    return "asyncio"
""",
    )
    code, told = pytest_run(project)
    assert code == 0, told
    assert "2 passed" in told


def test_a_stalled_answer_does_not_hold_up_the_end(project: Path) -> None:
    write(
        project,
        """
import socket

held = []

def test_it(venice_mock):
    host, port = venice_mock.origin.removeprefix("http://").split(":")
    connection = socket.create_connection((host, int(port)))
    held.append(connection)
    body = b"{}"
    path = venice_mock.base_url.removeprefix(venice_mock.origin) + "/image/edit"
    head = f"POST {path} HTTP/1.1\\r\\nHost: {host}\\r\\nContent-Length: {len(body)}\\r\\n"
    connection.sendall(head.encode() + b"X-Mock: fault=stall\\r\\nAuthorization: Bearer a\\r\\n"
                       b"Content-Type: application/json\\r\\n\\r\\n" + body)
    while not venice_mock.requests:
        pass

@pytest.fixture(scope="session", autouse=True)
def close_last():
    yield
    held[0].close()
""",
    )
    code, told = pytest_run(project, "-W", "ignore::ResourceWarning")
    assert code == 0, told


def test_the_plugin_imports_nothing_before_the_fixture_is_used(project: Path) -> None:
    write(
        project,
        """
import sys

def test_nothing():
    ours = sorted(name for name in sys.modules if name.startswith("venice_mock"))
    assert ours == ["venice_mock", "venice_mock.pytest_plugin"]
    assert not {"starlette", "uvicorn", "PIL", "msgspec"} & set(sys.modules)
""",
    )
    code, told = pytest_run(project)
    assert code == 0, told


def test_it_is_listed_with_the_fixtures_the_markers_and_the_settings(project: Path) -> None:
    assert "venice_mock.base_url" in pytest_run(project, "--fixtures", "-v")[1]
    assert "@pytest.mark.venice_mock(**config)" in pytest_run(project, "--markers")[1]
    assert "venice_mock (linelist):" in pytest_run(project, "--help")[1]


def test_it_can_be_turned_off(project: Path) -> None:
    (project / "pytest.ini").write_text("[pytest]\npythonpath = .\n", "utf-8")
    write(project, "def test_it(venice_mock): ...\n")
    code, told = pytest_run(project, "-p", "no:venice_mock")
    assert code == 1, told
    assert "fixture 'venice_mock' not found" in told
