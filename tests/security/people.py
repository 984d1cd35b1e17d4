"""People who sign in once a module and have clients of their own in each test."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import ApiToken
from accounts.roles import Role


@dataclass(frozen=True)
class SignedIn:
    """A person's session and API token."""

    user: User
    session: str
    token: str

    def browser(self) -> Client:
        client = Client()
        client.cookies[settings.SESSION_COOKIE_NAME] = self.session
        return client

    def script(self) -> APIClient:
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {self.token}")
        return client


def sign_in(user: User, role: Role, **limits: Any) -> SignedIn:
    client = Client()
    client.force_login(user)
    token = ApiToken.issue(user, "test", role, **limits)[1]
    return SignedIn(user, client.cookies[settings.SESSION_COOKIE_NAME].value, token)
