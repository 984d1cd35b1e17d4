"""Where a cluster keeps its peers: under names and in a form that vary by cluster.

In reality both are unknown. The lab itself reads and writes entries through a view
that the clusters' interfaces do not show, whatever the form of the table.
"""

from dataclasses import dataclass, field
from typing import Any

UUID = (
    "(lower(hex(randomblob(4))) || '-' || lower(hex(randomblob(2))) || '-4' || "
    "substr(lower(hex(randomblob(2))), 2) || '-a' || "
    "substr(lower(hex(randomblob(2))), 2) || '-' || lower(hex(randomblob(6))))"
)
PKID = f"char(36) PRIMARY KEY DEFAULT {UUID}"
PEER_FIELDS = (
    "address",
    "username",
    "password",
    "protocol",
    "external_phone_number_mask",
)
MASK = PEER_FIELDS[-1]
# How a table keeps them: as it is published nowhere (the default), under other names,
# with the user in another table, the address in two columns, or out of reach of SQL.
FORMS = ("published", "renamed", "key", "split", "empty")
CREDENTIALS = "remotecredential"
OUT_OF_REACH = "lab_peer"
TABLES = ("icpeer", "remotesystem", "axltarget", "tkz_41", "crossclusterlink")
COLUMNS = {
    "address": ("peerhost", "remoteserver", "fqdn", "hostname", "peer_ip"),
    "username": ("axluser", "loginname", "peer_user"),
    "password": ("axlpassword", "secret", "encrypted_pass"),
    "protocol": ("tkprotocol", "siptransport", "proto", "preferredprotocol"),
}
MASKS = ("e164mask", "", "phonemask")
CODES = (
    {"TCP": "4", "UDP": "5", "TLS": "6"},
    {"TCP": "tcp", "UDP": "udp", "TLS": "tls"},
    {"TCP": "0", "UDP": "7", "TLS": "9"},
)


@dataclass(frozen=True)
class LabPeerTable:
    """Table, columns and codes of one cluster's peers; `form` is one of FORMS."""

    table: str = "cupsinterclusterpeers"
    columns: dict[str, str] = field(
        default_factory=lambda: dict(
            zip(
                PEER_FIELDS,
                ("peeraddress", "username", "password", "preferredprotocol")
                + ("phonemask",),
                strict=True,
            )
        )
    )
    protocol_values: dict[str, str] = field(
        default_factory=lambda: {"TCP": "1", "UDP": "2", "TLS": "3"}
    )
    form: str = "published"

    def as_dict(self) -> dict[str, Any]:
        return {
            "table": self.table,
            "columns": dict(self.columns),
            "protocol_values": dict(self.protocol_values),
        }

    @property
    def described(self) -> dict[str, Any] | None:
        """Return what lab.json says: nothing of a table that clients must find."""
        return self.as_dict() if self.form == "published" else None

    def tables(self) -> dict[str, dict[str, str]]:
        """Return the tables that the catalogue lists."""
        found = {self.table: self.definition()}
        if self.form == "key":
            found[CREDENTIALS] = {
                "pkid": PKID,
                "loginname": "varchar(128)",
                "secret": "varchar(128)",
            }
        return found

    def definition(self) -> dict[str, str]:
        numbers = all(value.isdigit() for value in self.protocol_values.values())
        renamed = self.form != "published"
        kinds = {
            "address": "varchar(255) NOT NULL" + (" UNIQUE" * (not self.split)),
            "username": "char(36)" if self.form == "key" else "varchar(128)",
            "password": "lvarchar(512)" if renamed else "varchar(128)",
            "protocol": ("smallint" if renamed and numbers else "varchar(10)")
            + " NOT NULL",
            MASK: "varchar(50)",
        }
        columns = {column: kinds[name] for name, column in self.columns.items()}
        if self.split:
            columns["domainname"] = "varchar(255) DEFAULT ''"
        return {
            "pkid": PKID,
            **columns,
            "description": "varchar(255) DEFAULT 'left alone'",
        }

    @property
    def split(self) -> bool:
        return self.form == "split"

    def view(self) -> str:
        """Return the SQL of the view lab_entry, through which entries are written."""
        table = OUT_OF_REACH if self.form == "empty" else self.table
        named = {name: f"p.{column}" for name, column in self.columns.items()}
        named.setdefault(MASK, "''")
        joined = ""
        insert = self._plain_insert(table)
        if self.form == "key":
            joined = (
                f"LEFT JOIN {CREDENTIALS} c ON c.pkid = p.{self.columns['username']}"
            )
            named |= {"username": "c.loginname", "password": "c.secret"}
            insert = self._insert_by_key()
        elif self.split:
            host = named["address"]
            named["address"] = (
                f"{host} || iif(p.domainname = '', '', '.' || p.domainname)"
            )
            insert = self._split_insert()
        fields = ", ".join(f"{named[name]} AS {name}" for name in PEER_FIELDS)
        return f"""
        {self._hidden_table() if self.form == "empty" else ""}
        CREATE VIEW IF NOT EXISTS lab_entry AS
            SELECT p.pkid, {fields} FROM {table} p {joined};
        CREATE TRIGGER IF NOT EXISTS lab_entry_new INSTEAD OF INSERT ON lab_entry
            BEGIN {insert} END;
        CREATE TRIGGER IF NOT EXISTS lab_entry_changed INSTEAD OF UPDATE ON lab_entry
            BEGIN {self._update(table)} END;
        CREATE TRIGGER IF NOT EXISTS lab_entry_gone INSTEAD OF DELETE ON lab_entry
            BEGIN DELETE FROM {table} WHERE pkid = OLD.pkid; END;
        """  # noqa: S608

    def _hidden_table(self) -> str:
        columns = ", ".join(f"{n} {kind}" for n, kind in self.definition().items())
        return f"CREATE TABLE IF NOT EXISTS {OUT_OF_REACH} ({columns});"

    def _update(self, table: str) -> str:
        elsewhere = ("username", "password") if self.form == "key" else ()
        values = {name: f"NEW.{name}" for name in self.columns if name not in elsewhere}
        if self.split:
            values["address"], domain = _halves()
        changes = [f"{self.columns[name]} = {value}" for name, value in values.items()]
        changes += [f"domainname = {domain}"] if self.split else []
        update = f"UPDATE {table} SET {', '.join(changes)} WHERE pkid = OLD.pkid;"  # noqa: S608
        if not elsewhere:
            return update
        key = f"SELECT {self.columns['username']} FROM {table} WHERE pkid = OLD.pkid"  # noqa: S608
        update += f"UPDATE {CREDENTIALS} SET loginname = NEW.username, "  # noqa: S608
        return update + f"secret = NEW.password WHERE pkid = ({key});"

    def _plain_insert(self, table: str, **values: str) -> str:
        new = {name: values.get(name, f"NEW.{name}") for name in self.columns}
        return (
            f"INSERT INTO {table} ({', '.join(self.columns.values())}) "  # noqa: S608
            f"VALUES ({', '.join(new.values())});"
        )

    def _insert_by_key(self) -> str:
        key = f"(SELECT pkid FROM {CREDENTIALS} WHERE rowid = last_insert_rowid())"  # noqa: S608
        return (
            f"INSERT INTO {CREDENTIALS} (loginname, secret) "  # noqa: S608
            "VALUES (NEW.username, NEW.password);"
            + self._plain_insert(self.table, username=key, password="NULL")  # noqa: S106
        )

    def _split_insert(self) -> str:
        host, domain = _halves()
        update = f"UPDATE {self.table} SET domainname = {domain} "  # noqa: S608
        update += "WHERE rowid = last_insert_rowid();"
        return self._plain_insert(self.table, address=host) + update


def _halves() -> tuple[str, str]:
    """Return the SQL of the host and of the domain in a new address."""
    at = "instr(NEW.address, '.')"
    # An IP address has no domain.
    named = f"NEW.address GLOB '*[a-zA-Z]*' AND {at}"
    return (
        f"iif({named}, substr(NEW.address, 1, {at} - 1), NEW.address)",
        f"iif({named}, substr(NEW.address, {at} + 1), '')",
    )


def peer_table(form: str, number: int) -> LabPeerTable:
    """Return the table of the cluster of a number in a form; each has other names.

    Raises:
        ValueError: there is no such form.
    """
    if form not in FORMS:
        raise ValueError(
            f"{form} is no form of a peer table; known: {', '.join(FORMS)}"
        )
    if form == "published":
        return LabPeerTable()
    columns = {name: names[number % len(names)] for name, names in COLUMNS.items()}
    if mask := MASKS[number % len(MASKS)]:
        columns[MASK] = mask
    return LabPeerTable(
        TABLES[number % len(TABLES)], columns, dict(CODES[number % len(CODES)]), form
    )
