"""A value that does not show itself."""

import hmac
from typing import Any, NoReturn


class Secret:
    """A password between its decryption and the wire; only `reveal` tells it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "***"

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        mine, theirs = (x.encode(errors="surrogatepass") for x in self._pair(other))
        return hmac.compare_digest(mine, theirs)

    def _pair(self, other: "Secret") -> tuple[str, str]:
        return self._value, other._value

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("A secret is never pickled")
