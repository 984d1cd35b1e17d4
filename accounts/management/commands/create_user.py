"""Create a user with a role."""

from argparse import ArgumentParser

from django.contrib.auth.models import Group, User
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from environs import Env

from accounts import audit, cluster_limits, users
from accounts.access import Role
from base.secret_settings import read_secret


class Command(BaseCommand):
    """Create a user; the password comes from CUPADMIN_PASSWORD, never from a flag."""

    help = "Create USER with ROLE; the password is read from CUPADMIN_PASSWORD."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user", metavar="USER")
        parser.add_argument("--role", choices=Role.values, default=Role.VIEWER.value)
        parser.add_argument(
            "--cluster",
            action="append",
            default=[],
            metavar="NAME",
            help="limit the user to this cluster; may be given more than once",
        )

    @transaction.atomic
    def handle(
        self, user: str, role: str, cluster: list[str], **options: object
    ) -> None:
        password = given_password()
        if User.objects.filter(username=user).exists():
            raise CommandError(f"There is a user {user!r} already.")
        refuse_bad_name(user)
        if fault := users.password_fault(password, User(username=user)):
            self.stderr.write(f"This password is weak: {fault} Change it soon.")
        chosen = clusters_called(cluster)
        created = User.objects.create_user(user, password=password)
        created.groups.add(Group.objects.get_or_create(name=role)[0])
        users.limit_user(created, chosen)
        given = {"role": [None, role], "clusters": [None, users.cluster_names(chosen)]}
        audit.append_entry(audit.CONSOLE, "create user", created, given)
        self.stdout.write(f"Created {user} ({role}).")


def given_password() -> str:
    """Take it from the variable, or from the file that CUPADMIN_PASSWORD_FILE names."""
    password = read_secret(Env(prefix="CUPADMIN_"), "PASSWORD")
    if not password:
        raise CommandError("Set CUPADMIN_PASSWORD to the new user's password.")
    return password


def refuse_bad_name(name: str) -> None:
    """Hold the name to the rules of the page."""
    try:
        User(username=name).clean_fields(exclude=["password"])
    except ValidationError as error:
        raise CommandError(" ".join(error.messages)) from None


def clusters_called(names: list[str]) -> list[str]:
    known = {name: str(pk) for pk, name in cluster_limits.cluster_names().items()}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise CommandError(f"There is no cluster {unknown[0]!r}.")
    return [known[name] for name in names]
