"""The files of `deploy/` as a machine would use them, with other paths and ports."""

import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from tests.conftest import missing

DEPLOY = Path(settings.BASE_DIR) / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
PYTHON = "/opt/cupadmin/.venv/bin/python"


def tool(name: str) -> str:
    """Where a program is, also one that only root usually has in the path."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    if found is None:
        missing("deploy", f"{name} is not installed")
    return str(found)


def run(*command: str | Path, **more: Any) -> str:
    """What a command printed; it must succeed."""
    # Not the umask of the console, which lets nobody else read.
    ended = subprocess.run(command, capture_output=True, text=True, umask=0o022, **more)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return str(ended.stdout)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def unit_text(path: Path) -> str:
    """A unit with this machine's Python and checkout in the place of those of /opt."""
    text = path.read_text().replace(PYTHON, sys.executable)
    return text.replace("/opt/cupadmin", str(settings.BASE_DIR))


def command_of(path: Path, port: int) -> list[str]:
    """What systemd would run."""
    text = unit_text(path).replace("\\\n", " ")
    line = re.search(r"^ExecStart=(.*)$", text, re.MULTILINE)
    queues = re.search(r"^Environment=CUPADMIN_QUEUES=(.*)$", text, re.MULTILINE)
    assert line is not None
    found = line[1].replace("127.0.0.1:8000", f"127.0.0.1:{port}")
    found = found.replace("%%", "%").replace("%i", "1")
    return found.replace("${CUPADMIN_QUEUES}", queues[1] if queues else "").split()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with fullchain.pem and privkey.pem for cupadmin.example.com."""
    folder = tmp_path_factory.mktemp("tls")
    request = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    subprocess.run(
        [tool("openssl"), *request, "-subj", "/CN=cupadmin.example.com"]
        + ["-addext", "subjectAltName=DNS:cupadmin.example.com"]
        + ["-keyout", folder / "privkey.pem", "-out", folder / "fullchain.pem"],
        check=True,
        capture_output=True,
    )
    return folder


def nginx(folder: Path, certificate: Path, port: int, console: int) -> list[str]:
    """Write the example into a whole configuration; return the command that runs it."""
    text = (DEPLOY / "nginx" / "cupadmin.conf").read_text()
    plain = free_port()
    for old, new in (
        ("/etc/ssl/cupadmin", str(certificate)),
        ("127.0.0.1:8000", f"127.0.0.1:{console}"),
        ("listen 80;", f"listen 127.0.0.1:{plain};"),
        ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"),
    ):
        assert old in text
        text = text.replace(old, new)
    text = re.sub(r"^ *listen \[::\].*\n", "", text, flags=re.MULTILINE)
    (folder / "site.conf").write_text(text)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in kinds)
    (folder / "nginx.conf").write_text(
        f"pid {folder}/pid;\nerror_log {folder}/error.log;\ndaemon off;\n"
        "events {}\n"
        f"http {{ access_log off;\n{temporary} include {folder}/site.conf; }}\n"
    )
    log = f"{folder}/error.log"
    return [tool("nginx"), "-e", log, "-p", str(folder), "-c", f"{folder}/nginx.conf"]


def caddy(folder: Path, certificate: Path, port: int, console: int) -> list[str]:
    """Write the example with other ports; return the command that runs it."""
    text = (DEPLOY / "caddy" / "Caddyfile").read_text()
    for old, new in (
        ("/etc/ssl/cupadmin", str(certificate)),
        ("127.0.0.1:8000", f"127.0.0.1:{console}"),
        ("cupadmin.example.com {", f"cupadmin.example.com:{port} {{"),
    ):
        assert old in text
        text = text.replace(old, new)
    options = "{\n\tadmin off\n\tauto_https disable_redirects\n}\n"
    (folder / "Caddyfile").write_text(options + text)
    adapted = ["--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]
    return [tool("caddy"), "run", *adapted]
