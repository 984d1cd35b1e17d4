"""Users by day, and the growth that they show."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from clusters.models import Cluster
from diagnostics.answers import Answer
from diagnostics.facts import Facts
from diagnostics.signals import clusters_recorded
from sizing.models import UsersOnDay
from sizing.reading import read_deployment
from sizing.warnings import find_warnings
from tests.diagnostics.healthy import cluster, failure


def read_days(row, at, users):
    here = cluster(2, 1, users=users)
    facts = Facts(at, {str(row.pk): replace(here, id=str(row.pk))})
    clusters_recorded.send(sender=Cluster, facts=facts)


def users(number):
    return Answer({"cup2-1.example.com": number, "cup1-1.example.com": 7})


def on_days(row, counts):
    today = timezone.now().date()
    for ago, number in counts.items():
        day = today - timedelta(days=ago)
        UsersOnDay.objects.create(cluster=row, day=day, users=number)


def test_last_count_of_a_day_stays(counted):
    row, now = counted("Bonn", 5), timezone.now()
    for number in (10, 12):
        read_days(row, now, users(number))
    assert [one.users for one in UsersOnDay.objects.all()] == [12]


def test_users_that_were_not_counted_make_no_day(counted):
    row = counted("Bonn", 5)
    read_days(row, timezone.now(), failure("refused"))
    assert not UsersOnDay.objects.exists()


def test_old_days_are_forgotten(counted):
    row = counted("Bonn", 5)
    on_days(row, {500: 1, 399: 2})
    read_days(row, timezone.now(), users(3))
    assert [one.users for one in UsersOnDay.objects.all()] == [3, 2]


@pytest.mark.parametrize(
    ("counts", "growth"),
    [
        ({}, None),
        ({0: 100}, None),
        ({13: 100, 0: 200}, None),
        ({60: 1_000, 30: 5, 0: 1_200}, 100),
        ({200: 9_999, 60: 1_000, 0: 400}, -300),
    ],
)
def test_growth_is_between_the_first_and_the_last_day(counted, counts, growth):
    row = counted("Bonn", 5)
    on_days(row, counts)
    assert read_deployment().clusters[0].growth == growth


def test_limit_that_growth_reaches_within_a_year_is_a_warning(counted):
    row = counted("Bonn", 30_000)
    on_days(row, {60: 26_000, 0: 30_000})
    assert [one.code for one in find_warnings(read_deployment())] == ["limit-soon"]


def test_limit_that_is_years_away_is_none(counted):
    row = counted("Bonn", 30_000)
    on_days(row, {60: 29_900, 0: 30_000})
    assert find_warnings(read_deployment()) == []
