"""A plain HTTP client of the lab's pages: cookies, forms, redirects, no script."""

import http.client
from urllib.parse import urlencode, urljoin, urlsplit

from lxml import html

from lab.pages import SKINS

from .client import context


class Browser:
    def __init__(self, node, port=None):
        self.node = node
        self.port = port or node.pages_port
        self.skin = SKINS[node.cluster.pages.skin]
        self.cookies = {}
        self.status = 0
        self.text = ""
        self.path = "/"
        self.headers = {}

    def ask(self, method, path, body=None, headers=None, timeout=60):
        """Send one request; redirects are not followed."""
        connection = http.client.HTTPSConnection(
            self.node.address, self.port, timeout=timeout, context=context()
        )
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        sent = {"Cookie": cookies, "Content-Type": "application/x-www-form-urlencoded"}
        try:
            connection.request(method, path, body, {**sent, **(headers or {})})
            answer = connection.getresponse()
            self.status, self.headers = answer.status, answer.headers
            self.text = answer.read().decode()
        finally:
            connection.close()
        for line in answer.headers.get_all("Set-Cookie") or []:
            name, _, value = line.split(";")[0].partition("=")
            self.cookies[name] = value
        self.path = path
        return self

    def go(self, path):
        """Open a page, over redirects on the same host."""
        self.ask("GET", path)
        return self._follow()

    def _follow(self):
        while self.status == 302:
            target = urljoin(self.path, self.headers["Location"])
            if urlsplit(target).netloc:
                break
            self.ask("GET", target)
        return self

    def open(self, kind, **query):
        return self.go(self.skin.path(kind, **query))

    def post(self, path, values, **more):
        self.ask("POST", path, urlencode(values), **more)
        return self._follow()

    @property
    def tree(self):
        return html.fromstring(self.text)

    @property
    def form(self):
        return self.tree.forms[0]

    def sign_in(self, user=None, password=None):
        if "j_username" not in self.text:
            self.go("/cupadmin/")
        pages = self.node.cluster.pages
        values = {
            "j_username": user or "administrator",
            "j_password": password or pages.password,
        }
        return self.post("/cupadmin/j_security_check", values)

    def submit(self, action, **fields):
        """Send the form of the page as the button of an action would."""
        form = self.form
        values = dict(form.form_values())
        values |= {self.skin.control(name): value for name, value in fields.items()}
        values[self.skin.control("action")] = action
        return self.post(urljoin(self.path, form.action), values)

    def find(self):
        return self.open("list").submit("find")

    def save_new(self, address, **fields):
        values = {"username": "intercluster", "password": "x", "confirm": "x"}
        self.open("peer")
        return self.submit("save", address=address, **(values | fields))

    @property
    def shows_sign_in(self):
        return "j_username" in self.text

    def keys(self):
        """Return the keys of the peers that a list links to."""
        links = self.tree.xpath("//a[contains(@href, 'key=')]/@href")
        return [link.split("key=")[1] for link in links]

    def addresses(self):
        return self.tree.xpath("//a[contains(@href, 'key=')]/text()")

    def outcomes(self):
        """Return the names of the icons on the page, as their sources end."""
        sources = self.tree.xpath("//td/img/@src | //span/img/@src")
        return [
            s.rsplit("/", 1)[1].removesuffix(".png").split("_")[-1] for s in sources
        ]
