"""Newman, the runner of Postman collections, as a command; and its report as plain data."""

from __future__ import annotations

import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

from tools import missing, tool

NODE_HOME = Path(sys.executable).parents[1] / "node"  # where `make test` installs the JavaScript clients
REPORT = ("--reporters", "junit", "--reporter-junit-export", "report.xml")

Report = dict[str, dict[str, bool]]  # request ("folder / name") -> assertion -> whether it held


def node_environment() -> dict[str, str]:
    """Variables for processes that need node's packages; skips or fails when these are not there."""
    tool("node")
    if not (NODE_HOME / "node_modules" / ".bin" / "newman").exists():
        missing("the npm packages of the test clients are not installed (make test installs them)")
    folders = [Path(sys.executable).parent, NODE_HOME / "node_modules" / ".bin", os.environ["PATH"]]
    return {**os.environ, "PATH": os.pathsep.join(map(str, folders)), "NODE_HOME": str(NODE_HOME)}


def newman(folder: Path, collection: str, environment: str, *options: str) -> Report:
    """Run a collection; its failures are in the report."""
    command = ["newman", "run", collection, "-e", environment, *options, *REPORT]
    done = subprocess.run(
        command, cwd=folder, env=node_environment(), capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return report(folder / "report.xml")


def report(file: Path) -> Report:
    """What newman's JUnit report says; an error outside the assertions is one that did not hold."""
    found: Report = {}
    for suite in ET.parse(file).getroot().iter("testsuite"):
        cases = {case.attrib["name"]: case.find("failure") is None for case in suite.iter("testcase")}
        for error in suite.iter("error"):
            cases[f"error: {error.attrib.get('message', '')}"] = False
        found[suite.attrib["name"]] = cases
    return found


def broken(found: Report) -> dict[str, list[str]]:
    """The requests with assertions that did not hold, and these."""
    failures = {name: [test for test, held in cases.items() if not held] for name, cases in found.items()}
    return {name: tests for name, tests in failures.items() if tests}
