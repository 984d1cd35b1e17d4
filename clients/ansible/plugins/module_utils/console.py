"""Requests to the console over REST, and how modules report what it answers."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from traceback import format_exc
from typing import Any, TypeVar
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit

from ansible.module_utils.basic import AnsibleModule, env_fallback
from ansible.module_utils.urls import ConnectionError as UnusableConnection
from ansible.module_utils.urls import SSLValidationError, open_url

API = "/api/v1/"
PAGE = 500
# Answers that ask for another attempt, how many are made, and the longest pause.
TRY_LATER = (429, 503)
ATTEMPTS = 5
LONGEST_PAUSE = 30.0
# Seconds between two looks at a job: the first, and the longest.
POLL_PAUSE, LONGEST_POLL_PAUSE = 0.5, 5.0
UNFINISHED = ("queued", "running")

Row = dict[str, Any]
T = TypeVar("T")

CONNECTION: Row = {
    "url": {
        "type": "str",
        "required": True,
        "fallback": (env_fallback, ["CUPADMIN_URL"]),
    },
    "token": {
        "type": "str",
        "required": True,
        "no_log": True,
        "fallback": (env_fallback, ["CUPADMIN_TOKEN"]),
    },
    "ca_path": {"type": "path", "fallback": (env_fallback, ["CUPADMIN_CA_FILE"])},
    "timeout": {"type": "int", "default": 30},
}
# Of modules that start jobs.
JOB_WAIT: Row = {"wait_timeout": {"type": "int", "default": 600}}


class ConsoleFailure(Exception):
    """A request or a job came to no good end; `facts` are for the module's result."""

    def __init__(self, sentence: str, **facts: Any) -> None:
        super().__init__(sentence)
        self.facts = facts

    @property
    def busy_job(self) -> str | None:
        """The job that works on the same thing, if that is why it was refused."""
        job: str | None = self.facts.get("problem", {}).get("job")
        return job if self.facts.get("status") == 409 else None


class RestConsole:
    """One console, with one token."""

    def __init__(self, params: Row) -> None:
        self.base = checked_url(params["url"]) + API
        self.token = params["token"]
        self.ca_path = params["ca_path"]
        self.timeout = params["timeout"]
        self.wait_timeout = params.get("wait_timeout", 0)

    def get(self, path: str, **query: Any) -> Any:
        return self.send("GET", path, query=query)[0]

    def post(self, path: str, body: Any = None) -> Any:
        """Send; an attempt after the first is answered as the first would have been."""
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        return self.send("POST", path, body or {}, headers=headers)[0]

    def patch(self, path: str, body: Row) -> Any:
        """Change a row that nobody else changes meanwhile."""
        return self.send("PATCH", path, body, headers=self.revision(path))[0]

    def delete(self, path: str, **query: Any) -> Any:
        return self.send("DELETE", path, query=query, headers=self.revision(path))[0]

    def revision(self, path: str) -> dict[str, str]:
        return {"If-Match": self.send("GET", path)[1].get("etag", "")}

    def every(self, path: str, **query: Any) -> list[Row]:
        """Return the rows of all pages of a list."""
        rows: list[Row] = []
        while True:
            page = self.get(path, limit=PAGE, offset=len(rows), **query)
            rows += page["results"]
            if not page["next"] or not page["results"]:
                return rows

    def cluster_named(self, name: str) -> Row | None:
        found = self.get("clusters/", name=name)["results"]
        return found[0] if found else None

    def send(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        """Return what is answered, and the headers by names in lower case."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self.exchange(method, path, body, **options)
            except HTTPError as refusal:
                if refusal.code in TRY_LATER and attempt < ATTEMPTS:
                    pause = refusal.headers.get("Retry-After", "")
                    time.sleep(retry_pause(pause, attempt))
                    continue
                raise refusal_of(method, path, refusal) from None
        raise AssertionError("unreachable")

    def exchange(
        self,
        method: str,
        path: str,
        body: Any = None,
        query: Row | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[Any, dict[str, str]]:
        given = {name: value for name, value in (query or {}).items() if value != ""}
        url = self.base + path + (f"?{urlencode(given)}" if given else "")
        known = {
            "Authorization": f"Bearer {self.token}",
            "Accept": "application/json",
            "Content-Type": "application/json",
        }
        try:
            # The token goes to this console only, and no other one takes its place.
            answer = open_url(
                url,
                data=None if body is None else json.dumps(body).encode(),
                headers=known | (headers or {}),
                method=method,
                timeout=self.timeout,
                ca_path=self.ca_path,
                follow_redirects="none",
                use_netrc=False,
            )
            text = answer.read()
        except HTTPError:
            raise
        except (
            OSError,
            URLError,
            UnusableConnection,
            SSLValidationError,
            ValueError,
        ) as error:
            reason = getattr(error, "reason", error)
            raise ConsoleFailure(f"{self.base} was not reached: {reason}") from None
        return as_json(path, text), {k.lower(): v for k, v in answer.headers.items()}

    def wait(self, job: Row) -> Row:
        """Return a job that succeeded.

        Raises:
            ConsoleFailure: it ended otherwise, or not in time.
        """
        until = time.monotonic() + self.wait_timeout
        pause = POLL_PAUSE
        while job["state"] in UNFINISHED:
            if time.monotonic() >= until:
                waits = job.get("waiting_for") or "it goes on"
                text = f"Job {job['id']} is still {job['state']}: {waits}"
                raise ConsoleFailure(text, job=job)
            time.sleep(pause)
            pause = min(pause * 1.5, LONGEST_POLL_PAUSE)
            job = self.get(f"jobs/{job['id']}/")
        if job["state"] != "succeeded":
            raise ConsoleFailure(
                f"Job {job['id']} {job['state']}: {job['error']}", job=job
            )
        return job

    def when_free(self, request: Callable[[], T]) -> T:
        """Make a request; while a job works on the same thing, after that job."""
        until = time.monotonic() + self.wait_timeout
        while True:
            try:
                return request()
            except ConsoleFailure as refusal:
                if refusal.busy_job is None or time.monotonic() >= until:
                    raise
                busy = refusal.busy_job
            self.wait_for_end(busy, until)

    def wait_for_end(self, job: str, until: float) -> None:
        """Wait until a job of somebody else has ended, whatever its end."""
        pause = POLL_PAUSE
        while time.monotonic() < until:
            if self.get(f"jobs/{job}/")["state"] not in UNFINISHED:
                return
            time.sleep(pause)
            pause = min(pause * 1.5, LONGEST_POLL_PAUSE)


def checked_url(url: str) -> str:
    """Refuse an address to which the token would be sent in the clear."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConsoleFailure(f"{url} is not the address of a console (https://...).")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ConsoleFailure(
            f"{url} is not encrypted: a token is only sent over https."
        )
    return url.rstrip("/")


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def retry_pause(retry_after: str, attempt: int) -> float:
    """Return how long to wait: what the console says, otherwise longer each time."""
    seconds = float(retry_after) if retry_after.isdecimal() else 2.0**attempt
    return min(seconds, LONGEST_PAUSE)


def as_json(path: str, text: bytes) -> Any:
    if not text:
        return None
    try:
        return json.loads(text)
    except ValueError:
        raise ConsoleFailure(f"{path}: the answer is not of a console.") from None


def refusal_of(method: str, path: str, refusal: HTTPError) -> ConsoleFailure:
    """Say why a request was refused, from its `application/problem+json`."""
    try:
        problem = json.loads(refusal.read())
        sentence = str(problem.get("detail") or problem["title"])
        errors = problem.get("errors") or {}
        more = [f"{name}: {in_words(found)}" for name, found in errors.items()]
    except (OSError, ValueError, KeyError, AttributeError):
        problem, sentence, more = {}, str(refusal.reason), []
    text = " ".join([f"{method} {path}: {refusal.code} {sentence}", *more])
    return ConsoleFailure(text, status=refusal.code, problem=problem)


def in_words(found: Any) -> str:
    return " ".join(map(str, found)) if isinstance(found, list) else str(found)


@contextmanager
def failures_reported(module: AnsibleModule) -> Iterator[None]:
    """End the module with the sentence of a failure."""
    try:
        yield
    except ConsoleFailure as failure:
        module.fail_json(msg=str(failure), **failure.facts)
    except (AttributeError, LookupError, TypeError) as error:
        text = f"The console did not answer as expected: {error!r}"
        module.fail_json(msg=text, exception=format_exc())


def given_values(params: Row, names: tuple[str, ...]) -> Row:
    """Return what a task sets; the rest stays as it is on the console."""
    return {name: params[name] for name in names if params[name] is not None}


def differing_values(row: Row, values: Row) -> Row:
    return {
        name: value
        for name, value in values.items()
        if trimmed(row.get(name)) != trimmed(value)
    }


def trimmed(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


def diff_between(before: Row, after: Row) -> Row:
    """Return what `--diff` shows: the values that are set, and no secret."""
    return {"before": before, "after": after}
