"""The journal: what an entry tells of a request, its pictures, its filters, and that it is each session's own."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import shlex
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from asgi import Client
from conftest import MakeClient
from edits import b64, scene_png
from journals import REQUESTS, ask, entries, ids, journal, newest
from live import running
from pictures import SIGNATURE
from rulekit import EDIT, SMALL, Clock, good, good_body, png, server_of
from sessions import RESET, opened, refused, under
from tools import tool
from venice_mock.edit import endpoint
from venice_mock.settings_types import IN_PROCESS
from wallets import control, purse_of

KEY = "a-test-key"


# --- what an entry tells -----------------------------------------------------------------------------------------


def test_an_edit_is_told_with_what_was_sent_understood_answered_and_charged(make_client: MakeClient) -> None:
    client = make_client(Clock(), seed=7)
    picture = scene_png()
    reply = client.edit(image=b64(picture), prompt="make it warm", model="qwen-edit", aspect_ratio="16:9")
    told = newest(client)
    assert told["id"] == "req-000001"
    assert (told["at"], told["method"], told["path"]) == ("2027-01-15T08:00:00.000Z", "POST", EDIT)
    assert (told["session"], told["model"], told["prompt"]) == ("default", "qwen-edit", "make it warm")
    assert told["request"]["fields"] == {
        "prompt": "make it warm",
        "model": "qwen-edit",
        "aspect_ratio": "16:9",
    }
    assert told["image"] == {
        "sent_as": "base64", "url": None, "bytes": len(picture), "sha256": hashlib.sha256(picture).hexdigest(),
        "format": "PNG", "width": 320, "height": 240, "mode": "RGB", "orientation": 1,
        "exif": False, "gps": False, "icc": False, "adult": False,
    }  # fmt: skip
    understood, made = told["understood"], Image.open(io.BytesIO(reply.body))
    assert (understood["width"], understood["height"]) == made.size
    assert (understood["aspect_ratio"], understood["resolution"]) == ("16:9", "1K")
    assert (understood["output_format"], understood["safe_mode"]) == ("png", True)
    assert (understood["price_usd"], understood["seed"]) == ("0.04", 7)
    assert (told["status"], told["error"], told["cause"], told["fault"]) == (200, None, None, None)
    assert (told["charged"], told["cost_usd"]) == (True, "0.040000")
    ledger = client.get(f"/__mock/accounts/{KEY}/ledger").json["entries"]
    assert told["charge"] == ledger[0]["request_id"]
    assert told["response"]["headers"] == reply.headers
    assert (told["response"]["bytes"], told["response"]["complete"]) == (len(reply.body), True)
    marks = told["timings_ms"]
    assert 0 < marks["body"] <= marks["answer"] <= marks["total"]


def test_a_refusal_is_told_with_its_rule_its_text_and_its_source(client: Client) -> None:
    reply = client.edit(**good(image=b64(png(16, 16))))
    assert reply.status == 400
    told = newest(client)
    assert (told["status"], told["rule"]) == (400, reply.headers["x-mock-rule"])
    assert told["error"]["name"] == "IMAGE_TOO_SMALL"
    assert told["error"]["hint"] == reply.headers["x-mock-hint"]
    (rule,) = [
        each for each in client.get("/__mock/contract.json").json["rules"] if each["id"] == told["rule"]
    ]
    assert told["error"]["rule"] == {
        name: rule[name] for name in ("id", "text", "source", "level", "certainty")
    }
    assert json.loads(told["response"]["text"]) == reply.json
    assert (told["charged"], told["cost_usd"], told["understood"]) == (False, None, None)


def test_a_request_that_is_refused_before_its_picture_is_looked_at_is_told_with_its_picture(
    client: Client,
) -> None:
    assert client.edit(key="mock_overloaded", **good()).status == 429
    told = newest(client)
    assert (told["image"]["sha256"], told["image"]["width"]) == (hashlib.sha256(SMALL).hexdigest(), 256)
    assert client.get(f"{REQUESTS}/{told['id']}/input").body == SMALL


@pytest.mark.parametrize(
    ("picture", "said"), [(b"no picture at all", None), (SIGNATURE + b"\0\0", None), (SMALL[:60], "PNG")]
)
def test_a_file_that_is_no_picture_is_kept_as_the_bytes_it_is(
    client: Client, picture: bytes, said: str | None
) -> None:
    assert client.form([("prompt", "x"), ("image", picture)]).status == 400
    told = newest(client)
    assert (told["image"]["bytes"], told["image"]["sent_as"]) == (len(picture), "upload")
    assert told["image"]["format"] in (said, None)
    kept = client.get(f"{REQUESTS}/{told['id']}/input")
    assert kept.body == picture
    assert client.get(f"{REQUESTS}/{told['id']}/thumbnail?of=input").status == 404


@pytest.mark.parametrize("path", ["/api/v1/models", "/api/v1/billing/balance", "/api/v1/nothing", "/api/v1"])
def test_every_request_under_api_is_told(client: Client, path: str) -> None:
    reply = client.get(path + "?type=inpaint&secret=s3cret", authorization="Bearer mock_ok")
    told = newest(client)
    assert (told["path"], told["status"], told["request"]["query"]) == (path, reply.status, "type=inpaint")
    assert told["caller"]["magic_key"] == "mock_ok"
    assert told["image"] is told["prompt"] is told["fingerprint"] is None


@pytest.mark.parametrize("path", ["/__mock", "/livez", "/nothing", "/__mock/requests"])
def test_nothing_else_is_told(client: Client, path: str) -> None:
    client.get(path)
    assert entries(client) == []


def test_what_steered_the_mock_is_told(client: Client) -> None:
    assert client.edit(headers={"X-Mock": "seed=9"}, **good()).status == 200
    assert newest(client)["cause"] == "header:seed=9"
    assert client.edit(key="mock_edit_error", **good()).status == 500
    told = newest(client)
    assert (told["cause"], told["error"]["name"]) == ("key:mock_edit_error", "IMAGE_EDIT_ERROR")


def test_a_wallet_is_told_by_its_address(make_client: MakeClient, tmp_path: Path) -> None:
    purse = purse_of(make_client, tmp_path, "5", wall_clock=Clock())
    assert purse.edit(purse.sign_in()).status == 200
    caller = newest(purse.client)["caller"]
    assert (caller["kind"], caller["address"].lower()) == ("wallet", purse.address.lower())


@pytest.mark.filterwarnings("ignore")
def test_a_defect_of_the_mock_is_told_as_the_500_it_becomes(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> bytes:
        raise ZeroDivisionError

    monkeypatch.setattr(endpoint, "make_picture", broken)
    with pytest.raises(ZeroDivisionError):
        client.edit(**good())
    told = newest(client)
    assert (told["status"], told["error"]["name"], told["charged"]) == (500, "ZeroDivisionError", False)


def test_a_long_prompt_is_kept_to_its_last_character_and_a_flood_is_not(client: Client) -> None:
    long = "ä" * 32_768
    client.edit(**good(prompt=long))
    assert newest(client)["prompt"] == long
    client.edit(**good(prompt="x" * 1_000_000, strange="y" * 1_000_000))
    told = newest(client)
    assert max(len(told["prompt"]), len(told["request"]["fields"]["strange"])) <= 40_000


# --- pictures ----------------------------------------------------------------------------------------------------


def test_both_pictures_are_there_and_small_ones_of_them(client: Client) -> None:
    picture = scene_png(640, 320)
    reply = client.edit(image=b64(picture), prompt="make it warm", aspect_ratio="1:1")
    place = f"{REQUESTS}/req-000001"
    sent, made = client.get(place + "/input"), client.get(place + "/output")
    assert (sent.body, sent.headers["content-type"]) == (picture, "image/png")
    assert (made.body, made.headers["content-type"]) == (reply.body, reply.headers["content-type"])
    for query, size in (("?of=input", (160, 80)), ("?of=output", (160, 160)), ("", (160, 160))):
        small = client.get(place + "/thumbnail" + query)
        image = Image.open(io.BytesIO(small.body))
        assert (image.format, small.headers["content-type"]) == ("JPEG", "image/jpeg")
        assert max(image.size) == 160
        assert query != "?of=input" or image.width > image.height
        assert query == "?of=input" or image.size == size


def test_the_small_pictures_of_the_fast_engine_are_made_when_they_are_asked_for(
    make_client: MakeClient,
) -> None:
    client = make_client(engine="fast")
    client.edit(**good())
    before = journal(client)["bytes"]
    for which in ("input", "output"):
        small = client.get(f"{REQUESTS}/req-000001/thumbnail?of={which}")
        assert Image.open(io.BytesIO(small.body)).size == (160, 160)
    assert journal(client)["bytes"] > before  # they are counted


def test_a_small_picture_is_like_the_large_one(client: Client) -> None:
    client.edit(**good(prompt="make it blue"))
    large = Image.open(io.BytesIO(client.get(f"{REQUESTS}/req-000001/output").body))
    small = Image.open(io.BytesIO(client.get(f"{REQUESTS}/req-000001/thumbnail").body))
    one, two = (image.convert("RGB").resize((1, 1), Image.Resampling.BOX) for image in (large, small))
    assert all(abs(a - b) < 12 for a, b in zip(one.tobytes(), two.tobytes(), strict=True))


@pytest.mark.parametrize("kind", ["input", "output", "thumbnail"])
def test_no_browser_runs_what_a_client_sent(client: Client, kind: str) -> None:
    client.edit(**good())
    headers = client.get(f"{REQUESTS}/req-000001/{kind}").headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"] == "default-src 'none'; sandbox"


def test_a_page_that_is_sent_as_a_picture_is_told_as_mere_bytes(client: Client) -> None:
    page = b"<html><script>alert(1)</script></html>"
    client.form([("prompt", "x"), ("image", page)])
    sent = client.get(f"{REQUESTS}/req-000001/input")
    assert (sent.body, sent.headers["content-type"]) == (page, "application/octet-stream")


@pytest.mark.parametrize("path", ["/req-000009", "/req-000009/input", "/x/output", "/req-000001/thumbnail"])
def test_what_is_not_there_is_a_404_with_a_sentence(client: Client, path: str) -> None:
    client.get("/api/v1/models")
    assert "request" in refused(client.get(REQUESTS + path), 404)


# --- asking for some of them -------------------------------------------------------------------------------------


@pytest.fixture
def mixed(client: Client) -> Client:
    """Five requests: 200, 400, 404, 200 of another model, 401."""
    client.edit(**good())
    client.edit(**good(resolution="9K"))
    client.edit(**good(model="no-such-model"))
    client.edit(**good(model="flux-2-max-edit"))
    client.edit(key="mock_invalid_key", **good())
    assert [entry["status"] for entry in entries(client)] == [401, 200, 404, 400, 200]
    return client


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", [5, 4, 3, 2, 1]),
        ("?status=200", [4, 1]),
        ("?status=4xx", [5, 3, 2]),
        ("?status=5XX", []),
        ("?model=qwen-edit", [2, 1]),
        ("?model=no-such-model", [3]),
        ("?rule=EDIT-MOD-005", [3]),
        ("?since=req-000003", [5, 4]),
        ("?since=req-000005", []),
        ("?limit=2", [5, 4]),
        ("?status=4xx&since=req-000002&limit=1", [5]),
    ],
)
def test_the_list_can_be_narrowed(mixed: Client, query: str, found: list[int]) -> None:
    assert ids(mixed, query) == [f"req-{number:06d}" for number in found]


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("?state=200", "there is no filter 'state'"),
        ("?status=abc", "status is a number"),
        ("?status=9xx", "status is a number"),
        ("?limit=0", "limit is a whole number from 1 to 1000"),
        ("?limit=1001", "limit is"),
        ("?since=yesterday", "since is the id of a request"),
    ],
)
def test_a_filter_that_cannot_be_understood_is_a_400_with_a_sentence(
    client: Client, query: str, sentence: str
) -> None:
    assert sentence in refused(client.get(REQUESTS + query))


# --- clearing, and whose it is -----------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["DELETE", "reset"])
def test_the_journal_can_be_emptied_and_its_ids_go_on(mixed: Client, by: str) -> None:
    if by == "DELETE":
        assert control(mixed, "DELETE", REQUESTS).json == {"cleared": 5}
    else:
        assert control(mixed, "POST", RESET, only=["journal"]).json == {"reset": ["journal"]}
    told = journal(mixed)
    assert (told["requests"], told["kept"], told["bytes"], told["dropped"]) == ([], 0, 0, 0)
    mixed.get("/api/v1/models")
    assert ids(mixed) == ["req-000006"]


def test_a_request_is_found_by_its_own_id_or_by_the_one_it_was_told(client: Client) -> None:
    for name in ("mine-1", "mine-2"):
        client.edit(headers={"X-Request-Id": name}, **good())
    told = client.edit(**good()).headers["x-mock-request-id"]
    (entry,) = entries(client, "?request_id=mine-2")
    assert (entry["id"], entry["request_id"]) == ("req-000002", "mine-2")
    assert entry["request"]["headers"]["x-request-id"] == "mine-2"
    assert ids(client, f"?request_id={told}") == ["req-000003"]
    assert ids(client, "?request_id=nobodys") == []
    assert ask(client, {"request_id": "mine-1"}, exactly=1).status == 200


def test_an_id_that_may_be_a_secret_is_not_shown(client: Client) -> None:
    client.edit(headers={"X-Request-Id": "sk-0123456789abcdef"}, **good())
    assert newest(client)["request"]["headers"]["x-request-id"] == "[hidden]"
    assert newest(client)["request_id"] != "sk-0123456789abcdef"


def test_a_session_has_a_journal_of_its_own(client: Client) -> None:
    one, two = opened(client, "one"), opened(client, "two", journal_bytes=0)
    one.edit(**good(prompt="of one"))
    two.edit(**good(prompt="of two"))
    client.edit(key="mock_ok__one", **good(prompt="by key"))
    client.edit(**good(prompt="of the default"))
    assert [entry["prompt"] for entry in entries(one)] == ["by key", "of one"]
    assert [entry["prompt"] for entry in entries(client)] == ["of the default"]
    assert entries(two) == []
    assert client.get(f"{REQUESTS}/req-000002/input").status == 404
    assert {entry["session"] for entry in entries(one)} == {"one"}
    control(one, "DELETE", REQUESTS)
    assert len(entries(client)) == 1


def test_the_journal_outlives_a_change_of_config_and_not_its_session(client: Client) -> None:
    one = opened(client, "one")
    one.edit(**good())
    control(one, "PATCH", "/__mock/config", seed=3)
    assert len(entries(one)) == 1
    kept = server_of(client).tenants.get("one").journal
    control(client, "DELETE", "/__mock/sessions/one")
    assert (len(kept), kept.bytes, kept.is_on) == (0, 0, False)


def test_without_a_journal_nothing_is_written_down_and_all_works(make_client: MakeClient) -> None:
    client = make_client(journal_bytes=0)
    assert client.edit(**good()).status == 200
    assert journal(client)["requests"] == []


@pytest.mark.parametrize("how", ["json", "form"])
def test_an_answer_is_the_same_with_and_without_a_journal(make_client: MakeClient, how: str) -> None:
    replies = []
    for size in (0, 64 << 20):
        # In a shared store no seed draws the ids of requests, which are told.
        client = make_client(Clock(), journal_bytes=size, seed=1, store=IN_PROCESS)
        parts: list[tuple[str, bytes | str]] = [("prompt", "make it warm"), ("image", SMALL)]
        replies.append(client.form(parts) if how == "form" else client.edit(**good()))
    assert replies[0] == replies[1]


# --- the curl line -----------------------------------------------------------------------------------------------


def test_the_curl_line_names_the_session_by_path_and_the_key_by_a_variable(client: Client) -> None:
    one = opened(client, "one")
    client.edit(key="a-key-of-somebody__one", **good(prompt='it\'s "warm"\n$HOME `id`'))
    line = newest(one)["curl"]
    assert "http://127.0.0.1:8402/__s/one/api/v1/image/edit" in line
    assert '"Authorization: Bearer $VENICE_API_KEY"' in line
    assert "somebody" not in line
    said = shlex.split(line)[3].partition(', "image"')[0] + "}"
    assert json.loads(said) == {"prompt": 'it\'s "warm"\n$HOME `id`'}


@pytest.mark.parametrize(
    "kind",
    [
        "json",
        "form",
        "refused",
        "no body",
        "get",
        "url",
        "json url",
        "text image",
        "data url",
        "broken",
        "empty",
    ],
)
def test_the_curl_line_repeats_the_request(tmp_path: Path, kind: str) -> None:
    tool("curl")
    prompt = 'it\'s "warm"\n$HOME `id` @x %s \\ ä'
    with running("--engine", "fast") as origin:
        picture = tmp_path / "in.png"
        picture.write_bytes(scene_png())
        (tmp_path / "body.json").write_bytes(good_body(prompt=prompt))
        (tmp_path / "bad.json").write_bytes(good_body(prompt=prompt, resolution="9K", safe_mode="yes"))
        small = base64.b64encode(picture.read_bytes())
        (tmp_path / "small.txt").write_bytes(small)
        (tmp_path / "data.txt").write_bytes(b"data:image/png;base64," + small)
        (tmp_path / "broken.json").write_text('{"prompt": "it\'s", "image": oops}\n', "utf-8")
        url = json.dumps({"prompt": "x", "image": f"{origin}/__mock/sample.png"})
        typed = ["-H", "Content-Type: application/json", "--data-binary"]
        sent = {
            "json url": [*typed, url],
            "text image": ["-F", "prompt=x", "-F", "image=<small.txt"],
            "data url": ["-F", "prompt=x", "-F", "image=<data.txt"],
            "broken": [*typed, "@broken.json"],
            "empty": [*typed, "{}"],
            "json": ["-H", "Content-Type: application/json", "--data-binary", "@body.json"],
            "refused": ["-H", "Content-Type: application/json", "--data-binary", "@bad.json"],
            "form": ["--form-string", f"prompt={prompt}", "-F", "image=@in.png", "-H", "X-Mock: seed=4"],
            "url": ["-F", "prompt=x", "-F", f"image={origin}/__mock/sample.png"],
            "no body": ["-X", "POST", "-H", "Content-Type: text/plain"],
            "get": [],
        }[kind]
        path = "/api/v1/models?type=inpaint" if kind == "get" else EDIT
        first = ["curl", "-sS", "-o", "first", origin + path, "-H", "Authorization: Bearer mock_ok", *sent]
        subprocess.run(first, check=True, cwd=tmp_path, timeout=60)
        told = json.loads(_curl(f"{origin}{REQUESTS}"))["requests"]
        assert len(told) == 1
        done = subprocess.run(
            ["sh", "-c", told[0]["curl"]], check=True, cwd=tmp_path, timeout=60, capture_output=True
        )
        again, before = json.loads(_curl(f"{origin}{REQUESTS}"))["requests"]
        for member in ("path", "status", "prompt", "model", "understood", "error", "cause", "cost_usd"):
            assert again[member] == before[member], member
        for member in ("fields", "text", "body"):
            assert again["request"][member] == before["request"][member], member
        if before["image"] is not None:
            assert again["fingerprint"] == before["fingerprint"]
            for member in ("sha256", "sent_as", "url"):
                assert again["image"][member] == before["image"][member], member
        if kind == "broken":
            assert before["request"]["text"] == '{"prompt": "it\'s", "image": oops}\n'
        if before["status"] == 200 and kind != "get":
            assert (tmp_path / "edited.png").read_bytes() == (tmp_path / "first").read_bytes()
        else:
            assert done.stdout.endswith((tmp_path / "first").read_bytes())


def _curl(url: str) -> bytes:
    return subprocess.run(["curl", "-sS", url], check=True, capture_output=True, timeout=30).stdout


def test_the_curl_line_of_a_dropped_picture_says_where_a_file_goes(client: Client) -> None:
    client.edit(**good())
    (story,) = server_of(client).session.journal
    assert story.input is not None
    story.input.data = None
    assert "IMAGE_FILE" in newest(client)["curl"]
    assert newest(client)["links"]["input"] is None


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        (b"prompt=hello", True),
        (b'{"api_key": "correct-horse", oops}', False),
        (b'{"prompt": Bearer correct-horse-battery-staple}', False),
        (b"\x89PNG\r\n", False),
        (b"\x89PNG", False),
        (b"a\x1b[31m", False),
        (b"[" * 4001, False),
    ],
)
def test_a_body_that_nobody_could_read_is_kept_if_it_is_short_text_without_a_secret(
    client: Client, body: bytes, kept: bool
) -> None:
    assert client.send(body).status == 400
    entry = newest(client)
    assert entry["request"]["text"] == (body.decode() if kept else None)
    assert ("BODY_FILE" in entry["curl"]) is not kept
    assert "correct-horse" not in json.dumps(entries(client))


def test_the_curl_line_of_a_body_that_was_refused_unread_has_none(client: Client) -> None:
    assert client.send(b"prompt=hello", content_type="text/plain").status == 415
    assert "--data" not in newest(client)["curl"]
    assert "-X POST" in newest(client)["curl"]


def test_a_shell_cannot_say_a_zero_byte(client: Client) -> None:
    client.form([("prompt", "a\0b"), ("image", SMALL)])
    assert newest(client)["curl"] is None


def test_links_lead_where_they_say(client: Client) -> None:
    one = opened(client, "one")
    one.edit(**good())
    for name, link in newest(one)["links"].items():
        assert link.startswith("http://127.0.0.1:8402/__s/one/__mock/requests/req-000001"), name
        assert client.get(link.removeprefix("http://127.0.0.1:8402")).status == 200, name
    assert (
        client.get(newest(under(client, "one"))["links"]["self"].removeprefix("http://127.0.0.1:8402")).json[
            "id"
        ]
        == "req-000001"
    )
