"""/metrics: counts that are true, in a form that Prometheus' own parser reads, with no secret and no end of labels."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from asgi import Client, Reply
from conftest import MakeClient
from rulekit import good, good_body, server_of
from sessions import opened, under
from venice_mock.control.metrics import Durations, Metrics, exposition, gauge
from wallets import TOKEN, called, control

METRICS = "/metrics"
EDIT = "/api/v1/image/edit"

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def samples_of(reply: Reply) -> Samples:
    """Every sample, read by the library of those who made the format."""
    assert reply.status == 200, reply.body
    assert reply.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    found: Samples = {}
    for family in text_string_to_metric_families(reply.body.decode()):
        assert family.documentation, family.name
        assert family.type in ("counter", "gauge", "histogram")
        for sample in family.samples:
            key = (sample.name.removeprefix("venice_mock_"), frozenset(sample.labels.items()))
            assert key not in found, key
            found[key] = sample.value
    return found


def value(client: Client, name: str, **labels: str) -> float:
    """One sample, 0 where it is not there."""
    return samples_of(client.get(METRICS)).get((name, frozenset(labels.items())), 0.0)


def test_requests_are_counted_by_method_route_and_status(client: Client) -> None:
    opened(client, "t17")
    client.get("/api/v1/models")
    under(client, "t17").get("/api/v1/models")
    client.get("/__mock/accounts/a-key-of-mine")
    client.get("/__mock/accounts/another-key")
    client.send(b"{")
    client.get("/nothing")
    client.get("/nothing/else")
    client.get("/__s/nobody/api/v1/models")
    client.send(method="DELETE", path=EDIT)

    def count(method: str, path: str, status: str) -> float:
        return value(client, "requests_total", method=method, path=path, status=status)

    assert count("GET", "/api/v1/models", "200") == 2
    assert count("GET", "/__mock/accounts/{account}", "200") == 2
    assert count("POST", EDIT, "400") == 1
    assert count("DELETE", EDIT, "405") == 1
    assert count("GET", "unmatched", "404") == 3
    assert count("POST", "/__mock/sessions", "201") == 1
    assert count("GET", METRICS, "200") == 6  # those before this one


def test_a_defect_is_counted_as_what_it_is_answered_with(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Any:
        raise RuntimeError("a bug")

    monkeypatch.setattr("venice_mock.web.api.list_models", broken)
    with pytest.raises(RuntimeError):
        client.get("/api/v1/models")
    assert value(client, "requests_total", method="GET", path="/api/v1/models", status="500") == 1


def test_an_answer_that_was_lost_to_order_is_counted_as_none(make_client: MakeClient) -> None:
    client = make_client(engine="fast")
    with pytest.raises(ConnectionResetError):
        client.edit(headers={"X-Mock": "fault=charge_then_reset"}, **good())
    assert value(client, "requests_total", method="POST", path=EDIT, status="none") == 1
    assert value(client, "edit_seconds_count", status="none") == 1
    assert value(client, "charged_usd_total") == pytest.approx(0.04)  # what the client never learned


def test_the_time_of_edits_is_told_in_buckets_by_the_class_of_their_status(make_client: MakeClient) -> None:
    client = make_client(engine="fast")
    for _ in range(3):
        assert client.send(good_body()).status == 200
    client.send(b"{")
    samples = samples_of(client.get(METRICS))
    for status, count in (("2xx", 3), ("4xx", 1)):
        buckets = [
            number
            for (name, labels), number in samples.items()
            if name == "edit_seconds_bucket" and ("status", status) in labels
        ]
        assert sorted(buckets) == buckets
        assert buckets[-1] == count == samples["edit_seconds_count", frozenset({("status", status)})]
        assert samples["edit_seconds_sum", frozenset({("status", status)})] > 0


@pytest.mark.parametrize(
    ("seconds", "fits"), [(0.0, 0.005), (0.005, 0.005), (0.0051, 0.01), (30.0, 30.0), (31.0, float("inf"))]
)
def test_a_time_on_a_bound_is_within_it(seconds: float, fits: float) -> None:
    took = Durations()
    took.add(seconds)
    within = [
        float(labels[-1][1].replace("+Inf", "inf")) for suffix, labels, n in took.samples(()) if n and labels
    ]
    assert within[0] == fits


def test_charges_are_added_up_over_all_sessions_and_are_not_taken_back(make_client: MakeClient) -> None:
    client = make_client(engine="fast", journal_bytes=0)
    session = opened(client, "t17")
    assert client.send(good_body()).status == session.send(good_body()).status == 200
    client.send(good_body(), key="mock_insufficient_balance")
    client.edit(headers={"X-Mock": "error=model_offline"}, **good())
    assert value(client, "charged_usd_total") == pytest.approx(0.08)
    control(client, "POST", "/__mock/reset")
    control(client, "DELETE", "/__mock/sessions/t17")
    assert value(client, "charged_usd_total") == pytest.approx(0.08)
    assert b"charged_usd_total 0.08\n" in client.get(METRICS).body  # exactly


def test_refusals_are_counted_by_error_and_rule(client: Client) -> None:
    for body in (b"{", b"{", json.dumps({"prompt": "x"}).encode()):
        client.send(body)
    client.send(b"x", content_type="text/plain")
    client.edit(key="mock_invalid_key", **good())
    assert value(client, "refusals_total", error="INVALID_BODY", rule="EDIT-HTTP-006") == 2
    assert value(client, "refusals_total", error="INVALID_REQUEST", rule="EDIT-IMG-006") == 1
    assert value(client, "refusals_total", error="AUTHENTICATION_FAILED", rule="EDIT-AUTH-002") == 1
    client.get("/__s/nobody/livez")
    assert value(client, "refusals_total", error="NO_SESSION", rule="") == 1


def test_what_is_in_work_is_told_while_it_is(make_client: MakeClient) -> None:
    client = make_client()

    async def during() -> Reply:
        workshop = server_of(client).workshop
        started, going_on = asyncio.Event(), asyncio.Event()
        loop = asyncio.get_running_loop()

        def work() -> None:
            loop.call_soon_threadsafe(started.set)
            asyncio.run_coroutine_threadsafe(going_on.wait(), loop).result(30)

        job = asyncio.create_task(workshop.run(1000, work))
        await started.wait()
        larger = asyncio.create_task(workshop.run(10**9, lambda: None))
        await asyncio.sleep(0)
        reply = await client.sending(method="GET", path=METRICS, content_type=None, key=None)
        going_on.set()
        await asyncio.gather(job, larger)
        return reply

    samples = samples_of(client.runner.run(during()))
    assert samples["pictures_in_work", frozenset()] == 1
    assert samples["pictures_waiting", frozenset()] == 1
    assert samples["pixels_in_work", frozenset()] == 1000
    client.runner.run(asyncio.sleep(0))
    for name in ("pictures_in_work", "pictures_waiting", "pixels_in_work"):
        assert value(client, name) == 0


def test_sessions_and_the_memory_of_journals_are_told(make_client: MakeClient) -> None:
    client = make_client(engine="fast")
    assert (value(client, "sessions"), value(client, "journal_bytes")) == (1, 0)
    session = opened(client, "t17")
    session.send(good_body())
    assert value(client, "sessions") == 2
    assert value(client, "journal_bytes") == session.get("/__mock/requests").json["bytes"] > 1000
    control(client, "DELETE", "/__mock/sessions/t17")
    assert (value(client, "sessions"), value(client, "journal_bytes")) == (1, 0)


def test_it_tells_what_runs_here_and_since_when(make_client: MakeClient) -> None:
    client = make_client(wall_clock=lambda: 1_800_000_000.25, behavior="observed")
    assert value(client, "info", version="0.1.0", edition="2026-06-19", behavior="observed") == 1
    assert value(client, "start_time_seconds") == 1_800_000_000.25


# --- labels and secrets --------------------------------------------------------------------------------------


def test_nothing_that_a_client_sends_becomes_a_label(client: Client) -> None:
    secret = "venice-secret-of-a-client"
    client.get(f"/{secret}")
    client.get(f"/__mock/accounts/{secret}")
    client.get(f"/__s/{secret}/livez")
    client.get(f"/api/v1/models?type={secret}")
    client.edit(key=secret, prompt=secret, headers={"X-Mock": f"error={secret}", "X-Request-Id": secret})
    client.edit(key=f"mock_{secret}", **good(model=secret))
    client.send(method=secret.upper(), path=EDIT, key=secret)
    control(client, "POST", "/__mock/sessions", name=secret)
    assert secret not in client.get(METRICS).body.decode().lower()


def test_however_many_paths_and_methods_are_asked_for_there_are_no_more_samples(client: Client) -> None:
    def lines() -> int:
        return client.get(METRICS).body.count(b"\n")

    client.get("/0")
    client.send(method="M0", path="/0")
    client.get("/api/v1/x402/balance/0")
    lines()
    before = lines()
    for number in range(1, 40):
        client.get(f"/{number}")
        client.send(method=f"M{number}", path=f"/{number}")
        client.get(f"/api/v1/x402/balance/{number}")
    assert lines() == before


def test_refusals_have_an_end_too_whatever_they_are_called() -> None:
    metrics = Metrics()
    for number in range(5000):
        metrics.refused(f"ERROR_{number}", None)
    assert len(metrics.refusals) <= 1001
    assert sum(metrics.refusals.values()) == 5000


def test_a_label_cannot_break_out_of_its_line() -> None:
    hostile = 'a"b\\c\nd 1\n# TYPE x counter'
    text = exposition([gauge("thing", "A\nhelp \\ text", 1, {"name": hostile})])
    (family,) = text_string_to_metric_families(text)
    (sample,) = family.samples
    assert sample.labels == {"name": hostile}
    assert text.count("\n") == 3


def test_money_is_written_out_and_never_rounded() -> None:
    metrics = Metrics(charged=Decimal("1E+3") + Decimal("0.000000000000000001"))
    assert "charged_usd_total 1000.000000000000000001\n" in exposition(metrics.families())


# --- who may read it -----------------------------------------------------------------------------------------


def from_afar(client: Client, **headers: str) -> int:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await client.app({**scope, "client": ("192.168.1.7", 5000)}, receive, send)

    return Client(app, None, client.runner).get(METRICS, **headers).status


def test_on_this_machine_everybody_may_with_or_without_a_token(make_client: MakeClient) -> None:
    for settings in ({}, {"control_token": TOKEN}, {"control": False}):
        assert make_client(**settings).get(METRICS).status == 200


def test_beyond_it_the_control_token_is_wanted(make_client: MakeClient) -> None:
    shown = {"x-mock-token": TOKEN}
    for exposed in ({"host": "0.0.0.0"}, {"trust_proxy": True}):
        assert make_client(**exposed).get(METRICS).status == 403
        guarded = make_client(control_token=TOKEN, **exposed)
        assert (guarded.get(METRICS).status, guarded.get(METRICS, **shown).status) == (403, 200)
    local = make_client(control_token=TOKEN)
    assert (from_afar(local), from_afar(local, **shown)) == (403, 200)
    assert from_afar(make_client()) == 403


@pytest.mark.parametrize("exposed", [{"host": "0.0.0.0"}, {"trust_proxy": True}, {}])
@pytest.mark.parametrize(
    "host", ["10.1.2.3:8402", "[fd00::7]:8402", "mock.monitoring.svc.cluster.local:8402"]
)
def test_a_scraper_with_the_token_may_call_it_by_any_address(
    make_client: MakeClient, exposed: dict[str, Any], host: str
) -> None:
    by_address = called(make_client(control_token=TOKEN, **exposed), host)
    for shown in (
        {"x-mock-token": TOKEN},
        {"authorization": f"Bearer {TOKEN}"},
        {"authorization": f"bearer  {TOKEN}"},
        {"authorization": f"Bearer {TOKEN}", "x-mock-token": "another"},
    ):
        assert by_address.get(METRICS, **shown).status == 200
        assert (
            by_address.get("/__mock/clock", **shown).status == 403
        )  # where nothing else than before will do
    for wrong in (
        {},
        {"authorization": f"Bearer {TOKEN}x"},
        {"authorization": f"Bearer {TOKEN[:-1]}"},
        {"authorization": "Bearer "},
        {"authorization": TOKEN},
        {"authorization": f"Basic {TOKEN}"},
        {"x-mock-token": f"Bearer {TOKEN}"},
    ):
        assert by_address.get(METRICS, **wrong).status == 403
    assert by_address.get(f"{METRICS}?token={TOKEN}").status == 403


def test_under_a_name_of_this_machine_a_scraper_needs_the_token_only_from_beyond(
    make_client: MakeClient,
) -> None:
    bearer = {"authorization": f"Bearer {TOKEN}"}
    local = make_client(control_token=TOKEN)
    assert (from_afar(local), from_afar(local, **bearer)) == (403, 200)
    assert local.get(METRICS, authorization="Bearer wrong").status == 200


def test_without_a_token_no_bearer_opens_it(make_client: MakeClient) -> None:
    exposed = make_client(host="0.0.0.0")
    for word in ("", "None", "null"):
        assert exposed.get(METRICS, authorization=f"Bearer {word}").status == 403
    assert called(make_client(), "evil.example").get(METRICS, authorization="Bearer ").status == 403


def test_a_strange_page_may_not_even_with_the_token(make_client: MakeClient) -> None:
    client = make_client(control_token=TOKEN)
    shown = {"authorization": f"Bearer {TOKEN}"}
    assert client.get(METRICS, **shown, origin="http://evil.example").status == 403
    assert client.get(METRICS, **shown, **{"sec-fetch-site": "cross-site"}).status == 403


def test_a_page_of_a_stranger_may_not(client: Client) -> None:
    assert called(client, "evil.example").get(METRICS).status == 403
    assert client.get(METRICS, origin="http://evil.example").status == 403
    assert client.get(METRICS, **{"sec-fetch-site": "cross-site"}).status == 403
