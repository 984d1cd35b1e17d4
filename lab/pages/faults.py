"""Faults of the pages, each looked up by the part of the site that it concerns."""

from lab.faults import register_consulted

register_consulted("page_sign_in", "banner", "a banner before sign-in that wants an OK")
register_consulted(
    "page_sign_in", "banner-after", "a banner after sign-in that wants an OK"
)
register_consulted("page_sign_in", "refused", "no user name and password is right")
register_consulted(
    "page_sign_in", "locked", "the account is locked, right password or not"
)
register_consulted(
    "page_sign_in", "session-limit", "a user has no session left of the parameter (0)"
)
register_consulted(
    "page_sign_in", "sso", "pages lead to an identity provider elsewhere"
)
register_consulted(
    "page_sign_in", "sso-recovery", "the same, with a recovery link at the root"
)
register_consulted("page_sign_in", "no-right", "the account may open no page")
register_consulted("page_sign_in", "read-only", "the account may change nothing")
register_consulted("page_sign_in", "host-check", "no Host header is trusted")
register_consulted(
    "page_session", "ended", "the session ends after the parameter (4) in pages"
)
register_consulted(
    "page_session", "ended-before-save", "a save finds the session ended"
)
register_consulted("page_session", "ended-after-save", "saved, then the sign-in page")
register_consulted("page_token", "refused", "forms are refused as forged")
register_consulted("page_token", "denied", "forms are refused as access denied")
register_consulted("page_menu", "missing", "the menu has no Inter-Clustering")
register_consulted(
    "page_menu", "renamed", "Inter-Clustering has another name in the menu"
)
register_consulted(
    "page_menu", "no-troubleshooter", "the menu has no System Troubleshooter"
)
register_consulted("page_node", "other", "the node says that it is no publisher")
register_consulted("page_node", "redirect", "pages lead to the cluster's last node")
register_consulted("page_language", "de", "the pages are in German")
register_consulted("page_peer", "label", "Peer Address has another label")
register_consulted("page_peer", "extra-field", "a further field that is required")
register_consulted("page_peer", "alert", "Save shows an alert first")
register_consulted("page_peer", "alert-twice", "Save shows two alerts first")
register_consulted(
    "page_peer", "confirm", "the peer page asks a question before it is sent"
)
register_consulted(
    "page_peer", "alert-change", "a change of the protocol shows an alert"
)
register_consulted(
    "page_peer", "ignored", "a save says that it succeeded and stores nothing"
)
register_consulted(
    "page_peer", "error", "a save stores nothing and shows an error text"
)
register_consulted("page_peer", "lost", "a save stores, and its answer never comes")
register_consulted(
    "page_peer", "unclear", "a save stores, and the page says nothing of it"
)
register_consulted("page_peer", "no-save", "the peer page has no Save")
register_consulted("page_peer", "save-renamed", "Save has another name")
register_consulted(
    "page_list", "size", "the parameter (5) in rows on a page of the list"
)
register_consulted(
    "page_list", "query", "an earlier search, which finds nothing, is still active"
)
register_consulted("page_list", "no-users", "the list has no column Associated Users")
register_consulted("page_status", "none", "the peer page has no status panel")
register_consulted("page_status", "unknown-icon", "the check marks are icons in no key")
register_consulted(
    "page_status", "late", "the status is not known yet, as late*2 for two views"
)
register_consulted(
    "page_troubleshooter", "no-section", "the section on peers is missing"
)
register_consulted("page_troubleshooter", "no-key", "the page has no key of its icons")
register_consulted(
    "page_troubleshooter", "unknown-icon", "outcomes are icons in no key"
)
register_consulted(
    "page_troubleshooter", "slow", "the page takes the parameter (90) in seconds"
)
