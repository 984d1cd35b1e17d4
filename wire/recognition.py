"""Which table of a cluster holds its peers: asked of its catalogue, then by counting.

No public source names the table. It is recognised by its columns and by its contents:
it holds publishers of other clusters and none of the cluster's own nodes. Contents
are counted on the node; only of the one table that is recognised are rows read, and
never its password.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial

from wire import sql
from wire.catalogue import Catalogue, Questions, is_refused, lower_text
from wire.errors import WireError
from wire.peer_table import PROTOCOLS
from wire.table_shape import Shape, is_named

UNPROVEN = (
    "No user name is known to compare its contents with. Enter the intercluster user "
    "of a cluster that it names, or confirm the table."
)
COPY = "By its name it may be a copy of another table."
ELSEWHERE = "It names publishers of other clusters; the rest may be in another table."
# What a key of another row looks like, where a user name is expected.
KEY = "________-____-____-____-____________"


class RecognitionState(StrEnum):
    """What became of a search; the words of the REST contract."""

    RECOGNISED = "recognised"
    AMBIGUOUS = "ambiguous"
    NONE = "none"
    UNREADABLE = "unreadable"


class TableVerdict(StrEnum):
    """What counting says of one table."""

    FITS = "fits"
    RIVAL = "rival"
    EMPTY = "empty"
    REJECTED = "rejected"


@dataclass(frozen=True)
class KnownPeer:
    """A peer whose values are known otherwise; empty where one of them is not."""

    username: str = ""
    protocol: str = ""


@dataclass(frozen=True)
class Surroundings:
    """What is known of the mesh around a cluster, all names in lower case.

    Args:
        own: names and addresses of the cluster's own nodes.
        publishers: those of publishers of other clusters.
        others: those of the other clusters' other nodes.
        known: peers of this cluster by address.
    """

    own: frozenset[str]
    publishers: frozenset[str]
    others: frozenset[str] = frozenset()
    known: Mapping[str, KnownPeer] = field(default_factory=dict)


@dataclass(frozen=True)
class Candidate:
    """A table that could hold the peers, and why.

    Args:
        columns: the likeliest column for each field of `PeerTable`.
        protocol_values: what is known of its protocol codes; may be incomplete.
        evidence: sentences for a person.
    """

    table: str
    columns: Mapping[str, str]
    rows: int
    verdict: TableVerdict
    evidence: tuple[str, ...] = ()
    protocol_values: Mapping[str, str] = field(default_factory=dict)

    def but(self, verdict: TableVerdict, sentence: str) -> "Candidate":
        return replace(self, verdict=verdict, evidence=(*self.evidence, sentence))

    def with_evidence(self, sentence: str) -> "Candidate":
        return self.but(self.verdict, sentence)


@dataclass(frozen=True)
class Recognition:
    """The outcome of a search: the table chosen, if one, and those worth a look."""

    state: RecognitionState
    chosen: Candidate | None = None
    candidates: tuple[Candidate, ...] = ()
    queries: int = 0
    reason: str = ""


@dataclass(frozen=True)
class Contents:
    """How many rows of a column name whom; None where the node did not count."""

    publishers: int | None
    own: int | None
    others: int | None

    @property
    def unread(self) -> bool:
        return None in (self.publishers, self.own, self.others)

    def all_of(self, rows: int) -> bool:
        return self.publishers == rows and self.own == 0 and self.others == 0

    def sentence(self, rows: int) -> str:
        text = f"{self.publishers} of its {rows} rows name publishers of other clusters"
        if self.others:
            return f"{text}, {self.others} name their other nodes."
        return f"{text}, none a node of its own cluster."


class Recogniser:
    """One search on one publisher."""

    def __init__(self, ask: Questions, mesh: Surroundings) -> None:
        self.ask = ask
        self.mesh = mesh

    async def run(self) -> Recognition:
        """Search; WireError when the node cannot be asked at all."""
        likely = partial(is_named, kind="likely")
        try:
            catalogue = await Catalogue.read(self.ask, likely)
        except WireError as error:
            if not is_refused(error):
                raise
            return self._end(RecognitionState.UNREADABLE, reason=error.message)
        shapes = [Shape.of(*item) for item in catalogue.columns.items()]
        shapes.sort(key=lambda shape: (not likely(shape.table), shape.table))
        candidates = [await self.weigh(shape) for shape in shapes if shape.complete]
        if any(one.verdict is TableVerdict.FITS for one in candidates):
            candidates += await self.split(shapes)
        return await self.decide(candidates, catalogue.complete)

    async def weigh(self, shape: Shape) -> Candidate:
        """Judge one table by counting."""
        columns = shape.columns()
        rows = await self._rows(shape.table)
        if rows is None:
            sentence = "Its rows could not be counted."
            return Candidate(shape.table, columns, 0, TableVerdict.RIVAL, (sentence,))
        blank = Candidate(shape.table, columns, rows, TableVerdict.EMPTY)
        if not rows:
            return blank.with_evidence("It is empty, so its contents say nothing.")
        if not self.mesh.publishers:
            sentence = "No other cluster is known to compare its contents with."
            return blank.with_evidence(sentence)
        found = [
            (column, await self._contents(shape.table, column))
            for column in shape.roles["address"]
        ]
        return await self._named(shape, blank, dict(found))

    async def split(self, shapes: list[Shape]) -> list[Candidate]:
        """Find tables that could hold the peers together with another table."""
        found = []
        rest = [shape for shape in shapes if "address" not in shape.roles]
        for shape in filter(lambda one: one.partial, shapes):
            others = [one for one in rest if shape.missing <= set(one.roles)]
            if not (shape.keys or others):
                continue
            rows = await self._rows(shape.table)
            if not rows or not await self._names_publishers(shape, rows):
                continue
            if shape.keys or await self._as_many(others, rows):
                blank = Candidate(
                    shape.table, shape.columns(), rows, TableVerdict.EMPTY
                )
                found.append(blank.but(TableVerdict.RIVAL, ELSEWHERE))
        return found

    async def _rows(self, table: str) -> int | None:
        return await self.ask.count(sql.tally_query("recognise_rows", table))

    async def _names_publishers(self, shape: Shape, rows: int) -> bool:
        """Whether an address column is that of the peers, or that cannot be told."""
        for column in shape.roles["address"]:
            contents = await self._contents(shape.table, column)
            if contents.unread or contents.all_of(rows):
                return True
        return False

    async def _as_many(self, shapes: list[Shape], rows: int) -> bool:
        """Whether one of the tables has as many rows, or cannot be counted."""
        for shape in shapes:
            if await self._rows(shape.table) in (rows, None):
                return True
        return False

    async def _contents(self, table: str, column: str) -> "Contents":
        publishers = await self.ask.holding(table, column, sorted(self.mesh.publishers))
        own = await self.ask.holding(table, column, sorted(self.mesh.own))
        others = self.mesh.others if publishers else ()
        return Contents(
            publishers, own, await self.ask.holding(table, column, sorted(others))
        )

    async def _named(
        self, shape: Shape, blank: Candidate, found: Mapping[str, "Contents"]
    ) -> Candidate:
        """Judge a table by what its address columns name."""
        if any(contents.unread for contents in found.values()) and not self.ask.left:
            return blank.but(TableVerdict.RIVAL, "No questions were left to count it.")
        naming = {name: one for name, one in found.items() if one.publishers}
        if not naming:
            sentence = "None of its rows names a publisher of another cluster."
            return blank.but(TableVerdict.REJECTED, sentence)
        if any(one.own for one in naming.values()):
            return blank.but(
                TableVerdict.REJECTED, "It names nodes of its own cluster."
            )
        whole = [name for name, one in naming.items() if one.all_of(blank.rows)]
        column = whole[0] if whole else min(naming)
        candidate = replace(blank, columns=shape.columns(address=column))
        if len(whole) > 1:
            names = " and ".join(whole)
            return candidate.but(TableVerdict.RIVAL, f"The address may be in {names}.")
        if not whole:
            return candidate.but(
                TableVerdict.RIVAL, naming[column].sentence(blank.rows)
            )
        candidate = candidate.but(
            TableVerdict.FITS, naming[column].sentence(blank.rows)
        )
        return await self._with_username(shape, candidate)

    async def _with_username(self, shape: Shape, candidate: Candidate) -> Candidate:
        """Find the column of the user names; no other one may be as good."""
        table = candidate.table
        columns = [x for x in shape.roles["username"] if await self._is_text(table, x)]
        proven = [x for x in columns if await self._holds_known_users(candidate, x)]
        if not columns:
            return candidate.but(TableVerdict.RIVAL, "No column holds user names.")
        if not proven and await self._knows_better(candidate):
            sentence = "None of the user names that the console knows is in it."
            return candidate.but(TableVerdict.RIVAL, sentence)
        likely = proven or columns
        chosen = {**candidate.columns, "username": likely[0]}
        candidate = replace(candidate, columns=chosen)
        if proven:
            candidate = candidate.with_evidence("User names of known peers are in it.")
        else:
            candidate = candidate.but(TableVerdict.RIVAL, UNPROVEN)
        if is_named(table, "copies"):
            candidate = candidate.but(TableVerdict.RIVAL, COPY)
        for what, names in (
            ("user name", likely),
            ("password", shape.roles["password"]),
            ("protocol", shape.roles["protocol"]),
        ):
            if len(names) > 1:
                sentence = f"The {what} may be in {' or '.join(names)}."
                candidate = candidate.but(TableVerdict.RIVAL, sentence)
        return candidate

    async def _is_text(self, table: str, column: str) -> bool:
        """Tell a column of names from one of keys of another table."""
        query = sql.tally_query("recognise_keys", table, like={column: KEY})
        return await self.ask.count(query) == 0

    async def _holds_known_users(self, candidate: Candidate, column: str) -> bool:
        address = candidate.columns["address"]
        for host, peer in self.mesh.known.items():
            if not peer.username:
                continue
            query = sql.tally_query(
                "recognise_user",
                candidate.table,
                {address: [host]},
                {column: peer.username},
            )
            if await self.ask.count(query):
                return True
        return False

    async def _knows_better(self, candidate: Candidate) -> bool:
        """Tell whether it has rows of peers whose user names the console knows."""
        hosts = [x for x, peer in self.mesh.known.items() if peer.username]
        address = candidate.columns["address"]
        return await self.ask.holding(candidate.table, address, hosts) != 0

    async def decide(self, candidates: list[Candidate], complete: bool) -> Recognition:
        """Choose the one that fits, if no other table could be it as well."""
        remaining = tuple(
            c for c in candidates if c.verdict is not TableVerdict.REJECTED
        )
        # The true table may be empty where another one still names former peers.
        if (
            complete
            and len(remaining) == 1
            and remaining[0].verdict is TableVerdict.FITS
        ):
            chosen = await self._with_protocols(remaining[0])
            if chosen.verdict is TableVerdict.FITS:
                return self._end(RecognitionState.RECOGNISED, chosen, (chosen,))
            remaining = (chosen,)
        return self._end(
            RecognitionState.AMBIGUOUS if remaining else RecognitionState.NONE,
            None,
            remaining,
        )

    async def _with_protocols(self, candidate: Candidate) -> Candidate:
        """Learn the codes of protocols from peers whose protocol is known."""
        column = candidate.columns["protocol"]
        codes = await self._codes(candidate, column)
        values: dict[str, str] = {}
        for host, code in codes.items():
            named = code.upper() if code.upper() in PROTOCOLS else ""
            peer = self.mesh.known.get(host)
            protocol = named or (peer.protocol if peer else "")
            if not protocol or not code:
                continue
            if values.setdefault(protocol, code) != code:
                sentence = f"Its codes contradict each other for {protocol}."
                return candidate.but(TableVerdict.RIVAL, sentence)
        if len(set(values.values())) != len(values):
            sentence = "One code stands for two protocols that the console knows."
            return candidate.but(TableVerdict.RIVAL, sentence)
        return replace(candidate, protocol_values=values)

    async def _codes(self, candidate: Candidate, column: str) -> dict[str, str]:
        """Read address and protocol of the recognised table, nothing else of it."""
        address = candidate.columns["address"]
        query = sql.select_query(
            "recognise_codes", candidate.table, [address, column], order_by=address
        )
        return {
            lower_text(row.get(address)): (row.get(column) or "").strip()
            async for row in self.ask.rows(query)
        }

    def _end(
        self,
        state: RecognitionState,
        chosen: Candidate | None = None,
        candidates: tuple[Candidate, ...] = (),
        reason: str = "",
    ) -> Recognition:
        return Recognition(state, chosen, candidates, self.ask.query_count, reason)
