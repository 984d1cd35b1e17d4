"""The docs as pages of the console, so that help is there without the internet.

The texts are the project's own, so their HTML is trusted.
"""

import re
from functools import cache
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from markdown import Markdown

EXTENSIONS = ["tables", "fenced_code", "toc", "sane_lists"]
# Which chapter is about the pages of a room, or of one page of it.
CHAPTERS = {
    "": "problems",
    "docs": "automation",
    "processes": "operations",
    "account": "security",
    "accounts": "security",
    "clusters": "first-cluster",
    "clusters:peer_table": "first-cluster",
    "diagnostics": "troubleshooter",
    "directory": "directory",
    "exchange": "certificates",
    "history": "history",
    "jobs": "operations",
    "mesh": "mesh",
    "mfa": "security",
    "notifications": "notifications",
    "overview": "problems",
    "peers": "mesh",
    "peers:add_peer": "rules",
    "peers:edit_peer": "rules",
    "peers:force_sync": "pages",
    "proof": "presence-proof",
    "services": "operations",
    "sizing": "sizing",
}
FIRST = "first-cluster"
LINK = re.compile(r'href="([^"#:]*)\.md(#[^"]*)?"')
OUTSIDE = re.compile(r'<a href="(?:\.\./|examples/)([^"]*)">(.*?)</a>', re.DOTALL)
# The console shows these pages itself.
PICTURE = re.compile(r"<p><img [^>]*></p>\n?")
TITLE = re.compile(r"^# (.+)$", re.MULTILINE)


def folder() -> Path:
    return Path(settings.BASE_DIR) / "docs"


@cache
def chapters() -> dict[str, str]:
    """The chapters by their names, with their titles; where to begin comes first."""
    found = {
        path.stem: TITLE.search(path.read_text()) for path in folder().glob("*.md")
    }
    titles = {name: title[1] for name, title in found.items() if title}
    order = sorted(titles, key=lambda name: (name != FIRST, titles[name]))
    return {name: titles[name] for name in order}


@cache
def html_of(name: str) -> SafeString:
    """A chapter, whose links lead to other chapters where they can."""
    text = (folder() / f"{name}.md").read_text()
    html = Markdown(extensions=EXTENSIONS).convert(text)
    html = html.replace("<table>", '<div class="table-wrap"><table class="table">')
    html = html.replace("</table>", "</table></div>")
    html = PICTURE.sub("", html)
    html = OUTSIDE.sub(r"\2 (<code>\1</code>)", html)
    return mark_safe(LINK.sub(inside, html))  # noqa: S308 - the project's own


def inside(found: re.Match[str]) -> str:
    name, anchor = found[1], found[2] or ""
    if name not in chapters():
        return f'href="{reverse("help")}"'
    return f'href="{reverse("help_chapter", args=[name])}{anchor}"'


def url_for(request: HttpRequest) -> str:
    """The chapter about the page that is requested."""
    match = request.resolver_match
    name = match.view_name if match else ""
    # The pages of the library of sign-in have names like mfa_index.
    room = name.partition(":" if ":" in name else "_")[0]
    chapter = CHAPTERS.get(name) or CHAPTERS.get(room, CHAPTERS[""])
    return reverse("help_chapter", args=[chapter])
