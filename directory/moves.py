"""Users who moved between clusters: who left, who arrived, who still shows them."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from directory.columns import User
from directory.hashing import positions_of
from directory.models import Snapshot
from directory.ownership import NOBODY, Directory, UserListing

# The vendor's procedure by the number of users to move.
FEW, MANY, CHUNK, ROUND = 100, 1000, 1000, 8000


@dataclass(frozen=True)
class Move:
    """One user who left the source cluster.

    Args:
        target: the cluster that has the user now; empty if none has.
        behind: the clusters that still show the user on the source.
    """

    user: User
    target: str
    behind: tuple[str, ...]


class Moves:
    """What became of the users of a source cluster since an earlier snapshot."""

    def __init__(
        self, directory: Directory, source: UserListing, before: Snapshot
    ) -> None:
        self.directory = directory
        self.source = source
        self.before = source.at(before)
        old = self.before.own
        gone = positions_of(old.hashes, source.own.hashes) < 0
        self._hashes = old.hashes[gone]
        self._rows = old.rows[gone]

    def __len__(self) -> int:
        return len(self._hashes)

    @cached_property
    def _targets(self) -> npt.NDArray[np.int16]:
        return self.directory.homes_of(self._hashes)

    @cached_property
    def _behind(self) -> dict[str, npt.NDArray[np.bool_]]:
        """For each cluster, who of them it still shows as the source's."""
        behind = {}
        for number, listing in self.directory.listings.items():
            if number != self.source.number:
                copies = listing.of(self.source.number).hashes
                mask = positions_of(self._hashes, copies) >= 0
                if mask.any():
                    behind[listing.cluster.name] = mask
        return behind

    @property
    def arrived(self) -> dict[str, int]:
        """How many each cluster has received."""
        numbers = Counter(int(n) for n in self._targets if n != NOBODY)
        return {self.directory.name(n): count for n, count in numbers.most_common()}

    @property
    def lost(self) -> int:
        return int((self._targets == NOBODY).sum())

    @property
    def behind(self) -> dict[str, int]:
        return {name: int(mask.sum()) for name, mask in self._behind.items()}

    def all(self) -> list[Move]:
        """Everybody, those who did not arrive first."""
        moves = sorted(self._moves(), key=lambda move: move.user.userid.lower())
        return sorted(moves, key=lambda move: (bool(move.target), not move.behind))

    def _moves(self) -> Iterator[Move]:
        for place, user in enumerate(self.before.columns.users(self._rows)):
            behind = [name for name, mask in self._behind.items() if mask[place]]
            target = self.directory.name(int(self._targets[place]))
            yield Move(user, target, tuple(behind))


def move_procedure(users: int) -> list[str]:
    """How the vendor has so many users moved, in order."""
    if users < FEW:
        return [
            "Leave the Intercluster Sync Agent running on all nodes.",
            "Move the users.",
            "Allow up to 30 minutes until all clusters show the new home.",
        ]
    chunks = [
        f"Move at most {CHUNK:,} users at a time, and at most {ROUND:,} in one round.",
    ]
    return [
        "Stop the Intercluster Sync Agent, in this order: subscriber and publisher of "
        "the source, subscriber and publisher of the destination.",
        *(chunks if users > MANY else []),
        "Move the users.",
        "Start the Intercluster Sync Agent again on all of these nodes.",
        "Allow up to 30 minutes until all clusters show the new home.",
    ]
