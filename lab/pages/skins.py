"""The skins by name."""

from .classic import Classic
from .frames import Frames
from .labels import Labels
from .modern import Modern
from .skin import Skin

SKINS: dict[str, Skin] = {
    skin.name: skin for skin in (Classic(), Frames(), Labels(), Modern())
}
OFF = "off"


def check_skin(name: str) -> str:
    """Return the name of a skin, empty for `off`.

    Raises:
        ValueError: there is no such skin.
    """
    if name == OFF:
        return ""
    if name not in SKINS:
        known = ", ".join((*SKINS, OFF))
        raise ValueError(f"{name} is no markup of pages; known: {known}")
    return name
