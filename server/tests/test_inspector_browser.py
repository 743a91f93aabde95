"""The inspector in a real browser: what a user sees and does there, and what a hostile request cannot do."""

from __future__ import annotations

import itertools
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageStat

from browser import Page, browsing
from inspecting import Inspected, send, session_of
from live import running
from tools import tool
from wallets import TOKEN

NUMBERS = itertools.count(1)
SCENE = [320, 240]
CHOSEN = "#list li[aria-selected='true']"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with browsing(tmp_path_factory.mktemp("profile")) as page:
        yield page


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    with running("--engine", "fast") as found:
        yield found


@pytest.fixture
def unseen(browser: Page, origin: str) -> Inspected:
    """A session of its own, whose page is not open yet."""
    browser.look(1280, 800)
    return session_of(browser, origin, f"look-{next(NUMBERS)}")


@pytest.fixture
def seen(unseen: Inspected) -> Inspected:
    """A session of its own, its page open and listening."""
    unseen.open()
    return unseen


def test_an_empty_session_says_how_to_begin(seen: Inspected) -> None:
    assert seen.page.text(".welcome h2") == "Nothing has come yet"
    assert seen.base + "/api/v1/image/edit" in seen.page.text(".welcome code")
    seen.clean()


def test_a_live_edit_appears_with_both_pictures(seen: Inspected) -> None:
    answer = seen.edit("make it a sunset", aspect_ratio="16:9")
    seen.shown(1)
    assert answer.status == 200
    assert "make it a sunset" in seen.page.text(CHOSEN)
    assert seen.page.text("#detail .prompt") == "make it a sunset"
    sent, back = seen.sizes()
    assert sent == SCENE
    assert back[0] * 9 == pytest.approx(back[1] * 16, rel=0.02)
    understood = seen.page.text(".understood")
    for told in ("qwen-edit", "16:9", f"{back[0]} × {back[1]}", "png", "$0.04"):
        assert told in understood
    seen.clean()


def test_what_was_inferred_is_told_as_such(seen: Inspected) -> None:
    seen.edit()
    seen.shown(1)
    row = seen.page.run(
        "[...document.querySelectorAll('.understood tr')].find((row) => row.textContent.startsWith('aspect')).innerText"
    )
    assert "inferred from 320×240" in row
    assert "4:3" in row or "3:2" in row


def test_both_pictures_can_be_laid_over_each_other_and_seen_in_full_size(seen: Inspected) -> None:
    seen.edit()
    seen.sizes()
    seen.page.click(".pictures .chips button:nth-child(2)")
    over = "[...document.querySelectorAll('.slide img')]"
    seen.page.until(f"{over}.length === 2 && {over}.every((img) => img.naturalWidth)")
    seen.page.run("document.querySelector('.slide input').focus()")
    seen.page.press("End")
    seen.page.until("document.querySelector('.slide').style.getPropertyValue('--cut') === '100%'")
    seen.page.click(".pictures .chips button:nth-child(1)")
    seen.sizes()
    seen.page.click("figure:nth-child(2) .frame")
    seen.page.until(
        "document.querySelector('#large-dialog').open && document.querySelector('#large').naturalWidth"
    )
    seen.page.press("Escape")
    seen.page.until("!document.querySelector('#large-dialog').open")
    seen.clean()


def test_a_refusal_shows_its_rule_with_text_and_source(seen: Inspected) -> None:
    assert seen.edit(key="mock_insufficient_balance").status == 402
    seen.shown(1)
    rules = {rule["id"]: rule for rule in seen.control("GET", "contract.json")["rules"]}
    rule = rules[seen.page.text(".rule-id")]
    assert rule["id"] == "EDIT-PAY-001"
    assert seen.page.text(".rule-text") == rule["text"].replace("`", "")
    assert seen.page.text(".source cite") == rule["source"]
    assert "402" in seen.page.text("#detail .pill")
    assert "Injected by the key mock_insufficient_balance" in seen.page.text(".why")
    assert "Insufficient USD or Diem balance" in seen.page.text(".why pre")
    assert seen.sizes() == [SCENE]
    seen.clean()


def test_the_curl_line_of_the_page_repeats_the_request(seen: Inspected, tmp_path: Path) -> None:
    tool("curl")
    prompt = 'it\'s "quoted", $HOME and `date`; \\ and\nanother line'
    answer = seen.edit(prompt, aspect_ratio="1:1", model="qwen-edit")
    assert answer.status == 200
    seen.shown(1)
    line = seen.page.text("#curl")
    done = subprocess.run(
        ["sh", "-c", line], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "edited.png").read_bytes() == answer.body
    seen.shown(2)
    assert seen.page.text("#detail .prompt") == prompt
    assert seen.page.text("#detail .id") == "req-000002"
    seen.clean()


def test_copy_puts_the_line_on_the_clipboard(seen: Inspected) -> None:
    seen.edit()
    seen.shown(1)
    allowed = {"origin": seen.base.partition("/__s/")[0]}
    seen.page.call("Emulation.setFocusEmulationEnabled", enabled=True)
    seen.page.call(
        "Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"], **allowed
    )
    seen.page.click("section[aria-label='Repeat it'] button")
    seen.page.until(
        "document.querySelector(\"section[aria-label='Repeat it'] button\").textContent === 'Copied'"
    )
    assert seen.page.run("navigator.clipboard.readText()") == seen.page.text("#curl")


def test_one_press_makes_the_next_edit_fail_and_the_one_after_it_works(seen: Inspected) -> None:
    seen.page.click("#tab-rules")
    seen.page.click("#quick .tile")
    assert "Any edit → 429 rate_limited, Retry-After 60" in seen.page.text("#rule-list li")
    assert seen.page.text("#rule-count") == "1"
    refused = seen.edit()
    assert (refused.status, refused.headers["retry-after"]) == (429, "60")
    seen.page.until("document.querySelector('#rule-list').textContent.includes('used up (1 of 1)')")
    assert seen.edit().status == 200
    seen.page.click("#tab-requests")
    seen.shown(2)
    seen.page.click("#row-req-000001")
    assert "Injected by the rule rule-1: 429 rate_limited, Retry-After 60" in seen.page.text(".why")
    seen.clean()


def test_a_rule_of_ones_own_takes_effect_where_it_fits_until_it_is_deleted(seen: Inspected) -> None:
    seen.page.click("#tab-rules")
    seen.page.type("#rule-form [name='prompt_contains']", "balloon")
    seen.page.choose("#rule-form [name='model']", "qwen-edit")
    seen.page.choose("#rule-form [name='what']", "fault:charge_then_504")
    seen.page.type("#rule-form [name='times']", "")
    seen.page.click("#rule-form [type='submit']")
    assert "Edits for qwen-edit with balloon in the prompt → charge_then_504" in seen.page.text(
        "#rule-list li"
    )
    assert [rule["times"] for rule in seen.control("GET", "rules")["rules"]] == [None]
    assert seen.edit("a red Balloon").status == 504
    assert seen.edit("a red boat").status == 200
    seen.page.click("#rule-list li .button")
    seen.page.until("document.querySelector('#rule-list').textContent.startsWith('None')")
    assert seen.edit("a red Balloon").status == 200
    seen.clean()


def test_a_rule_that_cannot_be_is_refused_in_words(seen: Inspected) -> None:
    seen.page.click("#tab-rules")
    seen.page.choose("#rule-form [name='what']", "latency")
    seen.page.type("#rule-form [name='more']", "a while")
    seen.page.click("#rule-form [type='submit']")
    assert "Rule:" in seen.page.text(".toast.bad")
    assert seen.control("GET", "rules")["rules"] == []


def test_an_answer_that_was_charged_and_lost_says_so_and_shows_what_was_made(seen: Inspected) -> None:
    seen.control("PATCH", "config", engine="paint")
    seen.control("POST", "rules", then={"fault": "charge_then_504"}, times=1)
    assert seen.edit("add a red balloon").status == 504
    seen.shown(1)
    assert seen.page.text(".why h3") == "Charged, answer lost"
    assert "charged all the same: $0.04" in seen.page.text(".why")
    assert seen.page.text("figure:nth-child(2) figcaption b") == "Made, never came"
    sent, made = seen.sizes()
    assert sent == SCENE
    assert min(made) > 50
    for width in (1280, 390):
        seen.page.look(width, 844)
        price, badge = (seen.box(f"{CHOSEN} {part}") for part in (".price", ".tag.charged"))
        assert seen.page.text(f"{CHOSEN} .price") == "$0.04"
        assert max(price.right, badge.right) <= seen.box(f"{CHOSEN} .thumb").left
        assert seen.box(f"{CHOSEN} .title").right <= min(price.left, badge.left)
    assert seen.page.run("document.querySelector('#account-count').hidden")
    seen.clean()


def test_every_fault_of_a_request_is_told_not_the_first_alone(seen: Inspected) -> None:
    assert seen.edit(aspect_ratio="7:77", foo="1").status == 400
    seen.shown(1)
    faults = seen.page.run("[...document.querySelectorAll('.faults li')].map((each) => each.textContent)")
    assert len(faults) == 2
    assert "aspect_ratio" in faults[0]
    assert "'foo'" in faults[1]
    assert "2 faults: aspect_ratio, foo" in seen.page.text(CHOSEN)
    seen.clean()


def test_what_is_repeated_is_the_request_that_was_made(seen: Inspected) -> None:
    picture = seen.base.partition("/__s/")[0] + "/__mock/sample.png"
    by_url = json.dumps({"prompt": "by URL", "image": picture})
    typed = {"Content-Type": "application/json", "Authorization": "Bearer mock_ok"}
    for body, kind in (('{"prompt": oops}', {}), ("prompt=x", {"Content-Type": "text/plain"}), (by_url, {})):
        send(f"{seen.base}/api/v1/image/edit", body.encode(), {**typed, **kind})
    seen.shown(3)
    assert f"--data-binary '{by_url}'" in seen.page.text("#curl")
    seen.page.click("#row-req-000002")
    assert "Refused before its body was read" in seen.page.text("section[aria-label='Repeat it']")
    assert "--data" not in seen.page.text("#curl")
    seen.page.click("#row-req-000001")
    assert """--data-binary '{"prompt": oops}'""" in seen.page.text("#curl")
    assert seen.page.text(".raw pre") == '{"prompt": oops}'
    seen.clean()


def test_the_tabs_count_what_is_behind_them(seen: Inspected) -> None:
    counts = "['rule', 'account', 'advice'].map((name) => document.querySelector(`#${name}-count`))"
    assert seen.page.run(f"{counts}.every((count) => count.hidden)")
    seen.control("POST", "rules", then={"fault": "charge_then_504"}, times=1)
    assert [seen.edit().status, seen.edit().status] == [504, 200]
    seen.page.until(f"{counts}.slice(1).every((count) => !count.hidden && count.textContent === '1')")
    red, calm = (
        seen.page.run(f"getComputedStyle(document.querySelector('#{name}-count')).backgroundColor")
        for name in ("account", "advice")
    )
    assert red != calm
    assert seen.page.text("#sum") == "2 requests · $0.08"
    seen.page.click("#kinds [data-kind='injected']")
    seen.shown(1)
    assert seen.page.text("#sum") == "1 of 2 requests · $0.08"
    seen.page.click("#kinds [data-kind='']")
    seen.page.click("#reset-menu summary")
    seen.page.click("#reset-form [type='submit']")
    seen.page.until(f"{counts}.every((count) => count.hidden)")


def test_who_pays_twice_sees_it_among_the_accounts(seen: Inspected) -> None:
    seen.control("POST", "rules", then={"fault": "charge_then_504"}, times=1)
    assert [seen.edit().status, seen.edit().status] == [504, 200]
    seen.page.click("#tab-accounts")
    assert seen.page.text(".verdict h2") == "Paid twice: $0.04 too much"
    assert "mock_okactive$99.92$0.08" in seen.page.text("#account-list tbody tr")
    assert seen.page.run("document.querySelectorAll('#ledger tbody tr').length") == 2
    seen.page.type("#ledger input", "5.5")
    seen.page.press("Enter")
    seen.page.until("document.querySelector('#account-list').textContent.includes('$5.50')")
    assert seen.control("GET", "accounts/mock_ok")["balance_usd"] == "5.500000"
    seen.page.click(".verdict .link")
    seen.page.until("document.querySelector('#detail .id').textContent === 'req-000001'")
    seen.clean()


def test_an_account_can_be_opened_by_its_key_which_the_page_does_not_keep(seen: Inspected) -> None:
    seen.page.click("#tab-accounts")
    seen.page.type("#account-form [name='key']", "a key that nobody may see".replace(" ", "-"))
    seen.page.type("#account-form [name='balance']", "3")
    seen.page.press("Enter")
    seen.page.until("document.querySelector('#account-list').textContent.includes('$3.00')")
    assert "nobody-may-see" not in seen.page.run("document.documentElement.outerHTML")
    assert seen.page.run("document.querySelector(\"#account-form [name='key']\").value") == ""


def test_the_clock_is_moved_stopped_and_put_back(seen: Inspected) -> None:
    seen.page.click("#clock-menu summary")
    seen.page.click("[data-advance='3600']")
    assert seen.page.text("#clock-state") != ""
    seen.page.until("document.querySelector('#clock-state').textContent === '+1 h'")
    assert seen.control("GET", "clock")["offset_s"] == 3600
    seen.page.click("#clock-freeze")
    seen.page.until("document.querySelector('#clock-state').textContent === 'stopped'")
    assert seen.control("GET", "clock")["frozen_at"] is not None
    seen.page.click("#clock-wall")
    seen.page.until("document.querySelector('#clock-state').hidden")
    assert seen.control("GET", "clock")["offset_s"] == 0
    seen.clean()


def test_reset_takes_what_was_chosen(seen: Inspected) -> None:
    seen.control("POST", "rules", then={"latency": "1ms"})
    seen.edit()
    seen.shown(1)
    seen.page.click("#reset-menu summary")
    seen.page.click("#reset-form [name='rules']")
    seen.page.click("#reset-form [type='submit']")
    seen.shown(0)
    assert seen.page.text(".welcome h2")
    assert seen.control("GET", "requests")["kept"] == 0
    assert len(seen.control("GET", "rules")["rules"]) == 1
    seen.edit()
    seen.shown(1)
    seen.clean()


def test_another_session_is_opened_and_visited(seen: Inspected) -> None:
    seen.edit()
    name = f"beside-{next(NUMBERS)}"
    seen.page.click("#session-menu summary")
    seen.page.type("#session-new", name)
    seen.page.click("#session-form button")
    seen.page.until(f"location.pathname === '/__s/{name}/__mock/' && document.readyState === 'complete'")
    seen.page.until(f"document.querySelector('#session-name').textContent === '{name}'")
    assert seen.page.run("document.querySelectorAll('#list li').length") == 0
    seen.page.click("#session-menu summary")
    links = "[...document.querySelectorAll('#sessions a')]"
    here = seen.url.removeprefix(seen.base.partition("/__s/")[0])
    seen.page.until(f"{links}.some((link) => link.getAttribute('href') === {json.dumps(here)})")
    seen.page.click(f"#sessions a[href='{here}']")
    seen.page.until(f"location.pathname === {json.dumps(here)}")
    seen.shown(1)


def test_an_edit_is_made_from_the_page_itself(seen: Inspected) -> None:
    seen.page.click("#try")
    seen.page.type("#try-form textarea", "make it a pencil sketch")
    seen.page.choose("#try-form [name='aspect_ratio']", "1:1")
    seen.page.click("#try-form [type='submit']")
    seen.shown(1)
    sent, back = seen.sizes()
    assert sent == [1024, 768]
    assert back[0] == back[1]
    assert seen.page.text("#detail .prompt") == "make it a pencil sketch"
    seen.clean()


def test_the_keyboard_is_enough(seen: Inspected) -> None:
    for prompt in ("the first", "the second", "the third"):
        seen.edit(prompt)
    seen.shown(3)
    seen.page.run("document.activeElement.blur()")
    seen.page.press("Escape")
    assert seen.page.run("document.activeElement.id") == "list"
    for key, prompt in (
        ("ArrowDown", "the second"),
        ("ArrowDown", "the first"),
        ("ArrowDown", "the first"),
        ("ArrowUp", "the second"),
        ("Home", "the third"),
        ("End", "the first"),
    ):
        seen.page.press(key)
        assert seen.page.text("#detail .prompt") == prompt
        active = seen.page.run("document.querySelector('#list').getAttribute('aria-activedescendant')")
        assert prompt in seen.page.text(f"#{active}[aria-selected='true']")
    outline = seen.page.run("getComputedStyle(document.querySelector('#list')).outlineStyle")
    assert outline == "solid"
    seen.page.press("Enter")
    assert seen.page.run("document.activeElement.id") == "detail"
    seen.page.press("/")
    assert seen.page.run("document.activeElement.id") == "search"
    seen.page.call("Input.insertText", text="second")
    seen.shown(1)
    seen.page.press("Escape")
    seen.page.press("2")
    seen.page.until("!document.querySelector('#rules').hidden")
    assert seen.page.run("document.querySelector('#tab-rules').getAttribute('aria-selected')") == "true"
    seen.clean()


def test_who_looks_at_an_older_request_is_not_torn_away_by_a_new_one(seen: Inspected) -> None:
    seen.edit("the first")
    seen.edit("the second")
    seen.shown(2)
    seen.page.click("#row-req-000001")
    assert seen.page.text("#detail .prompt") == "the first"
    seen.edit("the third")
    seen.shown(3)
    assert seen.page.text("#detail .prompt") == "the first"
    seen.page.press("Home")
    seen.edit("the fourth")
    seen.shown(4)
    seen.page.until("document.querySelector('#detail .prompt').textContent === 'the fourth'")


HOSTILE = (
    "<script>window.hurt=1</script><img src=x onerror='window.hurt=1'>",
    "</h2></article><svg onload=window.hurt=1><a href='javascript:window.hurt=1'>x</a>",
    "&lt;b&gt; ${window.hurt=1} {{hurt}} \u202egnihton\u202c \u0007\x1b[31m",
    "https://evil.example/x.png",
    "w" * 32_768,
    "\n" * 3000 + "end",
    "🏳️‍🌈" * 2000,
)


def test_a_hostile_prompt_is_text_and_nothing_else(seen: Inspected) -> None:
    for prompt in HOSTILE:
        seen.edit(prompt, model="qwen-edit", key="mock_ok")
    seen.shown(len(HOSTILE))
    for width in (1280, 390):
        seen.page.look(width, 800)
        for count, prompt in enumerate(HOSTILE, 1):
            seen.page.click(f"#row-req-{count:06d}")
            told = seen.page.until(
                f"document.querySelector('#detail .id')?.textContent === 'req-{count:06d}'"
                " && document.querySelector('#detail .prompt').textContent"
            )
            assert told == prompt
            assert seen.page.run("document.documentElement.scrollWidth") <= width
            assert seen.page.run("document.querySelector('#detail').scrollWidth <= document.body.clientWidth")
            if width == 390:
                seen.page.click(".back")
                seen.page.until("!document.body.classList.contains('in-detail')")
    strange = "#detail :is(script, svg, iframe, a[href^='javascript']), #list :is(script, svg, a)"
    assert seen.page.run(f'document.querySelectorAll("{strange}").length') == 0
    assert seen.page.run("window.hurt === undefined")
    seen.clean()


def test_hostile_names_files_and_rules_are_text_too(seen: Inspected) -> None:
    bad = '"><img src=x onerror=window.hurt=1>'
    seen.edit(
        bad, model=bad, aspect_ratio=bad, image=b"<svg xmlns='http://www.w3.org/2000/svg' onload='hurt=1'/>"
    )
    seen.edit("fine", key="mock_<svg/onload=window.hurt=1>", seed=bad)
    seen.control("POST", "rules", match={"prompt_contains": bad}, then={"latency": "1ms"})
    seen.shown(2)
    for row in ("#row-req-000002", "#row-req-000001"):
        seen.page.click(row)
        seen.page.until(
            f"document.querySelector('#detail .id').textContent === '{row.removeprefix('#row-')}'"
        )
    assert seen.page.text(".understood").count(bad) == 2
    for tab in ("rules", "accounts", "advice"):
        seen.page.click(f"#tab-{tab}")
        seen.page.until(f"!document.querySelector('#{tab}').hidden")
    assert bad in seen.page.text("#rule-list")
    assert seen.page.run("document.querySelectorAll('img[onerror], svg').length") == 0
    assert seen.page.run("window.hurt === undefined")
    seen.clean()


def test_a_spoilt_answer_is_told_as_such(seen: Inspected) -> None:
    keys = ("mock_reset", "mock_cut", "mock_corrupt", "mock_wrong_media_type")
    for count, key in enumerate(keys, 1):
        seen.edit("a boat", key=key)
        seen.shown(count)
        seen.page.until(f"document.querySelector('#detail .id').textContent === 'req-{count:06d}'")
        why = seen.page.text(".why")
        assert why.startswith("Charged, answer lost" if key == "mock_reset" else "Charged, answer spoilt")
        assert f"Fault: {key.removeprefix('mock_')}" in why
        assert f"Injected by the key {key}" in why
        assert "charged all the same: $0.04" in why
        assert seen.page.text(f"{CHOSEN} .tag.charged") == "charged"
    seen.clean()


def test_without_a_stream_the_page_asks_again_and_again(unseen: Inspected) -> None:
    unseen.page.call("Network.setBlockedURLs", urls=["*/__mock/events"])
    try:
        unseen.page.open(unseen.url)
        unseen.page.until("document.querySelector('#live').dataset.state === 'asking'")
        unseen.edit("told without a stream")
        unseen.shown(1)
        assert unseen.page.text("#detail .prompt") == "told without a stream"
    finally:
        unseen.page.call("Network.setBlockedURLs", urls=[])
    unseen.page.until("document.querySelector('#live').dataset.state === 'live'")


def test_a_session_that_ends_says_so(seen: Inspected) -> None:
    name = seen.base.rpartition("/")[2]
    seen.control("DELETE", f"sessions/{name}")
    seen.page.until("document.querySelector('#live').dataset.state === 'ended'")


def test_the_colours_follow_the_system_until_the_user_chooses(seen: Inspected) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    light = seen.page.run(ground)
    seen.page.look(1280, 800, dark=True)
    dark = seen.page.run(ground)
    assert light != dark
    seen.page.click("#theme")
    assert seen.page.run(ground) == light
    seen.page.open(seen.url)
    assert seen.page.run(ground) == light  # it is remembered
    seen.page.click("#theme")
    assert seen.page.run(ground) == dark
    seen.page.click("#theme")
    assert seen.page.run("document.documentElement.dataset.theme") == "auto"


def test_pictures_of_the_page_by_day_by_night_and_on_a_phone(seen: Inspected, tmp_path: Path) -> None:
    for prompt, key in (
        ("make it a sunset", "mock_ok"),
        ("make it winter", "mock_offline"),
        ("a boat", "mock_ok"),
    ):
        seen.edit(prompt, key=key)
    seen.shown(3)
    seen.sizes()
    brightness = {}
    for name, width, height, dark in (
        ("light", 1280, 800, False),
        ("dark", 1280, 800, True),
        ("phone", 390, 844, False),
        ("phone-dark", 390, 844, True),
    ):
        seen.page.look(width, height, dark=dark)
        path = seen.page.picture(tmp_path / f"inspector-{name}.png")
        with Image.open(path) as image:
            assert image.size == (width, height)
            brightness[name] = ImageStat.Stat(image.convert("L")).mean[0]
        assert seen.page.run("document.documentElement.scrollWidth") <= width
    assert brightness["dark"] < 90 < 160 < brightness["light"]
    assert brightness["phone-dark"] < 90 < 160 < brightness["phone"]


def test_on_a_phone_everything_is_within_reach(unseen: Inspected) -> None:
    unseen.page.look(390, 844)
    unseen.control("PUT", "clock", frozen_at="2026-09-01T12:00:00Z")
    unseen.control("POST", "rules", then={"fault": "charge_then_504"}, times=1)
    unseen.open()
    unseen.edit(key="mock_insufficient_balance")
    unseen.edit(key="mock_balance_50")
    unseen.edit(key="mock_balance_50")
    unseen.shown(3)
    unseen.page.until(
        "['account', 'advice'].every((each) => !document.querySelector(`#${each}-count`).hidden)"
    )
    for tab in ("requests", "rules", "accounts", "advice"):
        unseen.page.click(f"#tab-{tab}")
        unseen.page.until(f"!document.querySelector('#{tab}').hidden")
        assert unseen.page.run("document.documentElement.scrollWidth") == 390
        for name in ("requests", "rules", "accounts", "advice"):
            box = unseen.box(f"#tab-{name}")
            assert (box.left >= 0, box.right <= 390, box.height >= 40) == (True, True, True)
    assert unseen.box("#theme").right <= 390


def test_on_a_phone_tables_are_cards_of_which_nothing_is_hidden_at_the_side(seen: Inspected) -> None:
    seen.page.look(390, 844)
    seen.edit(key="mock_insufficient_balance")
    seen.edit()
    seen.page.click("#tab-accounts")
    seen.page.until("document.querySelectorAll('.money').length === 2")
    cells = "[...document.querySelectorAll('.money :is(td, tbody th)')]"
    assert seen.page.run(f"{cells}.length") == 2 * 6 + 5
    assert seen.page.run(
        f"{cells}.every((cell) => cell.getClientRects().length && cell.scrollWidth <= cell.clientWidth"
        " && cell.getBoundingClientRect().right <= 390)"
    )
    label = "getComputedStyle(document.querySelector('.money td[data-column=balance]'), '::before').content"
    assert seen.page.run(label) == '"balance"'


def test_list_and_request_stand_beside_each_other_at_any_width(unseen: Inspected) -> None:
    unseen.control("PUT", "clock", frozen_at="2026-09-01T12:00:00Z")
    unseen.control("POST", "rules", then={"fault": "charge_then_504"}, times=1)
    unseen.open()
    unseen.edit("make it " + "very " * 60 + "cold", model="nano-banana-pro-edit")
    unseen.shown(1)
    for width in (861, 1000, 1180, 1600):
        unseen.page.look(width, 700)
        edge = unseen.box("#detail").left
        for inner in ("#search", "#try", "#kinds", "#sum", "#list li", "#list .charged"):
            assert unseen.box(inner).right <= edge, (width, inner)
        assert unseen.page.run("document.documentElement.scrollWidth") <= width
        assert unseen.box("#theme").right <= width


def test_on_a_phone_a_request_is_a_page_of_its_own_and_back_leads_back(seen: Inspected) -> None:
    seen.page.look(390, 844)
    seen.edit("seen on a phone")
    seen.shown(1)
    seen.page.click("#list li")
    seen.page.until("document.querySelector('#detail').getClientRects().length")
    assert not seen.page.run("document.querySelector('#list').getClientRects().length")
    seen.page.run("history.back()")
    seen.page.until("document.querySelector('#list').getClientRects().length")
    seen.page.open(seen.url + "#req-000001")  # whoever was sent a link has no list behind it
    seen.page.click(".back")
    seen.page.until("document.querySelector('#list').getClientRects().length")


def test_with_a_token_the_page_asks_for_it_and_then_shows_everything(browser: Page) -> None:
    browser.look(1280, 800)
    with running("--engine", "fast", "--control-token", TOKEN) as origin:
        seen = session_of(browser, origin, "guarded", TOKEN)
        browser.open(seen.url)
        for word in ("a wrong one", TOKEN):
            browser.until("document.querySelector('#token-dialog').open")
            browser.type("#token-form input", word)
            browser.press("Enter")
        browser.until("document.querySelector('#live').dataset.state === 'live'")
        seen.edit()
        seen.shown(1)
        assert seen.sizes()[0] == SCENE
        assert browser.run("document.querySelector('#list img').src.startsWith('blob:')")
        assert TOKEN not in browser.run("document.documentElement.outerHTML")
        assert "$VENICE_MOCK_CONTROL_TOKEN" in browser.text("#curl")
        assert [url for url in browser.asked if TOKEN in url] == []
        browser.open(seen.url)
        browser.until("document.querySelector('#live').dataset.state === 'live'")  # the tab remembers it
        seen.clean()


def test_hundreds_of_requests_do_not_weigh_on_the_page(seen: Inspected) -> None:
    seen.page.run(
        "fetch(location.pathname.replace('__mock/', 'api/v1/models')).then((answer) => answer.text())"
    )
    seen.page.run(
        "(async () => { const path = location.pathname.replace('__mock/', 'api/v1/nothing');"
        " for (let round = 0; round < 27; round++)"
        " await Promise.all(Array.from({length: 20}, () => fetch(path, {method: 'POST'}).then((a) => a.text()))); })()"
    )
    seen.page.until("document.querySelectorAll('#list li').length === 500")
    assert seen.control("GET", "requests")["kept"] == 541
