"""The inspector's page as bytes: who gets it, what its policy forbids, and that it keeps to it by itself."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

from asgi import Client, Reply
from conftest import MakeClient
from sessions import opened
from venice_mock.web.inspector import FOLDER, POLICY
from wallets import TOKEN, called, control

PAGE = "/__mock/"
STATIC = "/__mock/static/"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
FILES = sorted(path.name for path in FOLDER.iterdir())
TEXTS = {name: (FOLDER / name).read_text("utf-8") for name in FILES}
SCRIPTS = {name: text for name, text in TEXTS.items() if name.endswith(".js")}
MEDIA_TYPES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}


class Elements(HTMLParser):
    """Every start tag with its attributes, and the text in scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.inline: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1][0] in ("script", "style") and data.strip():
            self.inline.append(data)


INDEX = Elements(TEXTS["index.html"])


def is_page(reply: Reply) -> bool:
    return (reply.status, reply.body) == (200, (FOLDER / "index.html").read_bytes())


@pytest.mark.parametrize("prefix", ["", "/__s/t17"])
def test_a_browser_that_asks_for_the_control_plane_comes_to_the_page(client: Client, prefix: str) -> None:
    opened(client, "t17")
    sent_on = client.get(prefix + "/__mock", accept=BROWSER)
    assert (sent_on.status, sent_on.headers["location"]) == (307, prefix + PAGE)
    assert sent_on.headers["vary"] == "Accept"
    assert is_page(client.get(sent_on.headers["location"], accept=BROWSER))


@pytest.mark.parametrize("prefix", ["", "/__s/t17"])
def test_a_browser_at_the_root_comes_to_the_page(client: Client, prefix: str) -> None:
    opened(client, "t17")
    sent_on = client.get(prefix + "/", accept=BROWSER)
    assert (sent_on.status, sent_on.headers["location"]) == (307, prefix + PAGE)
    assert sent_on.headers["vary"] == "Accept"


def test_at_the_root_there_is_nothing_else(make_client: MakeClient) -> None:
    client = make_client()
    nothing = client.get("/nowhere").json
    for reply in (
        client.get("/"),
        client.get("/", accept="application/json"),
        client.send(path="/", headers={"Accept": BROWSER}),
        make_client(control=False).get("/", accept=BROWSER),
    ):
        assert (reply.status, reply.json) == (404, nothing)


def test_the_root_leads_nobody_to_a_page_that_is_closed_to_him(make_client: MakeClient) -> None:
    client = make_client()
    assert called(client, "evil.example").get("/", accept=BROWSER).status == 403
    assert client.get("/", accept=BROWSER, **{"sec-fetch-site": "cross-site"}).status == 403
    assert make_client(host="0.0.0.0").get("/", accept=BROWSER).status == 403


@pytest.mark.parametrize("accept", ["*/*", "application/json", "text/*", "application/xhtml+xml, */*", ""])
def test_whoever_does_not_ask_for_html_is_told_what_runs_here(client: Client, accept: str) -> None:
    about = client.get("/__mock", accept=accept).json
    assert about["mock"] == "venice-mock"
    assert about["links"]["inspector"] == PAGE


def test_the_page_of_a_session_that_is_not_there_is_not_there(client: Client) -> None:
    assert client.get("/__s/nobody/__mock/", accept=BROWSER).status == 404


@pytest.mark.parametrize("name", FILES)
def test_every_file_is_served_with_its_type_and_its_policy(client: Client, name: str) -> None:
    for path in [STATIC + name, *([PAGE] if name == "index.html" else [])]:
        reply = client.get(path)
        assert (reply.status, reply.body) == (200, (FOLDER / name).read_bytes())
        assert reply.headers["content-type"] == MEDIA_TYPES[name.rpartition(".")[2]]
        assert reply.headers["content-security-policy"] == POLICY
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert reply.headers["referrer-policy"] == "no-referrer"
        assert reply.headers["cross-origin-opener-policy"] == "same-origin"
        assert reply.headers["cross-origin-resource-policy"] == "same-origin"


def test_the_policy_lets_the_page_load_from_its_own_origin_only() -> None:
    said = dict(part.split(" ", 1) for part in POLICY.split("; "))
    assert said == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' blob: data:",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }


@pytest.mark.parametrize(
    "name", ["../app.py", "..%2fapp.py", "%2e%2e/app.py", "index.htm", ".", "", "INDEX.HTML", "index.html/"]
)
def test_no_other_file_can_be_had(client: Client, name: str) -> None:
    assert client.get(STATIC + name).status == 404


def test_nothing_stands_in_the_page_that_its_policy_would_not_run() -> None:
    assert INDEX.inline == []
    for tag, attributes in INDEX.tags:
        assert tag not in ("style", "base", "iframe", "object", "embed")
        assert not [name for name in attributes if name.startswith("on") or name == "style"], (
            tag,
            attributes,
        )
    assert not re.search(r"javascript:", TEXTS["index.html"], re.IGNORECASE)


@pytest.mark.parametrize("name", FILES)
def test_no_address_of_another_machine_is_in_any_file(name: str) -> None:
    found = re.findall(
        r"(?:https?:)?//[\w.-]+\.[a-z]{2,}[^\s\"'<>]*", re.sub(r"(?m)^\s*//.*$", "", TEXTS[name])
    )
    assert set(found) <= {"http://www.w3.org/2000/svg"}  # a name, not a place
    assert "@import" not in TEXTS[name]
    assert "url(" not in TEXTS[name]


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_put_text_into_the_page_as_text_only(name: str) -> None:
    for forbidden in (
        *(
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "Function(",
            "DOMParser",
        ),
        *("srcdoc", "createContextualFragment", "setHTML", "importScripts"),
    ):
        assert forbidden not in SCRIPTS[name], forbidden


def test_every_module_that_is_imported_is_there_and_every_file_is_used() -> None:
    linked = {
        (attributes.get("src") or attributes.get("href") or "").removeprefix("static/")
        for tag, attributes in INDEX.tags
        if tag in ("script", "link", "img")
    } - {""}
    imported = {name for text in SCRIPTS.values() for name in re.findall(r'from "\./([\w.]+)"', text)}
    assert linked | imported == set(FILES) - {"index.html"}


def test_every_element_that_the_scripts_name_is_in_the_page_and_no_name_is_there_twice() -> None:
    ids = [attributes["id"] for _, attributes in INDEX.tags if attributes.get("id")]
    assert len(ids) == len(set(ids))
    named = {name for text in SCRIPTS.values() for name in re.findall(r'\$\("([\w-]+)"\)', text)}
    assert named <= set(ids)
    assert len(named) > 30


def test_every_control_has_a_name_for_those_who_hear_the_page() -> None:
    ids = {attributes.get("id") for _, attributes in INDEX.tags}
    depth = 0
    for tag, attributes in INDEX.tags:
        depth = 1 if tag == "label" else 0 if tag in ("form", "fieldset", "div", "section", "ul") else depth
        if tag in ("input", "select", "textarea"):
            assert depth or attributes.get("aria-label"), attributes
        for name in ("aria-controls", "aria-labelledby"):
            if attributes.get(name):
                assert attributes[name] in ids
        if tag == "img":
            assert "alt" in attributes
        if attributes.get("role") == "tab":
            assert attributes["aria-selected"] in ("true", "false")


@pytest.mark.parametrize("path", [PAGE, STATIC + "inspector.js", "/__mock"])
def test_pages_of_strangers_and_rebound_names_do_not_get_it(client: Client, path: str) -> None:
    for reply in (
        called(client, "evil.example").get(path),
        client.get(path, origin="http://evil.example"),
        client.get(path, **{"sec-fetch-site": "cross-site"}),
    ):
        assert reply.status == 403
        assert not [name for name in reply.headers if name.startswith("access-control-")]


def test_where_a_token_is_wanted_the_page_comes_without_and_asks_for_it(make_client: MakeClient) -> None:
    client = make_client(control_token=TOKEN)
    assert is_page(client.get(PAGE))
    assert client.get("/__mock", accept=BROWSER).headers["location"] == PAGE
    assert client.get("/__mock").status == client.get("/__mock/requests").status == 403
    assert TOKEN not in "".join(TEXTS.values())


def test_where_there_is_no_control_plane_there_is_no_page(make_client: MakeClient) -> None:
    assert make_client(host="0.0.0.0").get(PAGE).status == 403
    assert make_client(control=False).get(PAGE).status == 404
    assert make_client(control=False).get("/__mock", accept=BROWSER).status == 404


def test_two_hosts_are_one_too_many(client: Client) -> None:
    assert client.get(PAGE, host="localhost").status == 400  # beside the one that every request here has


def test_choices_are_what_rules_take(client: Client) -> None:
    choices = client.get("/__mock/choices").json
    assert [model["name"] for model in choices["models"] if model["default"]] == ["qwen-edit"]
    for kind, names in (("error", choices["errors"]), ("fault", choices["faults"])):
        assert names
        for each in names:
            made = control(client, "POST", "/__mock/rules", then={kind: each["name"]}, times=1)
            assert made.status == 201, made.body
    assert {"rate_limited", "content_violation"} <= {error["name"] for error in choices["errors"]}
    assert {"mock_ok", "mock_flaky_N"} <= {key["name"] for key in choices["keys"]}


def test_choices_know_the_default_model_of_their_session(client: Client) -> None:
    session = opened(client, "t18", default_model="firered-image-edit")
    models = session.get("/__mock/choices").json["models"]
    assert [model["name"] for model in models if model["default"]] == ["firered-image-edit"]


def test_every_press_of_the_page_is_a_rule_that_is_taken(client: Client) -> None:
    orders = re.findall(r"(\{ (?:error|fault|latency): [^}]+\})\]", SCRIPTS["rules.js"])
    assert len(orders) == 12
    for order in orders:
        then = {
            name: int(value) if value.isdecimal() else value.strip('"')
            for name, value in re.findall(r'(\w+): ("[^"]+"|\d+)', order)
        }
        assert control(client, "POST", "/__mock/rules", then=then, times=1).status == 201, then


def test_the_documentation_shows_the_page_in_a_file_that_is_quickly_loaded() -> None:
    picture = Path(__file__).parents[2] / "docs" / "inspector.png"
    with Image.open(picture) as image:
        assert image.size == (1280, 900)
    assert picture.stat().st_size < 200_000
