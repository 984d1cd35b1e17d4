"""SAML 2.0 on django-allauth and python3-saml, with what they leave open.

python3-saml checks signatures, issuer, times and destination. It takes an assertion
without an audience, and one that names no question; django-allauth takes the question
from the envelope, which need not be signed. Here both must stand in the signed
assertion (SAML Profiles, 4.1.4).
"""

from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from allauth.socialaccount.helpers import complete_social_login
from allauth.socialaccount.models import SocialApp
from allauth.socialaccount.providers.saml.provider import SAMLProvider
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from onelogin.saml2.auth import OneLogin_Saml2_Auth
from onelogin.saml2.constants import OneLogin_Saml2_Constants as Constants
from onelogin.saml2.idp_metadata_parser import OneLogin_Saml2_IdPMetadataParser
from onelogin.saml2.response import OneLogin_Saml2_Response
from onelogin.saml2.settings import OneLogin_Saml2_Settings
from onelogin.saml2.utils import OneLogin_Saml2_Utils

from accounts.identities import NOT_NAMED, Person, SignInRefused, provider_key
from accounts.identity_settings import Saml, is_safe
from accounts.models import Identity
from accounts.providers.answers import NOT_OURS, Unfit, Unproven, answers_of
from accounts.providers.links import own_url
from accounts.providers.persons import FromPerson, storable_text
from accounts.providers.saml_reasons import NOT_REQUESTED, reason_of
from accounts.providers.web import ProviderSession, Published

# The longest answer, in characters of base64; with many groups one has some 20,000.
MOST_CHARACTERS = 300_000
# What the column of a provider takes, with the kind before it.
LONGEST_ENTITY_ID = 190
# Where providers put them, by the names of Keycloak, Okta, Microsoft and eduPerson.
USERNAMES = (
    "username",
    "uid",
    "urn:oid:0.9.2342.19200300.100.1.1",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name",
)
GROUPS = (
    "groups",
    "memberOf",
    "http://schemas.microsoft.com/ws/2008/06/identity/claims/groups",
    "http://schemas.xmlsoap.org/claims/Group",
    "urn:oid:1.3.6.1.4.1.5923.1.5.1.1",
)
FIRST_NAMES = (
    "givenName",
    "urn:oid:2.5.4.42",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/givenname",
)
LAST_NAMES = (
    "surname",
    "sn",
    "urn:oid:2.5.4.4",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname",
)
EMAILS = (
    "email",
    "mail",
    "urn:oid:0.9.2342.19200300.100.1.3",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
)


def saml_settings() -> Saml:
    """Return the provider.

    Raises:
        Refused: there is none.
    """
    provider: Saml | None = settings.SAML
    if provider is None:
        raise SignInRefused(
            "No SAML provider is set up for this console.", "no_provider"
        )
    return provider


@cache
def published_by(provider: Saml) -> Published[dict[str, Any]]:
    return Published(lambda: described_in(metadata_of(provider), provider.entity_id))


def metadata_of(provider: Saml) -> bytes:
    if provider.metadata_file:
        return Path(provider.metadata_file).read_bytes()
    with ProviderSession(provider.ca_file, provider.proxy) as session:
        answer = session.get(provider.metadata_url)
        answer.raise_for_status()
        return answer.content


def described_in(metadata: bytes, entity_id: str) -> dict[str, Any]:
    """Return what metadata say of the provider, as python3-saml takes it.

    Raises:
        Unfit: they describe no provider that can be used.
    """
    parsed = OneLogin_Saml2_IdPMetadataParser.parse(metadata, entity_id=entity_id)
    described: dict[str, Any] = parsed.get("idp") or {}
    if not described.get("entityId"):
        raise Unfit("Its metadata describe no identity provider.")
    if len(described["entityId"]) > LONGEST_ENTITY_ID:
        raise Unfit(f"Its entity ID has more than {LONGEST_ENTITY_ID} characters.")
    if not is_safe(described.get("singleSignOnService", {}).get("url") or ""):
        raise Unfit("Its metadata name no https:// address for HTTP-Redirect.")
    if not (
        described.get("x509cert") or described.get("x509certMulti", {}).get("signing")
    ):
        raise Unfit("Its metadata hold no certificate for signatures.")
    return described


def toolkit_settings(request: HttpRequest, provider: Saml) -> OneLogin_Saml2_Settings:
    """Return the settings of python3-saml: everything that can be checked is."""
    published = published_by(provider).get()
    config = {"strict": True, "idp": published, **own_side(request, provider)}
    return OneLogin_Saml2_Settings(config)


def own_side(request: HttpRequest, provider: Saml) -> dict[str, Any]:
    own: dict[str, Any] = {
        "entityId": provider.own_entity_id
        or own_url(request, "accounts:saml_metadata"),
        "assertionConsumerService": {
            "url": own_url(request, "accounts:saml_answer"),
            "binding": Constants.BINDING_HTTP_POST,
        },
    }
    if provider.key:
        own["privateKey"] = provider.key
        own["x509cert"] = Path(provider.certificate_file).read_text()
    return {"sp": own, "security": security_settings(signed=bool(provider.key))}


def security_settings(*, signed: bool) -> dict[str, Any]:
    return {
        "wantAssertionsSigned": True,
        "authnRequestsSigned": signed,
        "rejectDeprecatedAlgorithm": True,
        # Names without a dot are usual in networks of one's own.
        "allowSingleLabelDomains": True,
        "signatureAlgorithm": Constants.RSA_SHA256,
        "digestAlgorithm": Constants.SHA256,
        "requestedAuthnContext": False,
        "wantNameId": False,
        "wantAttributeStatement": False,
        "allowRepeatAttributeName": True,
        # Without an end: providers read it once, when the console is registered.
        "metadataValidUntil": "",
        "metadataCacheDuration": "",
    }


def own_metadata(request: HttpRequest) -> bytes:
    """Return what a provider wants to know of the console."""
    provider = saml_settings()
    side = own_side(request, provider)
    # Only then the library names our key as one to encrypt for; that is up to them.
    side["security"]["wantAssertionsEncrypted"] = bool(provider.key)
    own = OneLogin_Saml2_Settings({"strict": True, **side}, sp_validation_only=True)
    metadata: str | bytes = own.get_sp_metadata()
    return metadata.encode() if isinstance(metadata, str) else metadata


def request_data(request: HttpRequest) -> dict[str, Any]:
    """Return where the answer came in, as it is registered at the provider."""
    parts = urlsplit(own_url(request, "accounts:saml_answer"))
    return {
        "https": "on" if parts.scheme == "https" else "off",
        "http_host": parts.netloc,
        "script_name": parts.path,
        "get_data": {},
        "post_data": {},
    }


def provider_for(request: HttpRequest) -> "SamlProvider":
    """Return the library's provider.

    Raises:
        Refused: there is none, or its metadata cannot be had.
    """
    provider = saml_settings()
    with answers_of(provider.name):
        entity_id = published_by(provider).get()["entityId"]
    app = SocialApp(
        provider="saml",
        provider_id=provider_key(Identity.Provider.SAML, entity_id),
        name=provider.name,
        client_id="saml",
    )
    return SamlProvider(request, app=app)


class SamlProvider(FromPerson, SAMLProvider):  # type: ignore[misc]
    """Sends people there, and asks for a new sign-in where that is the purpose."""

    def redirect(
        self,
        request: HttpRequest,
        process: str,
        next_url: str | None = None,
        data: Any = None,
        *,
        again: bool = False,
    ) -> HttpResponse:
        with answers_of(self.name):
            auth = OneLogin_Saml2_Auth(
                request_data(request), toolkit_settings(request, saml_settings())
            )
            address = auth.login(return_to="", force_authn=again)
        self.stash_redirect_state(
            request, process, next_url, data, state_id=auth.get_last_request_id()
        )
        return HttpResponseRedirect(address)


class SamlAnswer:
    """An answer whose signed assertion holds.

    Raises:
        Refused: it does not hold.
    """

    def __init__(self, request: HttpRequest, encoded: str) -> None:
        provider = saml_settings()
        with answers_of(provider.name):
            if len(encoded) > MOST_CHARACTERS:
                raise Unproven("It is too long.")
            known = toolkit_settings(request, provider)
            try:
                self.response = OneLogin_Saml2_Response(known, encoded)
                self.response.is_valid(request_data(request), raise_exceptions=True)
            except Exception as error:
                raise Unproven(reason_of(error)) from error
            self.issuer: str = known.get_idp_data()["entityId"]
            self.assertion = self.only_assertion()
            own = known.get_sp_data()
            self.question = self.question_in(own["assertionConsumerService"]["url"])
            if own["entityId"] not in self.response.get_audiences():
                raise Unproven("It is not meant for this console (audience).")

    def only_assertion(self) -> Any:
        """Return the assertion; that it is one, and signed, was checked before."""
        document = self.response.get_xml_document()
        (found,) = document.findall("saml:Assertion", Constants.NSMAP)
        return found

    def question_in(self, own_address: str) -> str:
        """Return the id of the question that the assertion is the answer to."""
        path = "saml:Subject/saml:SubjectConfirmation/saml:SubjectConfirmationData"
        for data in self.assertion.findall(path, Constants.NSMAP):
            is_ours = data.get("Recipient") == own_address and data.get("NotOnOrAfter")
            if is_ours and data.get("InResponseTo"):
                return str(data.get("InResponseTo"))
        raise Unproven(NOT_REQUESTED)

    @property
    def authenticated_at(self) -> float | None:
        """When the person signed in there."""
        statement = self.assertion.find("saml:AuthnStatement", Constants.NSMAP)
        instant = None if statement is None else statement.get("AuthnInstant")
        found: float | None = (
            OneLogin_Saml2_Utils.parse_SAML_to_time(instant) if instant else None
        )
        return found

    def person(self) -> Person:
        provider = saml_settings()
        with answers_of(provider.name):
            attributes = self.response.get_friendlyname_attributes()
            attributes |= self.response.get_attributes()
            name = first_attribute(
                attributes, attribute_names(provider.username_attribute, USERNAMES)
            )
            return Person(
                kind=Identity.Provider.SAML,
                issuer=self.issuer,
                subject=self.subject(attributes),
                username=name or storable_text(self.response.get_nameid()),
                first_name=first_attribute(attributes, FIRST_NAMES),
                last_name=first_attribute(attributes, LAST_NAMES),
                email=first_attribute(attributes, EMAILS),
                groups=attribute_values(
                    attributes, attribute_names(provider.groups_attribute, GROUPS)
                ),
            )

    def subject(self, attributes: dict[str, Any]) -> str:
        attribute = saml_settings().subject_attribute
        if attribute:
            return first_attribute(attributes, (attribute,))
        if self.response.get_nameid_format() == Constants.NAMEID_TRANSIENT:
            raise Unfit("It sends a transient NameID, which changes at each sign-in.")
        return storable_text(self.response.get_nameid())


def attribute_names(attribute: str, usual: tuple[str, ...]) -> tuple[str, ...]:
    return (attribute,) if attribute else usual


def attribute_values(attributes: dict[str, Any], names: tuple[str, ...]) -> list[str]:
    """Return the texts of the first attribute that is there."""
    found: list[Any] = next(
        (attributes[name] for name in names if attributes.get(name)), []
    )
    return [storable_text(value) for value in found if isinstance(value, str)]


def first_attribute(attributes: dict[str, Any], names: tuple[str, ...]) -> str:
    return next(iter(attribute_values(attributes, names)), "")


def come_back(request: HttpRequest, encoded: str) -> HttpResponse:
    """Take an answer in the browser that asked; what follows is in the adapter.

    Raises:
        Refused: it does not hold, or this browser did not ask, or was answered already.
    """
    answer = SamlAnswer(request, encoded)
    provider = provider_for(request)
    try:
        state = provider.unstash_redirect_state(request, answer.question)
    except PermissionDenied:
        raise SignInRefused(NOT_OURS, "not_ours") from None
    person = answer.person()
    if not person.subject:
        raise SignInRefused(NOT_NAMED, "not_named")
    login = provider.sociallogin_from_response(request, person)
    login.person = person
    login.authenticated_at = answer.authenticated_at
    login.state = state
    response: HttpResponse = complete_social_login(request, login)
    return response
