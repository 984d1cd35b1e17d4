"""Messages of the right form that no task can be made of, to a real worker."""

import json
import time
import uuid
from pathlib import Path

import pytest
from django.conf import settings

from jobs.models import Job
from tests.brokers.conftest import in_use, wait_until
from tests.brokers.servers import Embedded

pytestmark = pytest.mark.servers

GOOD = {"task": "jobs.tasks.work_on_job", "id": "1", "lang": "py", "argsrepr": "()"}
ODD = [
    {"headers": {}},
    {"headers": GOOD | {"task": "os.system"}},
    {"headers": GOOD | {"task": ["list"]}},
    {"headers": GOOD | {"id": None}},
    {"headers": GOOD | {"id": {"a": 1}}},
    {"headers": GOOD | {"eta": "nonsense"}},
    {"headers": GOOD | {"expires": {"a": 1}}},
    {"headers": GOOD | {"timelimit": "x"}},
    {"headers": GOOD | {"timelimit": [None, None, None]}},
    {"headers": GOOD | {"retries": "many"}},
    {"headers": GOOD, "content-type": "application/x-python-serialize"},
    {"headers": GOOD, "content-type": 7},
    {"headers": GOOD, "content-encoding": "klingon"},
    {"headers": GOOD, "body": "Ing="},
    {"headers": GOOD, "body": "W10="},
    {"headers": GOOD, "body": "W1sxLDJdLCB7fSwge31d"},
    {"headers": GOOD | {"compression": "application/x-gzip"}},
]


@pytest.fixture(params=["embedded"])
def broker(request, monkeypatch):
    yield from in_use(Embedded(), monkeypatch)


def put_message(queue, odd):
    info = {"exchange": "", "routing_key": queue}
    properties = {
        "delivery_tag": uuid.uuid4().hex,
        "delivery_info": info,
        "body_encoding": "base64",
    }
    whole = {
        "body": "W1siMSJdLCB7fSwge31d",
        "content-type": "application/json",
        "content-encoding": "utf-8",
        "properties": properties,
        **odd,
    }
    folder = Path(settings.DATA_DIR) / "broker"
    folder.mkdir(exist_ok=True)
    name = f"{time.time_ns():020d}_{uuid.uuid4()}.{queue}.msg"
    (folder / name).write_text(json.dumps(whole))


def test_a_worker_outlives_every_odd_message(broker, submit, start_worker):
    for odd in ODD * 2:
        put_message(broker.queue, odd)
    worker = start_worker()
    submit(10)
    wait_until(lambda: not Job.objects.active().exists())
    assert set(Job.objects.values_list("state", flat=True)) == {"succeeded"}
    assert worker.poll() is None
