"""Requests to the console, and what its answers mean."""

import ssl
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import httpx

from cupadminctl.exits import Failed, JobFailed, StillRunning

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


def check_url(url: str) -> str:
    """Refuse an address to which the token would be sent in the clear."""
    wrong = Failed(f"{url} is not the address of a console (https://...).")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise wrong from None
    if parts.scheme not in ("http", "https") or not host or port == 0:
        raise wrong
    if parts.scheme == "http" and not is_loopback(host):
        raise Failed(f"{url} is not encrypted: a token is only sent over https.")
    return url.rstrip("/")


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def trust_context(ca_file: str | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:  # that no certificate is in it, too
        raise Failed(f"{ca_file}: {error.strerror or error}") from None


@dataclass
class Console:
    """One console, spoken to with one token."""

    url: str
    token: str = field(repr=False)
    ca_file: str | None = None
    timeout: float = 30.0
    sleep: Callable[[float], None] = time.sleep

    def __post_init__(self) -> None:
        self.http = httpx.Client(
            base_url=check_url(self.url) + API,
            headers={"Authorization": f"Bearer {self.token}"},
            verify=trust_context(self.ca_file),
            timeout=self.timeout,
        )

    def get(self, path: str, **query: Any) -> Any:
        return self.send("GET", path, params=query).json()

    def post(self, path: str, body: Any = None) -> Any:
        """Send; an attempt after the first is answered as the first would have been."""
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        return self.send("POST", path, json=body or {}, headers=headers).json()

    def every(self, path: str, limit: int | None = None, **query: Any) -> list[Row]:
        """Return the rows of all pages of a list, or the first so many."""
        rows: list[Row] = []
        while limit is None or len(rows) < limit:
            size = PAGE if limit is None else min(PAGE, limit - len(rows))
            page = self.get(path, limit=size, offset=len(rows), **query)
            rows += page["results"]
            if not page["next"] or not page["results"]:
                break
        return rows

    def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        for attempt in range(1, ATTEMPTS + 1):
            answer = self.attempt(method, path, **options)
            if answer.status_code not in TRY_LATER or attempt == ATTEMPTS:
                break
            self.sleep(retry_pause(answer.headers.get("Retry-After", ""), attempt))
        if answer.is_success:
            return answer
        raise Failed(refusal_reason(answer))

    def attempt(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            return self.http.request(method, path, **options)
        except httpx.TimeoutException:
            raise Failed(
                f"{self.url} did not answer in {self.timeout:.0f} seconds."
            ) from None
        except httpx.HTTPError as error:
            raise Failed(f"{self.url} was not reached: {error}") from None

    def cluster_id(self, name: str) -> str:
        """Return the id of a cluster that is named by its name or its id."""
        found = self.get("clusters/", name=name)["results"]
        if found:
            return str(found[0]["id"])
        try:
            return str(self.get(f"clusters/{uuid.UUID(name)}/")["id"])
        except ValueError:
            raise Failed(f"There is no cluster {name}.") from None

    def names(self) -> dict[str, str]:
        """Return the names of the clusters by id."""
        return {row["id"]: row["name"] for row in self.every("clusters/")}

    def wait(
        self, job: Row, limit: float | None, on_progress: Callable[[Row], None]
    ) -> Row:
        """Watch a job until it ends.

        Raises:
            JobFailed: it ended without success.
            StillRunning: it did not end within `limit` seconds.
        """
        until = None if limit is None else time.monotonic() + limit
        poll_pause = POLL_PAUSE
        while job["state"] in UNFINISHED:
            if until is not None and time.monotonic() >= until:
                raise StillRunning(f"Job {job['id']} is still {job['state']}.")
            self.sleep(poll_pause)
            poll_pause = min(poll_pause * 1.5, LONGEST_POLL_PAUSE)
            job = self.get(f"jobs/{job['id']}/")
            on_progress(job)
        if job["state"] != "succeeded":
            raise JobFailed(f"Job {job['id']} {job['state']}: {job['error']}")
        return job


def retry_pause(retry_after: str, attempt: int) -> float:
    """Return how long to wait: what the console says, otherwise longer each time."""
    seconds = float(retry_after) if retry_after.isdecimal() else 2.0**attempt
    return min(seconds, LONGEST_PAUSE)


def refusal_reason(answer: httpx.Response) -> str:
    """Say why a request was refused, from its `application/problem+json`."""
    try:
        problem = answer.json()
        sentence = str(problem.get("detail") or problem["title"])
        errors = problem.get("errors") or {}
        more = [f"  {name}: {in_words(found)}" for name, found in errors.items()]
    except (ValueError, KeyError, AttributeError):
        return f"The console answered {answer.status_code} {answer.reason_phrase}."
    return "\n".join([f"{answer.status_code}: {sentence}", *more])


def in_words(found: Any) -> str:
    return " ".join(map(str, found)) if isinstance(found, list) else str(found)
