"""What is said of each fault of the product's own pages, and where its link leads."""

from collections.abc import Iterator
from dataclasses import dataclass

from pages import PageCode
from tests.overview.catalogue import LabFault, areas
from wire import Code

CLUSTER = "clusters:edit_cluster"
PASSWORD, USERNAME = f"{CLUSTER}#id_pages_password", f"{CLUSTER}#id_pages_username"
PORT, ADDRESS = f"{CLUSTER}#id_pages_port", "clusters:edit_node#id_address"
DESCRIBE = "clusters:show_cluster#pages"


@dataclass(frozen=True)
class PageFault(LabFault):
    """A fault, the code of its cause, and the fix of the problem that it is."""

    cause: str
    fix: str = ""

    @property
    def is_refusal(self) -> bool:
        """Whether the account is what is refused."""
        causes = (PageCode.SIGN_IN, PageCode.LOCKED, PageCode.DENIED)
        return self.cause in causes


def of(cause: str, fix: str, area: str, values: str) -> Iterator[PageFault]:
    for value in values.split():
        yield PageFault(area, value, cause, fix)


def answers() -> Iterator[PageFault]:
    yield from of(PageCode.SIGN_IN, PASSWORD, "pages", "html-401")
    yield from of(PageCode.DENIED, USERNAME, "pages", "html-403")
    unknown = "html-200 html-404 status empty"
    yield from of(PageCode.UNRECOGNISED, DESCRIBE, "pages", unknown)
    yield from of(Code.UNAVAILABLE, "services:show", "pages", "html-503")
    yield from of(PageCode.SINGLE_SIGN_ON, DESCRIBE, "pages", "redirect")
    yield from of(PageCode.INCOMPLETE, DESCRIBE, "pages", "truncated-xml")
    yield from of(Code.TOO_LARGE, DESCRIBE, "pages", "bomb")
    yield from of(Code.TIMEOUT, DESCRIBE, "pages", "stall slow stall-body drip")
    cut = "cut-headers cut-body hang-up reset"
    yield from of(Code.CLOSED, DESCRIBE, "pages", cut)
    garbled = "not-http bad-length endless-headers"
    yield from of(Code.PROTOCOL, PORT, "pages", garbled)


def conduct() -> Iterator[PageFault]:
    area = "page_sign_in"
    yield from of(PageCode.SIGN_IN, PASSWORD, area, "refused locked")
    yield from of(PageCode.SESSION_LIMIT, USERNAME, area, "session-limit")
    yield from of(PageCode.SINGLE_SIGN_ON, DESCRIBE, area, "sso")
    yield from of(PageCode.DENIED, USERNAME, area, "no-right")
    yield from of(PageCode.HOST, ADDRESS, area, "host-check")
    yield from of(PageCode.SESSION_ENDED, DESCRIBE, "page_session", "ended")
    yield from of(PageCode.TOKEN, DESCRIBE, "page_token", "refused")
    yield from of(PageCode.DENIED, USERNAME, "page_token", "denied")
    yield from of(PageCode.MENU, DESCRIBE, "page_menu", "missing renamed")
    yield from of(PageCode.OTHER_NODE, ADDRESS, "page_node", "other redirect")
    yield from of(PageCode.LANGUAGE, USERNAME, "page_language", "de")
    yield from of(PageCode.LABEL, DESCRIBE, "page_peer", "label")
    yield from of(PageCode.LIST, DESCRIBE, "page_list", "query")


def changes() -> Iterator[PageFault]:
    """Seen only once an entry is changed."""
    edit = "peers:edit_peer"
    yield from of(PageCode.READ_ONLY, edit, "page_sign_in", "read-only")
    yield from of(PageCode.SESSION_ENDED, edit, "page_session", "ended-before-save")
    yield from of(PageCode.REQUIRED, edit, "page_peer", "extra-field")
    yield from of(PageCode.QUESTION, edit, "page_peer", "confirm")
    yield from of(PageCode.NOT_SAVED, edit, "page_peer", "ignored")
    yield from of(PageCode.REFUSED, edit, "page_peer", "error")
    yield from of(PageCode.LABEL, edit, "page_peer", "no-save save-renamed")


def key_of(one: PageFault) -> tuple[str, str]:
    return one.area, one.value


UNREAD = {key_of(one): one for source in (answers, conduct) for one in source()}
UNWRITTEN = {key_of(one): one for one in changes()}
# A change is made all the same.
WRITTEN = {
    **areas("page_session", "ended-after-save", "the entry is read back"),
    **areas("page_peer", "alert alert-twice alert-change", "a note asks nothing"),
    **areas("page_peer", "lost unclear", "the entry is read back, never saved twice"),
}
# The list is read all the same.
READ = {
    **areas("pages", "wrong-namespace reversed", "pages have no namespaces or schema"),
    **areas("pages", "latin1 control-characters entities", "only words count"),
    **areas("page_sign_in", "banner banner-after", "OK acknowledges it"),
    **areas("page_sign_in", "sso-recovery", "the recovery link leads around it"),
    **areas("page_list", "size", "all pages of the list are read"),
    **areas("page_list", "no-users", "users are read from the database"),
}
# What a panel or the troubleshooter of the cluster does not show is unknown there, and
# the console's own checks decide.
PANEL = {
    **areas("page_status", "none unknown-icon late", "the panel is shown as unknown")
}
ROWS = {
    **areas("page_troubleshooter", "no-key unknown-icon", "rows are information"),
    **areas("page_troubleshooter", "no-section", "there are no such rows"),
    **areas("page_troubleshooter", "slow", "one row says why"),
    **areas("page_menu", "no-troubleshooter", "one row says why"),
}
