"""`pip wheel` makes one package, which serves the console outside of a checkout."""

import json
import os
import re
import signal
import subprocess
import sys
import sysconfig
import time
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import reverse

import cupadmin
from tests.deploy.conftest import free_port, run

pytestmark = pytest.mark.servers

ROOT = Path(settings.BASE_DIR)
PATIENCE = 120.0
PASSWORD = "correct horse battery"
NOT_PACKAGED = {"bench", "cupadmin", "tests"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    options = ["--no-deps", "--no-build-isolation", "--quiet", "--no-cache-dir"]
    run(sys.executable, "-m", "pip", "wheel", *options, "-w", folder, ROOT)
    (path,) = folder.iterdir()
    return path


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """An empty environment with the wheel, and the tests' copies of what it needs."""
    folder = tmp_path_factory.mktemp("installed")
    run(sys.executable, "-m", "venv", "--without-pip", folder)
    python = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", python, "--quiet"]
    run(*pip, "install", "--no-deps", "--no-index", wheel)
    query = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = Path(run(python, "-c", query).strip())
    (site / "needed.pth").write_text(sysconfig.get_path("purelib"))
    return folder


@pytest.fixture
def env(tmp_path):
    """The environment of a person without settings, in a folder that is empty."""
    own = {k: v for k, v in os.environ.items() if not k.startswith("CUPADMIN_")}
    for name in ("DJANGO_SETTINGS_MODULE", "PYTHONPATH", "XDG_DATA_HOME"):
        own.pop(name, None)
    return own | {"HOME": str(tmp_path), "CUPADMIN_ADMIN_PASSWORD": PASSWORD}


@pytest.fixture
def command(installed, env, tmp_path):
    def call(*words):
        return run(installed / "bin" / "cupadmin", *words, env=env, cwd=tmp_path)

    return call


def test_the_wheel_is_one_package(wheel):
    name = f"cupadmin-{cupadmin.__version__}"
    assert wheel.name == f"{name}-py3-none-any.whl"
    files = zipfile.ZipFile(wheel).namelist()
    assert {file.split("/")[0] for file in files} == {"cupadmin", f"{name}.dist-info"}


def test_every_file_of_the_console_is_in_the_wheel(wheel):
    packaged = set(zipfile.ZipFile(wheel).namelist())
    rooms = {path.parent for path in ROOT.glob("*/__init__.py")}
    rooms = {room for room in rooms if room.name not in NOT_PACKAGED}
    assert len(rooms) > 10
    expected = {
        f"cupadmin/_tree/{path.relative_to(ROOT)}"
        for room in (*rooms, ROOT / "docs", ROOT / "templates", ROOT / "static")
        for path in room.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert expected - packaged == set()
    suffixes = {Path(name).suffix for name in expected}
    assert {".py", ".html", ".css", ".js", ".wsdl", ".toml"} <= suffixes


def test_the_wheel_needs_what_the_checkout_needs(wheel):
    archive = zipfile.ZipFile(wheel)
    (name,) = (one for one in archive.namelist() if one.endswith("/METADATA"))
    text = archive.read(name).decode()
    needs = re.findall(r"^Requires-Dist: ([\w.-]+)(.*)$", text, re.MULTILINE)
    always = {name.lower() for name, more in needs if "extra ==" not in more}
    listed = (ROOT / "requirements.in").read_text()
    names = re.findall(r"^([\w.-]+)", listed, re.MULTILINE)
    assert always == {name.lower() for name in names}
    extras = set(re.findall(r"^Provides-Extra: (.*)$", text, re.MULTILINE))
    assert extras == {"ldap", "pages", "saml", "xmpp"}


def test_an_extra_brings_what_its_file_of_requirements_names(wheel):
    archive = zipfile.ZipFile(wheel)
    (name,) = (one for one in archive.namelist() if one.endswith("/METADATA"))
    text = archive.read(name).decode()
    for extra in ("ldap", "pages", "saml", "xmpp"):
        found = re.findall(
            rf"^Requires-Dist: (\S+?)[ ;].*extra == '{extra}'", text, re.M
        )
        listed = (ROOT / f"requirements-{extra}.in").read_text()
        assert found == re.findall(r"^(\w[\w.\[\]-]+)", listed, re.MULTILINE)


@pytest.mark.usefixtures("chromium")
def test_the_extra_of_pages_reaches_a_browser(installed, env, tmp_path):
    """In the installed wheel, with what its extra names; not in the checkout."""
    code = (
        "import asyncio, cupadmin\n"
        "from pages.chromium import chromium_path\n"
        "from playwright.async_api import async_playwright\n"
        "async def title():\n"
        "    async with async_playwright() as driver:\n"
        "        browser = await driver.chromium.launch(\n"
        "            executable_path=chromium_path(), args=['--no-sandbox']\n"
        "        )\n"
        "        page = await browser.new_page()\n"
        "        await page.set_content('<title>found</title>')\n"
        "        print(await page.title())\n"
        "        await browser.close()\n"
        "asyncio.run(title())\n"
    )
    python = installed / "bin" / "python"
    assert run(python, "-c", code, env=env, cwd=tmp_path).strip() == "found"


def test_it_checks_and_migrates_without_a_checkout(command, tmp_path):
    assert "no issues" in command("check")
    command("migrate", "--verbosity", "0")
    command("migrate", "--check")
    data = tmp_path / ".local" / "share" / "cupadmin"
    assert (data / "cupadmin.sqlite3").exists()


def test_general_names_stay_inside(installed, env, tmp_path):
    python = installed / "bin" / "python"
    alone = "import importlib.util; print(importlib.util.find_spec('jobs'))"
    assert run(python, "-c", alone, env=env, cwd=tmp_path).strip() == "None"
    inside = "import cupadmin, jobs; print(jobs.__file__)"
    found = run(python, "-c", inside, env=env, cwd=tmp_path).strip()
    assert found.endswith("cupadmin/_tree/jobs/__init__.py")


def test_the_lab_is_inside(installed, env, tmp_path):
    # As `cupadmin demo` starts it.
    code = (
        "import cupadmin, subprocess, sys;"
        "sys.exit(subprocess.call([sys.executable, '-m', 'lab', '--help']))"
    )
    python = installed / "bin" / "python"
    assert "--state" in run(python, "-c", code, env=env, cwd=tmp_path)


def fetch(url):
    with urllib.request.urlopen(url, timeout=60) as answer:
        return answer.status, answer.read().decode()


def wait_for(url, process):
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        try:
            return fetch(url)
        except OSError:
            time.sleep(0.3)
    raise AssertionError(f"{url} does not answer")


def test_it_serves_pages_and_does_jobs(installed, env, tmp_path):
    port = free_port()
    process = subprocess.Popen(
        [installed / "bin" / "cupadmin", "run", "--port", str(port)],
        env=env,
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        assert wait_for(f"{url}/healthz", process)[0] == 200
        status, page = fetch(url + reverse("account_login"))
        assert status == 200
        sheet = re.search(r'href="(/static/[^"]+\.css)"', page)
        assert fetch(url + sheet[1])[0] == 200
        assert_ready(f"{url}/readyz?deep=1")
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0


def assert_ready(url):
    """Web server, worker, beat and broker of the package find each other."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return fetch(url)
        except urllib.error.HTTPError as error:
            checks = json.loads(error.read())["checks"]
            assert time.monotonic() < deadline, checks
            time.sleep(0.5)
