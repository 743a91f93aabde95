"""``pytest --pyargs venice_contract`` in somebody else's project, with settings of their own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from standins import FIVE_DEVIATIONS
from venice_mock.contract import load_edition

HERE = Path(__file__).parent


def pytest_run(folder: Path, *options: str) -> tuple[int, str]:
    """Exit code and output of pytest in that folder."""
    env = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep),
    }
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "--pyargs",
        "venice_contract",
        *options,
    ]
    done = subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, timeout=120, check=False
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose pytest settings are not ours."""
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\naddopts = -q\npython_files = spec_*.py test_*.py\n", "utf-8"
    )
    return tmp_path


def test_each_rule_is_a_test_and_one_that_is_kept_passes(project: Path) -> None:
    code, told = pytest_run(
        project,
        "--contract-base-url=asgi:venice_mock.asgi:make_app",
        "--contract-only=EDIT-PRM-*",
    )
    assert code == 0, told
    rules = [rule for rule in load_edition("2026-06-19").active_rules if rule.id.startswith("EDIT-PRM-")]
    assert f"{len(rules)} passed" in told


def test_a_broken_rule_fails_with_its_text_and_a_curl_line(project: Path) -> None:
    code, told = pytest_run(
        project,
        "--contract-base-url=asgi:standins:with_five_deviations",
        "--contract-only=EDIT-MOD-005",
        "--contract-only=EDIT-MOD-004",
    )
    assert "EDIT-MOD-005" in FIVE_DEVIATIONS
    assert code == 1, told
    assert "answered 400, expected 404" in told
    assert "curl" in told
    assert re.search(r"1 failed, 1 passed", told)


def test_a_failure_names_its_value_and_keeps_a_long_body_out_of_its_text(project: Path) -> None:
    code, told = pytest_run(
        project,
        "--contract-base-url=asgi:standins:always_200",
        "--contract-only=EDIT-IMG-014",
        "--contract-only=EDIT-PRM-003",
    )
    assert code == 1, told
    assert re.search(r"case  \S.*, \S", told), told
    assert "--data-binary @body.bin" in told
    assert "`venice-contract run --only EDIT-IMG-014 --report DIR`" in told
    assert max(len(line) for line in told.splitlines()) < 1000
    assert all(char.isprintable() or char in "\n\t" for char in told)


@pytest.mark.parametrize("level", ["all", "must"])
def test_a_pattern_without_a_rule_is_a_usage_error(project: Path, level: str) -> None:
    code, told = pytest_run(
        project,
        "--contract-base-url=asgi:venice_mock.asgi:make_app",
        "--contract-only=EDIT-FMT-*",
        "--contract-only=EDIT-NONE-*",
        f"--contract-level={level}",
    )
    assert code == 4, told
    assert "--contract-only EDIT-NONE-*: no rule" in told
    assert "of edition 2026-06-19 matches." in told


def test_an_edition_that_nobody_knows_is_a_usage_error(project: Path) -> None:
    code, told = pytest_run(project, "--contract-base-url=asgi:none:app", "--contract-edition=1999-01-01")
    assert code == 4, told
    assert "--contract-edition 1999-01-01: known are" in told


def unseen_run(project: Path, *options: str) -> tuple[int, str]:
    """A careful run in which a paid rule cannot be seen."""
    return pytest_run(
        project,
        "-rs",
        "--contract-base-url=asgi:standins:always_200",
        "--contract-profile=free",
        "--contract-only=EDIT-FMT-001",
        *options,
    )


def test_required_rules_that_were_not_seen_fail_the_session(project: Path) -> None:
    code, told = unseen_run(project)
    assert code == pytest.ExitCode.TESTS_FAILED, told
    assert "1 skipped" in told
    assert "UNTESTED-COST: the profile free does not try rules of cost class paid" in told
    assert "venice-contract: 1 required rule was not seen, which is no pass" in told


def test_required_rules_that_were_not_seen_can_be_allowed(project: Path) -> None:
    code, told = unseen_run(project, "--contract-allow-untested")
    assert code == 0, told
    assert "venice-contract: 1 required rule was not seen." in told


def test_without_a_server_nothing_is_judged(project: Path) -> None:
    code, told = pytest_run(project)
    assert code == 4
    assert "--contract-base-url is needed" in told


def test_a_server_that_is_not_there_ends_the_run_with_a_sentence(project: Path) -> None:
    code, told = pytest_run(project, "--contract-base-url=http://127.0.0.1:9/api/v1")
    assert code == 4
    assert "cannot be reached" in told
