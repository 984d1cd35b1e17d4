"""The words on the pages: short labels by language, and what releases call things."""

from lab.releases import LabRelease

LANGUAGES = ("en", "de")
# Where the facts give a label it is used; the rest is our own.
LABELS: dict[str, tuple[str, str]] = {
    "username": ("User Name", "Benutzername"),
    "password": ("Password", "Kennwort"),
    "sign_in": ("Login", "Anmelden"),
    "reset": ("Reset", "Zurücksetzen"),
    "sign_out": ("Logout", "Abmelden"),
    "sign_in_status": ("Logon Status", "Anmeldestatus"),
    "accept": ("OK", "OK"),
    "cancel": ("Cancel", "Abbrechen"),
    "system": ("System", "System"),
    "presence": ("Presence", "Präsenz"),
    "messaging": ("Messaging", "Nachrichten"),
    "diagnostics": ("Diagnostics", "Diagnose"),
    "help": ("Help", "Hilfe"),
    "home": ("Home", "Startseite"),
    "list": ("Inter-Clustering", "Clusterverbund"),
    "settings": ("Settings", "Einstellungen"),
    "dashboard": ("System Dashboard", "Systemübersicht"),
    "troubleshooter": ("System Troubleshooter", "Systemprüfung"),
    "notifications": ("Notifications", "Meldungen"),
    "list_title": ("Find and List Inter-Cluster Peers", "Clusterpartner suchen"),
    "peer_title": ("Intercluster Peer Configuration", "Clusterpartner bearbeiten"),
    "status_title": ("Intercluster Peer Status", "Status des Clusterpartners"),
    "troubleshooter_title": (
        "System Configuration Troubleshooter",
        "Prüfung der Systemkonfiguration",
    ),
    "notifications_title": ("Active Notifications", "Aktive Meldungen"),
    "confirm_title": ("Confirm Delete", "Löschen bestätigen"),
    "sync_title": ("Force Manual Sync", "Abgleich erzwingen"),
    "notice_title": ("Publisher Node Required", "Publisher erforderlich"),
    "address": ("Peer Address", "Partneradresse"),
    "peer_username": ("Username", "Benutzername"),
    "peer_password": ("Password", "Kennwort"),
    "confirm": ("Confirm Password", "Kennwort bestätigen"),
    "protocol": ("Preferred Protocol", "Bevorzugtes Protokoll"),
    "mask": ("External Phone Number Mask", "Maske für externe Rufnummern"),
    "extra": ("Peer Site Code", "Standortkennung"),
    "tomcat": (
        "Also resync peer's Tomcat certificates",
        "Tomcat-Zertifikate des Partners ebenfalls abgleichen",
    ),
    "find": ("Find", "Suchen"),
    "where": ("Find Inter-Cluster Peers where", "Clusterpartner suchen, deren"),
    "add": ("Add New", "Hinzufügen"),
    "save": ("Save", "Speichern"),
    "delete": ("Delete", "Löschen"),
    "delete_selected": ("Delete Selected", "Auswahl löschen"),
    "sync": ("Force Manual Sync", "Abgleich erzwingen"),
    "begins": ("begins with", "beginnt mit"),
    "contains": ("contains", "enthält"),
    "is": ("is exactly", "ist genau"),
    "ends": ("ends with", "endet mit"),
    "empty": ("is empty", "ist leer"),
    "not_empty": ("is not empty", "ist nicht leer"),
    "rows": ("Rows per Page", "Zeilen je Seite"),
    "next": ("Next", "Weiter"),
    "previous": ("Previous", "Zurück"),
    "state": ("Status", "Status"),
    "users": ("Associated Users", "Zugeordnete Benutzer"),
    "connectivity": ("Peer Connectivity", "Erreichbarkeit"),
    "sync_status": ("Sync Status", "Abgleich"),
    "certificate": ("Certificate Status", "Zertifikatsstatus"),
    "certificate_of": ("Certificate of", "Zertifikat von"),
    "synchronised": ("Last Synchronized Time", "Letzter Abgleich"),
    "groups": (
        "Enterprise Groups LDAP Configuration",
        "LDAP-Konfiguration der Unternehmensgruppen",
    ),
    "key": ("Key", "Legende"),
    "results": ("Results", "Ergebnisse"),
    "passed": ("Test Passed", "Prüfung bestanden"),
    "failed": ("Test Failed", "Prüfung fehlgeschlagen"),
    "warning": (
        "Test Warning (indicates possible configuration issue)",
        "Warnung (Konfiguration prüfen)",
    ),
    "information": ("Information Only", "Nur zur Information"),
    "description": ("Test Description", "Beschreibung"),
    "outcome": ("Outcome", "Ergebnis"),
    "problem": ("Problem", "Problem"),
    "solution": ("Solution", "Lösung"),
    "fix": ("fix", "beheben"),
    "severity": ("Severity", "Schweregrad"),
    "message": ("Message", "Meldung"),
    "ready": ("Ready", "Bereit"),
    "added": ("Add successful", "Hinzugefügt"),
    "updated": ("Update successful", "Aktualisiert"),
    "deleted": ("Delete successful", "Gelöscht"),
    "started": ("Sync started", "Abgleich gestartet"),
    "found": ("records found", "Datensätze gefunden"),
    "no_query": ("No active query. Choose Find.", "Keine Suche. Suchen wählen."),
    "required": ("is required", "ist erforderlich"),
    "required_note": ("indicates required item", "Pflichtfeld"),
    "mismatch": ("The passwords do not match", "Die Kennwörter sind verschieden"),
    "duplicate": (
        "A peer with this address already exists",
        "Diese Partneradresse ist bereits vorhanden",
    ),
    "sure": ("Delete the selected peers?", "Ausgewählte Partner löschen?"),
}
RENAMED = {"address": "Remote Node", "list": "Cluster Links", "save": "Apply"}


class Words:
    """Looks labels up: `words("save")`."""

    def __init__(self, language: str = "en", renamed: tuple[str, ...] = ()) -> None:
        self.place = LANGUAGES.index(language) if language in LANGUAGES else 0
        self.renamed = renamed

    @property
    def language(self) -> str:
        return LANGUAGES[self.place]

    def __call__(self, key: str) -> str:
        if key in self.renamed:
            return RENAMED[key]
        return LABELS[key][self.place]


def product_name(release: LabRelease) -> str:
    """Return what the pages of a release call the product."""
    if release.generation == "imp":
        return "Cisco Unified CM IM and Presence Administration"
    return "Cisco Unified Presence Administration"
