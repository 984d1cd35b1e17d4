"""Peers as the pages list, show and write them: the same entries as everywhere."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lab.agent import LabPeerEntry
from lab.faults import Faults

from . import status
from .screens import (
    BULLETS,
    Action,
    Listing,
    PanelEntry,
    Screen,
    ScreenField,
    ScreenRow,
)
from .skin import Skin
from .state import PageSession
from .words import Words

if TYPE_CHECKING:
    from lab.cluster import LabCluster
    from lab.node import LabNode

SIZE = 50
OPERATORS = ("begins", "contains", "is", "ends", "empty", "not_empty")
Form = Mapping[str, list[str]]


@dataclass(frozen=True)
class ActionOutcome:
    """What came of a save: the key of the entry, or the words of a refusal."""

    key: str = ""
    message: str = ""
    is_error: bool = False


def protocols_of(cluster: "LabCluster") -> tuple[str, ...]:
    return ("TCP", "TLS") if cluster.generation == "imp" else ("TCP", "UDP", "TLS")


def has_mask(cluster: "LabCluster") -> bool:
    return float(cluster.release.short) < 11


class Peers:
    """The pages on peers of one node, in one skin."""

    def __init__(self, node: "LabNode", skin: Skin, words: Words) -> None:
        self.node, self.skin, self.words = node, skin, words
        self.cluster = node.cluster
        self.faults: Faults = node.faults

    def list_screen(self, session: PageSession, page: int, message: str = "") -> Screen:
        words = self.words
        listing = self.listing(session, page)
        count = f"{listing.total} {words('found')}" if listing.searched else ""
        return Screen(
            "list",
            words("list_title"),
            message or count or words("ready"),
            fields=self._search_fields(session),
            actions=[
                Action("find", words("find")),
                Action("add", words("add"), session.rank == "write"),
                Action("delete", words("delete_selected"), session.rank == "write"),
            ],
            listing=listing,
        )

    def listing(self, session: PageSession, page: int) -> Listing:
        columns = self._columns()
        search = session.search
        if self.faults.take("page_list", "query"):
            search = session.search = ("address", "is", "no-such-peer")
        if search is None and not self.skin.shows_all_at_once:
            return Listing(columns, searched=False)
        found = sorted(
            (p for p in self.cluster.peers() if self._matches(p, search)),
            key=lambda p: p.address.lower(),
        )
        size = self._size(session)
        first = size * (max(1, page) - 1)
        rows = tuple(self._row(p) for p in found[first : first + size])
        return Listing(columns, rows, first, len(found), size)

    def _size(self, session: PageSession) -> int:
        setting = self.faults.get("page_list", "size")
        return int(setting.number(5)) if setting else session.size or SIZE

    def _columns(self) -> tuple[tuple[str, str], ...]:
        without = "users" if self.faults.get("page_list", "no-users") else ""
        labels = {"username": "peer_username"}
        return tuple(
            (name, self.words(labels.get(name, name)))
            for name in self.skin.columns
            if name != without
        )

    def _row(self, peer: LabPeerEntry) -> ScreenRow:
        cells = {
            "address": peer.address,
            "username": peer.username,
            "protocol": peer.protocol,
            "users": str(status.users_of(self.cluster, peer)),
        }
        return ScreenRow(peer.pkid, cells, status.peer_outcome(self.cluster, peer))

    def _matches(self, peer: LabPeerEntry, search: tuple[str, str, str] | None) -> bool:
        if search is None:
            return True
        criterion, operator, term = search
        value = peer.username if criterion == "username" else peer.address
        value, term = value.lower(), term.strip().lower()
        tests = {
            "contains": term in value,
            "is": value == term or not term,
            "ends": value.endswith(term),
            "empty": not value,
            "not_empty": bool(value),
        }
        return tests.get(operator, value.startswith(term))

    def _search_fields(self, session: PageSession) -> list[ScreenField]:
        words = self.words
        criterion, operator, term = session.search or (self.skin.criteria[0], "", "")
        labels = {"address": words("address"), "username": words("peer_username")}
        criteria = tuple((name, labels[name]) for name in self.skin.criteria)
        operators = tuple((name, words(name)) for name in OPERATORS)
        return [
            ScreenField("criterion", words("where"), "select", criterion, criteria),
            ScreenField("operator", "", "select", operator or "begins", operators),
            ScreenField("string", "", "text", term),
        ]

    def peer(self, key: str) -> LabPeerEntry | None:
        return next((p for p in self.cluster.peers() if p.pkid == key), None)

    def peer_screen(self, session: PageSession, peer: LabPeerEntry | None) -> Screen:
        """Return the page of an entry, or of a new one when there is none."""
        words = self.words
        screen = Screen(
            "peer",
            words("peer_title"),
            words("ready"),
            key=peer.pkid if peer else "",
            fields=self.fields(peer),
            actions=self._actions(session, peer),
            entries=self._entries(peer) if peer else [],
            refresh=0 if peer is None else 60,
        )
        return self._with_alert(screen)

    def _with_alert(self, screen: Screen) -> Screen:
        alerts = {
            "alert": ("Press OK to save.", "save"),
            "alert-twice": ("Press OK to save.|This takes a moment.", "save"),
            "alert-change": ("The protocol must be the same on the peer.", "change"),
        }
        setting = self.faults.get("page_peer")
        if setting and setting.value == "confirm":
            screen.asks = "Is the other cluster ready?"
        if setting and setting.value in alerts:
            screen.alert, screen.alert_on = alerts[setting.value]
        return screen

    def _actions(self, session: PageSession, peer: LabPeerEntry | None) -> list[Action]:
        words = self.words
        may = session.rank == "write"
        actions = [Action("save", words("save"), may)] if may else []
        if self.faults.get("page_peer", "no-save"):
            actions = []
        if peer:
            label = "sync" if not self.skin.force_label else ""
            actions += [
                Action("delete", words("delete"), may),
                Action("add", words("add"), may),
                Action("sync", words(label) if label else self.skin.force_label, may),
            ]
        return actions

    def fields(self, peer: LabPeerEntry | None) -> list[ScreenField]:
        words = self.words
        secret = BULLETS if peer and peer.password else ""
        protocol = peer.protocol if peer else "TCP"
        offered = dict.fromkeys((*protocols_of(self.cluster), protocol))
        choices = tuple((self.code(p), p) for p in offered)
        fields = [
            ScreenField(
                "address", words("address"), value=peer.address if peer else ""
            ),
            ScreenField(
                "username", words("peer_username"), value=peer.username if peer else ""
            ),
            ScreenField("password", words("peer_password"), "password", secret),
            ScreenField("confirm", words("confirm"), "password", secret),
        ]
        if self.faults.get("page_peer", "extra-field"):
            fields.append(ScreenField("extra", words("extra")))
        fields = [replace(f, required=True) for f in fields]
        fields.append(
            ScreenField(
                "protocol", words("protocol"), "select", self.code(protocol), choices
            )
        )
        if has_mask(self.cluster):
            fields.append(
                ScreenField("mask", words("mask"), value=peer.mask if peer else "")
            )
        if peer:
            fields.append(ScreenField("tomcat", words("tomcat"), "checkbox"))
        return fields

    def code(self, protocol: str) -> str:
        """Return the value of an option: a number that is not the table's own."""
        known = ("TCP", "UDP", "TLS")
        return str(known.index(protocol) + 1) if protocol in known else protocol

    def _entries(self, peer: LabPeerEntry) -> list[PanelEntry]:
        setting = self.faults.get("page_status")
        if setting and setting.value == "none":
            return []
        if setting and setting.value == "late" and self._is_late():
            return [PanelEntry(self.words("sync_status"), "")]
        entries = status.status_entries(
            self.cluster, peer, self.words, self.skin.status_order
        )
        if setting and setting.value == "unknown-icon":
            return [replace(e, outcome="unknown" * bool(e.outcome)) for e in entries]
        return entries

    def _is_late(self) -> bool:
        setting = self.faults.take("page_status", "late")
        return setting is not None

    def posted(self, form: Form, name: str) -> str:
        return (form.get(self.skin.control(name)) or [""])[0].strip()

    def save(self, form: Form, key: str) -> ActionOutcome:
        """Check and write a posted entry; count it when something is stored."""
        old = self.peer(key)
        if key and old is None:
            return ActionOutcome("", "Error: the record does not exist", True)
        if fault := self.faults.take("page_peer", "error"):
            message = fault.parameter or "Error: java.lang.NullPointerException"
            return ActionOutcome(key, message, True)
        if problem := self._problem(form, old):
            return ActionOutcome(key, problem, True)
        message = self.words("updated" if old else "added")
        if self.faults.take("page_peer", "ignored"):
            return ActionOutcome(key, message)
        self._write(form, old)
        address = self.posted(form, "address")
        stored = next(p for p in self.cluster.peers() if p.address == address)
        return ActionOutcome(stored.pkid, message)

    def _problem(self, form: Form, old: LabPeerEntry | None) -> str:
        words = self.words
        for field in self.fields(old):
            if field.required and not self.posted(form, field.name):
                return f"{field.label} {words('required')}"
        if self.posted(form, "password") != self.posted(form, "confirm"):
            return words("mismatch")
        address = self.posted(form, "address").lower()
        others = (p for p in self.cluster.peers() if not old or p.pkid != old.pkid)
        if any(p.address.lower() == address for p in others):
            return words("duplicate")
        return ""

    def _write(self, form: Form, old: LabPeerEntry | None) -> None:
        password = self.posted(form, "password")
        if old and password == BULLETS:
            password = old.password
        codes = {self.code(p): p for p in ("TCP", "UDP", "TLS")}
        protocol = codes.get(self.posted(form, "protocol"), "TCP")
        mask = self.posted(form, "mask") if has_mask(self.cluster) else ""
        entry = LabPeerEntry(
            old.pkid if old else "",
            self.posted(form, "address"),
            self.posted(form, "username"),
            password,
            protocol,
            mask if has_mask(self.cluster) else (old.mask if old else ""),
        )
        if old:
            self.cluster.change_peer(entry)
        else:
            values = (entry.username, entry.password, entry.protocol, entry.mask)
            self.cluster.add_peer(entry.address, *values)
            self.cluster.pages.changed_at = time.time()
        self.cluster.pages.saves[entry.address.lower()] += 1

    def delete(self, keys: list[str]) -> int:
        """Delete entries by their keys; return how many there were."""
        found = [p for p in self.cluster.peers() if p.pkid in keys]
        for peer in found:
            self.cluster.remove_peer(peer.address)
            self.cluster.pages.deletes[peer.address.lower()] += 1
        if found and self.cluster.release.major < 14:
            self.cluster.pages.changed_at = time.time()
        return len(found)

    def synchronise(self, key: str, tomcat: bool) -> bool:
        peer = self.peer(key)
        if peer is None:
            return False
        self.cluster.pages.syncs.append((peer.address, tomcat))
        agent = self.cluster.agent
        agent.synchronise_again(peer.address)
        if tomcat and status.is_reachable(self.cluster, peer):
            agent.exchange_certificates(peer.address)
        return True
