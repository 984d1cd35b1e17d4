import pytest
from django.urls import reverse

from peers import rules
from peers.models import Peer
from tests.elements import elements

ADVISE = reverse("peers:advise")
ADD = reverse("peers:add_peer")


@pytest.fixture
def subscriber(cluster_factory):
    oslo = cluster_factory("Oslo")
    return oslo.nodes.create(
        role="subscriber", name="sub.oslo.example", address="10.9.9.9"
    )


@pytest.fixture
def typed(madrid, subscriber):
    return {
        "cluster": madrid.pk,
        "address": subscriber.name,
        "username": "icuser",
        "password": "s3cret of icuser",
        "confirm_password": "s3cret of icuser",
        "protocol": "TCP",
    }


def test_advice_comes_while_a_peer_is_typed(ada, typed):
    advice = ada.post(ADVISE, typed).context["advice"]
    assert advice.serious
    assert "publisher" in advice.warnings
    assert not Peer.objects.exists()


def test_advice_names_errors_too(ada, typed, madrid):
    address = madrid.publisher.address
    answer = ada.post(ADVISE, typed | {"address": address})
    broken = rules.peer_errors(Peer(cluster=madrid, address=address))["address"]
    assert broken.code == "own-node"
    assert answer.context["advice"].errors == broken.messages


@pytest.mark.parametrize("address", ["", "not an address", "\0"])
def test_there_is_no_advice_on_what_is_no_address(ada, typed, address):
    answer = ada.post(ADVISE, typed | {"address": address, "protocol": "nonsense"})
    assert answer.context["advice"].key == ""


def test_a_first_save_shows_serious_advice_and_asks_once(ada, typed):
    answer = ada.post(ADD, typed)
    assert not Peer.objects.exists()
    advice = answer.context["advice"]
    notices = elements(answer, "//*[@id='advice']/*[@role='alert']")
    assert len(notices) == 1 + len(advice.warnings)  # the first: it is not saved
    assert typed["password"] not in answer.content.decode()
    ada.post(ADD, typed | {"advised": advice.key})
    assert Peer.objects.get().address == typed["address"]


def test_advice_that_was_shown_is_not_repeated_after_the_save(ada, typed):
    key = ada.post(ADVISE, typed).context["advice"].key
    answer = ada.post(ADD, typed | {"advised": key}, follow=True)
    assert [message.level_tag for message in answer.context["messages"]] == ["success"]


def test_advice_on_another_address_does_not_count(ada, typed):
    ada.post(ADD, typed | {"advised": f"{typed['cluster']} other.example"})
    assert not Peer.objects.exists()


def test_an_edit_that_keeps_the_address_is_saved_at_once(
    ada, typed, madrid, subscriber, peer_factory
):
    peer = peer_factory(madrid, subscriber.cluster, address=subscriber.name)
    form = ada.get(peer.get_absolute_url()).context["form"]
    sent = typed | {"protocol": "TLS", "revision": form.initial["revision"]}
    del sent["password"], sent["confirm_password"]
    ada.post(peer.get_absolute_url(), sent)
    peer.refresh_from_db()
    assert peer.protocol == "TLS"
