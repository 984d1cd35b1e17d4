"""`make screenshots`: pictures of pages with 0, 3 and 60 clusters, from a fixed state.

`python -m tests.screenshots [FOLDER] [NUMBER] [NAME ...]`: all sizes, widths and themes
into the folder, or those of one number of clusters and of the named pages.
"""

import os
import shutil
import sys
import tempfile
from pathlib import Path

SIZES = (0, 3, 60)
WIDTHS = tuple(map(int, os.environ.get("WIDTHS", "1440,1024,320").split(",")))
THEMES = tuple(os.environ.get("THEMES", "light,dark").split(","))
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
    "history": "/history/",
    "jobs": "/administration/system/jobs/",
}


def main(folder: str = "var/screenshots", number: str = "", *names: str) -> None:
    sizes = [int(number)] if number else SIZES
    for size in sizes:
        with tempfile.TemporaryDirectory() as directory:
            pid = os.fork()
            if not pid:
                os.environ["CUPADMIN_DATA_DIR"] = directory
                take(Path(folder), size, names or tuple(PAGES))
                os._exit(0)
            if os.waitpid(pid, 0)[1]:
                sys.exit(f"The pictures of {size} clusters failed.")


def take(folder: Path, size: int, names: tuple[str, ...]) -> None:
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
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        path = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        pages = Pages(browser, administrator(), reduced_motion="reduce")
        for name in names:
            if name in urls:
                picture(pages, urls[name], folder / f"{name}-{size}")


def administrator():  # type: ignore[no-untyped-def]
    from accounts.roles import Role
    from tests.conftest import person

    return person("admin", Role.ADMINISTRATOR)


def addresses() -> dict[str, str]:
    """The address of each page; pages of things that there are none of are left out."""
    from clusters.models import Cluster
    from peers.models import Peer

    first = {"cluster": Cluster.objects.first(), "peer": Peer.objects.first()}
    known = {name: row.get_absolute_url() for name, row in first.items() if row}
    return {
        name: url.format(**known)
        for name, url in PAGES.items()
        if "{" not in url or name in known
    }


def picture(pages, url: str, path: Path) -> None:  # type: ignore[no-untyped-def]
    page = pages.open(url)
    page.wait_for_load_state("networkidle")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        for theme in THEMES:
            page.evaluate(
                "theme => document.documentElement.dataset.theme = theme", theme
            )
            page.screenshot(path=f"{path}-{width}-{theme}.png", full_page=True)
    page.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
