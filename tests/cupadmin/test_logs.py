"""Log lines as JSON, with the ids of what they belong to."""

import json
import logging

from celery.beat import SchedulingError
from django.db import OperationalError
from django.utils.log import configure_logging
from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import ConnectionError as RedisError

from base.request_ids import within_job
from cupadmin.settings import LOGGING


class Lost(Exception):
    """What psycopg raises for a connection that broke."""

    sqlstate = None


def raise_as_beat_does(error):
    """Without a cause, as `celery.beat` raises what the broker's client has raised."""
    try:
        raise error
    except Exception as raised:
        raise SchedulingError(str(raised)).with_traceback(raised.__traceback__)  # noqa: B904


def json_lines(capsys, log):
    """What `log` writes where CUPADMIN_LOG_FORMAT=json."""
    handlers = {"stderr": LOGGING["handlers"]["stderr"] | {"formatter": "json"}}
    try:
        configure_logging("logging.config.dictConfig", LOGGING | {"handlers": handlers})
        log()
    finally:
        configure_logging("logging.config.dictConfig", LOGGING)
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_line_is_an_object_with_the_ids_of_request_and_job(capsys):
    def log():
        with within_job("job-1", "request-1"):
            logging.getLogger("jobs.engine").error("two\nlines of %s", "text")

    (line,) = json_lines(capsys, log)
    assert line.pop("time")
    assert line == {
        "level": "ERROR",
        "logger": "jobs.engine",
        "message": "two\nlines of text",
        "request_id": "request-1",
        "job_id": "job-1",
    }


def test_an_exception_stays_on_its_line(capsys):
    def log():
        try:
            raise ValueError("bad")
        except ValueError:
            logging.getLogger("jobs.engine").exception("broke")

    (line,) = json_lines(capsys, log)
    assert "ValueError: bad" in line["exc_info"]


def test_a_broker_that_is_away_is_one_line_without_a_traceback(capsys):
    def log():
        for error in (BrokerError("h:6379:\nrefused"), RedisError("reset")):
            try:
                raise_as_beat_does(error)
            except SchedulingError:
                logging.getLogger("celery.beat").error(
                    "no ring: %s\n%s", "away", ["a stack"], exc_info=True
                )

    first, second = json_lines(capsys, log)
    assert first["message"] == "no ring: away (broker: h:6379: refused)"
    assert second["message"] == "no ring: away (broker: reset)"
    assert not {"exc_info", "exc_text"} & (set(first) | set(second))


def test_a_database_that_is_away_is_one_line(capsys):
    def log():
        try:
            raise OperationalError("closed\n\tThis means trouble.") from Lost()
        except OperationalError:
            logging.getLogger("jobs").warning("not shown", exc_info=True)

    (line,) = json_lines(capsys, log)
    assert line["message"] == "not shown (away: closed This means trouble.)"
