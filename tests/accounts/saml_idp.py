"""A SAML identity provider by pysaml2 on a real socket; it shares no code with ours."""

import html
import logging
import re
import threading
import warnings
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.accounts.slapd import certificate

with warnings.catch_warnings():
    # It names ciphers where cryptography no longer has them.
    warnings.simplefilter("ignore")
    from saml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT
    from saml2.config import IdPConfig
    from saml2.metadata import entity_descriptor
    from saml2.saml import NAME_FORMAT_UNSPECIFIED, NAMEID_FORMAT_PERSISTENT, NameID
    from saml2.server import Server
    from saml2.xmldsig import DIGEST_SHA256, SIG_RSA_SHA256

PASSWORD_CONTEXT = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"
logging.getLogger("saml2").setLevel(logging.CRITICAL)


class Idp:
    """Says yes for `person` to every question; `lies` bend what it answers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        write_key(folder, "idp")
        write_key(folder, "other")
        self.person = {
            "uid": ["sam"],
            "givenName": ["Sam"],
            "sn": ["Saml"],
            "mail": ["sam@example.com"],
            "groups": ["cup-operators"],
        }
        self.name_id = {"format": NAMEID_FORMAT_PERSISTENT, "text": "s-1"}
        self.lies: dict = {}
        self.signs_with = "idp"
        self.metadata: bytes | None = None
        self.console_metadata = ""
        self.requests: list = []
        self.questions = 0
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler_of(self))
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.entity_id = f"{self.url}/metadata"
        self.thread = threading.Thread(target=self.server.serve_forever, args=[0.05])

    def __enter__(self) -> "Idp":
        self.thread.start()
        return self

    def __exit__(self, *args: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def config(self, key: str, issuer: str) -> IdPConfig:
        sso = [(f"{self.url}/sso", BINDING_HTTP_REDIRECT)]
        policy = {
            "lifetime": {"minutes": self.lies.get("minutes", 5)},
            "name_form": NAME_FORMAT_UNSPECIFIED,
        }
        service = {
            "endpoints": {"single_sign_on_service": sso},
            "policy": {"default": policy},
            "sign_assertion": True,
        }
        config = {
            "entityid": issuer,
            "service": {"idp": service},
            "key_file": str(self.folder / f"{key}.key"),
            "cert_file": str(self.folder / f"{key}.pem"),
            "xmlsec_binary": "/usr/bin/xmlsec1",
        }
        if self.console_metadata:
            config["metadata"] = {"inline": [self.console_metadata]}
        return IdPConfig().load(config)

    def describes(self) -> bytes:
        if self.metadata is not None:
            return self.metadata
        return str(entity_descriptor(self.config("idp", self.entity_id))).encode()

    def answers(self, query: str) -> str:
        """Return the page whose form carries the answer back."""
        sent = parse_qs(query)["SAMLRequest"][0]
        issuer = self.lies.get("issuer", self.entity_id)
        server = Server(config=self.config(self.signs_with, issuer))
        question = server.parse_authn_request(sent, BINDING_HTTP_REDIRECT).message
        self.requests.append(question)
        place = question.assertion_consumer_service_url
        response = str(self.response_of(server, question, place))
        response = self.lies.get("edit", lambda text: text)(response)
        page = server.apply_binding(BINDING_HTTP_POST, response, place, response=True)
        return str(page["data"])

    def response_of(self, server: Server, question, place: str):  # type: ignore[no-untyped-def]
        authn = {"class_ref": PASSWORD_CONTEXT}
        if "authn_instant" in self.lies:
            authn["authn_instant"] = self.lies["authn_instant"]
        console = self.lies.get("audience", question.issuer.text)
        return server.create_authn_response(
            dict(self.person),
            self.lies.get("in_response_to", question.id),
            self.lies.get("place", place),
            console,
            name_id=NameID(**self.name_id),
            authn=authn,
            sign_assertion=self.lies.get("sign_assertion", True),
            sign_response=self.lies.get("sign_response", False),
            sign_alg=self.lies.get("signs", SIG_RSA_SHA256),
            digest_alg=self.lies.get("digests", DIGEST_SHA256),
            **self.lies.get("more", {}),
        )


def handler_of(idp: Idp) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            if parts.path == "/sso":
                self.reply(idp.answers(parts.query).encode(), "text/html")
            else:
                idp.questions += 1
                self.reply(idp.describes(), "application/samlmetadata+xml")

        def reply(self, body: bytes, kind: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    return Handler


def write_key(folder: Path, name: str) -> None:
    if (folder / f"{name}.key").exists():
        return
    key = rsa.generate_private_key(65537, 2048)
    made = certificate(name, key, name, key, ca=True)
    pem = serialization.Encoding.PEM
    (folder / f"{name}.pem").write_bytes(made.public_bytes(pem))
    text = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / f"{name}.key").write_bytes(text)


FIELD = re.compile(r'action="([^"]*)".*?name="SAMLResponse" value="([^"]*)"', re.S)


def form_of(page: str) -> tuple[str, str]:
    """Return where the form of the provider's page leads, and the answer in it."""
    found = FIELD.search(page)
    assert found, page
    return html.unescape(found[1]), html.unescape(found[2])
