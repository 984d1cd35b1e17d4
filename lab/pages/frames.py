"""A skin of frames and tables, as of an old release: image buttons, few words.

Labels stand in the row above their controls; delete and sync are asked about on pages.
"""

from collections.abc import Mapping

from .markup import escaped, option_list, question_attribute
from .screens import Frame, Listing, PanelSection, Screen, ScreenField
from .skin import ROOT, SIGN_IN, Skin
from .words import Words


class Frames(Skin):
    name = "frames"
    paths = {
        "home": "main",
        "top": "frame/top",
        "menu": "frame/menu",
        "dashboard": "frame/start",
        "settings": "frame/settings",
        "list": "cluster/peers",
        "peer": "cluster/peer",
        "confirm": "cluster/remove",
        "sync": "cluster/resync",
        "troubleshooter": "diag/all",
        "notifications": "diag/notices",
        "sign_out": "bye",
        "banner": "terms",
        "icons": "gfx/i_",
    }
    names = {
        "action": "do",
        "address": "f1",
        "username": "f2",
        "password": "f3",
        "confirm": "f4",
        "protocol": "f5",
        "mask": "f6",
        "extra": "f7",
        "tomcat": "f8",
        "criterion": "by",
        "operator": "how",
        "string": "what",
    }
    token_name = "ticket"  # noqa: S105
    confirmed_on_pages = frozenset({"delete", "sync"})
    criteria = ("username", "address")
    columns: tuple[str, ...] = ("username", "address", "users")
    status_order = ("users", "connectivity", "certificate", "sync_status", "groups")

    def top(self, frame: Frame, words: Words) -> str:
        return (
            f"<html><head><title>{escaped(frame.product)}</title></head>"
            '<frameset rows="60,*"><frame name="top" src="frame/top">'
            '<frameset cols="180,*"><frame name="menu" src="frame/menu">'
            '<frame name="content" src="frame/start"></frameset></frameset></html>'
        )

    def part(self, path: str, frame: Frame, words: Words) -> str:
        parts = {"top": self._header, "menu": self._menu}
        kind = self.kind_of(path)
        return parts[kind](frame, words) if kind in parts else ""

    def _header(self, frame: Frame, words: Words) -> str:
        notices = (
            f'<a href="{self.path("notifications")}" target="content">'
            f'<img src="{self.source("warning")}" alt="{words("notifications")}">'
            f"{frame.notices}</a>"
            if frame.notices
            else ""
        )
        return (
            f"<html><body bgcolor=#ddddee><table width=100%><tr><td>"
            f"<b>{escaped(frame.product)}</b><td>{notices}<td>{escaped(frame.user)}<td>"
            f'<a href="{self.path("sign_out")}" target="_top">{words("sign_out")}</a>'
            "</table></body></html>"
        )

    def _menu(self, frame: Frame, words: Words) -> str:
        # Cells are left open, as pages of that time do.
        rows = ""
        for place, (label, links) in enumerate(frame.menu):
            inner = "".join(
                f'<tr><td>&nbsp;<a href="{escaped(href)}" target="content">'
                f"{escaped(word)}</a>"
                for word, href in links
            )
            rows += (
                f'<tr><td><a href="javascript:fold({place})">{escaped(label)}</a>'
                f'<tr><td><table id="m{place}">{inner}</table>'
            )
        script = (
            "function fold(n) { var s = document.getElementById('m' + n).style;"
            " s.display = s.display ? '' : 'none'; }"
        )
        return (
            f"<html><body><script>{script}</script><table>{rows}</table></body></html>"
        )

    def render(self, screen: Screen, frame: Frame, words: Words) -> str:
        body = {"sign_in": self._sign_in, "banner": self._banner}.get(
            screen.kind, self._content
        )(screen, frame, words)
        refresh = f'<meta http-equiv="refresh" content="{screen.refresh}">'
        # Only a page that was opened by its own path may be opened again by itself.
        again = refresh if screen.refresh and screen.status == words("ready") else ""
        return (
            f"<html><head><title>{escaped(frame.product)}</title>{again}</head>"
            f"<body bgcolor=white>{body}{_alert(screen)}</body></html>"
        )

    def _sign_in(self, screen: Screen, frame: Frame, words: Words) -> str:
        status = f"<fieldset><font color=red>{escaped(screen.status)}</font></fieldset>"
        return (
            f"<h2>{escaped(frame.product)}</h2>{status if screen.status else ''}"
            f'<table border=1><form name=logonForm method=post action="{SIGN_IN}">'
            f"<tr><td>{words('username')}:<td><input name=j_username>"
            f"<tr><td>{words('password')}:<td><input type=password name=j_password>"
            f'<tr><td colspan=2><input type=submit value="{words("sign_in")}">'
            f'<input type=reset value="{words("reset")}"></form></table>'
        )

    def _banner(self, screen: Screen, frame: Frame, words: Words) -> str:
        return (
            f'<form method=post action="{self.path("banner")}">'
            f"<textarea readonly rows=5>{escaped(screen.lines[0])}</textarea><br>"
            f"{self._button('accept', words('accept'))}</form>"
        )

    def _content(self, screen: Screen, frame: Frame, words: Words) -> str:
        path = self.path(screen.kind) if screen.kind in self.paths else ROOT
        keys = screen.keys if screen.kind in ("confirm", "sync") else ()
        ticked = "".join(f'<input type=hidden name=row value="{k}">' for k in keys)
        return (
            f"<h3>{escaped(screen.title)}</h3>"
            f'<form name=f method=post action="{path}"{question_attribute(screen)}>'
            f'<input type=hidden name=ticket value="{frame.token}">'
            f'<input type=hidden name=key value="{escaped(screen.key)}">{ticked}'
            + self._status(screen)
            + "".join(f"<p>{escaped(line)}" for line in screen.lines)
            + (
                f'<p><a href="{screen.link}" target=_top>{screen.link}</a>'
                * bool(screen.link)
            )
            + self._search(screen, words)
            + self._fields(screen, words)
            + self._panel(screen, words)
            + self._listing(screen, words)
            + "<p>"
            + "".join(
                self._button(a.name, a.label)
                for a in screen.actions
                if a.enabled and a.name != "find"
            )
            + "</form>"
            + self._results(screen, words)
        )

    def _status(self, screen: Screen) -> str:
        if not screen.status:
            return ""
        colour = "red" if screen.is_error else "navy"
        return f"<font color={colour}>{escaped(screen.status)}</font><hr>"

    def _button(self, name: str, label: str) -> str:
        picture = self.source(name if name in _DRAWN else "save")
        return f'<input type=image name={name} src="{picture}" alt="{escaped(label)}"> '

    def _search(self, screen: Screen, words: Words) -> str:
        controls = [f for f in screen.fields if f.name in _SEARCH]
        if not controls:
            return ""
        cells = "".join(f"<td>{self._control(f)}" for f in controls)
        return (
            f"<table><tr><td>{words('where')}{cells}"
            f"<td>{self._button('find', words('find'))}</table>"
        )

    def _fields(self, screen: Screen, words: Words) -> str:
        """Two fields side by side, each label in the row above its control."""
        fields = [f for f in screen.fields if f.name not in _SEARCH]
        if screen.kind == "peer":
            fields = [f for f in fields if f.name != "tomcat"]
        rows = ""
        for start in range(0, len(fields), 2):
            pair = fields[start : start + 2]
            rows += "<tr>" + "".join(
                f"<td>{escaped(f.label)}{' *' if f.required else ''}" for f in pair
            )
            rows += "<tr>" + "".join(f"<td>{self._control(f)}" for f in pair)
        return f"<table>{rows}</table>" if rows else ""

    def _control(self, f: ScreenField) -> str:
        name = self.control(f)
        if f.kind == "select":
            return f"<select name={name}>{option_list(f)}</select>"
        value = "1" if f.kind == "checkbox" else escaped(f.value)
        return f'<input type={f.kind} name={name} value="{value}">'

    def _panel(self, screen: Screen, words: Words) -> str:
        if not screen.entries:
            return ""
        rows = "".join(
            f"<tr><td>{_image(self.source(e.outcome)) if e.outcome else '&nbsp;'}"
            f"<td>{escaped(e.label)}:<td>{escaped(e.text)}"
            for e in screen.entries
        )
        return (
            f"<h4>{words('status_title')}</h4><table border=1>{rows}</table>"
            f"{self._key(words)}"
        )

    def _key(self, words: Words) -> str:
        rows = "".join(
            f"<tr><td>{_image(self.source(o))}<td>{words(o)}"
            for o in ("information", "warning", "failed", "passed")
        )
        return f"<h4>{words('key')}</h4><table>{rows}</table>"

    def _listing(self, screen: Screen, words: Words) -> str:
        listing = screen.listing
        if listing is None:
            return ""
        if not listing.searched:
            return f"<p>{words('no_query')}"
        head = "".join(f"<td><b>{escaped(label)}</b>" for _, label in listing.columns)
        body = ""
        for row in listing.rows:
            tick = (
                f'<input type=checkbox name=row value="{row.key}">' if row.key else ""
            )
            body += f"<tr><td>{tick}"
            for column, _ in listing.columns:
                value = escaped(row.cells.get(column, ""))
                if column == "address":
                    value = f'<a href="{self.path("peer", key=row.key)}">{value}</a>'
                body += f"<td>{value}"
        return f"<table border=1><tr><td>{head}{body}</table>{self._pages(listing)}"

    def _pages(self, listing: Listing) -> str:
        if listing.pages < 2:
            return ""
        return "<p>" + " ".join(
            f"<b>{n}</b>"
            if n == listing.page
            else f'<a href="{self.path("list", pageNumber=str(n))}">{n}</a>'
            for n in range(1, listing.pages + 1)
        )

    def _results(self, screen: Screen, words: Words) -> str:
        if not screen.sections:
            return ""
        key = self._key(words) if screen.has_key else ""
        tables = "".join(self._section(s, words) for s in screen.sections)
        return f"{key}<h4>{words('results')}</h4>{tables}"

    def _section(self, section: PanelSection, words: Words) -> str:
        heads = ("description", "outcome", "problem", "solution")
        rows = "".join(
            f"<tr><td>{escaped(t.description)}<td>{_image(self.source(t.outcome))}"
            f"<td>{escaped(t.problem) or '&nbsp;'}<td>{escaped(t.solution)}"
            + (f' (<a href="{t.fix}">{words("fix")}</a>)' if t.fix else "")
            for t in section.tests
        )
        return (
            f"<table border=1><tr><td colspan=4><b>{escaped(section.title)}</b>"
            f"<tr>{''.join(f'<td>{words(w)}' for w in heads)}{rows}</table>"
        )

    def action(self, form: Mapping[str, list[str]]) -> str:
        action = super().action(form)
        # Enter in the text box of a search sends no button.
        return action or ("find" if "what" in form else "")


_SEARCH = ("criterion", "operator", "string")
_DRAWN = ("save", "add", "delete", "sync", "find")


def _image(source: str) -> str:
    return f'<img src="{source}">'


def _alert(screen: Screen) -> str:
    if not screen.alert:
        return ""
    saves = screen.alert_on == "save"
    event = "onsubmit" if saves else "onchange"
    when = "if (e.submitter.name == 'save')" if saves else ""
    alerts = "".join(f"alert('{escaped(part)}');" for part in screen.alert.split("|"))
    script = f"document.forms[0].{event} = function (e) {{ {when} {{ {alerts} }} }};"
    return f"<script>{script}</script>"
