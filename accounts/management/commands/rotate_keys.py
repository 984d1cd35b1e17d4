"""Seal all credentials with the first key of FIELD_KEYS."""

from collections import Counter
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from accounts import audit, rotation
from accounts.secrets import SecretError


class Command(BaseCommand):
    """May be interrupted and run again at any time; the console may stay up."""

    help = (
        "Seal every stored credential with the first key of CUPADMIN_FIELD_KEYS. "
        "Put the new key first, keep the old ones behind it, restart the console, "
        "run this, then drop the keys that it calls unused."
    )

    def handle(self, **options: Any) -> None:
        done: Counter[str] = Counter()
        try:
            for what, rows in rotation.rotate_keys():
                done[what] += rows
        except SecretError as error:
            raise CommandError(
                f"{error} Nothing was lost; fix it, then run again."
            ) from error
        for what, rows in done.items():
            self.stdout.write(f"{what}: {rows} sealed again")
        if done:
            audit.append_entry(
                audit.CONSOLE,
                "rotate keys",
                changes={what: ["changed", "changed"] for what in done},
            )
        self.report_keys()

    def report_keys(self) -> None:
        current = next(iter(settings.FIELD_KEYS))
        for key_id, uses in rotation.keys_in_use().items():
            if key_id == current:
                self.stdout.write(f"Key {key_id} is the current one: {uses} uses.")
            elif uses:
                self.stdout.write(
                    f"Key {key_id} still has {uses} uses: keep it. "
                    "API tokens need their key until they are renewed."
                )
            else:
                self.stdout.write(f"Key {key_id} is unused and may be dropped.")
