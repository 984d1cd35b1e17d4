from ui.names import shared_domain, shorten_host


def test_hosts_share_whole_labels_but_never_all():
    hosts = ["pub.cup1.example.com", "sub.cup1.example.com", "cup2.example.com"]
    assert shared_domain(hosts) == ".example.com"
    assert shared_domain(["cup1-pub.example.com"]) == ".example.com"
    assert shared_domain(["192.0.2.1", "198.51.2.1"]) == ""
    assert shared_domain(["cup1", "cup1.example.com"]) == ""
    assert shared_domain([]) == ""


def test_long_hosts_are_told_apart_by_what_they_do_not_share():
    hosts = [f"pub.emea-central-vienna-{n}.example.com" for n in range(10, 99)]
    short = {shorten_host(host, ".example.com") for host in hosts}
    assert len(short) == len(hosts) and max(map(len, short)) == 20
    assert shorten_host("cup1-pub.example.com", ".example.com") == "cup1-pub"
