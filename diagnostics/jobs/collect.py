"""Collect the facts of a site's clusters for a job that judges them with others'."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime

from accounts.roles import Role
from clusters.models import Cluster
from clusters.requests import is_near
from diagnostics.facts import Facts, merge_facts
from diagnostics.facts_json import pack_facts
from diagnostics.models import SiteFacts
from diagnostics.near import Question, collect_groups, collect_near, try_groups
from diagnostics.node_addresses import ClusterTarget, PeerTarget, clusters_of, peers_of
from diagnostics.remotes import find_remotes
from jobs.kind import JobKind, StepKind
from jobs.models import Job
from jobs.run import Step
from peers.models import Peer


class CollectFacts(JobKind):
    name = "collect-facts"
    label = "Query clusters"
    role = Role.OPERATOR

    collect = StepKind("Query every cluster")

    @classmethod
    def submit(
        cls,
        queue: str,
        clusters: Sequence[str],
        peers: Sequence[str],
        question: Question,
    ) -> Job:
        """Submit the questions that the workers of a queue are to ask."""
        return Job.objects.submit(
            cls,
            [cls.collect.planned()],
            label=f"for {queue}",
            clusters=clusters,
            arguments={"peers": peers, "question": asdict(question)},
            queue=queue,
        )

    def work(self) -> None:
        self.run.do(self.collect, self.store_facts)

    def store_facts(self, step: Step) -> str:
        facts = self.collect_facts(Question(**self.run.arguments["question"]))
        body = pack_facts(facts)
        SiteFacts.objects.update_or_create(job=self.job, defaults={"body": body})
        return f"{len(facts.clusters)} clusters, {len(facts.peers)} peers"

    def collect_facts(self, question: Question) -> Facts:
        ids = [one.cluster for one in self.job.on.all()]
        rows = Cluster.objects.filter(pk__in=ids).prefetch_related("nodes")
        # One that moved to another site meanwhile is not for us.
        clusters = clusters_of(row for row in rows if is_near(row))
        peers = self.peers_at(clusters)
        check = self.run.raise_if_seen_cancelled
        if not question.gently:
            return collect_near(clusters, peers, question, check=check)
        groups = [
            *collect_groups(clusters, question, self.run.raise_if_cancelled),
            *try_groups(peers, question, self.run.raise_if_cancelled),
        ]
        return merge_facts(Facts(datetime.now(UTC), {}), groups)

    def peers_at(self, clusters: Sequence[ClusterTarget]) -> list[PeerTarget]:
        """The peers to try; one that was found to lead elsewhere is left out."""
        chosen = Peer.objects.filter(pk__in=self.run.arguments["peers"], removing=False)
        peers = list(chosen.defer("entries"))
        find_remotes(peers)
        near = {one.id for one in clusters}
        return [
            one
            for one in peers_of(peers, clusters)
            if one.remote is None or one.remote in near
        ]
