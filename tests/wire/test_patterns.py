"""No text of a cluster takes more than linear time to look at.

All patterns that see such text are tried with 64 kB of whatever makes patterns go
back: a start, a piece repeated, an end. A process of its own has two seconds of
processor time for each text (a linear pattern needs some milliseconds, a quadratic one
more than that), so that a busy machine makes no difference; it is killed by the system,
since a pattern that has run away hears no signal.
"""

import ast
import itertools
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError

from directory import addresses
from mesh import node_names
from pages import describe, labels, scripts
from peers import mask
from presence import sip_digest, sip_message
from wire import (
    catalogue,
    certificates,
    errors,
    platforms,
    session,
    sip,
    soap_faults,
    sql,
    table_shape,
)
from wire.errors import WireError
from wire.host import parse_host
from wire.row_parser import RowReader
from wire.scrubbing import Scrubber
from wire.versions import supported_versions
from wire.xml import count_of, parse_message, whole_number

SIZE = 64 * 1024
SECONDS = 2.0
ROOT = Path(__file__).parents[2]
ENVELOPE = "<e:Envelope xmlns:e='x'><e:Body><r>{}</r></e:Body></e:Envelope>{}"
ROW = "<e:Envelope xmlns:e='x'><e:Body><xResponse><return><row><a>1</a></row>{}"

READERS: dict[str, Callable[[str], object]] = {
    "message": lambda text: parse_message(ENVELOPE.format(text, "").encode(), "x"),
    "end of a message": lambda text: parse_message(
        ENVELOPE.format("", text).encode(), "x"
    ),
    "start of a message": lambda text: parse_message(text.encode(), "x"),
    "encoding": lambda text: Scrubber().scrub(b"<?xml encoding" + text.encode(), True),
    "rows": lambda text: RowReader("x").feed(ROW.format(text).encode()),
    "version page": supported_versions,
    "fault": lambda text: soap_faults.fault_error(
        soap_faults.SoapFault("x", text), "x"
    ),
    "location": soap_faults._PROVIDER.search,
    "error": lambda text: WireError(errors.Code.FAULT, text, detail=text),
    "cookie": session._COOKIE.match,
    "date": parsedate_to_datetime,
    "sip answer": lambda text: sip.read_answer(text, "x"),
    "sip head": lambda text: sip._take_answer(text.encode() + b"\r\n\r\n", "x", "x"),
    "host": parse_host,
    "host label": lambda text: parse_host.__wrapped__(text[:250]),
    "release": platforms.release_of,
    "number": whole_number,
    "count": lambda text: count_of(text, "x"),
    "digits": catalogue._NUMBER.fullmatch,
    "identifier": sql.is_identifier,
    "literal": sql.sql_literal,
    "like": sql.like_pattern,
    "uri": addresses.valid_uri,
    "host of a uri": addresses._valid_host.__wrapped__,
    "directory number": addresses.digits_in,
    "sip uri": addresses.sip_uri,
    "user": addresses._USER.fullmatch,
    "mask": mask._SHAPE.fullmatch,
    "mask of an entry": mask.validate_mask,
    "number of a user": mask.validate_number,
    "table": catalogue._usable,
    "likely table": partial(table_shape.is_named, kind="likely"),
    "copied table": partial(table_shape.is_named, kind="copies"),
    "column": table_shape.role_of,
    "role in a name": node_names.role_of,
    "publisher by name": node_names.is_publisher,
    "certificate": certificates._PEM.findall,
    "address of sip": sip_message.uri_of,
    "addresses of sip": sip_message._split_commas,
    "challenge of sip": lambda text: sip_digest.read_challenge(f"Digest {text}"),
    "handler of a page": lambda text: scripts.calls_missing([text], text),
    "effect of a page": lambda text: scripts.effect_of(text, text),
    "guard of a page": scripts._GUARD.findall,
    "call of a page": scripts._INNER.findall,
    "label of a page": labels._compared_label,
    "star of a page": labels._STARRED.search,
    "private text of a page": describe._PRIVATE.search,
}

PIECES = (
    *("<", ">", "&", "&#1", "]", "<!---->", "<!--", "<?x?>", "<a>", "<a/>", "</a>"),
    *("<row><a>1</a></row>", "<row>", "<row><b>1</b></row><row><b>1</b></row>", "-"),
    *(" ", "\n", "\t", "a", "a.", "a-", "0", "1.", "1,", "x", ";", "=", "l:1 ", "i:\n"),
    *("suggest", "suggest row fetch: ", "total rows matched:", "operation ", "end "),
    *(
        "epr ",
        "not ",
        "available",
        "supported versions ",
        "versions are 1",
        "JSESSIONID",
    ),
    *("saml", "/sso", "sip:", "+", "(", "X", "%", "\u00e9", "a@", "\ufffe", "1 "),
)
STARTED = (
    *(("-----BEGIN CERTIFICATE-----", "a"), ("<", " "), ("f(", " "), ("f()", " ")),
    *(("(a)", "*"), ("*", " "), ("Digest a", " "), (",", ","), ("x == '", "a")),
    *(("<?xml encoding", " "), ("encoding=", "a"), ("</e:Envelope>", "<!---->")),
    *(("suggest", "a"), ("suggestive row", " "), ("operation", " "), ("end", " ")),
    *(("epr", " not"), ("supported versions", " "), ("supported versions are 1", "a")),
    *(("Supported versions are ", "1 "), ("saml", "request"), ("sip:", "a")),
    *(
        ("JSESSIONID=a", " "),
        ("JSESSIONID", "a"),
        ("l:1", " "),
        ("i:", "a "),
        ("+", "1"),
    ),
)
# Patterns that are not tried: what they see instead of a cluster's text, or why not.
OTHERS = {
    "accounts/": "tokens, keys and names of the console",
    "cupadmin/": "settings",
    "rest/": "headers of a request, which the web server limits",
    "mesh/reconcile.py": "names of clusters in the console",
    "notifications/bodies.py": "single characters only",
    "notifications/syslog.py": "single characters only",
    "peers/imports/": "files of an administrator, whose size is limited",
    "wire/node.py": "a fingerprint in the console",
}
SEEN = {
    "directory/addresses.py", "mesh/node_names.py", "peers/mask.py",
    "wire/catalogue.py", "wire/certificates.py", "wire/errors.py",
    "wire/soap_faults.py", "wire/host.py", "wire/platforms/__init__.py",
    "wire/row_parser.py", "wire/scrubbing.py", "wire/session.py", "wire/sip.py",
    "wire/sql.py", "wire/table_shape.py", "wire/versions.py", "wire/xml.py",
}  # fmt: skip


def texts() -> Iterator[str]:
    for start, piece in (*STARTED, *itertools.product(("", "a"), PIECES)):
        whole = (start + piece * (SIZE // len(piece)))[:SIZE]
        yield whole
        yield whole + "!"
        yield whole + "<!--"


def main() -> None:
    signal.signal(signal.SIGVTALRM, signal.SIG_DFL)
    for text, name in itertools.product(texts(), READERS):
        print(f"{name}: {text[:40]!r} ... {text[-5:]!r}", flush=True)
        signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
        with suppress(ValueError, TypeError, IndexError, ValidationError, WireError):
            READERS[name](text)
    signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    print("done", flush=True)


@pytest.mark.servers
def test_no_text_of_a_cluster_takes_more_than_linear_time():
    command = [sys.executable, "-m", __name__]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT, check=False
    )
    last = done.stdout.splitlines()[-1:]
    assert last == ["done"], f"{last} {done.stderr[-2000:]}"


def patterns(path: Path) -> bool:
    """Tell whether a module has a pattern of its own."""
    tree = ast.parse(path.read_text())
    return any(
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "re"
        and node.attr not in ("Match", "Pattern")
        and not node.attr.isupper()
        for node in ast.walk(tree)
    )


def test_every_module_with_patterns_is_tried_or_sees_no_cluster():
    apps = "accounts cupadmin diagnostics directory jobs mesh notifications peers rest"
    found = {
        str(path.relative_to(ROOT))
        for app in (*apps.split(), "services", "wire")
        for path in (ROOT / app).rglob("*.py")
        if patterns(path)
    }
    assert {x for x in found if not x.startswith(tuple(OTHERS))} == SEEN


if __name__ == "__main__":
    main()
