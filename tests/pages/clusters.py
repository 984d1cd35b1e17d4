"""A cluster of the console whose pages are those of a site."""

from clusters.models import Cluster
from tests.pages.site import PASSWORD, Site


def cluster_by_pages(site: Site) -> Cluster:
    cluster = Cluster(
        name="home",
        axl_username="axl",
        provisioning="pages",
        pages_username="administrator",
        pages_port=site.server.server_port,
    )
    cluster.seal("pages_password", PASSWORD)
    cluster.save()
    return cluster
