"""Users and tokens from the command line, by the rules of the pages."""

from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import CommandError

from accounts.models import ApiToken

GOOD = "a long enough phrase"


@pytest.mark.parametrize("name", ["", "n" * 151, "nora <b>"])
def test_a_name_against_the_rules_is_not_created(db, monkeypatch, name):
    monkeypatch.setenv("CUPADMIN_PASSWORD", GOOD)
    with pytest.raises(CommandError):
        call_command("create_user", name)
    assert not User.objects.exists()


@pytest.mark.parametrize(
    ("password", "weak"), [(GOOD, False), ("short", True), ("password1234", True)]
)
def test_a_weak_password_is_taken_with_a_warning(db, monkeypatch, password, weak):
    monkeypatch.setenv("CUPADMIN_PASSWORD", password)
    errors = StringIO()
    call_command("create_user", "nora", stderr=errors)
    assert bool(errors.getvalue()) == weak
    assert User.objects.get().check_password(password)


@pytest.mark.parametrize("name", ["", "n" * 500])
def test_a_token_needs_a_name_that_fits(administrator, name):
    with pytest.raises(CommandError):
        call_command("create_token", administrator.username, name=name)
    assert not ApiToken.objects.exists()
