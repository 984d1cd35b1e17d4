"""A passkey in software, as a browser hands its answers to the console."""

import json
import re
import secrets
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import (
    AttestationObject,
    AttestedCredentialData,
    AuthenticatorData,
    CollectedClientData,
)

HOST = "localhost"
ORIGIN = f"http://{HOST}"
FLAG = AuthenticatorData.FLAG
VERIFIED = FLAG.UP | FLAG.UV


class Passkey:
    """One credential; `flags` say whether the person typed a PIN."""

    def __init__(self, flags=VERIFIED, origin=ORIGIN):
        self.key, self.id = generate_private_key(SECP256R1()), secrets.token_bytes(16)
        self.flags, self.origin, self.user = flags, origin, ""

    def make(self, options):
        options = options["creation_options"]["publicKey"]
        self.user = options["user"]["id"]
        public = ES256.from_cryptography_key(self.key.public_key())
        held = AttestedCredentialData.create(b"\0" * 16, self.id, public)
        data = self.data(self.flags | FLAG.AT, held)
        fields = {
            "clientDataJSON": self.client_data("create", options),
            "attestationObject": AttestationObject.create("none", data, {}),
        }
        return self.answer(fields, {"credProps": {"rk": True}})

    def sign(self, options):
        options = options["request_options"]["publicKey"]
        told, data = self.client_data("get", options), self.data(self.flags)
        digest = sha256(told).digest()
        fields = {
            "clientDataJSON": told,
            "authenticatorData": data,
            "signature": self.key.sign(data + digest, ECDSA(SHA256())),
        }
        return self.answer(fields, {}, userHandle=self.user)

    def data(self, flags, held=b""):
        return AuthenticatorData.create(sha256(HOST.encode()).digest(), flags, 1, held)

    def client_data(self, kind, options):
        challenge = options["challenge"]
        return CollectedClientData.create(f"webauthn.{kind}", challenge, self.origin)

    def answer(self, fields, extensions, **more):
        return {
            "id": websafe_encode(self.id),
            "rawId": websafe_encode(self.id),
            "type": "public-key",
            "response": {name: websafe_encode(v) for name, v in fields.items()} | more,
            "clientExtensionResults": extensions,
        }


def question_in(page):
    """What the page gives to its script."""
    found = re.search(
        r'<script id="passkey-question" type="application/json">(.*?)</script>',
        page.content.decode(),
    )
    return json.loads(found[1])
