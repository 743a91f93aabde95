"""``venice_mock.testing``: a server in a thread, an application in process, and the handle to both."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest

from live import running
from venice_mock.control.config import INLINE, SETTINGS
from venice_mock.settings import OPTIONS, SettingsError
from venice_mock.testing import (
    Booking,
    ControlError,
    ServerOptions,
    SessionOptions,
    VeniceMock,
    VerificationError,
    connect,
    in_process,
    serve,
)


@pytest.fixture(scope="module")
def server() -> Iterator[VeniceMock]:
    """One server for this file."""
    with serve(engine="fast", seed=1) as mock:
        yield mock


@pytest.fixture
def mock(server: VeniceMock) -> Iterator[VeniceMock]:
    """A session of it."""
    with server.session() as session:
        yield session


def edit(mock: VeniceMock, prompt: str = "make it a sunset", key: str | None = None, **fields: str) -> int:
    """The status of an edit."""
    answer = httpx.post(
        mock.base_url + "/image/edit",
        headers={"Authorization": f"Bearer {key or mock.api_key}"},
        data={"prompt": prompt, "model": "qwen-edit", **fields},
        files={"image": mock.sample_png},
    )
    return answer.status_code


# --- where it runs ---------------------------------------------------------------------------------------------


def test_a_server_is_there_within_the_block_and_gone_after_it() -> None:
    threads = threading.active_count()
    with serve(engine="fast") as mock:
        host, port = mock.origin.removeprefix("http://").split(":")
        assert edit(mock) == 200
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)))
    assert threading.active_count() <= threads


def test_a_server_is_gone_after_a_block_that_failed() -> None:
    threads = threading.active_count()
    with pytest.raises(ZeroDivisionError):
        with serve() as mock:
            mock.requests[1 // 0]
    assert threading.active_count() <= threads


def test_a_port_may_be_named_and_one_that_is_taken_is_told(server: VeniceMock) -> None:
    taken = int(server.origin.rpartition(":")[2])
    with pytest.raises(SettingsError, match=f"Port {taken} on 127.0.0.1 is already in use"):
        with serve(port=taken):
            pass


@pytest.mark.parametrize("make", [serve, in_process])
def test_settings_that_cannot_be_served_are_told_in_a_sentence(make: Any) -> None:
    threads = threading.active_count()
    with pytest.raises(SettingsError, match="engine: expected paint or fast, got 'slow'"):
        make(engine="slow").__enter__()
    with pytest.raises(SettingsError, match="The default model none is no edit model of 2026-06-19"):
        make(default_model="none").__enter__()
    with pytest.raises(TypeError, match="A mock has no setting 'log_level'"):
        make(log_level="debug").__enter__()
    assert threading.active_count() <= threads


def test_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VENICE_MOCK_BALANCE", "5")
    monkeypatch.setenv("VENICE_MOCK_PORT", "1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with serve() as mock:
        assert mock.account().balance_usd == 100


def test_a_server_that_listens_everywhere_has_a_token_that_its_handle_knows() -> None:
    with serve(host="0.0.0.0") as mock:
        assert mock.requests == []
        assert httpx.get(mock.control_url + "/requests").status_code == 403


def test_a_server_that_runs_elsewhere_is_steered_in_the_same_way() -> None:
    with running("--engine", "fast", "--control-token", "a-token") as origin:
        mock = connect(origin + "/api/v1", token="a-token")
        with mock.session() as session:
            session.fail_next("model_offline")
            assert [edit(session), edit(session), edit(mock)] == [503, 200, 200]
        with pytest.raises(ControlError, match="the header X-Mock-Token is missing or wrong"):
            connect(origin).lint()


@pytest.mark.parametrize("rest", ["/api/v1", "", "/", "/api/v1/", "/__mock"])
def test_the_url_of_a_session_is_that_session(server: VeniceMock, rest: str) -> None:
    with server.session() as session:
        place = session.base_url.removesuffix("/api/v1")
        same = connect(place + rest)
        assert same.base_url == session.base_url
        same.account().set(balance_usd=3)
        assert session.account().balance_usd == 3
        assert connect(server.origin + rest).base_url == server.base_url
    assert server.account().balance_usd == 100


def test_a_session_that_is_not_open_is_told_and_no_other_is_touched(server: VeniceMock) -> None:
    with server.session() as session:
        session.account().set(balance_usd=3)
        gone = connect(session.base_url)
    with pytest.raises(ControlError, match="session"):
        gone.reset()


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("127.0.0.1:9105", "did you mean 'http://127.0.0.1:9105'"),
        ("localhost:9105/__s/t1/api/v1", "did you mean 'http://localhost:9105/__s/t1/api/v1'"),
        ("http://127.0.0.1:9105/__s/T1/api/v1", "is no address of a mock"),
        ("http://127.0.0.1:9105/elsewhere", "is no address of a mock"),
        ("https://127.0.0.1:9105", "is no address of a mock"),
        ("http:///api/v1", "is no address of a mock"),
    ],
)
def test_what_is_no_address_of_a_mock_is_told_at_once(url: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        connect(url)


def test_connect_may_stand_in_a_with_statement_that_leaves_the_server_as_it_is(server: VeniceMock) -> None:
    with connect(server.origin) as mock:
        assert mock.requests == server.requests
    assert server.config["engine"] == "fast"


def test_importing_it_imports_nothing_of_the_server() -> None:
    heavy = "{'starlette', 'uvicorn', 'PIL', 'msgspec', 'pytest'}"
    code = f"import sys, venice_mock.testing; sys.exit(str({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == "set()"


def test_the_typed_keywords_are_all_there_are() -> None:
    of_a_command = {"workers", "port_file", "control", "log_format", "log_level"}
    assert set(ServerOptions.__annotations__) == {option.key for option in OPTIONS} - of_a_command
    assert set(SessionOptions.__annotations__) == {*SETTINGS, *INLINE}


def test_a_mock_in_process_shares_no_store_because_its_connections_would_belong_to_one_loop() -> None:
    with pytest.raises(SettingsError, match=r"use serve\(store="), in_process(store="redis://127.0.0.1:1/0"):
        pass


def test_an_application_in_process_answers_clients_that_call_it() -> None:
    threads = threading.active_count()
    with in_process(engine="fast") as mock:

        async def visit() -> list[int]:
            transport = httpx.ASGITransport(mock.app)
            async with httpx.AsyncClient(transport=transport, base_url=mock.base_url) as client:
                mock.fail_next("model_at_capacity")
                statuses = []
                for _ in range(2):
                    reply = await client.post(
                        "/image/edit",
                        headers={"Authorization": "Bearer mock_ok"},
                        data={"prompt": "make it night"},
                        files={"image": mock.sample_png},
                    )
                    statuses.append(reply.status_code)
                mock.verify(prompt="make it night", status=200, exactly=1)
                mock.fail_next("reset")
                with pytest.raises(ConnectionResetError):
                    await client.post(
                        "/image/edit",
                        headers={"Authorization": "Bearer mock_ok"},
                        data={"prompt": "make it rain"},
                        files={"image": mock.sample_png},
                    )
                return statuses

        assert asyncio.run(visit()) == [503, 200]
        assert mock.account().spent_usd == Decimal("0.08")
        with mock.session(balance="3") as other:
            assert (len(other.requests), other.account("a/key").balance_usd) == (0, Decimal(3))
    assert threading.active_count() <= threads


def test_two_applications_in_process_are_two_worlds() -> None:
    with in_process() as one, in_process() as other:
        one.account("k").set(balance_usd="1")
        assert (one.account("k").balance_usd, other.account("k").balance_usd) == (Decimal(1), Decimal(100))


# --- orders ----------------------------------------------------------------------------------------------------


def test_failures_come_one_after_the_other_and_then_it_works(mock: VeniceMock) -> None:
    first = mock.fail_next("rate_limited", retry_after=7)
    second = mock.fail_next("CHARGE_THEN_504", times=2)
    assert [edit(mock, f"number {n}") for n in range(4)] == [429, 504, 504, 200]
    assert (first.fired, second.fired) == (1, 2)
    assert mock.requests[0].raw["response"]["headers"]["retry-after"] == "7"


def test_a_failure_is_for_those_that_it_is_meant_for(mock: VeniceMock) -> None:
    mock.fail_next("model_offline", prompt_contains="moon", key="k")
    assert [edit(mock), edit(mock, "the moon"), edit(mock, "the moon", "k")] == [200, 200, 503]


def test_a_reset_is_a_real_one(mock: VeniceMock) -> None:
    mock.fail_next("reset")
    with pytest.raises(httpx.ReadError):
        edit(mock)
    (request,) = mock.requests
    assert (request.fault, request.complete, request.charged) == ("reset", False, True)


def test_a_rule_stays_until_it_is_deleted(mock: VeniceMock) -> None:
    rule = mock.rule(error="model_overloaded", id="busy")
    assert mock.rules == [rule]
    assert [edit(mock), edit(mock)] == [429, 429]
    rule.delete()
    assert (mock.rules, edit(mock)) == ([], 200)


def test_an_order_that_cannot_be_carried_out_is_told(mock: VeniceMock) -> None:
    with pytest.raises(ControlError, match=r"there is no error 'rate_limitd'\. Did you mean rate_limited"):
        mock.fail_next("rate_limitd")
    with pytest.raises(ControlError, match="then is empty"):
        mock.rule()
    with pytest.raises(ControlError, match="there is no edit model"):
        mock.fail_next("offline", model="qwen")
    with pytest.raises(ControlError, match="there is no part"):
        mock.reset("acounts")  # type: ignore[arg-type]
    assert mock.rules == []


def test_the_clock_ends_a_rate_limit_at_once(mock: VeniceMock) -> None:
    assert edit(mock, key="mock_rate_limited") == 429
    before = mock.clock.now
    mock.clock.advance(timedelta(minutes=1))
    assert timedelta(minutes=1) <= mock.clock.now - before < timedelta(minutes=2)
    assert edit(mock, key="mock_rate_limited") == 200


def test_the_clock_stands_moves_and_runs(mock: VeniceMock) -> None:
    noon = datetime(2026, 9, 1, 12, tzinfo=UTC)
    assert mock.clock.freeze("2026-09-01T12:00:00Z") == noon
    assert mock.clock.freeze(datetime(2026, 9, 1, 12)) == noon
    assert (mock.clock.now, mock.clock.is_frozen) == (noon, True)
    assert mock.clock.advance(60) == noon + timedelta(minutes=1)
    mock.clock.run()
    assert not mock.clock.is_frozen
    still = mock.clock.freeze()
    assert mock.clock.now == still


def test_an_account_is_set_and_read_and_its_ledger_is_exact(mock: VeniceMock) -> None:
    account = mock.account("a/key+of%20mine")
    account.set(balance_usd=Decimal("0.05"), spend_limit_usd="1")
    assert (account.balance_usd, account.spend_limit_usd) == (Decimal("0.05"), Decimal(1))
    assert account.status == "active"
    account.set(spend_limit_usd="none")
    assert account.spend_limit_usd is None
    assert [edit(mock), edit(mock)] == [200, 200]
    mine = mock.account()
    assert (mine.balance_usd, mine.spent_usd) == (Decimal("99.92"), Decimal("0.08"))
    assert [(row.type, row.amount_usd) for row in mine.ledger] == [("CHARGE", Decimal("-0.04"))] * 2
    assert [row.balance_after_usd for row in mine.ledger] == [Decimal("99.96"), Decimal("99.92")]
    assert isinstance(mine.ledger[0], Booking)
    mine.set(status="disabled")
    assert edit(mock) == 403
    assert "a/key" not in repr(account)


def test_a_session_is_configured_and_reset(mock: VeniceMock) -> None:
    assert mock.configure(behavior="observed", balance=Decimal("2.5"))["behavior"] == "observed"
    assert (mock.config["balance"], mock.account("new").balance_usd) == ("2.5", Decimal("2.5"))
    edit(mock)
    mock.reset("journal")
    assert (mock.requests, mock.account().spent_usd) == ([], Decimal("0.04"))
    mock.reset()
    assert (mock.config["behavior"], mock.account().balance_usd) == ("documented", Decimal(100))


def test_sessions_take_keys_and_models_of_their_own(server: VeniceMock) -> None:
    with server.session(keys={"team-a": {"balance_usd": "5.50"}}) as closed:
        assert [edit(closed, key="team-a"), edit(closed, key="team-b")] == [200, 401]


# --- questions -------------------------------------------------------------------------------------------------


def test_requests_tell_what_was_sent_understood_and_paid(mock: VeniceMock) -> None:
    edit(mock, aspect_ratio="16:9")
    edit(mock, "", key="mock_ok")
    good, bad = mock.requests
    assert (good.method, good.path, good.status) == ("POST", "/api/v1/image/edit", 200)
    assert (good.model, good.prompt, good.cost_usd) == ("qwen-edit", "make it a sunset", Decimal("0.04"))
    assert good.sent["aspect_ratio"] == "16:9"
    assert good.understood["aspect_ratio"] == "16:9"
    assert good.image is not None
    assert (good.image.format, good.image.sent_as) == ("PNG", "upload")
    assert mock.picture_sent(good) == mock.sample_png
    assert mock.picture_answered(good).startswith(b"\x89PNG")
    assert (bad.status, bad.charged, bad.cost_usd) == (400, False, None)
    assert bad.rule is not None
    assert bad.rule in str(bad)
    assert bad.curl.startswith("curl ")


def test_a_picture_that_is_not_there_is_told(mock: VeniceMock) -> None:
    httpx.get(mock.base_url + "/models")
    (request,) = mock.requests
    with pytest.raises(ControlError):
        mock.picture_sent(request)


def test_verify_counts_and_gives_the_ids(mock: VeniceMock) -> None:
    for prompt in ("a sunset", "a sunrise", "a sunset"):
        edit(mock, prompt)
    assert mock.verify(prompt="a sunset", exactly=2) == ["req-000003", "req-000001"]
    assert len(mock.verify()) == 3
    assert mock.verify(prompt_contains="moon", exactly=0) == []
    assert len(mock.verify(at_least=1, at_most=3, cost_usd=Decimal("0.04"))) == 3
    assert len(mock.verify(prompt=["a sunrise", "a moon"], sent={"model": "qwen-edit"})) == 1


def told_by(error: pytest.ExceptionInfo[VerificationError]) -> list[str]:
    return str(error.value).splitlines()


def test_a_failed_verification_tells_the_closest_misses_field_by_field(mock: VeniceMock) -> None:
    edit(mock, "make it a sunset")
    edit(mock, "")
    with pytest.raises(VerificationError) as error:
        mock.verify(prompt="make it a sunrise", status=200, exactly=1)
    assert told_by(error)[:4] == [
        "Expected exactly 1 request with prompt='make it a sunrise', status=200; there were none.",
        "Closest of 2:",
        "  req-000001 POST /image/edit -> 200 qwen-edit 'make it a sunset' $0.04",
        "      prompt: expected 'make it a sunrise', got 'make it a sunset' (they part at character 13)",
    ]
    assert "      status: expected 200, got 400" in told_by(error)


def test_too_many_requests_are_told_with_their_lines(mock: VeniceMock) -> None:
    for number in range(7):
        edit(mock, f"number {number}")
    with pytest.raises(VerificationError) as error:
        mock.verify(model="qwen-edit", at_most=2)
    assert told_by(error)[:3] == [
        "Expected at most 2 requests with model='qwen-edit'; there were 7.",
        "Matching, the newest 5:",
        "  req-000007 POST /image/edit -> 200 qwen-edit 'number 6' $0.04",
    ]
    with pytest.raises(VerificationError, match=r"^Expected exactly 0 requests; there were 7\."):
        mock.verify(exactly=0)


def test_a_silent_client_is_asked_for_its_base_url(mock: VeniceMock) -> None:
    with pytest.raises(VerificationError, match="does the client use its base_url"):
        mock.verify(status=200)


def test_a_question_that_cannot_be_answered_is_no_failed_verification(mock: VeniceMock) -> None:
    with pytest.raises(ControlError, match=r"there is no 'promt' to match\. Did you mean prompt"):
        mock.verify(promt="x")


def test_what_the_journal_dropped_is_told_with_the_failure(server: VeniceMock) -> None:
    with server.session(journal_bytes=20_000) as mock:
        for number in range(4):
            edit(mock, f"number {number}")
        with pytest.raises(VerificationError, match="older requests are not in the journal any more"):
            mock.verify(prompt="number 0")


def test_who_pays_twice_is_told_attempt_by_attempt(mock: VeniceMock) -> None:
    mock.fail_next("charge_then_504")
    assert [edit(mock), edit(mock)] == [504, 200]
    verdict = mock.verdict()
    assert (verdict.ok, verdict.charged_more_than_once, verdict.overcharged_usd) == (
        False,
        1,
        Decimal("0.04"),
    )
    with pytest.raises(VerificationError) as error:
        mock.verify_nobody_paid_twice()
    first, which, *attempts = told_by(error)
    assert first == "1 logical request was charged more than once: $0.040000 too much."
    assert which == "  qwen-edit 'make it a sunset': 2 charges"
    assert attempts[0].endswith(": 504, charged $0.040000, fault=charge_then_504")
    assert attempts[1].endswith(": 200, charged $0.040000")
    mock.reset("journal")
    mock.verify_nobody_paid_twice()


def test_who_pays_twice_is_found_though_the_clock_was_moved_on(mock: VeniceMock) -> None:
    mock.clock.freeze("2026-09-01T12:00:00Z")
    for _ in range(2):
        edit(mock)
        mock.clock.advance(31)
    with pytest.raises(VerificationError, match="charged more than once"):
        mock.verify_nobody_paid_twice()


def test_the_verdicts_window_can_be_chosen(mock: VeniceMock) -> None:
    assert mock.verdict().window_s == 30
    assert mock.verdict(window_s=timedelta(minutes=10)).window_s == 600
    mock.verify_nobody_paid_twice(window_s=0.5)
    with pytest.raises(ControlError, match="window_s is seconds from 0"):
        mock.verdict(window_s=-1)


def test_the_date_of_an_answer_is_the_sessions(mock: VeniceMock, server: VeniceMock) -> None:
    def dates(of: VeniceMock, path: str = "/models") -> list[str]:
        return httpx.get(of.base_url + path).headers.get_list("date")

    mock.clock.freeze("2026-09-01T12:00:00Z")
    assert dates(mock) == ["Tue, 01 Sep 2026 12:00:00 GMT"]
    mock.clock.advance(61)
    assert dates(mock) == dates(mock, "/nowhere") == ["Tue, 01 Sep 2026 12:01:01 GMT"]
    (real,) = dates(server)
    assert abs(parsedate_to_datetime(real) - datetime.now(UTC)) < timedelta(hours=1)
    mock.clock.run()
    (real,) = dates(mock)
    assert abs(parsedate_to_datetime(real) - datetime.now(UTC)) < timedelta(hours=1)


def test_lint_gives_advice(mock: VeniceMock) -> None:
    edit(mock)
    assert mock.lint() == []
    edit(mock, modelId="qwen-edit")
    (advice,) = mock.lint()
    assert (advice.id, advice.field, advice.count) == ("deprecated-model-id", "modelId", 1)
    assert advice.requests == ("req-000002",)
    assert mock.requests[-1].advice == (advice.text,)


def test_threads_may_share_a_handle(mock: VeniceMock) -> None:
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            assert edit(mock, f"number {number}", f"key-{number}") == 200
            mock.verify(prompt=f"number {number}", exactly=1)
            assert mock.account(f"key-{number}").spent_usd == Decimal("0.04")
        except BaseException as error:  # noqa: BLE001 - told below
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(mock.requests) == 16
