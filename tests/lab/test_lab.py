import json
import os
import signal
import subprocess
import sys
import threading

import pytest

from lab import Lab
from lab.__main__ import main
from tests.waiting import PATIENCE, eventually

from .client import query

SQL = "select count(*) from enduser where tkuserprofile = 1"


def test_clusters_differ_in_users_and_share_none(lab):
    everyone = [user for cluster in lab.clusters for user in cluster.users()]
    assert len(everyone) == len(set(everyone)) == 12 + 9 + 15


def test_the_description_has_what_a_client_needs(lab, imp):
    described = lab.describe()["clusters"][2]
    assert described["users"] == imp.local_users
    assert described["peer_table"]["columns"]["address"] == "peeraddress"
    assert described["nodes"][1] == {
        "name": "cup3-sub1.lab.example",
        "address": imp.subscribers[0].address,
        "role": "subscriber",
        "axl_port": 8443,
        "sip_port": 5060,
        "sip_tls_port": 5061,
        "sip_peer_tls_port": 5062,
        "pages_port": None,
        "presence_port": None,
        "presence_fingerprint": None,
        "fingerprint": imp.subscribers[0].fingerprint,
    }


def test_a_second_start_continues_with_the_state(tmp_path):
    with Lab(clusters=2, users=5, network="auto", state=tmp_path) as lab:
        first, second = lab.clusters
        first.peer_with(second)
        first.add_users(2)
        first.publisher.service("Cisco UP SIP Proxy").set("Stopped")
        fingerprint = first.publisher.fingerprint
        network = lab.place.network
    with Lab(clusters=2, users=5, network=network, state=tmp_path) as lab:
        first, second = lab.clusters
        assert first.peers() and first.local_users == 7
        assert first.publisher.fingerprint == fingerprint
        assert not first.publisher.service("Cisco UP SIP Proxy").is_started


def test_a_service_under_way_ends_where_it_was_going(tmp_path):
    name = "Cisco UP SIP Proxy"
    with Lab(clusters=1, network="auto", state=tmp_path, service_delay=60) as lab:
        lab.clusters[0].publisher.command(name, "Stop")
    with Lab(clusters=1, network="auto", state=tmp_path) as lab:
        assert lab.clusters[0].publisher.service(name).status == "Stopped"


def test_an_upgrade_changes_the_dialect_and_keeps_the_data():
    with Lab(clusters=1, users=4, network="auto", generation="cup8") as lab:
        cluster = lab.clusters[0]
        cluster.become("imp", "14")
        reply = query(cluster.publisher, SQL, version="14.0")
        assert reply.rows()[0]["count"] == "4"
        assert "Cisco Intercluster Sync Agent" in cluster.publisher.services


def test_versions_choose_the_generation():
    versions = ("7.0", "9.1", "15")
    with Lab(clusters=3, nodes=1, users=1, network="auto", versions=versions) as lab:
        assert [c.generation for c in lab.clusters] == ["cup7", "imp", "imp"]
        assert lab.clusters[2].release.version.startswith("15.0.1")


def test_an_unknown_version_is_refused():
    with pytest.raises(ValueError, match="6.0"):
        Lab(clusters=1, network="auto", versions="6.0").start()


def test_the_peer_table_can_be_another():
    table = {
        "table": "icpeer",
        "columns": {
            "address": "host",
            "username": "axluser",
            "password": "axlpassword",
            "protocol": "tkprotocol",
            "external_phone_number_mask": "e164mask",
        },
        "protocol_values": {"TCP": "tcp", "UDP": "udp", "TLS": "tls"},
    }
    with Lab(clusters=2, users=3, network="auto", peer_table=table) as lab:
        first, second = lab.clusters
        first.peer_with(second, "TLS")
        row = first.sql("select host, tkprotocol from icpeer")[0]
        assert row == {"host": second.publisher.address, "tkprotocol": "tls"}


def test_one_address_serves_where_there_are_no_others():
    with Lab(clusters=2, users=(3, 4), single_address=True, agent_interval=0.05) as lab:
        first, second = lab.clusters
        first.peer_with(second)
        assert first.publisher.axl_port != second.publisher.axl_port
        assert query(second.publisher, SQL).rows()[0]["count"] == "4"
        assert eventually(lambda: first.associated_users == 4)


def test_labs_on_one_address_take_ports_of_their_own():
    options = {"clusters": 1, "nodes": 1, "single_address": True}
    with Lab(**options) as one, Lab(**options) as two:
        first, second = one.nodes[0], two.nodes[0]
        assert second.axl_port > first.sip_peer_tls_port


def test_two_labs_run_side_by_side():
    with Lab(clusters=1, network="auto") as one, Lab(clusters=1, network="auto") as two:
        assert one.place.network != two.place.network


def test_nothing_is_left_after_a_lab():
    threads = set(threading.enumerate())
    with Lab(clusters=2, network="auto") as lab:
        directory = lab.directory
        query(lab.clusters[0].publisher, SQL)
    assert set(threading.enumerate()) == threads
    assert not directory.exists()


def test_a_result_over_8_mb_is_refused_and_pages_are_not():
    with Lab(clusters=1, nodes=1, users=60_000, network="auto") as lab:
        node = lab.clusters[0].publisher
        reply = query(node, "select * from enduser", timeout=30)
        assert "Total rows matched: 60000 rows" in reply.one("faultstring")
        page = query(node, "select first 2000 * from enduser", timeout=30)
        assert len(page.rows()) == 2000


@pytest.fixture
def running(tmp_path, lab):
    path = tmp_path / "lab.json"
    lab.write_description(path)
    return ["--describe", str(path)]


def test_the_command_line_sets_and_clears_faults(running, lab, cup8, capsys):
    assert main([*running, "fault", "set", "cup2-pub", "axl=off"]) == 0
    assert query(cup8.publisher, SQL).status == 404
    main([*running, "fault", "list"])
    assert "axl=off" in capsys.readouterr().out
    main([*running, "fault", "clear", "cup2-pub", "axl"])
    assert query(cup8.publisher, SQL).status == 200


def test_the_command_line_takes_a_node_down_and_up(running, cup8):
    main([*running, "fault", "set", "cup2", "node=down"])
    assert eventually(lambda: not cup8.publisher.servers)
    main([*running, "fault", "clear"])
    assert eventually(lambda: len(cup8.publisher.servers) == 4)


def test_the_command_line_manages_users_peers_and_services(running, lab, cup8, capsys):
    main([*running, "users", "add", "cup2", "1"])
    userid = capsys.readouterr().out.strip()
    assert userid in cup8.users()
    main([*running, "users", "remove", "cup2", userid])
    main([*running, "peers", "add", "cup2", "cup3", "TLS"])
    assert cup8.peers()[0].protocol == "TLS"
    name = "Cisco UP SIP Proxy"
    main([*running, "service", "set", "cup2-pub", *name.split(), "Stopped"])
    assert not cup8.publisher.service(name).is_started


@pytest.mark.parametrize(
    "words",
    [["fault", "set", "moon", "axl=off"], ["fault", "set", "cup1", "axl"], ["dance"]],
)
def test_the_command_line_says_what_is_wrong(running, capsys, words):
    assert main([*running, *words]) == 1
    assert capsys.readouterr().err


def test_the_control_channel_needs_the_token(lab):
    answer = lab.control.obey({"token": "guess", "words": ["describe"]})
    assert answer == {"ok": False, "error": "the token is not the lab's"}


def test_help_lists_every_fault(capsys):
    assert main(["fault", "--help"]) == 0
    assert "cut-headers" in capsys.readouterr().out


@pytest.mark.servers
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_lab(tmp_path, number):
    command = [sys.executable, "-m", "lab", "--network", "auto", "--clusters", "2"]
    process = subprocess.Popen(
        [*command, "--state", tmp_path, "--peer", "cup1:cup2"],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ,
    )
    lines = [process.stdout.readline() for _ in range(3)]
    assert "The lab is ready" in lines[-1]
    described = json.loads((tmp_path / "lab.json").read_text())
    assert len(described["clusters"]) == 2
    process.send_signal(number)
    assert process.wait(PATIENCE) == 0
    process.stdout.close()
    assert not (tmp_path / "lab.json").exists()
