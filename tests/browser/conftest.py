"""The whole console in its own processes, two fresh clusters, and a real browser."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from lab import Lab
from tests.waiting import PATIENCE

ROOT = Path(__file__).resolve().parent.parent.parent
PASSWORD = "a browser signs in"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def fresh_lab() -> Iterator[Lab]:
    # Releases that are known to peer with each other, with both names of the agent.
    options = {"users": (14, 9), "versions": ("8.6", "9.1")}
    with Lab(clusters=2, nodes=2, network="auto", **options) as lab:
        yield lab


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/healthz", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@pytest.fixture(scope="session")
def console(chromium: str, fresh_lab: Lab, tmp_path_factory) -> Iterator[str]:
    """The URL of a console that `manage.py run` started, with an empty database."""
    with running_console(fresh_lab, tmp_path_factory.mktemp("console")) as url:
        yield url


@contextmanager
def running_console(lab: Lab, folder: Path) -> Iterator[str]:
    port = free_port()
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "cupadmin.settings",
        "CUPADMIN_DATA_DIR": str(folder),
        "CUPADMIN_ADMIN_PASSWORD": PASSWORD,
        "CUPADMIN_ALLOWED_NETWORKS": "127.0.0.0/8",
        "CUPADMIN_DNS_SERVERS": lab.describe()["dns"],
    }
    environment.pop("CUPADMIN_FAILPOINT", None)
    process = subprocess.Popen(
        [sys.executable, "manage.py", "run", "--port", str(port)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + PATIENCE
    while not answers(url):
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.2)
    yield url
    process.send_signal(signal.SIGINT)
    process.wait(PATIENCE)


# Not for the whole run: Playwright's event loop would forbid the database to the tests
# that come after.
@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield running
        running.close()


@pytest.fixture(scope="module")
def in_process() -> Iterator[None]:
    """Let the thread that drives the browser use the database as well."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        yield


@pytest.fixture
def page(browser: Browser, console: str) -> Iterator[Page]:
    context = browser.new_context(base_url=console)
    context.set_default_timeout(60_000)
    page = context.new_page()
    sign_in(page)
    yield page
    # For a look at what the last page was when a test failed.
    if folder := os.environ.get("CUPADMIN_TEST_SCREENSHOTS"):
        page.screenshot(path=f"{folder}/last.png", full_page=True)
    context.close()


def sign_in(page: Page) -> None:
    page.goto("/")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def fill_in_cluster(page: Page, cluster: dict[str, Any]) -> None:
    """Fill in and save the page that adds a cluster, as a lab describes it."""
    publisher = cluster["nodes"][0]
    page.get_by_label("Name", exact=False).first.fill(cluster["name"])
    page.get_by_label("Domain").fill(cluster["domain"])
    page.get_by_label("AXL user name").fill(cluster["axl_username"])
    page.get_by_label("AXL password").fill(cluster["axl_password"])
    page.get_by_label("Provisioning").select_option("direct")
    page.get_by_label("Publisher address").fill(publisher["address"])
    page.get_by_label("Publisher name").fill(publisher["name"])
    page.get_by_role("button", name="Save").click()
