import json

import pytest
from django.utils import timezone
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

SCHEMA = "/api/v1/schema/"


@pytest.fixture(scope="module")
def schema():
    GENERATOR_STATS.reset()
    return SchemaGenerator().get_schema(public=True)


def operations(schema):
    return [
        (method, path, operation)
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    ]


def test_schema_is_drawn_without_a_warning(schema):
    messages = [*GENERATOR_STATS._warn_cache, *GENERATOR_STATS._error_cache]
    assert messages == []


def test_schema_is_valid_openapi(schema):
    assert schema["openapi"].startswith("3.1")
    validate_schema(json.loads(json.dumps(schema, default=str)))


def test_each_operation_says_what_it_does(schema):
    silent = [
        f"{method} {path}"
        for method, path, operation in operations(schema)
        if not operation.get("description")
    ]
    assert silent == []


def test_ends_of_a_list_are_null(schema):
    pages = [
        about
        for name, about in schema["components"]["schemas"].items()
        if name.startswith("Paginated")
    ]
    assert pages
    for page in pages:
        for link in ("next", "previous"):
            assert "null" in page["properties"][link]["type"]


def test_each_operation_names_its_errors(schema):
    for method, path, operation in operations(schema):
        expected = {"400", "401", "403", "406", "429"}
        expected |= {"404"} if "{" in path else set()
        assert expected <= set(operation["responses"]), f"{method} {path}"


def properties(schema, node):
    """The (name, description) of each field below a part of the schema."""
    seen, todo = set(), [node]
    while todo:
        part = todo.pop()
        if isinstance(part, list):
            todo += part
        elif isinstance(part, dict):
            name = part.get("$ref", "").rpartition("/")[2]
            if name and name not in seen:
                seen.add(name)
                todo.append(schema["components"]["schemas"][name])
            yield from part.get("properties", {}).items()
            todo += part.values()


def test_requests_hold_nothing_that_is_only_read(schema):
    for method, path, operation in operations(schema):
        fields = properties(schema, operation.get("requestBody", {}))
        read = [name for name, about in fields if about.get("readOnly")]
        assert read == [], f"{method} {path}"


def test_answers_hold_nothing_that_is_only_written(schema):
    for method, path, operation in operations(schema):
        fields = properties(schema, operation["responses"])
        written = [name for name, about in fields if about.get("writeOnly")]
        assert written == [], f"{method} {path}"


def test_no_secret_is_ever_answered(schema):
    for name, component in schema["components"]["schemas"].items():
        for field, about in component.get("properties", {}).items():
            if "password" in field and not field.endswith("_set"):
                assert about.get("writeOnly"), f"{name}.{field}"


def test_examples_of_requests_are_accepted(schema, administrator, api, cluster_factory):
    cluster_factory(id="6f1e0c0e-6f6c-4d5e-9a56-3f1f5b8f7c10")
    client = api(administrator)
    soon = f"{timezone.now().year + 1}-"
    tried = 0
    for method, path, operation in operations(schema):
        content = operation.get("requestBody", {}).get("content", {})
        for example in content.get("application/json", {}).get("examples", {}).values():
            if "{" not in path:
                value = json.loads(json.dumps(example["value"]).replace("2030-", soon))
                response = getattr(client, method)(path, value)
                assert response.status_code < 300, f"{path}: {response.content}"
                tried += 1
    assert tried


def test_schema_needs_a_sign_in(client):
    assert client.get(SCHEMA).status_code == 401


def test_schema_is_served(viewer, api):
    response = api(viewer).get(SCHEMA, HTTP_ACCEPT="application/vnd.oai.openapi+json")
    assert response.status_code == 200
    assert response.json()["info"]["title"] == "cupadmin"


def test_interactive_pages_load_nothing_from_elsewhere(viewer, client_of):
    response = client_of(viewer).get("/api/v1/docs/")
    content = response.content.decode()
    assert "https://" not in content
    assert "http://" not in content
    assert "unsafe" not in response["Content-Security-Policy"]
