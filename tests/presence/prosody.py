"""Two XMPP servers, Prosody, that stand for two clusters.

Their domains are loopback addresses, so that each finds the other without DNS.
"""

import shutil
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.presence.identity import write_certificate

PASSWORD = "open sesame 5222"

CONFIG = """
pidfile = "{folder}/prosody.pid"
data_path = "{folder}"
plugin_paths = {{}}
daemonize = false
run_as_root = true
interfaces = {{ "{address}" }}
c2s_ports = {{ {port} }}
s2s_ports = {{ 5269 }}
c2s_require_encryption = {encrypted}
s2s_require_encryption = true
s2s_secure_auth = false
authentication = "internal_hashed"
storage = "internal"
modules_enabled = {{ {modules} }}
modules_disabled = {{ {disabled} }}
log = {{ debug = "{folder}/prosody.log" }}
ssl = {{ key = "{folder}/key.pem"; certificate = "{folder}/cert.pem"; }}
VirtualHost "{domain}"
"""


@dataclass
class Server:
    """One server; its domain is its address."""

    address: str
    folder: Path
    port: int = 0
    domain: str = ""
    # Without it the server reaches nobody, and nobody it.
    s2s: bool = True
    # Without it a password would go in the clear.
    tls: bool = True
    fingerprint: str = ""
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self, *users: str) -> None:
        self.folder.mkdir(exist_ok=True)
        self.port = self.port or free_port(self.address)
        self.fingerprint = write_certificate(self.folder, self.address)
        config = self.folder / "prosody.cfg.lua"
        config.write_text(
            CONFIG.format(
                folder=self.folder,
                address=self.address,
                port=self.port,
                domain=self.domain or self.address,
                encrypted=str(self.tls).lower(),
                disabled="" if self.s2s else '"s2s"',
                modules=", ".join(f'"{name}"' for name in self._modules()),
            )
        )
        for user in users:
            self.control("register", user, self.domain or self.address, PASSWORD)
        command = [str(shutil.which("prosody")), "--config", str(config), "-F"]
        with (self.folder / "out.log").open("wb") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        self._wait()

    def _modules(self) -> list[str]:
        names = ["roster", "saslauth", "blocklist"]
        names += ["dialback", "s2s"] if self.s2s else []
        return names + (["tls"] if self.tls else [])

    def control(self, *words: str) -> None:
        config = self.folder / "prosody.cfg.lua"
        command = [str(shutil.which("prosodyctl")), "--config", str(config), *words]
        subprocess.run(command, check=True, capture_output=True, timeout=60)

    def _wait(self) -> None:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            if all(map(self._listens, (self.port, 5269) if self.s2s else (self.port,))):
                return
            if self.process and self.process.poll() is not None:
                break
            time.sleep(0.05)
        logs = [self.folder / "out.log", self.folder / "prosody.log"]
        said = "\n".join(one.read_text()[-2000:] for one in logs if one.exists())
        raise RuntimeError(f"Prosody does not start:\n{said}")

    def _listens(self, port: int) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex((self.address, port)) == 0

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(30)
            self.process = None


def is_installed() -> bool:
    return shutil.which("prosody") is not None


def free_port(address: str) -> int:
    with socket.socket() as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])
