import json

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from django.urls import reverse

from accounts.adapters import MfaAdapter
from accounts.models import AuditEntry, BrowserSession
from tests.accounts.authenticator import FLAG, HOST, Passkey, question_in

PASSWORD = "correct horse battery"
NOT_ACCEPTED = MfaAdapter.error_messages["wrong_passkey"].encode()
PAGE = "/administration/system/second-factor/"
ADD = f"{PAGE}passkeys/add/"
SIGN_IN = "/administration/system/sign-in/"
BY_PASSKEY = f"{SIGN_IN}passkey/"
CODE = f"{SIGN_IN}code/"
USERS = "/administration/system/users/add/"


def browser(**extra):
    return Client(HTTP_HOST=HOST, **extra)


def signed_in(client):
    return client.get("/").status_code == 200


def add_to(client, passkey=None, name="Laptop"):
    passkey = passkey or Passkey()
    credential = passkey.make(question_in(client.get(ADD)))
    fields = {"name": name, "credential": json.dumps(credential)}
    return passkey, client.post(ADD, fields)


@pytest.fixture
def mine(viewer):
    """A browser of the viewer, who is signed in."""
    client = browser()
    client.force_login(viewer)
    return client


@pytest.fixture
def passkey(mine):
    return add_to(mine)[0]


def get_options(client):
    return client.get(BY_PASSKEY, headers={"accept": "application/json"}).json()


def send(client, credential, **fields):
    return client.post(BY_PASSKEY, {"credential": json.dumps(credential), **fields})


def by_passkey(passkey, **fields):
    client = browser()
    return client, send(client, passkey.sign(get_options(client)), **fields)


def with_password():
    client = browser()
    client.post(SIGN_IN, {"login": "vera", "password": PASSWORD})
    return client


def actions():
    return list(AuditEntry.objects.values_list("action", flat=True))


def test_added_passkey_is_listed_and_brings_recovery_codes(mine):
    _, response = add_to(mine, name="<b>Key</b>")
    assert response.url == f"{PAGE}recovery-codes/"
    assert b"&lt;b&gt;Key&lt;/b&gt;" in mine.get(PAGE).content
    entry = AuditEntry.objects.get(action="add passkey")
    assert entry.changes == {"passkey": [None, "<b>Key</b>"]}


def test_passkey_signs_in_without_name_password_or_code(passkey):
    client, response = by_passkey(passkey, next="/search/?q=x")
    assert response.url == "/search/?q=x"
    assert signed_in(client)
    entry = AuditEntry.objects.filter(action="sign in").first()
    assert entry.changes == {"with": [None, "passkey"]}


def test_passkey_sign_in_never_leads_to_another_host(passkey):
    assert by_passkey(passkey, next="https://evil.example/")[1].url == "/"


def test_password_waits_for_the_passkey(passkey):
    client = with_password()
    assert not signed_in(client)
    credential = passkey.sign(question_in(client.get(CODE)))
    client.post(CODE, {"credential": json.dumps(credential)})
    assert signed_in(client)


def test_signature_is_good_for_one_sign_in(passkey):
    client = browser()
    credential = passkey.sign(get_options(client))
    assert send(client, credential).url == "/"
    again = browser()
    get_options(again)
    assert send(again, credential).url == SIGN_IN
    assert not signed_in(again)


@pytest.mark.parametrize(
    "passkey",
    [
        Passkey(flags=FLAG.UP),
        Passkey(origin="https://evil.example"),
        Passkey(origin="http://localhost.evil.example"),
    ],
    ids=["no PIN", "another site", "a site named like it"],
)
def test_passkey_without_pin_or_of_another_site_is_not_added(mine, passkey):
    _, response = add_to(mine, passkey)
    assert NOT_ACCEPTED in response.content
    assert not Authenticator.objects.exists()


def test_passkey_that_asked_for_no_pin_signs_nobody_in(passkey):
    passkey.flags = FLAG.UP
    client, response = by_passkey(passkey)
    assert response.url == SIGN_IN
    assert not signed_in(client)
    assert actions()[0] == "refuse sign-in"


def test_unknown_passkey_for_a_known_user_is_refused(passkey, viewer):
    stranger = Passkey()
    stranger.user = passkey.user
    client, response = by_passkey(stranger)
    assert response.url == SIGN_IN
    assert NOT_ACCEPTED in client.get(SIGN_IN).content


def test_another_users_signature_under_my_name_is_refused(passkey, operator):
    theirs = browser()
    theirs.force_login(operator)
    other = add_to(theirs)[0]
    other.user = passkey.user
    assert not signed_in(by_passkey(other)[0])


def test_deactivated_user_gets_in_by_no_passkey(passkey, viewer):
    type(viewer).objects.update(is_active=False)
    client, response = by_passkey(passkey)
    assert response.url == SIGN_IN
    assert not signed_in(client)


def test_passkey_does_not_outlive_an_account_at_a_provider(passkey, viewer):
    viewer.set_unusable_password()
    viewer.save()
    client, response = by_passkey(passkey)
    assert not signed_in(client)
    assert b"sign in there" in client.get(SIGN_IN).content


def test_passkey_takes_back_no_attempts_of_passwords(passkey, settings):
    settings.SIGN_IN_LIMIT = 2
    for _ in range(4):
        browser().post(SIGN_IN, {"login": "vera", "password": "wrong"})
        by_passkey(passkey)
    locked = browser().post(SIGN_IN, {"login": "vera", "password": PASSWORD})
    assert b"Too many attempts" in locked.content


HOSTILE = [
    "",
    "{",
    "null",
    "[]",
    '"x"',
    "1",
    "{}",
    "[" * 5000,
    '{"id": 1, "rawId": 1, "type": "public-key", "response": []}',
    '{"id": "AA", "rawId": "AA", "type": "public-key", "response": "x"}',
    '{"id": "AA", "rawId": "AA", "type": "x", "response": {"userHandle": null}}',
    '{"response": {"userHandle": 5}}',
    "x" * 30_000,
]


ODD = ("", "AA", 5, None, [], {}, "é", "o2NmbXQ", "w7w", "eno" * 50, "\0")


def damaged(credential):
    """Answers that are right but for one of the values that matter."""
    for name in credential["response"]:
        for value in ODD:
            yield credential | {"response": credential["response"] | {name: value}}
    for value in ODD:
        yield credential | {"response": value}
        yield credential | {"rawId": value, "id": value}


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_answers_are_refused_with_a_sentence(passkey, mine, text):
    stranger, waiting = browser(), with_password()
    get_options(stranger)
    assert stranger.post(BY_PASSKEY, {"credential": text}).url == SIGN_IN
    assert b'class="notice failed"' in stranger.get(SIGN_IN).content
    waiting.get(CODE)
    assert waiting.post(CODE, {"credential": text}).status_code == 200
    mine.get(ADD)
    assert mine.post(ADD, {"credential": text}).status_code == 200
    assert not signed_in(stranger) and not signed_in(waiting)


def test_damaged_answers_sign_nobody_in(passkey):
    client = browser()
    for answer in damaged(passkey.sign(get_options(client))):
        assert send(client, answer).url == SIGN_IN, answer
    assert not signed_in(client)


def test_damaged_answers_add_no_passkey(mine):
    question = question_in(mine.get(ADD))
    for answer in damaged(Passkey().make(question)):
        response = mine.post(ADD, {"credential": json.dumps(answer)})
        assert response.status_code == 200, answer
    assert not Authenticator.objects.exists()


def test_wrong_passkeys_of_one_address_are_limited(passkey, settings):
    settings.SIGN_IN_LIMIT = 2
    for _ in range(12):
        by_passkey(Passkey())
    assert actions().count("refuse sign-in") == 10
    assert actions().count("lock sign-in") == 1
    client = by_passkey(passkey)[0]
    assert not signed_in(client)
    assert b"Too many attempts" in client.get(SIGN_IN).content
    elsewhere = browser(REMOTE_ADDR="192.0.2.9")
    send(elsewhere, passkey.sign(get_options(elsewhere)))
    assert signed_in(elsewhere)


def test_right_passkeys_use_up_no_attempts(passkey, settings):
    settings.SIGN_IN_LIMIT = 1
    for _ in range(7):
        assert signed_in(by_passkey(passkey)[0])


def test_wrong_passkeys_after_the_password_count_like_codes(passkey):
    client = with_password()
    for _ in range(12):
        wrong = Passkey().sign(question_in(client.get(CODE)))
        client.post(CODE, {"credential": json.dumps(wrong)})
    assert actions().count("refuse second factor") == 9
    right = passkey.sign(question_in(client.get(CODE)))
    response = client.post(CODE, {"credential": json.dumps(right)})
    assert b"Too many attempts" in response.content


def test_pages_offer_no_passkey_where_browsers_refuse_it(passkey, viewer):
    by_address = Client(HTTP_HOST="127.0.0.1")
    by_address.post(SIGN_IN, {"login": "vera", "password": PASSWORD})
    page = by_address.get(CODE)
    assert page.context["passkeys_unusable"].encode() in page.content
    assert b"data-passkey" not in page.content
    client = Client(HTTP_HOST="127.0.0.1")
    client.force_login(viewer)
    BrowserSession.objects.update(proved_at="2020-01-01T00:00:00Z")
    assert b"data-passkey" not in client.get(ADD).content


def test_questions_of_strangers_are_forgotten_soon(passkey):
    client = browser()
    credential = passkey.sign(get_options(client))
    assert client.session.get_expiry_age() <= 300
    send(client, credential)
    assert client.session.get_expire_at_browser_close()
    assert client.session.get_expiry_age() == 8 * 3600


def test_passkey_page_does_not_open_without_a_proof(mine):
    BrowserSession.objects.update(proved_at="2020-01-01T00:00:00Z")
    assert b'name="proof_password"' in mine.get(ADD).content


def test_passkey_is_a_fresh_proof(administrator):
    client = browser()
    client.force_login(administrator)
    passkey = add_to(client)[0]
    BrowserSession.objects.update(proved_at="2020-01-01T00:00:00Z")
    requested = client.get(USERS)
    credential = json.dumps(passkey.sign(question_in(requested)))
    fields = {"proof_passkey": credential, "proof_opened": "1"}
    assert client.post(USERS, fields).url == USERS
    assert b"Add user" in client.get(USERS).content
    assert "prove passkey" in actions()


def test_passkey_of_somebody_else_is_no_proof(passkey, administrator):
    client = browser()
    client.force_login(administrator)
    add_to(client)
    BrowserSession.objects.update(proved_at="2020-01-01T00:00:00Z")
    credential = json.dumps(passkey.sign(question_in(client.get(USERS))))
    response = client.post(USERS, {"proof_passkey": credential, "proof_opened": "1"})
    assert NOT_ACCEPTED in response.content


def test_what_was_posted_goes_on_after_a_proof_by_passkey(administrator, viewer):
    client = browser()
    client.force_login(administrator)
    passkey = add_to(client)[0]
    BrowserSession.objects.update(proved_at="2020-01-01T00:00:00Z")
    url = reverse("accounts:edit_user", args=[viewer.pk])
    fields = {"role": "operator", "is_active": "on", "first_name": "Vera"}
    credential = passkey.sign(question_in(client.post(url, fields)))
    client.post(url, fields | {"proof_passkey": json.dumps(credential)})
    viewer.refresh_from_db()
    assert viewer.first_name == "Vera"


def test_account_has_no_more_passkeys_than_allowed(mine, monkeypatch):
    monkeypatch.setattr("accounts.sign_in_forms.MOST_PASSKEYS", 2)
    for _ in range(3):
        response = add_to(mine)[1]
    assert b"Remove one first" in response.content
    assert Authenticator.objects.filter(type="webauthn").count() == 2


def test_passkey_is_renamed_and_removed(passkey, mine):
    pk = Authenticator.objects.get(type="webauthn").pk
    rename = reverse("mfa_edit_webauthn", args=[pk])
    assert b'value="Laptop"' in mine.get(rename).content
    mine.post(rename, {"name": "Desk"})
    assert b"Desk" in mine.get(PAGE).content
    remove = reverse("mfa_remove_webauthn", args=[pk])
    assert b"Desk" in mine.get(remove).content
    assert mine.post(remove).url == PAGE
    assert not Authenticator.objects.exists()
    assert actions()[:2] == ["remove passkey", "rename passkey"]


def test_nobody_removes_or_renames_the_passkey_of_another(passkey, operator, client_of):
    pk = Authenticator.objects.get(type="webauthn").pk
    other = client_of(operator)
    for name in ("mfa_edit_webauthn", "mfa_remove_webauthn"):
        url = reverse(name, args=[pk])
        assert other.get(url).status_code == 404
        assert other.post(url, {"name": "mine"}).status_code == 404
    assert Authenticator.objects.filter(type="webauthn").exists()


@pytest.mark.parametrize("name", ["", " ", "x" * 61, "\0"])
def test_odd_name_of_a_passkey_is_refused(passkey, mine, name):
    pk = Authenticator.objects.get(type="webauthn").pk
    response = mine.post(reverse("mfa_edit_webauthn", args=[pk]), {"name": name})
    assert response.status_code == 200
    assert b"Nothing was saved" in response.content


def test_passkey_is_the_second_factor_that_a_role_needs(viewer, settings, mine):
    settings.REQUIRE_SECOND_FACTOR = ["viewer"]
    assert mine.get("/").url == PAGE
    add_to(mine)
    assert signed_in(mine)


def test_password_alone_makes_no_token_beside_a_passkey(passkey):
    basic = "Basic dmVyYTpjb3JyZWN0IGhvcnNlIGJhdHRlcnk="
    client = browser(HTTP_AUTHORIZATION=basic)
    assert client.post("/api/v1/tokens/", {"name": "x"}).status_code == 401


@pytest.mark.parametrize(
    ("host", "secure", "offered"),
    [
        ("localhost:8000", False, True),
        ("127.0.0.1:8000", False, False),
        ("[::1]:8000", True, False),
        ("[::1]", True, False),
        ("testserver", False, False),
        ("testserver", True, True),
    ],
)
def test_passkeys_are_offered_where_browsers_allow_them(db, host, secure, offered):
    page = Client(HTTP_HOST=host).get(SIGN_IN, secure=secure).content
    assert (reverse("mfa_login_webauthn").encode() in page) == offered


def test_administrator_resets_passkeys_too(passkey, administrator, viewer, client_of):
    client = client_of(administrator)
    url = reverse("accounts:edit_user", args=[viewer.pk])
    assert b"Passkey Laptop" in client.get(url).content
    client.post(reverse("accounts:reset_factor", args=[viewer.pk]))
    assert not Authenticator.objects.exists()
    assert "remove passkey" not in actions()
