"""What every skin offers the site: paths, names of fields, and markup for screens."""

from collections.abc import Mapping

from .screens import Frame, Screen, ScreenField
from .words import Words

ROOT = "/cupadmin/"
SIGN_IN = ROOT + "j_security_check"
ACTIONS = ("find", "add", "save", "delete", "sync", "accept", "cancel")


class Skin:
    """One markup of the pages; each has its own paths and names of controls."""

    name = ""
    paths: Mapping[str, str] = {}
    names: Mapping[str, str] = {}
    # The token of a page is in its forms, or in a cookie.
    token_name = ""
    token_cookie = ""
    shows_all_at_once = False
    # What is asked about on a page of its own: delete, sync.
    confirmed_on_pages: frozenset[str] = frozenset()
    force_label = ""
    criteria = ("address", "username")
    columns: tuple[str, ...] = ()
    status_order: tuple[str, ...] = (
        "connectivity",
        "sync_status",
        "certificate",
        "groups",
        "users",
        "synchronised",
    )

    def path(self, kind: str, **query: str) -> str:
        """Return where a page is, with its query."""
        pairs = "&".join(f"{name}={value}" for name, value in query.items())
        return ROOT + self.paths[kind] + (f"?{pairs}" if pairs else "")

    def kind_of(self, path: str) -> str:
        """Return which page a path is; empty when it is none."""
        found = (k for k, p in self.paths.items() if ROOT + p == path)
        return next(found, "")

    def control(self, field: ScreenField | str) -> str:
        """Return the name of a control in the forms of this skin."""
        name = field if isinstance(field, str) else field.name
        return self.names.get(name, name)

    def action(self, form: Mapping[str, list[str]]) -> str:
        """Return which button sent a form; empty when none is in it."""
        action = (form.get(self.control("action")) or [""])[0]
        if action in ACTIONS:
            return action
        sent = (a for a in ACTIONS if {a, f"{a}.x", self.control(a)} & set(form))
        return next(sent, "")

    def chosen(self, form: Mapping[str, list[str]]) -> list[str]:
        """Return the keys of the rows that are ticked."""
        return form.get("row", [])

    def source(self, outcome: str) -> str:
        """Return where the icon of an outcome is."""
        return f"{ROOT}{self.paths['icons']}{outcome}.png"

    def icon_of(self, path: str) -> str:
        """Return which icon a path is; empty when it is none."""
        start = ROOT + self.paths["icons"]
        name = path.removeprefix(start).removesuffix(".png")
        return name if path.startswith(start) and name.isidentifier() else ""

    def top(self, frame: Frame, words: Words) -> str:
        """Return the document that holds the frames; empty when there are none."""
        return ""

    def part(self, path: str, frame: Frame, words: Words) -> str:
        """Return a frame of the top document; empty when the path is none."""
        return ""

    def render(self, screen: Screen, frame: Frame, words: Words) -> str:
        raise NotImplementedError
