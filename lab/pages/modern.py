"""A skin of headings and labels: a newer page that saves by script in place."""

from .markup import escaped, option_list
from .screens import (
    Action,
    Frame,
    Listing,
    PanelEntry,
    PanelSection,
    Screen,
    ScreenField,
    ScreenRow,
)
from .skin import ROOT, SIGN_IN, Skin
from .words import Words

SCRIPT = """
document.addEventListener('DOMContentLoaded', function () {
  var form = document.querySelector('form[data-page]');
  document.querySelectorAll('button[aria-expanded]').forEach(function (button) {
    button.onclick = function () {
      var list = button.nextElementSibling; list.hidden = !list.hidden;
      button.setAttribute('aria-expanded', String(!list.hidden)); }; });
  document.querySelectorAll('[data-action]').forEach(function (button) {
    button.onclick = function (event) {
      event.preventDefault();
      var layer = document.getElementById('ask-' + button.dataset.action);
      if (layer && !layer.open) { layer.showModal(); return; }
      if (form.dataset.asks && !confirm(form.dataset.asks)) { return; }
      (form.dataset.alert || '').split('|').forEach(function (said) {
        if (said && form.dataset.alertOn == button.dataset.action) { alert(said); } });
      send(button.dataset.action); }; });
  document.querySelectorAll('[data-close]').forEach(function (button) {
    button.onclick = function () { button.closest('dialog').close(); }; });
  form && form.addEventListener('change', function () {
    if (form.dataset.alertOn == 'change') { alert(form.dataset.alert); } });
  function send(action) {
    form.elements.operation.value = action;
    var body = new URLSearchParams(new FormData(form));
    fetch(form.action, { method: 'POST', body: body, credentials: 'same-origin',
      headers: { 'X-Requested-With': 'fetch' } }).then(function (answer) {
      var kind = answer.headers.get('Content-Type') || '';
      if (kind.indexOf('json') < 0) { return answer.text().then(function (page) {
        document.open(); document.write(page); document.close(); }); }
      return answer.json().then(function (done) {
        form.elements.seal.value = done.token;
        document.getElementById('message').textContent = done.status;
        document.getElementById('message').className = done.error ? 'bad' : '';
        document.querySelectorAll('dialog[open]').forEach(function (d) { d.close(); });
        if (!done.error) { setTimeout(function () { location = done.next; }, 400); }
      }); });
  }
});
"""
STYLE = """
body { font: 14px sans-serif; margin: 1em } .field { margin: .4em 0 }
.field label { display: inline-block; width: 16em; text-align: right }
nav ul { list-style: none } .bad { color: #a00 } [role=row] > * { margin-right: 1em }
"""


class Modern(Skin):
    name = "modern"
    paths = {
        "home": "ui/home",
        "dashboard": "ui/dashboard",
        "settings": "ui/presence",
        "list": "ui/intercluster",
        "peer": "ui/intercluster/entry",
        "troubleshooter": "ui/diagnostics/check",
        "notifications": "ui/notices",
        "sign_out": "ui/leave",
        "banner": "ui/terms",
        "icons": "static/",
    }
    names = {
        "action": "operation",
        "address": "entry.node",
        "username": "entry.account",
        "password": "entry.secret",
        "confirm": "entry.secretAgain",
        "protocol": "entry.transport",
        "mask": "entry.numberMask",
        "extra": "entry.site",
        "tomcat": "resync",
        "criterion": "by",
        "operator": "match",
        "string": "value",
    }
    token_name = "seal"  # noqa: S105
    shows_all_at_once = True
    force_label = "Force Sync"
    columns: tuple[str, ...] = ("state", "address", "protocol", "users")
    status_order = (
        "connectivity",
        "certificate",
        "sync_status",
        "synchronised",
        "users",
        "groups",
    )

    def render(self, screen: Screen, frame: Frame, words: Words) -> str:
        body = {"sign_in": self._sign_in, "banner": self._banner}.get(
            screen.kind, self._page
        )(screen, frame, words)
        return (
            f'<!DOCTYPE html><html lang="{words.language}"><head><meta charset="utf-8">'
            f"<title>{escaped(screen.title)} - {escaped(frame.host)}</title>"
            f"<style>{STYLE}</style><script>{SCRIPT}</script></head>"
            f"<body>{body}</body></html>"
        )

    def _sign_in(self, screen: Screen, frame: Frame, words: Words) -> str:
        status = f'<p role="alert" class="bad">{escaped(screen.status)}</p>'
        return (
            f"<h1>{escaped(frame.product)}</h1>{status if screen.status else ''}"
            f'<form id="enter" method="post" action="{SIGN_IN}">'
            f'<label for="u">{words("username")}</label><br>'
            '<input id="u" name="j_username" autocomplete="username"><br>'
            f'<label for="p">{words("password")}</label><br>'
            '<input id="p" name="j_password" type="password"><br>'
            f'<button type="submit">{words("sign_in")}</button>'
            f'<button type="reset">{words("reset")}</button></form>'
        )

    def _banner(self, screen: Screen, frame: Frame, words: Words) -> str:
        return (
            f'<form method="post" action="{self.path("banner")}">'
            f"<article>{escaped(screen.lines[0])}</article>"
            f'<button name="accept" value="1">{words("accept")}</button></form>'
        )

    def _page(self, screen: Screen, frame: Frame, words: Words) -> str:
        path = self.path(screen.kind) if screen.kind in self.paths else ROOT
        kind = "bad" if screen.is_error else ""
        return (
            self._header(frame, words) + f"<main><h1>{escaped(screen.title)}</h1>"
            f'<p id="message" role="status" class="{kind}">{escaped(screen.status)}</p>'
            + "".join(f"<p>{escaped(line)}</p>" for line in screen.lines)
            + (f'<a href="{screen.link}">{screen.link}</a>' if screen.link else "")
            + f'<form data-page="{screen.kind}" method="post" action="{path}" '
            f'data-alert="{escaped(screen.alert)}" data-alert-on="{screen.alert_on}" '
            f'data-asks="{escaped(screen.asks)}">'
            '<input type="hidden" name="operation">'
            f'<input type="hidden" name="seal" value="{frame.token}">'
            f'<input type="hidden" name="key" value="{escaped(screen.key)}">'
            + self._fields(screen, words)
            + (self._list(screen, words) if screen.listing else "")
            + self._buttons(screen, words)
            + "</form>"
            + self._panel(screen, words)
            + self._results(screen, words)
            + "</main>"
        )

    def _header(self, frame: Frame, words: Words) -> str:
        tops = ""
        for label, links in frame.menu:
            inner = "".join(
                f'<li><a href="{escaped(href)}">{escaped(word)}</a></li>'
                for word, href in links
            )
            tops += (
                f'<li><button type="button" aria-expanded="false">{escaped(label)}'
                f"</button><ul hidden>{inner}</ul></li>"
            )
        bell = (
            f'<a href="{self.path("notifications")}">{words("notifications")} '
            f"({frame.notices})</a>"
        )
        return (
            f"<header>{escaped(frame.product)} {bell if frame.notices else ''} "
            f'{escaped(frame.user)} <a href="{self.path("sign_out")}">'
            f"{words('sign_out')}"
            f"</a></header><nav><ul>{tops}</ul></nav>"
        )

    def _fields(self, screen: Screen, words: Words) -> str:
        search = [f for f in screen.fields if f.name in _SEARCH]
        found = [f for f in screen.fields if f.name not in (*_SEARCH, "tomcat")]
        fields = "".join(self._field(f) for f in found)
        if not search:
            return fields
        controls = "".join(self._control(f) for f in search)
        return (
            f'<div role="search">{words("where")} {controls}'
            f'<button type="submit" name="find" value="1">{words("find")}</button>'
            "</div>"
        )

    def _field(self, f: ScreenField) -> str:
        mark = "&nbsp;*" if f.required else ""
        help_link = '<a href="#help">?</a>'
        return (
            f'<div class="field"><label for="{self.control(f)}">'
            f"{escaped(f.label)}:{mark} "
            f"{help_link}</label>{self._control(f)}</div>"
        )

    def _control(self, f: ScreenField) -> str:
        name = self.control(f)
        ids = f'id="{name}" name="{name}"'
        if f.kind == "select":
            return f"<select {ids}>{option_list(f)}</select>"
        return f'<input {ids} type="{f.kind}" value="{escaped(f.value)}">'

    def _buttons(self, screen: Screen, words: Words) -> str:
        actions = [a for a in screen.actions if a.name != "find"]
        return "".join(self._button(a) for a in actions) + "".join(
            self._layer(a, screen, words)
            for a in actions
            if a.name in ("delete", "sync")
        )

    def _button(self, action: Action) -> str:
        if action.name == "add":
            target = f'href="{self.path("peer")}"' if action.enabled else ""
            return f'<a class="button" {target}>{escaped(action.label)}</a> '
        off = "" if action.enabled else " disabled"
        return (
            f'<button type="button" data-action="{action.name}"{off}>'
            f'<img src="{self.source("save")}" alt=""> '
            f"{escaped(action.label)}</button> "
        )

    def _layer(self, action: Action, screen: Screen, words: Words) -> str:
        tomcat = next((f for f in screen.fields if f.name == "tomcat"), None)
        inside = escaped(words("sure"))
        if action.name == "sync" and tomcat:
            inside = (
                "<label>"
                f'<input type="checkbox" name="{self.control(tomcat)}" value="1">'
                f" {escaped(tomcat.label)}</label>"
            )
        return (
            f'<dialog id="ask-{action.name}"><p>{inside}</p>'
            f'<button type="button" data-action="{action.name}">{words("accept")}'
            f'</button><button type="button" data-close>{words("cancel")}</button>'
            "</dialog>"
        )

    def _panel(self, screen: Screen, words: Words) -> str:
        if not screen.entries:
            return ""
        rows = "".join(self._entry(e) for e in screen.entries)
        return (
            f'<section><h2>{words("status_title")}</h2><div role="table">{rows}</div>'
            f"{self._key(words)}</section>"
        )

    def _entry(self, entry: PanelEntry) -> str:
        return (
            f'<div role="row"><span role="rowheader">{escaped(entry.label)}</span>'
            f'<span role="cell">{escaped(entry.text)}</span>'
            f'<span role="cell">{self._icon(entry.outcome)}</span></div>'
        )

    def _icon(self, outcome: str) -> str:
        return f'<img src="{self.source(outcome)}" alt="">' if outcome else ""

    def _key(self, words: Words) -> str:
        items = "".join(
            f"<li>{self._icon(o)} <span>{words(o)}</span></li>"
            for o in ("passed", "information", "warning", "failed")
        )
        return f'<h2>{words("key")}</h2><ul class="key">{items}</ul>'

    def _list(self, screen: Screen, words: Words) -> str:
        listing = screen.listing or Listing(())
        heads = "".join(f"<th>{escaped(label)}</th>" for _, label in listing.columns)
        rows = "".join(self._row(row, listing) for row in listing.rows)
        return (
            f"<table><thead><tr><td></td>{heads}</tr></thead><tbody>{rows}</tbody>"
            f"</table>{self._pager(listing, words)}"
        )

    def _row(self, row: ScreenRow, listing: Listing) -> str:
        cells = ""
        for column, _ in listing.columns:
            value = escaped(row.cells.get(column, ""))
            if column == "address":
                value = f'<a href="{self.path("peer", key=row.key)}">{value}</a>'
            elif column == "state":
                value = self._icon(row.outcome)
            cells += f"<td>{value}</td>"
        tick = (
            f'<input type="checkbox" name="row" value="{row.key}">' if row.key else ""
        )
        return f"<tr><td>{tick}</td>{cells}</tr>"

    def _pager(self, listing: Listing, words: Words) -> str:
        if listing.page >= listing.pages:
            return ""
        target = self.path("list", pageNumber=str(listing.page + 1))
        return f'<a rel="next" href="{target}">{words("next")}</a>'

    def _results(self, screen: Screen, words: Words) -> str:
        if not screen.sections:
            return ""
        key = self._key(words) if screen.has_key else ""
        found = "".join(self._section(s, words) for s in screen.sections)
        return f"{key}<h2>{words('results')}</h2>{found}"

    def _section(self, section: PanelSection, words: Words) -> str:
        heads = "".join(
            f"<th>{words(w)}</th>"
            for w in ("outcome", "description", "problem", "solution")
        )
        rows = "".join(
            f"<tr><td>{self._icon(t.outcome)}</td><td>{escaped(t.description)}</td>"
            f"<td>{escaped(t.problem)}</td><td>{escaped(t.solution)}"
            + (f' (<a href="{t.fix}">{words("fix")}</a>)' if t.fix else "")
            + "</td></tr>"
            for t in section.tests
        )
        return (
            f"<h3>{escaped(section.title)}</h3><table><thead><tr>{heads}</tr></thead>"
            f"<tbody>{rows}</tbody></table>"
        )


_SEARCH = ("criterion", "operator", "string")
