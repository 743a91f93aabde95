"""POST /__mock/verify: counts, members, the closest misses and where they differ."""

from __future__ import annotations

from typing import Any

import pytest

from asgi import Client
from journals import ask
from rulekit import SMALL, good
from sessions import opened, refused
from wallets import control


@pytest.fixture
def three(client: Client) -> Client:
    """Two edits that are alike but for a word, and a refusal."""
    client.edit(**good(prompt="make it a sunset", aspect_ratio="16:9"))
    client.edit(**good(prompt="make it a sunrise"))
    client.form([("prompt", "make it night"), ("image", SMALL), ("resolution", "9K")])
    return client


@pytest.mark.parametrize(
    ("times", "status"),
    [
        ({}, 200),
        ({"exactly": 2}, 200),
        ({"exactly": 1}, 409),
        ({"exactly": 3}, 409),
        ({"at_least": 2}, 200),
        ({"at_least": 3}, 409),
        ({"at_most": 2}, 200),
        ({"at_most": 1}, 409),
        ({"at_least": 1, "at_most": 2}, 200),
        ({"at_least": 3, "at_most": 4}, 409),
    ],
)
def test_requests_are_counted(three: Client, times: dict[str, int], status: int) -> None:
    reply = ask(three, {"status": 200}, **times)
    assert reply.status == status
    assert (reply.json["ok"], reply.json["count"]) == (status == 200, 2)
    assert reply.json["requests"] == ["req-000002", "req-000001"]


def test_none_at_all_can_be_wanted(three: Client) -> None:
    assert ask(three, {"status": 500}, exactly=0).status == 200
    assert ask(three, {"status": 500}, at_most=0).status == 200
    assert ask(three, {"status": 500}).status == 409


@pytest.mark.parametrize(
    ("match", "found"),
    [
        ({}, 3),
        ({"prompt": "make it a sunset"}, 1),
        ({"prompt_contains": "sun"}, 2),
        ({"prompt_contains": "SUN"}, 0),
        ({"model": "qwen-edit"}, 3),
        ({"model": ["qwen-edit", "another"]}, 3),
        ({"status": "2xx"}, 2),
        ({"status": [400, 402]}, 1),
        ({"method": "POST", "path": "/image/edit"}, 3),
        ({"path": "/api/v1/image/edit"}, 3),
        ({"aspect_ratio": "16:9"}, 1),
        ({"aspect_ratio": "1:1"}, 1),  # what was understood, though nothing was sent
        ({"resolution": "9K"}, 1),  # what was sent, for it was not understood
        ({"width": 1024, "height": 1024}, 1),
        ({"safe_mode": True}, 2),
        ({"charged": True}, 2),
        ({"charged": False}, 1),
        ({"cost_usd": "0.04"}, 2),
        ({"cost_usd": None}, 1),
        ({"price_usd": "0.040"}, 2),
        ({"error": "INVALID_REQUEST"}, 1),
        ({"error": None}, 2),
        ({"rule": "EDIT-RES-008"}, 1),
        ({"body": "form"}, 1),
        ({"image_sent_as": "upload"}, 1),
        ({"image_width": 256, "image_format": "PNG", "image_bytes": len(SMALL), "image_gps": False}, 3),
        ({"key": "a-test-key"}, 3),
        ({"key": "another-key"}, 0),
        ({"key": ["another-key", "a-test-key"]}, 3),
        ({"sent": {"aspect_ratio": "16:9"}}, 1),
        ({"sent": {"aspect_ratio": None}}, 2),
        ({"complete": True}, 3),
        ({"id": "req-000002"}, 1),
        ({"cause": None, "fault": None}, 3),
        ({"width": [1024, None], "image_width": 256.0}, 2),
        ({"key": None}, 0),
    ],
)
def test_members_are_compared(three: Client, match: dict[str, Any], found: int) -> None:
    reply = ask(three, match, exactly=found)
    assert (reply.status, reply.json["count"]) == (200, found), reply.body


def test_the_closest_misses_are_told_with_every_member_that_differs(three: Client) -> None:
    reply = ask(three, {"prompt": "make it a sunsets", "aspect_ratio": "1:1", "status": 200})
    assert reply.status == 409
    assert reply.json["expected"] == {"at_least": 1}
    closest = reply.json["closest"]
    assert [miss["id"] for miss in closest] == ["req-000002", "req-000001", "req-000003"]
    assert closest[0]["diff"] == [
        {
            "field": "prompt",
            "expected": "make it a sunsets",
            "actual": "make it a sunrise",
            "differs_at": 13,
        }
    ]
    assert closest[1]["diff"] == [
        {
            "field": "prompt",
            "expected": "make it a sunsets",
            "actual": "make it a sunset",
            "differs_at": 16,
        },
        {"field": "aspect_ratio", "expected": "1:1", "actual": "16:9", "differs_at": 1},
    ]
    assert [row["field"] for row in closest[2]["diff"]] == ["prompt", "aspect_ratio", "status"]


def test_what_was_sent_is_told_field_by_field(three: Client) -> None:
    reply = ask(three, {"sent": {"prompt": "make it night", "resolution": "2K", "quality": "low"}})
    assert reply.json["closest"][0] == {
        "id": "req-000003",
        "diff": [
            {"field": "sent.resolution", "expected": "2K", "actual": "9K", "differs_at": 0},
            {"field": "sent.quality", "expected": "low", "actual": None},
        ],
    }


def test_too_many_are_told_by_their_ids_and_not_as_misses(three: Client) -> None:
    reply = ask(three, {"status": 200}, at_most=1)
    assert reply.json == {
        "ok": False,
        "count": 2,
        "requests": ["req-000002", "req-000001"],
        "dropped": 0,
        "expected": {"at_least": 0, "at_most": 1},
        "closest": [],
    }


def test_an_empty_journal_has_no_misses(client: Client) -> None:
    reply = ask(client, {"model": "x"})
    assert (reply.status, reply.json["closest"]) == (409, [])


def test_a_session_is_verified_alone(client: Client) -> None:
    one = opened(client, "one")
    one.edit(**good())
    assert ask(one, {}, exactly=1).status == 200
    assert ask(client, {}, exactly=0).status == 200


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"match": {"promt": "x"}}, "there is no 'promt' to match. Did you mean prompt?"),
        ({"match": {"sent": "x"}}, "sent is an object"),
        ({"match": {"cost_usd": "much"}}, "cost_usd is US dollars"),
        ({"match": {"cost_usd": "sNaN"}}, "cost_usd is US dollars"),
        ({"match": {"cost_usd": True}}, "cost_usd is US dollars"),
        ({"match": {"status": "503"}, "times": {"exactly": 0}}, "status is a number such as 404, a class"),
        ({"match": {"status": [503, "9xx"]}}, "status is a number such as 404, a class"),
        ({"match": {"width": "1264"}, "times": {"exactly": 0}}, "width is a number, or null, got '1264'"),
        ({"match": {"image_bytes": True}}, "image_bytes is a number"),
        ({"match": {"safe_mode": "true"}}, "safe_mode is true or false"),
        ({"match": {"safe_mode": 1}}, "safe_mode is true or false, or null, got 1"),
        ({"match": {"charged": [True, 1]}}, "charged is true or false, or null, got 1"),
        ({"match": {"prompt_contains": 5}, "times": {"exactly": 0}}, "prompt_contains is a text, got 5"),
        ({"match": {"prompt_contains": None}}, "prompt_contains is a text"),
        ({"match": {"model": 7}}, "model is a text, or null"),
        ({"match": {"key": 7}}, "key is a text, or null"),
        ({"match": {"rule": []}}, "rule: an empty list fits no request"),
        ({"match": {"sent": None}}, "sent is an object"),
        ({"match": []}, "Expected `object`"),
        ({"times": {"exactly": -1}}, "times are whole numbers from 0"),
        ({"times": {"exactly": 1, "at_most": 2}}, "exactly goes without"),
        ({"times": {"at_least": 3, "at_most": 2}}, "at_most is less than at_least"),
        ({"times": {"often": 2}}, "unknown field `often`"),
        ({"matches": {}}, "unknown field `matches`"),
    ],
)
def test_a_question_that_cannot_be_understood_is_a_400_with_a_sentence(
    three: Client, body: dict[str, Any], sentence: str
) -> None:
    assert sentence in refused(control(three, "POST", "/__mock/verify", **body))
