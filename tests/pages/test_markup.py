"""Pieces of markup that pages of other hands may have."""

import pytest

from pages import IconKey, IconOutcome, labels, menu, peer_lists
from pages.controls import by_word
from pages.describe import structure
from pages.document import Page, parse_page
from pages.messages import messages
from pages.recognise import is_other_language
from pages.status import entries_of


def page(body, head=""):
    markup = f"<html><head>{head}</head><body>{body}</body></html>"
    return Page(
        "node.test", 200, [parse_page(markup.encode(), "", "/cupadmin/x", "node")]
    )


@pytest.mark.parametrize(
    "markup",
    [
        "<table><tr><td>Peer Address<sup>*</sup><td><input name=a value=x></table>",
        "<table><tr><td><b>Peer Address</b>:&nbsp;<td></td><td><input value=x></table>",
        "<table><tr><td>Username<td>Peer Address *<tr><td><input><td><input value=x>"
        "</table>",
        "<table><tr><td>Peer Address: <input value=x></table>",
        "<label for=a>Peer Address&nbsp;*<a href=#>?</a></label><p><input id=a value=x>",
        "<label>Peer Address (IP or name) <input value=x></label>",
        "<input aria-label='Peer Address' value=x>",
        "<h4 id=h>Peer address</h4><input aria-labelledby='h' value=x>",
        "<div><div>Peer Address</div><div><input value=x></div></div>",
        "<dl><dt>Peer Address<dd><input value=x></dl>",
        "<p>Username <input><br>Peer Address <span>*</span> <input value=x>",
        "<fieldset><legend>Peer Address</legend><input value=x></fieldset>",
        "<textarea title='Peer Address'>x</textarea>",
        "<label>Peer Address <select><option>y<option selected>x</select></label>",
        "<label>Peer Address <a href=#>?</a> <textarea>x</textarea></label>",
    ],
)
def test_a_field_is_found_by_its_label(markup):
    field = labels.find_field(page(f"<form>{markup}</form>"), "address")
    assert field is not None
    assert field.value == "x"


@pytest.mark.parametrize(
    "markup",
    [
        "<table><tr><td>Site Code *<td><input></table>",
        "<table><tr><td>Other<td>Site Code*<tr><td><input><td><input></table>",
        "<label>Site Code <input required></label>",
        "<dl><dt>Site Code *<dd><input></dl>",
        "<p>Site Code * <input>",
        "<input aria-label='Site Code' aria-required=true>",
    ],
)
def test_a_further_required_field_is_found(markup):
    found = list(labels.starred_labels(page(f"<form>{markup}</form>"), []))
    assert found == ["Site Code"]


@pytest.mark.parametrize(
    "markup",
    [
        "<a href='list.do'>Inter-Clustering</a>",
        "<a href='list.do'><img alt='Inter-Clustering'></a>",
        "<a href='javascript:void(0)' keephref='list.do'>Inter-Clustering</a>",
        "<a href=\"javascript:go('list.do')\">Inter-Clustering</a>"
        "<script>function go(x) { top.content.location.href = x; }</script>",
        "<a href='#' onclick=\"window.open('list.do')\">Inter-Clustering</a>",
        "<select onchange='location=this.value'><option value='list.do'>"
        "Inter-Clustering</select>",
        "<td onclick=\"location.href='list.do'\">Inter-Clustering</td>",
        "<map><area href='list.do' alt='Inter-Clustering'></map>",
        "<script>var m = [{label: 'Inter-Clustering', url: 'list.do'}];</script>",
        "<script>add('Presence', 'Inter-Clustering', 'list.do');</script>",
    ],
)
def test_a_menu_leads_to_the_list(markup):
    found = menu.menu_entry(page(markup), "presence", "inter_clustering")
    assert found is not None
    assert found.part.url(found.link) == "/cupadmin/list.do"


def test_an_entry_of_a_menu_can_be_a_form():
    body = (
        "<form name=menu method=post action=m><input type=hidden name=to></form>"
        "<a onclick=\"document.menu.to.value='peers';document.menu.submit()\">"
        "Inter-Clustering</a>"
    )
    found = menu.menu_entry(page(body), "presence", "inter_clustering")
    assert found is not None
    assert (found.sets, found.form is not None) == ((("to", "peers"),), True)


KEYED = [
    ("<img src='g.gif'>", "<img src='r.gif'>", "<img src='n.gif'>"),
    ("<img src='s?of=1'>", "<img src='s?of=2'>", "<img src='s?of=3'>"),
    (
        "<img src=blank.gif class=a>",
        "<img src=blank.gif class=b>",
        "<img src=blank.gif>",
    ),
    ("<i class='fa ok'></i>", "<i class='fa no'></i>", "<i class='fa odd'></i>"),
    (
        "<svg><use href='#ok'/></svg>",
        "<svg><use href='#no'/></svg>",
        "<svg><path d=M/></svg>",
    ),
    ("✔", "✘", "◐"),
    (
        "<font color=green>■</font>",
        "<font color=red>■</font>",
        "<font color=blue>■</font>",
    ),
]


@pytest.mark.parametrize("box", ["table", "dl", "ul", "line"])
@pytest.mark.parametrize("icons", KEYED)
def test_icons_mean_what_the_key_says(icons, box):
    good, bad, odd = icons
    lines = {
        "table": f"<table><tr><td>{good}<td>Test Passed<tr><td>{bad}<td>Test Failed</table>",
        "dl": f"<dl><dt>{good}<dd>Test Passed<dt>{bad}<dd>Test Failed</dl>",
        "ul": f"<ul><li>{good} Test Passed<li>{bad} Test Failed</ul>",
        "line": f"<p>{good} Test Passed</p><p>{bad} Test Failed</p>",
    }
    panel = "".join(f"<tr><td>Row {n}<td>{icon}" for n, icon in enumerate(icons))
    displayed = page(
        f"<fieldset><legend>Key</legend>{lines[box]}</fieldset><fieldset><legend>"
        f"Inter-cluster Peer Status</legend><table>{panel}</table></fieldset>"
    )
    key = IconKey()
    key.learn(displayed)
    assert [one.outcome for one in entries_of(displayed, key)] == [
        IconOutcome.PASSED,
        IconOutcome.FAILED,
        IconOutcome.UNKNOWN,
    ]


def test_an_icon_that_no_key_explains_never_passes_by_its_own_words():
    key = IconKey()
    key.learn(page("<h4>Key</h4><ul><li><img src=a.gif> Test Passed</ul>"))
    displayed = page("<td><img src=b.gif alt='Test Passed'></td>")
    cell = displayed.parts[0].elements("td", "body")[0]
    assert key.outcome(displayed.parts[0], cell) is IconOutcome.UNKNOWN


def test_an_icon_that_contradicts_its_key_is_unknown():
    key = IconKey()
    key.learn(page("<h4>Key</h4><ul><li><img src=a.gif> Test Passed</ul>"))
    displayed = page("<p><img src=a.gif alt='Test Failed'></p>")
    assert (
        key.outcome(displayed.parts[0], displayed.parts[0].root) is IconOutcome.UNKNOWN
    )


LISTS = [
    "<table><tr><td><td>Peer Address<td>Associated Users<tr><td><input type=checkbox>"
    "<td><a href='e?1'>10.1.1.1</a><td>1,204</table>",
    "<table><tr><th>Associated Users<th>Peer Address &#9650;<tr><td>1 204<th>"
    "<a href='e?1'>10.1.1.1</a></table>",
    "<table><tr><th id=u>Associated Users<th id=p>Peer Address<tr><td headers=p>"
    "10.1.1.1<td headers=u>1204<td><a href='e?1'>Edit</a><a href='d?1'>Delete</a></table>",
    "<table><tr><th>Peer Address<th>Associated Users<tr onclick=\"location='e?1'\"><td>"
    "10.1.1.1<td>1204</table>",
    "<div role=table><div><div role=row><b role=columnheader>Peer Address</b>"
    "<b role=columnheader>Associated Users</b></div></div><div role=row><span "
    "role=cell><a href='e?1'>10.1.1.1</a></span><span role=cell>1204</span></div></div>",
]


@pytest.mark.parametrize("markup", LISTS)
def test_a_list_is_read_by_its_heads(markup):
    (one,) = peer_lists.listed_in(page(markup))
    assert (one.address, one.associated_users) == ("10.1.1.1", 1204)
    assert one.link == "/cupadmin/e?1"


@pytest.mark.parametrize(
    ("text", "total"),
    [
        ("Found 3 peers", 3),
        ("7 records found", 7),
        ("(1 - 50 of 120)", 120),
        ("Showing 1 to 10 of 31 entries", 31),
        ("Ready", None),
    ],
)
def test_the_total_of_a_list_is_read(text, total):
    body = f"<h3>Inter-Cluster Peers</h3><font>{text}</font><p>x"
    assert peer_lists.total_of(page(body)) == total


@pytest.mark.parametrize(
    "markup",
    [
        "<fieldset><legend>Status</legend><img src=r.gif> Error: no</fieldset>",
        "<font color=red>Error: no</font>",
        "<p style='font-weight: bold; color:#c00'>Error: no</p>",
        "<div id=statusMsg>Error: no</div>",
        "<div role=alert>Error: no</div>",
        "<script>alert('Error: no')</script>",
    ],
)
def test_a_message_is_found_however_it_is_marked(markup):
    assert [text.strip() for text in messages(page(markup))] == ["Error: no"]


@pytest.mark.parametrize(
    ("markup", "is_foreign"),
    [
        ("<p>Benutzername<p>Kennwort<input type=submit value=Anmelden>", True),
        ("<td>Mot de passe<td>Nom d'utilisateur<button>Connexion</button>", True),
        ("<td>ユーザ名を入力してください<td>パスワードを入力してください", True),
        ("<td>User Name<td>Password<input type=submit value=Login>", False),
        ("<td>Peer Address<td>Protocol", False),
    ],
)
def test_another_language_is_recognised_by_its_words(markup, is_foreign):
    assert is_other_language(page(markup)) is is_foreign


@pytest.mark.parametrize(
    "markup",
    [
        "<a href=\"javascript:act('save')\">Save</a>",
        "<a href='#' onclick=\"return act('save')\"><img src=s.gif alt=Save></a>",
        "<button type=button onclick=\"act('save')\">Save</button>",
        "<input type=button value=Save onclick=\"$('#how').val('save');$('#f').submit()\">",
        "<button name=how value=save>Save</button>",
        "<input type=image name=how value=save alt=Save>",
    ],
)
def test_save_is_pressed_through_simple_scripts(markup):
    body = (
        "<script>function act(x) { document.forms['f'].how.value = x; "
        "document.forms['f'].submit(); return false; }</script>"
        f"<form id=f name=f><input type=hidden id=how name=how>{markup}</form>"
    )
    (button,) = by_word(page(body), "save")
    assert button.usable


@pytest.mark.parametrize(
    ("sends", "asks"), [("requestSubmit", True), ("submit", False)]
)
def test_the_question_of_a_form_comes_before_it_sends_itself(sends, asks):
    body = (
        f"<script>function go() {{ document.forms[0].{sends}(); }}</script>"
        "<form onsubmit=\"return confirm('Sure?')\"><a href='javascript:go()'>Save</a>"
        "</form>"
    )
    (button,) = by_word(page(body), "save")
    assert (button.scripted, button.asks) == (False, asks)


def test_a_button_that_needs_no_script_comes_first():
    body = "<form><a href='javascript:doSave()'>Save</a><button>Save</button></form>"
    displayed = page(body)
    displayed.parts[0].runs_scripts = True
    assert [one.scripted for one in by_word(displayed, "save")] == [False, True]


DESCRIBED = (
    "<table><tr><td>Server<td><select><option>berlin</select><td><input>"
    "<tr><td><input type=submit value='Force Manual Sync'></table>"
    "<label>Group <select><option>munich</select></label>"
    "<label>Note <textarea>hamburg</textarea></label>"
    "<input type=image alt='Add New' src=new.gif>"
)


def test_a_description_has_words_as_they_are_read_and_no_values():
    found = structure(page(f"<form>{DESCRIBED}</form>"), lambda text: text)
    assert found["labels"] == ["Server", "Group", "Note"]
    assert found["buttons"] == ["Force Manual Sync", "Add New"]
    for value in ("berlin", "munich", "hamburg"):
        assert value not in str(found)
