"""Which workers serve a site: its own where it has any, otherwise the common ones."""

from collections.abc import Iterable

from django.conf import settings

PREFIX = "site-"


def site_of(queue: str) -> str:
    """The site that a queue belongs to; empty for the queues of all."""
    return queue.removeprefix(PREFIX) if queue.startswith(PREFIX) else ""


def queue_of_site(site: str) -> str:
    """The queue of the workers of a site; without a site, empty: any worker's."""
    return f"{PREFIX}{site}" if site else ""


def served_by(queue: str) -> str:
    """The queue whose workers take jobs of this queue.

    A site that CUPADMIN_SITES does not name has no workers of its own: its jobs would
    wait for ever.
    """
    site = site_of(queue)
    if not queue or (site and site not in settings.SITES):
        return default_queue()
    return queue


def queues_of(sites: Iterable[str]) -> set[str]:
    """The queues whose workers serve these sites; an empty name is no site."""
    return {served_by(queue_of_site(site)) for site in sites}


def default_queue() -> str:
    queue: str = settings.CELERY_TASK_DEFAULT_QUEUE
    return queue
