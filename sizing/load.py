"""The load between clusters: a model of this console, no figure of the vendor.

Presence: every contact that is homed on another cluster is a subscription there, and
every change of its state is one notification back. All inputs can be changed.
"""

from dataclasses import dataclass
from math import ceil

SOURCE = "Model of this console"
ASSUMPTION = "Assumption of this console"


@dataclass(frozen=True)
class Input:
    """One input of the model: what it is, its unit and where its default comes from."""

    name: str
    label: str
    unit: str
    symbol: str
    default: float
    most: float
    basis: str = ASSUMPTION
    least: float = 0


INPUTS = (
    Input(
        "contacts_per_user",
        "Contacts per user",
        "contacts",
        "c",
        100,
        10_000,
        "Average for which the capacity of 7.x is published",
    ),
    Input("watchers_per_user", "Watchers per user", "watchers", "w", 100, 10_000),
    Input(
        "state_changes_per_user_per_hour",
        "Presence changes per user",
        "per hour",
        "r",
        6,
        3_600,
    ),
    Input(
        "messages_per_user_per_hour",
        "Instant messages per user",
        "per hour",
        "m",
        5,
        10_000,
    ),
    Input(
        "remote_contact_share",
        "Share of contacts on other clusters",
        "0 to 1",
        "p",
        0.2,
        1,
    ),
    Input(
        "clients_per_user", "Signed-in clients per user", "clients", "d", 1, 20, least=0
    ),
    Input("notification_bytes", "Size of a notification", "bytes", "S", 1_500, 100_000),
    Input(
        "subscription_bytes",
        "Size of a subscription and its answer",
        "bytes",
        "Q",
        1_000,
        100_000,
    ),
    Input(
        "refresh_hours",
        "Refresh of a SIP subscription",
        "hours",
        "R",
        2,
        168,
        "Monitoring IM and Presence 9.0(1): every 2 hours",
        least=0.1,
    ),
    Input(
        "packets_per_message",
        "Packets per instant message",
        "packets",
        "k",
        3,
        100,
        "Example in Monitoring IM and Presence 9.0(1)",
    ),
    Input("packet_bytes", "Size of a message packet", "bytes", "I", 600, 100_000),
    Input(
        "restart_seconds",
        "Time to renew all subscriptions after a restart",
        "seconds",
        "T",
        900,
        86_400,
        least=1,
    ),
)
DEFAULTS = {one.name: one.default for one in INPUTS}

FORMULAS = (
    ("Subscriptions that B holds on A", "U_B · c · p"),
    ("Presence from A to B", "subscriptions · r / 3600 · S · 8 bit/s"),
    ("Refresh (7.x, SIP)", "subscriptions / (R · 3600) · Q · 8 bit/s"),
    ("Messages from A to B", "U_A · m · p · k · I · 8 / 3600 bit/s"),
    ("After a restart", "subscriptions · (Q + S) · 8 / T bit/s"),
    (
        "p between two of several clusters",
        "p · users of the other cluster / users of all other clusters",
    ),
)


@dataclass(frozen=True)
class LoadProfile:
    """The presence user profile, and the other inputs of the model."""

    contacts_per_user: float
    watchers_per_user: float
    state_changes_per_user_per_hour: float
    messages_per_user_per_hour: float
    remote_contact_share: float
    clients_per_user: float
    notification_bytes: float
    subscription_bytes: float
    refresh_hours: float
    packets_per_message: float
    packet_bytes: float
    restart_seconds: float


ASSUMED = LoadProfile(**DEFAULTS)


@dataclass(frozen=True)
class Load:
    """What one cluster sends to another, in bit/s but for the first two."""

    subscriptions: float
    notifications_per_second: float
    presence: float
    refresh: float
    messages: float
    after_restart: float

    @property
    def total(self) -> float:
        """The steady load."""
        return self.presence + self.refresh + self.messages

    @property
    def kbit_per_second(self) -> float:
        return round(self.total / 1000, 1)


def load_between(
    profile: LoadProfile,
    sender: int,
    receiver: int,
    *,
    sip: bool = False,
    watched: float | None = None,
    contacted: float | None = None,
) -> Load:
    """The load from the sender's cluster to the receiver's.

    Args:
        sender: users of the sender's cluster; `receiver` likewise.
        sip: whether the clusters exchange presence by SIP, which renews subscriptions.
        watched: the share of the receivers' contacts that is homed at the sender's.
        contacted: the share of the senders' contacts that is homed at the receiver's.
    """
    one, share = profile, profile.remote_contact_share
    watched = share if watched is None else watched
    contacted = share if contacted is None else contacted
    held = receiver * one.contacts_per_user * watched
    notifications = held * one.state_changes_per_user_per_hour / 3600
    renewed = held / (one.refresh_hours * 3600) if sip else 0.0
    packets = sender * one.messages_per_user_per_hour * contacted
    packets *= one.packets_per_message
    both = one.subscription_bytes + one.notification_bytes
    return Load(
        held,
        notifications,
        presence=notifications * one.notification_bytes * 8,
        refresh=renewed * one.subscription_bytes * 8,
        messages=packets * one.packet_bytes * 8 / 3600,
        after_restart=held * both * 8 / one.restart_seconds,
    )


def share_of(profile: LoadProfile, other: int, all_others: int) -> float:
    """The share of contacts homed on one of the other clusters, by its users."""
    return profile.remote_contact_share * other / all_others if all_others else 0.0


# --- Synchronization of users -------------------------------------------------------
PAGE_BYTES = 8 * 1024 * 1024
# A row of seven columns, as measured on simulated clusters.
ROW_BYTES = 239


@dataclass(frozen=True)
class Synchronization:
    """One transfer of a cluster's users to another through AXL."""

    pages: int
    bytes: int
    seconds: float


def sync_time(
    users: int,
    bits_per_second: float,
    *,
    row_bytes: int = ROW_BYTES,
    round_trip: float = 0.08,
    per_user: float = 0.0,
) -> Synchronization:
    """How long a full transfer takes; the time of the server itself is not known.

    Args:
        round_trip: seconds for each page of rows.
        per_user: seconds that the server needs for a user; 0 until it is measured.
    """
    pages = ceil(users / (PAGE_BYTES // row_bytes))
    size = users * row_bytes
    seconds = size * 8 / bits_per_second + pages * round_trip + users * per_user
    return Synchronization(pages, size, seconds)
