"""The control channel: what `python -m lab` tells a lab that runs."""

import asyncio
import contextlib
import json
import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .cluster import LabCluster
    from .faults import Faults
    from .lab import Lab
    from .node import LabNode

ENTRY = ("address", "username", "password", "protocol", "mask")


class Rejected(Exception):
    """A command that makes no sense, with the reason in words."""


class ControlServer:
    """Takes one command a line, as JSON, from those who know the token."""

    def __init__(self, lab: "Lab") -> None:
        self.lab = lab
        self.server: asyncio.Server | None = None
        lab.control_token = secrets.token_urlsafe(18)

    async def open(self) -> str:
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        host, port = self.server.sockets[0].getsockname()[:2]
        return f"{host}:{port}"

    async def close(self) -> None:
        if self.server:
            self.server.close()

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        with contextlib.suppress(OSError, ValueError):
            line = await reader.readline()
            writer.write(json.dumps(self.obey(json.loads(line))).encode() + b"\n")
            await writer.drain()
        writer.close()

    def obey(self, message: dict[str, Any]) -> dict[str, Any]:
        """Carry out a message; return what came of it."""
        token = str(message.get("token", ""))
        if not secrets.compare_digest(token, self.lab.control_token):
            return {"ok": False, "error": "the token is not the lab's"}
        words = [str(word) for word in message.get("words", [])]
        try:
            return {"ok": True, "result": run_command(self.lab, words)}
        except (Rejected, ValueError, KeyError) as error:
            return {"ok": False, "error": str(error.args[0] if error.args else error)}


def run_command(lab: "Lab", words: list[str]) -> Any:
    """Carry out a command given as words: `fault set cup1 axl=stall`."""
    for size in (2, 1):
        command = COMMANDS.get(" ".join(words[:size]))
        if command:
            try:
                return command(lab, *words[size:])
            except TypeError:
                raise Rejected(f"wrong arguments: {' '.join(words)}") from None
    raise Rejected(f"unknown command: {' '.join(words)}")


def _target(lab: "Lab", name: str) -> "Lab | LabCluster | LabNode":
    if name == "lab":
        return lab
    for find in (lab.cluster, lab.node):
        with contextlib.suppress(KeyError):
            return find(name)
    raise Rejected(f"there is no cluster or node {name}")


def fault_set(lab: "Lab", target: str, *faults: str) -> str:
    thing = _target(lab, target)
    for text in faults:
        area, equals, value = text.partition("=")
        if not equals:
            raise Rejected(f"{text} is not AREA=VALUE")
        thing.set_fault(area, value)
    return f"{target}: {', '.join(faults)}"


def fault_clear(lab: "Lab", target: str = "lab", area: str = "") -> str:
    _target(lab, target).clear_faults(area or None)
    return f"{target}: no fault"


def fault_list(lab: "Lab") -> dict[str, list[str]]:
    boxes: list[tuple[str, Faults]] = [("lab", lab.faults)]
    boxes += [(c.name, c.faults) for c in lab.clusters]
    boxes += [(n.short_name, n.faults) for n in lab.nodes]
    return {
        name: [str(s) for s in box.settings.values()]
        for name, box in boxes
        if box.settings
    }


def users_list(lab: "Lab", cluster: str) -> list[str]:
    return lab.cluster(cluster).users()


def users_add(lab: "Lab", cluster: str, count: str = "1") -> list[str]:
    return lab.cluster(cluster).add_users(int(count))


def users_remove(lab: "Lab", cluster: str, *userids: str) -> str:
    return f"{lab.cluster(cluster).remove_users(*userids)} removed"


def users_move(lab: "Lab", cluster: str, userid: str, target: str) -> str:
    lab.cluster(cluster).move_user(userid, lab.cluster(target))
    return f"{userid} is a user of {target}"


def peers_list(lab: "Lab", cluster: str = "") -> dict[str, list[str]]:
    clusters = [lab.cluster(cluster)] if cluster else lab.clusters
    return {
        c.name: [
            f"{p.address} {p.protocol} {p.username} "
            f"({c.agent.status.get(p.address, 'not yet synchronised')})"
            for p in c.peers()
        ]
        for c in clusters
    }


def peers_add(lab: "Lab", cluster: str, other: str, protocol: str = "TCP") -> str:
    lab.cluster(cluster).peer_with(lab.cluster(other), protocol)
    return f"{cluster} and {other} are peers over {protocol}"


def peers_enter(lab: "Lab", cluster: str, other: str, *values: str) -> str:
    """Enter or replace one entry; FIELD=VALUE in place of what would be right."""
    home, remote = lab.cluster(cluster), lab.cluster(other)
    wrong = dict(value.split("=", 1) for value in values if "=" in value)
    if len(wrong) < len(values) or set(wrong) - set(ENTRY):
        raise Rejected(f"give {', '.join(ENTRY)} as FIELD=VALUE")
    if before := home.peer_to(remote):
        home.remove_peer(before.address)
    home.enter_peer(remote, **wrong)
    return f"{cluster} has an entry for {other}"


def peers_remove(lab: "Lab", cluster: str, other: str) -> str:
    """Remove one entry, named by its address or its cluster."""
    home, address = lab.cluster(cluster), other
    with contextlib.suppress(KeyError):
        found = home.peer_to(lab.cluster(other))
        address = found.address if found else other
    return f"{home.remove_peer(address)} removed"


def peer_tables(lab: "Lab", cluster: str) -> dict[str, Any]:
    """Return where the peers of a cluster really are, and the names of all tables."""
    database = lab.cluster(cluster).database
    listed = database.execute("SELECT tabname FROM systables ORDER BY tabname")
    return {
        **database.peer_table.as_dict(),
        "form": database.peer_table.form,
        "catalogue": [name for (name,) in listed],
    }


def set_password(lab: "Lab", cluster: str, username: str, secret: str) -> str:
    home = lab.cluster(cluster)
    if username in home.pages.accounts:
        home.pages.set_password(username, secret)
    else:
        home.set_password(username, secret)
    return f"{username} of {cluster} has another password"


def page_saves(lab: "Lab", cluster: str) -> dict[str, object]:
    """Return how often each entry was saved on the pages, and what else was done."""
    return lab.cluster(cluster).pages.counts()


def service_list(lab: "Lab", node: str) -> dict[str, str]:
    return {name: s.status for name, s in lab.node(node).services.items()}


def service_set(lab: "Lab", node: str, *words: str) -> str:
    name, state = " ".join(words[:-1]), words[-1]
    lab.node(node).service(name).set(state)
    return f"{node}: {name} is {state}"


def certificate_renew(lab: "Lab", node: str) -> str:
    return lab.node(node).renew_certificate()


def generation(lab: "Lab", cluster: str, name: str, version: str = "") -> str:
    lab.cluster(cluster).become(name, version or None)
    return f"{cluster} is {lab.cluster(cluster).release.version}"


def recent_calls(lab: "Lab", node: str, count: str = "20") -> list[str]:
    last = list(lab.node(node).calls)[-int(count) :]
    return [f"{c.status} {c.user} {c.operation or c.path} {c.sql}" for c in last]


def describe_lab(lab: "Lab") -> dict[str, Any]:
    return lab.describe()


COMMANDS: dict[str, Callable[..., Any]] = {
    "fault set": fault_set,
    "fault clear": fault_clear,
    "fault list": fault_list,
    "users list": users_list,
    "users add": users_add,
    "users remove": users_remove,
    "users move": users_move,
    "peers list": peers_list,
    "peers add": peers_add,
    "peers enter": peers_enter,
    "peers remove": peers_remove,
    "tables": peer_tables,
    "password": set_password,
    "saves": page_saves,
    "service list": service_list,
    "service set": service_set,
    "certificate renew": certificate_renew,
    "generation": generation,
    "calls": recent_calls,
    "describe": describe_lab,
}
