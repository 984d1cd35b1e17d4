"""The code and the database must be of one release."""

import subprocess
from functools import cache

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

Names = set[tuple[str, str]]

DEVELOPMENT = (
    "The database was made by a development version of cupadmin, which no release can "
    "read. Start with an empty data directory, or with an empty database."
)


@cache
def running_commit() -> str | None:
    """The commit that runs, from CUPADMIN_COMMIT or the checkout; None if unknown."""
    if settings.COMMIT:
        return str(settings.COMMIT)
    # The checkout may belong to another user than the one who runs this.
    if not (settings.BASE_DIR / ".git").exists():  # of another project, if any
        return None
    git = ["git", "-c", "safe.directory=*", "-C", str(settings.BASE_DIR)]
    try:
        found = subprocess.run(  # noqa: S603
            [*git, "rev-parse", "--verify", "HEAD"],
            capture_output=True,
            text=True,
            timeout=5,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip() or None


def refuse_newer_database() -> None:
    """Refuse a database that a newer release has changed, or a development version.

    Raises:
        ImproperlyConfigured: it has migrations that this release does not know.
    """
    if is_of_development(applied_migrations()):
        raise ImproperlyConfigured(DEVELOPMENT)
    loader = MigrationLoader(None)
    known = set(loader.disk_migrations)
    for migration in loader.disk_migrations.values():
        known |= {(app, name) for app, name in migration.replaces}
    if newer := applied_migrations() - known:
        raise ImproperlyConfigured(
            f"The database is of a newer release: cupadmin {settings.VERSION} does not "
            f"know {in_words(newer)}. Install that release, or restore a backup "
            "that this one made."
        )


def refuse_other_database() -> None:
    """Refuse a database that a newer or an older release has left.

    Raises:
        ImproperlyConfigured: its migrations are not those of this release.
    """
    refuse_newer_database()
    if pending := set(MigrationLoader(None).disk_migrations) - applied_migrations():
        raise ImproperlyConfigured(
            f"The database is of an older release: it lacks {in_words(pending)}. Run "
            f"{settings.COMMAND} migrate, then start again."
        )


def is_of_development(names: Names) -> bool:
    """Whether a version made it that had clusters in the app of peers."""
    peers = any(app == "peers" for app, _ in names)
    return peers and ("clusters", "0001_initial") not in names


def applied_migrations() -> Names:
    return set(MigrationRecorder(connection).applied_migrations())


def in_words(names: Names) -> str:
    first, *others = sorted(".".join(name) for name in names)
    return f"the migration {first}" + (f" and {len(others)} more" if others else "")
