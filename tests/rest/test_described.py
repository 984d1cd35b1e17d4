"""What is read of a mesh of three clusters is what the description says of it."""

import re
from functools import cache

import pytest
from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator, FormatChecker

from peers.models import Peer
from tests.scenes import scene

API = "/api/v1/"
FIRST_USER = "u00001"


@cache
def description():
    return SchemaGenerator().get_schema(public=True)


READS = [path for path, methods in description()["paths"].items() if "get" in methods]
QUERIES = {
    "directory/comparison/": lambda: {"peer": str(Peer.objects.first().pk)},
    "directory/locate/": lambda: {"user": FIRST_USER},
}


@pytest.fixture(scope="module")
def three_clusters(module_db):
    scene(3)


@pytest.fixture
def client(three_clusters, administrator, api):
    return api(administrator)


def resolved(schema):
    while "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        schema = description()["components"]["schemas"][name]
    return schema


def undescribed(value, schema, place=""):
    """The fields of an answer that its schema does not name."""
    schema = resolved(schema)
    for other in (*schema.get("oneOf", ()), *schema.get("allOf", ())):
        if resolved(other).get("type") != "null":
            schema = resolved(other)
    if isinstance(value, list):
        for one in value:
            yield from undescribed(one, schema.get("items", {}), place)
    elif isinstance(value, dict) and (known := schema.get("properties")):
        for name, inner in value.items():
            if name in known:
                yield from undescribed(inner, known[name], f"{place}.{name}")
            else:
                yield f"{place}.{name}"


def url_of(client, path):
    """The address of an operation, with the id of a row that exists, or None."""
    if "{" not in path:
        return path
    rows = client.get(path.partition("{")[0]).json()["results"]
    return re.sub(r"\{\w+\}", str(rows[0]["id"]), path) if rows else None


def stands_here(path):
    """Whether the console answers from its own rows, of which a list has the ids."""
    asks_a_node = path.endswith("certificate/")
    return not asks_a_node and ("{" not in path or path.partition("{")[0] in READS)


@pytest.mark.parametrize("path", [*filter(stands_here, READS)])
def test_answer_is_as_described(client, path):
    url = url_of(client, path)
    if url is None:
        pytest.skip("the scene has no such row")
    query = QUERIES.get(path.removeprefix(API), dict)()
    answer = client.get(url, query)
    described = description()["paths"][path]["get"]["responses"][
        str(answer.status_code)
    ]
    schema = described["content"][answer["Content-Type"].partition(";")[0]]["schema"]
    validator = Draft202012Validator(
        schema | {"components": description()["components"]},
        format_checker=FormatChecker(),
    )
    assert [error.message for error in validator.iter_errors(answer.json())] == []
    if answer.status_code == 200:
        assert set(undescribed(answer.json(), schema)) == set()
