"""Two proxies with presence servers, Kamailio, that stand for two clusters.

A user of the other cluster is reached by rewriting the host of the request URI, which
is what the product's proxies do. Users have digest passwords; the proxies trust each
other.
"""

import shutil
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.presence.identity import write_certificate

TABLES = Path("/usr/share/kamailio/dbtext/kamailio")
DOMAIN = "lab.example"
PASSWORD = "open sesame 5060"

CONFIG = """
debug=0
log_stderror=yes
fork=yes
children=1
tcp_children=1
dns=no
rev_dns=no
auto_aliases=no
listen=udp:{here}
listen=tcp:{here}
{tls}
tcp_accept_no_cl=yes

loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "auth.so"
loadmodule "db_text.so"
loadmodule "presence.so"
loadmodule "presence_xml.so"

modparam("auth", "algorithm", "{algorithm}")
modparam("auth", "qop", "{qop}")
modparam("presence", "db_url", "text://{tables}")
modparam("presence", "server_address", "sip:{here};transport=tcp")
modparam("presence", "subs_db_mode", 0)
modparam("presence_xml", "db_url", "text://{tables}")
modparam("presence_xml", "force_active", 1)

request_route {{
    if (is_method("NOTIFY")) {{
        loose_route();
        t_relay();
        exit;
    }}
    if (has_totag() && loose_route() && !(uri == myself)) {{
        t_relay();
        exit;
    }}
    if (!is_method("SUBSCRIBE|PUBLISH")) {{
        sl_send_reply("405", "Method Not Allowed");
        exit;
    }}
    if (!has_totag() && !($hdr(X-Cluster) == "yes")) {{
        if (!pv_www_authenticate("{domain}", "{password}", "0")) {{
            {challenge}
            exit;
        }}
    }}
    remove_hf("X-Cluster");
    if (!has_totag() && !($rd =~ "^({domain}|{address})$")) {{
        sl_send_reply("404", "Not Found");
        exit;
    }}
    if (!has_totag() && $rU =~ "{remote}") {{
        record_route();
        append_hf("X-Cluster: yes\\r\\n");
        $ru = "sip:" + $rU + "@{other};transport=tcp";
        t_relay();
        exit;
    }}
    if (!has_totag() && !($rU =~ "{local}")) {{
        sl_send_reply("404", "Not Found");
        exit;
    }}
    if ({blocked}) {{
        sl_send_reply("403", "Forbidden");
        exit;
    }}
    if (!has_totag()) {{
        $ru = "sip:" + $rU + "@{domain}";
    }}
    t_newtran();
    if (is_method("PUBLISH")) {{
        handle_publish();
    }} else {{
        handle_subscribe();
    }}
    exit;
}}
"""


# With a port of its own for TLS; the proxies speak TCP with each other.
TLS = """
enable_tls=yes
listen=tls:{address}:{port}
loadmodule "tls.so"
modparam("tls", "certificate", "{folder}/cert.pem")
modparam("tls", "private_key", "{folder}/key.pem")
modparam("tls", "ca_list", "{folder}/cert.pem")
modparam("tls", "verify_certificate", {wanted})
modparam("tls", "require_certificate", {wanted})
modparam("tls", "tls_method", "{method}")
"""


@dataclass
class Proxy:
    """One proxy; its users begin with its letter."""

    letter: str
    address: str
    port: int
    algorithm: str = "MD5"
    qop: str = "auth"
    # Only with a port for TLS: whether it wants a certificate, and how it speaks.
    tls_port: int = 0
    wants_certificate: bool = False
    tls_method: str = "TLSv1.2+"
    fingerprint: str = ""
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def here(self) -> str:
        return f"{self.address}:{self.port}"

    def start(self, folder: Path, other: "Proxy", blocked: str = "") -> None:
        tables = folder / f"tables-{self.letter}"
        shutil.copytree(TABLES, tables, dirs_exist_ok=True)
        config = folder / f"{self.letter}.cfg"
        config.write_text(
            CONFIG.format(
                here=self.here,
                address=self.address.replace(".", "[.]"),
                tls=self._tls(folder) if self.tls_port else "",
                other=other.here,
                algorithm=self.algorithm,
                qop=self.qop,
                tables=tables,
                domain=DOMAIN,
                password=PASSWORD,
                challenge=f'www_challenge("{DOMAIN}", "{1 if self.qop else 0}");',
                remote=f"^{other.letter}",
                local=f"^{self.letter}",
                blocked=f'$fU == "{blocked}"' if blocked else '$fU == ""',
            )
        )
        command = [str(binary()), "-DD", "-E", "-m", "32", "-M", "8", "-f", str(config)]
        command += ["-Y", str(folder), "-w", str(folder)]
        with (folder / f"{self.letter}.log").open("wb") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        self._wait(folder)

    def _tls(self, folder: Path) -> str:
        own = folder / f"tls-{self.letter}"
        own.mkdir(exist_ok=True)
        self.fingerprint = write_certificate(own, self.address)
        return TLS.format(
            address=self.address,
            port=self.tls_port,
            folder=own,
            wanted=int(self.wants_certificate),
            method=self.tls_method,
        )

    def _wait(self, folder: Path) -> None:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            with socket.socket() as probe:
                # The port that is opened last.
                port = self.tls_port or self.port
                if probe.connect_ex((self.address, port)) == 0:
                    return
            if self.process and self.process.poll() is not None:
                break
            time.sleep(0.05)
        log = (folder / f"{self.letter}.log").read_text(errors="replace")
        raise RuntimeError(f"Kamailio does not start:\n{log[-3000:]}")

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(30)
            self.process = None


def has_tls() -> bool:
    return any(Path("/usr/lib").glob("**/kamailio/modules/tls.so"))


def binary() -> str | None:
    return shutil.which("kamailio") or shutil.which("kamailio", path="/usr/sbin")


def free_port(address: str) -> int:
    """Find a port that is free for UDP and TCP."""
    while True:
        with socket.socket() as stream, socket.socket(type=socket.SOCK_DGRAM) as other:
            stream.bind((address, 0))
            port = stream.getsockname()[1]
            try:
                other.bind((address, port))
            except OSError:
                continue
            return int(port)
