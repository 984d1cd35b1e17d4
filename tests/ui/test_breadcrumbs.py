"""Breadcrumbs name the way to a page; its heading names the page."""

import re
from pathlib import Path

from ui.menus import ITEMS

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
BLOCK = re.compile(r"{% block breadcrumb %}(.*?){% endblock breadcrumb %}")


def test_each_crumb_is_a_menu_or_a_link():
    menus = {title for _, title, *_ in ITEMS}
    crumbs = [
        (path.name, crumb)
        for path in TEMPLATES.rglob("*.html")
        for block in BLOCK.findall(path.read_text())
        for crumb in re.findall("<li[^>]*>(.*?)</li>", block)
    ]
    assert crumbs
    assert not [one for one in crumbs if one[1] not in menus and "<a " not in one[1]]
