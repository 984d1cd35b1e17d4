import pytest

CLUSTERS = "/api/v1/clusters/"


@pytest.fixture
def client(viewer, api, cluster_factory):
    for name in ("alpha", "beta", "gamma"):
        cluster_factory(name)
    return api(viewer)


def names(response):
    return [row["name"] for row in response.json()["results"]]


def test_list_is_paged(client):
    body = client.get(CLUSTERS, {"limit": 2}).json()
    assert (body["count"], len(body["results"]), body["previous"]) == (3, 2, None)
    rest = client.get(body["next"]).json()
    assert (len(rest["results"]), rest["next"]) == (1, None)


@pytest.mark.parametrize(
    ("limit", "n_rows"), [("0", 1), ("1", 1), ("10000", 3), ("", 3)]
)
def test_limit_is_clamped(client, limit, n_rows):
    assert len(client.get(CLUSTERS, {"limit": limit}).json()["results"]) == n_rows


@pytest.mark.parametrize("name", ["limit", "offset"])
@pytest.mark.parametrize("value", ["x", "-1", "1.5", "9" * 20, "٣", "1e3", "\0", " 1"])
def test_page_that_is_no_number_is_an_error(client, name, value):
    response = client.get(CLUSTERS, {name: value})
    assert response.status_code == 400
    assert name in response.json()["errors"]


def test_offset_beyond_the_end_is_empty(client):
    response = client.get(CLUSTERS, {"offset": 9_999_999_999})
    assert names(response) == []


def test_order_is_as_asked(client):
    assert names(client.get(CLUSTERS, {"ordering": "-name"})) == [
        "gamma",
        "beta",
        "alpha",
    ]


@pytest.mark.parametrize(
    "field", ["axl_password", "password", "pk__x", "-", "name,x", "\0"]
)
def test_other_columns_give_no_order(client, field):
    response = client.get(CLUSTERS, {"ordering": field})
    assert response.status_code == 400
    assert "ordering" in response.json()["errors"]


def test_filter_finds_by_name(client):
    assert names(client.get(CLUSTERS, {"name": "beta"})) == ["beta"]


@pytest.mark.parametrize(
    "query",
    [
        {"axl_password": "x"},
        {"axl_password__startswith": "v"},
        {"names": "x"},
        {"format": "json"},
        {"": "x"},
        {"name\0": "x"},
    ],
)
def test_unknown_filter_is_an_error(client, query):
    assert client.get(CLUSTERS, query).status_code == 400


@pytest.mark.parametrize(
    ("resource", "name"),
    [
        ("problems", "acknowledged"),
        ("services", "unreachable"),
        ("peers", "remote_cluster__isnull"),
        ("deliveries", "unread"),
    ],
)
@pytest.mark.parametrize("value", ["x", "yes", "2", "null"])
def test_value_that_is_neither_true_nor_false_is_an_error(
    client, resource, name, value
):
    response = client.get(f"/api/v1/{resource}/", {name: value})
    assert response.status_code == 400
    assert [*response.json()["errors"]] == [name]


@pytest.mark.parametrize(
    ("resource", "name"),
    [("nodes", "cluster"), ("peers", "address__icontains"), ("problems", "code")],
)
def test_filter_without_a_value_does_not_find_all_rows(client, resource, name):
    response = client.get(f"/api/v1/{resource}/", {name: ""})
    assert response.status_code == 400
    assert [*response.json()["errors"]] == [name]


@pytest.mark.parametrize("path", ["processes/", "mesh/", "exports/"])
def test_list_without_filters_knows_none(administrator, api, path):
    response = api(administrator).get(f"/api/v1/{path}", {"cluster": "x"})
    assert response.status_code == 400
    assert [*response.json()["errors"]] == ["cluster"]


@pytest.mark.parametrize(
    "path",
    [
        "troubleshooter-runs/",
        "directory/snapshots/",
        "mesh/certificates/read/",
        "peers/check/",
    ],
)
def test_mistyped_name_does_not_mean_all_rows(operator, api, cluster_factory, path):
    cluster = cluster_factory("alpha")
    response = api(operator).post(f"/api/v1/{path}", {"clusterz": [str(cluster.pk)]})
    assert response.status_code == 400
    assert [*response.json()["errors"]] == ["clusterz"]


@pytest.mark.parametrize(
    ("resource", "query"),
    [
        ("clusters", {"name": "\0"}),
        ("clusters", {"name": "x" * 10_000}),
        ("nodes", {"cluster": "x"}),
        ("nodes", {"cluster": "\0"}),
        ("peers", {"remote_cluster": "nonsense"}),
        ("services", {"node": "x"}),
        ("jobs", {"state": "resting"}),
        ("tokens", {"role": "root"}),
    ],
)
def test_value_that_no_row_can_have_is_an_error_or_finds_nothing(
    client, resource, query
):
    response = client.get(f"/api/v1/{resource}/", query)
    assert response.status_code in (200, 400)
    if response.status_code == 200:
        assert response.json()["count"] == 0


@pytest.mark.parametrize(
    "moment", ["9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "x", "\0"]
)
def test_times_at_the_edge_are_an_error_or_find_nothing(administrator, api, moment):
    response = api(administrator).get("/api/v1/audit-entries/", {"since": moment})
    assert response.status_code in (200, 400)
