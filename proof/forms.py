"""The form of a canary. A typed password is never shown again."""

from collections.abc import Iterator
from typing import Any

from django import forms

from clusters.forms import PasswordField, offer_to_keep
from presence import ProofInterface, is_xmpp_installed
from proof.models import Canary

_SECTIONS = (
    ("Users", ("userid", "watcher_userid", "way")),
    (
        "Presence Web Service",
        ("presence_username", "presence_password", "presence_port"),
    ),
    ("SIP", ("digest_password", "watcher_digest_password")),
    ("XMPP", ("xmpp_password", "watcher_xmpp_password", "xmpp_port")),
)


def secret_field(label: str, about: str = "") -> PasswordField:
    return PasswordField(label=label, required=False, help_text=about)


class CanaryForm(forms.ModelForm[Canary]):
    """The canary users of a cluster, and how they are signed in."""

    presence_password = secret_field("Presence password")
    digest_password = secret_field(
        "Digest credentials",
        "Of the canary user; empty where the SIP proxy accepts the address of the "
        "console.",
    )
    watcher_digest_password = secret_field("Digest credentials of the second user")
    xmpp_password = secret_field(
        "XMPP password", "The canary user's own: XMPP signs nobody in by name alone."
    )
    watcher_xmpp_password = secret_field("XMPP password of the second user")

    class Meta:
        model = Canary
        fields = (
            "userid",
            "watcher_userid",
            "way",
            "presence_username",
            "presence_port",
            "xmpp_port",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer_to_keep(self)

    def sections(self) -> Iterator[tuple[str, list[forms.BoundField]]]:
        """Give the fields of each interface under its name."""
        for title, names in _SECTIONS:
            yield title, [self[name] for name in names]

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if data.get("presence_username") and not self._has("presence_password", data):
            self.add_error("presence_password", "Enter the password of this user.")
        if data.get("userid") and data.get("userid") == data.get("watcher_userid"):
            self.add_error("watcher_userid", "This is the first canary user.")
        if data.get("way") == ProofInterface.XMPP:
            self._check_xmpp(data)
        return data

    def _check_xmpp(self, data: dict[str, Any]) -> None:
        if not is_xmpp_installed():
            self.add_error(
                "way",
                "XMPP is not installed. Install the packages of requirements-xmpp.txt "
                "and restart the console.",
            )
        users = (
            ("userid", "xmpp_password"),
            ("watcher_userid", "watcher_xmpp_password"),
        )
        for user, password in users:
            if data.get(user) and not self._has(password, data):
                self.add_error(password, "Enter the XMPP password of this user.")

    def _has(self, secret: str, data: dict[str, Any]) -> bool:
        return bool(data.get(secret) or getattr(self.instance, secret))
