"""Reads a report page as a browser would, and says what in it could act. For tests of reports."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

from venice_contract.reports.page import source_hash

VOID = frozenset({"meta", "br", "img", "input"})
_ADDRESSES = frozenset(
    {"src", "href", "action", "formaction", "data", "poster", "srcset", "background", "ping"}
)


@dataclass
class Page(HTMLParser):
    """The elements of a page: names, attributes, texts of styles and scripts, and all that is shown."""

    elements: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    sources: dict[str, list[str]] = field(default_factory=lambda: {"style": [], "script": []})
    shown: list[str] = field(default_factory=list)
    open: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, text: str) -> Page:
        """Parse a whole page. Fails where its elements are not properly nested."""
        page = cls()
        HTMLParser.__init__(page, convert_charrefs=True)
        page.feed(text)
        page.close()
        assert page.open == [], page.open
        return page

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), (tag, names)
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in self.sources:
            self.sources[self.open[-1]].append(data)
        else:
            self.shown.append(data)

    def named(self, tag: str) -> list[dict[str, str]]:
        """The attributes of all elements of this name."""
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def shapes(self) -> set[tuple[str, tuple[str, ...]]]:
        """Every kind of element: its name and the names of its attributes."""
        return {(tag, tuple(sorted(attributes))) for tag, attributes in self.elements}

    @property
    def text(self) -> str:
        """All that is shown."""
        return "".join(self.shown)

    @property
    def policy(self) -> dict[str, str]:
        """The Content-Security-Policy: directive -> sources."""
        meta = next(m for m in self.named("meta") if m.get("http-equiv") == "Content-Security-Policy")
        pairs = [directive.strip().partition(" ") for directive in meta["content"].split(";")]
        return {name: sources for name, _, sources in pairs}


def assert_harmless(page: Page) -> None:
    """Nothing is fetched, and only the page's own style and script may act."""
    assert page.policy == {
        "default-src": "'none'",
        "img-src": "data:",
        "style-src": f"'{source_hash(page.sources['style'][0])}'",
        "script-src": f"'{source_hash(page.sources['script'][0])}'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    assert len(page.sources["style"]) == len(page.sources["script"]) == 1
    assert "url(" not in page.sources["style"][0]
    assert "@import" not in page.sources["style"][0]
    for tag, attributes in page.elements:
        assert tag not in {"iframe", "object", "embed", "link", "base", "template"}, tag
        for name, value in attributes.items():
            assert not name.startswith("on"), (tag, name)
            assert name != "style", tag
            if name in _ADDRESSES:
                assert re.match(r"#|data:image/webp;base64,", value), (tag, name, value)
    assert [attributes for attributes in page.named("script") if attributes] == []
