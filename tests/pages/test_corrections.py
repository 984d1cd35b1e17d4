"""Words that an administrator corrects in a file of the data directory."""

import pytest
from django.core.checks import run_checks

from clusters.checks import PAGE_WORDS
from pages import IconOutcome, PageCode, corrections, words
from tests.pages.site import KEY
from tests.pages.test_pages import entries, refused, save


def forget():
    for cached in (words.words, words.spelling, words.languages):
        cached.cache_clear()


@pytest.fixture
def correct(tmp_path):
    def to(text):
        path = tmp_path / "pages.toml"
        path.write_text(text)
        corrections.take_corrections(path)
        forget()

    yield to
    corrections.take_corrections(tmp_path / "none")
    forget()


def test_a_further_word_of_the_menu_leads_on(site, correct):
    site.faults = {"menu"}
    assert refused(site, entries).code is PageCode.MENU
    correct('[menu]\ninter_clustering = ["Links"]')
    assert site.visit(entries) == []


def test_a_further_label_and_button_are_found(site, correct):
    site.address_label, site.save_word = "Remote Thing", "Apply Now"
    assert refused(site, save()).code is PageCode.LABEL
    correct('[labels]\naddress = ["Remote thing *"]\n[buttons]\nsave = ["apply now"]')
    site.visit(save())
    assert [row["address"] for row in site.rows.values()] == ["10.1.1.1"]
    assert site.saves == 1


def test_the_built_in_words_stay(site, correct):
    correct('[labels]\naddress = ["Remote Thing"]')
    site.visit(save())
    assert site.saves == 1


def test_a_further_column_is_read(site, correct):
    site.outcome_head = "Verdict"
    assert site.visit(lambda pages: pages.tests()) == []
    correct('[columns]\noutcome = ["Verdict"]')
    assert len(site.visit(lambda pages: pages.tests())) == 2


def test_a_further_word_of_the_key_gives_icons_their_meaning(
    site, correct, monkeypatch
):
    site.tests = [("Verify the peers.", "/img/g.gif", "")]
    monkeypatch.setattr("tests.pages.site.KEY", [("/img/g.gif", "All right"), *KEY[1:]])
    (row,) = site.visit(lambda pages: pages.tests())
    assert row.outcome is IconOutcome.UNKNOWN
    correct('[outcomes]\npassed = ["all right"]')
    (row,) = site.visit(lambda pages: pages.tests())
    assert row.outcome is IconOutcome.PASSED


def test_a_word_can_be_taken_out(correct):
    assert words.contains_message("Only on the publisher node.", "publisher")
    without = '"publisher node", "On the publisher", "only on the publisher"'
    correct(f"[without.messages]\npublisher = [{without}]")
    assert not words.contains_message("Only on the publisher node.", "publisher")
    assert words.contains_message("This is not the publisher.", "publisher")


def test_an_added_word_comes_first(correct):
    correct('[buttons]\nsave = ["Apply"]\n[messages]\nlocked = ["Account  Is OFF"]')
    assert words.words("buttons", "save") == ("apply", "save")
    assert words.contains_message("your ACCOUNT is off", "locked")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[labels", "TOML"),
        ('labels = "x"', ": labels "),
        ("[labels]\naddress = 'x'", ": labels.address "),
        ("[labels]\nadress = ['x']", ": labels.adress "),
        ("[lables]\naddress = ['x']", ": lables "),
        ("[buttons]\nsave = [' * ']", ": buttons.save: "),
        ("[outcomes]\npassed = ['o']", ": outcomes.passed: "),
        ("[messages]\nerror = ['no']", ": messages.error: "),
        (
            "[without.menu]\npresence = ['presence']",
            ": menu.presence ",
        ),
        ("[without.menus]\npresence = []", ": without.menus "),
        ("#" * 100_001, " 100,000 bytes"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_at_start(settings, tmp_path, text, said):
    settings.DATA_DIR = tmp_path
    path = tmp_path / PAGE_WORDS
    assert run_checks() == []
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(ValueError, match="pages.toml"):
        corrections.take_corrections(path)
    assert corrections.page_words()["buttons"]["save"] == ["Save"]
    (error,) = [one for one in run_checks() if one.id == "clusters.E001"]
    assert said in error.msg
