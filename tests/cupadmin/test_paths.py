"""Files that the text of the project names are there, and no component is left over."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
COMPONENTS = sorted(ROOT.glob("templates/components/*.html"))


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md"])
def test_modules_that_a_document_names_exist(document: str):
    named = set(re.findall(r"`([a-z_/]+/[a-z_]+\.py)`", (ROOT / document).read_text()))
    assert [path for path in sorted(named) if not (ROOT / path).is_file()] == []


def test_every_component_is_used():
    packages = (file.parent for file in ROOT.glob("*/__init__.py"))
    sources = [*(ROOT / "templates").rglob("*.html")]
    sources += [file for package in packages for file in package.rglob("*.py")]
    text = "".join(file.read_text() for file in sources if "tests" not in file.parts)
    assert [c.name for c in COMPONENTS if f"components/{c.name}" not in text] == []
