"""What a browser calls itself, in words that its person knows."""

import re

# The first that fits: most browsers name those that they descend from as well.
BROWSERS = (
    ("Edge", r"Edg(?:e|A|iOS)?/(\d+)"),
    ("Opera", r"OPR/(\d+)"),
    ("Samsung Internet", r"SamsungBrowser/(\d+)"),
    ("Firefox", r"(?:Firefox|FxiOS)/(\d+)"),
    ("Chrome", r"(?:Headless)?(?:Chrome|CriOS)/(\d+)"),
    ("Safari", r"Version/(\d+)[\d.]* (?:Mobile/\S+ )?Safari/"),
)
SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("macOS", "Macintosh|Mac OS X"),
    ("ChromeOS", "CrOS"),
    ("Linux", "Linux|X11"),
)
# What is no browser is shown by the first word that it says of itself.
LONGEST_WORD = 40


def browser_name(agent: str) -> str:
    """Firefox 128 on Windows; the beginning of what nobody knows."""
    for name, pattern in BROWSERS:
        if found := re.search(pattern, agent):
            return f"{name} {found[1]}{system_of(agent)}"
    return agent.partition(" ")[0][:LONGEST_WORD] or "Unknown browser"


def system_of(agent: str) -> str:
    for name, pattern in SYSTEMS:
        if re.search(pattern, agent):
            return f" on {name}"
    return ""
