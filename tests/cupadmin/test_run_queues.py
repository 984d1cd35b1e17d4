"""Which queues the worker of `make run` serves."""

from cupadmin.management.commands.run import worker_queues


def test_run_serves_every_site(settings):
    settings.SITES = ["berlin", "munich"]
    every = ["operate", "maintenance", "site-berlin", "site-munich"]
    assert worker_queues() == every


def test_run_serves_only_what_it_is_told(settings):
    settings.SITES = ["berlin", "munich"]
    settings.QUEUES = ["operate", "site-munich"]
    assert worker_queues() == ["operate", "site-munich"]
