"""The mock keeps every rule: both editions, both behaviours, in process and over HTTP, in parallel where it can."""

from __future__ import annotations

import json
import secrets
import urllib.request
from collections.abc import Iterator
from decimal import Decimal

import pytest

from live import REDIS, running
from redis_server import RedisServer, on_redis, running_redis
from test_every_rule import UNSEEN
from venice_contract.judging.facts import Accepted
from venice_contract.running.judging import Scope, judge
from venice_contract.running.opening import Options
from venice_contract.running.profiles import ProfileName
from venice_contract.running.results import RunResult, Verdict
from venice_contract.wire.target import read_target

IN_PROCESS = "asgi:venice_mock.asgi:make_app"
JUNE, AUGUST = "2026-06-19", "2026-08-22"


@pytest.fixture(scope="module")
def redis_server() -> Iterator[RedisServer]:
    with running_redis(keeps=False) as server:
        yield server


@pytest.fixture(autouse=True)
def _store(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """With ``VENICE_MOCK_TEST_STORE=redis`` every server that is judged has an empty store on a real Redis."""
    if not on_redis():
        yield
        return
    server: RedisServer = request.getfixturevalue("redis_server")
    monkeypatch.setenv("VENICE_MOCK_STORE", server.url(secrets.token_hex(8)))
    monkeypatch.setenv(REDIS, server.url().partition("?")[0])
    before = server.ask("DBSIZE")
    yield
    assert server.ask("DBSIZE") != before, "nothing was stored there"


def judged(
    url: str, edition: str, accepted: Accepted, profile: ProfileName = "ci", seed: int = 0, **scope: object
) -> RunResult:
    """A whole run."""
    options = Options(read_target(url), profile, edition, accepted, seed=seed)
    return judge(options, Scope(**scope), environ={})  # type: ignore[arg-type]


# What only a server in this process shows: its resolver can be replaced.
UNSEEN_OVER_HTTP = frozenset({"EDIT-IMG-031"})


def conforms(result: RunResult) -> None:
    """Every MUST and SHOULD was seen and holds; what no run can see is on a list."""
    unseen = {*UNSEEN, *(UNSEEN_OVER_HTTP if result.target.startswith("http") else ())}
    wrong = {
        rule.rule.id: f"{rule.verdict}: {rule.reason}"
        for rule in result.rules
        if rule.verdict not in (Verdict.PASS, Verdict.OBSERVED)
        and not (rule.verdict is Verdict.NA and rule.rule.id in unseen)
    }
    assert wrong == {}
    required = [rule for rule in result.rules if rule.rule.level in ("must", "should")]
    assert {rule.rule.id for rule in required if rule.verdict is not Verdict.PASS} <= unseen
    assert len(result.rules) > 300
    assert result.exit_code == 0
    assert result.spent > Decimal(1)


def test_in_process_the_june_edition_as_documented_is_kept() -> None:
    conforms(judged(IN_PROCESS, JUNE, "documented"))


def test_over_http_the_august_edition_as_observed_is_kept() -> None:
    with running("--edition", AUGUST, "--behavior", "observed") as origin:
        conforms(judged(f"{origin}/api/v1", AUGUST, "observed", examples=0))


@pytest.mark.slow
@pytest.mark.parametrize("edition", [JUNE, AUGUST])
@pytest.mark.parametrize("accepted", ["documented", "observed", "any"])
def test_in_process_every_combination_is_kept(edition: str, accepted: Accepted) -> None:
    conforms(judged(IN_PROCESS, edition, accepted))


@pytest.mark.slow
@pytest.mark.parametrize("edition", [JUNE, AUGUST])
@pytest.mark.parametrize("accepted", ["documented", "observed"])
def test_over_http_every_combination_is_kept(edition: str, accepted: Accepted) -> None:
    with running("--edition", edition, "--behavior", accepted) as origin:
        conforms(judged(f"{origin}/api/v1", edition, accepted))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_a_random_search_finds_nothing(seed: int) -> None:
    with running() as origin:
        conforms(judged(f"{origin}/api/v1", JUNE, "documented", "mock", seed))


def session_of(origin: str, name: str, config: dict[str, str]) -> str:
    """The base URL of a new session with this configuration."""
    asked = urllib.request.Request(
        f"{origin}/__mock/sessions",
        json.dumps({"name": name, "config": config}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(asked, timeout=30) as answer:
        return str(json.load(answer)["base_url"])


def test_a_session_url_is_judged_like_a_server() -> None:
    """Whoever names a session is judged in that session, and only there."""
    with running() as origin:
        base = session_of(origin, "judged", {"engine": "fast"})
        result = judged(
            base, JUNE, "documented", examples=0, most_witnesses=1, only=("EDIT-FMT-*", "EDIT-PAY-*")
        )
    assert result.exit_code == 0
    assert "/__s/judged" in result.target


@pytest.mark.slow
@pytest.mark.parametrize(("edition", "accepted"), [(JUNE, "observed"), (AUGUST, "documented")])
def test_a_session_url_keeps_every_rule_beside_a_default_session_that_is_otherwise(
    edition: str, accepted: Accepted
) -> None:
    """The server's own session has the other edition and the other behaviour, and nothing of it is seen."""
    other = ("--edition", AUGUST if edition == JUNE else JUNE, "--behavior")
    with running(*other, "documented" if accepted == "observed" else "observed") as origin:
        base = session_of(origin, "whole", {"edition": edition, "behavior": accepted, "engine": "fast"})
        assert base == f"{origin}/__s/whole/api/v1"
        conforms(judged(base, edition, accepted))
