"""A job that did not succeed names what keeps it from its clusters, with the fix."""

import pytest
from django.urls import reverse

from jobs.models import Job


@pytest.fixture
def job(pair):
    return Job.objects.submit("test-cluster", [], target=pair.remote)


def end(job, state):
    Job.objects.filter(pk=job.pk).update(state=state, error="It did not work.")


@pytest.mark.parametrize(
    ("state", "displayed"),
    [("failed", True), ("needs_attention", True), ("succeeded", False)],
)
def test_the_cause_and_its_fix(
    client_of, administrator, pair, problems, job, state, displayed
):
    pair.node(contact_code="unauthorized")
    problems()
    end(job, state)
    html = client_of(administrator).get(job.get_absolute_url()).content.decode()
    fix = reverse("clusters:edit_cluster", args=[pair.remote.pk]) + "#id_axl_password"
    assert (f'href="{fix}"' in html) == displayed


def test_trouble_of_other_clusters_is_no_cause(client_of, viewer, pair, problems):
    job = Job.objects.submit("test-cluster", [], target=pair.home)
    pair.node(contact_code="unauthorized")
    problems()
    end(job, "failed")
    html = client_of(viewer).get(job.get_absolute_url()).content.decode()
    assert "causes" not in html
