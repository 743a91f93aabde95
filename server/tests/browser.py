"""A headless Chromium that the tests look through, driven over its DevTools protocol. No tests."""

from __future__ import annotations

import base64
import json
import queue
import re
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from websockets.sync.client import connect
from websockets.sync.connection import Connection

from tools import tool

FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--mute-audio"),
    *(
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-extensions",
    ),
    # One renderer and no process of its own for the GPU: most of a test is otherwise spent starting those.
    *(
        "--in-process-gpu",
        "--disable-software-rasterizer",
        "--renderer-process-limit=1",
        "--disable-site-isolation-trials",
    ),
    "--disable-features=BackForwardCache,IsolateOrigins,site-per-process,SpareRendererForSitePerProcess",
    *("--disable-dev-shm-usage", "--hide-scrollbars", "--lang=en-GB", "--remote-debugging-port=0"),
)
PATIENCE_S = 30.0
_KEYS = {"ArrowDown": 40, "ArrowUp": 38, "Home": 36, "End": 35, "Enter": 13, "Escape": 27}
_IN_PAGE = """new Promise((done, failed) => {
  const last = performance.now() + %d;
  const look = () => {
    let found;
    try { found = (%s); } catch (error) { found = false; }
    if (found) done(found);
    else if (performance.now() > last) failed(new Error("it did not come true"));
    else setTimeout(look, 20);
  };
  look();
})"""


class PageError(AssertionError):
    """A script in the page raised."""


class Left(AssertionError):
    """The page went elsewhere while a script ran."""


@dataclass
class Page:
    """One tab. ``problems``: whatever the console told as an error or a warning, and what was raised in the page.

    ``asked``: the address of every request that it made.
    """

    link: Connection
    problems: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    _number: int = 0

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """One command of the protocol, and its result."""
        self._number += 1
        self.link.send(json.dumps({"id": self._number, "method": method, "params": params}))
        while True:
            said: dict[str, Any] = json.loads(self.link.recv(timeout=PATIENCE_S + 10))
            if said.get("id") == self._number:
                if "navigated" in said.get("error", {}).get("message", ""):
                    raise Left(method)
                assert "error" not in said, (method, said)
                result: dict[str, Any] = said["result"]
                return result
            self._notice(said.get("method", ""), said.get("params", {}))

    def run(self, script: str) -> Any:
        """The value of an expression in the page; a promise is waited for."""
        said = self.call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True, userGesture=True
        )
        if "exceptionDetails" in said:
            raise PageError(f"{script[:300]}: {json.dumps(said['exceptionDetails'])[:600]}")
        return said["result"].get("value")

    def until(self, condition: str) -> Any:
        """Wait in the page until the expression is true, and its value."""
        while True:
            try:
                return self.run(_IN_PAGE % (PATIENCE_S * 1000, condition))
            except Left:  # then it is to come true in the next page
                continue

    def open(self, url: str) -> None:
        """Go to an address, and begin to collect problems anew."""
        self.problems.clear()
        self.asked.clear()
        self.call("Page.navigate", url=url)  # answered once the new page is there, so far as it came
        self.until("document.readyState === 'complete'")

    def text(self, selector: str) -> str:
        """The text of the first element that fits."""
        return str(self.until(f"document.querySelector({json.dumps(selector)})?.textContent"))

    def click(self, selector: str) -> None:
        """Click with the mouse, in the middle of what is seen of the element."""
        found = json.dumps(selector)
        self.until(f"document.querySelector({found})?.getClientRects().length")
        self.run(f"document.querySelector({found}).scrollIntoView({{block: 'center'}})")
        x, y = self.run(
            f"(() => {{ const box = document.querySelector({found}).getBoundingClientRect();"
            " return [box.x + box.width / 2, box.y + box.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def press(self, key: str) -> None:
        """Press a key: a name, or one character."""
        code = _KEYS.get(key, ord(key.upper()[0]))
        text = {"text": "\r"} if key == "Enter" else {"text": key} if len(key) == 1 else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, windowsVirtualKeyCode=code, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, windowsVirtualKeyCode=code)

    def type(self, selector: str, text: str) -> None:
        """Write into a field, in place of what is there."""
        self.click(selector)
        self.run(f"document.querySelector({json.dumps(selector)}).select()")
        self.call("Input.insertText", text=text)

    def choose(self, selector: str, value: str) -> None:
        """Choose an option of a select."""
        found = json.dumps(selector)
        self.run(
            f"(() => {{ const box = document.querySelector({found}); box.value = {json.dumps(value)};"
            " box.dispatchEvent(new Event('change', {bubbles: true})); })()"
        )

    def look(self, width: int, height: int, *, dark: bool = False) -> None:
        """The size of the window, and whether the system is dark. A narrow one is a phone's."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        still = {"name": "prefers-reduced-motion", "value": "reduce"}
        self.call("Emulation.setEmulatedMedia", features=[scheme, still])

    def picture(self, path: Path) -> Path:
        """Write what is seen as PNG, once it is painted."""
        self.run("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))
        return path

    def _notice(self, event: str, said: dict[str, Any]) -> None:
        if event == "Network.requestWillBeSent":
            self.asked.append(said["request"]["url"])
        elif event == "Runtime.exceptionThrown":
            self.problems.append(json.dumps(said["exceptionDetails"])[:1000])
        elif event == "Log.entryAdded" and said["entry"]["level"] in ("error", "warning"):
            self.problems.append(said["entry"]["text"] + " " + said["entry"].get("url", ""))
        elif event == "Runtime.consoleAPICalled" and said["type"] in ("error", "warning", "assert"):
            self.problems.append(json.dumps(said["args"])[:1000])


@contextmanager
def browsing(profile: Path) -> Iterator[Page]:
    """A browser of its own with one tab. Skips, or fails in CI, where there is no Chromium."""
    command = [tool("chromium"), *FLAGS, f"--user-data-dir={profile}", "about:blank"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        places: queue.Queue[str] = queue.Queue()
        reader = threading.Thread(target=_read, args=(process.stderr, places), daemon=True)
        reader.start()
        try:
            place = places.get(timeout=PATIENCE_S)
            with urllib.request.urlopen(f"http://{place}/json/list", timeout=PATIENCE_S) as answer:
                tabs = [each for each in json.load(answer) if each["type"] == "page"]
            with connect(tabs[0]["webSocketDebuggerUrl"], max_size=None) as link:
                page = Page(link)
                for domain in ("Page", "Runtime", "Log", "Network"):
                    page.call(f"{domain}.enable")
                page.look(1280, 800)
                yield page
        finally:
            process.terminate()
            process.wait(PATIENCE_S)
            reader.join(PATIENCE_S)


def _read(lines: IO[str], places: queue.Queue[str]) -> None:
    for line in lines:
        match = re.search(r"DevTools listening on ws://([^/]+)/", line)
        if match:
            places.put(match[1])
