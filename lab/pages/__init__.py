"""The administration pages of simulated clusters, in several markups.

Written from what is publicly known of such pages; markup, names and icons are our own.
"""

from .site import Site
from .skins import SKINS, check_skin
from .state import Pages

__all__ = ["SKINS", "Pages", "Site", "check_skin"]
