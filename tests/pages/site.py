"""A publisher with administration pages of our own invention, in any of the markups."""

import email
import html
import http.server
import ssl
import tempfile
import threading
from pathlib import Path
from urllib.parse import parse_qs, parse_qsl, urlsplit

from pages import PeerPages, Visit
from tests.wire.server import FINGERPRINT, LOOPBACK, PEM
from wire import NodeAddress, Secret, Trust, run_loop

PASSWORD = "open sesame & <more>"


def fields_of(kind, body):
    if not kind.startswith("multipart/"):
        return parse_qsl(body.decode(), True)
    head = f"Content-Type: {kind}\r\n\r\n".encode()
    parts = email.message_from_bytes(head + body).get_payload()
    return [
        (
            one.get_param("name", header="content-disposition"),
            one.get_payload(decode=True).decode(),
        )
        for one in parts
    ]


KEY = [
    ("/img/g.gif", "Test Passed"),
    ("/img/r.gif", "Test Failed"),
    ("/img/y.gif", "Test Warning (indicates possible configuration issue)"),
    ("/img/b.gif", "Information Only"),
]


BANNER = (
    "<html><body><pre>For authorised use only.</pre><form method=post "
    "action=/cupadmin/x><input type=submit name=agree value=OK></form></body></html>"
)
NEEDS_SCRIPT = (
    "<html><body><noscript>Turn it on.</noscript><div id=app></div></body></html>"
)
PROVIDER = (
    "<html><body onload='document.forms[0].submit()'><form method=post "
    "action='https://idp.test/sso'><input type=hidden name=SAMLRequest value=x>"
    "<noscript><input type=submit value=Continue></noscript></form></body></html>"
)


class Site:
    """One publisher with its pages; `faults` are words that the tests set."""

    def __init__(self, skin):
        self.skin = skin
        self.rows = {}
        self.users = 25
        self.faults = set()
        self.read_only = False
        self.searched = False
        self.address_label = "Peer Address"
        self.save_word = "Save"
        self.outcome_head = "Outcome"
        self.token = 0
        self.sessions = set()
        self.log = []
        self.sign_ins = self.sign_outs = self.saves = self.deletes = 0
        self.editing = "new"
        self.number = 1
        self.recovery = ""
        self.ended = threading.Event()
        self.syncs = []
        self.tests = [
            ("Verify the peers.", "/img/y.gif", "Look at it"),
            ("New", "/?", ""),
        ]
        self.icons = [
            ("Peer Connectivity", "/img/g.gif", "Reachable"),
            ("Certificate Status", "/img/r.gif", "Out of sync"),
            ("Sync Status", "/img/new.gif", "Completed"),
        ]

    @property
    def size(self):
        return 3 if "pages" in self.faults else 50

    @property
    def asks(self):
        asked = " onclick=\"return confirm('Is the other side ready?')\""
        return asked * ("confirm" in self.faults)

    @property
    def form_target(self):
        return "act"

    def __enter__(self):
        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Otherwise a body waits until its heading is acknowledged, 40 ms.
            disable_nagle_algorithm = True

            def do_GET(self):
                site.handle(self, [])

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                site.handle(self, fields_of(self.headers["content-type"], body))

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "pem").write_bytes(PEM)
            context.load_cert_chain(Path(folder, "pem"))
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.server.handle_error = lambda *_: None
        serve = self.server.serve_forever
        threading.Thread(target=serve, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.server.shutdown()
        self.server.server_close()

    def node(self, **changes):
        values = {
            "name": "node.test",
            "address": "127.0.0.1",
            "username": "administrator",
            "password": Secret(PASSWORD),
            "trust": Trust(fingerprint=FINGERPRINT),
            "policy": LOOPBACK,
        }
        return NodeAddress(**(values | changes))

    def visit(self, conversation, deadline=20, **changes):
        async def whole():
            node = self.node(**changes)
            port = self.server.server_port
            async with Visit(node, port, "/cupadmin/", deadline=deadline) as visit:
                return await conversation(PeerPages(visit))

        return run_loop(whole())

    def handle(self, request, fields):
        path = urlsplit(request.path)
        form = dict(fields)
        cookie = request.headers.get("cookie") or ""
        self.log.append((request.command, path.path, form))
        name = path.path.rpartition("/")[2]
        if name == "lib.js":
            return self.send(request, 200, self.skin.library, ())
        answer = self.front(request, name, form, cookie)
        if answer is None:
            answer = self.inner(name, path, form, fields)
        return self.send(request, *answer)

    def front(self, request, name, form, cookie):
        known = any(f"JSESSIONID={one}" in cookie for one in self.sessions)
        if name == "j_security_check":
            return self.check(form, cookie)
        if name in ("bye", "bye.do"):
            self.sign_outs += 1
            self.sessions.clear()
            return 200, self.skin.sign_in(self, ""), ()
        if self.faults & {"sso", "sso form"} and not known:
            return self.provider(request.path)
        if "host" in self.faults:
            return 403, "<html><body>The Host header is not trusted.</body></html>", ()
        if "banner" in self.faults and "seen" not in cookie:
            if form.get("agree"):
                return 302, "", ("Location: /cupadmin/", "Set-Cookie: seen=1; Path=/")
            return 200, BANNER, ()
        if "script" in self.faults:
            return 200, NEEDS_SCRIPT, ()
        if not known:
            return (
                200,
                self.skin.sign_in(self, ""),
                ("Set-Cookie: pre=1; Path=/cupadmin",),
            )
        return None

    def provider(self, path):
        """Single sign-on, with what the node's first page offers around it."""
        if path == "/ssosp/local/login":
            sign_in = self.skin.sign_in(self, "")
            return 200, sign_in, ("Set-Cookie: pre=1; Path=/",)
        if path == "/":
            link = (
                f"<a href='{self.recovery}'>Recovery URL to bypass Single Sign-On "
                "(SSO)</a>"
            )
            return (
                200,
                f"<html><body>Console {link * bool(self.recovery)}</body></html>",
                (),
            )
        if "sso form" in self.faults:
            return 200, PROVIDER, ()
        return 302, "", ("Location: https://idp.test/sso?SAMLRequest=x",)

    def check(self, form, cookie):
        self.sign_ins += 1
        assert "pre=1" in cookie
        if "limit" in self.faults:
            said = "The Session limit has already been reached for administrator."
            return 200, self.skin.sign_in(self, said), ()
        if "locked" in self.faults:
            return 200, self.skin.sign_in(self, "The account is locked."), ()
        if form.get("j_password") != PASSWORD:
            # It repeats what it was sent, as no page should.
            said = f"Log on failed: {html.escape(form.get('j_password', ''))}"
            return 200, self.skin.sign_in(self, said), ()
        session = f"s{self.sign_ins}"
        self.sessions.add(session)
        return (
            302,
            "",
            (
                f"Set-Cookie: JSESSIONID={session}; Path=/cupadmin; Secure",
                "Location: https://node.test:8443/cupadmin/showHome.do",
            ),
        )

    def inner(self, name, path, form, fields):
        title = "Inter-Cluster Peers"
        if "denied" in self.faults and name != "showHome.do":
            body = "Access to the requested resource has been denied."
            return 403, self.skin.page(self, "Error", body), ()
        if name in ("linkList.do", "all", "grid.do"):
            return self.list(path)
        if name in ("linkEdit.do", "one"):
            self.editing = parse_qs(path.query)["key"][0]
            return self.peer()
        if name in ("check.do", "tests"):
            if "slow tests" in self.faults:
                self.ended.wait(20)
            body = self.skin.tests(self, KEY, self.tests)
            return (
                200,
                self.skin.page(self, "System Configuration Troubleshooter", body),
                (),
            )
        if name == "act":
            return self.act(form, fields)
        return 200, self.skin.page(self, title, ""), ()

    def list(self, path, sentence="Ready"):
        query = parse_qs(path.query) if path else {}
        self.number = number = int(query.get("page", ["1"])[0])
        rows, size = list(self.rows.items()), self.size
        shown = rows[(number - 1) * size : number * size]
        body = self.skin.listing(self, shown, len(rows) > number * size)
        return 200, self.skin.page(self, "Find and List Peers", body, sentence), ()

    def peer(self, sentence="Ready"):
        row = self.rows.get(self.editing)
        blank = {"address": "", "username": "", "protocol": "TCP"}
        body = self.skin.form(self, row or blank, "extra" in self.faults)
        if row:
            body += self.skin.status(self, self.icons)
        alert = "<script>alert('Read this first.')</script>" * ("alert" in self.faults)
        return (
            200,
            self.skin.page(self, "Peer Configuration", body + alert, sentence),
            (),
        )

    def act(self, form, fields):
        if "expired" in self.faults:
            self.sessions.clear()
            return 200, self.skin.sign_in(self, ""), ()
        if "token" in self.faults or form.get("token", str(self.token)) != str(
            self.token
        ):
            body = "Security Error : a violation of security protocols"
            return 200, self.skin.page(self, "Error", body), ()
        self.token += 1
        if "find" in form:
            self.searched = True
            return self.list(None)
        if form.get("how") == "edit":
            self.editing = form["row"]
            return self.peer()
        if form.get("how") == "page":
            return self.list(urlsplit(f"?page={form['row']}"))
        if "add" in form or form.get("how") == "add":
            self.editing = "new"
            return self.peer()
        if form.get("go") == "ask":
            body = (
                "<p><input type=checkbox name=tomcat> Also resync peer's Tomcat "
                "certificates</p><button name=go value=sync>OK</button>"
                "<button name=go value=no>Cancel</button>"
            )
            return 200, self.skin.page(self, "Force Manual Sync", body), ()
        if "sync" in (form.get("go"), form.get("how"), *form):
            self.syncs.append("tomcat" in form)
            return self.peer("Sync started")
        if "delete" in form or "remove" in (
            form.get("go"),
            form.get("how"),
            *form,
        ):
            self.deletes += 1
            self.rows.pop(form.get("tick") or self.editing, None)
            return self.list(None, "Delete successful")
        return self.save(form)

    def save(self, form):
        self.saves += 1
        chosen = form.get("proto") or ("TCP", "TLS")[int(form["tkp"])]
        row = {"address": form["ph"], "username": form["us"], "protocol": chosen}
        row["password"] = form["pw"]
        assert form["pw"] == form["pw2"]
        if "error" in self.faults:
            return self.peer(f"Error: {form['pw']} is not valid")
        if "duplicate" in self.faults:
            return self.peer("This peer already exists.")
        if "ignored" not in self.faults:
            key = self.editing if self.editing != "new" else str(len(self.rows) + 1)
            self.rows[key] = row
            self.editing = key
        if "lost" in self.faults:
            return 0, "", ()
        return self.peer("Update successful")

    def send(self, request, status, body, headers):
        if not status:
            request.close_connection = True
            request.connection.close()
            return
        if "menu" in self.faults:
            for word in (">Inter-Clustering<", ">Intercluster<", "'Inter-Clustering'"):
                body = body.replace(word, word[0] + "Links" + word[-1])
        data = body.encode()
        if "half" in self.faults and "Peer" in body:
            data = data[: len(data) // 2]
        request.send_response_only(status)
        request.send_header("Content-Type", "text/html; charset=utf-8")
        request.send_header("Content-Length", str(len(data)))
        for line in headers:
            key, _, value = line.partition(": ")
            request.send_header(key, value)
        request.end_headers()
        request.wfile.write(data)
