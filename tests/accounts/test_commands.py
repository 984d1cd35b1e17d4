"""Users and tokens from the command line, by the rules of the pages."""

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import CommandError

from accounts.models import ApiToken

GOOD = "a long enough phrase"


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("nora", "short"),
        ("nora", "password1234"),
        ("nora.is.at.home", "nora.is.at.home"),
        ("", GOOD),
        ("n" * 151, GOOD),
        ("nora <b>", GOOD),
    ],
)
def test_a_user_against_the_rules_is_not_created(db, monkeypatch, name, password):
    monkeypatch.setenv("CUPADMIN_PASSWORD", password)
    with pytest.raises(CommandError):
        call_command("create_user", name)
    assert not User.objects.exists()


@pytest.mark.parametrize("name", ["", "n" * 500])
def test_a_token_needs_a_name_that_fits(administrator, name):
    with pytest.raises(CommandError):
        call_command("create_token", administrator.username, name=name)
    assert not ApiToken.objects.exists()
