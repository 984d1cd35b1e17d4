"""A page as it was received: parsed HTML of a hostile sender, with its frames."""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urljoin

from lxml import etree, html

from pages.errors import PageCode, PagesError
from wire import Code, WireError
from wire.errors import clean_text

Element = etree._Element

MOST_BYTES = 4 * 1024 * 1024
MOST_ELEMENTS = 200_000
MOST_FRAMES = 8
MOST_SCRIPT = 300_000
_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?([\w.:-]{1,40})", re.I)
_HEADER_CHARSET = re.compile(r"charset\s*=\s*\"?([\w.:-]{1,40})", re.I)
_ALERT = re.compile(r"(?:window\.)?alert\(\s*(['\"])(.{0,500}?)\1\s*\)")
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.I)
_BLANK = re.compile(r"[\s\u00a0\u200b]+")
_DROPPED = ("script", "style", "template")


@dataclass
class Part:
    """The page itself, or one of its frames."""

    target: str
    root: Element
    charset: str = "utf-8"
    alerts: tuple[str, ...] = ()
    scripts: str = ""
    sources: tuple[str, ...] = ()
    # As it was received, and whether its scripts can be run.
    source: bytes = field(default=b"", repr=False)
    runs_scripts: bool = False

    def elements(self, *tags: str) -> list[Element]:
        return [one for one in self.root.iter(*tags) if isinstance(one.tag, str)]

    def url(self, link: str) -> str:
        return urljoin(self.target, link)


@dataclass
class Page:
    """What a node answered: the page, then its frames."""

    node: str
    status: int
    parts: list[Part] = field(default_factory=list)

    @property
    def target(self) -> str:
        return self.parts[0].target

    @property
    def text(self) -> str:
        """All text of the page; pieces of different elements are kept apart."""
        pieces = (one for part in self.parts for one in part.root.itertext())
        return _BLANK.sub(" ", " ".join(map(str, pieces))).strip()

    @property
    def alerts(self) -> list[str]:
        return [text for part in self.parts for text in part.alerts]

    @property
    def language(self) -> str:
        return str(self.parts[0].root.get("lang") or "").lower()

    def elements(self, *tags: str) -> Iterator[tuple[Part, Element]]:
        for part in self.parts:
            for element in part.elements(*tags):
                yield part, element


def parse_page(body: bytes, content_type: str, target: str, node: str) -> Part:
    """Read a page; TOO_LARGE, INCOMPLETE and UNRECOGNISED are raised here."""
    charset = _charset(body, content_type)
    text = body.decode(charset, "replace").replace("\x00", "\ufffd")
    _check_complete(text, node)
    parser = html.HTMLParser(
        no_network=True,
        remove_comments=True,
        remove_pis=True,
        huge_tree=False,
        encoding="utf-8",
    )
    try:
        root = html.document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    except (etree.LxmlError, ValueError):
        raise PagesError(
            PageCode.UNRECOGNISED, node=node, detail="an empty or unreadable page"
        ) from None
    count = sum(1 for _ in root.iter())
    if count > MOST_ELEMENTS:
        raise WireError(Code.TOO_LARGE, node=node, detail=f"{count} elements")
    alerts = tuple(_alerts(root))
    scripts = "\n".join(one.text or "" for one in root.iter("script"))[:MOST_SCRIPT]
    sources = tuple(
        str(one.get("src")) for one in root.iter("script") if one.get("src")
    )
    etree.strip_elements(root, *_DROPPED, with_tail=False)
    return Part(target, root, charset, alerts, scripts, sources, text.encode())


def _charset(body: bytes, content_type: str) -> str:
    match = _HEADER_CHARSET.search(content_type)
    meta = _CHARSET.search(body[:4096])
    name = match[1] if match else meta[1].decode() if meta else ""
    try:
        found = codecs.lookup(name).name
    except LookupError:
        found = ""
    if found in ("iso8859-1", "ascii", "cp1252"):
        return "cp1252"
    if found in ("utf-8", "utf-16", "utf-16-le", "utf-16-be"):
        return found
    if found and not found.endswith("_codec") and found in _TEXT_CODECS:
        return found
    try:
        body.decode()
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


_TEXT_CODECS = frozenset(
    ("shift_jis", "euc_jp", "gb2312", "gbk", "gb18030", "big5", "euc_kr")
    + tuple(f"iso8859-{n}" for n in range(2, 17))
    + tuple(f"cp125{n}" for n in range(10))
)


def _check_complete(text: str, node: str) -> None:
    head = text[:4096].lower()
    tail = text[-4096:].lower()
    if ("<html" in head or "<body" in head) and not (
        "</html" in tail or "</body" in tail or "</frameset" in tail
    ):
        raise PagesError(PageCode.INCOMPLETE, node=node)


def _alerts(root: Element) -> Iterator[str]:
    """Give what the page would say in a dialog as soon as it is open."""
    for script in root.iter("script"):
        text = (script.text or "").strip()
        if text.startswith(("alert(", "window.alert(")):
            yield from (clean_text(found[2], 300) for found in _ALERT.finditer(text))
    for element in root.iter("body"):
        found = _ALERT.search(element.get("onload") or "")
        if found:
            yield clean_text(found[2], 300)


def text_of(element: Element) -> str:
    """Give the text as a person reads it, blanks made one."""
    return _BLANK.sub(" ", "".join(map(str, element.itertext()))).strip()


def short_of(element: Element, most: int = 200) -> str:
    """Give a short text; of a longer one nothing, which costs no more than the limit.

    A label, a heading or a word of a menu is short; a page of nested boxes is not.
    """
    pieces: list[str] = []
    length = 0
    for piece in map(str, element.itertext()):
        pieces.append(piece)
        length += len(piece.strip())
        if length > most or len(pieces) > most:
            return ""
    return _BLANK.sub(" ", "".join(pieces)).strip()


def own_text(element: Element) -> str:
    """Give the text of a control: its words, else what stands for an image."""
    return text_of(element) or next(
        (
            str(one.get(name))
            for one in element.iter("img", "input", "a", "button")
            for name in ("alt", "title")
            if one.get(name)
        ),
        "",
    )


def is_hidden(element: Element) -> bool:
    """Whether the page itself hides an element, or what it stands in."""
    at: Element | None = element
    while at is not None:
        if at.get("hidden") is not None or _HIDDEN.search(at.get("style") or ""):
            return True
        if at.tag == "dialog" and at.get("open") is None:
            return True
        at = at.getparent()
    return False


def ancestor_of(element: Element, *tags: str) -> Element | None:
    return next(iter(element.iterancestors(*tags)), None)
