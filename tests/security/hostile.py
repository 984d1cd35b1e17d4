"""Rows whose every value that was read from a cluster means harm."""

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.db import IntegrityError, connection, models, transaction
from django.utils import timezone

from accounts import audit
from clusters.models import Cluster
from directory import store
from directory.column_builder import Builder
from directory.columns import User as ClusterUser
from directory.models import Snapshot
from jobs.models import Job, JobStep
from mesh.models import ObservedPeerTable
from notifications.models import Message, Subscriber
from peers.models import Peer
from tests.security import world

MARK = "<script>alert('mark')</script>"
VALUES = {
    "network": "10.0.0.0/24",
    "dots": "..",
    "empty": "",
    "mixed": f"/../{MARK}\"'`><!--?#&;x=1%00%0d%s{{0}}{{{{ 7|add:42 }}}}{{% debug %}}"
    "\u202egnp.exe\u2066\ufeff\0a\r\nSet-Cookie: stolen=1\r\n\r\n\u2028b\tc",
    "formula": "=cmd|' /C calc'!A0,\"+1",
    "long": "x" * 300,
    "halves": "a\ud800b\udfff\udc00\ud83d",
    "address": "javascript:alert('mark')//@evil.example:1/",
}

# Text that clusters say, or that stands in sentences made of it. The rest is of people
# or of the console itself; a new field is put here or there with a thought.
FROM_CLUSTERS = {
    "jobs.Job": {"target_label", "doing", "error"},
    "jobs.JobStep": {"label", "detail", "memo"},
    "clusters.Cluster": {
        *{"name", "domain", "description", "version", "user_sync"},
        *{"axl_username", "peer_table", "recognised_table", "table_search"},
        *{"pages_seen", "pages_error"},
    },
    "clusters.Node": {
        "name",
        "address",
        "axl_version",
        "control_center",
        "contact_code",
        "contact_error",
    },
    "peers.Peer": {
        *{"address", "username", "external_phone_number_mask"},
        *{"applied_address", "drift", "entries", "attestation", "user_trail"},
        "cluster_status",
    },
    "overview.Problem": {"sentence", "affects"},
    "services.NodeReading": {"error"},
    "services.Service": {"name", "group", "reason", "start_time", "last_status"},
    "directory.Snapshot": {"nodes", "own_nodes", "absent"},
    "diagnostics.PeerCheck": {"entries"},
    "diagnostics.TroubleshooterRun": {"clusters", "peers"},
    "diagnostics.TroubleshooterResult": {
        *{"description", "problem", "solution", "cluster_name", "node_name"},
        *{"peer_address", "details"},
    },
    "mesh.ObservedPeerTable": {"entries"},
    "mesh.PlannedEntry": {"values"},
    "mesh.UsersSeen": {"own_nodes", "users", "nodes", "addresses"},
    "notifications.Message": {"events", "error"},
    "notifications.Maintenance": {"reason"},
    "sizing.GroupsSeen": {"groups"},
    "exchange.KnownCertificate": {"subject", "issuer", "common_name"},
    "exchange.NodeCertificates": {"problem", "solution"},
    "proof.Proof": {"problem", "solution", "route", "rewritten_to"},
}
OURS = {
    "jobs.Job": {
        *{"kind", "queue", "arguments", "lock_names", "target_type", "target_id"},
        *{"requested_name", "request_id", "error_code", "owner"},
    },
    "jobs.JobStep": {"key"},
    "jobs.JobCount": {"kind", "state"},
    "overview.Problem": {
        *{"key", "code", "severity", "fix_url", "acknowledged_name", "note"},
    },
    "jobs.JobLock": {"name"},
    "jobs.Lease": {"name", "owner"},
    "jobs.Process": {"host", "version", "queues", "sites"},
    "clusters.Cluster": {
        *{"site", "axl_password", "ca_certificate"},
        *{"peering_username", "peering_password"},
        *{"pages_username", "pages_password", "pages_error_code"},
        *{"os_username", "os_password"},
    },
    "clusters.Node": {"certificate_fingerprint", "resolved"},
    "peers.Peer": {"password", "assumed"},
    "peers.BulkDraft": {"peers", "options", "password"},
    "peers.Upload": {"name", "content"},
    "services.NodeReading": {"error_code"},
    "services.NodePace": {"calls"},
    "diagnostics.TroubleshooterRun": {"reason", "tests", "totals"},
    "diagnostics.TroubleshooterResult": {"section", "code", "fix_url"},
    "mesh.PlannedEntry": {"password"},
    "mesh.PlannedPassword": {"username", "password"},
    "mesh.Draft": {"pairs", "protocol", "masks", "credentials"},
    "notifications.Subscriber": {
        *{"name", "email", "url", "secret", "topics", "template"}
    },
    "notifications.LastNotified": {"key", "state"},
    "sizing.StatedProfile": {"values", "stated_by"},
    # Names of services are taken only as the pattern of the wire allows.
    "exchange.KnownCertificate": {"fingerprint", "key_hash", "signer_key", "pem"},
    "exchange.NodeCertificates": {"identities", "trusts", "code"},
    "proof.Canary": {
        *{"userid", "presence_username", "presence_password", "digest_password"},
        *{"watcher_userid", "watcher_digest_password", "state_before"},
        *{"xmpp_password", "watcher_xmpp_password"},
    },
    "proof.PresenceCertificate": {"fingerprint"},
    "proof.Proof": {"code"},
}
APPS = {label.partition(".")[0] for label in FROM_CLUSTERS}
# Names within JSON whose values are the console's own.
KEYS = {"code", "outcome", "id", "at", "url", "fix_url", "topic", "key", "state"}
KEYS |= {"clusters", "caused_by", "looked_at", "seen_at", "cluster", "type"}


def text_fields(model: type[models.Model]) -> set[str]:
    kinds = (models.CharField, models.TextField, models.JSONField)
    return {
        field.name
        for field in model._meta.concrete_fields
        if isinstance(field, kinds) and not field.choices and not field.primary_key
    }


def storable(value: str, field: models.Field) -> str:
    """The nearest that the column takes; JSON takes all."""
    if isinstance(field, models.JSONField):
        return value
    value = value.encode("utf-8", "replace").decode()
    if connection.vendor == "postgresql":
        value = value.replace("\0", "")
    return value[: field.max_length] if field.max_length else value


def poisoned(value: Any, text: str) -> Any:
    """The same document with every text in it replaced."""
    if isinstance(value, str):
        return text
    if isinstance(value, list):
        return [poisoned(one, text) for one in value]
    if isinstance(value, dict):
        return {
            name: one if name in KEYS else poisoned(one, text)
            for name, one in value.items()
        }
    return value


def poison(text: str) -> None:
    """Overwrite every field of every row that comes from clusters."""
    for label, names in FROM_CLUSTERS.items():
        model = apps.get_model(label)
        for row in model._base_manager.all():
            for name in names:
                overwrite(row, name, text)


def overwrite(row: models.Model, name: str, text: str) -> None:
    field = row._meta.get_field(name)
    value: Any = storable(text, field)
    if isinstance(field, models.JSONField):
        value = poisoned(getattr(row, name), value)
    same = type(row)._base_manager.filter(pk=row.pk)
    try:
        with transaction.atomic():
            same.update(**{name: value})
    except IntegrityError:
        # Names are unique: the second of them is told apart.
        end = f" {row.pk}"[:9]
        room = field.max_length - len(end)
        same.update(**{name: value[:room] + end})


def make_hostile(
    cluster: Cluster, other: Cluster, text: str, person: Any
) -> world.World:
    """One of everything, each as full of text from clusters as it can be."""
    made = world.make_world("alpha", cluster)
    world.shared(made, world.make_world("bravo", other))
    enrich(made)
    Message.objects.create(
        subscriber=Subscriber.objects.create(user=person, channel="page"),
        events=[event(made)],
        sent_at=timezone.now(),
        closed_at=timezone.now(),
    )
    plain = storable(text, models.TextField())
    audit.append_entry(
        audit.CONSOLE, "edit peer", cluster, {"address": [plain, plain]}, label=plain
    )
    users(cluster, text)
    poison(text)
    # Of a name that no peer has, so that it can be adopted.
    unknown = poisoned(["a", "b", "c", "d"], storable(f"{text}/x", models.JSONField()))
    ObservedPeerTable.objects.update(entries=[unknown, ["", *unknown[1:]]])
    return made


def enrich(made: world.World) -> None:
    peer = Peer.objects.get(pk=made.ids["peer"])
    drift = {"address": "x", "username": "y", "protocol": "z"}
    Peer.objects.filter(pk=peer.pk).update(
        drift=drift,
        provisioning_state="applied",
        applied_address="x",
        cluster_status={
            "seen_at": now(),
            "entries": [{"label": "x", "outcome": "passed", "text": "y"}],
            "associated_users": 1,
        },
        remote_cluster=Cluster.objects.exclude(pk=peer.cluster_id).get(),
    )
    Cluster.objects.exclude(pk=peer.cluster_id).update(
        provisioning="pages", pages_error_code="timeout"
    )
    ObservedPeerTable.objects.filter(pk=peer.cluster_id).update(
        entries=[["one.example.net", "u", "TCP", ""], ["x", "y", "z", "m"]]
    )
    for result in apps.get_model("diagnostics.TroubleshooterResult").objects.all():
        answer = {"asked": "x", "answer": "y", "at": None, "duration_ms": 1.0}
        result.details = {"answers": [answer], "more": 1, "caused_by": ""}
        result.save()
    for run in apps.get_model("diagnostics.TroubleshooterRun").objects.all():
        names = ("home", "remote", "address", "protocol")
        counts = {"associated_users": 1, "remote_users": None}
        run.peers = [dict.fromkeys(names, "x") | counts]
        run.save()
    for step in JobStep.objects.all():
        step.memo = {"sentence": "x", "alone": "x", "link": "x", "looked_at": now()}
        step.save()
    Job.objects.filter(pk=made.ids["setup"]).update(state="failed")
    group = {"name": "x", "redundant": True, "nodes": ["x", "x"]}
    apps.get_model("proof.Proof").objects.create(
        peer=peer, at=timezone.now(), outcome="failed", stage="subscribed", way="pws"
    )
    apps.get_model("sizing.GroupsSeen").objects.create(
        cluster_id=peer.cluster_id, groups=[group], read_at=timezone.now()
    )


def now() -> str:
    return timezone.now().isoformat()


def event(made: world.World) -> dict[str, Any]:
    peer = Peer.objects.get(pk=made.ids["peer"])
    return {
        "topic": "peer",
        "key": f"peer:{peer.pk}",
        "state": "failed",
        "text": "x",
        "url": peer.get_absolute_url(),
        "at": now(),
        "clusters": [str(peer.cluster_id)],
    }


def users(cluster: Cluster, text: str) -> None:
    """A newer snapshot, of two users who are called so."""
    # Ends a value within a snapshot; no reader of XML can give it.
    text, builder = text.replace("\0", ""), Builder()
    builder.add(
        [ClusterUser(text, text, text, text, text, one) for one in (True, None)]
    )
    taken = Snapshot(
        cluster=cluster,
        taken_at=timezone.now(),
        users=len(builder),
        nodes=builder.counts(),
        own_nodes=[text],
    )
    store.save_snapshot(taken, store.compress_pieces(builder.finish()))


def forgotten() -> Iterator[str]:
    """Fields that nobody thought about."""
    for model in apps.get_models():
        label = model._meta.label
        if model._meta.app_label in APPS:
            known = FROM_CLUSTERS.get(label, set()) | OURS.get(label, set())
            for name in text_fields(model) - known:
                yield f"{label}.{name}"
