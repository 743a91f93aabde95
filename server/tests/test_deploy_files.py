"""Dockerfile, compose.yaml, the manifests and the workflow: each is what its schema says, and all agree with the mock.

Nothing is built or started here; test_image_steps.py follows the Dockerfile's steps.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

from conftest import MakeClient
from dockerfile import Ignored, Step, stages_of, steps_of
from tools import missing
from venice_mock.commands.serve import parser
from venice_mock.settings import ENV_PREFIX, OPTIONS, load_settings
from venice_mock.settings_types import Settings

ROOT = Path(__file__).parents[2]
STEPS = steps_of((ROOT / "Dockerfile").read_text("utf-8"))
BUILD, FINAL = stages_of(STEPS)
IMAGE = FINAL.environment({"PATH": "/usr/bin"})
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
WORKFLOW: dict[Any, Any] = yaml.safe_load((ROOT / "examples/ci/github-actions.yaml").read_text("utf-8"))
MANIFESTS: list[dict[str, Any]] = [
    each
    for file in sorted((ROOT / "deploy/kubernetes").glob("*.yaml"))
    for each in yaml.safe_load_all(file.read_text("utf-8"))
]
LONGEST_EDIT_S = 30
NOWHERE = "redis://127.0.0.1:1/0"  # nobody listens on port 1


def settings_of(given: dict[str, str]) -> Settings:
    """What the mock makes of these variables in its image; a misspelt one fails."""
    ours = {name: value for name, value in given.items() if name.startswith(ENV_PREFIX)}
    assert ours.keys() <= {option.variable for option in OPTIONS}
    return load_settings({}, IMAGE | ours)


def manifest(kind: str, name: str) -> Any:
    """The only manifest of this kind and name."""
    (found,) = (each for each in MANIFESTS if (each["kind"], each["metadata"]["name"]) == (kind, name))
    return found["spec"]


def container(deployment: str) -> Any:
    """The only container of a deployment."""
    (found,) = manifest("Deployment", deployment)["template"]["spec"]["containers"]
    return found


def variables_of(mock: Any) -> dict[str, str]:
    """The variables that a container is given outright, and the names of those from elsewhere."""
    given: dict[str, str] = {}
    for each in mock["env"]:
        text = each.get("value", "from-elsewhere")
        given[each["name"]] = re.sub(
            r"\$\((\w+)\)", lambda name: given[name[1]], text
        )  # only what stands before it
    return given


# --- the image ---------------------------------------------------------------------------------------------------


def copied() -> list[str]:
    """What is copied out of the context."""
    return [source for step in BUILD.all("COPY") for source in step.words[:-1]]


def test_what_the_image_is_built_of_is_there_and_is_sent_to_the_builder() -> None:
    ignored = Ignored.read(ROOT / ".dockerignore")
    assert copied()
    for source in copied():
        inside = [ROOT / source, *(ROOT / source).rglob("*.*")]
        sent = [file for file in inside if "__pycache__" not in file.parts]
        assert sent[0].exists(), source
        assert all(ignored.leaves(file.relative_to(ROOT).as_posix()) for file in sent), source


@pytest.mark.parametrize(
    "path",
    [
        *(".git/config", ".venv/bin/python", "server/tests/keys.json", "wallet.json", ".env", "server/.env"),
        "server/venice_mock/web/__pycache__/open.cpython-311.pyc",
        "contract_tests/mutants/kit.py",
    ],
)
def test_nothing_else_is_sent_to_the_builder(path: str) -> None:
    assert not Ignored.read(ROOT / ".dockerignore").leaves(path)


def test_the_image_serves_on_every_address_as_nobody_and_takes_a_token() -> None:
    words = FINAL.one("ENTRYPOINT").words + FINAL.one("CMD").words
    assert words[:2] == ["venice-mock", "serve"]
    assert parser().parse_args(words[2:]) is not None
    served = settings_of({"VENICE_MOCK_CONTROL_TOKEN": "a token"})
    assert (served.host, served.control_token) == ("0.0.0.0", "a token")
    assert FINAL.one("EXPOSE").rest == str(served.port)
    user, _, group = FINAL.one("USER").rest.partition(":")
    assert int(user) > 0
    assert int(group) > 0
    assert FINAL.one("STOPSIGNAL").rest == "SIGTERM"


def test_the_image_has_the_redis_client_and_no_leftovers_of_its_building() -> None:
    pips = [step.rest for step in BUILD.all("RUN") if " pip " in step.rest]
    assert len(pips) == 2
    assert all("--no-cache-dir" in each for each in pips)
    assert pips[-1].endswith('[redis]"')
    assert FINAL.all("RUN") == []
    assert [step.words[0] for step in FINAL.all("COPY")] == ["--from=build"]
    assert FINAL.steps.index(FINAL.one("USER")) < FINAL.steps.index(FINAL.one("ENTRYPOINT"))


def test_the_image_has_a_python_that_the_package_takes() -> None:
    (version,) = (step.rest.partition("=")[2] for step in STEPS if step.word == "ARG")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    least = project["requires-python"].removeprefix(">=")
    assert tuple(map(int, version.split("."))) >= tuple(map(int, least.split(".")))
    assert all(stage.one("FROM").words[0] == "python:${PYTHON}-slim" for stage in (BUILD, FINAL))


def test_a_step_over_several_lines_is_read_as_one() -> None:
    assert steps_of('# no\nRUN a \\\n  # nor this\n && b\n\nCMD ["c", "d e"]\n') == [
        Step("RUN", "a  && b"),
        Step("CMD", '["c", "d e"]'),
    ]


# --- by schema ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schema", "file"),
    [("compose-spec", "compose.yaml"), ("github-workflows", "examples/ci/github-actions.yaml")],
)
def test_the_file_is_what_its_schema_says_and_a_wrong_word_is_noticed(
    schema: str, file: str, tmp_path: Path
) -> None:
    if find_spec("check_jsonschema") is None:
        missing("check-jsonschema is not installed, so no schema was asked")
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}"]
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text((ROOT / file).read_text("utf-8").replace("ports:", "prots:"), "utf-8")
    for each, code in ((ROOT / file, 0), (wrong, 1)):
        done = subprocess.run([*command, each], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == code, done.stdout + done.stderr


# --- Compose and the workflow ------------------------------------------------------------------------------------


def test_compose_serves_this_machine_with_workers_that_share_the_store_it_starts() -> None:
    mock, store = COMPOSE["services"]["mock"], COMPOSE["services"]["store"]
    given = {name: value.partition("${")[0] for name, value in mock["environment"].items()}
    served = settings_of(given)
    assert served.workers > 1
    assert served.store == "redis://store:6379/0"
    assert served.control_token is None
    assert served.control_hosts == ("mock",)
    assert mock["ports"] == [f"127.0.0.1:{served.port}:{served.port}"]
    assert mock["depends_on"] == {"store": {"condition": "service_healthy"}}
    assert "ports" not in store
    for service in (mock, store):
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
    assert [volume.partition(":")[2] for volume in store["volumes"]] == ["/data"]  # where it may write
    assert int(store["user"].partition(":")[0]) > 0
    assert store["mem_limit"]
    assert seconds_of(mock["stop_grace_period"]) > LONGEST_EDIT_S


def seconds_of(text: str) -> int:
    """A duration in whole seconds, as Compose and Docker write it."""
    return int(text.removesuffix("s"))


def test_who_starts_the_image_is_told_to_wait_for_edits_in_flight_and_where_its_port_is() -> None:
    texts = [(ROOT / name).read_text("utf-8") for name in ("Dockerfile", "README.md")]
    for text in texts:
        runs = [line for line in text.splitlines() if "docker run" in line]
        assert runs
        for line in runs:
            (given,) = re.findall(r"--stop-timeout (\d+)", line)
            assert int(given) > LONGEST_EDIT_S
        assert "9000:8402" in text
        assert "VENICE_MOCK_PORT=9000" in text


def test_the_workflow_talks_to_the_service_that_it_starts() -> None:
    (job,) = WORKFLOW["jobs"].values()
    (service,) = job["services"].values()
    served = settings_of(service["env"])
    assert service["ports"] == [f"127.0.0.1:{served.port}:{served.port}"]
    assert job["env"]["VENICE_BASE_URL"] == f"http://127.0.0.1:{served.port}/api/v1"
    assert job["env"]["MOCK"] == f"http://127.0.0.1:{served.port}/__mock"
    assert job["env"]["MOCK_TOKEN"] == served.control_token


# --- Kubernetes --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["venice-mock", "venice-mock-store"])
def test_a_service_leads_to_the_pods_of_its_deployment(name: str) -> None:
    service, deployment = manifest("Service", name), manifest("Deployment", name)
    labels = deployment["template"]["metadata"]["labels"]
    assert service["selector"] == deployment["selector"]["matchLabels"] == labels
    (port,) = service["ports"]
    (opened,) = container(name)["ports"]
    assert (port["targetPort"], port["port"]) == (opened["name"], opened["containerPort"])


def test_the_pods_share_the_store_that_is_started_beside_them() -> None:
    mock = container("venice-mock")
    served = settings_of(variables_of(mock))
    (port,) = manifest("Service", "venice-mock-store")["ports"]
    assert served.store == f"redis://venice-mock-store:{port['port']}/0"
    assert served.port == mock["ports"][0]["containerPort"]
    names = [f"venice-mock{rest}" for rest in ("", ".{}", ".{}.svc", ".{}.svc.cluster.local")]
    assert served.control_hosts == tuple(name.format("from-elsewhere") for name in names)
    (namespace,) = (each for each in mock["env"] if each["name"] == "POD_NAMESPACE")
    assert namespace["valueFrom"] == {"fieldRef": {"fieldPath": "metadata.namespace"}}
    assert parser().parse_args(mock["args"][1:]) is not None
    assert mock["args"][0] == FINAL.one("CMD").words[0]
    policy = manifest("NetworkPolicy", "venice-mock-store")
    (allowed,) = policy["ingress"]
    assert allowed["from"] == [{"podSelector": manifest("Deployment", "venice-mock")["selector"]}]
    assert policy["podSelector"] == manifest("Deployment", "venice-mock-store")["selector"]


def test_the_scrape_config_is_the_same_in_both_places_and_leads_to_the_service() -> None:
    readme = (
        (ROOT / "README.md").read_text("utf-8").partition("```yaml\nscrape_configs")[2].partition("```")[0]
    )
    comments = (ROOT / "deploy/kubernetes/mock.yaml").read_text("utf-8").partition("#   scrape_configs")[2]
    told = [
        yaml.safe_load("scrape_configs" + text)
        for text in (readme, comments.partition("\n#\n")[0].replace("#   ", ""))
    ]
    assert told[0] == told[1]
    (job,) = told[0]["scrape_configs"]
    (port,) = manifest("Service", "venice-mock")["ports"]
    assert job["static_configs"] == [{"targets": [f"venice-mock:{port['port']}"]}]
    assert list(job["authorization"]) == ["credentials_file"]  # a bearer token, if no type is named


def test_the_pods_of_the_mock_are_spread_over_nodes_where_there_are_several() -> None:
    deployment = manifest("Deployment", "venice-mock")
    (spread,) = deployment["template"]["spec"]["topologySpreadConstraints"]
    assert (spread["topologyKey"], spread["whenUnsatisfiable"]) == (
        "kubernetes.io/hostname",
        "ScheduleAnyway",
    )
    assert spread["labelSelector"] == deployment["selector"]


@pytest.mark.parametrize("name", ["venice-mock", "venice-mock-store"])
def test_a_pod_may_do_nothing_that_it_need_not(name: str) -> None:
    pod = manifest("Deployment", name)["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False
    assert container(name)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    resources = container(name)["resources"]
    assert {"cpu", "memory"} <= resources["requests"].keys()
    assert "memory" in resources["limits"]


def test_the_user_of_the_pod_is_that_of_the_image() -> None:
    context = manifest("Deployment", "venice-mock")["template"]["spec"]["securityContext"]
    assert FINAL.one("USER").rest == f"{context['runAsUser']}:{context['runAsGroup']}"


def test_a_lost_store_takes_pods_out_of_service_and_has_none_of_them_killed(make_client: MakeClient) -> None:
    lost = make_client(engine="fast", store=NOWHERE)
    mock = container("venice-mock")
    for probe in ("livenessProbe", "startupProbe"):
        assert lost.get(mock[probe]["httpGet"]["path"]).status == 200
    ready = mock["readinessProbe"]["httpGet"]["path"]
    assert lost.get(ready).status == 503
    assert make_client(engine="fast").get(ready).status == 200
