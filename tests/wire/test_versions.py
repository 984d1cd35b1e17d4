import pytest

from wire.versions import UNKNOWN_VERSION, next_version, supported_versions

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
        (
            f"{OLD}<hr><h3>Apache Tomcat/5.5.17</h3>",
            ["7.1", "7.0", "6.1", "6.0", "1.0"],
        ),
        (
            OLD.replace("7.1</h1>", "7.1<hr/>5.5.17</h1>"),
            ["7.1", "7.0", "6.1", "6.0", "1.0"],
        ),
        ("<h1>HTTP Status 599 - version</h1>Supported by Apache Tomcat/5.5", []),
        (f"<!-- 9.9 -->{NEW}. Java 1.8", ["15.0", "14.0", "12.5", "12.0"]),
        ("Supported axl versions are 12.5, 14 and 15.", ["15.0", "14.0", "12.5"]),
        ("Supported versions are <b>8.5</b>, <b>9.0</b>", ["9.0", "8.5"]),
    ],
)
def test_both_texts_of_599_are_read(page, versions):
    assert supported_versions(page) == versions


def test_best_offer_that_the_node_names_is_chosen():
    assert next_version(["8.0"], OLD, UNKNOWN_VERSION) == "7.1"
    assert next_version(["8.0"], NEW, UNKNOWN_VERSION) == "15.0"


def test_without_a_list_the_next_offer_is_tried():
    assert next_version(["8.0"], "", UNKNOWN_VERSION) == "7.1"


def test_version_that_only_the_node_knows_is_taken():
    assert (
        next_version(["8.0"], "Supported versions are 16.0", UNKNOWN_VERSION) == "16.0"
    )


def test_nothing_is_tried_twice():
    assert next_version(["8.0"], "Supported versions are 8.0", UNKNOWN_VERSION) is None


@pytest.mark.parametrize(
    "text", ["<", "<a", "Supported versions are ", "1.", "x.x.", "|,"]
)
def test_a_long_page_is_read_once(text):
    """Each would take minutes where a pattern goes back over what it has read."""
    page = f"Supported axl versions are {text * (65536 // len(text))}"
    assert supported_versions(page) in ([], ["1.0"])
