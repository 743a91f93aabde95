"""Puts the reports into a folder. The only module here that writes files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from venice_contract.reports.badge import badge_json, badge_line
from venice_contract.reports.case_files import FOLDER, case_files, case_json, has_case_name, is_case_file
from venice_contract.reports.json_report import report_json
from venice_contract.reports.junit import junit_xml
from venice_contract.reports.markdown import summary_md
from venice_contract.reports.page import report_html
from venice_contract.reports.requests import address_of
from venice_contract.running.results import RunResult


def write_reports(result: RunResult, directory: Path) -> list[Path]:
    """Write all reports into ``directory``, which is made if need be, and return their paths.

    Each file appears whole or not at all. Case files of an earlier run are taken away, other files stay as they are.
    Raises OSError when the folder cannot be written.
    """
    directory.mkdir(parents=True, exist_ok=True)
    written = []
    for name, data in _files(result):
        path = directory / name
        path.parent.mkdir(exist_ok=True)
        _write(path, data)
        written.append(path)
    _forget_old_cases(directory / FOLDER, {path.name for path in written if path.parent.name == FOLDER})
    return written


def _files(result: RunResult) -> Iterator[tuple[str, bytes]]:
    """Names and contents, made one after the other: all of them together would be large."""
    yield "report.json", report_json(result).encode("ascii")
    yield "junit.xml", junit_xml(result)
    address = address_of(result.target)
    for file in case_files(result):
        yield file.path, case_json(file, result, address).encode("ascii")
        if file.body is not None:
            yield file.body_path, file.body
    yield "summary.md", summary_md(result).encode("utf-8")
    yield "badge.json", badge_json(result).encode("utf-8")
    yield "badge.md", f"{badge_line(result)}\n".encode()
    yield "report.html", report_html(result).encode("utf-8")


def _write(path: Path, data: bytes) -> None:
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        beside.write_bytes(data)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _forget_old_cases(folder: Path, current: set[str]) -> None:
    """Remove what an earlier run left, of whatever version: only files that are case files by name and content, and
    bodies by the name of one."""
    for path in sorted(folder.glob("*.json")):
        if path.name not in current and has_case_name(path.stem) and is_case_file(path):
            path.unlink()
    for path in sorted(folder.glob("*.body")):
        if path.name in current or not has_case_name(path.stem):
            continue
        beside = path.with_suffix(".json")
        if beside.name in current or not beside.exists():
            path.unlink()
