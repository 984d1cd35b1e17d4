"""Create a user with a role."""

import os
from argparse import ArgumentParser

from django.contrib.auth.models import Group, User
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from accounts import audit
from accounts.access import Role


class Command(BaseCommand):
    """Create a user; the password comes from CUPADMIN_PASSWORD, never from a flag."""

    help = "Create USER with ROLE; the password is read from CUPADMIN_PASSWORD."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user", metavar="USER")
        parser.add_argument("--role", choices=Role.values, default=Role.VIEWER.value)

    @transaction.atomic
    def handle(self, user: str, role: str, **options: object) -> None:
        password = os.environ.get("CUPADMIN_PASSWORD", "")
        if not password:
            raise CommandError("Set CUPADMIN_PASSWORD to the new user's password.")
        if User.objects.filter(username=user).exists():
            raise CommandError(f"There is a user {user!r} already.")
        created = User.objects.create_user(user, password=password)
        created.groups.add(Group.objects.get(name=role))
        audit.record(audit.CONSOLE, "create user", created, {"role": [None, role]})
        self.stdout.write(f"Created {user} ({role}).")
