"""`make run`: web server, worker and beat under one supervisor."""

import errno
import os
import secrets
import socket
import sys
import urllib.request
from argparse import ArgumentParser
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from accounts.access import Role
from accounts.checks import self_test
from accounts.users import password_fault
from cupadmin import data_lock
from cupadmin.log_files import LogLimits
from cupadmin.supervisor import Supervisor
from cupadmin.versions import refuse_newer_database
from jobs.sites import PREFIX

ADMIN = "admin"
QUEUES = ("operate", "maintenance")


class Command(BaseCommand):
    """Migrate, start everything, and stay until Ctrl-C."""

    help = "Run the console: web server, worker and beat. Ctrl-C ends all of it."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default=os.environ.get("HOST", "127.0.0.1"))
        parser.add_argument("--port", default=os.environ.get("PORT", "8000"))

    def handle(self, *args: Any, **options: Any) -> None:
        self.host, self.port = options["host"], parse_port(options["port"])
        refuse_used_port(self.host, self.port)
        if warning := exposure_warning(self.host):
            self.stderr.write(self.style.WARNING(warning))
        try:
            lock = data_lock.lock_directory(settings.DATA_DIR)
        except data_lock.DirectoryInUse as taken:
            raise CommandError(str(taken)) from None
        refuse_newer_database()
        self.write_line("Preparing the database and static files ...")
        prepare_data()
        # Said here, once; the web server and the workers refuse to start as well.
        self_test()
        password = self.first_administrator()
        supervisor = Supervisor(
            settings.DATA_DIR / "log",
            keep=[lock],
            limits=LogLimits(settings.LOG_MEGABYTES * 1_000_000, settings.LOG_FILES),
        )
        with supervisor.running():
            environment = self.before(supervisor)
            start_console(supervisor, self.host, self.port, environment)
            supervisor.wait_for(self.answers, "The web server", 60)
            self.after(supervisor, environment)
            self.banner(password)
            supervisor.watch()
        self.write_line("Everything has ended.")

    def before(self, supervisor: Supervisor) -> dict[str, str]:
        """Start what the console needs; return additions to its environment."""
        return {}

    def after(self, supervisor: Supervisor, environment: dict[str, str]) -> None:
        """Do what needs the running console."""

    def first_administrator(self) -> str:
        """Create `admin` on an empty installation; return the password to print."""
        if User.objects.exists():
            return ""
        password = settings.ADMIN_PASSWORD or secrets.token_urlsafe(12)
        if fault := password_fault(password, User(username=ADMIN)):
            self.write_line(f"CUPADMIN_ADMIN_PASSWORD is weak: {fault} Change it soon.")
        create_administrator(password)
        return password

    def answers(self) -> bool:
        try:
            url = f"http://{host_and_port(self.host, self.port)}/healthz"
            with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310
                return bool(answer.status == 200)
        except OSError:
            return False

    def banner(self, password: str) -> None:
        address = host_and_port(self.host, self.port)
        self.write_line(f"\n  cupadmin is ready:  http://{address}/")
        if password:
            self.write_line(
                f"  user:               {ADMIN}\n  password:           {password}"
            )
        self.write_line(f"  logs:               {settings.DATA_DIR / 'log'}")
        self.write_line("\n  Ctrl-C ends it.\n")

    def write_line(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


def parse_port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
        raise CommandError(f"PORT must be a number from 1 to 65535, not {text!r}.")
    return int(text)


def exposure_warning(host: str) -> str:
    """Return a warning where anybody on the network may talk to us directly."""
    if settings.PROXIES or host == "localhost" or is_loopback(host):
        return ""
    return (
        f"Warning: the console listens on {host} without a declared proxy. Passwords "
        "and sessions cross the network unencrypted. Put a proxy with TLS in front, "
        "and set CUPADMIN_BEHIND_PROXY and CUPADMIN_HTTPS."
    )


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def refuse_used_port(host: str, port: int) -> None:
    """Say what is wrong with the address before anything is started."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        family, address = found[0][0], found[0][4]
    except (OSError, UnicodeError):
        raise CommandError(
            f"HOST is {host!r}, which is neither an address nor a known name."
        ) from None
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise CommandError(
                f"Port {port} is taken. Choose another one, as in PORT=8001."
            ) from None
        raise CommandError(
            f"The console cannot listen on {host}, port {port}: {error.strerror}."
        ) from None


def host_and_port(host: str, port: int) -> str:
    """As URLs and gunicorn have it: an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def prepare_data() -> None:
    call_command("migrate", verbosity=0)
    stamp = settings.STATIC_ROOT / ".version"
    fresh = f"{settings.VERSION} {newest_change(settings.BASE_DIR / 'static')}"
    if not stamp.exists() or stamp.read_text() != fresh:
        # Pages that are never shown, and most of the megabytes.
        unused = ["redoc", "rest_framework"]
        call_command(
            "collectstatic",
            interactive=False,
            clear=True,
            ignore_patterns=unused,
            verbosity=0,
        )
        stamp.write_text(fresh)


def newest_change(folder: Path) -> int:
    """Return the latest change below a folder, so that static files follow edits."""
    return max((path.stat().st_mtime_ns for path in folder.rglob("*")), default=0)


def create_administrator(password: str) -> None:
    user, _ = User.objects.get_or_create(username=ADMIN)
    user.set_password(password)
    user.save()
    user.groups.set([Group.objects.get(name=Role.ADMINISTRATOR)])


def web_command(application: str, host: str, port: int) -> list[str]:
    return [
        *[sys.executable, "-m", "gunicorn", application],
        *["--bind", host_and_port(host, port)],
        *["--worker-class", "cupadmin.server.Worker", "--workers", "2"],
        # Less than the supervisor waits before it kills.
        *["--threads", "8", "--graceful-timeout", "7", "--log-level", "warning"],
        # It would lie in the home directory, one for all consoles of a user.
        "--no-control-socket",
    ]


def worker_queues() -> list[str]:
    """What the worker serves: CUPADMIN_QUEUES if set, else every site as well."""
    return settings.QUEUES or [*QUEUES, *(f"{PREFIX}{s}" for s in settings.SITES)]


def start_console(
    supervisor: Supervisor, host: str, port: int, environment: dict[str, str]
) -> None:
    python = sys.executable
    celery = [python, "-W", "ignore", "-m", "celery", "-A", "cupadmin"]
    quiet = ["--loglevel", "WARNING"]
    web = web_command("cupadmin.wsgi", host, port)
    supervisor.start("web", *web, environment=environment)
    supervisor.start(
        "worker",
        *[*celery, "worker", "--pool", "threads", "--concurrency", "8", *quiet],
        *["--queues", ",".join(worker_queues())],
        *["--without-gossip", "--without-mingle"],
        environment=environment,
        watched=True,
    )
    supervisor.start(
        "beat", *celery, "beat", *quiet, environment=environment, watched=True
    )
