"""What every page must hold: balanced tags, nothing fetched, no script, an alt text per picture."""

import re
from html.parser import HTMLParser

VOID = {"meta", "link", "img", "br", "hr", "input", "circle", "line", "rect", "polyline"}


class Page(HTMLParser):
    """Collects the text, the tags and the first imbalance of a page."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.wrong: list[str] = []
        self.feed(html)
        self.close()
        self.wrong += [f"<{tag}> is never closed" for tag in self.open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        if not self.open or self.open[-1] != tag:
            self.wrong.append(f"</{tag}> closes {self.open[-1:]}, line {self.getpos()[0]}")
        if tag in self.open:
            while self.open.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def images(self) -> list[dict[str, str | None]]:
        return [attrs for tag, attrs in self.tags if tag == "img"]


def check_page(html: str) -> Page:
    """Asserts that `html` is well formed and needs nothing but itself; returns it parsed."""
    page = Page(html)
    assert page.wrong == []
    assert html.startswith("<!doctype html>")
    assert len(html.encode()) < 2_000_000
    named = {tag for tag, _ in page.tags}
    assert not named & {"script", "iframe", "object", "embed", "base", "form"}
    assert {"title", "main", "h1", "footer"} <= named
    for tag, attrs in page.tags:
        for name, given in attrs.items():
            assert not name.startswith("on"), (tag, name)
            if name in {"src", "href", "srcset", "poster", "data", "action", "xlink:href"}:
                assert (given or "").startswith("data:"), (tag, name, given)
    assert not re.search(r"url\(|@import|https?://", html)
    assert any(t == "meta" and a.get("name") == "viewport" for t, a in page.tags)
    assert all(image.get("alt") and str(image["src"]).startswith("data:image/") for image in page.images())
    for word in ("nan", "None", "NaN", "Infinity", "Undefined"):
        assert not re.search(rf"\b{word}\b", page.text), word
    for _, attrs in page.tags:
        for given in attrs.values():
            assert not re.search(r"\b(nan|None|inf)\b", (given or "")[:400]), attrs
    return page
