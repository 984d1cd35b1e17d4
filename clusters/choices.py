"""What a cluster may be, as people choose it."""

from django.db import models


class Generation(models.TextChoices):
    """The product generations that a platform profile describes."""

    CUP7 = "cup7", "Cisco Unified Presence 7.x"
    CUP8 = "cup8", "Cisco Unified Presence 8.x"
    IMP = "imp", "Cisco IM and Presence Service 9-15"


class AddressScheme(models.TextChoices):
    """How the IM addresses of a cluster's users are formed."""

    USER_ID = "user_id", "UserID@Default_Domain"
    DIRECTORY_URI = "directory_uri", "Directory URI"
