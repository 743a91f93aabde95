"""The Dockerfile without Docker: its steps are run one by one, then its command, its health check and its stop signal.

Where the machine lets us (Linux, root), the server gets what a container would give it: a user of no name and
a file system that cannot be written.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dockerfile import Stage
from redis_server import running_redis
from rulekit import good_body
from test_deploy_files import BUILD, COMPOSE, FINAL, ROOT, WORKFLOW
from tools import tool

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the image is one of Linux"),
]
PATIENCE_S = 60.0
WHERE = ("/src", "/wheels", "/opt/venice-mock")  # the folders of the image that its steps name
READ_ONLY = 'mount --make-rprivate / && mount -o remount,bind,ro / && exec {} "$@"'


@dataclass(frozen=True)
class Image:
    """What the steps made, below a folder that stands for the root of the image."""

    root: Path

    def placed(self, text: str) -> str:
        """The text with the image's folders where they are here."""
        for folder in WHERE:
            text = text.replace(folder, f"{self.root}{folder}")
        return text

    def environment(self, **given: str) -> dict[str, str]:
        """The variables of a container that is given these; of ours there is nothing."""
        made = FINAL.environment({"PATH": "/usr/local/bin:/usr/bin:/bin"})
        return {name: self.placed(value) for name, value in made.items()} | given

    def words(self, *steps: str) -> list[str]:
        """The words of these instructions, as a command."""
        words = [word for step in steps for word in FINAL.one(step).words]
        return [shutil.which(words[0], path=self.environment()["PATH"]) or words[0], *words[1:]]

    def is_healthy(self, environment: Mapping[str, str]) -> int:
        """The exit code of the health check."""
        rest = FINAL.one("HEALTHCHECK").rest.partition(" CMD ")[2]
        command: list[str] = json.loads(rest)
        return subprocess.run(
            command, env=environment, stderr=subprocess.DEVNULL, timeout=PATIENCE_S
        ).returncode


def follow(stage: Stage, image: Image) -> None:
    """Do what COPY and RUN of the stage say, with this very Python in the place of the image's."""
    for folder in WHERE:
        image.root.joinpath(folder[1:]).mkdir(parents=True)
    here = image.root / "src"
    assert stage.one("WORKDIR").rest == "/src"
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    for step in stage.steps:
        if step.word == "COPY":
            *sources, target = step.words
            for source in sources:
                if (ROOT / source).is_dir():
                    unwanted = shutil.ignore_patterns("__pycache__")
                    shutil.copytree(ROOT / source, here / target, dirs_exist_ok=True, ignore=unwanted)
                else:
                    shutil.copy(ROOT / source, here / target)
        if step.word == "RUN":
            done = subprocess.run(
                ["sh", "-c", image.placed(step.rest)],
                cwd=here,
                env={"PATH": path, "HOME": str(image.root), **_proxies_and_registries()},
                capture_output=True,
                text=True,
                timeout=300,
                check=False,
            )
            assert done.returncode == 0, done.stdout + done.stderr


def _proxies_and_registries() -> dict[str, str]:
    """How this machine reaches its registry; nothing else of our environment goes into the image."""
    return {
        name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_", "http", "HTTP"))
    }


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    """The image, in a folder that everybody may read."""
    with tempfile.TemporaryDirectory() as folder:
        made = Image(Path(folder))
        made.root.chmod(0o755)
        follow(BUILD, made)
        yield made


def confined(image: Image) -> list[str]:
    """The beginning of a command on a read-only file system, as the image's user where its Python may be read by one.

    Nothing where neither can be had.
    """
    user, _, group = FINAL.one("USER").rest.partition(":")
    nobody = f"setpriv --reuid={user} --regid={group} --clear-groups --"
    tells = [str(image.root / "opt/venice-mock/bin/python"), "-c", "import sys; print(sys.version)"]
    for prefix in (nobody, ""):
        wrapped = ["unshare", "-m", "sh", "-c", READ_ONLY.format(prefix), "-"]
        try:
            tried = subprocess.run(
                [*wrapped, *tells], capture_output=True, text=True, timeout=30, check=False
            )
        except OSError:
            return []
        if tried.stdout.strip() == sys.version:
            return wrapped
    return []


@contextmanager
def container(image: Image, *options: str, **environment: str) -> Iterator[dict[str, str]]:
    """The image's command with these options, until its stop signal; yields its variables, the port among them."""
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        port = chosen.getsockname()[1]
    given = image.environment(VENICE_MOCK_PORT=str(port), **environment)
    assert image.is_healthy(given) == 1, "nobody listens yet"
    command = [*confined(image), *image.words("ENTRYPOINT", "CMD"), *options]
    with subprocess.Popen(command, cwd="/", env=given, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            ready = json.loads(process.stdout.readline())
            yield given
            os.kill(ready["pid"], getattr(signal, FINAL.one("STOPSIGNAL").rest))
            assert process.wait(PATIENCE_S) == 0
        finally:
            process.kill()
    assert image.is_healthy(given) == 1, "it has ended"


def ask(given: Mapping[str, str], path: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
    """Status and body of a request to the server of these variables."""
    said = {"Authorization": "Bearer mock_ok", "Content-Type": "application/json"}
    said |= {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(f"http://127.0.0.1:{given['VENICE_MOCK_PORT']}{path}", body, said)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as reply:
            return reply.status, reply.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def test_the_steps_make_an_image_that_edits_is_healthy_and_ends_at_its_signal(image: Image) -> None:
    with container(image) as given:
        assert image.is_healthy(given) == 0
        assert ask(given, "/api/v1/image/edit", good_body())[0] == 200
        assert ask(given, "/__mock/rules")[0] == 403


def test_a_proxy_in_the_environment_makes_nobody_unhealthy(image: Image) -> None:
    with container(image, "--engine", "fast") as given:
        nowhere = "http://127.0.0.1:1"
        assert image.is_healthy({**given, "http_proxy": nowhere, "HTTP_PROXY": nowhere}) == 0


def test_a_token_opens_the_control_plane_to_those_who_send_it_under_a_name_that_is_known(
    image: Image,
) -> None:
    named = {"VENICE_MOCK_CONTROL_TOKEN": "a token", "VENICE_MOCK_CONTROL_HOSTS": "mock"}
    with container(image, **named) as given:
        assert ask(given, "/__mock/rules")[0] == 403
        assert ask(given, "/__mock/rules", X_Mock_Token="a token")[0] == 200
        assert ask(given, "/__mock/rules", X_Mock_Token="a token", Host="mock:8402")[0] == 200
        assert ask(given, "/__mock/rules", X_Mock_Token="a token", Host="elsewhere:8402")[0] == 403


def test_as_compose_starts_it_the_image_has_workers_on_one_store_and_is_ill_without_it(image: Image) -> None:
    said = COMPOSE["services"]["mock"]["environment"]
    with running_redis() as store:
        named = {name: value.partition("${")[0] for name, value in said.items()}
        named["VENICE_MOCK_STORE"] = named["VENICE_MOCK_STORE"].replace(
            "store:6379", f"127.0.0.1:{store.port}"
        )
        with container(image, "--engine", "fast", **named) as given:
            edits = [ask(given, "/api/v1/image/edit", good_body())[0] for _ in range(8)]
            assert edits == [200] * 8
            balances: list[Any] = [json.loads(ask(given, "/api/v1/billing/balance")[1]) for _ in range(8)]
            assert [each["balances"]["usd"] for each in balances] == [99.68] * 8
            assert image.is_healthy(given) == 0
            store.kill()
            assert image.is_healthy(given) == 1
            store.start()


def test_the_steps_of_the_workflow_pass_against_its_service(image: Image, tmp_path: Path) -> None:
    tool("curl")
    (job,) = WORKFLOW["jobs"].values()
    (service,) = job["services"].values()
    scripts = {each["name"]: each["run"] for each in job["steps"] if "run" in each}
    assert len(scripts) == 4
    with container(image, **service["env"]) as given:
        here = f"127.0.0.1:{given['VENICE_MOCK_PORT']}"
        said = {name: value.replace("127.0.0.1:8402", here) for name, value in job["env"].items()}
        for name, script in scripts.items():
            done = subprocess.run(
                [tool("bash"), "-e", "-o", "pipefail", "-c", script],  # as GitHub calls it
                cwd=tmp_path,
                env={"PATH": os.environ["PATH"], **said},
                capture_output=True,
                text=True,
                timeout=PATIENCE_S,
                check=False,
            )
            assert done.returncode == 0, f"{name}\n{done.stdout}{done.stderr}"
