"""Builds and runs the Containerfile without a container engine.

Stages are folders that begin as a minimal Debian, commands run in them by chroot, in
mount and process namespaces of their own. Nothing of this machine is seen in there but
its way to the packages.
"""

import json
import os
import re
import shlex
import shutil
from fnmatch import fnmatch
from pathlib import Path

import yaml
from django.conf import settings

from tests.conftest import missing
from tests.deploy.conftest import run, tool

ROOT = Path(settings.BASE_DIR)
FOLDER = ROOT / "deploy" / "container"
TEXT = (FOLDER / "Containerfile").read_text().replace("\\\n", " ")
INSTRUCTIONS = re.findall(r"^([A-Z]+)\s+(.*)$", TEXT, re.MULTILINE)
COMPOSE = yaml.safe_load((FOLDER / "compose.yml").read_text())
SERVICES = COMPOSE["services"]
IGNORED = (ROOT / ".containerignore").read_text().splitlines()[1:]
# How this machine reaches packages: names, certificates, settings of pip.
WAY_OUT = (
    *("etc/resolv.conf", "etc/hosts", "etc/pip.conf", "etc/xdg/pip"),
    "etc/ssl/certs/ca-certificates.crt",
)
CERTIFICATES = "machine.crt"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
ISOLATED = ("unshare", "--mount", "--pid", "--fork", "--kill-child")


def debian(folder: Path) -> Path:
    """The smallest Debian 12, from where this machine has its packages."""
    debootstrap = tool("debootstrap")
    if os.geteuid() != 0:
        missing("deploy", "An image is built by root")
    wanted = ("Created-By: Packages", "Codename: bookworm", "Component: main")
    listed = ("apt-get", "indextargets", "--format", "$(REPO_URI)", *wanted)
    mirrors = run(*listed).split()
    if not mirrors:
        missing("deploy", "This machine has no packages of Debian 12")
    run(debootstrap, "--variant=minbase", "bookworm", folder, mirrors[0])
    for name in WAY_OUT:
        source, target = Path("/", name), folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True)
        elif source.exists():
            shutil.copyfile(source, target)
    # The package ca-certificates writes its own bundle over the machine's.
    shutil.copyfile(folder / WAY_OUT[-1], folder / CERTIFICATES)
    return folder


class Image:
    """What the instructions of the Containerfile make, stage by stage."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.base = debian(folder / "debian")
        self.stages: dict[str, Path] = {}
        self.environment: dict[str, str] = {}
        self.values: dict[str, str] = {}
        for name, value in INSTRUCTIONS:
            getattr(self, f"do_{name.lower()}", self.keep)(value, name)

    @property
    def root(self) -> Path:
        """The file system of the last stage."""
        return list(self.stages.values())[-1]

    def keep(self, value: str, name: str) -> None:
        self.values[name] = value

    def do_from(self, value: str, _: str) -> None:
        name = value.partition(" AS ")[2] or "last"
        stage = self.folder / name
        run("cp", "-a", "--reflink=auto", self.base, stage)
        self.stages[name], self.environment = stage, {"PATH": PATH}

    def do_env(self, value: str, _: str) -> None:
        for word in shlex.split(value):
            name, _, text = word.partition("=")
            self.environment[name] = re.sub(r"\$\w+", "", text)

    def do_copy(self, value: str, _: str) -> None:
        *sources, target = shlex.split(value)
        into = self.root / target.lstrip("/")
        if sources[0].startswith("--from="):
            stage = self.stages[sources[0].removeprefix("--from=")]
            run("cp", "-a", stage / sources[1].lstrip("/"), into)
            return
        assert sources == ["."]
        for name in context_files():
            (into / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, into / name)

    def do_run(self, value: str, _: str) -> None:
        of_pip = {k: v for k, v in os.environ.items() if k.startswith("PIP_")}
        inside = f"mount -t proc proc {self.root}/proc && exec chroot {self.root}"
        command = (*ISOLATED, "sh", "-c", f'{inside} sh -c "$1"', "sh", value)
        of_pip["PIP_CERT"] = f"/{CERTIFICATES}"
        run(*command, env=of_pip | self.environment)

    def start(self, script: str, variables: dict[str, str]) -> str:
        """Run a script as the image would run its command; return what it printed.

        The file system is read-only but for the volume and /tmp, the user is that of
        the image, and there is no network but loopback.
        """
        root, volume = self.root, self.values["VOLUME"]
        (self.folder / "data").mkdir(exist_ok=True)
        user = self.values["USER"]
        shutil.chown(self.folder / "data", *map(int, user.split(":")))
        inside = f"""
            set -e
            /usr/sbin/ip link set lo up
            /usr/bin/mount --bind {root} {root}
            /usr/bin/mount --bind {self.folder}/data {root}{volume}
            /usr/bin/mount -t proc proc {root}/proc
            /usr/bin/mount -t tmpfs tmpfs {root}/tmp
            /usr/bin/mount -o remount,bind,ro {root}
            exec /usr/sbin/chroot --userspec={user} {root} \\
                sh -c 'cd {volume} && exec sh -s'
        """
        command = (*ISOLATED, "--net", "sh", "-c", inside)
        return run(*command, env=self.environment | variables, input=script)

    def command(self, service: str = "web") -> str:
        """What the image starts for a service of the compose file, as one line."""
        words = SERVICES[service].get("command", json.loads(self.values["CMD"]))
        return shlex.join(json.loads(self.values["ENTRYPOINT"]) + words)


def context_files() -> list[str]:
    """What `COPY .` copies."""
    listed = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    names = run(*listed, cwd=ROOT).split("\0")
    return [name for name in names if name and (ROOT / name).is_file() and kept(name)]


def kept(name: str) -> bool:
    parts = Path(name).parts
    heads = ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]
    patterns = [pattern.removeprefix("**/") for pattern in IGNORED]
    return not any(fnmatch(head, one) for head in heads for one in patterns)
