"""The brokers that the promises are tested on, and how each loses what it holds."""

import os
import shutil
from abc import ABC, abstractmethod
from pathlib import Path

import redis
from celery import Celery
from django.conf import settings
from kombu import Connection

# Each process of the tests empties a database of its own.
PROCESS = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % 6
REDIS = os.environ.get(
    "CUPADMIN_TEST_REDIS_URL", f"redis://127.0.0.1:6379/{9 + PROCESS}"
)
RABBITMQ = os.environ.get(
    "CUPADMIN_TEST_RABBITMQ_URL", "amqp://guest:guest@127.0.0.1:5672//"
)


class Broker(ABC):
    """One broker, and one queue on it that belongs to this run of the tests."""

    url = ""

    def __init__(self) -> None:
        self.queue = f"cupadmin-tests-{os.getpid()}"

    def producer(self) -> Celery:
        """The application that rings, as in a web process."""
        app = Celery("ringing", broker=self.url, set_as_current=False)
        app.conf.update(task_ignore_result=True, task_publish_retry=False)
        return app

    @property
    def environment(self) -> dict[str, str]:
        return {"CUPADMIN_BROKER_URL": self.url}

    def check(self) -> None:
        """Raise whatever the client raises when the server is missing."""
        with Connection(self.url, connect_timeout=30) as connection:
            connection.ensure_connection(max_retries=1, timeout=30)

    @abstractmethod
    def lose(self) -> None:
        """Lose every message."""

    def leave(self) -> None:
        """Leave nothing behind."""
        self.lose()


class Embedded(Broker):
    """The default: files in the data directory."""

    @property
    def folder(self) -> Path:
        return Path(settings.DATA_DIR) / "broker"

    def producer(self) -> Celery:
        app = super().producer()
        app.conf.broker_url = "atomic-filesystem://localhost"
        app.conf.broker_transport_options = {"folder": str(self.folder)}
        return app

    def check(self) -> None:
        return

    def lose(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


class Redis(Broker):
    """A database of its own, which is emptied."""

    url = REDIS

    def lose(self) -> None:
        with redis.Redis.from_url(self.url) as client:
            client.flushdb()


class RabbitMQ(Broker):
    """A queue of its own, which is deleted at the end."""

    url = RABBITMQ

    def lose(self) -> None:
        with Connection(self.url) as connection:
            connection.SimpleQueue(self.queue).clear()

    def leave(self) -> None:
        with Connection(self.url) as connection:
            connection.default_channel.queue_delete(self.queue)


BROKERS = {"embedded": Embedded, "redis": Redis, "rabbitmq": RabbitMQ}
