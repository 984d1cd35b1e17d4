"""Whatever a cluster says, each page, file and mail says it as text, and none fails."""

import csv
import html.parser
import io
import json
import re
from urllib.parse import quote, urljoin, urlsplit

import pytest
from django.core import mail
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import ApiToken
from accounts.roles import Role
from base.csv import DANGEROUS
from notifications.bodies import absolute_link, body_of
from notifications.delivery import deliver_message
from notifications.detect import detect_changes
from notifications.models import Maintenance, Message, Subscriber, Topic
from tests.security import hostile
from tests.security.matrix import MATRIX, OPEN, SAMPLES
from tests.security.routes import NOBODY, routes
from tests.wire.test_row_parser import read_rows, reply
from wire import WireError

pytestmark = pytest.mark.long

ROUTES = {route.name: route for route in routes()}
# They ask a node, which no test has; or lead to another host.
LEFT_OUT = {
    "clusters:certificate",
    "api:nodes-certificate",
    "api:nodes-presence-certificate",
}
LEFT_OUT |= {"accounts:prove_at_provider", "accounts:connect"}
# What a parameter leads to: {value} is the hostile value.
QUERIES = {
    "search": ["?q={value}"],
    "suggestions": ["?q={value}"],
    "services:grid": ["", "?view=nodes"],
    "services:server": ["", "?server={node}"],
    "directory:locate": ["?user={value}"],
    "directory:duplicates": ["", "?kind=directory_uri", "?format=csv"],
    "directory:leftovers": ["", "?format=csv"],
    "directory:moves": ["?source={cluster}"],
    "directory:mask_preview": ["?cluster={cluster}&address={value}"],
    "peers:find": ["", "?field=address&operator=contains&value={value}"],
    "peers:export": ["", "?field=address&operator=contains&value={value}"],
    "peers:add_peer": ["?cluster={cluster}&remote={cluster}"],
    "mesh:set_up": ["?one={cluster}&other={cluster}"],
    "jobs:find": ["", "?target_id={cluster}"],
    "accounts:audit": ["", "?q={value}"],
    "api:directory-comparison": ["?peer={peer}"],
    "api:directory-locate": ["?user={value}"],
    "api:directory-duplicates": ["?cluster={cluster}"],
}
SAMPLE = re.compile(
    r'[a-z_:]+(\{([a-z_]+="(\\["\\n]|[^"\\\n])*",?)*\})? [-+.0-9einfa]+'
)


class Page(html.parser.HTMLParser):
    """The links of a page, and whether a cluster wrote a tag or an attribute of it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.faults: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list) -> None:
        told = dict(attributes)
        if tag == "script" and "src" not in told:
            self.faults.append("an inline script")
        self.faults += [name for name in told if name.startswith("on")]
        for name in ("href", "src", "action", "formaction", "hx-get", "hx-post"):
            if told.get(name):
                self.links.append(told[name])


@pytest.fixture
def clients(administrator):
    browser, script = Client(), APIClient()
    browser.force_login(administrator)
    _, token = ApiToken.issue(administrator, "t", Role.ADMINISTRATOR)
    script.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return browser, script


@pytest.fixture(params=hostile.VALUES)
def value(request):
    return hostile.VALUES[request.param]


@pytest.fixture
def made(value, cluster_factory, administrator, settings, tmp_path):
    settings.DATA_DIR = tmp_path
    one, other = cluster_factory("alpha"), cluster_factory("bravo")
    return hostile.make_hostile(one, other, value, administrator)


def test_every_field_is_from_clusters_or_ours():
    assert list(hostile.forgotten()) == []


def test_every_page_and_file_shows_it_as_text(clients, made, value):
    assert sorted(faults(clients, made, value)) == []


def faults(clients, made, value):
    todo, seen = list(addresses(made, value)), set()
    while todo:
        url = todo.pop()
        if url in seen:
            continue
        seen.add(url)
        try:
            response = client_for(clients, url).get(url, headers={"Accept": "*/*"})
            found, links = judged(url, response)
        except Exception as error:
            found, links = [f"{type(error).__name__}: {error}"], []
        for fault in found:
            yield f"{url}: {fault}"
        todo += [one for one in links if one not in seen and len(seen) < 300]


def client_for(clients, url):
    browser, script = clients
    return script if url.startswith(("/api/v1/", "/metrics")) else browser


def addresses(made, value):
    """All that can be read, by every id and every query."""
    reported = {name: str(one) for name, one in made.ids.items()}
    reported["value"] = quote(value, errors="replace")
    for name, route in ROUTES.items():
        if name in LEFT_OUT or name in OPEN or "GET" not in MATRIX[name]:
            continue
        url = route.url
        if name in SAMPLES:
            url = url.replace(str(NOBODY), reported[SAMPLES[name]])
        for query in QUERIES.get(name, [""]):
            yield url + query.format(**reported)
    yield "/metrics"


def judged(url, response):
    """What is wrong with an answer, and where it leads on to."""
    body = b"".join(response) if response.streaming else response.content
    text, kind = body.decode(), response.headers.get("Content-Type", "")
    found = [f"status {response.status_code}"] if response.status_code >= 500 else []
    found += list(headers(response))
    if kind.startswith("text/html"):
        page = Page(text)
        found += page.faults
        found += [f"leads to {one}" for one in page.links if not safe(one)]
        found += ["a template was run"] if "49{" in text else []
        return found, list(inner(url, page.links))
    if kind.startswith("text/csv"):
        found += list(cells(text))
    elif "json" in kind and "schema" not in url:
        json.loads(text)
    elif url == "/metrics":
        lines = [line for line in text.split("\n") if line and line[0] != "#"]
        found += [line for line in lines if not SAMPLE.fullmatch(line)]
    return found, []


def headers(response):
    for name, reported in response.headers.items():
        if not reported.isprintable() or not reported.isascii():
            yield f"header {name}: {reported!r}"
    if "stolen" in response.cookies:
        yield "a cookie"
    disposition = response.headers.get("Content-Disposition", "attachment")
    if not re.fullmatch(r'(attachment|inline)(; filename="[\w.-]+")?', disposition):
        yield disposition


def safe(link):
    """Within the console; or to the page of a node that has a good address."""
    parts = urlsplit(link)
    if parts.scheme in ("", "data") and not parts.netloc:
        return True
    return parts.scheme == "https" and re.fullmatch(r"[\w.:\[\]-]+", parts.netloc)


def inner(url, links):
    for one in links:
        parts = urlsplit(one)
        if parts.scheme or parts.netloc or one.startswith(("#", "/static/")):
            continue
        path = urljoin(url, one).partition("#")[0]
        name = urlsplit(path).path
        if "certificate" not in name and "sign-out" not in name:
            yield path


def cells(text):
    for row in csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")):
        for cell in row:
            if cell.lstrip(" ").startswith(DANGEROUS):
                yield f"cell {cell[:40]!r}"


def test_a_mail_and_a_webhook_carry_it_as_text(made, value, settings, administrator):
    settings.EMAIL_URL = "smtp://"
    message = Message.objects.get()
    message.subscriber.channel = Subscriber.Channel.MAIL
    message.subscriber.email = "ada@example.com"
    deliver_message(message)
    [sent] = mail.outbox
    parsed = sent.message()
    assert set(parsed) == {
        *{"Content-Type", "MIME-Version", "Content-Transfer-Encoding", "Subject"},
        *{"From", "To", "Date", "Message-ID"},
    }
    assert parsed.as_bytes()


def test_what_goes_wrong_is_told_of_it_as_text(made, value):
    Message.objects.all().delete()
    Maintenance.objects.all().delete()
    Subscriber.objects.update(topics=Topic.values)
    detect_changes()
    assert Message.objects.exists()
    for message in Message.objects.all():
        assert json.loads(body_of(message))["events"] == [
            one | {"url": absolute_link(one["url"])} for one in message.events
        ]
        assert "\n" not in " ".join(message.subject.split())


@pytest.mark.parametrize(
    "sent", [b"&#xd800;", b"&#55357;", b"&#0;", b"\xed\xa0\x80", b"\x00", b"\xff\xfe"]
)
def test_no_reader_gives_text_that_cannot_be_stored(sent):
    try:
        rows = read_rows(
            reply(f"<a>x{sent.decode('latin-1')}y</a>").replace(*escaped(sent))
        )
    except WireError:
        return
    for row in rows:
        assert "\0" not in row["a"] and row["a"].encode()


def escaped(sent):
    """A test reply is text: put the very bytes in."""
    return sent.decode("latin-1").encode(), sent
