"""What django-allauth does not hold, which is why the console has its own.

Each test shows the library's way in processes of its own. When one fails, the library
has learned it, and our part may go.
"""

import subprocess
import sys

import pytest
from django.urls import NoReverseMatch, URLPattern, URLResolver, reverse
from django.urls.resolvers import RegexPattern

from accounts import sign_in_urls

SETTINGS = """
import django
from django.conf import settings
settings.configure(
    INSTALLED_APPS=[
        "django.contrib.contenttypes", "django.contrib.auth",
        "django.contrib.sessions", "django.contrib.messages",
        "allauth", "allauth.account", "allauth.usersessions",
    ],
    MIDDLEWARE=["allauth.account.middleware.AccountMiddleware"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    SECRET_KEY="x",
    ROOT_URLCONF="allauth.account.urls",
    ACCOUNT_RATE_LIMITS={"login_failed": "10/m/key"},
    USERSESSIONS_TRACK_ACTIVITY=True,
)
django.setup()
from django.contrib.sessions.backends.db import SessionStore
from django.test import RequestFactory
request = RequestFactory().post("/", {"new_password": "a new pass phrase"})
request.META["HTTP_COOKIE"] = "sid=the-session-key"
request.session = SessionStore()
"""
COUNT = """
from allauth.core.internal.ratelimit import consume
evaluated = [
    consume(request, app="allauth.account", action="login_failed", key="otto")
    for _ in range(100)
]
print(sum(map(bool, evaluated)))
"""
SESSIONS = """
from allauth.account.adapter import get_adapter
from allauth.core import context
from allauth.usersessions.internal.usersessionkit import track_activity
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
call_command("migrate", verbosity=0)
request.user = User.objects.create_user("otto")
request.session.create()
track_activity(request, user=request.user, session=request.session)
del request._allauth_usersessions_tracked
with CaptureQueriesContext(connection, ) as queries:
    track_activity(request, user=request.user, session=request.session)
written = sum(query["sql"].startswith("UPDATE") for query in queries)
print(UserSession.objects.get().session_key == request.session.session_key, written)
"""
STASH = """
from allauth.account.internal.flows.reauthentication import suspend_request
suspend_request(request, "/")
kept = str(dict(request.session))
print("a+new+pass+phrase" in kept, "the-session-key" in kept)
"""


def run(script: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", SETTINGS + script],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return done.stdout.strip()


def test_limit_on_sign_ins_of_the_library_is_counted_in_each_process_alone():
    """Two processes evaluate 20 attempts at a limit of 10."""
    assert [run(COUNT), run(COUNT)] == ["10", "10"]


def test_sessions_of_the_library_hold_keys_and_are_written_by_each_request():
    assert run(SESSIONS) == "True 1"


def test_reauthentication_of_the_library_keeps_passwords_and_the_cookie():
    assert run(STASH) == "True True"


def names_in(resolver):
    for entry in resolver.url_patterns:
        if isinstance(entry, URLPattern):
            yield entry.name
        else:
            yield from names_in(entry)


def test_pages_of_the_library_that_are_not_listed_do_not_exist(client):
    listed = {pattern.name for pattern in sign_in_urls.urlpatterns}
    theirs = {
        name
        for module in ("account", "mfa", "socialaccount")
        for name in names_in(URLResolver(RegexPattern(""), f"allauth.{module}.urls"))
    }
    assert {"account_signup", "account_email", "account_reset_password"} <= theirs
    for name in theirs - listed:
        with pytest.raises(NoReverseMatch):
            reverse(name, args=["x"] if "confirm" in name else [])
    for path in ("signup/", "email/", "password/reset/", "3rdparty/", "2fa/"):
        for prefix in ("/", "/accounts/", "/administration/system/"):
            assert client.get(prefix + path, follow=True).status_code == 404
