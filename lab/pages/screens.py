"""What a page shows, without a word on how: the skins put it into markup."""

from dataclasses import dataclass, field

OUTCOMES = ("passed", "failed", "warning", "information")
UNKNOWN = "unknown"
BULLETS = "•" * 40


@dataclass(frozen=True)
class ScreenField:
    """One control of a form; `name` is a key of the skins' names of fields."""

    name: str
    label: str
    kind: str = "text"
    value: str = ""
    options: tuple[tuple[str, str], ...] = ()
    required: bool = False


@dataclass(frozen=True)
class Action:
    """One button; `name` is what the site carries out."""

    name: str
    label: str
    enabled: bool = True


@dataclass(frozen=True)
class PanelEntry:
    """One row of a status panel: a label, a text and perhaps an icon."""

    label: str
    text: str
    outcome: str = ""


@dataclass(frozen=True)
class ScreenRow:
    """One row of a list: the key of its record and its cells by column."""

    key: str
    cells: dict[str, str]
    outcome: str = ""


@dataclass(frozen=True)
class Listing:
    """One page of a list; `total` counts the rows of all pages."""

    columns: tuple[tuple[str, str], ...]
    rows: tuple[ScreenRow, ...] = ()
    first: int = 0
    total: int = 0
    size: int = 50
    searched: bool = True

    @property
    def last(self) -> int:
        return self.first + len(self.rows)

    @property
    def page(self) -> int:
        return self.first // self.size + 1

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // self.size))


@dataclass(frozen=True)
class PanelTest:
    """One row of the troubleshooter; `fix` is the page that its link opens."""

    description: str
    outcome: str
    problem: str = ""
    solution: str = ""
    fix: str = ""


@dataclass(frozen=True)
class PanelSection:
    title: str
    tests: tuple[PanelTest, ...]


@dataclass
class Screen:
    """Everything that one page shows.

    `kind` is sign_in, banner, home, list, peer, confirm, sync, troubleshooter,
    notifications or notice; `key` names the record that a form is about.
    """

    kind: str
    title: str
    status: str = ""
    is_error: bool = False
    key: str = ""
    keys: tuple[str, ...] = ()
    fields: list[ScreenField] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)
    entries: list[PanelEntry] = field(default_factory=list)
    listing: Listing | None = None
    sections: list[PanelSection] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    link: str = ""
    has_key: bool = True
    alert: str = ""
    alert_on: str = ""
    # What a native dialog asks before the form is sent.
    asks: str = ""
    refresh: int = 0


@dataclass(frozen=True)
class Frame:
    """What stands around every page of a session: who, menu, token, count."""

    product: str
    host: str
    user: str = ""
    token: str = ""
    notices: int = 0
    is_read_only: bool = False
    menu: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()
