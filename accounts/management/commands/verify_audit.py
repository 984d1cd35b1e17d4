"""Check the hash chain of the audit trail."""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from accounts import audit
from accounts.models import AuditEntry, AuditHead


class Command(BaseCommand):
    """Walk the chain; print its end, to be noted somewhere outside."""

    help = (
        "Verify the audit trail. Prints number and hash of its newest entry: note "
        "them elsewhere, and give them with --noted at the next time. Only so is a "
        "chain noticed that somebody rewrote from some entry on."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--noted", metavar="NUMBER:HASH", default="")

    def handle(self, noted: str, **options: object) -> None:
        faults = [str(fault) for fault in audit.chain_faults()]
        if noted:
            faults += check_noted(noted)
        for fault in faults:
            self.stderr.write(fault)
        if faults:
            raise CommandError(f"The audit trail is not intact: {len(faults)} faults.")
        head = AuditHead.objects.filter(pk=1).first() or AuditHead()
        self.stdout.write(
            f"{AuditEntry.objects.count()} entries are intact. "
            f"Note this: {head.number}:{head.hash}"
        )


def check_noted(noted: str) -> list[str]:
    number, _, expected = noted.partition(":")
    if not (number.isascii() and number.isdigit()):
        raise CommandError("--noted looks like 1234:9f86d0..., as printed before.")
    head = AuditHead.objects.filter(pk=1).first() or AuditHead()
    if int(number) < head.pruned_number:
        return []
    if int(number) == head.pruned_number:
        same = head.pruned_hash == expected
    else:
        entries = AuditEntry.objects.filter(number=int(number), hash=expected)
        same = entries.exists()
    return [] if same else [f"Entry {number} is not the one that was noted."]
