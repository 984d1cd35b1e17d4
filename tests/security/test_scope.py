"""Whoever is limited to one cluster meets nothing of another, on any route.

`SAMPLES` beside the matrix says what the id of a route is of; a route without ids is
walked by itself, and `QUERIES` adds what a parameter leads to.
"""

import json
from copy import deepcopy
from pathlib import Path

import pytest
from django.apps import apps
from django.core.exceptions import FullResultSet
from django.db.models import Manager

from accounts import cluster_limits, users
from accounts.roles import Role
from clusters.models import Cluster
from jobs.models import Job, JobCluster
from peers.models import Peer
from tests.conftest import make_clusters, person
from tests.security import world
from tests.security.matrix import ALL_CLUSTERS, MATRIX, OPEN, OWN, SAMPLES
from tests.security.people import sign_in
from tests.security.routes import NOBODY, routes

pytestmark = pytest.mark.long

SEEN, HIDDEN = "alphaville", "bravocity"
# Users are called so: what was asked for is said again on the page.
BACKWARDS = HIDDEN[::-1]
ROUTES = {route.name: route for route in routes()}

# A fragment that says that the peer is gone, as it does for any id.
GONE = {"peers:provisioning": 286}
# Where a parameter leads to what a page does not show by itself.
QUERIES = {
    "services:grid": ["", "?view=nodes", "?format=csv"],
    "services:agents": ["", "?format=csv"],
    "clusters:clusters": ["", "?format=csv"],
    "diagnostics:troubleshooter": ["", "?format=csv"],
    "diagnostics:runs": ["", "?format=csv", "?cluster={cluster}"],
    "directory:leftovers": ["", "?format=csv"],
    "overview:problems": ["", "?format=csv"],
    "directory:locate": ["", f"?user={BACKWARDS}"],
    "directory:comparisons": ["", "?outcome=passed", "?format=csv"],
    "directory:duplicates": ["", "?kind=directory_uri", "?format=csv"],
    "directory:moves": ["", "?source={cluster}"],
    "search": [f"?q={HIDDEN[:6]}"],
    "suggestions": ["", f"?q={HIDDEN[:6]}"],
    "accounts:audit": ["", f"?q={HIDDEN[:6]}"],
    "jobs:find": ["", "?target_id={cluster}", "?format=csv"],
    "peers:find": ["", f"?field=address&operator=begins&value={HIDDEN[:6]}"],
    "peers:add_peer": ["", "?cluster={cluster}&remote={cluster}"],
    "mesh:pair": ["", "?home={cluster}&remote={cluster}"],
    "mesh:set_up": ["", "?one={cluster}&other={cluster}"],
    "services:server": ["", "?server={node}"],
    "directory:mask_preview": [
        "",
        "?cluster={cluster}&address={address}",
    ],
    "api:nodes-list": ["", "?cluster={cluster}"],
    "api:peers-list": ["", "?cluster={cluster}", "?remote_cluster={cluster}"],
    "api:services-list": ["", "?cluster={cluster}", "?node={node}"],
    "api:jobs-list": ["", "?target_id={cluster}"],
    "api:directory-comparison": ["?peer={peer}"],
    "api:directory-duplicates": ["", "?cluster={cluster}"],
    "api:directory-locate": [f"?user={BACKWARDS}"],
    "api:directory-snapshots-list": ["", "?cluster={cluster}"],
    "api:audit-entries-list": ["", "?object_id={peer}"],
}
# What asks a node, or wants more than an id.
ASKS_OTHERS = {
    "api:nodes-certificate",
    "api:nodes-presence-certificate",
    "mesh:adopt",
}
# Rows that nobody finds but through a row that is narrowed itself.
TAKES_NOTHING = {
    "api:imports-apply",
    "api:services-refresh",
    "api:sessions-end-others",
    "api:subscriptions-test",
    "account_logout",
    "accounts:end_other_sessions",
    "api:deliveries-read",
}
THROUGH_OTHERS = {
    "Canary",
    "ClusterPlatform",
    "Event",
    "GroupsSeen",
    "NodeCertificates",
    "NodeReading",
    "PeerCheck",
    "PresenceCertificate",
    "Proof",
    # Also added up over all peers, without names; tests/history has that.
    "PeerDay",
    "ClusterDay",
    "Comparison",
    "ObservedPeerTable",
    "UsersOnDay",
    "UsersSeen",
}
NOT_NARROWED = {
    # The ids of the clusters of a job or a problem are read through it.
    "JobCluster",
    "ProblemCluster",
    # The content of a snapshot, which many requests share in one cache.
    "SnapshotPart",
    # When the Control Center of a node may be called again; only workers ask.
    "NodePace",
    # What a plan means; only its job reads it.
    "PlannedEntry",
    "PlannedPassword",
}


# Where a request looks beyond the limit, and what nothing is shown of.
BEYOND = {
    "accounts/identities.py": "names of the clusters that groups give, for the trail",
    "accounts/cluster_limits.py": "whether a name or an address is unique",
    "clusters/inventory.py": "whether an address or a name is taken",
    "clusters/table_search.py": "which addresses of a peer table are of known nodes",
    "peers/inventory.py": "whether an address is taken; whether the other side matches",
    "peers/imports/inventory.py": "the same for an import; nodes only of what is seen",
    "peers/lifecycle.py": "whether a job began to write the entry of a peer",
    "peers/relations.py": "links of peers to an edited node",
    "jobs/models/submitting.py": "jobs that must end before a row is edited or deleted",
    "history/events.py": "what changed anywhere; each event belongs to its cluster",
    "history/rollup.py": "checks of all peers, to count them",
    "overview/live.py": "when the last sweep was",
    "overview/renewal.py": "all problems, of which each person is shown a part",
    "diagnostics/jobs/troubleshoot.py": "whether a run is over all clusters",
}


def scoped():
    return [
        m for m in apps.get_models() if issubclass(m, cluster_limits.HangsOnClusters)
    ]


@pytest.fixture(autouse=True)
def own_folder(settings, tmp_path):
    settings.DATA_DIR = tmp_path


@pytest.fixture(scope="module")
def made(module_db):
    """Two clusters with one of everything each, and what is of both."""
    make = make_clusters()
    seen = world.make_world(SEEN, make(SEEN))
    hidden = world.make_world(HIDDEN, make(HIDDEN))
    return seen, hidden, world.shared(seen, hidden)


@pytest.fixture(scope="module")
def signed_in(made):
    """A limited person; another with a limited token."""
    limited, owner = (person(n, Role.ADMINISTRATOR) for n in ("lima", "olga"))
    chosen = [str(made[0].cluster.pk)]
    users.limit_user(limited, chosen)
    return (
        sign_in(limited, Role.ADMINISTRATOR),
        sign_in(owner, Role.ADMINISTRATOR, clusters=chosen),
    )


@pytest.fixture
def seen(made, db):
    return deepcopy(made[0])


@pytest.fixture
def hidden(made, db):
    return deepcopy(made[1])


@pytest.fixture
def both(made, db):
    return made[2]


@pytest.fixture
def everybody(signed_in, db):
    """The pages for a limited person; REST for the limited token of another."""
    limited, owner = signed_in
    return limited.browser(), owner.script()


def client_for(route, everybody):
    browser, script = everybody
    return script if route.is_api or route.name == "metrics" else browser


def ask_as(client, method, url, data=None):
    options = {"content_type": "application/json"} if "/api/" in url else {}
    if data is None or "/api/" not in url:
        return client.generic(method, url, **options)
    return client.generic(method, url, json.dumps(data), **options)


def text_of(response):
    if response.streaming:
        return b"".join(response.streaming_content).decode()
    return response.content.decode()


def lists():
    """Routes without an id that can be read."""
    return [
        name
        for name, route in ROUTES.items()
        if str(NOBODY) not in route.url
        and "999999" not in route.url
        and (name == "metrics" or "GET" in MATRIX.get(name, ()))
    ]


def leaks(name, everybody, hidden):
    """Where the reading of a route without an id tells of the hidden cluster."""
    route = ROUTES[name]
    for query in QUERIES.get(name, [""]):
        url = route.url + query.format(**hidden.ids)
        response = client_for(route, everybody).get(url, follow=False)
        text = text_of(response)
        if response.status_code >= 500:
            yield f"{url}: {response.status_code}"
        elif HIDDEN in text:
            at = text.index(HIDDEN)
            yield f"{url}: {text[max(at - 60, 0) : at + 60]!r}"
        elif response.status_code not in (200, 302) and plain(name):
            yield f"{url}: {response.status_code}"


def plain(name):
    return name not in QUERIES and name not in ALL_CLUSTERS


def found(name, everybody, ids, methods=("GET", "POST", "PUT", "PATCH", "DELETE")):
    """The methods of a route that answer the id of something hidden."""
    route = ROUTES[name]
    url = route.url.replace(str(NOBODY), str(ids[SAMPLES[name]]))
    for method in MATRIX[name].keys() & methods:
        expected = GONE.get(name, 404)
        status = ask_as(client_for(route, everybody), method, url).status_code
        if status != expected:
            yield f"{method} {url}: {status}"


def test_every_route_with_an_id_has_a_sample():
    with_ids = {
        name
        for name, route in ROUTES.items()
        if (str(NOBODY) in route.url or "999999" in route.url)
        and name not in ALL_CLUSTERS
    }
    assert with_ids == set(SAMPLES) | OWN


def test_every_model_that_hangs_on_a_cluster_is_narrowed():
    """A row hangs on a cluster when its links lead to one, however far."""
    hanging = {Cluster}
    while True:
        more = {
            model
            for model in apps.get_models()
            for field in model._meta.concrete_fields
            if field.many_to_one or field.one_to_one
            if field.related_model in hanging
        }
        if more <= hanging:
            break
        hanging |= more
    names = {model.__name__ for model in hanging}
    assert names - NOT_NARROWED <= {model.__name__ for model in scoped()}
    for model in scoped():
        assert isinstance(model._default_manager, cluster_limits.ScopedManager), model
        assert type(model._base_manager) is Manager


def test_few_places_look_beyond_the_limit():
    root = Path(cluster_limits.__file__).parent.parent
    found = {
        str(path.relative_to(root))
        for app in apps.get_app_configs()
        if Path(app.path).parent == root
        for path in Path(app.path).rglob("*.py")
        if "with all_clusters()" in path.read_text()
    }
    assert found == set(BEYOND)


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_id_of_another_cluster_is_an_id_of_nothing(name, everybody, hidden):
    assert list(found(name, everybody, hidden.ids)) == []


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_id_of_the_own_cluster_is_found(name, everybody, seen):
    route = ROUTES[name]
    if "GET" not in MATRIX[name] or name in ASKS_OTHERS:
        return
    url = route.url.replace(str(NOBODY), str(seen.ids[SAMPLES[name]]))
    response = client_for(route, everybody).get(url)
    assert response.status_code in (200, 302, GONE.get(name)), url


@pytest.mark.parametrize("name", sorted(lists()))
def test_list_tells_nothing_of_another_cluster(name, everybody, seen, hidden, both):
    assert list(leaks(name, everybody, hidden)) == []


@pytest.mark.parametrize("model", scoped(), ids=lambda model: model.__name__)
def test_removed_narrowing_is_noticed(
    model, everybody, seen, hidden, both, monkeypatch
):
    if model.__name__ in THROUGH_OTHERS:
        return
    narrowed = cluster_limits.WithinLimit.as_sql

    def as_sql(self, compiler, connection):
        if self.lhs.target.model is model:
            raise FullResultSet
        return narrowed(self, compiler, connection)

    monkeypatch.setattr(cluster_limits.WithinLimit, "as_sql", as_sql)
    assert noticed(everybody, hidden, both)


def noticed(everybody, hidden, both):
    for name in sorted(SAMPLES):
        if fault := next(found(name, everybody, hidden.ids, ["GET"]), None):
            return fault
    for name in lists():
        if fault := next(leaks(name, everybody, hidden), None):
            return fault
    return next(partly(everybody, both), None)


def partly(everybody, both):
    """Where a job or a run of both clusters tells of the hidden one."""
    for name, kind in SAMPLES.items():
        if kind in both and "GET" in MATRIX[name] and name != "jobs:target":
            route = ROUTES[name]
            url = route.url.replace(str(NOBODY), str(both[kind]))
            response = client_for(route, everybody).get(url)
            text = text_of(response)
            if response.status_code != 200 or HIDDEN in text:
                at = max(text.find(HIDDEN), 60)
                yield f"{url}: {response.status_code} {text[at - 60 : at + 60]!r}"


def test_job_and_run_of_both_show_the_own_part(everybody, both, seen):
    assert list(partly(everybody, both)) == []


def test_job_of_both_can_be_neither_cancelled_nor_retried(everybody, both):
    browser, script = everybody
    for action in ("cancel", "retry"):
        url = ROUTES[f"jobs:{action}"].url.replace(str(NOBODY), str(both["job"]))
        assert browser.post(url).status_code == 403
        url = ROUTES[f"api:jobs-{action}"].url.replace(str(NOBODY), str(both["job"]))
        assert script.post(url).status_code == 403
    assert Job.objects.get(pk=both["job"]).state == "running"


@pytest.mark.parametrize(
    "name", sorted(n for n in MATRIX if "POST" in MATRIX[n] and n not in SAMPLES)
)
def test_body_cannot_name_another_cluster(name, everybody, seen, hidden):
    """Every form field and member that takes an id is given a hidden one."""
    route, ids = ROUTES[name], {k: str(v) for k, v in hidden.ids.items()}
    if name in TAKES_NOTHING:
        return
    data = {
        **{k: ids[k] for k in ("cluster", "node", "peer", "service")},
        "clusters": [ids["cluster"]],
        "remote_cluster": ids["cluster"],
        "one": ids["cluster"],
        "other": str(seen.cluster.pk),
        "home": ids["cluster"],
        "protocol": "TCP",
        "action": "stop",
        "name": "newcomer",
        "address": "192.0.2.77",
        "username": "somebody",
        "password": "open sesame 77",
        "confirm_password": "open sesame 77",
        "scope": "home",
    }
    if name == "api:peers-check-many":
        data = {"ids": [ids["peer"]]}
    elif name == "api:services-control":
        data = {"ids": [ids["service"]], "action": "stop"}
    elif name.startswith("api:mesh"):
        both = [ids["cluster"], str(seen.cluster.pk)]
        data = {"clusters": both, "protocol": "TCP", "plan_hash": "x"}
    before = touched(hidden)
    client = client_for(route, everybody)
    if route.is_api:
        response = client.post(route.url, data, format="json")
    else:
        response = client.post(route.url, data)
    assert response.status_code < 500
    assert HIDDEN not in text_of(response)
    assert touched(hidden) == before
    if name in ALL_CLUSTERS:
        assert response.status_code == 403
    elif route.is_api:
        assert response.status_code == 400


def touched(hidden):
    pk = hidden.cluster.pk
    return (
        JobCluster.objects.filter(cluster=pk).count(),
        Peer.objects.filter(cluster=pk).values_list("removing", flat=True)[:].count(),
        Peer.objects.filter(cluster=pk, removing=True).count(),
        hidden.cluster.nodes.count(),
    )


@pytest.mark.parametrize("name", sorted(ALL_CLUSTERS))
def test_what_is_for_all_clusters_is_refused(name, everybody, hidden):
    route = ROUTES[name]
    for method in ALL_CLUSTERS[name]:
        status = ask_as(client_for(route, everybody), method, route.url, {}).status_code
        assert status == 403, method


@pytest.mark.parametrize("name", sorted(set(MATRIX) - set(OPEN)))
def test_declarations_say_the_same_as_the_matrix(name):
    view, expected = ROUTES[name].view, ALL_CLUSTERS.get(name, set())
    if not ROUTES[name].is_api:
        assert bool(getattr(view, "all_clusters", False)) == bool(expected)
        return
    actions = set(getattr(view.cls, "all_clusters", ()))
    found = {m for m in MATRIX[name] if ROUTES[name].action(m) in actions}
    assert found == expected
