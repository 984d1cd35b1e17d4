"""A browser whose requests Django's test client answers: no server and no port."""

from contextvars import copy_context
from mimetypes import guess_type
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from django.contrib.auth.models import User
from django.contrib.staticfiles import finders
from django.test import Client
from playwright.sync_api import Browser, Page, Route

ORIGIN = "http://testserver"
# A browser does not offer redirects to its interception, so they are followed here.
REDIRECTS = (301, 302, 303)


class Pages:
    """Pages of a signed-in person, as a real browser shows them."""

    def __init__(self, browser: Browser, person: User, **options: object) -> None:
        self.client = Client()
        self.client.force_login(person)
        # The connection, with the transaction of the test, belongs to this context.
        self.variables = copy_context()
        # What the browser requested and how it was answered.
        self.log: list[tuple[str, str, int]] = []
        self.context = browser.new_context(base_url=ORIGIN, **options)
        self.context.set_default_timeout(60_000)
        self.context.route("**/*", self.answer)

    def open(self, url: str) -> Page:
        page = self.context.new_page()
        page.goto(url)
        return page

    def answer(self, route: Route) -> None:
        url = urlsplit(route.request.url)
        if url.path.startswith("/static/"):
            self.static(route, url.path.removeprefix("/static/"))
        else:
            self.dynamic(route)

    def static(self, route: Route, name: str) -> None:
        path = finders.find(name)
        assert path, f"there is no static file {name}"
        kind = guess_type(name)[0] or "application/octet-stream"
        route.fulfill(body=Path(path).read_bytes(), content_type=kind)

    def dynamic(self, route: Route) -> None:
        request = route.request
        response = self.variables.run(self.send, route)
        if response.status_code in REDIRECTS and request.is_navigation_request():
            # A page that goes there by itself: the address bar is right as well.
            url = urljoin(request.url, response["Location"])
            body = f'<meta http-equiv="refresh" content="0; url={url}">'
            route.fulfill(body=body, content_type="text/html")
            return
        body = b"".join(response) if response.streaming else response.content
        headers = dict(response.items())
        route.fulfill(status=response.status_code, headers=headers, body=body)

    def send(self, route: Route):  # type: ignore[no-untyped-def]
        request = route.request
        url = urlsplit(request.url)._replace(scheme="", netloc="", fragment="")
        response = self.client.generic(
            request.method,
            url.geturl(),
            request.post_data_buffer or b"",
            content_type=request.headers.get("content-type", "text/plain"),
            headers={
                name: value
                for name, value in request.headers.items()
                if name.startswith("hx-") or name in ("x-csrftoken", "accept")
            },
        )
        self.log.append((request.method, url.geturl(), response.status_code))
        return response
