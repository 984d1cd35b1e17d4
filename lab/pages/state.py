"""What a cluster's pages remember: accounts, sessions, counts of what was done."""

import secrets
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lab.cluster import LabCluster

IDLE = 30 * 60
SESSIONS_OF_A_USER = 10
FAILURES_UNTIL_LOCKED = 5
WRITE, READ, NO_RIGHT = "write", "read", "none"
USERNAME = "administrator"
READER = "pagereader"


@dataclass
class PageSession:
    """One browser's session with one node; `wanted` is where sign-in leads."""

    id: str
    user: str = ""
    rank: str = NO_RIGHT
    token: str = ""
    target: str = ""
    seen: float = field(default_factory=time.time)
    requests: int = 0
    under_way: int = 0
    is_acknowledged: bool = False
    search: tuple[str, str, str] | None = None
    size: int = 0

    def renew_token(self) -> str:
        self.token = secrets.token_hex(16)
        return self.token


class PageSessions:
    """The page sessions of one node."""

    def __init__(self) -> None:
        self.open: dict[str, PageSession] = {}

    def find(self, cookie: str) -> PageSession | None:
        session = self.open.get(cookie)
        if session and time.time() - session.seen > IDLE:
            self.end(session)
            return None
        if session:
            session.seen = time.time()
        return session

    def begin(self, target: str) -> PageSession:
        session = PageSession(secrets.token_hex(16).upper(), target=target)
        self.open[session.id] = session
        return session

    def sign_in(self, session: PageSession, user: str, rank: str) -> None:
        """Give a session its user, and another id as after any sign-in."""
        self.end(session)
        session.id = secrets.token_hex(16).upper()
        session.user, session.rank = user, rank
        self.open[session.id] = session

    def end(self, session: PageSession) -> None:
        self.open.pop(session.id, None)

    def of(self, user: str) -> int:
        """Return how many sessions a user has."""
        now = time.time()
        return sum(s.user == user and now - s.seen <= IDLE for s in self.open.values())


class Pages:
    """The pages of one cluster, as the tests look at them."""

    def __init__(self, cluster: "LabCluster", skin: str) -> None:
        self.skin = skin
        self.accounts = {
            USERNAME: (f"{cluster.name}-pages-secret", WRITE),
            READER: (f"{cluster.name}-pages-reader-secret", READ),
        }
        self.cluster = cluster
        self.failures: Counter[str] = Counter()
        self.sign_ins: Counter[str] = Counter()
        self.sign_outs: Counter[str] = Counter()
        # By address in lower case: how often an entry was written, and taken away.
        self.saves: Counter[str] = Counter()
        self.deletes: Counter[str] = Counter()
        self.syncs: list[tuple[str, bool]] = []
        self.refusals: Counter[str] = Counter()
        self.overlaps = 0
        self.changed_at = 0.0

    @property
    def password(self) -> str:
        return self.accounts[USERNAME][0]

    def describe(self) -> dict[str, str | None]:
        """Return what lab.json says; nothing where the pages are off."""
        has_skin = bool(self.skin)
        return {
            "pages": self.skin or None,
            "pages_username": USERNAME if has_skin else None,
            "pages_password": self.password if has_skin else None,
        }

    def rank_of(self, user: str, password: str) -> str | None:
        """Return what a user may do; None when the password is not theirs."""
        stored, rank = self.accounts.get(user, ("", ""))
        if not stored and user in self.cluster.credentials:
            stored, rank = self.cluster.credentials[user][0], NO_RIGHT
        if not stored or self.failures[user] >= FAILURES_UNTIL_LOCKED:
            return None
        if not secrets.compare_digest(stored.encode(), password.encode()):
            self.failures[user] += 1
            return None
        self.failures[user] = 0
        return rank

    def set_password(self, user: str, password: str) -> None:
        self.accounts[user] = (password, self.accounts[user][1])

    def is_locked(self, user: str) -> bool:
        return self.failures[user] >= FAILURES_UNTIL_LOCKED

    def counts(self) -> dict[str, object]:
        """Return what was done, for the command `saves`."""
        return {
            "saves": dict(self.saves),
            "deletes": dict(self.deletes),
            "syncs": [f"{a}{' with Tomcat' if t else ''}" for a, t in self.syncs],
            "sign_ins": dict(self.sign_ins),
            "sign_outs": dict(self.sign_outs),
            "refusals": dict(self.refusals),
            "overlaps": self.overlaps,
        }
