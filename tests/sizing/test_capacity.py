"""The published arithmetic, example by example."""

import pytest

from sizing import capacity
from sizing.capacity import Ceiling, NodePlan

CEILINGS = [
    (200, (650, 325), (450, 225), (90, 45)),
    (150, (866, 433), (600, 300), (120, 60)),
    (100, (1300, 650), (900, 450), (180, 90)),
    (75, (1733, 866), (1200, 600), (240, 120)),
    (50, (2600, 1300), (1800, 900), (360, 180)),
    (25, (5000, 2500), (3600, 1800), (720, 360)),
]


@pytest.mark.parametrize(("contacts", "high", "medium", "small"), CEILINGS)
def test_federated_users_at_each_average(contacts, high, medium, small):
    assert capacity.federated_users(contacts, 130_000, 5_000) == Ceiling(*high)
    assert capacity.federated_users(contacts, 90_000, 5_000) == Ceiling(*medium)
    assert capacity.federated_users(contacts, 18_000, 1_000) == Ceiling(*small)


def test_federated_users_end_at_the_template():
    assert capacity.federated_users(18, 90_000, 5_000) == Ceiling(5000, 2500)
    assert capacity.federated_users(18, 18_000, 1_000) == Ceiling(1000, 500)
    assert capacity.federated_users(0, 90_000, 5_000) == Ceiling(5000, 2500)


@pytest.mark.parametrize(
    ("users", "contacts", "exact"),
    [(2_000, 100, 4.17), (5_000, 75, 7.81), (15_000, 60, 18.75)],
)
def test_contact_lists_take_minutes_to_export(users, contacts, exact):
    assert round(capacity.export_minutes(users, contacts), 2) == exact


def test_sessions_are_those_of_users_and_of_their_clients():
    assert capacity.session_count(100, 40 * 1 + 10 * 2) == 160
    assert capacity.session_count(5_000, 5_000) == 10_000


def test_two_clients_a_user_need_two_groups_with_two_nodes():
    needed = capacity.client_count(25_000, 2)
    assert needed == 50_000
    plan = capacity.nodes_for(needed, 25_000, redundant=True)
    assert plan == NodePlan(groups=2, nodes=4, fits=True)


@pytest.mark.parametrize(
    ("users", "per_node", "redundant", "groups", "nodes", "fits"),
    [
        (75_000, 25_000, True, 3, 6, True),
        (75_001, 25_000, True, 4, 8, False),
        (45_000, 15_000, True, 3, 6, True),
        (30_000, 5_000, False, 6, 6, True),
        (30_000, 5_000, True, 6, 12, False),
    ],
)
def test_nodes_that_users_need(users, per_node, redundant, groups, nodes, fits):
    plan = capacity.nodes_for(users, per_node, redundant=redundant)
    assert plan == NodePlan(groups, nodes, fits)


def test_six_nodes_carry_half_with_high_availability():
    assert capacity.carried_by(6, 5_000, redundant=True) == 15_000
    assert capacity.carried_by(6, 5_000, redundant=False) == 30_000
    assert capacity.carried_by(1, 5_000, redundant=True) == 5_000


@pytest.mark.parametrize(
    ("clusters", "links", "entries"),
    [
        (0, 0, 0),
        (1, 0, 0),
        (2, 1, 2),
        (3, 3, 6),
        (5, 10, 20),
        (30, 435, 870),
        (31, 465, 930),
    ],
)
def test_full_mesh(clusters, links, entries):
    assert capacity.link_count(clusters) == links
    assert capacity.entry_count(clusters) == entries


def test_associated_users_are_those_of_all_others():
    sizes = (4_000, 2_500, 1_200)
    found = [capacity.associated_users(sum(sizes), own) for own in sizes]
    assert found == [3_700, 5_200, 6_500]
