"""Plant secrets, let the console work with them, and look for them everywhere."""

import csv
import io
import logging
from contextlib import contextmanager

import pytest
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from accounts.models import ApiToken
from accounts.roles import Role
from accounts.secrets import HoldsSecrets, SecretField
from clusters.models import Cluster
from jobs.engine import perform_job
from jobs.models import Job
from peers.models import Peer
from services.models import Service
from tests.security.leaks import LogSink, database_text, search, spellings
from tests.security.routes import NOBODY, routes

API = "/api/v1/"
ODD = "<b>&\"Ünïcode'\\"
PLANTED = {
    "cluster password": f"Qx7-cluster-{ODD}",
    "new cluster password": f"Jv5-cluster-{ODD}",
    "peer password": f"Wz9-peer-{ODD}",
    "mesh password": f"Kp3-mesh-{ODD}",
    "user password": f"Rt6-user-{ODD}",
    "typed password": f"Mn2-typed-{ODD}",
    "webhook secret": f"Hs4-webhook-{ODD}",
    "mistyped name": f"Bv8-name-{ODD}",
    "peering password": f"Dk6-peering-{ODD}",
    "pages password": f"Fr9-pages-{ODD}",
    "os password": f"Gt2-os-{ODD}",
    "presence password": f"Lw4-presence-{ODD}",
    "digest password": f"Nb7-digest-{ODD}",
    "second digest password": f"Py3-digest-{ODD}",
    "XMPP password": f"Sc8-xmpp-{ODD}",
    "second XMPP password": f"Vx5-xmpp-{ODD}",
    "bulk password": f"Zj6-bulk-{ODD}",
    "imported password": f"Xh4-import-{ODD}",
}

pytestmark = [pytest.mark.long, pytest.mark.django_db(transaction=True)]


@contextmanager
def everything_logged():
    """All loggers at DEBUG level, into one sink."""
    sink, root = LogSink(), logging.getLogger()
    level = root.level
    root.addHandler(sink)
    root.setLevel(logging.DEBUG)
    try:
        yield sink
    finally:
        root.removeHandler(sink)
        root.setLevel(level)


@pytest.fixture
def messages(monkeypatch):
    """What the broker is given; no check is repeated until it is good."""
    monkeypatch.setattr("diagnostics.jobs.check.ATTENDED", 0)
    sent = []
    monkeypatch.setattr(
        "celery.current_app.send_task",
        lambda *args, **kwargs: sent.append((args, kwargs)),
    )
    return sent


class Session:
    """An administrator's browser and script; keeps all they are answered."""

    def __init__(self, user):
        self.browser, self.script = Client(), APIClient()
        self.browser.force_login(user)
        self.token = ApiToken.issue(user, "script", Role.ADMINISTRATOR)[1]
        self.script.credentials(HTTP_AUTHORIZATION=f"Bearer {self.token}")
        self.answers = []

    def keep(self, response):
        body = getattr(response, "streaming_content", None)
        content = b"".join(body) if body is not None else response.content
        self.answers.append(f"{response.headers} {content.decode()}")
        return response

    def send(self, method, path, body=None, **headers):
        call = getattr(self.script, method)
        return self.keep(call(API + path, body, headers=headers))

    def page(self, url, fields=None):
        call = self.browser.get if fields is None else self.browser.post
        return self.keep(call(url, fields))

    def run_jobs(self):
        for job in Job.objects.filter(state="queued"):
            perform_job(str(job.pk))


def read_everything(session, ids):
    """Open every route that can be read, with ids of things that exist."""
    for route in routes():
        for pk in ids if str(NOBODY) in route.url else [""]:
            url = route.url.replace(str(NOBODY), str(pk))
            session.keep(session.browser.get(url))
            if route.is_api:
                session.keep(session.script.get(url))


def write_clusters_and_peers(session, clusters):
    body = {
        "name": "berlin",
        "domain": "example.com",
        "axl_username": "axl",
        "axl_password": PLANTED["cluster password"],
        "provisioning": "direct",
    }
    made = session.send("post", "clusters/", body, **{"Idempotency-Key": "leak"}).json()
    session.send("post", "clusters/", {**body, "name": "", "site": "?"})
    changed = {"axl_password": PLANTED["new cluster password"]}
    session.send("patch", f"clusters/{made['id']}/", changed, **{"If-Match": "*"})
    session.send("patch", f"clusters/{made['id']}/", changed, **{"If-Match": '"x"'})
    peer = {
        "cluster": str(clusters[0].pk),
        "address": clusters[1].publisher.address,
        "username": "icuser",
        "password": PLANTED["peer password"],
    }
    assert session.send("post", "peers/", peer).status_code == 201
    assert session.send("post", "peers/", peer).status_code == 409
    session.page(
        "/administration/presence/inter-clustering/add/", {**peer, "protocol": "?"}
    )
    session.page("/administration/system/clusters/add/", {**body, "name": "x" * 500})


def plan_meshes(session, clusters):
    """One that is refused, because a cluster of it has no node, and one that runs."""
    everyone = [str(pk) for pk in Cluster.objects.values_list("pk", flat=True)]
    for chosen, status in ((everyone, 409), ([str(c.pk) for c in clusters], 202)):
        user = {"username": "icuser", "password": PLANTED["mesh password"]}
        expected = {"clusters": chosen, "protocol": "TCP"}
        expected["credentials"] = dict.fromkeys(chosen, user)
        plan = session.send("post", "mesh/plan/", expected).json()
        given = {**expected, "plan_hash": plan["plan_hash"]}
        assert session.send("post", "mesh/apply/", given).status_code == status


def give_accounts(session, clusters):
    """Every other account of a cluster, and those of its canary users."""
    accounts = {
        "peering_username": "icuser",
        "peering_password": PLANTED["peering password"],
        "pages_username": "pages",
        "pages_password": PLANTED["pages password"],
        "os_username": "os",
        "os_password": PLANTED["os password"],
    }
    canary = {
        "userid": "anna",
        "watcher_userid": "anton",
        "presence_username": "presence",
        "presence_password": PLANTED["presence password"],
        "presence_port": "8083",
        "digest_password": PLANTED["digest password"],
        "watcher_digest_password": PLANTED["second digest password"],
        "xmpp_password": PLANTED["XMPP password"],
        "watcher_xmpp_password": PLANTED["second XMPP password"],
        "xmpp_port": "5222",
    }
    for cluster in clusters:
        url = f"clusters/{cluster.pk}/"
        answer = session.send("patch", url, accounts, **{"If-Match": "*"})
        assert answer.status_code == 200, answer.content
        page = reverse("proof:canary", args=[cluster.pk])
        assert session.page(page, canary).status_code == 302
        session.page(page, {**canary, "userid": "anton"})


def change_many(session):
    """By the bulk form, by a file, and by a plan of the mesh."""
    peer = Peer.objects.get()
    choice = {"action": "change", "peer": str(peer.pk)}
    bulk = session.page(reverse("peers:bulk_choose"), choice)["Location"]
    password = PLANTED["bulk password"]
    fields = {"password": password, "confirm_password": password}
    assert session.page(bulk, fields).status_code == 302
    session.page(bulk, {**fields, "confirm_password": "another"})
    rows = io.StringIO()
    heads = ("cluster", "address", "username", "password")
    table = csv.DictWriter(rows, heads)
    table.writeheader()
    values = (peer.cluster.name, "192.0.2.45", "icuser", PLANTED["imported password"])
    table.writerow(dict(zip(heads, values, strict=True)))
    file = SimpleUploadedFile("peers.csv", rows.getvalue().encode())
    assert session.page(reverse("peers:import"), {"file": file}).status_code == 302
    rotate = reverse("mesh:rotate", args=[peer.remote_cluster.pk])
    session.page(rotate, {"password": PLANTED["mesh password"]})


def work_with_people(session):
    users = "/administration/system/users/"
    password = PLANTED["user password"]
    fields = {"username": "newcomer", "role": "viewer", "password1": password}
    session.page(f"{users}add/", {**fields, "password2": password})
    session.page(f"{users}add/", {**fields, "password2": "another"})
    sign_in = {"login": "ada", "password": PLANTED["typed password"]}
    stranger = Client()
    url = "/administration/system/sign-in/"
    session.keep(stranger.post(url, sign_in))
    sign_in["login"] = PLANTED["mistyped name"]
    stranger.post(url, sign_in)
    session.page("/administration/system/password/", {"oldpassword": password})
    session.page(f"{users}add/", {"proof_password": PLANTED["typed password"]})


def work_with_webhooks(session):
    body = {"name": "Chat", "url": "https://chat.example.com/", "topics": ["job"]}
    secret = {"secret": PLANTED["webhook secret"]}
    made = session.send("post", "webhooks/", {**body, **secret})
    assert made.status_code == 201
    url = f"webhooks/{made.json()['id']}/"
    assert session.send("patch", url, secret).status_code == 200
    session.send("patch", url, {**secret, "url": "https://127.0.0.1/"})
    session.page("/administration/system/notifications/webhooks/")


def talk_to_clusters(session, clusters):
    """Discover, check and control for real, and once with a wrong password."""
    node = clusters[0].publisher
    session.send("get", f"nodes/{node.pk}/certificate/")
    for cluster in clusters:
        session.send("post", f"clusters/{cluster.pk}/discover/")
        session.send("post", f"clusters/{cluster.pk}/test/")
    session.send("post", f"nodes/{node.pk}/services/refresh/")
    session.send("post", "peers/check/", {})
    session.send("post", "troubleshooter-runs/", {})
    for cluster in clusters:
        session.send("post", f"clusters/{cluster.pk}/pages/describe/")
    session.page(reverse("exchange:read"), {})
    for peer in Peer.objects.exclude(remote_cluster=None):
        session.send("post", f"peers/{peer.pk}/prove/")
    session.run_jobs()
    service = Service.objects.filter(node=node).first()
    if service is not None:
        session.send("post", f"services/{service.pk}/restart/")
    wrong = clusters[1]
    wrong.seal("axl_password", PLANTED["new cluster password"])
    wrong.save(update_fields=["axl_password"])
    session.send("post", f"clusters/{wrong.pk}/test/")
    session.run_jobs()


@pytest.fixture
def sealed(monkeypatch):
    """The fields into which a planted secret was sealed."""
    found, seal = set(), HoldsSecrets.seal

    def watched(row, field, plain):
        if any(secret[:10] in plain for secret in PLANTED.values()):
            found.add(f"{row._meta.label}.{field}")
        seal(row, field, plain)

    monkeypatch.setattr(HoldsSecrets, "seal", watched)
    return found


def secret_fields():
    return {
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models()
        for field in model._meta.fields
        if isinstance(field, SecretField)
    }


def test_no_secret_leaves_its_place(administrator, lab_clusters, lab, messages, sealed):
    reported = lab.describe()["clusters"]
    # The first characters need no escaping, so they are the same everywhere.
    heads = {f"head of {label}": secret[:10] for label, secret in PLANTED.items()}
    secrets = PLANTED | heads
    for description in reported:
        for name in ("axl_password", "intercluster_password"):
            secrets[f"{name} of {description['name']}"] = description[name]
    with everything_logged() as log:
        session = Session(administrator)
        secrets["token"] = session.token
        write_clusters_and_peers(session, lab_clusters)
        give_accounts(session, lab_clusters)
        change_many(session)
        session.run_jobs()
        plan_meshes(session, lab_clusters)
        work_with_people(session)
        work_with_webhooks(session)
        talk_to_clusters(session, lab_clusters)
        ids = [
            lab_clusters[0].pk,
            lab_clusters[0].publisher.pk,
            Peer.objects.first().pk,
        ]
        ids += list(Job.objects.values_list("pk", flat=True))
        read_everything(session, ids)
    assert len(session.answers) > 100
    assert len(log.text) > 1000
    assert messages
    assert sealed == secret_fields()
    states = set(Job.objects.values_list("kind", "state"))
    assert {("discover-cluster", "succeeded"), ("test-cluster", "failed")} <= states
    sinks = {
        "log": log.text,
        "pages and REST": "\n".join(session.answers),
        "messages": repr(messages),
        "database": database_text(),
    }
    found = [
        f"{sink}: {leak}"
        for sink, text in sinks.items()
        for leak in search(text, secrets)
    ]
    assert found == []


@pytest.mark.parametrize("spelling", sorted(spellings(PLANTED["peer password"])))
def test_planted_leak_is_found_in_every_spelling(spelling):
    text = f"{'x' * 500}{spelling}{'y' * 500}"
    assert list(search(text, PLANTED))


def test_planted_leak_is_found_in_the_log(db):
    with everything_logged() as log:
        logging.getLogger("zeep.transports").debug("body %s", PLANTED["peer password"])
        logging.getLogger("peers").info("peer %s", {"p": PLANTED["peer password"]})
    assert list(search(log.text, PLANTED))


def test_planted_leak_is_found_in_an_exception(db):
    with everything_logged() as log:
        try:
            raise ValueError(PLANTED["peer password"])
        except ValueError:
            logging.getLogger("jobs").exception("a job failed")
    assert list(search(log.text, PLANTED))


def test_planted_leak_is_found_in_the_database(cluster_factory):
    cluster = cluster_factory()
    assert not list(search(database_text(), {"password": "open sesame"}))
    Cluster.objects.filter(pk=cluster.pk).update(axl_password="open sesame")
    assert list(search(database_text(), {"password": "open sesame"}))


def test_planted_leak_is_found_in_a_basic_header():
    header = spellings("otto:open sesame")
    assert any(
        text in "Authorization: Basic b3R0bzpvcGVuIHNlc2FtZQ==" for text in header
    )
