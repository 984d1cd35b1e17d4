"""Markups of administration pages of our own invention, quite different ones.

`Cells` writes tables with the label in the left cell, a token in a hidden field and a
list that is empty until Find; `Labels` writes label elements, real buttons and a list
that is there at once; `Scripts` opens everything by script.
"""

import html

BULLETS = "•" * 40
SAVE = "act('save')"


class Cells:
    menu = (
        '<ul id="udm"><li><a href="#">System</a><ul><li><a href="/cupadmin/sys.do">'
        'Topology</a></li></ul></li><li><a href="#">Presence</a><ul style="display:none">'
        '<li><a href="/cupadmin/linkList.do">Inter-Clustering</a></li></ul></li>'
        '<li><a href="#">Diagnostics</a><ul><li><a href="/cupadmin/check.do">'
        "System Troubleshooter</a></li></ul></li></ul>"
    )

    def page(self, site, title, body, status=""):
        box = (
            "<fieldset><legend>Status</legend><table><tr><td><img src='i.gif'></td>"
            f"<td>{html.escape(status)}</td></tr></table></fieldset>"
        )
        return (
            f"<html><head><title>{title}</title></head><body><a href='/cupadmin/bye.do'>"
            f"Logout</a>{self.menu}<div class='titlebar'>{title}</div>"
            f"<form method='post' action='{site.form_target}'>"
            f"<input type='hidden' name='token' value='{site.token}'>"
            f"{box}{body}</form></body></html>"
        )

    def sign_in(self, site, reason):
        box = f"<fieldset><legend>Logon Status</legend>{reason}</fieldset>"
        return (
            "<html><body><div class=content><form name=logonForm method=post "
            "action=j_security_check><table><tr><td>User Name</td></tr><tr><td>"
            "<input name=j_username></td></tr><tr><td>Password</td></tr><tr><td>"
            "<input type=password name=j_password></td></tr><tr><td><input type=submit "
            f"value=Login><input type=reset value=Reset></td></tr></table>{box}"
            "<input type=hidden name=appNav value=cupadmin></form></div></body></html>"
        )

    def listing(self, site, rows, more):
        if not site.searched:
            return "<input type=submit name=find value=Find><p>No active query.</p>"
        body = "".join(
            f"<tr><td><input type=checkbox name=tick value={n}></td><td headers=a>"
            f"<a href='/cupadmin/linkEdit.do?key={n}'>{html.escape(row['address'])}</a>"
            f"</td><td headers=u>{site.users}</td></tr>"
            for n, row in rows
        )
        onward = "<a href='/cupadmin/linkList.do?page=2'>Next</a>" if more else ""
        return (
            "<input type=text name=q><input type=submit name=find value=Find>"
            f"<p>(1 - {len(rows)} of {len(site.rows)})</p>"
            "<table summary='Find List Table Result'><tr><th><input type=checkbox></th>"
            "<th id=a><a href='#'>Peer Address</a></th><th id=u>Associated Users</th></tr>"
            f"{body}</table>{onward}<input type=submit name=add value='Add New'>"
            "<input type=submit name=delete value='Delete Selected' "
            "onclick=\"return confirm('Sure?')\">"
        )

    def form(self, site, row, extra):
        mark = "<sup>*</sup>"
        secret = BULLETS if row["address"] else ""
        options = "".join(
            f"<option value={n}{' selected' if p == row['protocol'] else ''}>{p}</option>"
            for n, p in enumerate(("TCP", "TLS"))
        )
        fields = (
            f"<tr><td>{site.address_label}{mark}</td><td><input id=PH name=ph value='"
            f"{html.escape(row['address'])}'></td></tr><tr><td>Username{mark}</td><td>"
            f"<input name=us value='{html.escape(row['username'])}'></td></tr><tr><td>"
            f"Password{mark}</td><td><input type=password name=pw value='{secret}'></td>"
            f"</tr><tr><td>Confirm Password{mark}</td><td><input type=password name=pw2 "
            f"value='{secret}'></td></tr><tr><td>Preferred Protocol:</td><td>"
            f"<select name=tkp>{options}</select></td></tr>"
        )
        more = (
            f"<tr><td>Site Code{mark}</td><td><input name=x></td></tr>" if extra else ""
        )
        save = (
            ""
            if site.read_only
            else (
                '<table><tr><td><a href="javascript:doSave()">'
                f"{site.save_word}</a></td></tr></table>"
                f"<input type=submit name=save value='{site.save_word}'{site.asks}>"
                "<input type=submit name=remove value=Delete>"
                "<input type=submit name=sync value='Force Manual Sync'>"
                "<input type=checkbox name=tomcat> Also resync peer&#39;s Tomcat "
                "certificates"
            )
        )
        return (
            f"<fieldset><legend>Settings</legend><table>{fields}{more}</table></fieldset>"
            f"{save}"
        )

    def status(self, site, icons):
        rows = "".join(
            f"<tr><td>{label}</td><td><img src='{src}'> {text}</td></tr>"
            for label, src, text in icons
        )
        return (
            "<fieldset><legend>Inter-cluster Peer Status</legend><table>"
            f"{rows}<tr><td>Associated Users</td><td>{site.users}</td></tr></table></fieldset>"
        )

    def tests(self, site, key, rows):
        known = "".join(
            f"<tr><td><img src='{s}'></td><td>{t}</td></tr>" for s, t in key
        )
        body = "".join(
            f"<tr><td>{d}</td><td><img src='{s}'></td><td>{p}</td><td></td></tr>"
            for d, s, p in rows
        )
        return (
            f"<fieldset><legend>Key</legend><table>{known}</table></fieldset><table><tr>"
            "<td colspan=4 align=center><b>Inter-Clustering Troubleshooter</b></td></tr>"
            f"<tr><th>Test Description</th><th>{site.outcome_head}</th><th>Problem"
            f"</th><th>Solution</th></tr>{body}</table>"
        )


class Labels(Cells):
    menu = (
        '<nav><a class="nohref">System</a><a id="PresenceButton">Presence</a>'
        '<a>Diagnostics</a></nav><div id="presence" hidden><a href="peers/all">'
        'Intercluster</a></div><div id="diagnostics" hidden><a href="tests">'
        '<span>System Troubleshooter</span></a></div><div><a href="other/all">'
        "Intercluster</a></div>"
    )

    def page(self, site, title, body, status=""):
        return (
            f"<!doctype html><html lang=en><head><base><title>{title}</title></head><body>"
            f"<header><form method=post action='bye'><button>Sign out</button></form>"
            f"{self.menu}</header><h1>{title}</h1><div role=status class=status-info>"
            f"{html.escape(status)}</div><form method=post action='{site.form_target}'>"
            f"{body}</form></body></html>"
        )

    def sign_in(self, site, reason):
        return (
            "<!doctype html><html lang=en><body><h1>Administration</h1><p role=alert>"
            f"{reason}</p><form method=post action='/cupadmin/j_security_check'>"
            "<label for=u>User name</label><input id=u name=j_username><label for=p>"
            "Password</label><input id=p type=password name=j_password><button>Sign in"
            "</button><button type=reset>Reset</button></form></body></html>"
        )

    def listing(self, site, rows, more):
        body = "".join(
            f"<tr><td>{site.users}</td><td><a href='/cupadmin/peers/one?key={n}'>"
            f"{html.escape(row['address'])}</a></td></tr>"
            for n, row in rows
        )
        empty = "" if rows else "<p>No records found</p>"
        onward = (
            "<a href='/cupadmin/peers/all?page=2' title=Next>&raquo;</a>"
            if more
            else ""
        )
        return (
            "<table><thead><tr><th>Associated Users</th><th>Peer Address</th></tr></thead>"
            f"<tbody>{body}</tbody></table>{empty}{onward}"
            "<a href='/cupadmin/peers/one?key=new'>Add New</a>"
        )

    def form(self, site, row, extra):
        secret = BULLETS if row["address"] else ""
        radios = "".join(
            f"<input type=radio name=proto value={p} id=r{p}"
            f"{' checked' if p == row['protocol'] else ''}><label for=r{p}>{p} (SIP)</label>"
            for p in ("TCP", "TLS")
        )
        more = "<label>Site Code <input name=x required></label>" if extra else ""
        save = (
            "<button disabled>Save</button>"
            if site.read_only
            else (f"<button name=go value=save{site.asks}>{site.save_word}</button>")
        )
        return (
            f"<p><label for=a>{site.address_label} *</label><input id=a name=ph value='"
            f"{html.escape(row['address'])}'></p><p><label>User Name: <input name=us value='"
            f"{html.escape(row['username'])}'></label></p><p><label for=w>Password&nbsp;*"
            f"</label><input type=password id=w name=pw value='{secret}'><label for=v>"
            f"Confirm Password</label><input type=password id=v name=pw2 value='{secret}'>"
            f"</p><fieldset><legend>Preferred Protocol</legend>{radios}</fieldset>{more}{save}"
            "<button name=go value=remove>Delete</button>"
            "<button name=go value=ask>Force Manual Sync</button>"
        )

    def status(self, site, icons):
        rows = "".join(
            f"<dt>{label}</dt><dd><img src='{src}'>{text}</dd>"
            for label, src, text in icons
        )
        return (
            f"<h2>Intercluster Peer Status</h2><dl>{rows}<dt>Associated Users</dt>"
            f"<dd>{site.users}</dd></dl>"
        )

    def tests(self, site, key, rows):
        known = "".join(f"<li><img src='{s}'> {t}</li>" for s, t in key)
        body = "".join(
            f"<tr><td>{d}</td><td><img src='{s}'></td><td>{p}</td><td></td></tr>"
            for d, s, p in rows
        )
        return (
            f"<h2>Key</h2><ul>{known}</ul><h2>InterClustering Troubleshooter</h2><table>"
            f"<tr><th>Test Description</th><th>{site.outcome_head}</th><th>Problem</th>"
            f"<th>Solution</th></tr>{body}</table>"
        )


class Scripts(Cells):
    """Scripts open everything, a list is a grid of boxes, forms are multipart."""

    script = (
        "var MENU=[['System',['Topology','sys.do']],['Presence',['Inter-Clustering',"
        "'grid.do']],['Diagnostics',['System Troubleshooter','check.do']]];"
    )
    library = (
        "function act(what){document.main.how.value=what;document.main.submit();}"
        "function edit(n){document.forms['main'].elements['row'].value=n;"
        "document.forms['main'].elements['how'].value='edit';"
        "document.forms['main'].submit();return false;}"
        "function page(n){document.main.how.value='page';"
        "document.main.row.value=n;document.main.submit();}"
        "function saved(){if(!confirm('Is the other side ready?'))return;act('save');}"
        "function gone(){if(!confirm('Are you sure?'))return;act('remove');}"
    )

    def page(self, site, title, body, status=""):
        return (
            f"<html><head><title>{title}</title><script>{self.script}</script>"
            "<script src='lib.js'></script></head><body><div id=bar></div>"
            "<span onclick=\"window.location.href='bye.do'\">Administrator</span>"
            "<a href=\"javascript:location.replace('bye.do')\">Log Out</a>"
            f"<div class=pagetitle>{title}</div><div>{html.escape(status)}</div>"
            f"<form name=search action=other><input name=q><a href='#'>Go</a></form>"
            f"<form name=main method=post action='{site.form_target}' "
            "enctype='multipart/form-data'><input type=hidden name=how><input "
            f"type=hidden name=row value='{site.editing}'><input type=hidden "
            f"name=token value='{site.token}'>{body}</form></body></html>"
        )

    def sign_in(self, site, reason):
        return (
            "<html><body><center><form method=post action='j_security_check'><input "
            "aria-label='User Name' name=j_username><br><input type=password "
            f"aria-label=Password name=j_password><br><input type=image src=go.gif "
            f"alt='Sign In'><p style='color: red'>{reason}</p></form></body></html>"
        )

    def listing(self, site, rows, more):
        body = "".join(
            f"<div role=row><span role=rowheader><a href=\"javascript:edit('{n}')\">"
            f"{html.escape(row['address'])}</a></span><span role=cell>{site.users}</span>"
            "</div>"
            for n, row in rows
        )
        pages = -(-len(site.rows) // site.size)
        numbers = " ".join(
            f"<a href='javascript:page({n})'>{n}</a>"
            if n != site.number
            else f"<b>{n}</b>"
            for n in range(1, pages + 1)
        )
        none = "" if rows else "No entries"
        return (
            "<div role=grid><div role=row><span role=columnheader>Peer&nbsp;Address "
            "&#9650;</span><span role=columnheader>Associated Users</span></div>"
            f"{body}</div>{none}<p>Page {site.number} of {pages}: {numbers}</p>"
            "<a href=\"javascript:act('add')\"><img src=new.gif alt='Add New'></a>"
        )

    def form(self, site, row, extra):
        secret = BULLETS if row["address"] else ""
        options = "".join(
            f"<option value={n}{' selected' if p == row['protocol'] else ''}>{p}</option>"
            for n, p in enumerate(("TCP", "TLS"))
        )
        more = "<dt>Site Code *<dd><input name=x>" if extra else ""
        save = (
            ""
            if site.read_only
            else (
                f'<a href="javascript:{"saved()" if site.asks else SAVE}">'
                f"<img src=s.gif title='{site.save_word}'></a>"
                "<a onclick='gone()'>Delete</a>"
                "<a href=\"javascript:act('sync')\">Force Sync</a><label>"
                "<input type=checkbox name=tomcat>Also resync peer's Tomcat "
                "certificates</label>"
            )
        )
        return (
            f"<dl><dt>{site.address_label} (IP address or name): *<dd><input name=ph "
            f"value='{html.escape(row['address'])}'><dt>User Name *<dd><input name=us "
            f"value='{html.escape(row['username'])}'></dl><div>Password * <input "
            f"type=password name=pw value='{secret}'><br>Confirm Password * <input "
            f"type=password name=pw2 value='{secret}'></div><dl><dt>SIP Preferred "
            f"Protocol<dd><select name=tkp>{options}</select>{more}</dl>{save}"
        )

    def status(self, site, icons):
        rows = "".join(
            f"<tr><th scope=row>{label}</th><td><img src=blank.gif class='i "
            f"{src[5:-4]}'></td><td>{text}</td></tr>"
            for label, src, text in icons
        )
        return (
            "<table><caption>Intercluster Peer Status</caption><tr><th>Entry</th><th>"
            f"</th><th>State</th></tr>{rows}<tr><th scope=row>Associated Users</th><td>"
            f"</td><td>{site.users}</td></tr></table>"
        )

    def tests(self, site, key, rows):
        known = "".join(
            f"<dt><img src=blank.gif class='i {s[5:-4]}'></dt><dd>{t}</dd>"
            for s, t in key
        )
        body = "".join(
            f"<tr><th scope=row>{d}</th><td><img src=blank.gif class='i {s[5:-4]}'></td>"
            f"<td>{p}</td><td></td></tr>"
            for d, s, p in rows
        )
        return (
            f"<fieldset><legend>Key</legend><dl>{known}</dl></fieldset><h3>Inter-"
            "Clustering Troubleshooter</h3><table><thead><tr><th>Test Description<th>"
            f"{site.outcome_head}<th>Problem<th>Solution</thead><tbody>{body}</tbody></table>"
        )
