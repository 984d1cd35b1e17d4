"""A small OpenID Connect provider on a real socket; it shares no code with ours."""

import base64
import hashlib
import json
import secrets
import threading
import time
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value: int) -> str:
    return encoded(value.to_bytes((value.bit_length() + 7) // 8, "big"))


@cache
def keys() -> tuple[rsa.RSAPrivateKey, rsa.RSAPrivateKey]:
    """The provider's key and another; making them takes longer than most tests."""
    return tuple(rsa.generate_private_key(65537, 2048) for _ in range(2))


class Provider:
    """Says yes for `person` to every question; `lies` bend what it answers."""

    def __init__(self) -> None:
        self.key, self.other_key = keys()
        self.person = {
            "sub": "u-1",
            "preferred_username": "pia",
            "given_name": "Pia",
            "family_name": "Provider",
            "email": "pia@example.com",
            "groups": ["cup-operators"],
        }
        self.lies: dict = {}
        self.only_in_userinfo: set[str] = set()
        self.signs_with = self.key
        self.discovery: dict = {}
        self.moved = ""
        self.stalls = threading.Event()
        self.requests: list[dict[str, str]] = []
        self.codes: dict[str, dict[str, str]] = {}
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler_of(self))
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=[0.05])

    def __enter__(self) -> "Provider":
        self.thread.start()
        return self

    def __exit__(self, *args: object) -> None:
        self.stalls.clear()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def says(self) -> dict:
        if "says" in self.lies:
            return self.lies["says"]
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "userinfo_endpoint": f"{self.url}/userinfo",
            "jwks_uri": f"{self.url}/jwks",
            "end_session_endpoint": f"{self.url}/end",
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            "id_token_signing_alg_values_supported": ["RS256", "none", "HS256"],
            **self.discovery,
        }

    def keys(self) -> dict:
        numbers = self.key.public_key().public_numbers()
        key = {"kty": "RSA", "kid": "1", "use": "sig", "alg": "RS256"}
        keys = [key | {"n": number(numbers.n), "e": number(numbers.e)}]
        return self.lies.get("keys", {"keys": keys})

    def authorize(self, requested: dict[str, str]) -> str:
        self.requests.append(requested)
        code = secrets.token_urlsafe(8)
        self.codes[code] = requested
        answer = {"code": code, "state": requested["state"]} | self.lies.get(
            "answer", {}
        )
        return f"{requested['redirect_uri']}?{urlencode(answer)}"

    def token(self, form: dict[str, str], authorization: str) -> dict | None:
        asked = self.codes.pop(form.get("code", ""), None)
        client = base64.b64encode(b"console:the client secret").decode()
        verifier = form.get("code_verifier", "").encode()
        challenge = encoded(hashlib.sha256(verifier).digest())
        if (
            asked is None
            or authorization != f"Basic {client}"
            or asked["code_challenge_method"] != "S256"
            or asked["code_challenge"] != challenge
            or asked["redirect_uri"] != form["redirect_uri"]
        ):
            return None
        answer = {
            "access_token": "an access token",
            "token_type": "Bearer",
            "id_token": self.id_token(asked),
        }
        return self.lies.get("token", answer)

    def id_token(self, requested: dict[str, str]) -> str:
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": "console",
            "iat": now,
            "exp": now + 300,
            "auth_time": now if requested.get("prompt") == "login" else now - 7200,
            "nonce": requested["nonce"],
            **{k: v for k, v in self.person.items() if k not in self.only_in_userinfo},
            **self.lies.get("claims", {}),
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        header = {"alg": "RS256", "kid": "1"} | self.lies.get("header", {})
        text = ".".join(encoded(json.dumps(part).encode()) for part in (header, claims))
        if header["alg"] == "none":
            return f"{text}."
        signature = self.signs_with.sign(
            text.encode(), padding.PKCS1v15(), hashes.SHA256()
        )
        return f"{text}.{encoded(signature)}"


def handler_of(provider: Provider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, query = urlsplit(self.path).path, urlsplit(self.path).query
            if provider.stalls.is_set():
                time.sleep(2)
                return
            if provider.moved and path != "/elsewhere":
                self.send_response(302)
                self.send_header("Location", provider.moved)
                self.end_headers()
            elif path == "/authorize":
                requested = {
                    name: values[0] for name, values in parse_qs(query).items()
                }
                self.send_response(302)
                self.send_header("Location", provider.authorize(requested))
                self.end_headers()
            elif path == "/userinfo":
                self.reply(provider.person | provider.lies.get("userinfo", {}))
            elif path == "/jwks":
                self.reply(provider.keys())
            else:
                self.reply(provider.says())

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            sent = parse_qs(self.rfile.read(length).decode())
            form = {name: values[0] for name, values in sent.items()}
            reply = provider.token(form, self.headers.get("Authorization", ""))
            refusal = provider.lies.get("refusal")
            if reply is None or refusal:
                self.reply(refusal or {"error": "invalid_grant"}, 400)
            else:
                self.reply(reply)

        def reply(self, body: dict, status: int = 200) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args: object) -> None:
            pass

    return Handler
