"""The cookies of one visit: kept by name and path, sent only to their path."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

_COOKIE = re.compile(r"\s*([!#$%&'*+.^_`|~\w-]{1,128})=([^;,\s\x00-\x1f\x7f]{0,4096})")
_PATH = re.compile(r";\s*path=([^;,\s]{1,256})", re.I)
_GONE = re.compile(r";\s*max-age=(0|-\d+)\s*(;|\Z)|;\s*expires=[^;]*\b19\d\d\b", re.I)
_MOST = 50


@dataclass
class Cookies:
    values: dict[tuple[str, str], str] = field(default_factory=dict)

    def remember(self, lines: Iterable[str], target: str) -> None:
        for line in lines:
            found = _COOKIE.match(line)
            if not found:
                continue
            path = _PATH.search(line)
            key = (found[1], path[1] if path else _folder(target))
            self.values.pop(key, None)
            if not _GONE.search(line) and len(self.values) < _MOST:
                self.values[key] = found[2]

    def header(self, target: str) -> str:
        """Give the Cookie header for a path; the longest paths come first."""
        path = target.partition("?")[0]
        fitting = [key for key in self.values if _covers(key[1], path)]
        fitting.sort(key=lambda key: -len(key[1]))
        return "; ".join(f"{key[0]}={self.values[key]}" for key in fitting)


def _folder(target: str) -> str:
    return target.partition("?")[0].rpartition("/")[0] or "/"


def _covers(cookie_path: str, path: str) -> bool:
    bare = cookie_path.rstrip("/")
    return path == bare or path.startswith(f"{bare}/")
