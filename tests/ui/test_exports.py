"""Every list as a file: the filters of its page, and a heading for each column."""

import csv
import io

import pytest
from django.test import Client
from django.urls import reverse

from accounts.roles import Role
from jobs.models import Job
from services.models import Service
from tests.conftest import make_clusters, person
from tests.security import world

LISTS = {
    "clusters:clusters": ("?q=alpha", "name", {"alpha"}),
    "jobs:find": ("?state=needs_attention", "object", {"alpha", "beta"}),
    "services:grid": ("?node=alpha", "cluster", {"alpha"}),
    "services:agents": ("?node=beta", "node", {"beta-pub.example.com"}),
    "directory:comparisons": ("?outcome=passed", "Home cluster", {"alpha", "beta"}),
    "overview:problems": ("?severity=failed", "code", {"peer_address"}),
    "diagnostics:troubleshooter": ("", "clusters", {"alpha", "beta"}),
    "accounts:users": ("?q=ad", "username", {"ada"}),
    "directory:leftovers": ("", "Shown by", set()),
}


@pytest.fixture
def ada(db, settings, tmp_path):
    settings.DATA_DIR = tmp_path
    make = make_clusters()
    for word in ("alpha", "beta"):
        world.make_world(word, make(word))
    client = Client()
    client.force_login(person("ada", Role.ADMINISTRATOR))
    return client


def rows(answer):
    assert answer["Content-Type"].startswith("text/csv")
    text = b"".join(answer.streaming_content).decode().removeprefix("\ufeff")
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize("name", LISTS)
def test_file_has_what_the_filters_leave(ada, name):
    query, column, values = LISTS[name]
    joint = "&" if query else "?"
    found = rows(ada.get(f"{reverse(name)}{query}{joint}format=csv"))
    assert values <= {row[column] for row in found} if values else found == []
    if name in ("clusters:clusters", "services:grid", "services:agents"):
        assert {row[column] for row in found} == values


@pytest.mark.parametrize("name", [name for name in LISTS if "leftovers" not in name])
def test_page_links_to_its_file_with_its_filters(ada, name):
    query = LISTS[name][0]
    joint = "&" if query else "?"
    text = ada.get(f"{reverse(name)}{query}{joint}page=1").content.decode()
    link = query.replace("&", "&amp;") + ("&amp;" if query else "?") + "format=csv"
    assert link in text


def test_cells_are_no_formulas(ada):
    Job.objects.filter(state="needs_attention").update(error="=1+1")
    Service.objects.update(reason="@x")
    jobs = rows(ada.get(f"{reverse('jobs:find')}?format=csv"))
    assert "'=1+1" in {row["error"] for row in jobs}
