"""Sign-in and everything that may stand before a page."""

from typing import TYPE_CHECKING

from lab.http import Response, html_page
from lab.http_faults import refusal_page

from .markup import escaped
from .requests import COOKIE, PageVisit, html_response, redirect_response
from .screens import Frame, Screen
from .skin import ROOT
from .state import NO_RIGHT, READ, SESSIONS_OF_A_USER, PageSession
from .words import product_name

if TYPE_CHECKING:
    from .site import Site

SESSION_LIMIT_REACHED = (
    "The Session limit has already been reached for {}. Please logout from those "
    "sessions or wait 30 minutes for inactive sessions to be automatically closed."
)
FAILED = "Log on failed - Invalid User ID or Password"
BANNER = "Authorized use only.\nAll activity is recorded."
DENIED = "Access to the requested resource has been denied."
ELSEWHERE = "https://idp.elsewhere.example/sso?SAMLRequest=x"
RECOVERY = "/ssosp/local/login"


class Door:
    """Lets users in, or not."""

    def __init__(self, site: "Site") -> None:
        self.site = site
        self.node = site.node

    def before_sessions(self, visit: PageVisit) -> Response | None:
        """Return what takes the place of every page, whoever asks."""
        box = self.node.faults
        if box.get("page_sign_in", "host-check") or not self._is_own_host(visit.host):
            return html_page(403, "Forbidden", "The host is not trusted.")
        other = self.node.cluster.nodes[-1]
        if other is not self.node and box.get("page_node", "redirect"):
            where = f"https://{other.name}:{other.pages_port}{visit.request.path}"
            return redirect_response(where)
        setting = box.get("page_sign_in")
        if setting and setting.value in ("sso", "sso-recovery"):
            return self._single_sign_on(visit, setting.value)
        return None

    def _is_own_host(self, host: str) -> bool:
        nodes = self.node.cluster.nodes
        names = {
            n for node in nodes for n in (node.name, node.short_name, node.address)
        }
        return host in names or host in ("localhost", "127.0.0.1")

    def _single_sign_on(self, visit: PageVisit, kind: str) -> Response | None:
        recovers = kind == "sso-recovery"
        session = self.site.sessions.find(visit.session_id)
        if recovers and (visit.path == RECOVERY or session):
            return None
        return redirect_response(ELSEWHERE)

    def ask(self, visit: PageVisit, session: PageSession | None) -> Response:
        """Answer with the sign-in page, and remember which page was asked for."""
        target = ROOT if visit.is_post or visit.path == RECOVERY else visit.request.path
        session = session or self.site.sessions.begin(target)
        accepted = visit.is_post and self.site.skin.action(visit.form) == "accept"
        session.is_acknowledged = session.is_acknowledged or accepted
        if self._wants_banner(session, "banner"):
            return self._with_cookie(self._banner(), session)
        return self._with_cookie(self._form(""), session)

    def sign_in(self, visit: PageVisit, session: PageSession | None) -> Response:
        if session is None or not visit.is_post:
            return refusal_page(400, "Invalid direct reference to form login page")
        user = visit.first("j_username")
        rank, problem = self._judge(user, visit.first("j_password"))
        self.node.cluster.pages.sign_ins[user] += 1
        if problem:
            return self._form(problem)
        target, session.target = session.target or ROOT, ""
        session.is_acknowledged = False
        self.site.sessions.sign_in(session, user, rank)
        return self._with_cookie(redirect_response(target), session)

    def _judge(self, user: str, password: str) -> tuple[str, str]:
        """Return what a user may do, and why they may not sign in."""
        setting = self.node.faults.get("page_sign_in")
        kind = setting.value if setting else ""
        rank = self.node.cluster.pages.rank_of(user, password)
        if rank is None or kind in ("refused", "locked"):
            return NO_RIGHT, FAILED
        limit = SESSIONS_OF_A_USER
        if setting and kind == "session-limit":
            limit = int(setting.number(0))
        if self.site.sessions.of(user) >= limit:
            return NO_RIGHT, SESSION_LIMIT_REACHED.format(user)
        return {"no-right": NO_RIGHT, "read-only": READ}.get(kind, rank), ""

    def after_sessions(
        self, visit: PageVisit, session: PageSession, kind: str
    ) -> Response | None:
        """Return what takes the place of a page that a signed-in user asks for."""
        if visit.is_post and kind == "banner":
            session.is_acknowledged = True
            return redirect_response(ROOT)
        if self._wants_banner(session, "banner-after"):
            return self._banner()
        if self._has_ended(visit, session, kind):
            self.site.sessions.end(session)
            return self.ask(visit, None)
        if session.rank == NO_RIGHT:
            return refusal_page(403, DENIED)
        return None

    def _wants_banner(self, session: PageSession, kind: str) -> bool:
        banner = self.node.faults.get("page_sign_in", kind)
        return bool(banner) and not session.is_acknowledged

    def _has_ended(self, visit: PageVisit, session: PageSession, kind: str) -> bool:
        session.requests += 1
        setting = self.node.faults.get("page_session")
        if setting is None:
            return False
        if setting.value == "ended":
            if session.requests <= setting.number(4):
                return False
            return self.node.faults.take("page_session", "ended") is not None
        saves = visit.is_post and self.site.skin.action(visit.form) == "save"
        if not saves or kind != "peer":
            return False
        return self.node.faults.take("page_session", "ended-before-save") is not None

    def _form(self, problem: str) -> Response:
        words = self.site.words
        screen = Screen("sign_in", words("sign_in"), problem, is_error=bool(problem))
        return self._outside(screen)

    def _banner(self) -> Response:
        words = self.site.words
        return self._outside(Screen("banner", words("sign_in"), lines=[BANNER]))

    def _outside(self, screen: Screen) -> Response:
        frame = Frame(product_name(self.node.cluster.release), self.node.name)
        return html_response(self.site.skin.render(screen, frame, self.site.words))

    def _with_cookie(self, response: Response, session: PageSession) -> Response:
        response.headers.append(
            ("Set-Cookie", f"{COOKIE}={session.id}; Path=/; Secure; HttpOnly")
        )
        return response


def root_page(node_name: str, product_name: str, recovery: bool) -> Response:
    """Return the page at the root of a node: where its applications are."""
    link = f'<p><a href="{ROOT}">{escaped(product_name)}</a></p>'
    if recovery:
        words = "Recovery URL to bypass Single Sign On (SSO)"
        link += f'<p><a href="{RECOVERY}">{words}</a></p>'
    response = html_page(200, product_name, node_name)
    response.body = response.body.replace(b"</body>", link.encode() + b"</body>")
    return response
