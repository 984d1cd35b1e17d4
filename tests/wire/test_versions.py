import pytest

from wire.versions import STRANGER, next_version, supported_versions

OLD = (
    "<html><body><h1>HTTP Status 599 - The specified version is not available.  "
    "Available versions are 1.0, 6.0, 6.1, 7.0 and 7.1</h1></body></html>"
)
NEW = (
    "HTTP Status 599 - Incorrect axl version. "
    "Supported axl versions are 12.x, 14.0 and 15.0"
)


@pytest.mark.parametrize(
    ("page", "versions"),
    [
        (OLD, ["7.1", "7.0", "6.1", "6.0", "1.0"]),
        (NEW, ["15.0", "14.0", "12.5", "12.0"]),
        ("<html>HTTP Status 599</html>", []),
        ("Apache Tomcat/7.0.88", []),
    ],
)
def test_both_texts_of_599_are_read(page, versions):
    assert supported_versions(page) == versions


def test_best_offer_that_the_node_names_is_chosen():
    assert next_version(["8.0"], OLD, STRANGER) == "7.1"
    assert next_version(["8.0"], NEW, STRANGER) == "15.0"


def test_without_a_list_the_next_offer_is_tried():
    assert next_version(["8.0"], "", STRANGER) == "7.1"


def test_version_that_only_the_node_knows_is_taken():
    assert next_version(["8.0"], "Supported versions are 16.0", STRANGER) == "16.0"


def test_nothing_is_tried_twice():
    assert next_version(["8.0"], "Supported versions are 8.0", STRANGER) is None
