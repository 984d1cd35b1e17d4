"""The docs as a site: every page, the REST reference, nothing from another host."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from drf_spectacular.generators import SchemaGenerator

ROOT = Path(settings.BASE_DIR)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    env = os.environ | {
        "CUPADMIN_DATA_DIR": str(tmp_path_factory.mktemp("data")),
        "DJANGO_SETTINGS_MODULE": "cupadmin.settings",
        "NO_MKDOCS_2_WARNING": "1",
    }
    ended = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "-q", "-d", folder],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return folder


def test_every_page_is_in_the_site_and_found_by_its_search(site):
    pages = {path.stem for path in (ROOT / "docs").glob("*.md")} | {"index", "rest"}
    built = {path.stem for path in site.glob("*.html")} - {"404"}
    assert built == pages
    index = json.loads((site / "search" / "search_index.json").read_text())
    found = {entry["location"].partition(".html")[0] for entry in index["docs"]}
    assert pages - {"index"} <= found


def test_every_operation_of_rest_is_in_the_reference(site):
    text = (site / "rest.html").read_text()
    for path, operations in SchemaGenerator().get_schema(public=True)["paths"].items():
        for method in set(operations) & {"get", "post", "put", "patch", "delete"}:
            assert f"{method.upper()} {path.removeprefix('/api/v1/')}<" in text


def test_the_site_loads_nothing_from_elsewhere(site):
    loaded = re.compile(r'<(?:script|link|img)[^>]+(?:src|href)="https?://')
    assert [
        page.name for page in site.glob("*.html") if loaded.search(page.read_text())
    ] == []


def test_links_within_the_site_lead_somewhere(site):
    link = re.compile(r'(?:href|src)="([^":?#]+)(?:[?#][^"]*)?"')
    for page in site.glob("*.html"):
        if page.name == "404.html":
            continue
        for target in link.findall(page.read_text()):
            assert (site / target).exists(), (page.name, target)
