"""People, things and simulated clusters that the tests talk about."""

import gc
import os
import shutil
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any
from unittest import mock

import hypothesis
import pytest
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.test import Client
from rest_framework.test import APIClient

from accounts.access import Role
from accounts.models import ApiToken
from clusters.models import Cluster, Node
from jobs import dispatch, presence
from jobs.engine import perform_job
from jobs.models import Job, Process
from jobs.sites import served_by
from lab import Lab
from peers.models import Peer
from tests.migrated import copied_when_created
from wire import spare_collector

# The same examples in each run, however slow the machine is; `make fuzz` and bench/
# look for others.
hypothesis.settings.register_profile(
    "tests",
    deadline=None,
    derandomize=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("tests")

REQUIRED = os.environ.get("CUPADMIN_TEST_REQUIRE", "").split(",")


PORTS = ("axl_port", "sip_port", "sip_tls_port", "sip_peer_tls_port")


def missing(what: str, reason: str) -> None:
    """Skip, unless CI says that this machine must have it."""
    if what in REQUIRED:
        pytest.fail(f"{reason}, and CUPADMIN_TEST_REQUIRE names {what}")
    pytest.skip(reason)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, Any, Any]:
    """Ten thousand tests are objects that all live: to look for garbage among them
    again and again takes a tenth of the time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        spare_collector()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings: None,
) -> Iterator[None]:
    """The database of the tests is a copy of one that was migrated once."""
    with copied_when_created():
        yield


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):  # type: ignore[no-untyped-def]
    """Emptying the tables after a test is the one thing that deletes audit entries."""
    from django.db import connection

    flush = connection.ops.execute_sql_flush
    triggers = import_module("accounts.migrations.0005_audit_entries_stay")
    vendor = connection.vendor

    def without_triggers(statements: list[str]) -> None:
        with connection.cursor() as cursor:
            for statement in triggers.RELEASE[vendor]:
                cursor.execute(statement)
        flush(statements)
        with connection.cursor() as cursor:
            for statement in triggers.KEEP[vendor]:
                cursor.execute(statement)

    # Nothing here asks for the permissions of models, which Django makes again after
    # each emptying; that takes fifteen times as long as the emptying.
    emit = "django.core.management.commands.flush.emit_post_migrate_signal"
    emptying = mock.patch.object(connection.ops, "execute_sql_flush", without_triggers)
    with mock.patch(emit), emptying:
        yield


@pytest.fixture(scope="module")
def module_db(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """A transaction around a module: what its own fixtures make is there for each
    test, and each test is undone by itself. For modules whose tests all use `db`."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture(scope="session")
def chromium() -> str:
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        missing("browser", "there is no Chromium on this machine")
    return str(path)


def person(name: str, role: Role) -> User:
    user = User.objects.create_user(name, password="correct horse battery")
    # Tests with real transactions empty the tables, the migrated groups too.
    user.groups.add(Group.objects.get_or_create(name=role.value)[0])
    return user


@pytest.fixture
def viewer(db: None) -> User:
    return person("vera", Role.VIEWER)


@pytest.fixture
def operator(db: None) -> User:
    return person("otto", Role.OPERATOR)


@pytest.fixture
def administrator(db: None) -> User:
    return person("ada", Role.ADMINISTRATOR)


@pytest.fixture
def client_of() -> Callable[[User], Client]:
    def sign_in(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return sign_in


@pytest.fixture
def api() -> Callable[[User], APIClient]:
    """A REST client with a token of the user's own role."""

    def with_token(user: User) -> APIClient:
        role = Role(user.groups.get().name)
        _, text = ApiToken.issue(user, "test", role)
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {text}")
        return client

    return with_token


@pytest.fixture
def cluster_factory(db: None) -> Callable[..., Cluster]:
    return make_clusters()


def make_clusters() -> Callable[..., Cluster]:
    """Clusters that no test dials: a publisher at an address of their own."""
    made = 0

    def make(name: str = "", **fields: object) -> Cluster:
        nonlocal made
        made += 1
        cluster = Cluster(
            name=name or f"cluster{made}",
            domain="example.com",
            **{"axl_username": "axladmin", "provisioning": "direct", **fields},
        )
        cluster.seal("axl_password", "open sesame")
        cluster.save()
        Node.objects.create(
            cluster=cluster,
            name=f"{cluster.name}-pub.example.com",
            address=f"127.66.{made}.1",
            certificate_fingerprint="ab" * 32,
            certificate_state=Node.CertificateState.TRUSTED,
        )
        return cluster

    return make


@pytest.fixture
def peer_factory() -> Callable[..., Peer]:
    """Peers on a home cluster that point to the publisher of a remote one."""

    def make(home: Cluster, remote: Cluster, **fields: object) -> Peer:
        assert remote.publisher is not None
        peer = Peer(
            cluster=home,
            remote_cluster=remote,
            **{"address": remote.publisher.address, "username": "icuser", **fields},
        )
        peer.seal("password", "open sesame")
        peer.save()
        return peer

    return make


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """Two simulated clusters of two nodes each, for the whole run of the tests."""
    with Lab(clusters=2, nodes=2, users=(12, 8), network="auto") as running:
        yield running


@pytest.fixture
def lab_clusters(db: None, lab: Lab, settings: object) -> list[Cluster]:
    """The lab's clusters as the console knows them: registered and trusted."""
    settings.DNS_SERVERS = [lab.describe()["dns"]]  # type: ignore[attr-defined]
    return [register(description) for description in lab.describe()["clusters"]]


def register(description: dict) -> Cluster:  # type: ignore[type-arg]
    cluster = Cluster(
        name=description["name"],
        domain=description["domain"],
        axl_username=description["axl_username"],
        generation=description["generation"],
        provisioning=Cluster.Provisioning.DIRECT,
    )
    cluster.seal("axl_password", description["axl_password"])
    cluster.save()
    for reported in description["nodes"]:
        ports = {name: reported[name] for name in PORTS}
        Node.objects.create(
            cluster=cluster,
            name=reported["name"],
            address=reported["address"],
            role=reported["role"],
            certificate_fingerprint=reported["fingerprint"],
            certificate_state=Node.CertificateState.TRUSTED,
            **ports,
        )
    return cluster


@pytest.fixture
def work_at(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Work as a worker of some queues; the workers of others work beside it.

    `with work_at(queue, others=[queue]) as worked`: what the others did.
    """

    @contextmanager
    def at(*queues: str, others: Sequence[str]) -> Iterator[list[tuple[str, str]]]:
        worked: list[tuple[str, str]] = []

        def send_messages(rings: Iterable[tuple[str, str]]) -> None:
            for pk, queue in rings:
                kind = Job.objects.get(pk=pk).kind
                if served_by(queue) in others and kind == "collect-facts":
                    worked.append((queue, kind))
                    with monkeypatch.context() as patch:
                        patch.setattr(presence, "_queues", frozenset(others))
                        perform_job(pk)

        for queue in others:
            Process.objects.create(host=queue, pid=1, kind="worker", queues=[queue])
        with monkeypatch.context() as patch:
            patch.setattr(dispatch, "send_messages", send_messages)
            patch.setattr(presence, "_queues", frozenset(queues))
            yield worked

    return at
