"""Create an API token from the command line."""

from argparse import ArgumentParser

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from accounts import audit
from accounts.access import Role, role_of
from accounts.models import ApiToken


class Command(BaseCommand):
    """Print a new token of a user; it cannot be shown again."""

    help = "Create an API token for USER and print it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user", metavar="USER")
        parser.add_argument("--name", required=True, help="what the token is for")
        parser.add_argument("--role", choices=Role.values, help="default: the user's")

    def handle(self, user: str, name: str, role: str | None, **options: object) -> None:
        owner = User.objects.filter(username=user).first()
        held = role_of(owner) if owner else None
        if owner is None or held is None:
            raise CommandError(f"There is no active user {user!r} with a role.")
        role_of_token = Role(role) if role else held
        if not held.covers(role_of_token):
            raise CommandError(f"{user} is {held}; a token cannot be {role_of_token}.")
        try:
            ApiToken._meta.get_field("name").clean(name, None)
        except ValidationError as error:
            raise CommandError(f"--name: {' '.join(error.messages)}") from None
        token, text = ApiToken.issue(owner, name, role_of_token)
        audit.append_entry(audit.Actor(owner), "create token", token)
        self.stdout.write(text)
