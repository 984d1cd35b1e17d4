"""The background work of meshes."""

from jobs.kinds import kind
from jobs.run import Run
from mesh.setup import Setup


@kind("set-up-peerings", "Set up peering", audited=True)
def set_up_peerings(run: Run) -> None:
    Setup(run).work()
