"""The administration pages of one node: who may see what, and which page answers."""

import asyncio
import json
from dataclasses import replace
from typing import TYPE_CHECKING

from lab.http import LabRequest, Response
from lab.http_faults import refusal_page

from . import faults as faults
from . import notices, troubleshooter
from .door import Door
from .markup import escaped, icon_png
from .peers import Peers
from .requests import PageVisit, html_response, image_response, redirect_response
from .screens import Action, Frame, Screen, ScreenField
from .skin import ROOT, SIGN_IN, Skin
from .skins import SKINS
from .state import PageSession, PageSessions
from .words import Words, product_name

if TYPE_CHECKING:
    from lab.node import LabNode

SECURITY_ERROR = (
    "Security Error : The attempted action was a violation of security protocols and "
    "will not be allowed. This may be caused by having multiple concurrent windows "
    "open or using browser buttons (back, refresh, etc). Please retry the operation"
)
DENIED = "Access to the requested resource has been denied."


class Site:
    """The pages of a node. Every node has its own sessions."""

    def __init__(self, node: "LabNode") -> None:
        self.node = node
        self.sessions = PageSessions()
        self.door = Door(self)

    @property
    def skin(self) -> Skin:
        return SKINS[self.node.cluster.pages.skin]

    @property
    def words(self) -> Words:
        box = self.node.faults
        renamed = []
        if box.get("page_peer", "label"):
            renamed.append("address")
        if box.get("page_peer", "save-renamed"):
            renamed.append("save")
        if box.get("page_menu", "renamed"):
            renamed.append("list")
        language = box.get("page_language")
        return Words(language.value if language else "en", tuple(renamed))

    async def answer(self, request: LabRequest) -> Response:
        """Answer one request to the pages."""
        visit = PageVisit(request)
        if name := self.skin.icon_of(visit.path):
            return image_response(icon_png(name))
        if stopped := self.door.before_sessions(visit):
            return stopped
        session = self.sessions.find(visit.session_id)
        if visit.path == SIGN_IN:
            return self.door.sign_in(visit, session)
        if session is None or not session.user:
            return self.door.ask(visit, session)
        if session.under_way:
            self.node.cluster.pages.overlaps += 1
        session.under_way += 1
        try:
            return await self._signed_in(visit, session)
        finally:
            session.under_way -= 1

    async def _signed_in(self, visit: PageVisit, session: PageSession) -> Response:
        kind = self.skin.kind_of(visit.path)
        if kind == "sign_out":
            self.sessions.end(session)
            self.node.cluster.pages.sign_outs[session.user] += 1
            return redirect_response(ROOT)
        if stopped := self.door.after_sessions(visit, session, kind):
            return stopped
        if visit.is_post and (refused := self._check_token(visit, session)):
            return refused
        frame = self.frame(session)
        if part := self.skin.part(visit.path, frame, self.words):
            return html_response(part)
        if visit.path in (ROOT, ROOT.rstrip("/"), self.skin.path("home")):
            top = self.skin.top(frame, self.words)
            return html_response(top) if top else self._show(session, self._home())
        return await self._page(visit, session, kind)

    async def _page(
        self, visit: PageVisit, session: PageSession, kind: str
    ) -> Response:
        if kind in ("list", "peer", "confirm", "sync") and not self._is_publisher():
            return self._show(session, self._notice())
        if kind == "list":
            return self._list(visit, session)
        if kind == "peer":
            response = self._peer(visit, session)
            if self._is_save(visit) and self.node.faults.take("page_peer", "lost"):
                await asyncio.Event().wait()
            return response
        if kind in ("confirm", "sync"):
            return self._confirmed(visit, session, kind)
        if kind == "troubleshooter":
            return await self._troubleshooter(session)
        if kind == "notifications":
            return self._show(
                session, notices.notices_screen(self.node.cluster, self.words)
            )
        if kind in ("settings", "dashboard"):
            return self._show(session, self._home(kind))
        return refusal_page(
            404, f"The requested resource ({escaped(visit.path)}) is unknown."
        )

    def _is_save(self, visit: PageVisit) -> bool:
        return visit.is_post and self.skin.action(visit.form) == "save"

    def _is_publisher(self) -> bool:
        return self.node.is_publisher and not self.node.faults.get("page_node")

    def _check_token(self, visit: PageVisit, session: PageSession) -> Response | None:
        setting = self.node.faults.take("page_token")
        if not setting and self._token_of(visit) == session.token:
            return None
        self.node.cluster.pages.refusals[session.user] += 1
        if setting and setting.value == "denied":
            return refusal_page(403, DENIED)
        return html_response(
            f"<html><body><h2>{escaped(SECURITY_ERROR)}</h2></body></html>"
        )

    def _token_of(self, visit: PageVisit) -> str:
        if self.skin.token_cookie:
            return visit.cookie(self.skin.token_cookie)
        return visit.first(self.skin.token_name)

    def frame(self, session: PageSession) -> Frame:
        """Return what stands around a page, with its present token."""
        cluster = self.node.cluster
        return Frame(
            product_name(cluster.release),
            self.node.name,
            session.user,
            session.token,
            notices.notice_count(cluster),
            session.rank != "write",
            self._menu(),
        )

    def _menu(self) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
        words, skin, box = self.words, self.skin, self.node.faults
        gone = box.get("page_menu", "missing")
        presence = [(words("settings"), skin.path("settings"))]
        presence += [] if gone else [(words("list"), skin.path("list"))]
        without = box.get("page_menu", "no-troubleshooter")
        diagnostics = [(words("dashboard"), skin.path("dashboard"))]
        if not without:
            diagnostics.append((words("troubleshooter"), skin.path("troubleshooter")))
        return (
            (
                words("system"),
                ((words("notifications"), skin.path("notifications")),),
            ),
            (words("presence"), tuple(presence)),
            (words("messaging"), ((words("settings"), skin.path("settings")),)),
            (words("diagnostics"), tuple(diagnostics)),
            (words("help"), ((words("home"), skin.path("dashboard")),)),
        )

    def _home(self, kind: str = "home") -> Screen:
        words = self.words
        title = words("settings") if kind == "settings" else words("home")
        return Screen("home", title, lines=[product_name(self.node.cluster.release)])

    def _notice(self) -> Screen:
        publisher = self.node.cluster.publisher
        return Screen(
            "notice",
            self.words("notice_title"),
            lines=[f"Inter-clustering is configured on {publisher.name} only."],
            link=f"https://{publisher.address}:{publisher.pages_port}{ROOT}",
        )

    def _peers(self) -> Peers:
        return Peers(self.node, self.skin, self.words)

    def _list(self, visit: PageVisit, session: PageSession) -> Response:
        peers, message = self._peers(), ""
        action = self.skin.action(visit.form)
        if visit.is_post and action == "add":
            return redirect_response(self.skin.path("peer"))
        if visit.is_post and action == "find":
            names = ("criterion", "operator", "string")
            criterion, operator, term = (peers.posted(visit.form, n) for n in names)
            session.search = (criterion, operator, term)
        elif visit.is_post and action == "delete":
            keys = tuple(self.skin.chosen(visit.form))
            if "delete" in self.skin.confirmed_on_pages and keys:
                return self._show(session, self._confirm(keys))
            message = self._delete(peers, session, list(keys))
        session.size = visit.number("rowsPerPage", session.size)
        page = visit.number("pageNumber")
        return self._show(session, peers.list_screen(session, page, message), visit)

    def _delete(self, peers: Peers, session: PageSession, keys: list[str]) -> str:
        if session.rank != "write":
            return DENIED
        session.search = session.search or ("address", "begins", "")
        return self.words("deleted") if peers.delete(keys) else self.words("ready")

    def _peer(self, visit: PageVisit, session: PageSession) -> Response:
        peers = self._peers()
        key = visit.first("key")
        action = self.skin.action(visit.form) if visit.is_post else ""
        if visit.is_post and session.rank != "write":
            return refusal_page(403, DENIED)
        if action == "save":
            return self._save(visit, session, peers, key)
        if action == "add":
            return redirect_response(self.skin.path("peer"))
        if action in ("delete", "sync"):
            return self._ask_or_do(visit, session, action, key)
        peer = peers.peer(key)
        if key and peer is None:
            return self._show(session, peers.list_screen(session, 1))
        return self._show(session, peers.peer_screen(session, peer))

    def _save(
        self, visit: PageVisit, session: PageSession, peers: Peers, key: str
    ) -> Response:
        done = peers.save(visit.form, key)
        if self.node.faults.take("page_session", "ended-after-save"):
            self.sessions.end(session)
            return self.door.ask(visit, None)
        screen = peers.peer_screen(session, peers.peer(done.key))
        screen.status, screen.is_error = done.message, done.is_error
        if done.is_error:
            self._keep_what_was_typed(screen, visit, peers)
        elif self.node.faults.take("page_peer", "unclear"):
            screen.status = ""
        return self._show(session, screen, visit)

    def _keep_what_was_typed(
        self, screen: Screen, visit: PageVisit, peers: Peers
    ) -> None:
        screen.fields = [
            f
            if f.kind in ("password", "checkbox")
            else replace(f, value=peers.posted(visit.form, f.name))
            for f in screen.fields
        ]

    def _ask_or_do(
        self, visit: PageVisit, session: PageSession, action: str, key: str
    ) -> Response:
        if action in self.skin.confirmed_on_pages:
            screen = (
                self._confirm((key,)) if action == "delete" else self._ask_sync(key)
            )
            return self._show(session, screen)
        return self._do(
            visit, session, "sync" if action == "sync" else "confirm", [key]
        )

    def _confirm(self, keys: tuple[str, ...]) -> Screen:
        words = self.words
        return Screen(
            "confirm",
            words("confirm_title"),
            keys=keys,
            key=keys[0],
            lines=[words("sure")],
            actions=[
                Action("accept", words("accept")),
                Action("cancel", words("cancel")),
            ],
        )

    def _ask_sync(self, key: str) -> Screen:
        words = self.words
        return Screen(
            "sync",
            words("sync_title"),
            key=key,
            keys=(key,),
            fields=[ScreenField("tomcat", words("tomcat"), "checkbox")],
            actions=[
                Action("accept", words("accept")),
                Action("cancel", words("cancel")),
            ],
        )

    def _confirmed(self, visit: PageVisit, session: PageSession, kind: str) -> Response:
        if self.skin.action(visit.form) != "accept":
            return redirect_response(self.skin.path("list"))
        if session.rank != "write":
            return refusal_page(403, DENIED)
        return self._do(visit, session, kind, self.skin.chosen(visit.form))

    def _do(
        self, visit: PageVisit, session: PageSession, kind: str, keys: list[str]
    ) -> Response:
        """Carry out a delete or a manual sync that was confirmed."""
        peers = self._peers()
        if kind == "confirm":
            message = self._delete(peers, session, keys)
            return self._show(session, peers.list_screen(session, 1, message), visit)
        tomcat = bool(peers.posted(visit.form, "tomcat"))
        key = keys[0] if keys else ""
        peers.synchronise(key, tomcat)
        screen = peers.peer_screen(session, peers.peer(key))
        screen.status = self.words("started")
        return self._show(session, screen, visit)

    async def _troubleshooter(self, session: PageSession) -> Response:
        words, box = self.words, self.node.faults
        setting = box.get("page_troubleshooter")
        kind = setting.value if setting else ""
        if setting and kind == "slow":
            await asyncio.sleep(setting.number(90))
        found = troubleshooter.all_sections(self.node.cluster, self.skin.path("list"))
        if kind == "no-section":
            found = [s for s in found if "Inter-Clustering" not in s.title]
        elif kind == "unknown-icon":
            found = [troubleshooter.without_outcomes(s) for s in found]
        screen = Screen("troubleshooter", words("troubleshooter_title"))
        screen.sections = found
        screen.has_key = kind != "no-key"
        return self._show(session, screen)

    def _show(
        self, session: PageSession, screen: Screen, visit: PageVisit | None = None
    ) -> Response:
        session.renew_token()
        frame = self.frame(session)
        if visit and visit.is_script:
            return _as_json(screen, frame, self.skin)
        response = html_response(self.skin.render(screen, frame, self.words))
        if name := self.skin.token_cookie:
            cookie = f"{name}={frame.token}; Path={ROOT}; Secure"
            response.headers.append(("Set-Cookie", cookie))
        return response


def _as_json(screen: Screen, frame: Frame, skin: Skin) -> Response:
    """Return what a page's own script needs to go on."""
    known = {
        "status": screen.status,
        "error": screen.is_error,
        "next": skin.path("peer", key=screen.key)
        if screen.kind == "peer" and screen.key
        else skin.path("list"),
        "token": frame.token,
    }
    return Response(200, json.dumps(known).encode(), "application/json;charset=utf-8")
