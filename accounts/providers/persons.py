"""From a Person to what django-allauth keeps: the subject and the groups, no more."""

from typing import Any

from accounts.identities import Person


class FromPerson:
    """For providers of the library whose answer we have read into a Person."""

    def extract_uid(self, data: Person) -> str:
        return data.uid

    def extract_extra_data(self, data: Person) -> dict[str, Any]:
        return {"groups": data.stored_groups}

    def extract_common_fields(self, data: Person) -> dict[str, Any]:
        return {}

    def extract_email_addresses(self, data: Person) -> list[Any]:
        return []


def storable_text(value: Any) -> str:
    """Return what a database and a page can hold, whatever the provider sent."""
    found = "" if value is None else str(value).replace("\0", "")
    return found.encode("utf-8", "replace").decode()
