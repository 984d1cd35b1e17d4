"""Take the second factor from somebody who lost it."""

from argparse import ArgumentParser

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from accounts import audit, second_factor


class Command(BaseCommand):
    """The way back in when the only administrator lost phone and recovery codes."""

    help = "Reset the second factor of USER and end all sessions of the user."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user", metavar="USER")

    def handle(self, user: str, **options: object) -> None:
        found = User.objects.filter(username=user).first()
        if found is None:
            raise CommandError(f"There is no user {user!r}.")
        if not second_factor.reset_factors(found, audit.CONSOLE):
            raise CommandError(f"{user} has no second factor.")
        self.stdout.write(f"The second factor of {user} is reset; all sessions ended.")
