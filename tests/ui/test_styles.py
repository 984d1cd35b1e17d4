"""The stylesheets style what the pages have, and nothing else."""

import re

import pytest
from django.conf import settings

# Made up as pages are drawn: columns that are hidden, icons by their name.
DRAWN = re.compile(r"hide-\d+|icon-\w+|htmx-\w+")
# The class that Django gives a list of errors.
LIBRARIES = {"errorlist"}
SHEETS = ["base.css", "form.css", "panel.css", "print.css", "table.css"]


@pytest.fixture(scope="module")
def words():
    """All that could name a class: of templates, of scripts, and of joined HTML."""
    root = settings.BASE_DIR
    files = [
        *root.glob("templates/**/*.html"),
        *root.glob("static/js/*.js"),
        *(path for path in root.glob("*/**/*.py") if "tests" not in path.parts),
    ]
    texts = (path.read_text() for path in files if ".venv" not in str(path))
    return set(re.findall(r"[\w-]+", " ".join(texts)))


@pytest.mark.parametrize("sheet", SHEETS)
def test_every_class_of_a_stylesheet_is_on_a_page(words, sheet):
    text = (settings.BASE_DIR / "static/css" / sheet).read_text()
    selectors = re.sub(r"\{[^{}]*\}|/\*.*?\*/", " ", text, flags=re.S)
    classes = set(re.findall(r"\.([a-z][\w-]*)", selectors)) - LIBRARIES
    assert {name for name in classes - words if not DRAWN.fullmatch(name)} == set()
