"""The image and the compose file are read here, without a container engine."""

import json
import re
import shlex

import pytest

from tests.deploy.conftest import UNITS
from tests.deploy.image import COMPOSE, FOLDER, INSTRUCTIONS, ROOT, SERVICES, TEXT

KNOWN = {
    *("FROM", "RUN", "COPY", "ENV", "ARG", "USER", "WORKDIR", "VOLUME"),
    *("EXPOSE", "ENTRYPOINT", "CMD"),
}
OURS = ("prepare", "web", "worker", "beat")
VARIABLES = (ROOT / "docs" / "configuration.md").read_text()


def values(name):
    return [value for instruction, value in INSTRUCTIONS if instruction == name]


def test_the_image_has_known_instructions_and_no_floating_base():
    assert {name for name, _ in INSTRUCTIONS} == KNOWN
    for base in values("FROM"):
        assert re.match(r"docker\.io/library/debian:12-slim( AS \w+)?$", base)


def test_what_is_copied_exists():
    stages = re.findall(r" AS (\w+)$", "\n".join(values("FROM")), re.MULTILINE)
    for value in values("COPY"):
        *sources, _ = shlex.split(value)
        if sources[0].startswith("--from="):
            assert sources[0].removeprefix("--from=") in stages
            continue
        assert all((ROOT / source).exists() for source in sources)


def test_it_runs_without_root():
    assert values("USER") == ["10001:10001"]
    after = TEXT[TEXT.index("USER ") :]
    assert "RUN " not in after


def test_the_image_starts_what_the_units_start():
    (command,) = values("CMD")
    bind = {"0.0.0.0:8000": "127.0.0.1:8000"}
    words = [bind.get(word, word) for word in json.loads(command)]
    assert words == unit_words("cupadmin-web")
    assert SERVICES["beat"]["command"] == unit_words("cupadmin-beat")
    worker = unit_words("cupadmin-worker@")
    at = worker.index("--hostname")  # a container has a host name of its own
    del worker[at : at + 2]
    queues = ["operate,maintenance" if "QUEUES" in word else word for word in worker]
    assert SERVICES["worker"]["command"] == queues


def unit_words(name):
    (path,) = (unit for unit in UNITS if unit.stem == name)
    text = path.read_text().replace("\\\n", " ")
    line = re.search(r"^ExecStart=(.*)$", text, re.MULTILINE)
    return line[1].split()[1:]


@pytest.mark.parametrize("name", OURS)
def test_services_of_the_console_may_do_little(name):
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["user"] == "10001:10001"
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    context = (FOLDER / service["build"]["context"]).resolve()
    assert context == ROOT
    assert (context / service["build"]["dockerfile"]).exists()


def test_names_of_the_compose_file_are_defined():
    keys = {"image", "build", "user", "read_only", "tmpfs", "cap_drop", "security_opt"}
    keys |= {"restart", "stop_grace_period", "volumes", "secrets", "environment"}
    keys |= {"healthcheck", "command", "entrypoint", "depends_on", "ports"}
    for service in SERVICES.values():
        assert set(service) <= keys
        assert set(service.get("depends_on", ())) <= set(SERVICES)
        assert set(service.get("secrets", ())) <= set(COMPOSE["secrets"])
        volumes = {one.partition(":")[0] for one in service.get("volumes", ())}
        assert volumes <= set(COMPOSE["volumes"])


def test_only_the_web_server_is_published_and_only_to_this_machine():
    published = {name: one["ports"] for name, one in SERVICES.items() if "ports" in one}
    assert published == {"web": ["127.0.0.1:8000:8000"]}


def test_variables_of_the_compose_file_are_documented():
    for name in SERVICES["web"]["environment"]:
        assert name.removesuffix("_FILE") in VARIABLES, name
