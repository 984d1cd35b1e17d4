"""The broker is down, or takes connections and never answers."""

import socket
import threading

import pytest
from celery import Celery
from django.urls import reverse

from jobs import dispatch
from jobs.models import Job

pytestmark = pytest.mark.servers


@pytest.fixture(params=["redis", "amqp"])
def silent_broker(request, monkeypatch):
    """A broker that accepts connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"{request.param}://127.0.0.1:{server.getsockname()[1]}//"
        with Celery("ringing", broker=url, set_as_current=False) as app:
            app.conf.update(task_ignore_result=True, broker_connection_timeout=0.5)
            app.conf.broker_transport_options = {"socket_timeout": 0.5}
            monkeypatch.setattr(dispatch, "current_app", app)
            yield server
            dispatch.wait_until_sent()


def test_twenty_jobs_ask_a_silent_broker_once(silent_broker, transactional_db):
    threads = threading.active_count()
    for _ in range(20):
        Job.objects.submit("refresh-services", [])
    assert threading.active_count() <= threads + 1
    dispatch.wait_until_sent()
    assert Job.objects.active().count() == 20
    silent_broker.setblocking(False)
    silent_broker.accept()[0].close()
    with pytest.raises(BlockingIOError):
        silent_broker.accept()


def test_a_page_answers_while_the_broker_does_not(
    monkeypatch, operator, client_of, cluster_factory, transactional_db
):
    answered = threading.Event()
    monkeypatch.setattr(
        dispatch.current_app, "send_task", lambda *_, **__: answered.wait(30)
    )
    node = cluster_factory().publisher
    answer = client_of(operator).post(reverse("services:refresh", args=[node.pk]))
    held = dispatch._ringing
    answered.set()
    dispatch.wait_until_sent()
    assert (answer.status_code, held is not None) == (302, True)
    assert Job.objects.get().state == Job.State.QUEUED
