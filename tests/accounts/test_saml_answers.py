"""Answers of a SAML provider that are refused, and providers that give none."""

import base64
import copy
import re

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client
from lxml import etree
from onelogin.saml2.utils import OneLogin_Saml2_Utils

from accounts.models import AuditEntry, BrowserSession
from accounts.providers import web
from accounts.providers.saml import SamlAnswer
from accounts.providers.saml_reasons import NOT_REQUESTED
from tests.accounts.saml import LOGIN, START, ask_idp, back, change, post, sam, sign_in
from tests.accounts.saml_signing import NS, edited, signed_again
from tests.elements import codes_in

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("adfs")]

ACS = f"{START}acs/"


def refused(response, *named):
    assert response.status_code == 400
    assert codes_in(response) == ["unproven"]
    assert all(name in response.content.decode() for name in ("AD FS", *named))
    assert not User.objects.filter(username="sam").exists()
    assert not BrowserSession.objects.exists()
    assert AuditEntry.objects.filter(action="refuse sign-in").count() == 1


def gone(node):
    node.getparent().remove(node)


def written(text):
    def change(node):
        node.text = text

    return change


@pytest.mark.parametrize(
    ("lies", "reason"),
    [
        ({"sign_assertion": False}, "not signed"),
        ({"sign_assertion": False, "sign_response": True}, "not signed"),
        ({"audience": "https://another.example/"}, "audience"),
        ({"issuer": "https://another.example/"}, "another issuer"),
        ({"place": "http://testserver/elsewhere/"}, "another address"),
        ({"minutes": -10}, "has expired"),
        ({"signs": "http://www.w3.org/2000/09/xmldsig#rsa-sha1"}, "SHA-1"),
        ({"digests": "http://www.w3.org/2000/09/xmldsig#sha1"}, "SHA-1"),
        ({"in_response_to": None}, NOT_REQUESTED),
    ],
)
def test_answer_that_is_not_for_this_console_is_refused(db, idp, lies, reason):
    idp.lies = lies
    refused(sign_in()[1], reason)


def test_answer_signed_by_somebody_else_is_refused(db, idp):
    idp.signs_with = "other"
    refused(sign_in()[1], "signature")


@pytest.mark.parametrize(
    ("path", "change"),
    [
        ("//a:NameID", written("s-2")),
        ("//a:Attribute[@Name='groups']/a:AttributeValue", written("cup-admins")),
        ("//a:Audience", written("http://testserver/x")),
        ("//a:AudienceRestriction", gone),
        ("//a:SubjectConfirmation", gone),
        ("//a:Assertion/ds:Signature", gone),
        ("//a:Assertion/ds:Signature/ds:SignatureValue", written("AAAA")),
        ("//a:Assertion", gone),
        ("//a:Assertion", lambda node: node.set("ID", "id-other")),
        ("//a:Assertion", lambda node: node.addnext(copy.deepcopy(node))),
        ("//p:StatusCode", lambda node: node.set("Value", "urn:x:Responder")),
    ],
)
def test_answer_that_was_changed_is_refused(db, idp, path, change):
    idp.lies = {"edit": edited(path, change)}
    refused(sign_in()[1])


def without(name):
    return lambda node: node.attrib.pop(name)


DATA = "//a:SubjectConfirmationData"


@pytest.mark.parametrize(
    ("path", "change", "reason"),
    [
        ("//a:AudienceRestriction", gone, "audience"),
        ("//a:Conditions", gone, ""),
        (DATA, without("InResponseTo"), NOT_REQUESTED),
        (DATA, without("Recipient"), NOT_REQUESTED),
        (DATA, without("NotOnOrAfter"), NOT_REQUESTED),
        ("//a:SubjectConfirmation", gone, ""),
        ("//a:Assertion/a:Issuer", written("https://another.example"), ""),
    ],
)
def test_signed_answer_that_leaves_something_out_is_refused(
    db, idp, path, change, reason
):
    key = str(idp.folder / "idp.key")
    idp.lies = {"edit": signed_again(path, change, key)}
    refused(sign_in()[1], reason)


def test_signing_again_is_right(db, idp):
    key = str(idp.folder / "idp.key")
    idp.lies = {"edit": signed_again("//a:Advice", gone, key)}
    assert sign_in()[1].url == "/"


@pytest.mark.parametrize("name", ["InResponseTo", "Recipient"])
def test_library_takes_what_the_console_refuses(db, idp, monkeypatch, name):
    """When this fails, python3-saml looks itself, and our check may go."""
    envelope = lambda self, _: self.response.get_in_response_to()  # noqa: E731
    monkeypatch.setattr(SamlAnswer, "question_in", envelope)
    key = str(idp.folder / "idp.key")
    idp.lies = {"edit": signed_again(DATA, without(name), key)}
    assert sign_in()[1].url == "/"


def wrapped(place):
    """Put a forged assertion before or after the signed one, or around it."""

    def change(node):
        forged = copy.deepcopy(node)
        forged.set("ID", "id-forged")
        for signature in forged.findall("ds:Signature", NS):
            forged.remove(signature)
        forged.find(".//a:NameID", NS).text = "s-of-ada"
        if place == "around":
            node.getparent().replace(node, forged)
            forged.find("a:AttributeStatement", NS).append(node)
        elif place == "before":
            node.addprevious(forged)
        else:
            node.addnext(forged)

    return change


@pytest.mark.parametrize("place", ["before", "after", "around"])
def test_forged_assertion_beside_a_signed_one_is_refused(db, idp, place):
    idp.lies = {"edit": edited("//a:Assertion", wrapped(place))}
    refused(sign_in()[1])


def test_comment_within_a_name_cuts_nothing_off(db, idp):
    idp.name_id["text"] = "ada.evil"
    cut = re.compile(r"ada\.evil")
    idp.lies = {"edit": lambda text: cut.sub("ada<!-- -->.evil", text)}
    sign_in()
    assert sam().socialaccount_set.get().uid == "ada.evil"


def test_answer_is_taken_once(db):
    client = Client()
    place, encoded = ask_idp(client.get(START).url)
    assert client.get(post(client, place, encoded).url).url == "/"
    client.post("/administration/system/sign-out/")
    again = client.get(post(client, place, encoded).url)
    assert again.url == LOGIN
    assert codes_in(client.get(LOGIN)) == ["not_ours"]


def test_answer_in_another_browser_is_refused(db):
    response = Client().get(START)
    other = Client()
    assert back(other, response).url == LOGIN
    assert codes_in(other.get(LOGIN)) == ["not_ours"]
    assert not BrowserSession.objects.exists()


def test_signed_assertion_in_an_envelope_for_another_question_is_refused(db, idp):
    """The envelope is not signed: an assertion that was seen elsewhere may be put in
    one that names the question of this browser."""
    victim = Client()
    _, stolen = ask_idp(victim.get(START).url)
    thief = Client()
    thief.get(START)
    state = next(iter(thief.session["socialaccount_states"]))

    root = etree.fromstring(base64.b64decode(stolen))
    root.set("InResponseTo", state)
    encoded = base64.b64encode(etree.tostring(root)).decode()
    refused(post(thief, f"http://testserver{ACS}", encoded))


def test_answer_that_came_late_is_refused(db, monkeypatch):
    client = Client()
    place, encoded = ask_idp(client.get(START).url)
    now = OneLogin_Saml2_Utils.now()
    monkeypatch.setattr(OneLogin_Saml2_Utils, "now", lambda: now + 900)
    refused(post(client, place, encoded), "has expired")


def test_clocks_may_differ_by_some_minutes(db, monkeypatch):
    client = Client()
    place, encoded = ask_idp(client.get(START).url)
    now = OneLogin_Saml2_Utils.now()
    monkeypatch.setattr(OneLogin_Saml2_Utils, "now", lambda: now - 240)
    assert client.get(post(client, place, encoded).url).url == "/"


BOMB = (
    '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    '<p:Response xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol">&b;</p:Response>'
)
FILE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>'


@pytest.mark.parametrize(
    "sent",
    [b"", b"x", b"<", b"<x/>", b"\0", b"\xff" * 100, BOMB.encode(), FILE.encode()]
    + [b"<x>" * 5000, b"x" * 400_000],
)
def test_odd_answers_end_in_a_sentence(db, sent):
    encoded = base64.b64encode(sent).decode()
    refused(post(Client(), f"http://testserver{ACS}", encoded))


def test_answers_of_strangers_fill_neither_audit_trail_nor_sessions(db):
    for _ in range(20):
        post(Client(), f"http://testserver{ACS}", "x")
    assert AuditEntry.objects.filter(action="refuse sign-in").count() == 1
    assert not Session.objects.exists()


@pytest.mark.parametrize("encoded", ["%%%", "a", "\0", "é", "=" * 50])
def test_what_is_no_base64_ends_in_a_sentence(db, encoded):
    refused(post(Client(), f"http://testserver{ACS}", encoded))


def test_return_without_an_answer_leads_to_the_sign_in(db, client):
    client.cookies["cupadmin-saml"] = "nonsense"
    assert client.get(f"{START}return/").url == LOGIN
    assert client.get(ACS).url == LOGIN


@pytest.mark.parametrize("odd", [[""], ["x" * 5000], ["a b"], ["\u202e"], ["1"] * 500])
@pytest.mark.parametrize("name", ["uid", "groups", "mail", "givenName"])
def test_odd_attributes_end_in_a_sentence_or_an_account(db, idp, settings, name, odd):
    change(settings, default_role="viewer")
    idp.person[name] = odd
    assert sign_in()[1].status_code == 302


def test_provider_that_is_down_is_said_and_passwords_work(viewer, settings):
    change(settings, metadata_url="http://127.0.0.1:9/")
    response = Client().get(START, follow=True)
    assert codes_in(response) == ["no_answer"]
    fields = {"login": "vera", "password": "correct horse battery"}
    assert Client().post(LOGIN, fields).url == "/"


def test_provider_that_failed_is_left_alone_for_a_moment(db, idp):
    idp.metadata = b"<x/>"
    for _ in range(3):
        assert Client().get(START, follow=True).status_code == 200
    assert idp.questions == 1


@pytest.mark.parametrize(
    "metadata", [b"", b"x", b"<x/>", BOMB.encode(), b"<x>" * 5000, b"\0", b"\xff\xfe"]
)
def test_odd_metadata_end_in_a_sentence(db, idp, metadata):
    idp.metadata = metadata
    response = Client().get(START, follow=True)
    assert response.status_code == 200
    assert b"AD FS" in response.content


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        (rb"<ns1:X509Certificate>|<ns2:X509Certificate>", b"", "no_answer"),
        (rb"http://127.0.0.1:\d+/sso", b"http://idp.example.com/", "unfit_provider"),
        (rb"http://127.0.0.1:\d+/sso", b"javascript:alert(1)", "unfit_provider"),
        (rb"IDPSSODescriptor", b"SPSSODescriptor", "unfit_provider"),
    ],
)
def test_metadata_that_cannot_be_used_are_said(db, idp, before, after, code):
    idp.metadata = re.sub(before, after, idp.describes())
    assert codes_in(Client().get(START, follow=True)) == [code]


def test_provider_that_says_too_much_is_refused(db, monkeypatch):
    monkeypatch.setattr(web, "MOST_BYTES", 100)
    response = Client().get(START, follow=True)
    assert codes_in(response) == ["no_answer"]
