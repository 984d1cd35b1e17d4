from itertools import combinations
from types import SimpleNamespace

import pytest

from mesh.scheduling import schedule_rounds


def clusters(n):
    return [SimpleNamespace(pk=number) for number in range(n)]


@pytest.mark.parametrize("n", [2, 3, 6, 7, 20, 30])
def test_every_pair_comes_once_and_no_cluster_twice_in_a_round(n):
    pairs = list(combinations(clusters(n), 2))
    order = schedule_rounds(pairs)
    ends = [[c.pk for pair in one for c in pair] for one in order]
    assert sorted((a.pk, b.pk) for one in order for a, b in one) == sorted(
        (a.pk, b.pk) for a, b in pairs
    )
    assert all(len(set(one)) == len(one) for one in ends)
    assert len(order) <= 2 * n - 3 if n > 2 else len(order) == 1


def test_no_pairs_need_no_rounds():
    assert schedule_rounds([]) == []
