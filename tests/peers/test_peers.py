import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts import audit
from accounts.models import AuditEntry
from clusters.forms import RETYPE
from jobs.models import Job
from peers import rules
from peers.models import Peer
from tests.elements import elements, levels

PASSWORD = "s3cret of icuser"


@pytest.fixture
def oslo(cluster_factory):
    return cluster_factory("Oslo")


@pytest.fixture
def typed(madrid, oslo):
    return {
        "cluster": madrid.pk,
        "address": oslo.publisher.address,
        "username": "icuser",
        "password": PASSWORD,
        "confirm_password": PASSWORD,
        "protocol": "TCP",
        "external_phone_number_mask": "+4722XXXXXX",
    }


def page(name, *args):
    return reverse(f"peers:{name}", args=args)


def messages_of(answer):
    return [str(message) for message in answer.context["messages"]]


def broken_rule(answer):
    """The rule whose sentence stands at the address."""
    form = answer.context["form"]
    (message,) = form.errors["address"]
    (found,) = [one for one in rules.PEER_RULES if one.check(form.instance) == message]
    return found.id


def test_add_without_clusters_says_what_to_do(ada):
    answer = ada.get(page("add_peer"))
    add = reverse("clusters:add_cluster")
    assert elements(answer, f"//*[@class='panel']//a[@href='{add}']")
    assert not elements(answer, "//main//form")


def test_saved_peer_is_provisioned_by_a_job(ada, typed, oslo):
    answer = ada.post(page("add_peer"), typed)
    peer, job = Peer.objects.get(), Job.objects.get()
    assert answer.url == page("edit_peer", peer.pk)
    assert (job.kind, job.target_id) == ("provision-peer", str(peer.pk))
    assert peer.remote_cluster == oslo
    assert peer.unseal("password").reveal() == PASSWORD


def test_saving_names_the_missing_other_side(ada, typed):
    answer = ada.post(page("add_peer"), typed, follow=True)
    assert rules.both_sides(Peer.objects.get()) in messages_of(answer)


def test_protocols_that_differ_are_a_warning_and_saved(
    ada, typed, madrid, oslo, peer_factory
):
    peer_factory(oslo, madrid, protocol="TLS")
    answer = ada.post(page("add_peer"), typed, follow=True)
    sentence = rules.same_protocol(Peer.objects.get(cluster=madrid))
    named = re.findall("TCP|TLS|Madrid|Oslo", sentence)
    assert named == ["TCP", "Madrid", "TLS", "Oslo"]
    assert sentence in messages_of(answer)


def test_form_recommends_tcp(ada, madrid):
    field = ada.get(page("add_peer")).context["form"]["protocol"]
    assert field.value() == "TCP" and "TCP" in field.help_text


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("address", "https://10.1.1.1", "address"),
        ("address", "10.1.1.1:8443", "address"),
        ("address", "ic user", "address"),
        ("address", "fe80::1%eth0", "address"),
        ("address", "x" * 300, "address"),
        ("address", "", "required"),
        ("username", "", "required"),
        ("username", "ic\tuser", "control"),
        ("password", "", "required"),
        ("confirm_password", "other", "differs"),
        ("protocol", "SCTP", "invalid_choice"),
        ("external_phone_number_mask", "+1XX22", "x_last"),
        ("external_phone_number_mask", "++1XX", "plus"),
        ("external_phone_number_mask", "1" * 40, "too_long"),
        ("external_phone_number_mask", "1" * 90, "max_length"),
        ("external_phone_number_mask", "+", "plus_alone"),
    ],
)
def test_bad_value_gives_one_sentence_at_its_field(ada, typed, field, value, code):
    answer = ada.post(page("add_peer"), typed | {field: value})
    (error,) = answer.context["form"].errors.as_data()[field]
    assert error.code == code
    assert not Peer.objects.exists()


def test_bad_value_keeps_what_was_typed_but_never_the_password(ada, typed):
    answer = ada.post(page("add_peer"), typed | {"address": "a b"})
    text = answer.content.decode()
    assert 'value="a b"' in text and 'value="icuser"' in text
    assert PASSWORD not in text
    assert RETYPE in text


def test_node_of_the_home_cluster_is_no_peer(ada, typed, madrid):
    answer = ada.post(page("add_peer"), typed | {"address": madrid.publisher.name})
    assert broken_rule(answer) == "own-node"


def test_same_address_twice_is_refused(ada, typed):
    ada.post(page("add_peer"), typed)
    assert broken_rule(ada.post(page("add_peer"), typed)) == "same-address"


def test_second_peer_for_a_remote_cluster_is_refused(ada, typed, oslo):
    ada.post(page("add_peer"), typed)
    answer = ada.post(page("add_peer"), typed | {"address": oslo.publisher.name})
    assert broken_rule(answer) == "same-cluster"


def test_link_proposes_home_cluster_address_and_protocol(
    ada, madrid, oslo, peer_factory
):
    peer_factory(oslo, madrid, protocol="TLS")
    query = {"cluster": madrid.pk, "remote": oslo.pk}
    form = ada.get(page("add_peer"), query).context["form"]
    assert form.initial == {
        "cluster": madrid,
        "address": oslo.publisher.name,
        "protocol": "TLS",
    }


def test_link_with_nonsense_proposes_nothing(ada, madrid):
    query = {"cluster": "x", "remote": "1' or '1'='1"}
    assert ada.get(page("add_peer"), query).status_code == 200


def test_peer_page_shows_the_other_side(ada, madrid, oslo, peer_factory):
    peer, back = peer_factory(madrid, oslo), peer_factory(oslo, madrid, protocol="UDP")
    text = ada.get(page("edit_peer", peer.pk)).content.decode()
    assert back.get_absolute_url() in text
    assert "differs" in text


def test_peer_page_tells_how_old_the_status_of_each_side_is(
    ada, madrid, oslo, peer_factory
):
    peer, back = peer_factory(madrid, oslo), peer_factory(oslo, madrid)
    at = timezone.now() - timedelta(hours=3)
    Peer.objects.filter(pk=back.pk).update(outcome="passed", checked_at=at)
    text = ada.get(page("edit_peer", peer.pk)).content.decode()
    both = text[text.index("Both entries") :]
    assert "3 hours ago" in both
    assert ">never<" in both


def test_a_check_brings_the_provisioning_pane_up_to_date(
    ada, madrid, oslo, peer_factory
):
    peer = peer_factory(madrid, oslo)
    text = ada.get(page("edit_peer", peer.pk)).content.decode()
    assert 'id="provisioning"' in text
    assert 'hx-select-oob="#provisioning:morph"' in text


def test_peer_page_reads_no_other_clusters_and_the_peer_once(
    ada, madrid, oslo, peer_factory, cluster_factory
):
    url = page("edit_peer", peer_factory(madrid, oslo).pk)
    cluster_factory("Rome")
    with CaptureQueriesContext(connection) as requested:
        text = ada.get(url).content.decode()
    assert ">Madrid</option>" in text and "Rome" not in text
    tables = [query["sql"].partition(" FROM ")[2].split()[0] for query in requested]
    # These two, for their certificates.
    assert tables.count('"clusters_cluster"') == 1
    # This one, the matching one, and the ids of both for their certificates.
    assert tables.count('"peers_peer"') == 3


def test_peer_page_never_holds_the_password(ada, madrid, oslo, peer_factory):
    text = ada.get(page("edit_peer", peer_factory(madrid, oslo).pk)).content.decode()
    assert "open sesame" not in text and "v1|" not in text


def test_edit_changes_what_was_typed_and_provisions_again(
    ada, typed, madrid, oslo, peer_factory
):
    peer = peer_factory(madrid, oslo)
    empty = {"password": "", "confirm_password": "", "protocol": "UDP", "revision": 1}
    ada.post(page("edit_peer", peer.pk), typed | empty)
    peer.refresh_from_db()
    assert (peer.protocol, peer.revision) == ("UDP", 2)
    assert peer.updated_at > peer.created_at
    assert peer.unseal("password").reveal() == "open sesame"
    assert Job.objects.get().kind == "provision-peer"


def test_edit_without_a_change_starts_no_job(ada, typed, madrid, oslo, peer_factory):
    peer = peer_factory(madrid, oslo, external_phone_number_mask="+4722XXXXXX")
    same = {"password": "", "confirm_password": "", "revision": 1}
    answer = ada.post(page("edit_peer", peer.pk), typed | same, follow=True)
    assert levels(answer) == ["info"]
    assert not Job.objects.exists()


def test_home_cluster_of_a_peer_stays(ada, typed, madrid, oslo, peer_factory):
    peer = peer_factory(madrid, oslo)
    moved = {"cluster": oslo.pk, "revision": 1}
    ada.post(page("edit_peer", peer.pk), typed | moved)
    assert Peer.objects.get().cluster == madrid


def test_new_password_alone_is_a_change(ada, typed, madrid, oslo, peer_factory):
    peer = peer_factory(madrid, oslo, external_phone_number_mask="+4722XXXXXX")
    ada.post(page("edit_peer", peer.pk), typed | {"revision": 1})
    assert Peer.objects.get().unseal("password").reveal() == PASSWORD
    (entry,) = AuditEntry.objects.filter(action="edit peer")
    assert entry.changes == {"password": [None, "changed"]}


def test_second_editor_is_told_and_shown_the_difference(
    ada, typed, madrid, oslo, peer_factory
):
    peer = peer_factory(madrid, oslo)
    url = page("edit_peer", peer.pk)
    ada.post(url, typed | {"revision": 1, "protocol": "TLS"})
    audit.append_entry(audit.CONSOLE, "check peer", peer)
    answer = ada.post(url, typed | {"revision": 1, "protocol": "UDP"})
    assert answer.context["form"].edited_by.action == "edit peer"
    assert answer.context["form"].conflict == [
        {"label": "Preferred protocol", "theirs": "TLS", "yours": "UDP"}
    ]
    assert Peer.objects.get().protocol == "TLS"


def test_edit_replaces_a_set_up_that_still_waits(
    ada, typed, madrid, oslo, peer_factory
):
    url = page("edit_peer", peer_factory(madrid, oslo).pk)
    ada.post(url, typed | {"revision": 1, "protocol": "TLS"})
    ada.post(url, typed | {"revision": 2, "protocol": "UDP"})
    states = Job.objects.order_by("created_at").values_list("state", flat=True)
    assert list(states) == ["cancelled", "queued"]


def test_edit_waits_for_a_set_up_that_runs(ada, typed, madrid, oslo, peer_factory):
    url = page("edit_peer", peer_factory(madrid, oslo).pk)
    ada.post(url, typed | {"revision": 1, "protocol": "TLS"})
    Job.objects.update(state=Job.State.RUNNING)
    answer = ada.post(url, typed | {"revision": 2, "protocol": "UDP"})
    assert "still running" in answer.context["form"].non_field_errors()[0]
    assert Peer.objects.get().protocol == "TLS"


def test_provisioning_pane_polls_until_its_job_ends(ada, typed):
    ada.post(page("add_peer"), typed)
    url = page("provisioning", Peer.objects.get().pk)
    assert ada.get(url).status_code == 200
    Job.objects.update(state=Job.State.SUCCEEDED)
    ended = ada.get(url)
    assert (ended.status_code, ended["HX-Trigger"]) == (286, '{"provisioned": {}}')


def test_deleting_a_peer_on_its_cluster_starts_a_job(ada, madrid, oslo, peer_factory):
    peer = peer_factory(
        madrid, oslo, provisioning_state="applied", applied_address="10.0.0.1"
    )
    ada.post(page("delete_peer", peer.pk), {"scope": "home"})
    assert Job.objects.get().kind == "remove-peer"
    assert Peer.objects.get().removing


def test_deleting_both_sides_is_one_job(ada, madrid, oslo, peer_factory):
    on = {"provisioning_state": "applied", "applied_address": "10.0.0.1"}
    peer, back = peer_factory(madrid, oslo, **on), peer_factory(oslo, madrid, **on)
    ada.post(page("delete_peer", peer.pk), {"scope": "both"})
    assert Job.objects.get().arguments == {"peers": [str(peer.pk), str(back.pk)]}


def test_peer_that_no_cluster_has_is_deleted_at_once(ada, madrid, oslo, peer_factory):
    peer = peer_factory(madrid, oslo, provisioning_state="absent")
    answer = ada.post(page("delete_peer", peer.pk), {"scope": "home"})
    assert answer.url == page("find")
    assert not Peer.objects.exists() and not Job.objects.exists()


def test_forgetting_a_peer_leaves_its_cluster_alone(ada, madrid, oslo, peer_factory):
    peer = peer_factory(
        madrid, oslo, provisioning_state="applied", applied_address="10.0.0.1"
    )
    ada.post(page("delete_peer", peer.pk), {"scope": "forget"})
    assert not Peer.objects.exists() and not Job.objects.exists()


def test_both_sides_are_proposed_where_there_are_two(ada, madrid, oslo, peer_factory):
    url = page("delete_peer", peer_factory(madrid, oslo).pk)
    assert ada.get(url).context["form"]["scope"].value() == "home"
    back = peer_factory(oslo, madrid)
    answer = ada.get(url)
    assert answer.context["form"]["scope"].value() == "both"
    assert str(back) in answer.content.decode()


def test_delete_asks_first(ada, madrid, oslo, peer_factory):
    answer = ada.get(page("delete_peer", peer_factory(madrid, oslo).pk))
    scopes = elements(answer, "//main//form//input[@name='scope']/@value")
    assert scopes == ["home", "forget"]
    assert Peer.objects.exists()


def test_resync_asks_then_restarts_the_agent_of_the_home_publisher(
    ada, madrid, oslo, peer_factory
):
    url = page("resync", peer_factory(madrid, oslo).pk)
    assert "is restarted" in ada.get(url).content.decode()
    ada.post(url)
    job = Job.objects.get()
    assert (job.kind, job.arguments["action"]) == ("control-services", "restart")
    assert str(madrid.publisher) in job.target_label


def test_resync_without_a_publisher_says_so(ada, madrid, oslo, peer_factory):
    peer = peer_factory(madrid, oslo)
    madrid.nodes.all().delete()
    answer = ada.post(page("resync", peer.pk), follow=True)
    assert levels(answer) == ["info"] and "Madrid" in messages_of(answer)[0]
    assert not Job.objects.exists()


def test_viewer_sees_a_peer_but_no_button(
    viewer, client_of, madrid, oslo, peer_factory
):
    peer, vera = peer_factory(madrid, oslo), client_of(viewer)
    text = vera.get(page("edit_peer", peer.pk)).content.decode()
    assert ">Save<" not in text and "Resync" not in text
    assert vera.post(page("edit_peer", peer.pk), {}).status_code == 403


def test_what_a_viewer_cannot_edit_is_sent_for_the_preview_of_the_mask(
    viewer, client_of, madrid, oslo, peer_factory
):
    url = page("edit_peer", peer_factory(madrid, oslo).pk)
    text = client_of(viewer).get(url).content.decode()
    for name in ("address", "external_phone_number_mask"):
        field = next(tag for tag in text.split("<input")[1:] if f'name="{name}"' in tag)
        assert " readonly" in field.split(">")[0]
        assert " disabled" not in field.split(">")[0]


@pytest.mark.parametrize("name", ["delete_peer", "edit_peer"])
def test_operator_may_not_change_a_peer(
    operator, client_of, madrid, oslo, peer_factory, name
):
    url = page(name, peer_factory(madrid, oslo).pk)
    assert client_of(operator).post(url, {"scope": "home"}).status_code == 403


def test_unknown_peer_is_not_found(ada):
    url = page("edit_peer", "00000000-0000-0000-0000-000000000000")
    assert ada.get(url).status_code == 404
