"""What the notices of a page say, by their codes."""

import re


def codes_in(answer):
    return re.findall(r'data-code="([^"]*)"', answer.content.decode())
