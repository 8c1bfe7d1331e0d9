"""A page as a test reads it: its parts by what they are, and whether the HTML is well-formed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

INLINE = {"a", "b", "code", "del", "ins", "kbd", "span", "strong", "time", "em"}
VOID = {"br", "hr", "img", "input", "link", "meta", "wbr"}


@dataclass
class Element:
    """An element with its attributes, the *text* within it (that of its children too) and the children."""

    tag: str
    attrs: dict[str, str]
    text: str = ""
    children: list[Element] = field(default_factory=list)

    def all(self, *tags: str) -> list[Element]:
        """Return every element within that has one of *tags*, in order."""
        found = []
        for each in self.children:
            found += [each] if each.tag in tags or not tags else []
            found += each.all(*tags)
        return found

    def words(self) -> str:
        """Return the text on one line."""
        return re.sub(r"\s+", " ", self.text).strip()


class Page(HTMLParser):
    """Reads *html* strictly: what is opened is closed, in order; `faults` are where it is not."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.root = Element("", {})
        self.faults: list[str] = []
        self._open = [self.root]
        self.feed(html)
        self.close()
        self.faults += [f"<{each.tag}> is never closed" for each in self._open[1:]]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if len(dict(attrs)) != len(attrs):
            self.faults.append(f"<{tag}> has an attribute twice")
        if tag not in INLINE:
            self.handle_data(" ")
        element = Element(tag, {name: value or "" for name, value in attrs})
        self._open[-1].children.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open[-1].children.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if self._open[-1].tag != tag:
            self.faults.append(f"</{tag}> closes <{self._open[-1].tag}> at {self.getpos()}")
            return
        self._open.pop()

    def handle_data(self, data: str) -> None:
        if re.search(r"&(?:lt|gt|amp|quot);", data):
            self.faults.append(f"{data!r} was escaped twice")
        for each in self._open:
            each.text += data

    def all(self, *tags: str) -> list[Element]:
        """See `Element.all`."""
        return self.root.all(*tags)

    def one(self, tag: str) -> Element:
        """Return the only *tag* of the page."""
        (found,) = self.all(tag)
        return found

    def words(self) -> str:
        """Return everything that is written in the main part, on one line."""
        return self.one("main").words()

    def links(self) -> dict[str, str]:
        """Return the addresses of all links, by what they are called; of two of one name the first."""
        found: dict[str, str] = {}
        for each in self.all("a"):
            found.setdefault(each.words(), each.attrs["href"])
        return found

    def table(self, caption: str) -> list[dict[str, str]]:
        """Return the rows of the table whose caption begins so: what stands in each column, by its heading."""
        (found,) = [each for each in self.all("table") if each.all("caption")[0].words().startswith(caption)]
        head, *_ = found.all("thead")
        names = [each.words() for each in head.all("th")]
        (body,) = found.all("tbody")
        return [
            dict(zip(names, (cell.words() for cell in row.all("th", "td")), strict=False)) for row in body.all("tr")
        ]
