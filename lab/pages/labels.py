"""A skin of label elements and real buttons; the manual sync opens a second window."""

from .classic import Classic
from .markup import escaped
from .screens import Frame, Listing, PanelEntry, Screen, ScreenField
from .skin import SIGN_IN, Skin
from .words import Words


class Labels(Classic):
    name = "labels"
    paths = {
        "home": "showHome.do",
        "dashboard": "systemDashboard.do",
        "settings": "clusterSettingsEdit.do",
        "list": "remoteClusterFindList.do",
        "peer": "remoteClusterEdit.do",
        "sync": "remoteClusterSync.do",
        "troubleshooter": "systemChecks.do",
        "notifications": "notificationList.do",
        "sign_out": "logout.do",
        "banner": "showBanner.do",
        "icons": "pictures/",
    }
    names = {
        "action": "do",
        "address": "clusterhost",
        "username": "axlname",
        "password": "axlpass",
        "confirm": "axlpassconfirm",
        "protocol": "fkprotocol",
        "mask": "numbermask",
        "extra": "sitecode",
        "tomcat": "alsotomcat",
        "criterion": "searchField0",
        "operator": "searchLimit0",
        "string": "searchString0",
    }
    token_cookie = ""
    token_name = "token"  # noqa: S105
    confirmed_on_pages = frozenset({"sync"})
    columns: tuple[str, ...] = ("address", "username", "protocol", "users", "state")
    chosen = Skin.chosen

    def _sign_in(self, screen: Screen, frame: Frame, words: Words) -> str:
        status = f"<fieldset><legend>{words('sign_in_status')}</legend>{{}}</fieldset>"
        return (
            f'<form name="logonForm" method="post" action="{SIGN_IN}">'
            f'<div class="content">{escaped(frame.product)}<table>'
            f"<tr><td>{words('username')}</td></tr>"
            '<tr><td><input type="text" name="j_username"></td></tr>'
            f"<tr><td>{words('password')}</td></tr>"
            '<tr><td><input type="password" name="j_password"></td></tr></table>'
            f'<button type="submit">{words("sign_in")}</button>'
            f'<button type="reset">{words("reset")}</button></div>'
            f"{status.format(escaped(screen.status)) if screen.status else ''}</form>"
        )

    def _menu(self, frame: Frame) -> str:
        tops = ""
        for label, links in frame.menu:
            inner = "".join(
                f'<li><a href="{escaped(href)}" title="{escaped(word)}">'
                f"{escaped(word)}</a></li>"
                for word, href in links
            )
            tops += (
                f'<li><a id="{escaped(label)}Button" href="#">{escaped(label)}</a>'
                f"<ul>{inner}</ul></li>"
            )
        return f'<ul class="bar" id="menubar">{tops}</ul>'

    def _form(self, screen: Screen, frame: Frame, words: Words) -> str:
        token = f'<input type="hidden" name="token" value="{frame.token}">'
        marked = "".join(
            f'<input type="hidden" name="row" value="{escaped(key)}">'
            for key in screen.keys
        )
        markup = super()._form(screen, frame, words)
        return markup.replace("</form>", f"{token}{marked}</form>")

    def _toolbar(self, screen: Screen) -> str:
        return ""

    def _fields(self, screen: Screen, words: Words) -> str:
        fields = [f for f in screen.fields if f.name not in _SEARCH]
        if screen.kind != "sync":
            fields = [f for f in fields if f.name != "tomcat"]
        rows = "".join(
            f'<tr class="stripe{place % 2}"><td><label>'
            f'<a href="#help">{escaped(f.label)}</a>{_required_mark(f)}</label></td>'
            f"<td>{self._control(f)}</td></tr>"
            for place, f in enumerate(fields)
        )
        return f"<table>{rows}</table>" if rows else ""

    def _control(self, f: ScreenField) -> str:
        if f.kind == "checkbox":
            return f'<input type="checkbox" name="{self.control(f)}" value="true">'
        return super()._control(f)

    def _entry(self, entry: PanelEntry, words: Words) -> str:
        return (
            f"<tr><td>{self._icon(entry.outcome, words)}</td>"
            f"<td>{escaped(entry.label)}</td><td>{escaped(entry.text)}</td></tr>"
        )

    def _listing(self, screen: Screen, words: Words) -> str:
        listing = screen.listing
        if listing is None or not listing.searched:
            return super()._listing(screen, words)
        head = "".join(
            f'<th id="findlist.heading.{column}">{escaped(label)}</th>'
            for column, label in listing.columns
        )
        body = "".join(
            f"<tr><td>{_tick(row.key)}</td>{self._cells(listing, place, words)}</tr>"
            for place, row in enumerate(listing.rows)
        )
        pager = self._pager(listing, words) if screen.kind == "list" else ""
        return f"<table><tr><th></th>{head}</tr>{body}</table>{pager}"

    def _cells(self, listing: Listing, place: int, words: Words) -> str:
        row, cells = listing.rows[place], ""
        for column, _ in listing.columns:
            value = escaped(row.cells.get(column, ""))
            if column == "address":
                value = f'<a href="{self.path("peer", key=row.key)}">{value}</a>'
            elif column == "state":
                value = self._icon(row.outcome, words)
            cells += f'<td headers="findlist.heading.{column}">{value}</td>'
        return cells

    def _bottom(self, screen: Screen) -> str:
        return "".join(
            f'<button type="submit" name="{a.name}" value="1"{_ON.get(a.name, "")}'
            f"{'' if a.enabled else ' disabled'}>{escaped(a.label)}</button> "
            for a in screen.actions
            if a.name != "find"
        )

    def _layer(self, screen: Screen, words: Words) -> str:
        return ""


_SEARCH = ("criterion", "operator", "string")
_ON = {
    "delete": " onclick=\"return confirm(this.form.getAttribute('data-sure'))\"",
    "sync": ' formtarget="lookup"',
}


def _required_mark(field: ScreenField) -> str:
    return " *" if field.required else ""


def _tick(key: str) -> str:
    return f'<input type="checkbox" name="row" value="{escaped(key)}">' if key else ""
