"""The docs as pages of the console."""

import re

import pytest
from django.urls import reverse

from ui import help as chapters
from ui.templatetags.ui import TERMS, term


@pytest.fixture
def vera(viewer, client_of):
    return client_of(viewer)


@pytest.mark.parametrize("name", chapters.chapters())
def test_links_of_a_chapter_lead_somewhere(vera, name):
    html = vera.get(reverse("help_chapter", args=[name])).context["html"]
    links = re.findall(r'href="([^"#]+)', html)
    inside = [link for link in links if "://" not in link]
    known = {reverse("help_chapter", args=[one]) for one in chapters.chapters()}
    assert set(inside) <= known | {reverse("help")}
    assert html.startswith("<h1")


@pytest.mark.parametrize("name", chapters.chapters())
def test_every_number_of_a_list_is_an_item(name):
    paragraphs = re.findall("<p>(.*?)</p>", chapters.html_of(name), re.DOTALL)
    assert not [text for text in paragraphs if re.search(r"(?m)^\d+\. ", text)]


def test_the_index_names_every_chapter(vera):
    text = vera.get(reverse("help")).content.decode()
    assert all(
        reverse("help_chapter", args=[one]) in text for one in chapters.chapters()
    )


def test_there_is_no_other_chapter(vera):
    assert vera.get(reverse("help_chapter", args=["secrets"])).status_code == 404


@pytest.mark.parametrize(
    ("page", "chapter"),
    [
        ("home", "problems"),
        ("clusters:clusters", "first-cluster"),
        ("mesh:matrix", "mesh"),
        ("diagnostics:troubleshooter", "troubleshooter"),
        ("jobs:find", "operations"),
        ("docs", "automation"),
        ("mfa_index", "security"),
    ],
)
def test_each_page_links_to_its_chapter(vera, page, chapter):
    text = vera.get(reverse(page)).content.decode()
    assert f'class="help" href="{reverse("help_chapter", args=[chapter])}"' in text


def test_every_room_has_a_chapter_that_exists():
    assert set(chapters.CHAPTERS.values()) <= set(chapters.chapters())


@pytest.mark.parametrize("name", TERMS)
def test_a_term_can_be_focused_and_says_what_it_means(name):
    html = term(name)
    assert 'tabindex="0"' in html and TERMS[name].split("'")[0] in html
