"""`make screenshots`: pictures of pages with 0, 3 and 60 clusters, from a fixed state.

`python -m tests.screenshots [FOLDER] [NUMBER] [NAME ...]`: all sizes, widths and themes
into the folder, or those of one number of clusters and of the named pages.
`python -m tests.screenshots --docs`: those that the docs show, into docs/pictures.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SIZES = (0, 3, 60)
WIDTHS = tuple(map(int, os.environ.get("WIDTHS", "1440,1024,320").split(",")))
THEMES = tuple(os.environ.get("THEMES", "light,dark").split(","))
THEME = "theme => document.documentElement.dataset.theme = theme"
PAGES = {
    "overview": "/",
    "problems": "/overview/problems/",
    "clusters": "/administration/system/clusters/",
    "cluster": "{cluster}",
    "peers": "/administration/presence/inter-clustering/",
    "peer": "{peer}",
    "mesh": "/administration/presence/mesh/",
    "certificates": "/administration/presence/certificates/",
    "complete": "/administration/presence/mesh/complete/",
    "troubleshooter": "/administration/diagnostics/system-troubleshooter/",
    "services": "/serviceability/control-center/grid/",
    "agents": "/serviceability/control-center/agents/",
    "run": "{run}",
    "report": "{run}report/",
    "sizing": "/administration/presence/sizing/",
    "history": "/history/",
    "jobs": "/administration/system/jobs/",
    "audit": "/administration/system/audit/",
}
# What the docs show: the page, the number of clusters, and the theme.
OF_DOCS = (
    ("overview", 3, "light"),
    ("mesh", 60, "dark"),
    ("problems", 60, "light"),
    ("peer", 3, "light"),
    ("certificates", 3, "light"),
    ("run", 3, "light"),
    ("sizing", 3, "light"),
)
DOCS = Path(__file__).resolve().parent.parent / "docs" / "pictures"
OF_DOCS_SIZE = {"width": 1280, "height": 900}


def main(folder: str = "var/screenshots", number: str = "", *names: str) -> None:
    chosen = names or tuple(PAGES)
    for size in [int(number)] if number else SIZES:
        if folder == "--docs":
            shown = {name: theme for name, n, theme in OF_DOCS if n == size}
            in_process_of_its_own(size, lambda n=size, s=shown: take_for_docs(n, s))
        else:
            in_process_of_its_own(size, lambda n=size: take(Path(folder), n, chosen))


def in_process_of_its_own(size: int, work: Callable[[], None]) -> None:
    """Each number of clusters has an empty database."""
    with tempfile.TemporaryDirectory() as directory:
        pid = os.fork()
        if not pid:
            os.environ["CUPADMIN_DATA_DIR"] = directory
            try:
                work()
            except BaseException:
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        if os.waitpid(pid, 0)[1]:
            sys.exit(f"The pictures of {size} clusters failed.")


def take(folder: Path, size: int, names: tuple[str, ...]) -> None:
    with signed_in(size) as (pages, urls):
        folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            if name in urls:
                picture(pages, urls[name], folder / f"{name}-{size}")


def take_for_docs(size: int, shown: dict[str, str]) -> None:
    if not shown:
        return
    with signed_in(size) as (pages, urls):
        DOCS.mkdir(exist_ok=True)
        for name, theme in shown.items():
            page = pages.open(urls[name])
            page.wait_for_load_state("networkidle")
            page.set_viewport_size(OF_DOCS_SIZE)
            page.evaluate(THEME, theme)
            path = DOCS / f"{name}.png"
            page.screenshot(path=path)
            make_small(path)


def make_small(path: Path) -> None:
    """A palette instead of true colour, a third of the size, where pngquant is."""
    if command := shutil.which("pngquant"):
        options = ["--force", "--skip-if-larger", "--strip", "--speed", "1"]
        subprocess.run([command, *options, "--output", path, path], check=False)


@contextmanager
def signed_in(size: int) -> Iterator[tuple[Any, dict[str, str]]]:
    """A browser of an administrator, and the address of each page."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    os.environ["CUPADMIN_ALLOWED_HOSTS"] = "testserver"
    import django

    django.setup()
    from django.core.management import call_command
    from playwright.sync_api import sync_playwright

    from tests.browser.conftest import ARGUMENTS
    from tests.browser.in_process import Pages
    from tests.scenes import scene

    call_command("migrate", verbosity=0)
    scene(size)
    urls = addresses()
    with sync_playwright() as playwright:
        path = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield Pages(browser, administrator(), reduced_motion="reduce"), urls


def administrator():  # type: ignore[no-untyped-def]
    from accounts.roles import Role
    from tests.conftest import person

    return person("admin", Role.ADMINISTRATOR)


def addresses() -> dict[str, str]:
    """The address of each page; pages of things that there are none of are left out."""
    from clusters.models import Cluster
    from diagnostics.models import TroubleshooterRun
    from peers.models import Peer

    first = {
        "cluster": Cluster.objects.first(),
        "peer": Peer.objects.first(),
        "run": TroubleshooterRun.objects.first(),
    }
    known = {name: row.get_absolute_url() for name, row in first.items() if row}
    return {
        name: url.format(**known)
        for name, url in PAGES.items()
        if "{" not in url or any(f"{{{one}}}" in url for one in known)
    }


def picture(pages, url: str, path: Path) -> None:  # type: ignore[no-untyped-def]
    page = pages.open(url)
    page.wait_for_load_state("networkidle")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        for theme in THEMES:
            page.evaluate(THEME, theme)
            page.screenshot(path=f"{path}-{width}-{theme}.png", full_page=True)
    page.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
