"""What goes wrong on the vendor's own pages: errors of the wire's family.

A sentence names a page, a word or a label; never a value, a password or a body.
"""

from enum import StrEnum

from wire.errors import Explanation, WireError


class PageCode(StrEnum):
    """What went wrong on a page, as a word that never changes; see docs/pages.md."""

    SIGN_IN = "page_sign_in"
    LOCKED = "page_locked"
    SESSION_ENDED = "page_session_ended"
    SESSION_LIMIT = "page_session_limit"
    BANNER = "page_banner"
    SINGLE_SIGN_ON = "page_single_sign_on"
    DENIED = "page_denied"
    READ_ONLY = "page_read_only"
    TOKEN = "page_token"
    HOST = "page_host"
    MENU = "page_menu"
    LABEL = "page_label"
    AMBIGUOUS = "page_ambiguous"
    UNRECOGNISED = "page_unrecognised"
    OTHER_NODE = "page_other_node"
    QUESTION = "page_question"
    REQUIRED = "page_required"
    NOT_SAVED = "page_not_saved"
    REFUSED = "page_refused"
    DUPLICATE = "page_duplicate"
    INCOMPLETE = "page_incomplete"
    LANGUAGE = "page_language"
    LIST = "page_list"
    SCRIPT = "page_script"
    ACCOUNT = "page_account"
    BUSY = "page_busy"


_DESCRIBE = (
    "Run Describe pages on the cluster and send its file with the report; until then "
    "use guided provisioning."
)

EXPLANATIONS: dict[StrEnum, Explanation] = {
    PageCode.SIGN_IN: Explanation(
        "The pages of {node} do not accept the user name and password.",
        "Check the account for the pages of this cluster. It is tried once per visit.",
    ),
    PageCode.LOCKED: Explanation(
        "The account for the pages of {node} is locked.",
        "Unlock it in Edit Credential of the application user, then try again.",
    ),
    PageCode.SESSION_ENDED: Explanation(
        "{node} ended the session and showed its sign-in page.",
        "Try again. If it stays so, check whether another person uses the account.",
        True,
    ),
    PageCode.SESSION_LIMIT: Explanation(
        "The account has too many open sessions on {node}.",
        "Sign out of the other sessions or wait 30 minutes, and give the console an "
        "account of its own.",
        True,
    ),
    PageCode.BANNER: Explanation(
        "{node} shows a message before sign-in that the console cannot acknowledge.",
        _DESCRIBE,
    ),
    PageCode.SINGLE_SIGN_ON: Explanation(
        "{node} sends the sign-in to an identity provider (single sign-on).",
        "The console signs in only on the node itself. Enable the node's recovery URL "
        "(utils sso recovery-url enable), or use guided provisioning.",
    ),
    PageCode.DENIED: Explanation(
        "The account may not open this page of {node}.",
        "Give the account the role that the inter-clustering pages need.",
    ),
    PageCode.READ_ONLY: Explanation(
        "The account can read this page of {node} but not change it.",
        "Use an account with write access, or guided provisioning.",
    ),
    PageCode.TOKEN: Explanation(
        "{node} refused the action as a violation of its security protocols.",
        "Close other windows of this account, check the values, then try again.",
        True,
    ),
    PageCode.HOST: Explanation(
        "{node} refuses requests under the address that the console uses.",
        "Add that address to Trusted List of Hosts in HTTP Referer/Host Header, or "
        "enter the node's own name or IP address.",
    ),
    PageCode.MENU: Explanation(
        "The menu of {node} has no entry that the console recognises.",
        _DESCRIBE,
    ),
    PageCode.LABEL: Explanation(
        "A page of {node} lacks a field, button or column that the console needs.",
        _DESCRIBE,
    ),
    PageCode.AMBIGUOUS: Explanation(
        "A page of {node} has more than one field or link with the same name.",
        _DESCRIBE,
    ),
    PageCode.UNRECOGNISED: Explanation(
        "{node} shows a page that the console does not recognise.",
        _DESCRIBE,
    ),
    PageCode.OTHER_NODE: Explanation(
        "{node} answered with the page of another node or entry.",
        "Check the address of the publisher; peers are configured only there.",
    ),
    PageCode.QUESTION: Explanation(
        "{node} asks a question that the console does not answer.",
        "Open the page in a browser and read the question.",
    ),
    PageCode.REQUIRED: Explanation(
        "{node} requires a value that the console does not have.",
        "Enter it on the cluster's own page, or use guided provisioning.",
    ),
    PageCode.NOT_SAVED: Explanation(
        "{node} did not store what was saved.",
        "Open the page in a browser and save the entry there to see the reason.",
    ),
    PageCode.REFUSED: Explanation(
        "{node} refused the change.",
        "Correct the value, then try again.",
    ),
    PageCode.DUPLICATE: Explanation(
        "{node} has an entry for this peer already.",
        "Check the cluster's list of peers: one entry per remote cluster.",
    ),
    PageCode.INCOMPLETE: Explanation(
        "A page of {node} was cut off.",
        "Try again; if it is cut off again, check the node's Tomcat.",
        True,
    ),
    PageCode.LANGUAGE: Explanation(
        "The pages of {node} are not in English.",
        "Set the language of the account to English, or use guided provisioning.",
    ),
    PageCode.LIST: Explanation(
        "The list of peers on {node} could not be read completely.",
        _DESCRIBE,
    ),
    PageCode.SCRIPT: Explanation(
        "A page of {node} needs a script, which the console cannot run here.",
        "Install Chromium and requirements-pages.txt on the workers, or use guided "
        "provisioning for this cluster.",
    ),
    PageCode.ACCOUNT: Explanation(
        "No account for the pages of {node} is set.",
        "Enter user name and password for the pages on the cluster's page.",
    ),
    PageCode.BUSY: Explanation(
        "Another visit of the console uses the account on {node}.",
        "Try again in a minute.",
        True,
    ),
}


class PagesError(WireError):
    """A visit to the vendor's pages failed; `outcome_unknown` as in WireError."""

    explanations = EXPLANATIONS
    quoting = frozenset(
        {
            PageCode.LABEL,
            PageCode.AMBIGUOUS,
            PageCode.QUESTION,
            PageCode.REQUIRED,
            PageCode.REFUSED,
        }
    )
