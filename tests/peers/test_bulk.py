"""Changing, deleting and checking many peers."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts import users
from accounts.models import AuditEntry, BrowserSession
from jobs.models import Job
from notifications.models import Maintenance
from peers.bulk import changes, drafts, selection
from peers.models import BulkDraft, Peer
from tests.elements import texts

FIND, CHOOSE = reverse("peers:find"), reverse("peers:bulk_choose")
CHECK = reverse("diagnostics:check_selected")
APPLIED = {"provisioning_state": "applied", "applied_address": "x"}


@pytest.fixture
def pair(cluster_factory, peer_factory):
    """Madrid and Oslo, each with the entry for the other, both on their clusters."""
    madrid, oslo = cluster_factory("Madrid"), cluster_factory("Oslo")
    make = peer_factory
    return make(madrid, oslo, **APPLIED), make(oslo, madrid, **APPLIED)


def drafted(client, peers, action="change", **form):
    client.post(CHOOSE, {"peer": [peer.pk for peer in peers], "action": action})
    draft = BulkDraft.objects.get()
    answer = client.post(draft.get_absolute_url(), form)
    return draft, answer


def plan_of(client, draft):
    return client.get(reverse("peers:bulk_plan", args=[draft.pk])).context["plan"]


def confirm(client, draft, plan_hash=None):
    url = reverse("peers:bulk_apply", args=[draft.pk])
    told = plan_hash or plan_of(client, draft).hash
    return client.post(url, {"plan_hash": told})


def protocols():
    return set(Peer.objects.values_list("protocol", flat=True))


def test_protocol_changes_on_both_sides_by_one_job_each(ada, pair):
    draft, _ = drafted(ada, pair[:1], protocol="TLS", both_sides="on")
    plan = plan_of(ada, draft)
    assert [(item.action, item.matching) for item in plan.items] == [
        ("change", False),
        ("change", True),
    ]
    assert plan.warnings == []
    confirm(ada, draft)
    assert protocols() == {"TLS"}
    assert Job.objects.filter(kind="provision-peer").count() == 2
    assert AuditEntry.objects.filter(action="edit peer").count() == 2
    assert not BulkDraft.objects.exists()


def test_one_side_alone_warns(ada, pair):
    draft, _ = drafted(ada, pair[:1], protocol="TLS")
    plan = plan_of(ada, draft)
    assert plan.items[0].warnings == (changes.OTHER_PROTOCOL,)
    assert len(plan.warnings) == 1


def test_new_values_and_password_are_stored_and_no_page_has_it(ada, pair):
    word = "a word of its own"
    form = {"username": "new", "password": word, "confirm_password": word}
    draft, answer = drafted(ada, pair, external_phone_number_mask="+1408XXXX", **form)
    page = ada.get(answer.url).content.decode()
    assert "new password" in page and word not in page
    assert word not in str(BulkDraft.objects.values())
    confirm(ada, draft)
    for peer in Peer.objects.all():
        assert (peer.username, peer.external_phone_number_mask) == ("new", "+1408XXXX")
        assert peer.unseal("password").reveal() == word
    assert word not in str(AuditEntry.objects.values())


def test_masks_can_be_removed(ada, pair):
    Peer.objects.filter(pk=pair[0].pk).update(external_phone_number_mask="+1X")
    draft, _ = drafted(ada, pair, remove_mask="on")
    [group] = plan_of(ada, draft).left_out
    assert group.name == changes.NO_CHANGE
    confirm(ada, draft)
    assert not Peer.objects.exclude(external_phone_number_mask="").exists()
    assert Job.objects.count() == 1


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"protocol": "SCTP"},
        {"external_phone_number_mask": "abc"},
        {"password": "one", "confirm_password": "two"},
        {"external_phone_number_mask": "+1X", "remove_mask": "on"},
    ],
)
def test_form_without_a_good_change_goes_no_further(ada, pair, form):
    _, answer = drafted(ada, pair, **form)
    assert answer.status_code == 200 and answer.context["form"].errors
    assert not BulkDraft.objects.get().options


def test_peers_that_a_job_works_on_are_left_out(ada, pair):
    kept, held = pair
    Job.objects.submit("check-peers", [], target=held, locks=[f"peer:{held.pk}"])
    Peer.objects.filter(pk=kept.pk).update(removing=True)
    draft, _ = drafted(ada, pair, protocol="TLS")
    plan = plan_of(ada, draft)
    assert plan.changes == [] and plan.counts == {"none": 2}
    confirm(ada, draft)
    assert protocols() == {"TCP"}


def test_matching_entry_under_work_keeps_its_protocol_and_the_other(ada, pair):
    other = pair[1]
    Job.objects.submit("check-peers", [], target=other, locks=[f"peer:{other.pk}"])
    draft, _ = drafted(ada, pair[:1], protocol="TLS", both_sides="on")
    assert plan_of(ada, draft).counts == {"none": 2}


def test_release_without_the_field_keeps_the_mask_out(ada, pair):
    home = pair[0].cluster
    home.generation = "imp"
    home.version = "12.5.1"
    home.save()
    draft, _ = drafted(ada, pair[:1], external_phone_number_mask="+1X")
    [group] = plan_of(ada, draft).left_out
    assert "no field" in group.name


def test_plan_that_is_no_longer_true_is_refused(ada, pair):
    draft, _ = drafted(ada, pair, protocol="TLS")
    before = plan_of(ada, draft).hash
    Peer.objects.filter(pk=pair[0].pk).update(revision=9)
    answer = confirm(ada, draft, before)
    assert answer.url == reverse("peers:bulk_plan", args=[draft.pk])
    assert protocols() == {"TCP"} and BulkDraft.objects.exists()


def test_rotation_names_the_entries_that_keep_the_old_password(
    ada, pair, cluster_factory, peer_factory
):
    peer_factory(cluster_factory("Rome"), pair[0].remote_cluster)
    pair[0].remote_cluster.peering_username = "icuser"
    pair[0].remote_cluster.save()
    draft, _ = drafted(ada, pair[:1], password="new", confirm_password="new")
    rotate, rest = plan_of(ada, draft).warnings
    assert "icuser" in rotate and "icuser" not in rest
    assert "Oslo" in rest and re.findall(r"\d+", rest) == ["1"]


def test_maintenance_of_a_cluster_is_seen_on_the_plan(ada, pair):
    now = timezone.now()
    window = Maintenance.objects.create(
        cluster=pair[0].cluster, begins_at=now, ends_at=now + timedelta(hours=1)
    )
    _, answer = drafted(ada, pair[:1], protocol="TLS", both_sides="on")
    (warning,) = texts(ada.get(answer.url), "//*[@class='plan-warnings']/li")
    assert "Madrid" in warning and f"{window.ends_at:%Y-%m-%d %H:%M}" in warning


def test_deletion_of_both_sides_is_one_job_for_a_pair(ada, pair):
    draft, _ = drafted(ada, pair[:1], "delete", scope="both")
    plan = plan_of(ada, draft)
    assert plan.counts == {"delete": 2} and plan.matching == 1
    confirm(ada, draft)
    job = Job.objects.get()
    assert set(job.arguments["peers"]) == {str(one.pk) for one in pair}


def test_deletion_of_one_side_warns_and_drops_what_no_cluster_has(ada, pair):
    Peer.objects.filter(pk=pair[0].pk).update(
        provisioning_state="absent", applied_address=""
    )
    draft, _ = drafted(ada, pair[:1], "delete", scope="home")
    plan = plan_of(ada, draft)
    assert plan.counts == {"forget": 1} and len(plan.warnings) == 1
    assert confirm(ada, draft).url == FIND
    assert Peer.objects.get() == pair[1]


def test_deletion_from_the_console_only_starts_no_job(ada, pair):
    draft, _ = drafted(ada, pair, "delete", scope="forget")
    confirm(ada, draft)
    assert not Peer.objects.exists() and not Job.objects.exists()


def test_matching_entry_under_work_keeps_both_in(ada, pair):
    other = pair[1]
    Job.objects.submit("check-peers", [], target=other, locks=[f"peer:{other.pk}"])
    draft, _ = drafted(ada, pair[:1], "delete", scope="both")
    assert plan_of(ada, draft).counts == {"none": 2}


def test_all_that_match_are_selected(ada, pair):
    query = "field=cluster&operator=exact&value=Oslo"
    ada.post(CHOOSE, {"all": "1", "query": query, "action": "delete"})
    assert BulkDraft.objects.get().peers == [str(pair[1].pk)]


def test_more_than_one_plan_can_hold_is_refused(ada, pair, monkeypatch):
    monkeypatch.setattr(selection, "MOST_PEERS", 1)
    answer = ada.post(CHOOSE, {"all": "1"}, follow=True)
    assert "2 peers match" in answer.content.decode()
    assert not BulkDraft.objects.exists()


@pytest.mark.parametrize("chosen", [[], ["nonsense"]])
def test_nothing_selected_is_said(ada, pair, chosen):
    for url in (CHOOSE, CHECK):
        answer = ada.post(url, {"peer": chosen}, follow=True)
        (message,) = answer.context["messages"]
        assert (message.level_tag, str(message)) == (
            "error",
            selection.NOTHING_SELECTED,
        )


def test_draft_without_a_change_leads_back_to_its_form(ada, pair):
    ada.post(CHOOSE, {"peer": [pair[0].pk]})
    draft = BulkDraft.objects.get()
    for answer in (ada.get(reverse("peers:bulk_plan", args=[draft.pk])),):
        assert answer.url == draft.get_absolute_url()


def test_draft_is_ones_own_and_is_forgotten(ada, pair, client_of, viewer):
    draft, _ = drafted(ada, pair, protocol="TLS")
    viewer.groups.set(draft.user.groups.all())
    other = client_of(viewer)
    assert other.get(draft.get_absolute_url()).status_code == 404
    BulkDraft.objects.update(created_at=timezone.now() - drafts.KEPT_FOR)
    assert ada.get(draft.get_absolute_url()).status_code == 404
    drafts.forget_old()
    assert not BulkDraft.objects.exists()


def test_confirmation_asks_for_the_password(ada, pair):
    draft, _ = drafted(ada, pair, protocol="TLS")
    plan_hash = plan_of(ada, draft).hash
    BrowserSession.objects.update(proved_at=timezone.now() - timedelta(hours=1))
    answer = confirm(ada, draft, plan_hash)
    assert answer.templates[0].name == "accounts/reauthenticate.html"
    assert protocols() == {"TCP"}


def test_limited_person_reaches_no_other_peers(ada, administrator, pair):
    users.limit_user(administrator, [str(pair[0].cluster_id)])
    draft, _ = drafted(ada, pair, protocol="TLS", both_sides="on")
    assert draft.peers == [str(pair[0].pk)]
    [item] = plan_of(ada, draft).items
    assert (item.peer, item.warnings) == (pair[0], (changes.NO_MATCHING_ENTRY,))


def test_operator_checks_but_does_not_change(operator, client_of, pair):
    otto = client_of(operator)
    text = otto.get(FIND).content.decode()
    assert CHECK in text and 'value="delete"' not in text
    ids = [peer.pk for peer in pair]
    assert otto.post(CHOOSE, {"peer": ids}).status_code == 403
    otto.post(CHECK, {"peer": ids})
    assert Job.objects.get().kind == "check-peers"
    assert AuditEntry.objects.filter(action="check peer").count() == 1


def test_viewer_has_no_bar(viewer, client_of, pair):
    text = client_of(viewer).get(FIND).content.decode()
    assert "bulk-bar" not in text and "select-row" not in text
