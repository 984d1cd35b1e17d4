import re

import pytest
from django.urls import reverse

from clusters.models import Cluster
from peers.models import Peer
from tests.elements import elements

FIND = reverse("peers:find")


@pytest.fixture
def peers(cluster_factory):
    """Madrid points to Oslo and Rome, Oslo to nobody that the console knows."""
    madrid, oslo, rome = (cluster_factory(name) for name in ("Madrid", "Oslo", "Rome"))
    return Peer.objects.bulk_create(
        [
            peer(madrid, "10.2.0.1", oslo, username="ic1", outcome="passed"),
            peer(madrid, "rome.example.com", rome, username="ic2", outcome="failed"),
            peer(oslo, "10.9.0.1", None, username="ic3", protocol="TLS"),
        ]
    )


def peer(home, address, remote, **fields):
    return Peer(cluster=home, address=address, remote_cluster=remote, **fields)


def addresses(answer):
    return re.findall('data-copy="([^"]+)"', answer.content.decode())


def criteria(*rows):
    fields, operators, values = zip(*rows, strict=True)
    return {"field": fields, "operator": operators, "value": values}


def test_without_peers_it_says_what_to_do(ada, cluster_factory):
    cluster_factory()
    link = "//*[@class='table-empty']/a/@href"
    assert elements(ada.get(FIND), link) == [reverse("peers:add_peer")]


def test_without_criteria_it_finds_all(ada, peers):
    answer = ada.get(FIND)
    assert addresses(answer) == ["10.2.0.1", "10.9.0.1", "rome.example.com"]
    assert "3 records found" in answer.content.decode()


@pytest.mark.parametrize(
    ("row", "found"),
    [
        (("address", "begins", "10."), ["10.2.0.1", "10.9.0.1"]),
        (("address", "contains", "0.1"), ["10.2.0.1", "10.9.0.1"]),
        (("address", "exact", "ROME.example.com"), ["rome.example.com"]),
        (("address", "ends", ".com"), ["rome.example.com"]),
        (("address", "exact", "10.2.%"), []),
        (("cluster", "begins", "mad"), ["10.2.0.1", "rome.example.com"]),
        (("remote_cluster", "empty", ""), ["10.9.0.1"]),
        (("remote_cluster", "filled", ""), ["10.2.0.1", "rome.example.com"]),
        (("username", "exact", "ic2"), ["rome.example.com"]),
        (("protocol", "exact", "tls"), ["10.9.0.1"]),
        (("status", "begins", "fail"), ["rome.example.com"]),
        (("address", "begins", ""), ["10.2.0.1", "10.9.0.1", "rome.example.com"]),
    ],
)
def test_one_criterion(ada, peers, row, found):
    assert addresses(ada.get(FIND, criteria(row))) == found


def test_all_criteria_must_hold(ada, peers):
    rows = [("address", "begins", "10."), ("cluster", "exact", "Oslo")]
    assert addresses(ada.get(FIND, criteria(*rows))) == ["10.9.0.1"]


def test_unknown_field_and_operator_are_the_first_ones(ada, peers):
    answer = ada.get(FIND, criteria(("password", "regex", "10.2\0")))
    assert addresses(answer) == ["10.2.0.1"]


def test_operators_stand_in_the_order_of_the_product(ada):
    text = ada.get(FIND).content.decode()
    select = text[text.index('name="operator"') :].split("</select>")[0]
    assert re.findall(r">([^<]+)</option>", select) == [
        "begins with",
        "contains",
        "is exactly",
        "ends with",
        "is empty",
        "is not empty",
    ]


def test_the_enter_key_finds_and_adds_no_row(ada):
    form = ada.get(FIND).content.decode().split('id="criteria"')[1]
    assert re.search(r'<button[^>]*type="submit"[^>]*>([^<]*)', form)[1] == "Find"


def test_a_row_can_be_added_and_removed_without_a_script(ada):
    rows = criteria(("address", "begins", "a"), ("username", "exact", "b"))
    added = ada.get(FIND, rows | {"add": "1"}).context["search"]
    removed = ada.get(FIND, rows | {"remove": "0"}).context["search"]
    assert len(added.criteria) == 3
    assert [row.value for row in removed.criteria] == ["b"]


@pytest.mark.parametrize(
    ("sort", "first"),
    [
        ("address", "10.2.0.1"),
        ("-address", "rome.example.com"),
        ("status", "rome.example.com"),
        ("-username", "10.9.0.1"),
        ("-cluster", "10.9.0.1"),
        ("password", "10.2.0.1"),
    ],
)
def test_sort(ada, peers, sort, first):
    answer = ada.get(FIND, {"sort": sort} | criteria(("address", "filled", "")))
    assert addresses(answer)[0] == first


def test_sorted_column_says_so(ada, peers):
    text = ada.get(FIND, {"sort": "-address"}).content.decode()
    assert text.count('aria-sort="descending"') == 1


def test_rows_per_page_are_kept_for_the_session(ada, peers):
    ada.get(FIND, {"rows": "10"})
    assert ada.get(FIND).context["search"].rows == 10
    assert ada.get(FIND, {"rows": "9999"}).context["search"].rows == 10


def test_pages_are_links_that_keep_the_criteria(ada, cluster_factory):
    home = cluster_factory()
    Peer.objects.bulk_create(peer(home, f"10.0.0.{n}", None) for n in range(1, 31))
    query = {"rows": "10"} | criteria(("address", "begins", "10.0"))
    answer = ada.get(FIND, query)
    link = "&amp;field=address&amp;operator=begins&amp;value=10.0&amp;page=2"
    assert len(addresses(answer)) == 10
    assert link in answer.content.decode()


def test_queries_do_not_grow_with_the_rows(
    ada, cluster_factory, django_assert_max_num_queries
):
    homes = [cluster_factory() for _ in range(20)]
    Peer.objects.bulk_create(
        peer(home, f"10.0.0.{n}", homes[n]) for home in homes for n in range(5)
    )
    with django_assert_max_num_queries(12):
        ada.get(FIND, {"rows": "100"})


def test_htmx_gets_the_part_below_the_criteria(ada, peers):
    text = ada.get(FIND, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in text and 'id="found"' in text
    assert '<div hx-swap-oob="innerHTML:#found-count">3 records found</div>' in text


def test_history_of_the_browser_gets_the_whole_page(ada, peers):
    headers = {"HX-Request": "true", "HX-History-Restore-Request": "true"}
    assert "<html" in ada.get(FIND, headers=headers).content.decode()


def test_select_all_checks_every_row_without_a_script(ada, peers):
    text = ada.get(FIND, {"select": "all"}).content.decode()
    assert text.count(" checked>") == 3


def test_viewer_finds_but_selects_nothing(viewer, client_of, peers):
    text = client_of(viewer).get(FIND).content.decode()
    assert "10.2.0.1" in text
    assert "bulk-bar" not in text and "select-row" not in text


def test_export_holds_what_the_search_finds_and_no_password(ada, peers):
    answer = ada.get(reverse("peers:export"), criteria(("status", "exact", "failed")))
    heading, row = answer.getvalue().decode().strip().split("\r\n")
    assert "password" not in heading
    assert row.startswith('"rome.example.com","Madrid","Rome","ic2"')


def test_long_names_of_sixty_clusters_are_suggested(ada, cluster_factory):
    for n in range(60):
        cluster_factory(f"cluster {n:02} " + "x" * 80)
    text = ada.get(FIND).content.decode()
    listed = text[text.index("<datalist") :].split("</datalist>")[0]
    assert listed.count("<option ") == Cluster.objects.count() + 7


@pytest.mark.parametrize(
    ("here", "there", "said"),
    [
        (3, 3, "3 / 3"),
        (3, 4, "3 / 4"),
        (None, 0, "? / 0"),
        (None, None, "–"),
    ],
)
def test_only_equal_counts_of_users_are_good(ada, peers, here, there, said):
    Peer.objects.update(associated_users=here, remote_users=there)
    answer = ada.get(FIND)
    assert said in answer.content.decode()
    marked = elements(answer, "//td[@class='num']/*[@class='outcome warning']")
    assert bool(marked) == (here != there)


def test_what_a_row_shows_is_escaped(ada, peers):
    Peer.objects.update(username="<b>'\"&{0}{address}")
    text = ada.get(FIND).content.decode()
    assert "<b>" not in text
    assert "&lt;b&gt;&#x27;&quot;&amp;{0}{address}</td>" in text
