"""The directory on the command line: snapshot, compare, duplicates, locate."""

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.audit import CONSOLE
from clusters.models import Cluster
from directory import duplicates, locator, orphans
from directory.comparison import LISTS, compare_listings
from directory.jobs.snapshot import SnapshotDirectory
from directory.ownership import Directory
from jobs.engine import perform_job
from jobs.locks import Busy
from jobs.models import Job
from peers.models import Peer, PeerOutcome

STATES = {
    "missing": "missing",
    "extra": "no longer there",
    "elsewhere": "elsewhere",
    "leftover": "without a peering",
}
DIFFERING = "Some peers differ."
LEFT_OVER = "Some users are shown without a peering."


class Command(BaseCommand):
    """Whose user is this, and do both clusters agree?"""

    help = "Read the users of clusters, compare those of peers, find users."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        add = actions.add_parser("snapshot", help="read the users of clusters now")
        add.add_argument("clusters", nargs="*", metavar="CLUSTER", help="all if none")
        add = actions.add_parser("compare", help="compare the users of peers")
        add.add_argument("home", nargs="?", help="only the peers on this cluster")
        add.add_argument("remote", nargs="?", help="only those that point to this one")
        add = actions.add_parser("duplicates", help="list duplicate users")
        add.add_argument("--kind", choices=list(duplicates.KINDS))
        add = actions.add_parser("locate", help="find the home of a user")
        add.add_argument("user", help="a user id, a SIP URI or a directory number")

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        getattr(self, action)(**options)

    def write_line(self, *columns: object) -> None:
        self.stdout.write("\t".join(map(str, columns)))

    def snapshot(self, clusters: list[str], **_: Any) -> None:
        named = dict.fromkeys(cluster_called(name) for name in clusters)
        chosen = list(named) or list(Cluster.objects.prefetch_related("nodes"))
        if not chosen:
            raise CommandError("There is no cluster to read.")
        try:
            job = SnapshotDirectory.submit(chosen, CONSOLE)
        except Busy as error:
            raise CommandError(f"{error} Wait for it, or cancel it.") from error
        finish_job(job)
        for step in job.steps.all():
            self.write_line(step.get_state_display(), step.label, step.detail)
        if job.state != Job.State.SUCCEEDED:
            raise CommandError(job.error)

    def compare(self, home: str | None, remote: str | None, **_: Any) -> None:
        peers = Peer.objects.select_related("cluster", "remote_cluster")
        chosen = [cluster_called(name) if name else None for name in (home, remote)]
        if chosen[0]:
            peers = peers.filter(cluster=chosen[0])
        if chosen[1]:
            peers = peers.filter(remote_cluster=chosen[1])
        directory, failed = Directory(), False
        for peer in peers:
            compared = compare_listings(directory, peer)
            pair = f"{peer.cluster} → {peer.remote_cluster or peer.address}"
            if compared is None:
                self.write_line(pair, PeerOutcome.UNKNOWN, "a cluster was not read")
                continue
            failed |= compared.outcome == PeerOutcome.FAILED
            counts = f"{compared.home_count} of {compared.remote_count} users"
            self.write_line(pair, compared.outcome, counts)
            for name in LISTS:
                for entry in compared.entries(name):
                    self.write_line(
                        "", STATES[name], entry.user.userid, entry.lives or ""
                    )
        left = [
            one
            for one in orphans.find_leftovers(directory)
            if chosen[0] in (None, one.cluster) and chosen[1] in (None, one.remote)
        ]
        for one in left:
            says = f"{one.count} users {STATES['leftover']}"
            self.write_line(
                f"{one.cluster} → {one.remote_name}", PeerOutcome.FAILED, says
            )
            for user in one.found():
                self.write_line("", STATES["leftover"], user.userid, user.node)
        if failed:
            raise CommandError(DIFFERING)
        if left:
            raise CommandError(LEFT_OVER)

    def duplicates(self, kind: duplicates.Kind | None, **_: Any) -> None:
        kinds = (kind,) if kind else duplicates.SHARED
        for one in duplicates.find_duplicates(Directory(), *kinds):
            holders = (f"{h.user.userid} on {h.listing.cluster}" for h in one.holders)
            self.write_line(duplicates.KINDS[one.kind], one.value, ", ".join(holders))

    def locate(self, user: str, **_: Any) -> None:
        directory = Directory()
        userids = locator.candidate_users(directory, user)
        for located in filter(
            None, (locator.locate_user(directory, u) for u in userids)
        ):
            home = located.home.cluster if located.home else "no cluster"
            self.write_line(located.user.userid, home, located.node, located.sip_uri)
            for view in located.views:
                self.write_line(
                    "", view.cluster, view.label, view.sentence, view.rewritten
                )
        if not userids:
            raise CommandError(f"No cluster was found to have {user}.")


def cluster_called(name: str) -> Cluster:
    cluster = Cluster.objects.filter(name__iexact=name).first()
    if cluster is None:
        raise CommandError(f"There is no cluster {name}.")
    return cluster


def finish_job(job: Job) -> None:
    """Work on the job here, or wait for the worker that was quicker."""
    while job.active:
        perform_job(str(job.pk))
        job.refresh_from_db()
        if job.active:
            time.sleep(0.2)
            job.refresh_from_db()
