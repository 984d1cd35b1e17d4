"""What was changed on a cluster itself is shown, and there are two ways out."""

import json

import pytest
from django.urls import reverse

from accounts.models import AuditEntry
from jobs.models import Job
from peers import rules
from peers.models import Peer
from tests.elements import elements, levels

CHANGED = {"protocol": "UDP", "username": "somebody"}


@pytest.fixture
def pair(cluster_factory):
    return cluster_factory("Madrid"), cluster_factory("Oslo")


@pytest.fixture
def peer(pair, peer_factory):
    address = pair[1].publisher.address
    applied = {"provisioning_state": "applied", "applied_address": address}
    return peer_factory(*pair, drift=CHANGED, **applied)


def url(name, peer):
    return reverse(f"peers:{name}", args=[peer.pk])


def notice_of(client, peer):
    """The outcome and the link of the notice beside a peer."""
    page = client.get(peer.get_absolute_url())
    [notice] = elements(page, "//*[@id='provisioning']//*[@role='alert']")
    return [notice.get("class").split()[-1], *notice.xpath(".//a/@href")]


def test_the_peer_page_and_the_list_warn(ada, peer):
    for page in (peer.get_absolute_url(), reverse("peers:find")):
        assert elements(ada.get(page), "//*[@data-state='drifted']")
    assert notice_of(ada, peer) == ["warning", url("drift", peer)]


def test_the_matrix_tells_it_in_the_cell(ada, peer):
    page = ada.get(reverse("mesh:matrix"))
    [cell] = elements(page, f"//td[a/@href='{peer.get_absolute_url()}']")
    assert {"half", "drifted"} < set(cell.get("class").split())


def test_the_page_shows_wanted_and_found(ada, viewer, client_of, peer):
    answer, button = ada.get(url("drift", peer)), url("take_over", peer)
    for text in ("icuser", "somebody", "TCP", "UDP"):
        assert text in answer.content.decode()
    assert elements(answer, f"//form[@action='{button}']")
    seen = client_of(viewer).get(url("drift", peer))
    assert not elements(seen, f"//form[@action='{button}']")


def test_the_values_of_the_cluster_are_taken_over(ada, peer):
    ada.post(url("take_over", peer), {"seen": json.dumps(CHANGED)})
    peer.refresh_from_db()
    assert (peer.protocol, peer.username, peer.drift) == ("UDP", "somebody", {})
    assert peer.provisioning_state == "applied"
    event = AuditEntry.objects.get(action="take over values")
    assert event.changes == {
        "protocol": ["TCP", "UDP"],
        "username": ["icuser", "somebody"],
    }
    assert Job.objects.get().kind == "check-peers"


@pytest.mark.parametrize("seen", ['{"protocol": "TLS"}', "", "not json", "[1]"])
def test_what_was_not_seen_is_not_taken_over(ada, peer, seen):
    answer = ada.post(url("take_over", peer), {"seen": seen}, follow=True)
    assert answer.redirect_chain[-1][0] == url("drift", peer)
    assert levels(answer) == ["error"]
    peer.refresh_from_db()
    assert peer.protocol == "TCP"


def test_a_value_that_breaks_a_rule_is_not_taken_over(ada, peer, pair):
    wrong = {"address": pair[0].publisher.address}
    Peer.objects.filter(pk=peer.pk).update(drift=wrong)
    answer = ada.post(url("take_over", peer), {"seen": json.dumps(wrong)}, follow=True)
    broken = rules.peer_errors(Peer(cluster=pair[0], **wrong))["address"]
    assert broken.code == "own-node"
    assert [str(one) for one in answer.context["messages"]] == broken.messages
    assert Peer.objects.get().address == peer.address


def test_a_protocol_that_nobody_knows_is_not_taken_over(ada, peer):
    Peer.objects.filter(pk=peer.pk).update(drift={"protocol": "7"})
    answer = ada.post(url("take_over", peer), {"seen": '{"protocol": "7"}'})
    assert answer.status_code == 302
    assert Peer.objects.get().protocol == "TCP"


def test_ours_is_written_again(ada, peer):
    answer = ada.post(url("write_again", peer))
    assert answer.url == peer.get_absolute_url()
    job = Job.objects.get()
    assert (job.kind, job.target_id) == ("provision-peer", str(peer.pk))
    assert Peer.objects.get().provisioning_state == "pending"


def test_a_peer_that_is_being_removed_is_not_written_again(ada, peer):
    Peer.objects.update(removing=True)
    answer = ada.post(url("write_again", peer), follow=True)
    assert levels(answer) == ["error"]
    assert not Job.objects.exists()


def test_an_entry_removed_on_the_cluster_offers_to_go_or_to_come_back(ada, peer):
    Peer.objects.update(provisioning_state="absent", drift={})
    assert notice_of(ada, peer) == ["warning", url("drift", peer)]
    page = ada.get(url("drift", peer))
    assert elements(page, f"//a[@href='{url('delete_peer', peer)}']")
    forms = elements(page, "//main//form/@action")
    assert url("write_again", peer) in forms
    assert url("take_over", peer) not in forms


def test_a_peer_as_wanted_has_no_such_page(ada, peer):
    Peer.objects.update(drift={})
    answer = ada.get(url("drift", peer), follow=True)
    assert answer.redirect_chain[-1][0] == peer.get_absolute_url()
    assert levels(answer) == ["info"]


def test_operators_change_nothing(operator, client_of, peer):
    client = client_of(operator)
    for name in ("take_over", "write_again"):
        assert client.post(url(name, peer)).status_code == 403
        assert client.get(url(name, peer)).status_code == 405


def test_rest_tells_both_values(viewer, api, peer):
    reported = api(viewer).get(f"/api/v1/peers/{peer.pk}/").json()
    assert reported["drift"] == {
        "protocol": {"wanted": "TCP", "cluster": "UDP"},
        "username": {"wanted": "icuser", "cluster": "somebody"},
    }


def test_rest_takes_over_once(administrator, api, peer):
    client = api(administrator)
    reported = client.post(f"/api/v1/peers/{peer.pk}/take-over/").json()
    assert (reported["protocol"], reported["drift"]) == ("UDP", {})
    answer = client.post(f"/api/v1/peers/{peer.pk}/take-over/")
    assert answer.status_code == 409


@pytest.mark.parametrize("sent", [{}, {"content_type": "application/json"}])
def test_rest_takes_over_what_is_there_without_a_body(administrator, api, peer, sent):
    answer = api(administrator).post(f"/api/v1/peers/{peer.pk}/take-over/", **sent)
    assert (answer.status_code, answer.json()["protocol"]) == (200, "UDP")


def test_rest_takes_over_what_was_seen(administrator, api, peer):
    Peer.objects.update(drift={"external_phone_number_mask": "+1 "})
    client, address = api(administrator), f"/api/v1/peers/{peer.pk}/"
    seen = client.get(address).json()["drift"]
    assert seen == {"external_phone_number_mask": {"wanted": "", "cluster": "+1 "}}
    Peer.objects.update(drift={"username": "somebody", "protocol": "UDP"})
    refused = client.post(f"{address}take-over/", {"drift": seen}, format="json")
    assert refused.status_code == 409
    now = client.get(address).json()["drift"]
    assert refused.json()["drift"] == now
    assert Peer.objects.get().username == "icuser"
    taken = client.post(f"{address}take-over/", {"drift": now}, format="json")
    assert (taken.status_code, taken.json()["username"]) == (200, "somebody")


def test_rest_refuses_what_was_seen_when_the_wish_changed(administrator, api, peer):
    client, address = api(administrator), f"/api/v1/peers/{peer.pk}/"
    seen = client.get(address).json()["drift"]
    Peer.objects.update(username="nobody")
    answer = client.post(f"{address}take-over/", {"drift": seen}, format="json")
    assert answer.status_code == 409
    assert Peer.objects.get().username == "nobody"


@pytest.mark.parametrize("seen", [None, "UDP", {"protocol": "UDP"}, [1]])
def test_rest_refuses_what_nobody_can_have_seen(administrator, api, peer, seen):
    url = f"/api/v1/peers/{peer.pk}/take-over/"
    answer = api(administrator).post(url, {"drift": seen}, format="json")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["drift"])
    assert Peer.objects.get().protocol == "TCP"


def test_rest_refuses_a_value_that_breaks_a_rule(administrator, api, peer, pair):
    Peer.objects.update(drift={"address": pair[0].publisher.address})
    answer = api(administrator).post(f"/api/v1/peers/{peer.pk}/take-over/")
    assert answer.status_code == 400


def test_rest_writes_again_by_a_job(administrator, api, peer):
    answer = api(administrator).post(f"/api/v1/peers/{peer.pk}/write-again/")
    assert answer.status_code == 202
    assert Job.objects.get().kind == "provision-peer"
    again = api(administrator).post(f"/api/v1/peers/{peer.pk}/write-again/")
    assert again.status_code == 202
    assert Job.objects.filter(state="cancelled").count() == 1


def test_rest_writes_nothing_of_a_peer_that_goes(administrator, api, peer):
    Peer.objects.update(removing=True)
    answer = api(administrator).post(f"/api/v1/peers/{peer.pk}/write-again/")
    assert answer.status_code == 409
