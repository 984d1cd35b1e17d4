"""How long a browser works on the overview of 60 clusters until a person can use it.

From the last byte of the HTML to the first frame after all scripts have run, when the
page answers a click. The floor is the same HTML without its scripts: what any browser
needs to show it. Both in one run, alternating; the medians are compared.
"""

import os
import re
import shutil
import statistics
import sys
import tempfile
from typing import Any

CLUSTERS, ROUNDS = 60, 7
# Milliseconds that the scripts may take beyond the floor.
MOST = 500.0
SCRIPTS = re.compile(rb"<script\b.*?</script>", re.DOTALL)
# When the page answers: after the first frame that follows its scripts.
MARK = """addEventListener("DOMContentLoaded", () => requestAnimationFrame(
    () => setTimeout(() => { window.answers = performance.now(); })));"""
TAKEN = """() => window.answers
    && window.answers - performance.getEntriesByType("navigation")[0].responseEnd"""


def main() -> None:
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        sys.exit("There is no Chromium: apt-get install chromium")
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {
            "CUPADMIN_DATA_DIR": folder,
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "DJANGO_ALLOW_ASYNC_UNSAFE": "1",
            "CUPADMIN_ALLOWED_HOSTS": "testserver",
        }
        whole, floor, size = measure(path)
    beyond = statistics.median(whole) - statistics.median(floor)
    print(f"overview, {CLUSTERS} clusters  {size / 1024:8.0f} kB of HTML")
    print(f"until it answers        {statistics.median(whole):8.0f} ms")
    print(f"floor of its HTML       {statistics.median(floor):8.0f} ms")
    print(f"beyond the floor        {beyond:8.0f} ms (at most {MOST:.0f})")
    if beyond > MOST:
        sys.exit("missed")


def measure(path: str) -> tuple[list[float], list[float], int]:
    import django

    django.setup()
    from django.core.management import call_command
    from playwright.sync_api import sync_playwright

    from accounts.roles import Role
    from tests.browser.conftest import ARGUMENTS
    from tests.browser.in_process import Pages
    from tests.conftest import person
    from tests.scenes import scene

    call_command("migrate", verbosity=0)
    scene(CLUSTERS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        pages = Pages(browser, person("admin", Role.ADMINISTRATOR))
        html = pages.client.get("/").content
        bare = SCRIPTS.sub(b"", html)

        def without_scripts(route: Any) -> None:
            route.fulfill(body=bare, content_type="text/html; charset=utf-8")

        pages.context.route("**/bare/", without_scripts)
        pages.context.add_init_script(MARK)
        whole, floor = [], []
        for _ in range(ROUNDS):
            floor.append(taken(pages, "/bare/"))
            whole.append(taken(pages, "/"))
    return whole, floor, len(html)


def taken(pages: Any, url: str) -> float:
    page = pages.open(url)
    milliseconds = float(page.wait_for_function(TAKEN).json_value())
    page.close()
    return milliseconds


if __name__ == "__main__":
    main()
