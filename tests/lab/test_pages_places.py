"""Where the pages are: ports, options, commands, and the table behind them."""

import dataclasses
import socket

import pytest

from lab import Lab, control, listeners
from lab.__main__ import lab_options, parser
from lab.peer_table import FORMS

from .pages_client import Browser


def small(**more):
    return Lab(
        clusters=1,
        nodes=2,
        users=(2,),
        network="auto",
        sip=False,
        dns=False,
        shared_key=True,
        **{"pages": "frames"} | more,
    )


def test_nodes_on_one_address_each_have_a_free_port():
    with small(single_address=True) as lab:
        ports = {node.pages_port for node in lab.nodes}
        assert len(ports) == 2
        assert all(Browser(n).sign_in().status == 200 for n in lab.nodes)


def test_a_taken_port_is_replaced_by_a_free_one(monkeypatch):
    monkeypatch.setattr(listeners, "PAGES_PORT", 8443)
    with small() as lab:
        node = lab.nodes[0]
        assert node.pages_port not in (0, 8443)
        assert (
            lab.describe()["clusters"][0]["nodes"][0]["pages_port"] == node.pages_port
        )


def test_the_port_is_the_same_after_the_node_was_down():
    with small(single_address=True) as lab:
        node = lab.nodes[0]
        port = node.pages_port
        node.set_fault("node", "down")
        with socket.socket() as probe:
            assert probe.connect_ex((node.address, port))
        node.clear_faults()
        assert Browser(node, port).sign_in().status == 200


def test_an_unknown_markup_is_refused():
    lab = Lab(pages="baroque", network="auto")
    with pytest.raises(ValueError, match="baroque is no markup of pages; known"):
        lab.start()


def test_the_command_line_names_markups_in_turn():
    given = parser().parse_args(["--pages", "classic,off"])
    assert lab_options(given)["pages"] == ("classic", "off")
    assert lab_options(parser().parse_args([]))["pages"] == ()


def test_commands_report_saves_and_change_the_password():
    with small() as lab:
        Browser(lab.nodes[0]).sign_in().save_new("a.lab.example")
        assert control.run_command(lab, ["saves", "cup1"])["saves"] == {
            "a.lab.example": 1
        }
        control.run_command(lab, ["password", "cup1", "administrator", "another"])
        assert lab.describe()["clusters"][0]["pages_password"] == "another"
        assert not Browser(lab.nodes[0]).sign_in(password="another").shows_sign_in


@pytest.mark.parametrize("form", FORMS)
def test_an_entry_can_be_changed_in_every_form_of_table(form):
    with small(forms=form) as lab:
        home = lab.clusters[0]
        for address in ("a.lab.example", "b.lab.example"):
            home.add_peer(address, "someone", "secret")
        before, untouched = home.peers()
        values = {"username": "another", "password": "new", "protocol": "TLS"}
        changed = dataclasses.replace(before, address="192.0.2.9", **values)
        home.change_peer(changed)
        assert home.peers() == [changed, untouched]
