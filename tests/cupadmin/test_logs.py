"""Log lines as JSON, with the ids of what they belong to."""

import json
import logging

from django.utils.log import configure_logging

from base.request_ids import within_job
from cupadmin.settings import LOGGING


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
