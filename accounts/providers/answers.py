"""What a provider answered, as a sentence for the person who waits for it."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import Error as DatabaseError

from accounts.identities import SignInRefused
from accounts.masking import mask_passwords
from accounts.providers.persons import storable_text
from accounts.providers.web import ProviderError

logger = logging.getLogger(__name__)

NOT_OURS = "This sign-in did not begin in this browser, or took too long."


class Unfit(Exception):
    """What the provider says about itself cannot be true."""


class Unproven(Exception):
    """An answer that does not prove who somebody is."""


@contextmanager
def answers_of(name: str) -> Iterator[None]:
    """Turn whatever an answer of the provider breaks into a sentence.

    Raises:
        Refused: always in place of another exception, but for those of our database.
    """
    try:
        yield
    except (SignInRefused, DatabaseError):
        raise
    except Exception as error:
        raise refusal_of_error(name, error) from error


def refusal_of_error(name: str, error: Exception) -> SignInRefused:
    """Say it to a person; the whole of it goes to the log, without any token."""
    reason = storable_text(error)
    logger.warning(
        "Identity provider: %s: %s", type(error).__name__, mask_passwords(reason)[:500]
    )
    if isinstance(error, Unfit):
        return SignInRefused(
            f"{name} is not set up as it should be. {reason}", "unfit_provider"
        )
    if isinstance(error, Unproven):
        return SignInRefused(f"The answer of {name} is not valid. {reason}", "unproven")
    if isinstance(error, ProviderError):
        return SignInRefused(f"{name} refused: {reason[:200]}", "provider_refused")
    return SignInRefused(
        f"{name} gives no usable answer now. Accounts of this console can still sign"
        " in with their password.",
        "no_answer",
    )
