"""A skin of tables and fieldsets: labels in left cells, buttons top and bottom."""

import json
from collections.abc import Mapping

from .markup import escaped, option_list, question_attribute
from .screens import Frame, Listing, PanelEntry, PanelTest, Screen, ScreenField
from .skin import ROOT, SIGN_IN, Skin
from .words import Words

SCRIPT = """
function act(name) {
  var form = document.forms[0];
  if (name == 'delete' && !confirm(form.getAttribute('data-sure'))) { return; }
  if (name == 'sync' && !document.getElementById('layer').style.display) {
    document.getElementById('layer').style.display = 'block'; return; }
  form.elements['method'].value = name; form.requestSubmit();
}
"""
STYLE = """
body { font: 12px sans-serif; margin: 0 } ul.bar li { display: inline-block }
ul.bar ul { display: none; position: absolute; background: #eee }
ul.bar li:hover > ul { display: block } .heading { font-weight: bold }
th, td { padding: 2px 8px; text-align: left } #layer { display: none }
"""


class Classic(Skin):
    name = "classic"
    paths = {
        "home": "showHome.do",
        "list": "peerClusterFindList.do",
        "peer": "peerClusterEdit.do",
        "settings": "presenceSettingsEdit.do",
        "dashboard": "dashboard.do",
        "troubleshooter": "configCheck.do",
        "notifications": "activeNotifications.do",
        "sign_out": "logout.do",
        "banner": "logonMessage.do",
        "icons": "images/status/",
    }
    names = {
        "action": "method",
        "address": "peerhost",
        "username": "remoteaxluser",
        "password": "remoteaxlpassword",
        "confirm": "remoteaxlpasswordconfirm",
        "protocol": "tksipprotocol",
        "mask": "e164mask",
        "extra": "sitecode",
        "tomcat": "resynctomcat",
        "criterion": "searchField0",
        "operator": "searchLimit0",
        "string": "searchString0",
    }
    token_cookie = "lab.pages.REQUEST_TOKEN"
    columns: tuple[str, ...] = ("address", "users", "state", "protocol")

    def chosen(self, form: Mapping[str, list[str]]) -> list[str]:
        ticked = [n for n in form if n.startswith("result[") and n.endswith("chked")]
        keys = [form.get(n.replace("chked", "key"), [""])[0] for n in ticked]
        return [key for key in keys if key]

    def render(self, screen: Screen, frame: Frame, words: Words) -> str:
        content = {
            "sign_in": self._sign_in,
            "banner": self._banner,
        }.get(screen.kind, self._page)(screen, frame, words)
        return (
            '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN">\n'
            f'<html lang="{words.language}"><head>'
            f"<title>{escaped(screen.title)}</title>"
            f"<style>{STYLE}</style><script>{SCRIPT}</script></head>"
            f"<body>{content}{self._alert(screen)}</body></html>"
        )

    def _alert(self, screen: Screen) -> str:
        if not screen.alert:
            return ""
        alert = json.dumps(screen.alert)
        return f"<script>var said = {alert};{_ALERTS[screen.alert_on]}</script>"

    def _sign_in(self, screen: Screen, frame: Frame, words: Words) -> str:
        failed = (
            f"<fieldset><legend>{words('sign_in_status')}</legend>"
            f"{escaped(screen.status)}</fieldset>"
            if screen.status
            else ""
        )
        return (
            f'<div class="content"><form name="logonForm" method="post" '
            f'action="{SIGN_IN}"><input type="hidden" name="appNav" value="cupadmin">'
            f"<table><tr><td><table><tr><td>{escaped(frame.product)}</td></tr></table>"
            f"<table><tr><td>{words('username')}</td></tr>"
            '<tr><td><input type="text" name="j_username"></td></tr>'
            f"<tr><td>{words('password')}</td></tr>"
            '<tr><td><input type="password" name="j_password"></td></tr>'
            f'<tr><td><input type="submit" class="go" value="{words("sign_in")}">'
            f'<input type="reset" class="go" value="{words("reset")}"></td></tr>'
            f"</table></td></tr></table>{failed}</form></div>"
        )

    def _banner(self, screen: Screen, frame: Frame, words: Words) -> str:
        return (
            f'<form method="post" action="{self.path("banner")}"><pre>'
            f"{escaped(screen.lines[0])}</pre>"
            f'<input type="submit" name="accept" value="{words("accept")}"></form>'
        )

    def _page(self, screen: Screen, frame: Frame, words: Words) -> str:
        return (
            self._header(frame, words)
            + self._menu(frame)
            + '<div id="contentarea">'
            + self._form(screen, frame, words)
            + "</div>"
        )

    def _header(self, frame: Frame, words: Words) -> str:
        notices = (
            f'<a href="{self.path("notifications")}" '
            f'title="{words("notifications")}">{frame.notices}</a> '
            if frame.notices
            else ""
        )
        return (
            f"<table width='100%'><tr><td>{escaped(frame.product)}</td>"
            f"<td align='right'>{notices}<span>{escaped(frame.user)}</span> "
            f'<a href="{self.path("sign_out")}">{words("sign_out")}</a></td></tr>'
            "</table>"
        )

    def _menu(self, frame: Frame) -> str:
        tops = ""
        for label, links in frame.menu:
            inner = "".join(
                f'<li><a href="{escaped(href)}">{escaped(word)}</a></li>'
                for word, href in links
            )
            tops += f'<li><a class="nohref">{escaped(label)}</a><ul>{inner}</ul></li>'
        return f'<ul class="bar" id="menubar">{tops}</ul>'

    def _form(self, screen: Screen, frame: Frame, words: Words) -> str:
        path = self.path(screen.kind) if screen.kind in self.paths else ROOT
        return (
            f'<form name="{screen.kind}Form" method="post" action="{path}" '
            f'data-sure="{words("sure")}"{question_attribute(screen)}>'
            f'<input type="hidden" name="{self.control("action")}" value="">'
            f'<input type="hidden" name="key" value="{escaped(screen.key)}">'
            f'<table class="heading"><tr><td>{escaped(screen.title)}'
            f"{self._count(screen.listing)}</td></tr></table>"
            + self._toolbar(screen)
            + self._status(screen, words)
            + self._notes(screen)
            + self._search(screen, words)
            + self._fields(screen, words)
            + self._entries(screen, words)
            + self._listing(screen, words)
            + self._tests(screen, words)
            + self._bottom(screen)
            + self._layer(screen, words)
            + "</form>"
        )

    def _count(self, listing: Listing | None) -> str:
        if not listing or not listing.rows:
            return ""
        return f" ({listing.first + 1} - {listing.last} of {listing.total})"

    def _toolbar(self, screen: Screen) -> str:
        cells = ""
        for place, action in enumerate(a for a in screen.actions if a.name != "find"):
            target = f"href=\"javascript:act('{action.name}')\""
            cells += (
                f'<td id="{place + 1}bar"><a '
                f"{target if action.enabled else 'disabled'}>"
                f"{escaped(action.label)}</a>"
                "</td>"
            )
        return f"<table><tr>{cells}</tr></table>" if cells else ""

    def _status(self, screen: Screen, words: Words) -> str:
        if not screen.status:
            return ""
        name = "failed" if screen.is_error else "information"
        return (
            f"<fieldset><legend>{words('state')}</legend><table><tr>"
            f'<td><img src="{self.source(name)}" alt=""></td>'
            f"<td>{escaped(screen.status)}</td></tr></table></fieldset>"
        )

    def _notes(self, screen: Screen) -> str:
        return "".join(f"<p>{escaped(line)}</p>" for line in screen.lines) + (
            f'<p><a href="{escaped(screen.link)}">{escaped(screen.link)}</a></p>'
            if screen.link
            else ""
        )

    def _search(self, screen: Screen, words: Words) -> str:
        controls = {f.name: f for f in screen.fields if f.name in _SEARCH}
        if not controls:
            return ""
        parts = "".join(f"<td>{self._control(f)}</td>" for f in controls.values())
        return (
            f"<table><tr><td>{words('where')}</td>{parts}<td>"
            f'<input type="submit" name="findButton" value="{words("find")}"></td>'
            "</tr></table>"
        )

    def action(self, form: Mapping[str, list[str]]) -> str:
        return super().action(form) or ("find" if "findButton" in form else "")

    def _fields(self, screen: Screen, words: Words) -> str:
        fields = [f for f in screen.fields if f.name not in (*_SEARCH, "tomcat")]
        if not fields:
            return ""
        rows = "".join(
            f"<tr><td>{escaped(f.label)}{'<sup>*</sup>' if f.required else ''}</td>"
            f"<td>{self._control(f)}</td></tr>"
            for f in fields
        )
        return (
            f"<fieldset><legend>{escaped(screen.title)}</legend><table>{rows}</table>"
            f"</fieldset><p>* - {words('required_note')}.</p>"
        )

    def _control(self, f: ScreenField) -> str:
        name = self.control(f)
        ids = f'id="{name.upper()}" name="{name}"'
        if f.kind == "select":
            return f"<select {ids}>{option_list(f)}</select>"
        return f'<input type="{f.kind}" {ids} value="{escaped(f.value)}">'

    def _entries(self, screen: Screen, words: Words) -> str:
        if not screen.entries:
            return ""
        rows = "".join(self._entry(e, words) for e in screen.entries)
        return (
            f"<fieldset><legend>{words('status_title')}</legend>"
            f"<table>{rows}</table></fieldset>"
        )

    def _entry(self, entry: PanelEntry, words: Words) -> str:
        return (
            f"<tr><td>{escaped(entry.label)}</td>"
            f"<td>{self._icon(entry.outcome, words)} {escaped(entry.text)}</td></tr>"
        )

    def _icon(self, outcome: str, words: Words) -> str:
        if not outcome:
            return ""
        label = words(outcome) if outcome != "unknown" else ""
        return f'<img src="{self.source(outcome)}" alt="{label}" title="{label}">'

    def _listing(self, screen: Screen, words: Words) -> str:
        listing = screen.listing
        if listing is None:
            return ""
        if not listing.searched:
            return f"<p>{words('no_query')}</p>"
        head = "".join(
            f'<th id="{escaped(label)}">{escaped(label)}</th>'
            for _, label in listing.columns
        )
        body = ""
        for place, row in enumerate(listing.rows):
            tick = (
                f'<input type="checkbox" name="result[{place}].chked" value="true">'
                f'<input type="hidden" name="result[{place}].key" value="{row.key}">'
                if row.key
                else ""
            )
            cells = ""
            for column, label in listing.columns:
                value = escaped(row.cells.get(column, ""))
                if column == "address":
                    value = f'<a href="{self.path("peer", key=row.key)}">{value}</a>'
                elif column == "state":
                    value = self._icon(row.outcome, words)
                cells += f'<td headers="{escaped(label)}">{value}</td>'
            body += f"<tr><td>{tick}</td>{cells}</tr>"
        return (
            f'<table summary="Find List Table Result"><tr><th></th>{head}</tr>{body}'
            f"</table>{self._pager(listing, words) if screen.kind == 'list' else ''}"
        )

    def _pager(self, listing: Listing, words: Words) -> str:
        choices = "".join(
            f'<option value="{self._first_page(size)}"'
            f"{' selected' if size == listing.size else ''}>{size}</option>"
            for size in sorted({listing.size, 10, 25, 50, 100, 250})
        )
        links = "".join(
            f'<a href="{self._page_at(listing, number)}">{words(word)}</a> '
            for word, number in (
                ("previous", listing.page - 1),
                ("next", listing.page + 1),
            )
            if 1 <= number <= listing.pages
        )
        return f"<p>{words('rows')} <select>{choices}</select> {links}</p>"

    def _first_page(self, size: int) -> str:
        return escaped(self.path("list", rowsPerPage=str(size), pageNumber="1"))

    def _page_at(self, listing: Listing, number: int) -> str:
        query = {"rowsPerPage": str(listing.size), "pageNumber": str(number)}
        return escaped(self.path("list", **query))

    def _tests(self, screen: Screen, words: Words) -> str:
        if not screen.sections:
            return ""
        key = "".join(
            f'<tr><td><img src="{self.source(o)}"></td><td>{words(o)}</td></tr>'
            for o in ("passed", "failed", "warning", "information")
        )
        heads = "".join(
            f"<th>{words(w)}</th>"
            for w in ("description", "outcome", "problem", "solution")
        )
        rows = "".join(
            f'<tr><td colspan="4" align="center"><b>{escaped(s.title)}</b></td></tr>'
            f"<tr>{heads}</tr>" + "".join(self._test(t, words) for t in s.tests)
            for s in screen.sections
        )
        boxed = (
            f"<fieldset><legend>{words('key')}</legend><table>{key}</table></fieldset>"
        )
        return (
            (boxed if screen.has_key else "")
            + f"<fieldset><legend>{words('results')}</legend><table>{rows}</table>"
            "</fieldset>"
        )

    def _test(self, test: PanelTest, words: Words) -> str:
        link = f' (<a href="{test.fix}">{words("fix")}</a>)' if test.fix else ""
        return (
            f"<tr><td>{escaped(test.description)}</td>"
            f'<td><img src="{self.source(test.outcome)}"></td>'
            f"<td>{escaped(test.problem)}</td><td>{escaped(test.solution)}{link}</td></tr>"
        )

    def _bottom(self, screen: Screen) -> str:
        return "".join(
            f'<input type="{"submit" if a.name == "save" else "button"}" '
            f'name="{a.name}" value="{escaped(a.label)}"'
            f"{_CLICK.format(a.name) if a.name != 'save' else ''}>"
            for a in screen.actions
            if a.enabled and a.name != "find"
        )

    def _layer(self, screen: Screen, words: Words) -> str:
        tomcat = next((f for f in screen.fields if f.name == "tomcat"), None)
        if tomcat is None:
            return ""
        return (
            f'<div id="layer"><table><tr><td><input type="checkbox" '
            f'name="{self.control(tomcat)}" value="true"></td>'
            f"<td>{escaped(tomcat.label)}</td></tr></table>"
            f'<input type="button" value="{words("accept")}"'
            f"{_CLICK.format('sync')}></div>"
        )


_SEARCH = ("criterion", "operator", "string")
_CLICK = " onclick=\"act('{}')\""
_ALERTS = {
    "save": "document.forms[0].addEventListener('submit', "
    "function (e) { if ((e.submitter || { name: this.elements.method.value }).name "
    "== 'save') { said.split('|').forEach(function (s) { alert(s); }); } });",
    "change": "document.forms[0].addEventListener('change', "
    "function (e) { if (e.target.tagName == 'SELECT') { alert(said); } });",
}
