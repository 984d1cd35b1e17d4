"""The fifteen faults, one at a time and all at once: each is found and named."""

import pytest

from diagnostics.models import TroubleshooterResult
from lab import Lab
from tests.diagnostics.mesh_of_faults import COUNT, FAULTS, RELEASE, Mesh
from tests.diagnostics.test_troubleshoot import run_now
from tests.waiting import eventually

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def big_lab():
    options = {
        "users": (4,),
        "network": "auto",
        "versions": (RELEASE,),
        "service_delay": 0.1,
        "agent_interval": 0.3,
        "shared_key": True,
    }
    with Lab(clusters=COUNT, nodes=2, **options) as running:
        yield running


@pytest.fixture
def mesh(db, big_lab, settings):
    settings.DNS_SERVERS = [big_lab.describe()["dns"]]
    made = Mesh(big_lab)
    made.mend()
    made.register()
    made.seen_equal(0.1)
    yield made
    undo_users(made)


def undo_users(mesh):
    """Take back what the faults of users wrote."""
    mesh.there[10].database.execute("DELETE FROM enduser WHERE mailid LIKE 'own@%'")
    mesh.there[12].database.execute(
        "UPDATE enduser SET directoryuri = imaddress WHERE tkuserprofile = 1"
    )
    for cluster in mesh.there:
        cluster.database.users_revision += 1


def wrong_tests(mesh):
    """What failed or warns: the rows that name a fault, and the consequences."""
    run = run_now(mesh.here)
    rows = TroubleshooterResult.objects.filter(
        run=run, outcome__in=["failed", "warning"]
    )
    named = {(r.code, r.subject) for r in rows if "caused_by" not in r.details}
    return named, [row for row in rows if "caused_by" in row.details]


def settled(mesh, expected):
    """Run until the agents have carried what the faults changed."""
    found = []

    def as_expected():
        found[:] = wrong_tests(mesh)
        return found[0] == expected

    eventually(as_expected)
    return found


def test_the_healthy_mesh_has_no_failed_test_and_no_warning(mesh):
    # A machine with much to do answers late at first, which is a warning.
    assert settled(mesh, set()) == [set(), []]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_one_fault_is_named_by_its_own_test_alone(mesh, fault):
    expected = fault.set(mesh)
    named, consequences = settled(mesh, expected)
    assert named == expected
    causes = {code for code, _ in expected}
    assert {row.details["caused_by"] for row in consequences} <= causes


def test_all_fifteen_at_once_are_each_named(mesh):
    expected = set().union(*(fault.set(mesh) for fault in FAULTS))
    named, consequences = settled(mesh, expected)
    assert named == expected
    assert wrong_tests(mesh)[0] == expected  # and nothing more came to light
    causes = {code for code, _ in expected}
    for row in consequences:
        assert row.details["caused_by"] in causes
        assert "Caused by: " in row.problem
