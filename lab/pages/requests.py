"""A request as the pages read it: path, query, form and cookies."""

import http.cookies
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import parse_qs, urlsplit

from lab.http import LabRequest, Response

COOKIE = "JSESSIONID"


@dataclass
class PageVisit:
    """One request to the pages."""

    request: LabRequest

    @cached_property
    def path(self) -> str:
        return urlsplit(self.request.path).path

    @cached_property
    def query(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self.request.path).query, keep_blank_values=True)

    @cached_property
    def form(self) -> dict[str, list[str]]:
        body = self.request.body.decode("utf-8", "replace")
        return parse_qs(body, keep_blank_values=True)

    @property
    def is_post(self) -> bool:
        return self.request.method == "POST"

    @property
    def is_script(self) -> bool:
        """Tell whether a page's script sent this and takes JSON for an answer."""
        return "x-requested-with" in self.request.headers

    @property
    def host(self) -> str:
        return self.request.headers.get("host", "").rsplit(":", 1)[0].lower()

    def first(self, name: str) -> str:
        """Return a value of the form, or else of the query; empty if in neither."""
        return (self.form.get(name) or self.query.get(name) or [""])[0]

    @property
    def session_id(self) -> str:
        return self.cookie(COOKIE)

    def cookie(self, name: str) -> str:
        try:
            jar = http.cookies.SimpleCookie(self.request.headers.get("cookie", ""))
        except http.cookies.CookieError:
            return ""
        return jar[name].value if name in jar else ""

    def number(self, name: str, default: int = 1) -> int:
        value = self.first(name)
        return int(value) if value.isdecimal() and len(value) < 7 else default


def html_response(markup: str, status: int = 200) -> Response:
    response = Response(status, markup.encode())
    response.headers.append(("Cache-Control", "no-store"))
    return response


def redirect_response(target: str) -> Response:
    response = html_response("", 302)
    response.headers.append(("Location", target))
    return response


def image_response(data: bytes) -> Response:
    return Response(200, data, "image/png")
