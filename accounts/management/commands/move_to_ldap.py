"""Let people whose accounts were made here sign in through the directory."""

from argparse import ArgumentParser

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from accounts import audit
from accounts.identities import Person, of_person
from accounts.identities import link_identity as link_account
from accounts.models import Identity

NO_DIRECTORY = "No directory is configured."


class Command(BaseCommand):
    """Only an administrator of the host says that the two are the same person."""

    help = (
        "Give the accounts USER to the people of that name in the directory; their"
        " passwords here are removed and their sessions end."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("users", metavar="USER", nargs="+")

    @transaction.atomic
    def handle(self, users: list[str], **options: object) -> None:
        if settings.LDAP is None:
            raise CommandError(NO_DIRECTORY)
        for name in users:
            user = User.objects.filter(username=name).first()
            if user is None:
                raise CommandError(f"There is no user {name!r}. Nobody was moved.")
            move_user(user)
            self.stdout.write(f"{name} signs in through the directory from now on.")


def move_user(user: User) -> None:
    subject = user.get_username().lower()
    person = Person(Identity.Provider.LDAP, "", subject, user.get_username())
    if of_person(person) is not None:
        raise CommandError(f"{user} is of the directory already. Nobody was moved.")
    user.set_unusable_password()
    user.save(update_fields=["password"])
    user.sessions.all().delete()
    link_account(user, person)
    audit.append_entry(
        audit.CONSOLE, "connect account", user, {"ldap": [None, "connected"]}
    )
