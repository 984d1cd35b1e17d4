"""What the numbers of associated users have told of a peer so far.

Users of another cluster come by nothing but a working entry. Numbers that become equal,
change on the remote cluster and become equal again are the strongest proof; numbers
that stood equal once and no longer follow are the first sign of a loss.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

TIMES = ("equal_at", "followed_at", "differ_since")


@dataclass(frozen=True)
class UserTrail:
    """When both numbers were equal, and whether one followed the other.

    Args:
        users: how many there were when the numbers were last equal.
        equal_at: when that was last seen.
        followed_at: when the numbers were last seen equal after a change.
        differ_since: since when they have not been equal; None while they are.
    """

    users: int | None = None
    equal_at: datetime | None = None
    followed_at: datetime | None = None
    differ_since: datetime | None = None

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "UserTrail":
        times = {
            name: datetime.fromisoformat(data[name]) for name in TIMES if data.get(name)
        }
        return cls(data.get("users"), **times)

    def to_dict(self) -> dict[str, Any]:
        times = {name: getattr(self, name) for name in TIMES}
        return {"users": self.users} | {
            name: time.isoformat() for name, time in times.items() if time
        }

    def after(self, here: int | None, there: int | None, at: datetime) -> "UserTrail":
        """Go on with what a check counted; what it could not count tells nothing."""
        if here is None or there is None:
            return self
        if here != there:
            return replace(self, differ_since=self.differ_since or at)
        followed = at if self.users not in (None, here) else self.followed_at
        return UserTrail(here, at, followed)
